//! Making, changing and removing connections.
//!
//! What the configuration file describes is shown here and changed there.

use serde_json::{Map, Value, json};

use super::{
    Actor, AdminError, Administration, FieldProblem, ListedConnection, checked, unchanged,
};
use crate::op::connectors::open_secrets;
use crate::protocol::admin::Role;
use crate::protocol::client::Client;
use crate::protocol::client_settings;
use crate::protocol::connection::{Connection, ConnectionSecrets, ConnectionSettings, problems};
use crate::protocol::id::ConnectionId;
use crate::protocol::secret::{SealError, SecretString};
use crate::store::clients::ListQuery;
use crate::store::connections::StoredConnection;
use crate::store::{StoreFault, WriteTx};
use crate::upstream::build;

/// Names that paths or built-in connections have already.
const RESERVED: [&str; 1] = ["local"];

/// A connection to make.
#[derive(Clone, Debug)]
pub struct NewConnection {
    /// Its name in URLs; cannot be changed later.
    pub id: String,
    /// Its name for people; the id when absent.
    pub display_name: Option<String>,
    /// Where it stands among the others; last when absent.
    pub position: Option<i32>,
    /// Whether people may sign in through it at once.
    pub enabled: bool,
    /// What its kind needs.
    pub settings: ConnectionSettings,
    /// What is secret.
    pub secrets: ConnectionSecrets,
}

/// What shall be changed of a connection; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct ConnectionChange {
    /// The version that was seen; `None` changes whatever stands.
    pub version: Option<i32>,
    /// Its name for people.
    pub display_name: Option<String>,
    /// Where it stands.
    pub position: Option<i32>,
    /// Whether people may sign in through it.
    pub enabled: Option<bool>,
    /// Members of the settings to set; `null` takes one back to its default. `kind` stays.
    pub settings: Map<String, Value>,
    /// A new `client_secret`.
    pub client_secret: Option<SecretString>,
    /// The `.p8` text of `key_id`; a key that works is better turned by [`KeyTurn`].
    pub private_key: Option<SecretString>,
}

impl Administration {
    /// Makes a connection. Every replica offers it within seconds.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] lists every broken rule, a taken name included.
    pub async fn create_connection(
        &self,
        actor: &Actor,
        new: NewConnection,
    ) -> Result<ListedConnection, AdminError> {
        self.must_guard(actor, &new.id).await?;
        let now = self.clock.now();
        self.must_not_be_of_file(&new.id, "id")?;
        if RESERVED.contains(&new.id.as_str()) {
            return Err(AdminError::invalid("id", "is the name of a built-in connection"));
        }
        let connection = Connection {
            display_name: new.display_name.unwrap_or_else(|| new.id.clone()),
            id: ConnectionId::new(new.id),
            position: new.position.unwrap_or(i32::MAX),
            enabled: new.enabled,
            settings: new.settings,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let placed_last = new.position.is_none();
        let mut stored = self.sealed(connection, &new.secrets)?;
        let event = actor
            .event(now, "connection.created", stored.connection.id.as_str())
            .detail(json!({ "kind": stored.connection.settings.kind().as_str() }));
        let stored = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if placed_last {
                        let all = tx.list_connections().await?;
                        let last = all.iter().map(|other| other.connection.position).max();
                        stored.connection.position = last.map_or(0, |last| last.saturating_add(1));
                    }
                    tx.insert_connection(&stored).await?;
                    tx.record(&event).await?;
                    Ok::<_, AdminError>(stored)
                })
            })
            .await
            .map_err(|error| error.taken("id"))?;
        self.listed(stored)
    }

    /// Changes a connection.
    ///
    /// # Errors
    /// [`AdminError::Conflict`] when it no longer stands at the version seen;
    /// [`AdminError::Invalid`] when the result would break a rule, or the file describes it.
    pub async fn update_connection(
        &self,
        actor: &Actor,
        id: &str,
        change: ConnectionChange,
    ) -> Result<ListedConnection, AdminError> {
        actor.must_be(Role::Admin)?;
        let seen = change.version;
        self.change(actor, id, seen, "connection.updated", |connection, secrets| {
            if let Some(name) = change.display_name {
                connection.display_name = name;
            }
            if let Some(position) = change.position {
                connection.position = position;
            }
            if let Some(enabled) = change.enabled {
                connection.enabled = enabled;
            }
            connection.settings = merged(&connection.settings, &change.settings)?;
            if let Some(secret) = change.client_secret {
                secrets.client_secret = Some(secret);
            }
            if let Some(key) = change.private_key {
                secrets.private_key = Some(key);
            }
            Ok(())
        })
        .await
    }

    /// Removes a connection. People who came through it stay, with their sessions.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] when the file describes it, and names the clients that are still
    /// bound to it; [`AdminError::Conflict`] when it no longer stands at the version seen.
    pub async fn delete_connection(
        &self,
        actor: &Actor,
        id: &str,
        seen: Option<i32>,
    ) -> Result<(), AdminError> {
        self.must_guard(actor, id).await?;
        self.must_not_be_of_file(id, "id")?;
        let event = actor.event(self.clock.now(), "connection.deleted", id);
        let id = ConnectionId::new(id);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let stands = tx.find_connection(&id).await?.ok_or(AdminError::NotFound)?;
                    unchanged(seen, stands.connection.version)?;
                    let bound = clients_bound_to(tx, &id).await?;
                    if !bound.is_empty() {
                        let message = format!(
                            "is still an allowed connection of {}; take it from them first",
                            bound.join(", ")
                        );
                        return Err(AdminError::invalid("id", message));
                    }
                    if !tx.delete_connection(&id).await? {
                        return Err(AdminError::NotFound);
                    }
                    tx.delete_admin_sessions_through(None, &id).await?;
                    Ok(tx.record(&event).await?)
                })
            })
            .await
    }

    pub(super) async fn change(
        &self,
        actor: &Actor,
        id: &str,
        seen: Option<i32>,
        kind: &'static str,
        change: impl FnOnce(&mut Connection, &mut ConnectionSecrets) -> Result<(), AdminError>,
    ) -> Result<ListedConnection, AdminError> {
        self.must_guard(actor, id).await?;
        self.must_not_be_of_file(id, "id")?;
        let now = self.clock.now();
        let id = ConnectionId::new(id);
        let stored = self.store.find_connection(&id).await?.ok_or(AdminError::NotFound)?;
        unchanged(seen, stored.connection.version)?;
        let before = stored.connection.clone();
        let mut secrets = self.opened(&stored)?;
        let mut connection = stored.connection;
        change(&mut connection, &mut secrets)?;
        connection.updated_at = now;
        let changed = changed_members(&before, &connection);
        let stored = self.sealed(connection, &secrets)?;
        let event = actor.event(now, kind, id.as_str()).detail(json!({ "changed": changed }));
        // The row was read outside this act; whoever was faster has raised its version.
        let stored = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if !tx.update_connection(&stored).await? {
                        return Err(AdminError::Conflict);
                    }
                    if !stored.connection.enabled {
                        tx.delete_admin_sessions_through(None, &stored.connection.id).await?;
                    }
                    tx.record(&event).await?;
                    Ok::<_, AdminError>(stored)
                })
            })
            .await?;
        let mut listed = self.listed(stored)?;
        listed.connection.version = listed.connection.version.saturating_add(1);
        Ok(listed)
    }

    /// Checks everything and seals what is secret.
    fn sealed(
        &self,
        connection: Connection,
        secrets: &ConnectionSecrets,
    ) -> Result<StoredConnection, AdminError> {
        let found = problems(&connection);
        checked(found.into_iter().map(|(field, text)| FieldProblem::new(field, text)).collect())?;
        build::check(&connection, secrets)
            .map_err(|error| AdminError::invalid(error.field(), error.to_string()))?;
        let bound_to = ConnectionSecrets::bound_to(&connection.id);
        let sealed = self.vault.seal(&bound_to, secrets.to_bytes().expose())?;
        Ok(StoredConnection { connection, sealed_secrets: Some(sealed) })
    }

    pub(super) fn opened(
        &self,
        stored: &StoredConnection,
    ) -> Result<ConnectionSecrets, AdminError> {
        open_secrets(stored, &self.vault).map_err(|_| SealError::DoesNotOpen.into())
    }

    fn must_not_be_of_file(&self, id: &str, field: &'static str) -> Result<(), AdminError> {
        if !self.is_of_file(id) {
            return Ok(());
        }
        let message = format!("{id:?} is described in the configuration file; change it there");
        Err(AdminError::invalid(field, message))
    }

    /// Says which connections a client may not be bound to because they do not exist.
    pub(super) async fn unknown_connections(
        &self,
        change: &Map<String, Value>,
    ) -> Result<Vec<FieldProblem>, AdminError> {
        let mut found = Vec::new();
        let named = change.get("allowed_connections").and_then(Value::as_array);
        for id in named.into_iter().flatten().filter_map(Value::as_str) {
            let built_in = RESERVED.contains(&id) || self.is_of_file(id);
            if !built_in && self.store.find_connection(&ConnectionId::new(id)).await?.is_none() {
                let message = format!("{id:?} is not the name of a connection");
                found.push(FieldProblem::new("allowed_connections", message));
            }
        }
        Ok(found)
    }
}

/// The settings with some members changed. A member that the kind does not have is an error, not
/// passed over.
///
/// # Errors
/// [`AdminError::Invalid`] for such a member, and for a value of the wrong type.
pub fn merged(
    settings: &ConnectionSettings,
    patch: &Map<String, Value>,
) -> Result<ConnectionSettings, AdminError> {
    let wrong = |message: String| AdminError::invalid("settings", message);
    let kind = settings.kind().as_str();
    if patch.get("kind").is_some_and(|given| given.as_str() != Some(kind)) {
        return Err(AdminError::invalid("kind", "cannot be changed; make another connection"));
    }
    let merged = client_settings::merge(settings, patch).map_err(|e| wrong(e.to_string()))?;
    let after = serde_json::to_value(&merged).map_err(|e| wrong(e.to_string()))?;
    for (member, value) in patch {
        // A switch that is off is not written down, and so stands for nothing.
        let nothing = value.is_null()
            || *value == Value::Bool(false)
            || value.as_array().is_some_and(Vec::is_empty)
            || value.as_object().is_some_and(Map::is_empty);
        if !nothing && after.get(member).is_none() {
            return Err(wrong(format!("{member:?} is not a member of this kind of connection")));
        }
    }
    Ok(merged)
}

fn changed_members(before: &Connection, after: &Connection) -> Vec<String> {
    let document = |connection: &Connection| {
        let mut all = match serde_json::to_value(&connection.settings) {
            Ok(Value::Object(members)) => members,
            Ok(_) | Err(_) => Map::new(),
        };
        all.insert("display_name".to_owned(), json!(connection.display_name));
        all.insert("position".to_owned(), json!(connection.position));
        all.insert("enabled".to_owned(), json!(connection.enabled));
        all
    };
    let (before, after) = (document(before), document(after));
    let mut names: Vec<_> =
        after.iter().filter(|(name, value)| before.get(*name) != Some(*value)).collect();
    names.sort_by_key(|(name, _)| (*name).clone());
    let mut names: Vec<String> = names.into_iter().map(|(name, _)| name.clone()).collect();
    names.extend(before.keys().filter(|name| !after.contains_key(*name)).cloned());
    names
}

async fn clients_bound_to(tx: &WriteTx, id: &ConnectionId) -> Result<Vec<String>, StoreFault> {
    let is_bound = |client: &&Client| {
        client.settings.allowed_connections.iter().flatten().any(|allowed| allowed == id.as_str())
    };
    let mut found = Vec::new();
    let mut query = ListQuery { limit: 100, ..ListQuery::default() };
    loop {
        let page = tx.list_clients(&query).await?;
        found.extend(page.items.iter().filter(is_bound).map(|c| c.client_id.to_string()));
        if page.next.is_none() {
            return Ok(found);
        }
        query.after = page.next;
    }
}
