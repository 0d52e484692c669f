//! A passkey (WebAuthn Level 3), as it is kept.

use crate::ambient::Timestamp;
use crate::id::Holder;

/// A public key that somebody proves themselves with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// The credential's id, base64url.
    pub id: String,
    /// Whose.
    pub holder: Holder,
    /// What its owner calls it.
    pub name: String,
    /// The public key and what the authenticator said of itself, JSON. Nothing of it is secret.
    pub credential: String,
    /// The authenticator's count of signatures; 0 for ever if it does not count.
    pub counter: u32,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}
