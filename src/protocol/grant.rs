//! A grant: what a person gave a client, and everything born of it.
//!
//! Access tokens, ID tokens and the refresh family all hang on one grant; to revoke the grant is
//! to revoke them all.

use serde::{Deserialize, Serialize};

use crate::ambient::Timestamp;
use crate::claims_request::NamedClaims;
use crate::confirmation::Confirmation;
use crate::id::{ClientId, ConnectionId, GrantId, SessionId, UserId};
use crate::secret::SecretHash;

/// A grant with the state of its refresh family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its name; part of the tokens born of it.
    pub id: GrantId,
    /// To whom it was given.
    pub client_id: ClientId,
    /// By whom.
    pub user_id: UserId,
    /// The facts its tokens repeat.
    pub terms: GrantTerms,
    /// The browser session it was given in; none for native sign-in.
    pub session_id: Option<SessionId>,
    /// Through which connection the person had signed in.
    pub connection_id: Option<ConnectionId>,
    /// When it was given.
    pub created_at: Timestamp,
    /// The generation of the newest refresh token that was used; 0 before the first use.
    pub refresh_generation: i32,
    /// The hash of that token: only it may be presented again while its successor is unused.
    pub refresh_spent_hash: Option<SecretHash>,
    /// After this moment no refresh token of the family is good (idle limit, moves with use).
    pub refresh_idle_expires_at: Timestamp,
    /// After this moment nothing of the grant is good (absolute limit). Rows past it may be swept.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// The facts that every token of a grant repeats. Stored as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantTerms {
    /// The person's `sub`.
    pub sub: String,
    /// Granted scope values.
    pub scope: Vec<String>,
    /// Granted resources (RFC 8707); the first is the default audience. Empty: the issuer itself.
    pub resources: Vec<String>,
    /// `auth_time`.
    pub auth_time: Timestamp,
    /// `amr`.
    pub amr: Vec<String>,
    /// `nonce` of the authorization request.
    pub nonce: Option<String>,
    /// Claims granted by name, besides those of the scopes (OIDC Core §5.5).
    #[serde(default, skip_serializing_if = "NamedClaims::is_empty")]
    pub claims: NamedClaims,
    /// The keys that must be shown to refresh it; set for public clients, since nothing else
    /// proves who refreshes (RFC 9449 §5, RFC 8705 §4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

impl GrantTerms {
    /// Whether it is to go on when the person is not there (OIDC Core §11).
    pub fn is_offline(&self) -> bool {
        self.scope.iter().any(|value| value == "offline_access")
    }
}
