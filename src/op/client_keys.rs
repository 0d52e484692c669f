//! The keys that clients sign with, and their certificates — RFC 7591 §2 (`jwks`, `jwks_uri`),
//! RFC 7523 §3, RFC 8705 §2.2, RFC 9101 §6.2.
//!
//! A key set at a `jwks_uri` is fetched through the guarded client and kept for some minutes. A
//! `kid` or certificate that it does not hold fetches it anew, but not more often than every
//! thirty seconds, for anybody can send a random one.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use moka::sync::Cache;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use url::Url;

use super::{Failure, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::client::Client;
use crate::protocol::client_certificate::ClientCertificate;
use crate::protocol::jose::JoseError;
use crate::protocol::jwk::{self, PublicKey};
use crate::protocol::jws::ForeignJwt;
use crate::protocol::profile::Profile;
use crate::upstream::http::Outbound;

/// A fetched set is used this long without looking again: the longest time a key that a client took
/// away stays good.
const FRESH: Duration = Duration::from_secs(5 * 60);
/// And this long when the client's server does not answer.
const LAST_GOOD: Duration = Duration::from_secs(3600);
const BETWEEN_FETCHES: Duration = Duration::from_secs(30);
const CACHE_ENTRIES: u64 = 1_000;
/// Keys that a signature without `kid` is tried with.
const MOST_TRIED: usize = 8;

type Keys = Arc<[PublicKey]>;

#[derive(Clone, Default)]
struct Known {
    keys: Option<Keys>,
    fetched_at: Timestamp,
    tried_at: Option<Timestamp>,
}

/// What a set must hold, or else is fetched anew.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    Any,
    Kid(&'a str),
    /// SHA-256 of a certificate.
    Certificate(&'a [u8; 32]),
}

impl Wanted<'_> {
    fn is_in(self, keys: &[PublicKey]) -> bool {
        match self {
            Self::Any => true,
            Self::Kid(kid) => keys.iter().any(|key| key.kid() == Some(kid)),
            Self::Certificate(hash) => keys.iter().any(|key| key.certificate() == Some(hash)),
        }
    }
}

impl Known {
    /// The keys, if they are recent enough and hold the one that is wanted.
    fn good(&self, wanted: Wanted<'_>, within: Duration, now: Timestamp) -> Option<Keys> {
        let keys = self.keys.as_ref().filter(|_| now.since(self.fetched_at) < within)?;
        wanted.is_in(keys).then(|| Arc::clone(keys))
    }
}

#[derive(Default)]
struct Entry {
    known: RwLock<Known>,
    fetching: Mutex<()>,
}

impl Entry {
    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What was fetched, by URL.
pub(super) struct ClientKeys {
    outbound: Outbound,
    sets: Cache<String, Arc<Entry>>,
}

impl ClientKeys {
    pub(super) fn new(outbound: Outbound) -> Self {
        Self { outbound, sets: Cache::new(CACHE_ENTRIES) }
    }

    /// The set at `uri`, holding what is wanted if any fetch that is allowed now can make it so.
    /// Nobody waits for a fetch whose key is at hand.
    async fn at(&self, uri: &str, wanted: Wanted<'_>, now: Timestamp) -> Option<Keys> {
        let entry = self.sets.get_with(uri.to_owned(), Arc::default);
        if let Some(keys) = entry.known().good(wanted, FRESH, now) {
            return Some(keys);
        }
        let _fetching = entry.fetching.lock().await;
        let mut known = entry.known();
        if let Some(keys) = known.good(wanted, FRESH, now) {
            return Some(keys);
        }
        if known.tried_at.is_none_or(|tried| now.since(tried) >= BETWEEN_FETCHES) {
            known.tried_at = Some(now);
            match self.fetch(uri).await {
                Ok(keys) => {
                    known.keys = Some(keys);
                    known.fetched_at = now;
                }
                Err(cause) => tracing::warn!(%cause, "a client's jwks_uri gives no keys"),
            }
            *entry.known.write().unwrap_or_else(PoisonError::into_inner) = known.clone();
        }
        known.good(Wanted::Any, LAST_GOOD, now)
    }

    async fn fetch(&self, uri: &str) -> Result<Keys, String> {
        let url = Url::parse(uri).map_err(|error| error.to_string())?;
        let answer = self.outbound.get_key_set(&url).await.map_err(|error| error.to_string())?;
        if answer.status != 200 {
            return Err(format!("status {}", answer.status));
        }
        let set = serde_json::from_slice(&answer.body).map_err(|_| "not JSON".to_owned())?;
        let keys = jwk::read_set(&set).map_err(|error| error.to_string())?;
        Ok(keys.into())
    }
}

impl Provider {
    /// The profile that rules this client here.
    pub(super) fn profile_of(&self, client: &Client) -> Profile {
        Profile::of(client, self.policy.minimum_profile)
    }

    async fn keys_of_client(
        &self,
        client: &Client,
        wanted: Wanted<'_>,
        now: Timestamp,
    ) -> Result<Option<Keys>, Failure> {
        let settings = &client.settings;
        Ok(match (&settings.jwks, &settings.jwks_uri) {
            (Some(set), _) => Some(jwk::read_set(set)?.into()),
            (None, Some(uri)) => self.client_keys.at(uri, wanted, now).await,
            (None, None) => None,
        })
    }

    /// Whether the client registered this very certificate, as `x5c` of one of its keys
    /// (RFC 8705 §2.2.2).
    pub(super) async fn has_registered(
        &self,
        client: &Client,
        certificate: &ClientCertificate,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let wanted = Wanted::Certificate(certificate.hash());
        let keys = self.keys_of_client(client, wanted, now).await?;
        Ok(keys.is_some_and(|keys| wanted.is_in(&keys)))
    }

    /// The claims of a JWT, if one of the client's own keys signed it.
    ///
    /// # Errors
    /// The [`JoseError`] that says why not.
    pub(super) async fn signed_by_client<C: DeserializeOwned>(
        &self,
        jwt: &ForeignJwt<'_>,
        client: &Client,
        now: Timestamp,
    ) -> Result<Result<C, JoseError>, Failure> {
        let kid = jwt.header("kid");
        let wanted = kid.map_or(Wanted::Any, Wanted::Kid);
        let keys = self.keys_of_client(client, wanted, now).await?;
        let Some(keys) = keys else { return Ok(Err(JoseError::UnknownKey)) };
        let fitting = keys
            .iter()
            .filter(|key| key.fits(jwt.alg()))
            .filter(|key| kid.is_none_or(|kid| key.kid() == Some(kid)))
            .take(MOST_TRIED);
        let mut outcome = Err(JoseError::UnknownKey);
        for key in fitting {
            outcome = jwt.verify(key);
            if outcome.is_ok() {
                break;
            }
        }
        Ok(outcome)
    }
}
