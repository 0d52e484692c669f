//! Keys of the admin API: bearer secrets with scopes and an end.

use serde::{Deserialize, Serialize};

use crate::admin::Role;
use crate::ambient::Timestamp;
use crate::secret::SecretHash;

/// How a key begins, so that scanners for leaked secrets can tell what it is.
pub const PREFIX: &str = "russet_api_";

macro_rules! scopes {
    ($($variant:ident = $name:literal, $role:ident, $words:literal;)+) => {
        /// What a key may do. What the console wants a fresh proof for has a scope of its own,
        /// `:critical`: no key has it because it may change something else there.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ApiScope {
            $(
                #[doc = $words]
                #[serde(rename = $name)]
                $variant,
            )+
        }

        impl ApiScope {
            /// Every scope.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// As it is written.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The least role of the console that may do the same.
            pub const fn role(self) -> Role {
                match self { $(Self::$variant => Role::$role,)+ }
            }

            /// What it gives, for people.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$variant => $words,)+ }
            }
        }
    };
}

scopes! {
    ReadOverview = "overview:read", Viewer, "See what needs attention and how many sign in, and search in what else it reads";
    ReadClients = "clients:read", Viewer, "See clients";
    WriteClients = "clients:write", Admin, "Register and change clients";
    CriticalClients = "clients:critical", Admin, "Make and revoke secrets of clients, disable and delete clients";
    ReadApis = "apis:read", Viewer, "See APIs";
    WriteApis = "apis:write", Admin, "Register and change APIs";
    CriticalApis = "apis:critical", Admin, "Delete APIs";
    ReadUsers = "users:read", Viewer, "See people and their deletions";
    WriteUsers = "users:write", Admin, "Sign people out, enable and export them, hasten deletions";
    CriticalUsers = "users:critical", Admin, "Disable, unlink and delete people, remove their second factors";
    ReadSessions = "sessions:read", Viewer, "See sessions";
    WriteSessions = "sessions:write", Admin, "End sessions and grants";
    ReadConnections = "connections:read", Viewer, "See and examine connections";
    WriteConnections = "connections:write", Admin, "Disable and enable connections";
    CriticalConnections = "connections:critical", Admin, "Make, change and delete connections, change their keys";
    ReadTrust = "trust:read", Viewer, "See trusted issuers and initial access tokens";
    WriteTrust = "trust:write", Admin, "Take trust and initial access tokens away";
    CriticalTrust = "trust:critical", Admin, "Trust issuers and make initial access tokens";
    ReadJobs = "jobs:read", Viewer, "See jobs, deliveries and moves between Apple teams";
    WriteJobs = "jobs:write", Admin, "Hold and resume jobs, retry deliveries, run moves between Apple teams";
    ReadKeys = "keys:read", Viewer, "See signing keys";
    CriticalKeys = "keys:critical", Owner, "Make the next signing key, take one out of service";
    ReadSettings = "settings:read", Viewer, "See the settings and how pages look";
    WriteSettings = "settings:write", Owner, "Change how pages look";
    CriticalSettings = "settings:critical", Owner, "Change the settings";
    ReadEvents = "events:read", Viewer, "Read and verify the audit log and traces of sign-ins";
    WriteEvents = "events:write", Admin, "Keep views of the audit log";
    CriticalEvents = "events:critical", Owner, "Say who is told the audit log";
    ReadAdmins = "admins:read", Viewer, "See console accounts and their sessions";
    WriteAdmins = "admins:write", Owner, "End sessions of console accounts";
    CriticalAdmins = "admins:critical", Owner, "Make, invite, change and disable console accounts";
    ReadApiKeys = "api_keys:read", Viewer, "See keys of this API";
    CriticalApiKeys = "api_keys:critical", Owner, "Make and revoke keys of this API";
}

impl ApiScope {
    /// The scope with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == name)
    }

    /// Whether the console wants a fresh proof for the same.
    pub fn is_critical(self) -> bool {
        self.as_str().ends_with(":critical")
    }

    /// All that an account of this role may do. An editor's clients are some of all, so that a key
    /// covers the role that covers every client.
    pub fn of_role(role: Role) -> Vec<Self> {
        let editors = [Self::ReadClients, Self::WriteClients, Self::CriticalClients];
        match role {
            Role::Editor => editors.to_vec(),
            Role::Viewer | Role::Admin | Role::Owner => {
                Self::ALL.iter().copied().filter(|scope| scope.role() <= role).collect()
            }
        }
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
    /// Whether it may do everything that an account of this role may.
    pub fn covers(&self, role: Role) -> bool {
        ApiScope::of_role(role).iter().all(|scope| self.scope.contains(scope))
    }

    /// Whether it is good at `now`.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at > now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_called_after_what_it_is_of_and_how_far_it_reaches() {
        for scope in ApiScope::ALL {
            let (_, reach) = scope.as_str().split_once(':').unwrap();
            assert!(["read", "write", "critical"].contains(&reach), "{scope:?}");
            assert_eq!(scope.role() == Role::Viewer, reach == "read", "{scope:?}");
            assert_eq!(ApiScope::parse(scope.as_str()), Some(*scope));
            let json = serde_json::to_string(scope).unwrap();
            assert_eq!(json, format!("\"{}\"", scope.as_str()));
        }
    }

    #[test]
    fn a_role_holds_what_lesser_ones_do() {
        let of = ApiScope::of_role;
        assert_eq!(of(Role::Owner), ApiScope::ALL);
        assert!(of(Role::Viewer).iter().all(|scope| of(Role::Admin).contains(scope)));
        assert!(!of(Role::Admin).contains(&ApiScope::CriticalApiKeys));
        assert!(!of(Role::Viewer).contains(&ApiScope::WriteClients));
    }
}
