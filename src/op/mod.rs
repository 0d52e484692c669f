//! Acts of the OpenID Provider: one act, one file; at most one open transaction at a time.
//!
//! Every door (HTTP, command line, jobs) comes through here. An act takes the time once, checks
//! with the pure rules of `protocol`, remembers through `store`, asks through `upstream`, and
//! answers in typed values that know nothing of HTTP.

pub mod access_token;
pub mod account;
mod address_linking;
pub mod admin;
pub mod apple_transfer;
pub mod audit_stream;
mod authorization_answer;
pub mod authorize;
pub mod branding;
mod client_assertion;
mod client_documents;
mod client_keys;
pub mod client_logos;
pub mod clients;
mod connectors;
pub mod console_journeys;
pub mod daily_check;
pub mod deletion;
pub mod deliveries;
pub mod device_authorization;
pub mod doctor;
pub mod ending;
pub mod explanation;
pub mod factors;
mod failure;
pub mod fresh_proof;
pub mod giving_back;
pub mod interaction;
pub mod introspection;
pub mod keys;
pub mod linking;
pub mod local_accounts;
pub mod local_second_step;
pub mod login;
pub mod logout;
pub mod master_key;
pub mod mutual_tls;
pub mod notifications;
mod observations;
mod offered;
mod outages;
pub mod passkeys;
pub mod people;
mod possession;
pub mod pushed_authorization;
pub mod registration;
mod request_object;
pub mod revocation;
mod session_opening;
pub mod sign_in_pages;
pub mod signals;
mod subjects;
pub mod token;
mod trace;
pub mod trial;
mod unverified_notifications;
pub mod upstream_logout;
pub mod userinfo;

use std::sync::Arc;
use std::time::Duration;

use crate::protocol::ambient::{Clock, Entropy, Timestamp};
use crate::protocol::id::ConnectionId;
use crate::protocol::metadata::Offered;
use crate::protocol::notification::NotificationPolicy;
use crate::protocol::profile::Profile;
use crate::protocol::secret::Vault;
use crate::store::Store;
use crate::upstream::Connector;
use crate::upstream::http::Outbound;
use crate::upstream::key_sets::KeySets;
use tokio::sync::Notify;

pub use failure::{Failure, Fault};

use access_token::VerifiedTokens;
use admin::passwords::PasswordHasher;
use branding::Looks;
use client_documents::Documents;
use client_keys::ClientKeys;
use client_logos::ClientLogos;
use clients::ClientCache;
use connectors::Connectors;
use deliveries::Doorbell;
use factors::Factors;
use keys::KeyKeeper;
use master_key::VaultKeeper;
use mutual_tls::MutualTls;
use observations::Observations;
use outages::Outages;
use registration::RegistrationPolicy;

/// How long things live.
#[derive(Clone, Debug)]
pub struct Policy {
    /// An authorization code (RFC 6749 §4.1.2 allows ten minutes; FAPI one).
    pub authorization_code_ttl: Duration,
    /// An authorization request waiting for its person.
    pub interaction_ttl: Duration,
    /// A journey to an upstream (apple.md §10.4).
    pub departure_ttl: Duration,
    /// A browser session.
    pub session_ttl: Duration,
    /// An ID token.
    pub id_token_ttl: Duration,
    /// An access token for the issuer itself; an API sets its own.
    pub access_token_ttl: Duration,
    /// A name told once, waiting for its account (apple.md §4).
    pub pending_profile_ttl: Duration,
    /// A nonce from the native challenge endpoint (contract §3).
    pub native_challenge_ttl: Duration,
    /// Whether DPoP proofs must hold a nonce of ours (RFC 9449 §8).
    pub require_dpop_nonce: bool,
    /// A pushed authorization request waiting for its browser (RFC 9126 §2.2).
    pub pushed_request_ttl: Duration,
    /// The profile that no client is laxer than.
    pub minimum_profile: Profile,
    /// How long a signing key signs before its successor takes over.
    pub key_rotation: Duration,
    /// What becomes of people whom an upstream gives up.
    pub notifications: NotificationPolicy,
}

impl Default for Policy {
    fn default() -> Self {
        const MINUTE: u64 = 60;
        const DAY: u64 = 24 * 60 * MINUTE;
        Self {
            authorization_code_ttl: Duration::from_secs(MINUTE),
            interaction_ttl: Duration::from_secs(60 * MINUTE),
            departure_ttl: Duration::from_secs(30 * MINUTE),
            session_ttl: Duration::from_secs(30 * DAY),
            id_token_ttl: Duration::from_secs(60 * MINUTE),
            access_token_ttl: Duration::from_secs(10 * MINUTE),
            pending_profile_ttl: Duration::from_secs(DAY),
            native_challenge_ttl: Duration::from_secs(5 * MINUTE),
            require_dpop_nonce: false,
            pushed_request_ttl: Duration::from_secs(MINUTE),
            minimum_profile: Profile::Oidc,
            key_rotation: Duration::from_secs(90 * DAY),
            notifications: NotificationPolicy::default(),
        }
    }
}

/// Everything a [`Provider`] is made of.
pub struct Parts {
    /// The issuer identifier, without trailing slash.
    pub issuer: String,
    /// How long things live.
    pub policy: Policy,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where unpredictable bytes come from.
    pub entropy: Arc<dyn Entropy>,
    /// The keys in use, kept in step with the database.
    pub vault_keeper: Arc<VaultKeeper>,
    /// What is remembered.
    pub store: Store,
    /// The upstreams of the configuration file, in the order people are offered them.
    pub connectors: Vec<Arc<dyn Connector>>,
    /// What clients' certificates are good for.
    pub mutual_tls: MutualTls,
    /// How clients, upstreams and others are reached.
    pub outbound: Outbound,
    /// What passwords of local accounts are compared with; `None` offers none.
    pub local_passwords: Option<Arc<PasswordHasher>>,
    /// What clients may register themselves for.
    pub registration: RegistrationPolicy,
}

/// The OpenID Provider.
pub struct Provider {
    issuer: String,
    policy: Policy,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    vault: Arc<Vault>,
    vault_keeper: Arc<VaultKeeper>,
    store: Store,
    connectors: Connectors,
    local_passwords: Option<Arc<PasswordHasher>>,
    factors: Factors,
    keys: Arc<KeyKeeper>,
    clients: ClientCache,
    client_keys: ClientKeys,
    mutual_tls: MutualTls,
    verified: VerifiedTokens,
    inbox: Arc<Notify>,
    outbound: Outbound,
    doorbell: Doorbell,
    key_sets: KeySets,
    registration: RegistrationPolicy,
    documents: Documents,
    observations: Observations,
    outages: Outages,
    looks: Looks,
    logos: ClientLogos,
}

impl Provider {
    /// Puts the provider together. Signing keys are made or loaded by [`KeyKeeper::start`].
    pub fn new(parts: Parts) -> Self {
        let keys = Arc::new(KeyKeeper::new(
            parts.store.clone(),
            Arc::clone(parts.vault_keeper.vault()),
            Arc::clone(&parts.clock),
            parts.policy.key_rotation,
        ));
        let factors = Factors::new(
            parts.store.clone(),
            Arc::clone(parts.vault_keeper.vault()),
            Arc::clone(&parts.entropy),
        );
        Self {
            issuer: parts.issuer,
            policy: parts.policy,
            clock: parts.clock,
            entropy: parts.entropy,
            vault: Arc::clone(parts.vault_keeper.vault()),
            vault_keeper: parts.vault_keeper,
            clients: ClientCache::new(parts.store.clone()),
            client_keys: ClientKeys::new(parts.outbound.clone()),
            mutual_tls: parts.mutual_tls,
            store: parts.store,
            connectors: Connectors::new(parts.connectors, parts.outbound.clone()),
            local_passwords: parts.local_passwords,
            factors,
            keys,
            verified: VerifiedTokens::new(),
            inbox: Arc::default(),
            key_sets: KeySets::new(parts.outbound.clone()),
            registration: parts.registration,
            documents: Documents::new(),
            observations: Observations::default(),
            outages: Outages::default(),
            looks: Looks::default(),
            logos: ClientLogos::new(parts.outbound.clone()),
            outbound: parts.outbound,
            doorbell: Doorbell::default(),
        }
    }

    /// The issuer identifier.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The resource that this provider itself is: userinfo (RFC 9728).
    pub fn own_resource(&self) -> String {
        format!("{}{}", self.issuer, crate::protocol::metadata::path::USERINFO)
    }

    /// Whether a `client_id` may be the address of its metadata document.
    pub fn takes_metadata_documents(&self) -> bool {
        self.registration.metadata_documents
    }

    /// The keeper of the keys that seal and hash.
    pub fn vault_keeper(&self) -> &Arc<VaultKeeper> {
        &self.vault_keeper
    }

    /// The signing keys.
    pub fn keys(&self) -> &Arc<KeyKeeper> {
        &self.keys
    }

    /// The configured upstreams, in the order people are offered them.
    pub fn connectors(&self) -> Arc<[Arc<dyn Connector>]> {
        self.connectors.all()
    }

    /// What discovery says beyond what is always offered.
    pub fn offered(&self) -> Offered {
        Offered {
            local_accounts: self.offers_local_accounts(),
            minimum_profile: self.policy.minimum_profile,
            certificate_methods: self.mutual_tls.methods(),
            mtls_base_url: self.mutual_tls.base_url.clone(),
        }
    }

    /// The connector with this name.
    pub fn connector(&self, id: &ConnectionId) -> Option<Arc<dyn Connector>> {
        self.connectors.find(id)
    }

    /// The connector that can present an upstream grant of this authority and upstream client; its
    /// [`Connector::lifecycle`] is there.
    pub fn connector_holding(
        &self,
        authority: &str,
        client_id: &str,
    ) -> Option<Arc<dyn Connector>> {
        self.connectors.holding(authority, client_id)
    }

    /// The connections through which this authority's people come.
    pub fn connections_of(&self, authority: &str) -> Vec<ConnectionId> {
        self.connectors.of_authority(authority)
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Draws a machine secret, for the doors' own cookies.
    pub fn random_secret(&self) -> crate::protocol::secret::SecretString {
        crate::protocol::secret::SecretString::random(self.entropy.as_ref())
    }

    /// A name for a request, to find it again in logs and pages.
    pub fn request_id(&self) -> String {
        use base64::Engine as _;
        let bytes = crate::protocol::ambient::random::<12>(self.entropy.as_ref());
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Whether the database answers and every key is ready.
    ///
    /// # Errors
    /// The fault that keeps the provider from working.
    pub async fn ready(&self) -> Result<(), Fault> {
        self.store.ping().await?;
        if self.keys.is_complete() { Ok(()) } else { Err(Fault::KeysNotReady) }
    }

    /// Forgets pictures that nothing names any more, in bounded batches.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn sweep_pictures(&self) -> Result<u64, Fault> {
        Ok(self.store.sweep_pictures(self.clock.now(), 100).await?)
    }

    /// Deletes what has expired, in bounded batches.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn sweep(&self) -> Result<u64, Fault> {
        Ok(self.store.sweep(self.clock.now(), 500).await?)
    }
}
