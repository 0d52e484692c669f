//! What an upstream's claims say about a person, and whom they admit — OIDC Core §5.1.
//!
//! A mapping names claims; it is no code. What a claim must hold is compared, never evaluated.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::user::Profile;

/// Longest address that may be stored (RFC 5321 §4.5.3.1.3).
const MAX_ADDRESS: usize = 254;

/// Which claim says what, and what must be claimed. Empty means the standard claims and no
/// condition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimRules {
    /// Which claim is the name; `name` when absent.
    #[serde(skip_serializing_if = "Option::is_none", rename = "name_claim")]
    pub name: Option<String>,
    /// Which claim is the given name.
    #[serde(skip_serializing_if = "Option::is_none", rename = "given_name_claim")]
    pub given_name: Option<String>,
    /// Which claim is the family name.
    #[serde(skip_serializing_if = "Option::is_none", rename = "family_name_claim")]
    pub family_name: Option<String>,
    /// Which claim is the address.
    #[serde(skip_serializing_if = "Option::is_none", rename = "email_claim")]
    pub email: Option<String>,
    /// Which claim says that the address is the person's own.
    #[serde(skip_serializing_if = "Option::is_none", rename = "email_verified_claim")]
    pub email_verified: Option<String>,
    /// Only people whose verified address is in one of these domains; empty admits all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_email_domains: Vec<String>,
    /// Only people whose claim has one of these values, for every claim named here.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub required_claims: BTreeMap<String, Vec<String>>,
}

/// Why somebody is not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAdmitted {
    /// No verified address in an allowed domain.
    EmailDomain,
    /// A required claim is missing or has another value.
    Claim,
}

impl NotAdmitted {
    /// The stable word for logs and tests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EmailDomain => "email_domain_not_allowed",
            Self::Claim => "claim_not_allowed",
        }
    }
}

impl ClaimRules {
    /// What the claims say about a person. What is missing, empty or of another type is not told.
    pub fn profile(&self, claims: &Map<String, Value>) -> Profile {
        let text = |own: &Option<String>, standard: &str| {
            let claim = claims.get(own.as_deref().unwrap_or(standard))?.as_str()?.trim();
            (!claim.is_empty()).then(|| claim.to_owned())
        };
        let email = text(&self.email, "email").filter(|email| is_address(email));
        let verified = self.email_verified.as_deref().unwrap_or("email_verified");
        Profile {
            name: text(&self.name, "name"),
            given_name: text(&self.given_name, "given_name"),
            family_name: text(&self.family_name, "family_name"),
            email_verified: email.is_some() && claims.get(verified).is_some_and(is_true),
            is_private_email: false,
            email,
        }
    }

    /// The names of the claims that are the address and its verification.
    pub fn email_claims(&self) -> (&str, &str) {
        (
            self.email.as_deref().unwrap_or("email"),
            self.email_verified.as_deref().unwrap_or("email_verified"),
        )
    }

    /// Whether somebody with these claims may come in.
    ///
    /// # Errors
    /// The condition that is not met.
    pub fn admit(&self, claims: &Map<String, Value>, profile: &Profile) -> Result<(), NotAdmitted> {
        if !self.allowed_email_domains.is_empty() {
            let domain = profile
                .email
                .as_deref()
                .filter(|_| profile.email_verified)
                .and_then(|email| email.rsplit_once('@'))
                .map(|(_, domain)| domain);
            let allowed = domain.is_some_and(|domain| {
                self.allowed_email_domains.iter().any(|own| own.eq_ignore_ascii_case(domain))
            });
            if !allowed {
                return Err(NotAdmitted::EmailDomain);
            }
        }
        let holds = |(claim, values): (&String, &Vec<String>)| {
            claims.get(claim).is_some_and(|told| match told {
                Value::Array(items) => items.iter().any(|item| is_one_of(item, values)),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Object(_) => is_one_of(told, values),
            })
        };
        if self.required_claims.iter().all(holds) { Ok(()) } else { Err(NotAdmitted::Claim) }
    }

    pub(crate) fn problems(&self, say: &mut impl FnMut(&'static str, String)) {
        let named = [
            ("name_claim", &self.name),
            ("given_name_claim", &self.given_name),
            ("family_name_claim", &self.family_name),
            ("email_claim", &self.email),
            ("email_verified_claim", &self.email_verified),
        ];
        for (field, claim) in named {
            if claim.as_ref().is_some_and(|claim| !is_claim_name(claim)) {
                say(field, "must be a claim's name".to_owned());
            }
        }
        for domain in &self.allowed_email_domains {
            let good = domain.contains('.')
                && domain.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
            if !good {
                let message = format!("{domain:?} is not a domain such as \"example.com\"");
                say("allowed_email_domains", message);
            }
        }
        for (claim, values) in &self.required_claims {
            if !is_claim_name(claim) || values.is_empty() {
                let message = format!("{claim:?} needs a claim's name and at least one value");
                say("required_claims", message);
            }
        }
    }
}

fn is_claim_name(text: &str) -> bool {
    (1..=100).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

fn is_one_of(told: &Value, values: &[String]) -> bool {
    let text = match told {
        Value::String(text) => text.clone(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return false,
    };
    values.contains(&text)
}

/// Some providers write booleans as text, or as 1.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::String(text) => text.eq_ignore_ascii_case("true") || text == "1",
        Value::Number(number) => number.as_u64() == Some(1),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Text that may be stored as an address; whether mail arrives there is not looked at.
pub fn is_address(email: &str) -> bool {
    !email.is_empty()
        && email.chars().count() <= MAX_ADDRESS
        && !email.contains(|c: char| c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn standard_claims_need_no_mapping() {
        let told = claims(&json!({ "name": "Ada", "email": "ada@example.com",
            "email_verified": "true", "given_name": "", "family_name": 7 }));
        let profile = ClaimRules::default().profile(&told);
        assert_eq!(profile.name.as_deref(), Some("Ada"));
        assert_eq!(profile.email.as_deref(), Some("ada@example.com"));
        assert!(profile.email_verified);
        assert_eq!((profile.given_name, profile.family_name), (None, None));
    }

    #[test]
    fn a_mapping_names_other_claims_and_the_standard_ones_count_no_more() {
        let rules = ClaimRules {
            name: Some("displayName".into()),
            email: Some("upn".into()),
            email_verified: Some("xms_edov".into()),
            ..ClaimRules::default()
        };
        let told = claims(&json!({ "name": "x", "displayName": "Ada", "upn": "ada@example.com",
            "email": "eve@example.com", "email_verified": true, "xms_edov": 1 }));
        let profile = rules.profile(&told);
        assert_eq!(profile.name.as_deref(), Some("Ada"));
        assert_eq!(profile.email.as_deref(), Some("ada@example.com"));
        assert!(profile.email_verified);
        let silent = claims(&json!({ "upn": "ada@example.com", "email_verified": true }));
        assert!(!rules.profile(&silent).email_verified);
    }

    #[test]
    fn only_a_verified_address_of_an_allowed_domain_is_admitted() {
        let rules = ClaimRules {
            allowed_email_domains: vec!["example.com".into()],
            ..ClaimRules::default()
        };
        for (told, admitted) in [
            (json!({ "email": "a@example.com", "email_verified": true }), true),
            (json!({ "email": "a@EXAMPLE.com", "email_verified": true }), true),
            (json!({ "email": "a@example.com", "email_verified": false }), false),
            (json!({ "email": "a@example.com" }), false),
            (json!({ "email": "a@evil-example.com", "email_verified": true }), false),
            (json!({ "email": "a@sub.example.com", "email_verified": true }), false),
            (json!({ "email": "a@example.com@evil.test", "email_verified": true }), false),
            (json!({}), false),
        ] {
            let told = claims(&told);
            let outcome = rules.admit(&told, &rules.profile(&told));
            let expected = if admitted { Ok(()) } else { Err(NotAdmitted::EmailDomain) };
            assert_eq!(outcome, expected, "{told:?}");
        }
    }

    #[test]
    fn every_required_claim_must_have_one_of_its_values() {
        let rules = ClaimRules {
            required_claims: [
                ("hd".to_owned(), vec!["example.com".to_owned()]),
                ("groups".to_owned(), vec!["staff".to_owned(), "guests".to_owned()]),
            ]
            .into(),
            ..ClaimRules::default()
        };
        for (told, expected) in [
            (json!({ "hd": "example.com", "groups": ["x", "staff"] }), Ok(())),
            (json!({ "hd": "example.com", "groups": "guests" }), Ok(())),
            (json!({ "hd": "example.com", "groups": ["x"] }), Err(NotAdmitted::Claim)),
            (json!({ "hd": "example.com" }), Err(NotAdmitted::Claim)),
            (json!({ "hd": "other.com", "groups": ["staff"] }), Err(NotAdmitted::Claim)),
            (json!({ "hd": { "example.com": 1 }, "groups": ["staff"] }), Err(NotAdmitted::Claim)),
        ] {
            let told = claims(&told);
            assert_eq!(rules.admit(&told, &Profile::default()), expected, "{told:?}");
        }
    }

    #[test]
    fn rules_that_can_never_hold_are_refused() {
        let rules = ClaimRules {
            name: Some("a b".into()),
            allowed_email_domains: vec!["*.example.com".into()],
            required_claims: [("hd".to_owned(), Vec::new())].into(),
            ..ClaimRules::default()
        };
        let mut fields = Vec::new();
        rules.problems(&mut |field, _| fields.push(field));
        assert_eq!(fields, ["name_claim", "allowed_email_domains", "required_claims"]);
    }
}
