//! A client's secrets: several at once, each with a name and perhaps an end, so that one can
//! follow another without an outage.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::json;

use super::clients::RegisteredClient;
use super::rules::name_problem;
use super::{Actor, AdminError, Administration};
use crate::protocol::ambient::{Timestamp, random};
use crate::protocol::client::{Client, ClientSecret};
use crate::protocol::event::Event;
use crate::protocol::id::ClientId;
use crate::protocol::observation::Observation;
use crate::protocol::secret::SecretString;
use crate::store::WriteTx;
use crate::store::observations::Fetcher;

/// How long the old secret stays good after a rotation, unless said otherwise: a day.
pub const SECRET_OVERLAP: Duration = Duration::from_secs(24 * 3600);
/// The longest overlap that may be asked for: thirty days.
pub const MAX_SECRET_OVERLAP: Duration = Duration::from_secs(30 * 24 * 3600);
/// Secrets of one client that are good at the same time.
pub const MOST_SECRETS: usize = 5;
/// The longest life that a secret with an end may have: two years.
const LONGEST_LIFE: Duration = Duration::from_secs(2 * 366 * 24 * 3600);

/// What becomes of the secrets that a client has when it is given another.
#[derive(Clone, Copy)]
enum Others {
    /// They end at this moment.
    End(Timestamp),
    /// Those that are good now stay, and must not be too many.
    Stay(Timestamp),
}

impl Administration {
    /// Gives a client a new secret. The old ones stay good for `overlap`, so that the app can be
    /// changed over without an outage.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] for a client that keeps no secret and for an overlap above
    /// [`MAX_SECRET_OVERLAP`].
    pub async fn rotate_client_secret(
        &self,
        actor: &Actor,
        id: &ClientId,
        overlap: Duration,
    ) -> Result<RegisteredClient, AdminError> {
        actor.must_edit(id)?;
        if overlap > MAX_SECRET_OVERLAP {
            return Err(AdminError::invalid("overlap", "must be thirty days at most"));
        }
        let now = self.clock.now();
        let (client_secret, stored) = self.draw_secret(now);
        let event = actor
            .event(now, "client.secret_rotated", id.as_str())
            .detail(json!({ "overlap_seconds": overlap.as_secs() }));
        let client = self.give_secret(id, stored, Others::End(now.plus(overlap)), event).await?;
        Ok(RegisteredClient { client, client_secret: Some(client_secret) })
    }

    /// Gives a client one more secret beside those it has: for another place that it runs at, or
    /// for a limited time.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] for a client that keeps no secret, one that has
    /// [`MOST_SECRETS`] already, and for a name or a life that will not do.
    pub async fn add_client_secret(
        &self,
        actor: &Actor,
        id: &ClientId,
        name: &str,
        life: Option<Duration>,
    ) -> Result<RegisteredClient, AdminError> {
        actor.must_edit(id)?;
        if let Some(problem) = name_problem(name) {
            return Err(AdminError::invalid("secret_name", problem));
        }
        if life.is_some_and(|life| life.is_zero() || life > LONGEST_LIFE) {
            return Err(AdminError::invalid("secret_life", "must be two years at most"));
        }
        let now = self.clock.now();
        let (client_secret, mut stored) = self.draw_secret(now);
        stored.name = Some(name.trim().to_owned());
        stored.expires_at = life.map(|life| now.plus(life));
        let event = actor.event(now, "client.secret_added", id.as_str()).detail(json!({
            "secret": stored.id,
            "name": stored.name,
            "expires_at": stored.expires_at.map(Timestamp::secs),
        }));
        let client = self.give_secret(id, stored, Others::Stay(now), event).await?;
        Ok(RegisteredClient { client, client_secret: Some(client_secret) })
    }

    async fn give_secret(
        &self,
        id: &ClientId,
        given: ClientSecret,
        others: Others,
        event: Event,
    ) -> Result<Client, AdminError> {
        let id = id.clone();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let client = keeper_of_secrets(tx, &id).await?;
                    if let Others::Stay(now) = others {
                        let good = tx.find_client_secrets(&id).await?;
                        if good.iter().filter(|one| one.is_good(now)).count() >= MOST_SECRETS {
                            let message =
                                format!("is one too many: {MOST_SECRETS} are good already");
                            return Err(AdminError::invalid("secret_name", message));
                        }
                    }
                    tx.insert_client_secret(&id, &given).await?;
                    if let Others::End(at) = others {
                        tx.expire_client_secrets(&id, &given.id, at).await?;
                    }
                    tx.record(&event).await?;
                    Ok::<_, AdminError>(client)
                })
            })
            .await
    }

    /// Takes one secret from a client, at once.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when it is not there.
    pub async fn revoke_client_secret(
        &self,
        actor: &Actor,
        id: &ClientId,
        secret: &str,
    ) -> Result<(), AdminError> {
        actor.must_edit(id)?;
        let event = actor
            .event(self.clock.now(), "client.secret_revoked", id.as_str())
            .detail(json!({ "secret": secret }));
        let (id, secret) = (id.clone(), secret.to_owned());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    if !tx.delete_client_secret(&id, &secret).await? {
                        return Err(AdminError::NotFound);
                    }
                    Ok(tx.record(&event).await?)
                })
            })
            .await
    }

    /// A client's secrets, newest first; their hashes prove nothing.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn client_secrets(&self, id: &ClientId) -> Result<Vec<ClientSecret>, AdminError> {
        Ok(self.store.find_client_secrets(id).await?)
    }

    /// What was observed of a client, as far as it has been written down.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn observation(&self, id: &ClientId) -> Result<Observation, AdminError> {
        Ok(self.store.find_observation(id).await?)
    }

    /// When these clients last obtained a token, as far as it has been written down.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn last_tokens(
        &self,
        ids: &[&ClientId],
    ) -> Result<HashMap<ClientId, Timestamp>, AdminError> {
        Ok(self.store.last_tokens(ids).await?)
    }

    /// Who fetched the key set, as far as it has been written down.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn key_set_fetchers(&self) -> Result<Vec<Fetcher>, AdminError> {
        Ok(self.store.list_key_set_fetchers().await?)
    }

    pub(super) fn draw_secret(&self, now: Timestamp) -> (SecretString, ClientSecret) {
        use base64::Engine as _;
        let secret = SecretString::random(self.entropy.as_ref());
        let id = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .encode(random::<9>(self.entropy.as_ref()));
        let hash = self.vault.hash(secret.expose());
        (secret, ClientSecret::new(id, hash, now))
    }
}

async fn keeper_of_secrets(tx: &WriteTx, id: &ClientId) -> Result<Client, AdminError> {
    let client = tx.find_client(id).await?.ok_or(AdminError::NotFound)?;
    let method = client.token_endpoint_auth_method;
    if !method.uses_secret() {
        let message = format!("is {}: this client keeps no secret", method.as_str());
        return Err(AdminError::invalid("token_endpoint_auth_method", message));
    }
    Ok(client)
}
