//! What is observed while clients are served: gathered in memory, and written in batches by a job
//! on each replica, so that no request waits for it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::clients::RegisteredClient;
use super::interaction::Interaction;
use super::{Failure, Fault, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::client::{GrantType, TokenEndpointAuthMethod};
use crate::protocol::id::{ClientId, ConnectionId, InteractionId};
use crate::protocol::observation::Observation;
use crate::protocol::params::Params;
use crate::protocol::secret::SecretHash;
use crate::protocol::sign_in_cause::Cause;
use crate::store::observations::Fetcher;
use crate::store::sign_in_counts::SignIns;
use crate::store::single_use::SingleUse;

/// Clients that are told apart between two flushes; those beyond wait for the next.
const CLIENTS: usize = 10_000;

/// What was seen since the last flush.
#[derive(Default)]
struct Seen {
    clients: HashMap<ClientId, Observation>,
    secrets: HashMap<(ClientId, String), Timestamp>,
    sign_ins: HashMap<SignIns, u64>,
}

/// What this replica has seen and not yet written.
#[derive(Default)]
pub(super) struct Observations {
    seen: Mutex<Seen>,
    /// Held while it is written, so that whoever flushes finds all that came before.
    flushing: tokio::sync::Mutex<()>,
}

impl Observations {
    fn with(&self, id: &ClientId, note: impl FnOnce(&mut Observation)) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.clients.len() < CLIENTS || seen.clients.contains_key(id) {
            note(seen.clients.entry(id.clone()).or_default());
        }
    }

    /// A client got a token.
    pub(super) fn token(&self, id: &ClientId, grant_type: GrantType, now: Timestamp) {
        self.with(id, |client| client.token = Some((now, grant_type)));
    }

    /// A client proved who it is, perhaps by a secret with this hash.
    pub(super) fn authenticated(
        &self,
        registered: &RegisteredClient,
        method: TokenEndpointAuthMethod,
        hash: Option<SecretHash>,
        now: Timestamp,
    ) {
        let client = &registered.client;
        self.with(&client.client_id, |client| client.authenticated = Some((now, method)));
        let secret = hash.and_then(|hash| registered.secrets.iter().find(|it| it.hash == hash));
        if let Some(secret) = secret {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.secrets.len() < CLIENTS {
                seen.secrets.insert((client.client_id.clone(), secret.id.clone()), now);
            }
        }
    }

    /// A client sent an authorization request.
    pub(super) fn asked(&self, id: &ClientId, with_pkce: bool, now: Timestamp) {
        self.with(id, |client| {
            let at = if with_pkce { &mut client.pkce_at } else { &mut client.no_pkce_at };
            *at = Some(now);
        });
    }

    /// Somebody signed in at a client, or failed to.
    pub(super) fn signed_in(
        &self,
        client_id: &ClientId,
        connection_id: &ConnectionId,
        cause: Option<Cause>,
        now: Timestamp,
    ) {
        let kind = SignIns {
            day: SignIns::day_of(now),
            client_id: client_id.clone(),
            connection_id: connection_id.clone(),
            cause,
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.sign_ins.len() < CLIENTS || seen.sign_ins.contains_key(&kind) {
            let number = seen.sign_ins.entry(kind).or_default();
            *number = number.saturating_add(1);
        }
    }

    fn take(&self) -> Seen {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Why a sign-in failed.
pub(super) fn cause_of(failure: &Failure) -> Cause {
    match failure {
        Failure::Refused(refusal) => Cause::of(
            Some(refusal.code.as_str()),
            &refusal.description,
            refusal.detail.as_deref().unwrap_or_default(),
        ),
        Failure::Fault(_) => Cause::Ours,
    }
}

impl Provider {
    /// Counts a sign-in that came back from an upstream, for the client whose request waits.
    pub(super) async fn count_sign_in(
        &self,
        id: &InteractionId,
        connection: &ConnectionId,
        cause: Option<Cause>,
        now: Timestamp,
    ) {
        let parked = self.store.find_parked(SingleUse::Interaction, id.as_str()).await;
        let Ok(Some(parked)) = parked else { return };
        if let Ok(waiting) = serde_json::from_slice::<Interaction>(&parked.payload) {
            self.observations.signed_in(&waiting.client_id, connection, cause, now);
        }
    }

    /// Counts a native sign-in (contract §3); other exchanges sign nobody in.
    pub(super) fn observe_native<T>(
        &self,
        client_id: &ClientId,
        params: &Params,
        answer: &Result<T, Failure>,
        now: Timestamp,
    ) {
        let Ok(Some(named)) = params.one("subject_issuer") else { return };
        let connection = ConnectionId::new(named);
        if self.connector(&connection).is_some() {
            let cause = answer.as_ref().err().map(cause_of);
            self.observations.signed_in(client_id, &connection, cause, now);
        }
    }

    /// Writes down what was seen, and who fetched the key set.
    ///
    /// # Errors
    /// The store's fault; then what was seen is lost, which is borne.
    pub async fn keep_observations(&self, fetchers: Vec<Fetcher>) -> Result<(), Fault> {
        let now = self.clock.now();
        let _flushing = self.observations.flushing.lock().await;
        let seen = self.observations.take();
        let nothing =
            seen.clients.is_empty() && seen.secrets.is_empty() && seen.sign_ins.is_empty();
        if nothing && fetchers.is_empty() {
            return Ok(());
        }
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.observe_clients(&seen.clients).await?;
                    tx.secrets_used(&seen.secrets).await?;
                    tx.add_sign_ins(&seen.sign_ins, now).await?;
                    tx.key_set_fetched(&fetchers, now).await?;
                    Ok::<_, Fault>(())
                })
            })
            .await
    }
}
