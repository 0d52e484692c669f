//! Console accounts and what their roles allow.

use serde::{Deserialize, Serialize};

use crate::ambient::{Entropy, Timestamp};
use crate::id::{AdminId, ClientId, ConnectionId, GrantId};
use crate::secret::SecretHash;

/// What an account may do in the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Changes the clients that were given to them, and sees nothing else.
    Editor,
    /// Sees everything, changes nothing.
    Viewer,
    /// Registers and changes clients and APIs.
    Admin,
    /// Also manages console accounts and signing keys.
    Owner,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 4] = [Self::Editor, Self::Viewer, Self::Admin, Self::Owner];

    /// The role as written on the command line and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Editor => "editor",
            Self::Viewer => "viewer",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The role with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
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
    /// The clients that an editor may change.
    pub clients: Vec<ClientId>,
    /// Counts changes, so that nobody overwrites what they have not seen.
    pub version: i32,
}

impl Admin {
    /// An account without a second factor.
    pub fn new(
        id: AdminId,
        username: String,
        password_hash: String,
        role: Role,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            username,
            password_hash,
            role,
            created_at,
            disabled_at: None,
            clients: Vec::new(),
            version: 1,
        }
    }
}

impl AdminSession {
    /// A name for a new session.
    pub fn random_id(entropy: &dyn Entropy) -> String {
        GrantId::random(entropy).into()
    }
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
    /// Names the session, proves nothing.
    pub id: String,
    /// What the browser calls itself.
    pub user_agent: Option<String>,
    /// When the account last proved who it is: dangerous acts want that to be recent.
    pub proved_at: Timestamp,
    /// Whether a second factor was part of the proof.
    pub second_factor: bool,
    /// The connection that vouched, when it was no password.
    pub connection_id: Option<ConnectionId>,
}

/// An upstream identity by which a console account signs in. It is named by the connection, whoever
/// vouches there, and `sub`; never by an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminIdentity {
    /// Through which connection.
    pub connection_id: ConnectionId,
    /// Who vouches: a connection that is pointed elsewhere vouches for nobody bound before.
    pub authority: String,
    /// The upstream's `sub`.
    pub subject: String,
    /// Whose account.
    pub admin_id: AdminId,
    /// The address that the upstream told when it was bound; only shown.
    pub email: Option<String>,
    /// When it was bound.
    pub created_at: Timestamp,
    /// When it last opened the console.
    pub last_used_at: Option<Timestamp>,
}
