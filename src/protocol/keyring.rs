//! Signing keys and their lives — OIDC Core §10.1.1.
//!
//! next → active → retiring → gone. A key is published as *next* for longer than anybody may cache
//! the JWKS before it signs, and as *retiring* until the last token it signed has expired.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ambient::Timestamp;
use crate::jose::Algorithm;

/// How long clients may cache the JWKS (`Cache-Control: max-age`).
pub const JWKS_MAX_AGE: Duration = Duration::from_secs(300);
/// How long a key is published before it signs: three times the cache life, for slow clocks and
/// stale caches.
pub const PUBLISH_BEFORE_USE: Duration = Duration::from_secs(900);

/// A signing key as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// `kid`: the RFC 7638 thumbprint.
    pub kid: String,
    /// The one algorithm it signs with.
    pub alg: Algorithm,
    /// The private key, PKCS#8 DER, sealed; bound to `signing_keys:{kid}`.
    pub sealed_private_key: Vec<u8>,
    /// The public JWK, JSON.
    pub public_jwk: String,
    /// When it was made, and published.
    pub created_at: Timestamp,
    /// From when it signs.
    pub active_at: Timestamp,
    /// When it stopped signing; a successor took over.
    pub retiring_at: Option<Timestamp>,
    /// When it leaves the JWKS; its private part is erased then.
    pub gone_at: Option<Timestamp>,
}

/// Where in its life a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Published, does not sign yet.
    Next,
    /// Signs.
    Active,
    /// Published for the tokens it signed, signs no more.
    Retiring,
    /// No longer published.
    Gone,
}

impl StoredKey {
    /// The state at `now`: a function of its times, so replicas agree without talking.
    pub fn state(&self, now: Timestamp) -> KeyState {
        if self.gone_at.is_some_and(|at| at <= now) {
            KeyState::Gone
        } else if self.retiring_at.is_some_and(|at| at <= now) {
            KeyState::Retiring
        } else if self.active_at <= now {
            KeyState::Active
        } else {
            KeyState::Next
        }
    }
}

/// When the newest of the keys was published that still are. Whoever fetched them last before that
/// cannot know it.
pub fn newest_published(keys: &[StoredKey], now: Timestamp) -> Option<Timestamp> {
    let published = keys.iter().filter(|key| key.state(now) != KeyState::Gone);
    published.map(|key| key.created_at).max()
}
