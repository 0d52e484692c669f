//! People and the identities they sign in with — OIDC Core §5.1; apple.md §3, §4.

use serde::{Deserialize, Serialize};

use crate::ambient::Timestamp;
use crate::id::{ConnectionId, UserId};
use crate::standard_claims::StandardClaims;

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Inside Russet.
    pub id: UserId,
    /// What clients see; never an upstream's subject, never reused.
    pub sub: String,
    /// `name`.
    pub name: Option<String>,
    /// `given_name`.
    pub given_name: Option<String>,
    /// `family_name`.
    pub family_name: Option<String>,
    /// `email`; from a verified ID token only.
    pub email: Option<String>,
    /// `email_verified`, as the upstream signed it.
    pub email_verified: bool,
    /// Whether the address is a relay (Apple's *Hide My Email*).
    pub is_private_email: bool,
    /// What else is known.
    #[serde(default)]
    pub claims: StandardClaims,
    /// Set while the person may not sign in.
    pub disabled_at: Option<Timestamp>,
    /// First sign-in.
    pub created_at: Timestamp,
    /// Last change of the profile.
    pub updated_at: Timestamp,
}

impl User {
    /// Somebody of whom nothing is known yet.
    pub fn new(id: UserId, sub: String, now: Timestamp) -> Self {
        Self {
            id,
            sub,
            name: None,
            given_name: None,
            family_name: None,
            email: None,
            email_verified: false,
            is_private_email: false,
            claims: StandardClaims::default(),
            disabled_at: None,
            created_at: now,
            updated_at: now,
        }
    }
}

/// What somebody is at an upstream, linked to one person. The key is `(authority, subject)`:
/// for Apple the authority is the team, so that two Services IDs of a team are one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Who vouches for the subject: `apple:TEAMID`, or an OIDC issuer URL.
    pub authority: String,
    /// The upstream's `sub`, compared byte by byte.
    pub subject: String,
    /// Whose it is.
    pub user_id: UserId,
    /// The connection it last came through.
    pub connection_id: ConnectionId,
    /// The address in the upstream's last ID token that had one.
    pub email: Option<String>,
    /// Whether that token said that the address is verified, and no relay.
    #[serde(default)]
    pub email_proven: bool,
    /// When it was linked.
    pub created_at: Timestamp,
    /// Last sign-in.
    pub last_login_at: Timestamp,
    /// Since when mail to its address bounces, as the upstream announced.
    pub email_undeliverable_since: Option<Timestamp>,
    /// Since when the upstream no longer vouches for it: consent withdrawn, or the account deleted.
    /// The next sign-in takes it away.
    pub ended_at: Option<Timestamp>,
}

/// What a connector learned from an upstream about the person who just signed in. Absent means
/// "not told" and never erases what is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Display name; from Apple it is untrusted text.
    pub name: Option<String>,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// Address from the verified ID token.
    pub email: Option<String>,
    /// Whether the upstream vouches for the address.
    pub email_verified: bool,
    /// Whether the address is a relay.
    pub is_private_email: bool,
}
