//! Clients that are named by the address of their metadata — Client ID Metadata Documents
//! (draft-ietf-oauth-client-id-metadata-document).
//!
//! The document is fetched through the guarded client, kept as a row like any other client, and
//! looked at again after an hour. Such a client keeps no secret, and people are always asked: the
//! page shows the host that its name comes from.

use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use url::Url;

use super::registration::give_resources;
use super::{Failure, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::client::Client;
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::ClientId;
use crate::protocol::json;
use crate::protocol::registration::{self, document_url};
use crate::store::StoreFault;

/// How long a document is good.
const FRESH: Duration = Duration::from_secs(3600);
/// How long it still counts when its host does not answer.
const LAST_GOOD: Duration = Duration::from_secs(24 * 3600);
/// How long an address that gave nothing good is not asked again: anybody can send one.
const AFTER_FAILURE: Duration = Duration::from_secs(60);
/// A longer document is not looked at.
const MAX_DOCUMENT: usize = 16 * 1024;
/// Documents fetched at the same time.
const AT_ONCE: usize = 8;

/// What is known of addresses that were tried.
pub(super) struct Documents {
    failed: moka::sync::Cache<ClientId, Timestamp>,
    places: Semaphore,
}

impl Documents {
    pub(super) fn new() -> Self {
        Self { failed: moka::sync::Cache::new(1_000), places: Semaphore::new(AT_ONCE) }
    }
}

impl Provider {
    /// The client with this `client_id`: registered here, or by its own document.
    pub(super) async fn known_client(
        &self,
        id: &ClientId,
        now: Timestamp,
    ) -> Result<Option<Client>, Failure> {
        let found = self.store.find_client(id).await?;
        let Some(url) = self.document_of(id) else { return Ok(found) };
        let age = match &found {
            None => Duration::MAX,
            Some(client) => match client.settings.client_id_metadata_fetched_at {
                // An operator's own.
                None => return Ok(found),
                Some(at) => now.since(Timestamp::from_secs(at)),
            },
        };
        if age < FRESH || found.as_ref().is_some_and(|client| client.disabled_at.is_some()) {
            return Ok(found);
        }
        let pause = self.documents.failed.get(id);
        let outcome = if pause.is_some_and(|at| now.since(at) < AFTER_FAILURE) {
            Err(Refusal::invalid_client("client_id: its document was not good a moment ago"))
        } else {
            self.fetch_document(id, &url, now).await
        };
        match (outcome, found) {
            (Ok(fetched), found) => self.keep_document(fetched, found, now).await.map(Some),
            (Err(refusal), Some(client)) if age < LAST_GOOD => {
                tracing::warn!(client_id = %id, %refusal, "a client's document is kept as it was");
                Ok(Some(client))
            }
            (Err(refusal), _) => Err(refusal.into()),
        }
    }

    fn document_of(&self, id: &ClientId) -> Option<Url> {
        let policy = &self.registration;
        let url = document_url(id.as_str()).filter(|_| policy.metadata_documents)?;
        let host = url.host_str()?.to_owned();
        let hosts = &policy.document_hosts;
        (hosts.is_empty() || hosts.contains(&host)).then_some(url)
    }

    async fn fetch_document(
        &self,
        id: &ClientId,
        url: &Url,
        now: Timestamp,
    ) -> Result<Client, Refusal> {
        let busy = || Refusal::temporarily_unavailable("too many documents are fetched; try again");
        let _place = self.documents.places.try_acquire().map_err(|_| busy())?;
        let fetched = match self.outbound.get(url).await {
            Ok(answer) if answer.status == 200 && answer.body.len() <= MAX_DOCUMENT => {
                read(id, url, &answer.body, now)
            }
            Ok(answer) => Err(format!("status {} or too long", answer.status)),
            Err(error) => Err(error.to_string()),
        };
        let judged = match fetched {
            Ok((mut client, metadata)) => match self.admit(&mut client, &metadata).await {
                Ok(()) => Ok(client),
                Err(refusal) => Err(refusal.description),
            },
            Err(why) => Err(why),
        };
        judged.map_err(|why| {
            self.documents.failed.insert(id.clone(), now);
            Refusal::invalid_client("client_id: its metadata document cannot be used").detail(why)
        })
    }

    /// Stores what was fetched, over what was known.
    async fn keep_document(
        &self,
        mut fetched: Client,
        found: Option<Client>,
        now: Timestamp,
    ) -> Result<Client, Failure> {
        let resources = self.registration.resources.clone();
        if let Some(known) = &found {
            fetched.created_at = known.created_at;
            fetched.version = known.version;
        }
        let fresh = found.is_none();
        let id = fetched.client_id.clone();
        let kept = fetched.clone();
        let stored: Result<Client, Failure> = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let mut client = kept;
                    give_resources(tx, &resources, &mut client).await?;
                    if fresh {
                        tx.insert_client(&client, None).await?;
                        let event = Event::new(now, "client.registered", "system")
                            .target(client.client_id.to_string());
                        tx.record(&event).await?;
                    } else {
                        // Somebody who was faster has stored the same document.
                        tx.update_client(&client).await?;
                    }
                    Ok(client)
                })
            })
            .await;
        self.forget_client(&id).await;
        match stored {
            Err(Failure::Fault(super::Fault::Store(StoreFault::Conflict(_)))) => {
                Ok(self.store.find_client(&id).await?.unwrap_or(fetched))
            }
            other => other,
        }
    }
}

type Metadata = Map<String, Value>;

fn read(
    id: &ClientId,
    url: &Url,
    body: &[u8],
    now: Timestamp,
) -> Result<(Client, Metadata), String> {
    let mut metadata: Metadata =
        json::object(body).map_err(|error| format!("it is not a JSON object: {error}"))?;
    if metadata.get("client_id").and_then(Value::as_str) != Some(id.as_str()) {
        return Err("its client_id is not its address".to_owned());
    }
    if metadata.contains_key("client_secret") || metadata.contains_key("client_secret_expires_at") {
        return Err("it holds a secret".to_owned());
    }
    // A public document cannot share a secret; the default of RFC 7591 would be one.
    let method = metadata.entry("token_endpoint_auth_method").or_insert_with(|| "none".into());
    if method.as_str().is_some_and(|method| method.starts_with("client_secret")) {
        return Err("token_endpoint_auth_method wants a secret".to_owned());
    }
    metadata
        .entry("client_name")
        .or_insert_with(|| url.host_str().unwrap_or_default().to_owned().into());
    let kind = registration::kind(&metadata).map_err(|refusal| refusal.description)?;
    let mut client = Client::of_kind(id.clone(), kind, now);
    registration::apply(&mut client, &metadata).map_err(|refusal| refusal.description)?;
    client.require_pkce = true;
    client.settings.client_id_metadata_fetched_at = Some(now.secs());
    Ok((client, metadata))
}
