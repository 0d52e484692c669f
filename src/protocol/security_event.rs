//! Security Event Tokens — RFC 8417, with the event types of OpenID RISC 1.0 and CAEP 1.0 and the
//! subject identifiers of RFC 9493.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::ambient::Timestamp;

/// Where events are pushed as this media type (RFC 8935 §2.1).
pub const MEDIA_TYPE: &str = "application/secevent+jwt";

/// What kinds of events there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventType {
    /// CAEP §3.1: sessions ended.
    SessionRevoked,
    /// CAEP §3.2: claims of tokens already issued have changed.
    TokenClaimsChange,
    /// CAEP §3.3: a way to sign in was added, changed or taken away.
    CredentialChange,
    /// RISC §2.2: the account is gone for good.
    AccountPurged,
    /// RISC §2.3: the account is switched off.
    AccountDisabled,
    /// RISC §2.4: the account is switched on again.
    AccountEnabled,
    /// RISC §2.5: the person's address changed.
    IdentifierChanged,
}

impl EventType {
    /// The registered URI.
    pub const fn uri(self) -> &'static str {
        match self {
            Self::SessionRevoked => {
                "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
            }
            Self::TokenClaimsChange => {
                "https://schemas.openid.net/secevent/caep/event-type/token-claims-change"
            }
            Self::CredentialChange => {
                "https://schemas.openid.net/secevent/caep/event-type/credential-change"
            }
            Self::AccountPurged => {
                "https://schemas.openid.net/secevent/risc/event-type/account-purged"
            }
            Self::AccountDisabled => {
                "https://schemas.openid.net/secevent/risc/event-type/account-disabled"
            }
            Self::AccountEnabled => {
                "https://schemas.openid.net/secevent/risc/event-type/account-enabled"
            }
            Self::IdentifierChanged => {
                "https://schemas.openid.net/secevent/risc/event-type/identifier-changed"
            }
        }
    }

    /// The event type with this URI.
    pub fn parse(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event_type| event_type.uri() == uri)
    }

    /// Every event type Russet sends.
    pub const ALL: [Self; 7] = [
        Self::SessionRevoked,
        Self::TokenClaimsChange,
        Self::CredentialChange,
        Self::AccountPurged,
        Self::AccountDisabled,
        Self::AccountEnabled,
        Self::IdentifierChanged,
    ];
}

/// Who caused an event (CAEP §2, `initiating_entity`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Initiator {
    /// The person.
    User,
    /// An operator.
    Admin,
    /// A rule, such as "the upstream no longer vouches for the person".
    Policy,
    /// The provider itself.
    System,
}

/// Something that happened to a person's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum SecurityEvent {
    /// Sessions ended.
    SessionRevoked {
        /// The one that ended (`sid`); without it, all of the person's.
        sid: Option<String>,
        /// By whom.
        initiator: Initiator,
    },
    /// Claims have new values.
    TokenClaimsChange {
        /// The claims, as a token would carry them now.
        claims: Map<String, Value>,
    },
    /// A way to sign in changed.
    CredentialChange {
        /// Such as `x-apple`: the connection, for upstream accounts have no registered word.
        credential_type: String,
        /// How.
        change_type: ChangeType,
    },
    /// The account is gone for good.
    AccountPurged,
    /// The account is switched off.
    AccountDisabled,
    /// The account is switched on again.
    AccountEnabled,
    /// The address changed. The new one is asked for at userinfo, by whoever may see it.
    IdentifierChanged,
}

/// How a credential changed (CAEP §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeType {
    /// Added.
    Create,
    /// No longer good, by somebody else's decision.
    Revoke,
    /// Changed.
    Update,
    /// Taken away.
    Delete,
}

impl SecurityEvent {
    /// Its type.
    pub const fn event_type(&self) -> EventType {
        match self {
            Self::SessionRevoked { .. } => EventType::SessionRevoked,
            Self::TokenClaimsChange { .. } => EventType::TokenClaimsChange,
            Self::CredentialChange { .. } => EventType::CredentialChange,
            Self::AccountPurged => EventType::AccountPurged,
            Self::AccountDisabled => EventType::AccountDisabled,
            Self::AccountEnabled => EventType::AccountEnabled,
            Self::IdentifierChanged => EventType::IdentifierChanged,
        }
    }

    /// What stands under the event type's URI.
    fn body(&self, at: Timestamp) -> Value {
        match self {
            Self::SessionRevoked { initiator, .. } => {
                json!({ "event_timestamp": at.secs(), "initiating_entity": initiator })
            }
            Self::TokenClaimsChange { claims } => {
                json!({ "event_timestamp": at.secs(), "claims": claims })
            }
            Self::CredentialChange { credential_type, change_type } => json!({
                "event_timestamp": at.secs(),
                "credential_type": credential_type,
                "change_type": change_type,
            }),
            // RISC gives its events no common members.
            Self::AccountPurged
            | Self::AccountDisabled
            | Self::AccountEnabled
            | Self::IdentifierChanged => json!({}),
        }
    }

    /// The subject (RFC 9493 §3): the person as the client knows them, and the session if one is
    /// meant.
    fn subject(&self, iss: &str, sub: &str) -> Value {
        let person = json!({ "format": "iss_sub", "iss": iss, "sub": sub });
        match self {
            Self::SessionRevoked { sid: Some(sid), .. } => json!({
                "format": "complex",
                "user": person,
                "session": { "format": "opaque", "id": sid },
            }),
            Self::SessionRevoked { sid: None, .. }
            | Self::TokenClaimsChange { .. }
            | Self::CredentialChange { .. }
            | Self::AccountPurged
            | Self::AccountDisabled
            | Self::AccountEnabled
            | Self::IdentifierChanged => person,
        }
    }
}

/// The claims of a Security Event Token (RFC 8417 §2.2). No `exp`: what happened stays true; no
/// `sub`: nobody shall take it for another kind of token (§4.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityEventToken {
    /// The issuer.
    pub iss: String,
    /// Made at, seconds.
    pub iat: i64,
    /// Names the event: the same at every attempt, so that a receiver counts it once.
    pub jti: String,
    /// The `client_id`.
    pub aud: String,
    /// To whom it happened.
    pub sub_id: Value,
    /// What happened, under its type's URI.
    pub events: Value,
}

impl SecurityEventToken {
    /// The token that tells `client_id` about an event that happened `at` to the person whom it
    /// knows as `sub`.
    pub fn new(
        iss: &str,
        client_id: &str,
        sub: &str,
        event: &SecurityEvent,
        jti: String,
        at: Timestamp,
    ) -> Self {
        let mut events = Map::new();
        events.insert(event.event_type().uri().to_owned(), event.body(at));
        Self {
            iss: iss.to_owned(),
            iat: at.secs(),
            jti,
            aud: client_id.to_owned(),
            sub_id: event.subject(iss, sub),
            events: Value::Object(events),
        }
    }
}

/// What a receiver answers when it does not take a token (RFC 8935 §2.3).
#[derive(Debug, Deserialize)]
pub struct SetError {
    /// The registered code.
    pub err: String,
    /// In words.
    pub description: Option<String>,
}

impl SetError {
    /// Whether the same token would be refused for ever: it is malformed or not meant for this
    /// receiver. A key or a credential that is not accepted can be mended.
    pub fn is_final(&self) -> bool {
        matches!(self.err.as_str(), "invalid_request" | "invalid_issuer" | "invalid_audience")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_type_has_its_own_uri() {
        for event_type in EventType::ALL {
            assert_eq!(EventType::parse(event_type.uri()), Some(event_type));
        }
        assert_eq!(EventType::parse("account-purged"), None);
    }

    #[test]
    fn a_token_names_its_subject_and_holds_one_event() {
        let at = Timestamp::from_secs(1_800_000_000);
        let event = SecurityEvent::SessionRevoked {
            sid: Some("sid-1".into()),
            initiator: Initiator::Policy,
        };
        let token = SecurityEventToken::new("https://id.example", "c", "s", &event, "j".into(), at);
        let value = serde_json::to_value(&token).unwrap();
        assert_eq!(
            value["events"],
            json!({
                EventType::SessionRevoked.uri():
                    { "event_timestamp": 1_800_000_000, "initiating_entity": "policy" },
            })
        );
        assert_eq!(value["sub_id"]["user"]["sub"], "s");
        assert_eq!(value["sub_id"]["session"]["id"], "sid-1");
        for absent in ["sub", "exp", "nonce"] {
            assert!(value.get(absent).is_none(), "{absent}");
        }
        let purged = SecurityEvent::AccountPurged;
        let token =
            SecurityEventToken::new("https://id.example", "c", "s", &purged, "j".into(), at);
        assert_eq!(token.sub_id["format"], "iss_sub");
    }

    #[test]
    fn what_can_be_mended_is_told_from_what_cannot() {
        let error = |err: &str| SetError { err: err.into(), description: None };
        assert!(error("invalid_audience").is_final());
        assert!(!error("authentication_failed").is_final());
        assert!(!error("invalid_key").is_final());
    }
}
