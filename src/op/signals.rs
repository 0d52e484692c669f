//! Shared signals: what happened to a person, told to every client that knows them and asked to
//! hear it — RFC 8417, OpenID RISC 1.0 and CAEP 1.0.
//!
//! Called inside the act that makes it true, so that an event is owed exactly when it happened.

use std::collections::HashMap;

use serde_json::Map;

use crate::protocol::ambient::Timestamp;
use crate::protocol::client::Client;
use crate::protocol::delivery::Message;
use crate::protocol::id::{ClientId, UserId};
use crate::protocol::security_event::{EventType, SecurityEvent};
use crate::protocol::user::User;
use crate::store::{StoreFault, WriteTx};

/// Tells everybody who knows this person and asked for such events.
///
/// # Errors
/// The store's fault.
pub async fn emit(
    tx: &WriteTx,
    user_id: &UserId,
    event: &SecurityEvent,
    now: Timestamp,
) -> Result<(), StoreFault> {
    emit_because(tx, user_id, event, None, now).await
}

/// Tells what follows from a change of somebody's profile: a new address, or mail to it switched
/// off or on.
///
/// # Errors
/// The store's fault.
pub async fn profile_changed(
    tx: &WriteTx,
    before: &User,
    after: &User,
    now: Timestamp,
) -> Result<(), StoreFault> {
    if before.email != after.email {
        emit(tx, &after.id, &SecurityEvent::IdentifierChanged, now).await?;
    }
    if before.email_verified != after.email_verified {
        let mut claims = Map::new();
        claims.insert("email_verified".to_owned(), after.email_verified.into());
        emit(tx, &after.id, &SecurityEvent::TokenClaimsChange { claims }, now).await?;
    }
    Ok(())
}

/// Tells that mail to a relay address is delivered again, or no longer (apple.md §8).
///
/// # Errors
/// The store's fault.
pub async fn forwarding_changed(
    tx: &WriteTx,
    user_id: &UserId,
    delivered: bool,
    now: Timestamp,
) -> Result<(), StoreFault> {
    let mut claims = Map::new();
    claims.insert("email_delivered".to_owned(), delivered.into());
    emit(tx, user_id, &SecurityEvent::TokenClaimsChange { claims }, now).await
}

/// The same, as part of something whose deliveries are counted.
pub(super) async fn emit_because(
    tx: &WriteTx,
    user_id: &UserId,
    event: &SecurityEvent,
    cause: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreFault> {
    let mut clients = Receivers::default();
    for link in tx.links_of_user(user_id).await? {
        if let Some(client) = clients.find(tx, &link.client_id).await?
            && wants(client, event)
        {
            let message = Message::SecurityEvent { sub: link.sub, event: event.clone() };
            tx.owe(&link.client_id, &message, cause, now).await?;
        }
    }
    Ok(())
}

/// Tells one client.
pub(super) async fn emit_to(
    tx: &WriteTx,
    client: &Client,
    sub: &str,
    event: &SecurityEvent,
    cause: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreFault> {
    if !wants(client, event) {
        return Ok(());
    }
    let message = Message::SecurityEvent { sub: sub.to_owned(), event: event.clone() };
    tx.owe(&client.client_id, &message, cause, now).await
}

fn wants(client: &Client, event: &SecurityEvent) -> bool {
    let event_type = event.event_type();
    let uri = event_type.uri();
    let about_email = match event_type {
        EventType::IdentifierChanged | EventType::TokenClaimsChange => true,
        EventType::SessionRevoked
        | EventType::CredentialChange
        | EventType::AccountPurged
        | EventType::AccountDisabled
        | EventType::AccountEnabled => false,
    };
    // Who may not ask for the address need not know that there is another.
    (!about_email || client.scope.iter().any(|scope| scope == "email"))
        && client.settings.security_events_endpoint.is_some()
        && client
            .settings
            .security_events_requested
            .as_ref()
            .is_none_or(|requested| requested.iter().any(|wanted| wanted == uri))
}

/// Clients as they are now, each read once; a disabled one is told nothing.
#[derive(Default)]
pub(super) struct Receivers(HashMap<ClientId, Option<Client>>);

impl Receivers {
    pub(super) async fn find(
        &mut self,
        tx: &WriteTx,
        id: &ClientId,
    ) -> Result<Option<&Client>, StoreFault> {
        if !self.0.contains_key(id) {
            let client = tx.find_client(id).await?.filter(|client| client.disabled_at.is_none());
            self.0.insert(id.clone(), client);
        }
        Ok(self.0.get(id).and_then(Option::as_ref))
    }
}
