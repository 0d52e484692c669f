//! Apple's keys, cached — apple.md §1.4, §3 "JWKS policy".
//!
//! Good for an hour, for a day when Apple is unreachable; an unknown `kid` fetches anew once, and
//! never more often than every thirty seconds, since anybody can send a random one. Only what was
//! looked for in a set fetched after it came is called unknown: until then it may be a new key of
//! Apple's, and whoever brought it is asked to come again.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use crate::protocol::ambient::Timestamp;
use crate::upstream::UpstreamError;
use crate::upstream::health::Health;
use crate::upstream::http::Outbound;

const FRESH: Duration = Duration::from_secs(3600);
const LAST_GOOD: Duration = Duration::from_secs(24 * 3600);
const BETWEEN_FETCHES: Duration = Duration::from_secs(30);
/// Without any key nobody can sign in, so the next attempt comes sooner.
const WHILE_NOTHING_IS_KNOWN: Duration = Duration::from_secs(5);
/// More keys than Apple ever had; a longer list is cut.
const MAX_KEYS: usize = 32;

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: String,
    #[serde(rename = "use")]
    key_use: Option<String>,
    alg: Option<String>,
    n: String,
    e: String,
}

/// Usable keys by `kid`.
pub(super) type Keys = HashMap<String, Arc<ParsedPublicKey>>;

/// Where a key set comes from.
#[async_trait]
pub(super) trait KeySource: Send + Sync {
    /// The usable keys as they are now; never none.
    async fn fetch(&self) -> Result<Keys, UpstreamError>;
}

/// The set that Apple publishes.
pub(super) struct Published {
    url: Url,
    outbound: Outbound,
}

#[async_trait]
impl KeySource for Published {
    async fn fetch(&self) -> Result<Keys, UpstreamError> {
        let unavailable = |cause: String| UpstreamError::Unavailable(format!("keys: {cause}"));
        let answer = self.outbound.get_key_set(&self.url).await?;
        if answer.status != 200 {
            return Err(unavailable(format!("status {}", answer.status)));
        }
        let keys = parse(&answer.body).ok_or_else(|| unavailable("not a JWKS".to_owned()))?;
        // An empty set would lock everybody out until the next fetch: keep what there is.
        if keys.is_empty() {
            return Err(unavailable("no usable key".to_owned()));
        }
        Ok(keys)
    }
}

#[derive(Clone, Default)]
struct Known {
    keys: Arc<Keys>,
    fetched_at: Option<Timestamp>,
    tried_at: Option<Timestamp>,
    /// When a fetch was last begun although the set was fresh: for a key that is not in it.
    missed_at: Option<Timestamp>,
}

impl Known {
    fn find(&self, kid: &str, now: Timestamp, within: Duration) -> Option<Arc<ParsedPublicKey>> {
        (age(self.fetched_at, now) < within).then(|| self.keys.get(kid).map(Arc::clone)).flatten()
    }

    fn is_fresh(&self, now: Timestamp) -> bool {
        age(self.fetched_at, now) < FRESH
    }

    /// Whether a fetch is due. What is fetched because it is old takes nothing from those who miss
    /// a key; what failed is not tried again at once by either.
    fn may_fetch(&self, now: Timestamp) -> bool {
        if age(self.fetched_at, now) >= LAST_GOOD {
            return age(self.tried_at, now) >= WHILE_NOTHING_IS_KNOWN;
        }
        let failed = self.tried_at > self.fetched_at;
        let (last, free) =
            if failed { (self.tried_at, false) } else { (self.missed_at, !self.is_fresh(now)) };
        free || age(last, now) >= BETWEEN_FETCHES
    }
}

fn age(at: Option<Timestamp>, now: Timestamp) -> Duration {
    at.map_or(Duration::MAX, |at| now.since(at))
}

/// The cache. One request fetches while others wait for it, but nobody waits whose key is at hand.
pub(super) struct AppleJwks<S = Published> {
    source: S,
    health: Arc<Health>,
    known: RwLock<Known>,
    fetching: Mutex<()>,
}

impl AppleJwks {
    pub(super) fn new(url: Url, outbound: Outbound, health: Arc<Health>) -> Self {
        Self::of(Published { url, outbound }, health)
    }
}

impl<S: KeySource> AppleJwks<S> {
    fn of(source: S, health: Arc<Health>) -> Self {
        Self { source, health, known: RwLock::default(), fetching: Mutex::default() }
    }

    /// The RS256 key with this `kid`, named by something that came at `arrived`.
    ///
    /// # Errors
    /// [`UpstreamError::Rejected`] when Apple has no such key; [`UpstreamError::Unavailable`] when
    /// it cannot be told yet.
    pub(super) async fn find(
        &self,
        kid: &str,
        arrived: Timestamp,
        now: Timestamp,
    ) -> Result<Arc<ParsedPublicKey>, UpstreamError> {
        let known = self.known();
        if let Some(key) = known.find(kid, now, FRESH) {
            return Ok(key);
        }
        let _fetching = match (known.find(kid, now, LAST_GOOD), self.fetching.try_lock()) {
            (_, Ok(fetching)) => fetching,
            (Some(key), Err(_)) => return Ok(key),
            (None, Err(_)) => self.fetching.lock().await,
        };
        // While we waited somebody may have fetched.
        let mut known = self.known();
        if let Some(key) = known.find(kid, now, FRESH) {
            return Ok(key);
        }
        let mut failed = None;
        let mut looked = false;
        if known.may_fetch(now) {
            if known.is_fresh(now) {
                known.missed_at = Some(now);
            }
            known.tried_at = Some(now);
            let fetched = self.source.fetch().await;
            self.health.note(&fetched, now);
            match fetched {
                Ok(keys) => {
                    known.keys = Arc::new(keys);
                    known.fetched_at = Some(now);
                    looked = true;
                }
                Err(error) => {
                    tracing::warn!(%error, "Apple's keys could not be fetched");
                    failed = Some(error);
                }
            }
            *self.known.write().unwrap_or_else(PoisonError::into_inner) = known.clone();
        }
        if let Some(key) = known.find(kid, now, LAST_GOOD) {
            return Ok(key);
        }
        match failed {
            Some(error) => Err(error),
            None if age(known.fetched_at, now) >= LAST_GOOD => {
                Err(UpstreamError::Unavailable("Apple's keys are not known".to_owned()))
            }
            None if looked || known.fetched_at >= Some(arrived) => Err(UpstreamError::Rejected {
                reason: "unknown_key",
                detail: "no key of Apple's has this kid".to_owned(),
            }),
            None => Err(UpstreamError::Unavailable(
                "no key that is known here has this kid; Apple may be asked again within half a \
                 minute"
                    .to_owned(),
            )),
        }
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How many keys of a JWKS are usable; `None` when it is none.
pub(super) fn usable(body: &[u8]) -> Option<usize> {
    parse(body).map(|keys| keys.len())
}

/// The usable keys of a JWKS; others are ignored (security.md H18): not RSA, not for RS256
/// signatures, odd sizes or exponents, and every key whose `kid` stands twice.
fn parse(body: &[u8]) -> Option<Keys> {
    let set: JwkSet = serde_json::from_slice(body).ok()?;
    // Counted before anything is sorted out: a name that stands twice is good for neither key.
    let mut counts: HashMap<String, usize> = HashMap::new();
    for kid in set.keys.iter().filter_map(|key| key.get("kid")?.as_str()) {
        *counts.entry(kid.to_owned()).or_default() += 1;
    }
    let mut keys = Keys::new();
    for value in set.keys.into_iter().take(MAX_KEYS) {
        let Ok(jwk) = serde_json::from_value::<Jwk>(value) else { continue };
        let for_rs256 = counts.get(&jwk.kid) == Some(&1)
            && jwk.kty == "RSA"
            && jwk.alg.as_deref().is_none_or(|alg| alg == "RS256")
            && jwk.key_use.as_deref().is_none_or(|key_use| key_use == "sig");
        let (Ok(n), Ok(e)) = (URL_SAFE_NO_PAD.decode(&jwk.n), URL_SAFE_NO_PAD.decode(&jwk.e))
        else {
            continue;
        };
        if !for_rs256 || !(256..=512).contains(&n.len()) || e != [1, 0, 1] {
            continue;
        }
        let components = RsaPublicKeyComponents { n: &n, e: &e };
        let Ok(key) = components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256) else {
            continue;
        };
        keys.insert(jwk.kid, Arc::new(key));
    }
    Some(keys)
}

#[cfg(test)]
#[path = "tests/jwks.rs"]
mod tests;
