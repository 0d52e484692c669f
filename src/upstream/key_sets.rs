//! Other people's key sets, fetched and kept — RFC 7517 §5, OIDC Discovery §4.
//!
//! Good for an hour; an unknown `kid` fetches anew, but never more often than every thirty seconds,
//! since anybody can send a random one. When a fetch fails, what was known for a day still counts.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use super::UpstreamError;
use super::http::Outbound;
use crate::protocol::ambient::Timestamp;
use crate::protocol::jwk::{PublicKey, read_set};

const FRESH: Duration = Duration::from_secs(3600);
const LAST_GOOD: Duration = Duration::from_secs(24 * 3600);
const BETWEEN_FETCHES: Duration = Duration::from_secs(30);
/// More sets than an installation has; the least used are forgotten.
const MOST: u64 = 1_000;

/// Where a set is found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// At this `jwks_uri`.
    Uri(String),
    /// Where this issuer's discovery document says.
    Issuer(String),
}

#[derive(Default)]
struct Known {
    keys: Option<Arc<[PublicKey]>>,
    fetched_at: Option<Timestamp>,
    tried_at: Option<Timestamp>,
}

/// The sets.
pub struct KeySets {
    outbound: Outbound,
    known: Cache<Source, Arc<Mutex<Known>>>,
}

impl KeySets {
    /// None known yet.
    pub fn new(outbound: Outbound) -> Self {
        Self { outbound, known: Cache::new(MOST) }
    }

    /// The keys at `source`, fetched anew when `kid` is not among them. One caller fetches while
    /// others wait for it.
    ///
    /// # Errors
    /// [`UpstreamError`] when nothing is known and nothing can be fetched.
    pub async fn find(
        &self,
        source: &Source,
        kid: Option<&str>,
        now: Timestamp,
    ) -> Result<Arc<[PublicKey]>, UpstreamError> {
        let entry = self.known.get_with(source.clone(), Arc::default);
        let mut known = entry.lock().await;
        let age = |at: Option<Timestamp>| at.map_or(Duration::MAX, |at| now.since(at));
        if let Some(keys) = &known.keys {
            let named = kid.is_none_or(|kid| {
                keys.iter().any(|key| key.kid().is_none_or(|known| known == kid))
            });
            if age(known.fetched_at) < FRESH && named {
                return Ok(Arc::clone(keys));
            }
        }
        let mut failed = UpstreamError::Unavailable("the keys were asked for a moment ago".into());
        if age(known.tried_at) >= BETWEEN_FETCHES {
            known.tried_at = Some(now);
            match self.fetch(source).await {
                Ok(keys) => {
                    known.fetched_at = Some(now);
                    known.keys = Some(Arc::clone(&keys));
                    return Ok(keys);
                }
                Err(error) => {
                    tracing::warn!(%error, "a key set could not be fetched");
                    failed = error;
                }
            }
        }
        match &known.keys {
            Some(keys) if age(known.fetched_at) < LAST_GOOD => Ok(Arc::clone(keys)),
            Some(_) | None => Err(failed),
        }
    }

    async fn fetch(&self, source: &Source) -> Result<Arc<[PublicKey]>, UpstreamError> {
        let uri = match source {
            Source::Uri(uri) => url(uri)?,
            Source::Issuer(issuer) => self.discover(issuer).await?,
        };
        let answer = self.outbound.get_key_set(&uri).await?;
        if answer.status != 200 {
            return Err(UpstreamError::Unavailable(format!("keys: status {}", answer.status)));
        }
        let set = serde_json::from_slice(&answer.body)
            .ok()
            .and_then(|set| read_set(&set).ok())
            .ok_or_else(|| UpstreamError::Unavailable("keys: not a JWKS".to_owned()))?;
        Ok(set.into())
    }

    async fn discover(&self, issuer: &str) -> Result<Url, UpstreamError> {
        #[derive(Deserialize)]
        struct Document {
            issuer: String,
            jwks_uri: String,
        }
        let at =
            url(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')))?;
        let answer = self.outbound.get(&at).await?;
        let document: Document = serde_json::from_slice(&answer.body)
            .map_err(|_| UpstreamError::Unavailable("discovery: not a document".to_owned()))?;
        if answer.status != 200 || document.issuer != issuer {
            let text = "discovery: the document is another issuer's";
            return Err(UpstreamError::Misconfigured(text.to_owned()));
        }
        url(&document.jwks_uri)
    }
}

fn url(text: &str) -> Result<Url, UpstreamError> {
    Url::parse(text).map_err(|_| UpstreamError::Misconfigured("not a URL".to_owned()))
}
