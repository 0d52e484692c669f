//! Standard claims — OIDC Core §5.1, §5.1.1, §5.4: what may be known of a person, and which scope
//! releases it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::user::User;

/// What the first upstreams never tell, and an operator or a richer one may. Stored as one JSON
/// document; absent means unknown, and is left out of every answer (OIDC Core §5.3.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each member is the claim of its name in OIDC Core §5.1")]
pub struct StandardClaims {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthdate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zoneinfo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// Means something only beside a number.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub phone_number_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
}

/// The `address` claim (OIDC Core §5.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each member is the one of its name in OIDC Core §5.1.1")]
pub struct Address {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// Which claims each scope releases (OIDC Core §5.4).
pub const OF_SCOPE: [(&str, &[&str]); 4] = [
    (
        "profile",
        &[
            "name",
            "given_name",
            "family_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
];

/// The scope that releases a claim; `None` for what is no claim about a person.
pub fn scope_of(claim: &str) -> Option<&'static str> {
    OF_SCOPE.iter().find(|(_, claims)| claims.contains(&claim)).map(|(scope, _)| *scope)
}

/// All that is known of a person under the claims' own names, well typed: no blank text, no `null`,
/// times in seconds.
pub fn known(user: &User) -> Map<String, Value> {
    let mut claims = match serde_json::to_value(&user.claims) {
        Ok(Value::Object(members)) => members,
        Ok(_) | Err(_) => Map::new(),
    };
    for (name, text) in [
        ("name", &user.name),
        ("given_name", &user.given_name),
        ("family_name", &user.family_name),
        ("email", &user.email),
    ] {
        if let Some(text) = text {
            claims.insert(name.to_owned(), text.clone().into());
        }
    }
    claims.retain(|_, value| !is_blank(value));
    if let Some(Value::Object(address)) = claims.get_mut("address") {
        address.retain(|_, value| !is_blank(value));
    }
    if claims.get("address").is_some_and(|address| *address == Value::Object(Map::new())) {
        claims.remove("address");
    }
    for (of, name, verified) in [
        ("email", "email_verified", user.email_verified),
        ("phone_number", "phone_number_verified", user.claims.phone_number_verified),
    ] {
        claims.remove(name);
        if claims.contains_key(of) {
            claims.insert(name.to_owned(), verified.into());
        }
    }
    claims.insert("updated_at".to_owned(), user.updated_at.secs().into());
    claims
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// What is released of `known`: the claims of the granted scopes, and those named one by one.
pub fn released(
    mut known: Map<String, Value>,
    has_scope: impl Fn(&str) -> bool,
    named: &[String],
) -> Map<String, Value> {
    known.retain(|claim, _| scope_of(claim).is_some_and(&has_scope) || named.contains(claim));
    known
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::Timestamp;
    use crate::id::UserId;

    fn ada() -> User {
        User {
            id: UserId::new("u"),
            sub: "s".into(),
            name: Some("Ada Lovelace".into()),
            given_name: Some(" ".into()),
            family_name: None,
            email: Some("ada@example.com".into()),
            email_verified: true,
            is_private_email: false,
            claims: StandardClaims {
                nickname: Some(String::new()),
                phone_number: Some("+44 20 7946 0000".into()),
                address: Some(Address { country: Some("GB".into()), ..Address::default() }),
                ..StandardClaims::default()
            },
            disabled_at: None,
            created_at: Timestamp::default(),
            updated_at: Timestamp::from_secs(7),
        }
    }

    fn names(scopes: &[&str], named: &[&str]) -> Vec<String> {
        let named: Vec<String> = named.iter().map(ToString::to_string).collect();
        let released = released(known(&ada()), |s| scopes.contains(&s), &named);
        released.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn a_scope_releases_its_own_claims_and_no_other() {
        assert_eq!(names(&["openid"], &[]), Vec::<String>::new());
        assert_eq!(names(&["email"], &[]), ["email", "email_verified"]);
        assert_eq!(names(&["phone"], &[]), ["phone_number", "phone_number_verified"]);
        assert_eq!(names(&["address"], &[]), ["address"]);
        assert_eq!(names(&["profile"], &[]), ["name", "updated_at"]);
        assert_eq!(names(&[], &["name", "sub", "nonsense"]), ["name"]);
    }

    #[test]
    fn nothing_blank_is_told() {
        let claims = known(&ada());
        assert!(!claims.contains_key("given_name") && !claims.contains_key("nickname"));
        assert_eq!(claims["phone_number_verified"], false);
        assert_eq!(claims["address"], serde_json::json!({ "country": "GB" }));
        let mut nobody = ada();
        nobody.email = None;
        nobody.claims = StandardClaims { address: Some(Address::default()), ..<_>::default() };
        let claims = known(&nobody);
        for absent in ["email", "email_verified", "phone_number_verified", "address"] {
            assert!(!claims.contains_key(absent), "{absent}");
        }
        assert_eq!(claims["updated_at"], 7);
    }
}
