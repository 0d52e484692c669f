//! What an upstream announces about a person by itself — apple.md §8.

use serde::{Deserialize, Serialize};

use crate::ambient::Timestamp;

/// One announcement, verified. `(authority, jti)` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Who announces it: the authority of the identity it speaks of.
    pub authority: String,
    /// Its name there; the same one may come twice.
    pub jti: String,
    /// What happened.
    pub kind: NotificationKind,
    /// To whom; always there for a kind that is known.
    pub subject: Option<String>,
    /// When it happened; never after it arrived.
    pub event_time: Timestamp,
}

/// What happened, under the names of Apple's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotificationKind {
    /// Mail to the relay address bounces from now on.
    EmailDisabled,
    /// It arrives again.
    EmailEnabled,
    /// The person stopped using the app.
    ConsentRevoked,
    /// The account at the upstream is being deleted.
    AccountDeleted,
    /// Something this version does not know: noted, and nothing more.
    Unknown(String),
}

impl NotificationKind {
    /// The kind under this name. On the wire a deletion is `account-delete`, on Apple's page
    /// `account-deleted`.
    pub fn parse(name: &str) -> Self {
        match name {
            "email-disabled" => Self::EmailDisabled,
            "email-enabled" => Self::EmailEnabled,
            "consent-revoked" => Self::ConsentRevoked,
            "account-delete" | "account-deleted" => Self::AccountDeleted,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::EmailDisabled => "email-disabled",
            Self::EmailEnabled => "email-enabled",
            Self::ConsentRevoked => "consent-revoked",
            Self::AccountDeleted => "account-deleted",
            Self::Unknown(name) => name,
        }
    }
}

/// What becomes of a person whose account at the upstream is deleted, if they have no other
/// identity. Sessions and grants that came through the upstream end in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnAccountDeleted {
    /// The account stays, dormant.
    #[default]
    Keep,
    /// The account is disabled.
    Disable,
    /// The account is deleted, as if the person had asked for it.
    Delete,
}

/// What becomes of a person who stopped using the app, if they have no other identity. Sessions and
/// grants that came through the upstream end in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnConsentRevoked {
    /// They are signed out, and may come back.
    #[default]
    SignOut,
    /// The account is disabled: coming back needs an operator.
    Disable,
}

/// What the operator chose where apple.md §8 leaves a choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotificationPolicy {
    /// `account-deleted`
    pub account_deleted: OnAccountDeleted,
    /// `consent-revoked`
    pub consent_revoked: OnConsentRevoked,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_of_a_deletion_are_one_kind_and_no_name_is_lost() {
        assert_eq!(
            NotificationKind::parse("account-delete"),
            NotificationKind::parse("account-deleted")
        );
        for name in
            ["email-disabled", "email-enabled", "consent-revoked", "account-deleted", "something"]
        {
            assert_eq!(NotificationKind::parse(name).as_str(), name);
        }
    }
}
