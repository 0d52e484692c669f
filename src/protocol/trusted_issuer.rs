//! Issuers trusted for workloads: whose assertion stands for which client — RFC 7523 §3, RFC 7521.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ambient::Timestamp;
use crate::error::Refusal;
use crate::id::ClientId;
use crate::jwt_times::{SKEW, Times};

/// How long an assertion may live, unless said otherwise: an hour, as Kubernetes gives.
pub const MAX_LIFETIME: u32 = 3600;

/// A rule: assertions of this issuer that meet these conditions stand for this client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedIssuer {
    /// Names the rule.
    pub id: String,
    /// `iss`, compared as text.
    pub issuer: String,
    /// Where its keys are; `None` means inline keys or discovery.
    pub jwks_uri: Option<String>,
    /// Its keys, for an issuer that cannot be reached.
    pub jwks: Option<Value>,
    /// What `aud` must hold.
    pub audience: String,
    /// For which client.
    pub client_id: ClientId,
    /// What the assertion must say besides; never empty.
    pub conditions: Vec<Condition>,
    /// Scope values the token may carry.
    pub scope: Vec<String>,
    /// APIs the token may be for; the first are all of them unless the request names some.
    pub resources: Vec<String>,
    /// Longest `exp` - now accepted, seconds.
    pub max_lifetime: u32,
    /// Whether an assertion is good once. Off for issuers that hand the same token to a workload
    /// for its whole life.
    pub single_use: bool,
    /// When the rule was made.
    pub created_at: Timestamp,
}

/// One thing an assertion must say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// A claim's name, or a JSON pointer such as `/kubernetes.io/namespace`.
    pub claim: String,
    /// Its value as text; one that ends in `*` is a beginning.
    pub value: String,
}

impl Condition {
    /// Reads `claim=value`.
    pub fn parse(text: &str) -> Option<Self> {
        let (claim, value) = text.split_once('=')?;
        let good = !claim.is_empty() && !value.is_empty() && value != "*";
        let star = value.find('*').is_none_or(|at| at + 1 == value.len());
        (good && star).then(|| Self { claim: claim.to_owned(), value: value.to_owned() })
    }

    /// Whether these claims say so. Of a list one entry is enough.
    pub fn is_met_by(&self, claims: &Map<String, Value>) -> bool {
        let found = if self.claim.starts_with('/') {
            // A pointer reads from a value; the claims are its members.
            let mut parts = self.claim.split('/').skip(1).map(unescape);
            let first = parts.next().and_then(|name| claims.get(&name));
            parts.fold(first, |found, name| found.and_then(|value| value.get(&name)))
        } else {
            claims.get(&self.claim)
        };
        match found {
            Some(Value::Array(items)) => items.iter().any(|item| self.fits(item)),
            Some(value) => self.fits(value),
            None => false,
        }
    }

    fn fits(&self, value: &Value) -> bool {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return false,
        };
        match self.value.strip_suffix('*') {
            Some(beginning) => text.starts_with(beginning),
            None => text == self.value,
        }
    }
}

/// RFC 6901 §4.
fn unescape(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// An assertion's claims as far as every issuer has them.
#[derive(Clone, Debug)]
pub struct Assertion<'c> {
    claims: &'c Map<String, Value>,
}

impl<'c> Assertion<'c> {
    /// These claims.
    pub fn new(claims: &'c Map<String, Value>) -> Self {
        Self { claims }
    }

    /// Whether the rule holds for this assertion: audience, times and conditions. The signature is
    /// another matter.
    ///
    /// # Errors
    /// `invalid_grant` that names the first thing wrong (RFC 7523 §3.1).
    pub fn check(&self, rule: &TrustedIssuer, now: Timestamp) -> Result<(), Refusal> {
        let refuse = |why: &str| Err(Refusal::invalid_grant(format!("the assertion {why}")));
        let text = |name: &str| self.claims.get(name).and_then(Value::as_str);
        if text("iss") != Some(rule.issuer.as_str()) {
            return refuse("is another issuer's");
        }
        if text("sub").is_none_or(str::is_empty) {
            return refuse("has no sub");
        }
        let for_us = match self.claims.get("aud") {
            Some(Value::String(aud)) => *aud == rule.audience,
            Some(Value::Array(all)) => all.iter().any(|aud| aud.as_str() == Some(&rule.audience)),
            Some(_) | None => false,
        };
        if !for_us {
            return refuse("is for another audience");
        }
        let Some(times) = self.times() else { return refuse("has a time that is no number") };
        let Some(exp) = times.exp else { return refuse("has no exp") };
        if times.are_over(now) {
            return refuse("has expired");
        }
        let longest = Duration::from_secs(u64::from(rule.max_lifetime));
        if exp > now.plus(longest).plus(SKEW) {
            return refuse("lives longer than is accepted");
        }
        if times.lie_ahead(now) {
            return refuse("is from the future");
        }
        if rule.conditions.is_empty() {
            return refuse("meets no condition, for the rule has none");
        }
        match rule.conditions.iter().find(|condition| !condition.is_met_by(self.claims)) {
            Some(unmet) => refuse(&format!("does not meet the condition on {}", unmet.claim)),
            None => Ok(()),
        }
    }

    /// When it stops being accepted.
    pub fn expires_at(&self) -> Timestamp {
        let exp = self.times().and_then(|times| times.exp);
        exp.unwrap_or_default().plus(SKEW)
    }

    /// `None` when one of them is no number (RFC 7519 §2).
    fn times(&self) -> Option<Times> {
        let time = |name: &str| match self.claims.get(name) {
            None => Some(None),
            Some(value) => value.as_f64().map(Some),
        };
        Times::read(time("exp")?, time("nbf")?, time("iat")?)
    }

    /// `jti`, where the issuer gives one.
    pub fn jti(&self) -> Option<&'c str> {
        self.claims.get("jti").and_then(Value::as_str)
    }

    /// `sub`.
    pub fn sub(&self) -> &'c str {
        self.claims.get("sub").and_then(Value::as_str).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);

    fn rule() -> TrustedIssuer {
        TrustedIssuer {
            id: "r".into(),
            issuer: "https://ci.example".into(),
            jwks_uri: None,
            jwks: None,
            audience: "https://id.example".into(),
            client_id: ClientId::new("deploy"),
            conditions: vec![
                Condition::parse("repository=acme/shop").unwrap(),
                Condition::parse("ref=refs/tags/*").unwrap(),
            ],
            scope: vec![],
            resources: vec![],
            max_lifetime: 600,
            single_use: true,
            created_at: NOW,
        }
    }

    fn claims() -> Map<String, Value> {
        let claims = json!({
            "iss": "https://ci.example", "sub": "repo:acme/shop", "aud": "https://id.example",
            "exp": 1_000_300, "iat": 999_999, "repository": "acme/shop", "ref": "refs/tags/v1",
        });
        claims.as_object().unwrap().clone()
    }

    fn with(name: &str, value: Value) -> Map<String, Value> {
        let mut claims = claims();
        claims.insert(name.to_owned(), value);
        claims
    }

    #[test]
    fn a_sound_assertion_passes_and_each_defect_is_named() {
        assert_eq!(Assertion::new(&claims()).check(&rule(), NOW), Ok(()));
        let listed = with("aud", json!(["https://other.example", "https://id.example"]));
        assert_eq!(Assertion::new(&listed).check(&rule(), NOW), Ok(()));
        for (name, value, why) in [
            ("iss", json!("https://ci.example/"), "issuer"),
            ("sub", json!(""), "sub"),
            ("sub", json!(null), "sub"),
            ("aud", json!("https://id.example/"), "audience"),
            ("aud", json!({}), "audience"),
            ("exp", json!(null), "number"),
            ("exp", json!("1000300"), "number"),
            ("exp", json!(999_970), "expired"),
            ("exp", json!(1_000_631), "longer"),
            ("nbf", json!(1_000_031), "future"),
            ("iat", json!(1_000_031), "future"),
            ("repository", json!("acme/shop2"), "repository"),
            ("ref", json!("refs/heads/main"), "ref"),
        ] {
            let refused = Assertion::new(&with(name, value.clone())).check(&rule(), NOW);
            let refusal = refused.unwrap_err();
            assert_eq!(refusal.code.as_str(), "invalid_grant");
            assert!(refusal.description.contains(why), "{name}={value}: {}", refusal.description);
        }
        let mut missing = claims();
        missing.remove("exp");
        assert!(Assertion::new(&missing).check(&rule(), NOW).is_err());
        let mut open = rule();
        open.conditions.clear();
        assert!(Assertion::new(&claims()).check(&open, NOW).is_err(), "no condition trusts nobody");
    }

    #[test]
    fn a_condition_may_point_inside_and_at_lists() {
        let claims = json!({
            "kubernetes.io": { "namespace": "shop", "a/b": true },
            "groups": ["dev", "ops"], "n": 7,
        });
        let claims = claims.as_object().unwrap();
        for (text, met) in [
            ("/kubernetes.io/namespace=shop", true),
            ("/kubernetes.io/namespace=sho", false),
            ("/kubernetes.io/a~1b=true", true),
            ("kubernetes.io=shop", false),
            ("groups=ops", true),
            ("groups=op*", true),
            ("groups=admin", false),
            ("n=7", true),
            ("missing=x", false),
            ("/groups/0=dev", false),
        ] {
            let condition = Condition::parse(text).unwrap();
            assert_eq!(condition.is_met_by(claims), met, "{text}");
        }
        for bad in ["", "=", "a", "a=", "=a", "a=*", "a=b*c", "a=**"] {
            assert_eq!(Condition::parse(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn a_condition_never_panics_and_never_matches_what_it_does_not_name(
            text in ".{0,40}", value in ".{0,20}",
        ) {
            if let Some(condition) = Condition::parse(&text) {
                let mut claims = Map::new();
                prop_assert!(!condition.is_met_by(&claims));
                claims.insert(condition.claim.clone(), json!(value));
                let beginning = condition.value.trim_end_matches('*');
                if !value.starts_with(beginning) {
                    prop_assert!(!condition.is_met_by(&claims));
                }
            }
        }
    }
}
