//! Connections as administrators see them: those of the file and those of the database.

use serde_json::{Value, json};

use super::{AdminError, Administration};
use crate::protocol::connection::{Connection, ConnectionKind};
use crate::protocol::id::ConnectionId;
use crate::store::connections::StoredConnection;

/// A connection as administrators see it.
#[derive(Clone, Debug)]
pub struct ListedConnection {
    /// The connection.
    pub connection: Connection,
    /// Whether the configuration file describes it, so that it cannot be changed here.
    pub file_managed: bool,
    /// Whether it has a `client_secret`.
    pub has_client_secret: bool,
}

impl ListedConnection {
    /// The connection as JSON: its members, never a secret.
    pub fn to_json(&self) -> Value {
        let connection = &self.connection;
        let mut described = json!({
            "id": connection.id,
            "display_name": connection.display_name,
            "position": connection.position,
            "enabled": connection.enabled,
            "managed_by": if self.file_managed { "file" } else { "database" },
            "has_client_secret": self.has_client_secret,
            "callback_path": format!("/upstream/{}/callback", connection.id),
            "backchannel_logout_path": format!("/upstream/{}/backchannel_logout", connection.id),
        });
        if let (Some(members), Ok(Value::Object(settings))) =
            (described.as_object_mut(), serde_json::to_value(&connection.settings))
        {
            members.extend(settings);
            if connection.settings.kind() == ConnectionKind::Apple {
                let path = format!("/upstream/{}/notifications", connection.id);
                members.insert("notifications_path".to_owned(), json!(path));
            }
            if !self.file_managed {
                members.insert("created_at".to_owned(), json!(connection.created_at.secs()));
                members.insert("updated_at".to_owned(), json!(connection.updated_at.secs()));
                members.insert("version".to_owned(), json!(connection.version));
            }
        }
        described
    }
}

impl Administration {
    /// One connection, of the file or of the database.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when it is not there.
    pub async fn find_connection(&self, id: &str) -> Result<ListedConnection, AdminError> {
        if let Some(own) = self.file_connections.iter().find(|own| own.connection.id.as_str() == id)
        {
            return Ok(own.clone());
        }
        let stored = self.store.find_connection(&ConnectionId::new(id)).await?;
        self.listed(stored.ok_or(AdminError::NotFound)?)
    }

    /// Every connection, in the order people are offered them: those of the file first.
    ///
    /// # Errors
    /// The store's fault; a row that this master key does not open.
    pub async fn list_connections(&self) -> Result<Vec<ListedConnection>, AdminError> {
        let mut all: Vec<_> = self.file_connections.to_vec();
        for stored in self.store.list_connections().await? {
            if self.is_of_file(stored.connection.id.as_str()) {
                continue;
            }
            all.push(self.listed(stored)?);
        }
        Ok(all)
    }

    /// Those that are called so, or whose id is, among those that are `enabled` or `disabled`, if
    /// that is said.
    ///
    /// # Errors
    /// As [`Administration::list_connections`].
    pub async fn search_connections(
        &self,
        q: &str,
        state: &str,
    ) -> Result<Vec<ListedConnection>, AdminError> {
        let sought = q.to_lowercase();
        let mut all = self.list_connections().await?;
        all.retain(|listed| {
            let Connection { id, display_name, enabled, .. } = &listed.connection;
            (display_name.to_lowercase().contains(&sought) || id.as_str().contains(&sought))
                && (state.is_empty() || *enabled == (state == "enabled"))
        });
        Ok(all)
    }

    pub(super) fn listed(&self, stored: StoredConnection) -> Result<ListedConnection, AdminError> {
        let has_client_secret = self.opened(&stored)?.client_secret.is_some();
        Ok(ListedConnection {
            connection: stored.connection,
            file_managed: false,
            has_client_secret,
        })
    }

    pub(super) fn is_of_file(&self, id: &str) -> bool {
        self.file_connections.iter().any(|own| own.connection.id.as_str() == id)
    }
}
