//! The receivers of what Russet tells clients: the credential they want to see, and what became of
//! each delivery.

use super::{Actor, AdminError, Administration};
use crate::op::deliveries::event_bearer_bound_to;
use crate::protocol::admin::Role;
use crate::protocol::delivery::Delivery;
use crate::protocol::id::ClientId;
use crate::protocol::secret::SecretString;
use crate::store::outbox::DeliveryQuery;

/// As long as a bearer token may be.
const MAX_BEARER: usize = 4096;

impl Administration {
    /// Keeps the bearer token that a client's receiver of security events wants to see, sealed;
    /// `None` takes it away. It is never shown again.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] without such a client; [`AdminError::Invalid`] for a text that
    /// cannot stand in a header (RFC 6750 §2.1).
    pub async fn set_event_bearer(
        &self,
        actor: &Actor,
        id: &ClientId,
        bearer: Option<&SecretString>,
    ) -> Result<(), AdminError> {
        actor.must_be(Role::Admin)?;
        let sealed = match bearer {
            None => None,
            Some(bearer) => {
                let text = bearer.expose();
                let good = (1..=MAX_BEARER).contains(&text.len())
                    && text.bytes().all(|b| b.is_ascii_graphic());
                if !good {
                    return Err(AdminError::invalid(
                        "security_events_bearer",
                        "must be printable ASCII without blanks",
                    ));
                }
                Some(self.vault.seal(&event_bearer_bound_to(id), text.as_bytes())?)
            }
        };
        let event = actor.event(self.clock.now(), "client.event_bearer_changed", id.as_str());
        let id = id.clone();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    if tx.find_client(&id).await?.is_none() {
                        return Err(AdminError::NotFound);
                    }
                    tx.put_event_bearer(&id, sealed.as_deref()).await?;
                    Ok(tx.record(&event).await?)
                })
            })
            .await
    }

    /// What was and is owed to clients, newest first.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn deliveries(&self, query: &DeliveryQuery) -> Result<Vec<Delivery>, AdminError> {
        Ok(self.store.list_deliveries(query).await?)
    }

    /// Tries a given-up delivery again, for as long as it would have been tried at first.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is no such delivery, or it is not given up.
    pub async fn redeliver(&self, actor: &Actor, id: i64) -> Result<(), AdminError> {
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        let event = actor.event(now, "delivery.owed_again", &id.to_string());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let found = tx.find_delivery(id).await?.ok_or(AdminError::NotFound)?;
                    let message = found.message.ok_or(AdminError::NotFound)?;
                    if !tx.owe_again(id, now.plus(message.patience()), now).await? {
                        return Err(AdminError::NotFound);
                    }
                    Ok(tx.record(&event).await?)
                })
            })
            .await
    }
}
