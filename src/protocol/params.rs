//! Parameters of a request — RFC 6749 §3.1, §3.2, Appendix B.

use percent_encoding::percent_decode;
use url::form_urlencoded;

use crate::error::Refusal;

/// More parameters than any request needs; beyond it the request is refused unread.
const MAX_PARAMETERS: usize = 100;

/// The parameters of one request: decoded, in order, empty ones left out, since "parameters sent
/// without a value MUST be treated as if they were omitted" (RFC 6749 §3.1).
#[derive(Clone, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads `application/x-www-form-urlencoded` text: a query or a body.
    ///
    /// # Errors
    /// As [`Params::from_pairs`], and `invalid_request` for what is not UTF-8 once decoded: put
    /// right it would be another value than the one that was sent.
    pub fn parse(text: &[u8]) -> Result<Self, Refusal> {
        // What separates parameters is ASCII, so all of it is UTF-8 when each of them is.
        if percent_decode(text).decode_utf8().is_err() {
            return Err(Refusal::invalid_request("a parameter is not UTF-8"));
        }
        let pairs = form_urlencoded::parse(text).into_owned().take(MAX_PARAMETERS + 1);
        Self::from_pairs(pairs.collect())
    }

    /// The parameters of a request that came another way, such as in a request object; the rules
    /// are the same.
    ///
    /// # Errors
    /// `invalid_request` for too many, and for one that holds a NUL: no parameter may (RFC 6749
    /// Appendix A), and PostgreSQL takes none in a text.
    pub fn from_pairs(pairs: Vec<(String, String)>) -> Result<Self, Refusal> {
        if pairs.len() > MAX_PARAMETERS {
            return Err(Refusal::invalid_request("too many parameters"));
        }
        if pairs.iter().any(|(name, value)| name.contains('\0') || value.contains('\0')) {
            return Err(Refusal::invalid_request("a parameter holds a NUL"));
        }
        Ok(Self(pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect()))
    }

    /// Names and values, in order.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// All but these.
    #[must_use]
    pub fn without(mut self, names: &[&str]) -> Self {
        self.0.retain(|(name, _)| !names.contains(&name.as_str()));
        self
    }

    /// And this one.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The value of a parameter that may stand at most once.
    ///
    /// # Errors
    /// `invalid_request` when it is repeated (RFC 6749 §3.1).
    pub fn one(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() {
            return Err(Refusal::invalid_request(format!("{name} is given more than once")));
        }
        Ok(first)
    }

    /// The value of a parameter that must stand exactly once.
    ///
    /// # Errors
    /// `invalid_request` when it is missing or repeated.
    pub fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.one(name)?.ok_or_else(|| Refusal::invalid_request(format!("{name} is missing")))
    }

    /// Every value of a parameter that may be repeated, such as `resource` (RFC 8707 §2).
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_parameters_count_as_omitted() {
        let params = Params::parse(b"state=&scope=openid").expect("well-formed");
        assert_eq!(params.one("state"), Ok(None));
        assert_eq!(params.one("scope"), Ok(Some("openid")));
    }

    #[test]
    fn a_repeated_parameter_is_refused() {
        let params = Params::parse(b"state=1&state=2&resource=a&resource=b").expect("well-formed");
        assert!(params.one("state").is_err());
        assert_eq!(params.all("resource").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_flood_of_parameters_is_refused() {
        assert!(Params::parse("a=1&".repeat(100).as_bytes()).is_ok());
        assert!(Params::parse("a=1&".repeat(101).as_bytes()).is_err());
    }

    #[test]
    fn what_is_not_utf_8_is_refused_and_not_put_right() {
        for bad in
            [&b"state=%ff"[..], b"state=\xff", b"%c3=a", b"state=%c3&nonce=%a9", b"a=%ed%a0%80"]
        {
            assert!(Params::parse(bad).is_err(), "{bad:?}");
        }
        let params = Params::parse("state=%C3%A9&nonce=%EF%BF%BD&login_hint=é".as_bytes()).unwrap();
        assert_eq!(params.one("state"), Ok(Some("é")));
        assert_eq!(params.one("nonce"), Ok(Some("\u{fffd}")), "as it was sent");
    }

    #[test]
    fn a_nul_is_refused_in_names_and_in_values() {
        assert!(Params::parse(b"client_id=a%00").is_err());
        assert!(Params::parse(b"client%00id=a").is_err());
        assert!(Params::parse(b"client_id=a%01").is_ok(), "each parameter's own rules come later");
    }
}
