//! `cnf`: which key a token is bound to — RFC 7800 §3.1, RFC 8705 §3.1, RFC 9449 §6.1.

use serde::{Deserialize, Serialize};

/// The keys whose possession must be shown with a token. At least one member is present.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Thumbprint of the DPoP key (RFC 9449 §6.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jkt: Option<String>,
    /// Thumbprint of the client's certificate (RFC 8705 §3.1).
    #[serde(default, rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    pub x5t_s256: Option<String>,
}

impl Confirmation {
    /// Bound to these keys; `None` when there is none.
    pub fn to(jkt: Option<String>, x5t_s256: Option<String>) -> Option<Self> {
        (jkt.is_some() || x5t_s256.is_some()).then_some(Self { jkt, x5t_s256 })
    }

    /// Whether somebody who shows the keys `shown` may use what is bound to `self`: each key that
    /// is named must be shown.
    pub fn is_met_by(&self, shown: Option<&Self>) -> bool {
        let shown = shown.cloned().unwrap_or_default();
        let met =
            |bound: &Option<String>, shown: &Option<String>| bound.is_none() || bound == shown;
        met(&self.jkt, &shown.jkt) && met(&self.x5t_s256, &shown.x5t_s256)
    }
}

/// How a token is presented (RFC 6749 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum TokenType {
    /// Whoever has it may use it (RFC 6750).
    Bearer,
    /// Only with a proof of its key (RFC 9449).
    #[serde(rename = "DPoP")]
    Dpop,
}

impl TokenType {
    /// What a token with this confirmation is. A certificate shows itself, so a token that is
    /// bound to one alone stays a bearer token in form (RFC 8705 §3).
    pub fn of(cnf: Option<&Confirmation>) -> Self {
        match cnf {
            Some(Confirmation { jkt: Some(_), .. }) => Self::Dpop,
            Some(Confirmation { jkt: None, .. }) | None => Self::Bearer,
        }
    }

    /// `token_type` and `Authorization` scheme.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }

    /// Reads an `Authorization` header that carries a token. Scheme names have no case.
    pub fn read(header: &str) -> Option<(Self, &str)> {
        let (scheme, token) = header.split_once(' ')?;
        let scheme = [Self::Bearer, Self::Dpop]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(scheme))?;
        Some((scheme, token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_that_is_named_must_be_shown() {
        let cnf = |jkt: &str, x5t: &str| {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            Confirmation::to(some(jkt), some(x5t))
        };
        for (bound, shown, met) in [
            (cnf("a", ""), cnf("a", ""), true),
            (cnf("a", ""), cnf("a", "c"), true),
            (cnf("a", "c"), cnf("a", "c"), true),
            (cnf("a", ""), cnf("b", ""), false),
            (cnf("a", ""), cnf("", "c"), false),
            (cnf("a", ""), None, false),
            (cnf("", "c"), cnf("a", ""), false),
            (cnf("", "c"), cnf("", "d"), false),
            (cnf("a", "c"), cnf("a", ""), false),
        ] {
            assert_eq!(
                bound.clone().unwrap().is_met_by(shown.as_ref()),
                met,
                "{bound:?} {shown:?}"
            );
        }
        assert_eq!(cnf("", ""), None);
    }

    #[test]
    fn scheme_names_have_no_case() {
        assert_eq!(TokenType::read("dPoP abc"), Some((TokenType::Dpop, "abc")));
        assert_eq!(TokenType::read("bEARER abc"), Some((TokenType::Bearer, "abc")));
        for other in ["Basic abc", "DPoPabc", "DPoP", ""] {
            assert_eq!(TokenType::read(other), None);
        }
    }
}
