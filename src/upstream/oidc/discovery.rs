//! What an upstream says of itself, cached — OIDC Discovery §4, RFC 8414, RFC 9207 §3.
//!
//! Document and keys are good for an hour, and for a day when the upstream is away.

use std::sync::Arc;
use std::time::Duration;

use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType,
    CoreJsonWebKey, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, IssuerUrl, ProviderMetadata};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use url::Url;

use crate::protocol::ambient::Timestamp;
use crate::upstream::UpstreamError;
use crate::upstream::health::Health;
use crate::upstream::http::Outbound;

const TTL: Duration = Duration::from_secs(3600);
const LAST_GOOD: Duration = Duration::from_secs(24 * 3600);
/// How soon they may be fetched again when a key is missing or the last attempt failed.
const BETWEEN_FETCHES: Duration = Duration::from_secs(30);
/// The same while nothing is known and so nobody can sign in.
const WHILE_NOTHING_IS_KNOWN: Duration = Duration::from_secs(5);

/// What RFC 9207 adds to the document.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Rfc9207 {
    /// Whether every authorization response carries `iss`.
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Rfc9207 {}

/// The document, with the keys it names.
pub(super) type Metadata = ProviderMetadata<
    Rfc9207,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What is known of an upstream.
pub(super) struct Discovered {
    pub(super) metadata: Metadata,
    fetched_at: Timestamp,
}

impl Discovered {
    fn is_fresh(&self, now: Timestamp) -> bool {
        now.since(self.fetched_at) < TTL
    }

    /// Whether an answer without `iss` must be refused (RFC 9207 §2.4).
    pub(super) fn promises_iss(&self) -> bool {
        self.metadata.additional_metadata().authorization_response_iss_parameter_supported
    }

    /// The upstream's own algorithms, as far as they are signatures: with HS256 the key would be
    /// our client secret, and `none` is nobody's.
    pub(super) fn signing_algs(&self) -> Vec<CoreJwsSigningAlgorithm> {
        use CoreJwsSigningAlgorithm as Alg;
        let asymmetric = [
            Alg::RsaSsaPkcs1V15Sha256,
            Alg::RsaSsaPkcs1V15Sha384,
            Alg::RsaSsaPkcs1V15Sha512,
            Alg::RsaSsaPssSha256,
            Alg::RsaSsaPssSha384,
            Alg::RsaSsaPssSha512,
            Alg::EcdsaP256Sha256,
            Alg::EcdsaP384Sha384,
            Alg::EcdsaP521Sha512,
            Alg::EdDsa,
        ];
        let theirs = self.metadata.id_token_signing_alg_values_supported();
        asymmetric.into_iter().filter(|alg| theirs.contains(alg)).collect()
    }

    /// Whether our secret goes into the body. Basic is the default (OIDC Discovery §3).
    pub(super) fn wants_client_secret_post(&self) -> bool {
        self.metadata
            .token_endpoint_auth_methods_supported()
            .is_some_and(|methods| !methods.contains(&CoreClientAuthMethod::ClientSecretBasic))
    }
}

#[derive(Default)]
struct Cache {
    discovered: Option<Arc<Discovered>>,
    tried_at: Option<Timestamp>,
    /// When a fetch was last begun for a missing key alone.
    missed_at: Option<Timestamp>,
}

impl Cache {
    /// Whether it was tried too short a time ago. What was fetched because it was old takes nothing
    /// from those who miss a key.
    fn must_wait(&self, known: Option<&Discovered>, now: Timestamp) -> bool {
        let within = |at: Option<Timestamp>, pause| at.is_some_and(|at| now.since(at) < pause);
        match known {
            None => within(self.tried_at, WHILE_NOTHING_IS_KNOWN),
            Some(known) if self.tried_at > Some(known.fetched_at) => {
                within(self.tried_at, BETWEEN_FETCHES)
            }
            Some(known) => known.is_fresh(now) && within(self.missed_at, BETWEEN_FETCHES),
        }
    }
}

/// The cache of one upstream. One request fetches while the others wait for it.
pub(super) struct Discovery {
    pub(super) issuer: IssuerUrl,
    /// What the document may call the issuer besides, when it stands for many tenants.
    template: Option<String>,
    outbound: Outbound,
    pub(super) health: Health,
    cache: Mutex<Cache>,
}

impl Discovery {
    pub(super) fn new(issuer: IssuerUrl, template: Option<String>, outbound: Outbound) -> Self {
        Self { issuer, template, outbound, health: Health::new(), cache: Mutex::default() }
    }

    /// What is known, fetched if it is old; with `anew`, fetched because a key is missing, but
    /// never twice within half a minute.
    ///
    /// # Errors
    /// [`UpstreamError::Unavailable`] also when a key is missing and it may not be looked again yet:
    /// whether there is such a key cannot be told.
    pub(super) async fn current(
        &self,
        now: Timestamp,
        anew: bool,
    ) -> Result<Arc<Discovered>, UpstreamError> {
        let mut cache = self.cache.lock().await;
        let known = cache
            .discovered
            .as_ref()
            .filter(|known| now.since(known.fetched_at) < LAST_GOOD)
            .map(Arc::clone);
        if let Some(known) = &known
            && !anew
            && known.is_fresh(now)
        {
            return Ok(Arc::clone(known));
        }
        if cache.must_wait(known.as_deref(), now) {
            return match known {
                Some(known) if !anew || known.fetched_at >= now => Ok(known),
                Some(_) => Err(unavailable("a key is not known; keys were fetched a moment ago")),
                None => Err(unavailable("the document is not known")),
            };
        }
        if known.as_deref().is_some_and(|known| known.is_fresh(now)) {
            cache.missed_at = Some(now);
        }
        cache.tried_at = Some(now);
        let fetched = self.fetch().await;
        self.health.note(&fetched, now);
        match (fetched, known) {
            (Ok(metadata), _) => {
                let discovered = Arc::new(Discovered { metadata, fetched_at: now });
                cache.discovered = Some(Arc::clone(&discovered));
                Ok(discovered)
            }
            (Err(error), Some(known)) if !anew => {
                tracing::warn!(%error, "discovery failed; the last good document serves");
                Ok(known)
            }
            (Err(error), _) => Err(error),
        }
    }

    /// What the upstream says of itself now, for an operator who asks.
    ///
    /// # Errors
    /// Why it says nothing usable.
    pub(super) async fn examine(&self) -> Result<(), UpstreamError> {
        self.fetch().await.map(|_| ())
    }

    async fn fetch(&self) -> Result<Metadata, UpstreamError> {
        let url = self
            .issuer
            .join(".well-known/openid-configuration")
            .map_err(|_| UpstreamError::Misconfigured("the issuer is not a URL".to_owned()))?;
        let document = self.outbound.get(&url).await?;
        if document.status != 200 {
            return Err(unavailable(&format!("status {}", document.status)));
        }
        let metadata: Metadata = serde_json::from_slice(&document.body)
            .map_err(|_| unavailable("not a discovery document"))?;
        let is_template = self.template.as_deref() == Some(metadata.issuer().as_str());
        if *metadata.issuer() != self.issuer && !is_template {
            return Err(UpstreamError::Misconfigured(
                "the discovery document names another issuer; compare it with the connection's \
                 issuer, byte by byte"
                    .to_owned(),
            ));
        }
        let keys: &Url = metadata.jwks_uri().url();
        let answer = self.outbound.get_key_set(keys).await?;
        if answer.status != 200 {
            return Err(unavailable(&format!("keys: status {}", answer.status)));
        }
        let keys: CoreJsonWebKeySet =
            serde_json::from_slice(&answer.body).map_err(|_| unavailable("keys: not a JWKS"))?;
        if keys.keys().is_empty() {
            return Err(unavailable("keys: no usable key"));
        }
        Ok(metadata.set_jwks(keys))
    }
}

fn unavailable(cause: &str) -> UpstreamError {
    UpstreamError::Unavailable(format!("discovery: {cause}"))
}
