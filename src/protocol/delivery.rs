//! What is owed to a client, and how its delivery stands.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ambient::{Entropy, Timestamp, random};
use crate::id::ClientId;
use crate::security_event::SecurityEvent;

/// The first pause after a failed attempt; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// What is to be told. Holds no token: it is signed when it is sent, with the keys of that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Message {
    /// OIDC Back-Channel Logout 1.0.
    LogoutToken {
        /// The person, as the client knows them.
        sub: String,
        /// The session that ended; without it, all of theirs.
        sid: Option<String>,
    },
    /// RFC 8935.
    SecurityEvent {
        /// The person, as the client knows them.
        sub: String,
        /// What happened.
        #[serde(flatten)]
        event: SecurityEvent,
    },
}

impl Message {
    /// Its word in the database and for people.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::LogoutToken { .. } => "logout_token",
            Self::SecurityEvent { .. } => "security_event",
        }
    }

    /// After this time nobody wants to hear it any more.
    pub const fn patience(&self) -> Duration {
        const DAY: u64 = 24 * 3600;
        match self {
            Self::LogoutToken { .. } => Duration::from_secs(DAY),
            Self::SecurityEvent { .. } => Duration::from_secs(7 * DAY),
        }
    }
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waits for its first or next attempt.
    Owed,
    /// The client took it.
    Delivered,
    /// Given up; `last_error` says why.
    Failed,
}

impl DeliveryState {
    /// The state with this name.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Owed, Self::Delivered, Self::Failed].into_iter().find(|state| state.as_str() == word)
    }

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owed => "owed",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// A row of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its number.
    pub id: i64,
    /// To whom.
    pub client_id: ClientId,
    /// `logout_token` or `security_event`.
    pub kind: String,
    /// What; forgotten once it is delivered.
    pub message: Option<Message>,
    /// What it belongs to, such as a deletion.
    pub cause: Option<String>,
    /// How it stands.
    pub state: DeliveryState,
    /// Attempts begun.
    pub attempts: i32,
    /// Since when it is owed.
    pub created_at: Timestamp,
    /// When the next attempt is due.
    pub due_at: Timestamp,
    /// No attempt is planned after this.
    pub give_up_at: Timestamp,
    /// When it was delivered or given up.
    pub settled_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

/// How long to wait after `attempts` failed ones: doubling, with the last half left to chance, so
/// that what failed together is not tried again together.
pub fn pause(attempts: i32, entropy: &dyn Entropy) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(16);
    let whole = FIRST_PAUSE.saturating_mul(1_u32 << doublings).min(LONGEST_PAUSE);
    let half = whole / 2;
    let chance = u32::from(u16::from_be_bytes(random::<2>(entropy)));
    half + half.saturating_mul(chance) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SeededEntropy;

    #[test]
    fn pauses_double_up_to_an_hour_and_never_agree() {
        let entropy = SeededEntropy::new(1);
        for (attempts, whole) in [(1, 5), (2, 10), (5, 80), (11, 3600), (1000, 3600)] {
            let whole = Duration::from_secs(whole);
            for _ in 0..50 {
                let pause = pause(attempts, &entropy);
                assert!(pause >= whole / 2 && pause <= whole, "{attempts}: {pause:?}");
            }
        }
        assert_ne!(pause(9, &entropy), pause(9, &entropy));
    }

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let messages = [
            Message::LogoutToken { sub: "s".into(), sid: Some("x".into()) },
            Message::SecurityEvent { sub: "s".into(), event: SecurityEvent::AccountPurged },
        ];
        for message in messages {
            let text = serde_json::to_string(&message).unwrap();
            assert!(text.contains(message.kind()));
            assert_eq!(serde_json::from_str::<Message>(&text).unwrap(), message);
        }
    }
}
