//! JWT access tokens — RFC 9068.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ambient::{Entropy, random};
use crate::confirmation::Confirmation;
use crate::id::GrantId;

/// `aud`: a string when there is one audience, as most APIs expect it, else an array.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// One audience.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Audience {
    /// The audience of a token for these resources; the issuer itself when there is none.
    pub fn of(resources: &[String], issuer: &str) -> Self {
        match resources {
            [] => Self::One(issuer.to_owned()),
            [only] => Self::One(only.clone()),
            many => Self::Many(many.to_vec()),
        }
    }

    /// The audiences, one by one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many.as_slice(),
        }
        .iter()
        .map(String::as_str)
    }
}

/// Somebody who acts for somebody else (RFC 8693 §4.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Who acts: a person's `sub`, or a `client_id`.
    pub sub: String,
    /// Through which client, where that is not the actor itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Who acted before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Actor>>,
}

impl Actor {
    /// How many actors stand one inside the other.
    pub fn depth(&self) -> usize {
        1 + self.act.as_ref().map_or(0, |before| before.depth())
    }
}

/// The claims of an access token (RFC 9068 §2.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    /// The issuer.
    pub iss: String,
    /// The person's `sub`, or the `client_id` of a client acting for itself.
    pub sub: String,
    /// Who may accept it.
    pub aud: Audience,
    /// Good until, seconds.
    pub exp: i64,
    /// Made at, seconds.
    pub iat: i64,
    /// Names this token; begins with the grant it was born of ([`jti`]).
    pub jti: String,
    /// To whom it was given.
    pub client_id: String,
    /// Granted scope, space-separated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// When the person signed in, seconds; absent without a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// How.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// The browser session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The keys it is bound to (RFC 7800 §3.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// Who acts for the subject (RFC 8693 §4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
    /// Who may (RFC 8693 §4.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_act: Option<Actor>,
    /// Claims that an operator added.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl AccessTokenClaims {
    /// Whether the token carries this scope value.
    pub fn has_scope(&self, value: &str) -> bool {
        self.scope.split(' ').any(|granted| granted == value)
    }

    /// The grant the token was born of; `None` for a client acting for itself.
    pub fn grant_id(&self) -> Option<GrantId> {
        self.jti.split_once('.').map(|(grant, _)| GrantId::new(grant))
    }
}

/// A new `jti`: the grant, if any, and 128 random bits. A signed name of the grant spares a row
/// for every token: revocation and introspection find the grant by it.
pub fn jti(entropy: &dyn Entropy, grant: Option<&GrantId>) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let unique = URL_SAFE_NO_PAD.encode(random::<16>(entropy));
    match grant {
        Some(grant) => format!("{grant}.{unique}"),
        None => unique,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SeededEntropy;

    #[test]
    fn a_jti_leads_back_to_its_grant() {
        let entropy = SeededEntropy::new(1);
        let grant = GrantId::random(&entropy);
        let mut claims = AccessTokenClaims {
            iss: "https://id.example".into(),
            sub: "s".into(),
            aud: Audience::of(&[], "https://id.example"),
            exp: 2,
            iat: 1,
            jti: jti(&entropy, Some(&grant)),
            client_id: "c".into(),
            scope: "openid orders:read".into(),
            auth_time: None,
            amr: Vec::new(),
            sid: None,
            cnf: None,
            act: None,
            may_act: None,
            more: Map::new(),
        };
        assert_eq!(claims.grant_id(), Some(grant));
        claims.jti = jti(&entropy, None);
        assert_eq!(claims.grant_id(), None);
        assert!(claims.has_scope("orders:read") && !claims.has_scope("orders"));
        assert_eq!(serde_json::to_value(&claims).unwrap()["aud"], "https://id.example");
    }
}
