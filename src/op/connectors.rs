//! The upstreams that are offered now: those of the file, then those of the database.
//!
//! They may be replaced while requests are under way: a request keeps the ones it began with. Every
//! replica compares versions every few seconds and makes anew only what has changed, so that keys
//! and documents an unchanged connector has fetched stay.

use std::sync::{Arc, PoisonError, RwLock};

use super::{Fault, Provider};
use crate::protocol::connection::ConnectionSecrets;
use crate::protocol::id::ConnectionId;
use crate::protocol::secret::Vault;
use crate::store::connections::{Revision, StoredConnection};
use crate::upstream::http::Outbound;
use crate::upstream::{Connector, build};

/// The connectors in use, in the order people are offered them.
pub(super) struct Connectors {
    file: Vec<Arc<dyn Connector>>,
    outbound: Outbound,
    state: RwLock<Arc<State>>,
}

struct State {
    offered: Arc<[Arc<dyn Connector>]>,
    rows: Vec<Row>,
}

/// A row of the database as it was last read.
#[derive(Clone)]
struct Row {
    revision: Revision,
    enabled: bool,
    position: usize,
    connector: Result<Arc<dyn Connector>, String>,
}

impl Connectors {
    pub(super) fn new(file: Vec<Arc<dyn Connector>>, outbound: Outbound) -> Self {
        let state = State { offered: file.clone().into(), rows: Vec::new() };
        Self { file, outbound, state: RwLock::new(Arc::new(state)) }
    }

    fn state(&self) -> Arc<State> {
        // A panic elsewhere leaves the state whole: it is only ever replaced.
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn all(&self) -> Arc<[Arc<dyn Connector>]> {
        Arc::clone(&self.state().offered)
    }

    pub(super) fn find(&self, id: &ConnectionId) -> Option<Arc<dyn Connector>> {
        self.all().iter().find(|connector| connector.id() == id).map(Arc::clone)
    }

    /// The connector that can present a grant of this authority and upstream client, even if nobody
    /// may sign in through it any more.
    pub(super) fn holding(&self, authority: &str, client_id: &str) -> Option<Arc<dyn Connector>> {
        let holds = |connector: &&Arc<dyn Connector>| {
            connector.authority() == authority
                && connector
                    .lifecycle()
                    .is_some_and(|life| life.client_ids().iter().any(|id| id == client_id))
        };
        self.known().iter().find(holds).map(Arc::clone)
    }

    /// The connections through which this authority's people come.
    pub(super) fn of_authority(&self, authority: &str) -> Vec<ConnectionId> {
        let known = self.known();
        let of = known.iter().filter(|connector| connector.authority() == authority);
        of.map(|connector| connector.id().clone()).collect()
    }

    /// Those that are switched off too: an operator may still have business there.
    fn known(&self) -> Vec<Arc<dyn Connector>> {
        let state = self.state();
        let off = state.rows.iter().filter(|row| !row.enabled);
        let off = off.filter_map(|row| row.connector.as_ref().ok().map(Arc::clone));
        state.offered.iter().map(Arc::clone).chain(off).collect()
    }

    fn is_current(&self, revisions: &[Revision]) -> bool {
        let state = self.state();
        state.rows.len() == revisions.len()
            && revisions.iter().all(|one| state.rows.iter().any(|row| row.revision == *one))
    }

    fn replace(&self, stored: &[StoredConnection], vault: &Vault) {
        let before = self.state();
        let rows: Vec<Row> = stored
            .iter()
            .enumerate()
            // The file's connection of a name is the one in use.
            .filter(|(_, stored)| !self.file.iter().any(|own| *own.id() == stored.connection.id))
            .map(|(position, stored)| {
                let revision = revision(stored);
                match before.rows.iter().find(|row| row.revision == revision) {
                    Some(row) => Row { position, ..row.clone() },
                    None => self.made(stored, revision, position, vault),
                }
            })
            .collect();
        let mut ordered: Vec<&Row> = rows.iter().filter(|row| row.enabled).collect();
        ordered.sort_by_key(|row| row.position);
        let made = ordered.into_iter().filter_map(|row| row.connector.as_ref().ok());
        let offered = self.file.iter().chain(made).map(Arc::clone).collect();
        let state = Arc::new(State { offered, rows });
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn made(
        &self,
        stored: &StoredConnection,
        revision: Revision,
        position: usize,
        vault: &Vault,
    ) -> Row {
        let connection = &stored.connection;
        let connector =
            open_secrets(stored, vault).map_err(|fault| fault.to_string()).and_then(|secrets| {
                build::connector(connection, &secrets, &self.outbound)
                    .map_err(|error| error.to_string())
            });
        if let Err(cause) = &connector {
            tracing::error!(connection = %connection.id, cause, "a connection cannot be used");
        }
        Row { revision, enabled: connection.enabled, position, connector }
    }
}

fn revision(stored: &StoredConnection) -> Revision {
    Revision {
        id: stored.connection.id.clone(),
        version: stored.connection.version,
        updated_at: stored.connection.updated_at,
    }
}

/// The secrets of a row.
pub(super) fn open_secrets(
    stored: &StoredConnection,
    vault: &Vault,
) -> Result<ConnectionSecrets, Fault> {
    match &stored.sealed_secrets {
        None => Ok(ConnectionSecrets::default()),
        Some(sealed) => {
            let bound_to = ConnectionSecrets::bound_to(&stored.connection.id);
            Ok(serde_json::from_slice(vault.open(&bound_to, sealed)?.expose())?)
        }
    }
}

impl Provider {
    /// Takes up what was changed of the connections, here or on another replica.
    ///
    /// # Errors
    /// The store's fault. A connection that cannot be used is no fault: the others go on.
    pub async fn reload_connectors(&self) -> Result<(), Fault> {
        let mut revisions = self.store.connection_revisions().await?;
        let of_file = |one: &Revision| self.connectors.file.iter().any(|own| *own.id() == one.id);
        revisions.retain(|one| !of_file(one));
        if !self.connectors.is_current(&revisions) {
            let stored = self.store.list_connections().await?;
            self.connectors.replace(&stored, &self.vault);
        }
        Ok(())
    }

    /// Connections of the database that cannot be used, and why.
    pub fn connection_troubles(&self) -> Vec<(ConnectionId, String)> {
        let state = self.connectors.state();
        let trouble =
            |row: &Row| row.connector.as_ref().err().map(|e| (row.revision.id.clone(), e.clone()));
        state.rows.iter().filter_map(trouble).collect()
    }

    /// Every connector, those that are switched off included.
    pub fn known_connectors(&self) -> Vec<Arc<dyn Connector>> {
        self.connectors.known()
    }
}
