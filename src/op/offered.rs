//! Which connections a client's people are offered.
//!
//! A client may be bound to some connections (`allowed_connections`), and a request may name the
//! one it wants (`connection`). Both are looked at on the page, at the departure, at the return and
//! at native sign-in: a rule that only a page keeps is none.

use std::sync::Arc;

use super::Provider;
use super::interaction::Interaction;
use crate::protocol::client::Client;
use crate::protocol::error::Refusal;
use crate::protocol::id::ConnectionId;
use crate::protocol::local_account::AUTHORITY as LOCAL;
use crate::upstream::Connector;

/// Whether a client's people may come through this connection.
///
/// # Errors
/// `access_denied`, for the client to hear.
pub(super) fn allowed(client: &Client, connection: &ConnectionId) -> Result<(), Refusal> {
    if client.settings.allows_connection(connection.as_str()) {
        Ok(())
    } else {
        Err(Refusal::access_denied("this client does not use this connection"))
    }
}

impl Provider {
    /// The connectors offered for a request: those that the client may use, or of them the one
    /// that the request names.
    pub(super) fn offered_connectors(
        &self,
        client: &Client,
        interaction: &Interaction,
    ) -> Vec<Arc<dyn Connector>> {
        let wanted = interaction.request.connection.as_deref();
        let fits = |connector: &&Arc<dyn Connector>| {
            let id = connector.id().as_str();
            client.settings.allows_connection(id) && wanted.is_none_or(|wanted| wanted == id)
        };
        self.connectors().iter().filter(fits).map(Arc::clone).collect()
    }

    /// Whether the password form is offered for a request.
    pub(super) fn offers_local_accounts_for(
        &self,
        client: &Client,
        interaction: &Interaction,
    ) -> bool {
        let wanted = interaction.request.connection.as_deref();
        self.offers_local_accounts()
            && client.settings.allows_connection(LOCAL)
            && wanted.is_none_or(|wanted| wanted == LOCAL)
    }

    /// Refuses a request that names a connection which is not there for its client.
    pub(super) fn check_wanted_connection(
        &self,
        client: &Client,
        interaction: &Interaction,
    ) -> Result<(), Refusal> {
        let there = interaction.request.connection.is_none()
            || !self.offered_connectors(client, interaction).is_empty()
            || self.offers_local_accounts_for(client, interaction);
        if there {
            Ok(())
        } else {
            Err(Refusal::invalid_request("connection is not one that this client may use"))
        }
    }
}
