//! What a relying party and an API make sure of before they believe a token — OIDC Core §3.1.3.7
//! and §3.1.3.8, RFC 9068 §4. Told as a list, so that an admin sees each check with its result.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::ambient::Timestamp;
use crate::jose::{self, Algorithm, JoseError, SigningKey, Typ};

/// One thing that was made sure of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What, such as `iss`.
    pub subject: &'static str,
    /// Where it is demanded.
    pub rule: &'static str,
    /// Whether it holds.
    pub holds: bool,
    /// What was found, in words.
    pub found: String,
}

impl Check {
    /// A check that holds if `holds` does.
    pub fn new(
        subject: &'static str,
        rule: &'static str,
        holds: bool,
        found: impl Into<String>,
    ) -> Self {
        Self { subject, rule, holds, found: found.into() }
    }
}

/// A token in its parts, unverified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// The JOSE header.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
}

impl Decoded {
    /// Takes a JWT apart; what cannot be read is empty.
    pub fn of(token: &str) -> Self {
        let mut parts = token.split('.');
        let mut part = || -> Option<Map<String, Value>> {
            let bytes = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
            serde_json::from_slice(&bytes).ok()
        };
        Self { header: part().unwrap_or_default(), claims: part().unwrap_or_default() }
    }

    fn text(&self, claim: &str) -> &str {
        self.claims.get(claim).and_then(Value::as_str).unwrap_or_default()
    }

    fn seconds(&self, claim: &str) -> Option<i64> {
        self.claims.get(claim).and_then(Value::as_i64)
    }

    fn audience(&self) -> Vec<&str> {
        match self.claims.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            Some(_) | None => Vec::new(),
        }
    }
}

/// What the client had asked for, and whom.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Whom it asked.
    pub issuer: &'a str,
    /// Who it is.
    pub client_id: &'a str,
    /// The algorithm it registered for ID tokens.
    pub alg: Algorithm,
    /// The `nonce` it sent.
    pub nonce: Option<&'a str>,
    /// For which APIs it asked; empty means for the issuer itself.
    pub resources: &'a [String],
    /// The present moment.
    pub now: Timestamp,
}

/// The checks of an ID token that came with `access_token`.
pub fn id_token<'k>(
    token: &str,
    access_token: &str,
    expected: &Expected<'_>,
    find_key: impl FnOnce(&str) -> Option<&'k SigningKey>,
) -> Vec<Check> {
    const RULE: &str = "OIDC Core 3.1.3.7";
    let decoded = Decoded::of(token);
    let alg = decoded.header.get("alg").and_then(Value::as_str).unwrap_or_default();
    let mut checks = vec![
        signature(token, Typ::IdToken, RULE, find_key),
        Check::new(
            "alg",
            RULE,
            expected.alg.has_name(alg),
            format!("{alg}; registered is {}", expected.alg),
        ),
        issuer(&decoded, RULE, expected),
        Check::new(
            "aud",
            RULE,
            decoded.audience() == [expected.client_id],
            format!("{}; the client is {}", decoded.audience().join(" "), expected.client_id),
        ),
        expiry(&decoded, RULE, expected),
        Check::new(
            "iat",
            RULE,
            decoded.seconds("iat").is_some_and(|iat| (expected.now.secs() - iat).abs() <= 60),
            "made within the last minute",
        ),
    ];
    if let Some(nonce) = expected.nonce {
        let found = decoded.text("nonce");
        let words = if found == nonce { "the one that was sent" } else { "another than was sent" };
        checks.push(Check::new("nonce", RULE, found == nonce, words));
    }
    let hash = expected.alg.half_hash(access_token);
    let same = decoded.text("at_hash") == hash;
    let words = if same { "of the access token beside it" } else { "of another access token" };
    checks.push(Check::new("at_hash", "OIDC Core 3.1.3.8", same, words));
    checks
}

/// The checks that an API makes of an access token.
pub fn access_token<'k>(
    token: &str,
    expected: &Expected<'_>,
    find_key: impl FnOnce(&str) -> Option<&'k SigningKey>,
) -> Vec<Check> {
    const RULE: &str = "RFC 9068 4";
    let decoded = Decoded::of(token);
    let audience = decoded.audience();
    let meant: Vec<_> = match expected.resources {
        [] => vec![expected.issuer],
        resources => resources.iter().map(String::as_str).collect(),
    };
    vec![
        signature(token, Typ::AccessToken, RULE, find_key),
        issuer(&decoded, RULE, expected),
        Check::new("aud", RULE, audience == meant, audience.join(" ")),
        expiry(&decoded, RULE, expected),
        Check::new(
            "client_id",
            "RFC 9068 2.2",
            decoded.text("client_id") == expected.client_id,
            decoded.text("client_id"),
        ),
        Check::new(
            "sub",
            "RFC 9068 2.2",
            !decoded.text("sub").is_empty(),
            decoded.text("sub").to_owned(),
        ),
    ]
}

fn signature<'k>(
    token: &str,
    typ: Typ,
    rule: &'static str,
    find_key: impl FnOnce(&str) -> Option<&'k SigningKey>,
) -> Check {
    let verified = jose::verify::<Map<String, Value>>(token, typ, find_key);
    let found = match &verified {
        Ok(_) => "good, by a key of the published set".to_owned(),
        Err(JoseError::UnknownKey) => "its kid is not in the published set".to_owned(),
        Err(error) => error.to_string(),
    };
    Check::new("signature", rule, verified.is_ok(), found)
}

fn issuer(decoded: &Decoded, rule: &'static str, expected: &Expected<'_>) -> Check {
    let found = decoded.text("iss");
    Check::new("iss", rule, found == expected.issuer, found)
}

fn expiry(decoded: &Decoded, rule: &'static str, expected: &Expected<'_>) -> Check {
    let left = decoded.seconds("exp").map(|exp| exp - expected.now.secs());
    let found = match left {
        Some(left) if left > 0 => format!("good for {left} s more"),
        Some(_) => "it is over".to_owned(),
        None => "missing".to_owned(),
    };
    Check::new("exp", rule, left.is_some_and(|left| left > 0), found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://id.example";

    fn key() -> SigningKey {
        let der = jose::generate_private_key(Algorithm::Es256).unwrap();
        SigningKey::from_pkcs8(Algorithm::Es256, der.expose()).unwrap()
    }

    fn expected() -> Expected<'static> {
        Expected {
            issuer: ISSUER,
            client_id: "c1",
            alg: Algorithm::Es256,
            nonce: Some("n"),
            resources: &[],
            now: Timestamp::from_secs(1_000),
        }
    }

    fn claims() -> Value {
        json!({
            "iss": ISSUER, "aud": "c1", "sub": "s", "exp": 1_600, "iat": 1_000, "nonce": "n",
            "at_hash": Algorithm::Es256.half_hash("access"),
        })
    }

    fn broken(key: &SigningKey, claims: &Value, expected: &Expected<'_>) -> Vec<&'static str> {
        let token = key.sign(Typ::IdToken, claims).unwrap();
        id_token(&token, "access", expected, |kid| (kid == key.kid()).then_some(key))
            .into_iter()
            .filter(|check| !check.holds)
            .map(|check| check.subject)
            .collect()
    }

    #[test]
    fn a_good_id_token_passes_every_check_and_each_defect_fails_its_own() {
        let key = key();
        assert_eq!(broken(&key, &claims(), &expected()), Vec::<&str>::new());
        for (claim, value) in [
            ("iss", json!("https://other.example")),
            ("aud", json!("c2")),
            ("aud", json!(["c1", "c2"])),
            ("exp", json!(1_000)),
            ("exp", Value::Null),
            ("iat", json!(100)),
            ("nonce", json!("other")),
            ("at_hash", json!("AAAA")),
        ] {
            let mut wrong = claims();
            wrong[claim] = value;
            assert_eq!(broken(&key, &wrong, &expected()), [claim]);
        }
        let rs = Expected { alg: Algorithm::Rs256, ..expected() };
        assert_eq!(broken(&key, &claims(), &rs), ["alg"]);
    }

    #[test]
    fn a_strangers_token_and_one_of_another_kind_fail_by_their_signature() {
        let (ours, theirs) = (key(), key());
        let token = theirs.sign(Typ::IdToken, &claims()).unwrap();
        let checks = id_token(&token, "access", &expected(), |_| Some(&ours));
        assert!(!checks[0].holds && checks[0].subject == "signature");
        let checks = access_token(&token, &expected(), |_| Some(&theirs));
        assert!(!checks[0].holds, "an ID token is no access token");
        assert_eq!(Decoded::of("no token"), Decoded::default());
    }

    #[test]
    fn an_access_token_is_for_the_apis_that_were_asked_for() {
        let key = key();
        let resources = ["https://api.example".to_owned()];
        let expected = Expected { resources: &resources, ..expected() };
        for (audience, holds) in [("https://api.example", true), (ISSUER, false)] {
            let claims = json!({
                "iss": ISSUER, "aud": audience, "sub": "s", "client_id": "c1", "exp": 1_600,
            });
            let token = key.sign(Typ::AccessToken, &claims).unwrap();
            let checks = access_token(&token, &expected, |_| Some(&key));
            assert!(checks.iter().all(|check| check.holds == (holds || check.subject != "aud")));
        }
    }
}
