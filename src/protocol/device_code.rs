//! Device authorization: user codes and the pace of polling — RFC 8628 §3.2, §3.5, §6.1.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ambient::{Entropy, random};
use crate::grant::GrantTerms;
use crate::id::{ConnectionId, SessionId, UserId};

/// How long a device waits for its person.
pub const LIFETIME: Duration = Duration::from_secs(600);
/// How long a device waits between two questions, at first.
pub const INTERVAL: Duration = Duration::from_secs(5);
/// What `slow_down` adds to the interval, for this and every later question (RFC 8628 §3.5).
pub const SLOW_DOWN: Duration = Duration::from_secs(5);

/// Twenty letters: no vowels, so that no word appears, and none that is taken for another.
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// 20^8 codes, 34.6 bits: with ten guesses a minute nobody finds one in ten minutes (§5.1).
const LENGTH: usize = 8;
/// Longest entry looked at.
const MAX_ENTRY: usize = 64;

/// A code that a person carries from the device to the browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserCode(String);

impl UserCode {
    /// Draws a new one, every letter equally likely.
    pub fn random(entropy: &dyn Entropy) -> Self {
        let mut code = String::with_capacity(LENGTH);
        while code.len() < LENGTH {
            for byte in random::<16>(entropy) {
                // 240 is the largest multiple of twenty in a byte; what lies above would favour
                // the first letters.
                if byte < 240
                    && code.len() < LENGTH
                    && let Some(letter) = ALPHABET.get(usize::from(byte % 20))
                {
                    code.push(char::from(*letter));
                }
            }
        }
        Self(code)
    }

    /// Reads what a person typed: case, blanks and hyphens do not matter (§6.1).
    pub fn parse(entry: &str) -> Option<Self> {
        if entry.len() > MAX_ENTRY {
            return None;
        }
        let code: String = entry
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{2010}'..='\u{2015}' | '.'))
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let good = code.len() == LENGTH && code.bytes().all(|b| ALPHABET.contains(&b));
        good.then_some(Self(code))
    }

    /// The letters alone: what is hashed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserCode {
    /// As a device shows it: two groups of four.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_at_checked(LENGTH / 2) {
            Some((left, right)) => write!(f, "{left}-{right}"),
            None => f.write_str(&self.0),
        }
    }
}

/// What a person gave a device that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceGrant {
    /// The sign-in in which it was given.
    #[serde(default)]
    pub sign_in: Option<String>,
    /// Who.
    pub user_id: UserId,
    /// The browser session they said yes in; the grant does not end with it.
    pub session_id: SessionId,
    /// Through which connection they had signed in.
    pub connection_id: ConnectionId,
    /// The facts its tokens repeat.
    pub terms: GrantTerms,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ambient::SeededEntropy;

    #[test]
    fn a_code_is_read_back_however_it_is_typed() {
        let code = UserCode::random(&SeededEntropy::new(7));
        let shown = code.to_string();
        assert_eq!(shown.len(), 9);
        for typed in [
            shown.clone(),
            shown.to_lowercase(),
            code.as_str().to_owned(),
            shown.replace('-', " "),
            format!("  {} ", shown.replace('-', "\u{2013}")),
        ] {
            assert_eq!(UserCode::parse(&typed), Some(code.clone()), "{typed:?}");
        }
    }

    #[test]
    fn anything_else_is_no_code() {
        for typed in ["", "WDJB-MJH", "WDJB-MJHTT", "WDJA-MJHT", "WDJ8-MJHT", "ẞDJB-MJHT"] {
            assert_eq!(UserCode::parse(typed), None, "{typed:?}");
        }
        assert_eq!(UserCode::parse(&"-".repeat(100)), None);
    }

    #[test]
    fn letters_are_drawn_evenly() {
        let entropy = SeededEntropy::new(3);
        let mut seen = std::collections::BTreeMap::<char, u32>::new();
        for _ in 0..5_000 {
            for letter in UserCode::random(&entropy).as_str().chars() {
                *seen.entry(letter).or_default() += 1;
            }
        }
        assert_eq!(seen.len(), ALPHABET.len());
        // 2,000 of each on average, standard deviation 44.
        assert!(seen.values().all(|count| (1_750..2_250).contains(count)), "{seen:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(50_000))]

        #[test]
        fn parsing_never_panics_and_gives_only_codes(entry in ".{0,70}") {
            if let Some(code) = UserCode::parse(&entry) {
                prop_assert_eq!(code.as_str().len(), LENGTH);
                prop_assert_eq!(UserCode::parse(&code.to_string()), Some(code));
            }
        }
    }
}
