//! Logout tokens — OIDC Back-Channel Logout 1.0 §2.4.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ambient::Timestamp;

/// The one member of `events`.
pub const BACKCHANNEL_LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// §2.4 advises two minutes at most.
pub const LOGOUT_TOKEN_TTL: Duration = Duration::from_secs(120);

/// The claims of a logout token. There is never a `nonce`, so that nobody takes it for an ID token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogoutTokenClaims {
    /// The issuer.
    pub iss: String,
    /// The `client_id`.
    pub aud: String,
    /// Made at, seconds.
    pub iat: i64,
    /// Good until, seconds.
    pub exp: i64,
    /// Names this token.
    pub jti: String,
    /// Says that it is a logout token.
    pub events: Value,
    /// Who is signed out.
    pub sub: String,
    /// Of which session; without it, of all that this person has at the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

impl LogoutTokenClaims {
    /// A token for `client_id`, made `now`.
    pub fn new(
        iss: &str,
        client_id: &str,
        sub: &str,
        sid: Option<&str>,
        jti: String,
        now: Timestamp,
    ) -> Self {
        Self {
            iss: iss.to_owned(),
            aud: client_id.to_owned(),
            iat: now.secs(),
            exp: now.plus(LOGOUT_TOKEN_TTL).secs(),
            jti,
            events: json!({ BACKCHANNEL_LOGOUT: {} }),
            sub: sub.to_owned(),
            sid: sid.map(ToOwned::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logout_token_says_what_it_is_and_nothing_else() {
        let now = Timestamp::from_secs(1_800_000_000);
        let token = LogoutTokenClaims::new("https://id.example", "c", "s", None, "j".into(), now);
        let value = serde_json::to_value(&token).unwrap();
        assert_eq!(value["events"], json!({ BACKCHANNEL_LOGOUT: {} }));
        assert_eq!(value["exp"].as_i64().unwrap() - value["iat"].as_i64().unwrap(), 120);
        assert!(value.get("nonce").is_none() && value.get("sid").is_none());
    }
}
