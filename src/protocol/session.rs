//! Browser sessions and remembered consent — OIDC Core §3.1.2.3–4.

use serde::{Deserialize, Serialize};

use crate::ambient::Timestamp;
use crate::id::{ClientId, ConnectionId, SessionId, UserId};
use crate::secret::SecretHash;

/// A signed-in browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The `sid` claim; names the session, proves nothing.
    pub id: SessionId,
    /// Hash of the cookie.
    pub cookie_hash: SecretHash,
    /// Who is signed in.
    pub user_id: UserId,
    /// When the person last proved who they are (`auth_time`).
    pub auth_time: Timestamp,
    /// How (`amr`, RFC 8176); for an upstream login `["fed"]`-like values.
    pub amr: Vec<String>,
    /// Through which connection.
    pub connection_id: ConnectionId,
    /// When the browser signed in first.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it was ended.
    pub ended_at: Option<Timestamp>,
}

/// A remembered "yes" of a person to a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Who agreed.
    pub user_id: UserId,
    /// To which client.
    pub client_id: ClientId,
    /// To which scopes, of all resources together.
    pub scope: Vec<String>,
    /// When.
    pub granted_at: Timestamp,
}
