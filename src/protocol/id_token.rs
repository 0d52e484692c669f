//! ID tokens — OIDC Core §2, §3.1.3.6.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The claims of an ID token. The profile is not among them: with an access token at hand it is
/// asked for at userinfo (OIDC Core §5.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdTokenClaims {
    /// The issuer.
    pub iss: String,
    /// The person's `sub`.
    pub sub: String,
    /// The `client_id`, and nobody else.
    pub aud: String,
    /// Good until, seconds.
    pub exp: i64,
    /// Made at, seconds.
    pub iat: i64,
    /// When the person signed in, seconds.
    pub auth_time: i64,
    /// `nonce` of the authorization request; absent when none was sent, and on refresh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// Binds the access token issued with it (OIDC Core §3.1.3.6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// How the person signed in (RFC 8176).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// To which class that belongs; absent when an upstream did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// The browser session (OIDC Back-Channel Logout §2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Claims about the person that the request named for here (OIDC Core §5.5).
    #[serde(flatten)]
    pub claims: Map<String, Value>,
}
