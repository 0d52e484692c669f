//! Console accounts and what their roles allow.

use serde::{Deserialize, Serialize};

use crate::ambient::Timestamp;
use crate::id::AdminId;
use crate::secret::SecretHash;

/// What an account may do in the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees everything, changes nothing.
    Viewer,
    /// Registers and changes clients and APIs.
    Admin,
    /// Also manages console accounts and signing keys.
    Owner,
}

impl Role {
    /// The role as written on the command line and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The role with this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Viewer, Self::Admin, Self::Owner].into_iter().find(|role| role.as_str() == name)
    }
}

/// A console account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Its name inside Russet.
    pub id: AdminId,
    /// What is typed at `/admin/login`; unique, compared exactly.
    pub username: String,
    /// argon2id, PHC string.
    pub password_hash: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// Set while it may not sign in.
    pub disabled_at: Option<Timestamp>,
}

/// A signed-in console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminSession {
    /// Hash of the cookie.
    pub cookie_hash: SecretHash,
    /// Who.
    pub admin_id: AdminId,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it ends if nothing is done (idle limit, moves with use).
    pub idle_expires_at: Timestamp,
    /// When it ends whatever is done.
    pub expires_at: Timestamp,
}
