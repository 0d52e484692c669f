//! Clients at the endpoints they call themselves — RFC 6749 §2.3, §3.2.1.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use super::{Failure, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::api::Api;
use crate::protocol::client::{Client, ClientSecret};
use crate::protocol::client_auth::Credentials;
use crate::protocol::error::Refusal;
use crate::protocol::id::ClientId;
use crate::protocol::params::Params;
use crate::protocol::presented::Presented;
use crate::store::{Store, StoreFault};

/// How long a client's or an API's row may be used without looking again: the longest time a
/// change made elsewhere stays unseen.
const CACHE_TTL: Duration = Duration::from_secs(1);
const CACHE_ENTRIES: u64 = 1_000;

/// A client with its secrets' hashes.
pub struct RegisteredClient {
    /// The metadata.
    pub client: Client,
    /// The secrets that may still be good.
    pub secrets: Vec<ClientSecret>,
}

/// Rows read on every token request, remembered for a second. Misses are not remembered, so a
/// client can be used the moment it is registered.
pub(super) struct ClientCache {
    store: Store,
    clients: Cache<ClientId, Arc<RegisteredClient>>,
    apis: Cache<String, Arc<Api>>,
}

impl ClientCache {
    pub(super) fn new(store: Store) -> Self {
        Self {
            store,
            clients: Cache::builder().max_capacity(CACHE_ENTRIES).time_to_live(CACHE_TTL).build(),
            apis: Cache::builder().max_capacity(CACHE_ENTRIES).time_to_live(CACHE_TTL).build(),
        }
    }

    async fn load(&self, id: &ClientId) -> Result<Option<Arc<RegisteredClient>>, StoreFault> {
        // An assertion or a request object can name anything; PostgreSQL takes no NUL in a text.
        if id.as_str().contains('\0') {
            return Ok(None);
        }
        let Some(client) = self.store.find_client(id).await? else { return Ok(None) };
        let secrets = self.store.find_client_secrets(id).await?;
        let registered = Arc::new(RegisteredClient { client, secrets });
        self.clients.insert(id.clone(), Arc::clone(&registered)).await;
        Ok(Some(registered))
    }
}

impl Provider {
    /// Forgets what is remembered of a client, after a change made here.
    pub async fn forget_client(&self, id: &ClientId) {
        self.clients.clients.invalidate(id).await;
    }

    /// Forgets what is remembered of an API, after a change made here.
    pub async fn forget_api(&self, identifier: &str) {
        self.clients.apis.invalidate(identifier).await;
    }

    /// The client that sent this request, proven by what it registered.
    pub(super) async fn authenticate_client(
        &self,
        presented: &Presented<'_>,
        params: &Params,
        now: Timestamp,
    ) -> Result<Arc<RegisteredClient>, Failure> {
        let credentials = Credentials::read(presented.authorization, params)?;
        let registered = match &credentials.assertion {
            Some(assertion) => {
                self.authenticate_by_assertion(&credentials.client_id, assertion, now).await?
            }
            None => self.authenticate_at_hand(&credentials, presented, now).await?,
        };
        let client = &registered.client;
        let hash = credentials.secret.as_ref().map(|secret| self.vault.hash(secret.expose()));
        self.profile_of(client).check_authentication(client.token_endpoint_auth_method)?;
        if client.disabled_at.is_some() {
            return Err(Refusal::invalid_client("client authentication failed")
                .detail("the client is disabled")
                .into());
        }
        // A certificate is not among the credentials.
        let shown = credentials.secret.is_some() || credentials.assertion.is_some();
        let method = if shown { credentials.method } else { client.token_endpoint_auth_method };
        self.observations.authenticated(&registered, method, hash, now);
        Ok(registered)
    }

    /// By what the request itself brings: a secret, a certificate, or nothing.
    async fn authenticate_at_hand(
        &self,
        credentials: &Credentials,
        presented: &Presented<'_>,
        now: Timestamp,
    ) -> Result<Arc<RegisteredClient>, Failure> {
        let hash = credentials.secret.as_ref().map(|secret| self.vault.hash(secret.expose()));
        let prove = async |registered: &RegisteredClient| {
            let client = &registered.client;
            if client.token_endpoint_auth_method.uses_certificate() && hash.is_none() {
                return self.prove_by_certificate(client, presented, now).await;
            }
            Ok(credentials.prove(client, &registered.secrets, hash, now)?)
        };
        let unknown =
            || Refusal::invalid_client("client authentication failed").detail("unknown client_id");
        if let Some(registered) = self.remembered_client(&credentials.client_id).await
            && prove(&registered).await.is_ok()
        {
            return Ok(registered);
        }
        // Not known, or changed within the last second: the row itself decides.
        let registered = self.load_client(&credentials.client_id).await?.ok_or_else(unknown)?;
        prove(&registered).await?;
        Ok(registered)
    }

    async fn prove_by_certificate(
        &self,
        client: &Client,
        presented: &Presented<'_>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let certificate = presented.certificate.as_deref();
        let registered = match certificate {
            Some(certificate) => self.has_registered(client, certificate, now).await?,
            None => false,
        };
        Ok(self.mutual_tls.prove(client, certificate, registered, now)?)
    }

    /// The client as it was within the last second, if it was asked for then.
    pub(super) async fn remembered_client(&self, id: &ClientId) -> Option<Arc<RegisteredClient>> {
        self.clients.clients.get(id).await
    }

    /// The client as it is.
    pub(super) async fn load_client(
        &self,
        id: &ClientId,
    ) -> Result<Option<Arc<RegisteredClient>>, Failure> {
        Ok(self.clients.load(id).await?)
    }

    /// The client of this name, as it was a second ago at the latest.
    pub(super) async fn client(
        &self,
        id: &ClientId,
    ) -> Result<Option<Arc<RegisteredClient>>, Failure> {
        match self.clients.clients.get(id).await {
            Some(registered) => Ok(Some(registered)),
            None => Ok(self.clients.load(id).await?),
        }
    }

    /// The registered APIs among `identifiers`, in that order.
    pub(super) async fn apis(&self, identifiers: &[String]) -> Result<Vec<Arc<Api>>, Failure> {
        let mut found = Vec::with_capacity(identifiers.len());
        for identifier in identifiers {
            // Almost always one, and almost always remembered: not a query in a loop.
            if let Some(api) = self.clients.apis.get(identifier.as_str()).await {
                found.push(api);
            } else if let Some(api) = self.store.find_api(identifier).await? {
                let api = Arc::new(api);
                self.clients.apis.insert(identifier.clone(), Arc::clone(&api)).await;
                found.push(api);
            }
        }
        Ok(found)
    }

    /// The origins of single-page applications: the only ones CORS opens the endpoints to.
    pub async fn spa_redirect_uris(&self) -> Result<Vec<String>, Failure> {
        Ok(self.store.list_spa_origins().await?)
    }
}
