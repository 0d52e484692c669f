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
}

/// The cache of one upstream. One request fetches while the others wait for it.
pub(super) struct Discovery {
    pub(super) issuer: IssuerUrl,
    /// What the document may call the issuer besides, when it stands for many tenants.
    template: Option<String>,
    outbound: Outbound,
    cache: Mutex<Cache>,
}

impl Discovery {
    pub(super) fn new(issuer: IssuerUrl, template: Option<String>, outbound: Outbound) -> Self {
        Self { issuer, template, outbound, cache: Mutex::default() }
    }

    /// What is known, fetched if it is old; with `anew`, fetched because a key is missing, but
    /// never twice within half a minute.
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
            && now.since(known.fetched_at) < TTL
        {
            return Ok(Arc::clone(known));
        }
        let pause = if known.is_some() { BETWEEN_FETCHES } else { WHILE_NOTHING_IS_KNOWN };
        if cache.tried_at.is_some_and(|at| now.since(at) < pause) {
            return known.ok_or_else(|| unavailable("the document is not known"));
        }
        cache.tried_at = Some(now);
        match (self.fetch().await, known) {
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
