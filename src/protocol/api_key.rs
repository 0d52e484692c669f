//! Keys of the admin API: bearer secrets with scopes and an end.

use serde::{Deserialize, Serialize};

use crate::ambient::Timestamp;
use crate::secret::SecretHash;

/// How a key begins, so that scanners for leaked secrets can tell what it is.
pub const PREFIX: &str = "russet_api_";

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ApiScope {
    /// See clients.
    #[serde(rename = "clients:read")]
    ReadClients,
    /// Register, change and remove clients.
    #[serde(rename = "clients:write")]
    WriteClients,
    /// See APIs.
    #[serde(rename = "apis:read")]
    ReadApis,
    /// Register, change and remove APIs.
    #[serde(rename = "apis:write")]
    WriteApis,
    /// See people.
    #[serde(rename = "users:read")]
    ReadUsers,
    /// Disable, sign out and delete people.
    #[serde(rename = "users:write")]
    WriteUsers,
    /// See sessions.
    #[serde(rename = "sessions:read")]
    ReadSessions,
    /// End sessions and grants.
    #[serde(rename = "sessions:write")]
    WriteSessions,
    /// See signing keys.
    #[serde(rename = "keys:read")]
    ReadKeys,
    /// Rotate signing keys.
    #[serde(rename = "keys:write")]
    WriteKeys,
    /// See how pages look.
    #[serde(rename = "settings:read")]
    ReadSettings,
    /// Change how pages look.
    #[serde(rename = "settings:write")]
    WriteSettings,
    /// Read the audit log.
    #[serde(rename = "events:read")]
    ReadEvents,
    /// Say who is told the audit log, and keep views of it.
    #[serde(rename = "events:write")]
    WriteEvents,
}

impl ApiScope {
    /// Every scope.
    pub const ALL: [Self; 14] = [
        Self::ReadClients,
        Self::WriteClients,
        Self::ReadApis,
        Self::WriteApis,
        Self::ReadUsers,
        Self::WriteUsers,
        Self::ReadSessions,
        Self::WriteSessions,
        Self::ReadKeys,
        Self::WriteKeys,
        Self::ReadSettings,
        Self::WriteSettings,
        Self::ReadEvents,
        Self::WriteEvents,
    ];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadClients => "clients:read",
            Self::WriteClients => "clients:write",
            Self::ReadApis => "apis:read",
            Self::WriteApis => "apis:write",
            Self::ReadUsers => "users:read",
            Self::WriteUsers => "users:write",
            Self::ReadSessions => "sessions:read",
            Self::WriteSessions => "sessions:write",
            Self::ReadKeys => "keys:read",
            Self::WriteKeys => "keys:write",
            Self::ReadSettings => "settings:read",
            Self::WriteSettings => "settings:write",
            Self::ReadEvents => "events:read",
            Self::WriteEvents => "events:write",
        }
    }

    /// The scope with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

/// A key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Names it, proves nothing.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// Hash of the secret.
    pub hash: SecretHash,
    /// What it may do.
    pub scope: Vec<ApiScope>,
    /// Who made it, as the audit log names them.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether it is good at `now`.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at > now
    }
}
