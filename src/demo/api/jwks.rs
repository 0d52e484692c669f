//! The issuer's public keys: found by discovery, cached, fetched again for an unknown `kid`.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::{Jwk, JwkSet};
use serde::Deserialize;

use crate::demo::outbound::{self, Outbound, OutboundError};
use crate::protocol::ambient::{Clock, Timestamp};

/// How long a fetched set is used without asking again.
const FRESH: Duration = Duration::from_secs(300);
/// How long to wait between two fetches for a `kid` that is not in the set, so that invented
/// `kid`s cannot be used to flood the issuer.
const BETWEEN_MISSES: Duration = Duration::from_secs(10);

/// Why the keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum JwksError {
    /// No answer.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// An answer that is not what was asked for.
    #[error("{url} answered {status}, or no valid JSON document")]
    Answer {
        /// What was asked.
        url: String,
        /// What it answered.
        status: u16,
    },
    /// The discovery document belongs to somebody else (OIDC Discovery §4.3).
    #[error("the discovery document names the issuer {0}")]
    OtherIssuer(String),
}

#[derive(Default)]
struct Cache {
    set: Option<JwkSet>,
    fetched_at: Timestamp,
    missed_at: Option<Timestamp>,
}

/// The keys of one issuer.
pub(super) struct RemoteJwks {
    issuer: String,
    outbound: Outbound,
    clock: Arc<dyn Clock>,
    cache: tokio::sync::Mutex<Cache>,
}

impl RemoteJwks {
    /// The keys of `issuer`; nothing is fetched until the first token comes.
    pub(super) fn of(issuer: String, outbound: Outbound, clock: Arc<dyn Clock>) -> Self {
        Self { issuer, outbound, clock, cache: tokio::sync::Mutex::default() }
    }

    /// The key with this `kid`, or `None` if the issuer does not publish it.
    ///
    /// # Errors
    /// When a set is needed and cannot be fetched. While the issuer is unreachable, keys that are
    /// known stay good.
    pub(super) async fn find(&self, kid: &str) -> Result<Option<Jwk>, JwksError> {
        let now = self.clock.now();
        let mut cache = self.cache.lock().await;
        let known = cache.set.as_ref().and_then(|set| set.find(kid)).cloned();
        let stale = cache.set.is_none() || now.since(cache.fetched_at) >= FRESH;
        let may_ask = cache.missed_at.is_none_or(|at| now.since(at) >= BETWEEN_MISSES);
        if !stale && (known.is_some() || !may_ask) {
            return Ok(known);
        }
        if !stale {
            cache.missed_at = Some(now);
        }
        match self.fetch().await {
            Ok(set) => {
                let found = set.find(kid).cloned();
                cache.set = Some(set);
                cache.fetched_at = now;
                Ok(found)
            }
            Err(error) if known.is_some() => {
                tracing::warn!(%error, "the issuer's keys could not be refreshed");
                Ok(known)
            }
            Err(error) => Err(error),
        }
    }

    async fn fetch(&self) -> Result<JwkSet, JwksError> {
        #[derive(Deserialize)]
        struct Discovery {
            issuer: String,
            jwks_uri: String,
        }
        #[derive(Deserialize)]
        struct Keys {
            keys: Vec<serde_json::Value>,
        }
        let url = format!("{}/.well-known/openid-configuration", self.issuer);
        let discovery: Discovery = self.json(&url).await?;
        if discovery.issuer != self.issuer {
            return Err(JwksError::OtherIssuer(discovery.issuer));
        }
        let Keys { keys } = self.json(&discovery.jwks_uri).await?;
        // A key of a kind this library does not know is skipped (RFC 7517 §5).
        let keys = keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
        Ok(JwkSet { keys })
    }

    async fn json<T: serde::de::DeserializeOwned>(&self, url: &str) -> Result<T, JwksError> {
        let response = self.outbound.send(outbound::get(url, None)?).await?;
        let status = response.status();
        let wrong = || JwksError::Answer { url: url.to_owned(), status: status.as_u16() };
        if !status.is_success() {
            return Err(wrong());
        }
        serde_json::from_slice(response.body()).map_err(|_| wrong())
    }
}
