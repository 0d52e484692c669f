//! Local accounts: people who sign in here with a password, and at no upstream.
//!
//! A local account is an identity like any other: its authority is [`AUTHORITY`], its subject the
//! username. Beside it stands the argon2id hash.

use crate::ambient::Timestamp;
use crate::id::UserId;

/// The authority of the identities, and the id of the connection.
pub const AUTHORITY: &str = "local";

/// How a person proved themselves with a password (RFC 8176).
pub const AMR: &str = "pwd";

/// An account and what its password is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalAccount {
    /// What is typed, as [`canonical`] writes it.
    pub username: String,
    /// Whose it is.
    pub user_id: UserId,
    /// The PHC string.
    pub password_hash: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the password was last set.
    pub updated_at: Timestamp,
}

/// A username as it is stored and looked up: people do not remember how they wrote it.
pub fn canonical(username: &str) -> String {
    username.trim().to_ascii_lowercase()
}
