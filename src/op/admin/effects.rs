//! What a change touches, counted before it is made, and what stands against what was typed.

use serde_json::{Value, json};

use super::metadata::{api_metadata, client_metadata};
use super::{AdminError, Administration, ApiChange, ClientChange, EventQuery, RecordedEvent};
use crate::protocol::api::Api;
use crate::protocol::client::Client;
use crate::protocol::id::{ConnectionId, Holder};
use crate::store::living::{Living, Of};

/// What a change touches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Clients that have to do with it; `None` where it is one itself.
    pub clients: Option<u64>,
    /// What is alive through it.
    pub living: Living,
}

impl Administration {
    /// What a change of this client touches.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn effects_on_client(&self, client: &Client) -> Result<Effects, AdminError> {
        let living = self.count_living(&Of::Client(client.client_id.clone())).await?;
        Ok(Effects { clients: None, living })
    }

    /// What a change of this API touches.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn effects_on_api(&self, identifier: &str) -> Result<Effects, AdminError> {
        let clients = Some(self.store.count_clients_of_api(identifier).await?);
        let living = self.count_living(&Of::Api(identifier.to_owned())).await?;
        Ok(Effects { clients, living })
    }

    /// What a change of this connection touches.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn effects_on_connection(&self, id: &ConnectionId) -> Result<Effects, AdminError> {
        let living = self.count_living(&Of::Connection(id.clone())).await?;
        Ok(Effects { clients: None, living })
    }

    /// A client as it stands, and as this change would leave it.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] for a change that cannot be read.
    pub fn client_after(
        &self,
        client: &Client,
        change: ClientChange,
    ) -> Result<(Value, Value), AdminError> {
        let mut after = client.clone();
        change.apply(&mut after, self.clock.now())?;
        Ok((client_metadata(client), client_metadata(&after)))
    }

    /// An API as it stands, and as this change would leave it.
    pub fn api_after(api: &Api, change: ApiChange) -> (Value, Value) {
        let mut after = api.clone();
        change.apply(&mut after);
        (api_metadata(api), api_metadata(&after))
    }

    /// Who changed it last.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn last_change(
        &self,
        kind: &str,
        target: &str,
    ) -> Result<Option<RecordedEvent>, AdminError> {
        let query = EventQuery {
            kind: Some(kind.to_owned()),
            target: Some(target.to_owned()),
            limit: 1,
            ..EventQuery::default()
        };
        Ok(self.store.list_events(&query).await?.into_iter().next())
    }

    /// How many events a retention of so many days lets go at once; a hundred thousand at most.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn events_older_than(&self, days: u32) -> Result<u64, AdminError> {
        let keep = std::time::Duration::from_secs(u64::from(days).saturating_mul(24 * 3600));
        Ok(self.store.count_events_before(self.clock.now().minus(keep)).await?)
    }

    /// Console accounts, not disabled, that a password alone opens.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn bare_admins(&self) -> Result<Vec<String>, AdminError> {
        let mut admins = self.list_admins().await?;
        admins.retain(|admin| admin.disabled_at.is_none());
        let holders: Vec<_> = admins.iter().map(|admin| Holder::admin(&admin.id)).collect();
        let good = self.store.list_with_factors(&holders).await?;
        admins.retain(|admin| !good.contains(&Holder::admin(&admin.id)));
        Ok(admins.into_iter().map(|admin| admin.username).collect())
    }
}

/// The rights of a console account as a document.
pub fn admin_metadata(admin: &crate::protocol::admin::Admin) -> Value {
    json!({
        "role": admin.role.as_str(),
        "clients": admin.clients,
        "disabled": admin.disabled_at.is_some(),
    })
}
