//! The upstreams that are offered now. They may be replaced while requests are under way: a request
//! keeps the ones it began with.

use std::sync::{Arc, RwLock};

use crate::protocol::id::ConnectionId;
use crate::upstream::Connector;

/// The connectors in use, in the order people are offered them.
pub(super) struct Connectors(RwLock<Arc<[Arc<dyn Connector>]>>);

impl Connectors {
    pub(super) fn new(connectors: Vec<Arc<dyn Connector>>) -> Self {
        Self(RwLock::new(connectors.into()))
    }

    pub(super) fn all(&self) -> Arc<[Arc<dyn Connector>]> {
        // A panic elsewhere leaves the list whole: it is only ever replaced.
        Arc::clone(&self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    pub(super) fn find(&self, id: &ConnectionId) -> Option<Arc<dyn Connector>> {
        self.all().iter().find(|connector| connector.id() == id).map(Arc::clone)
    }

    /// The connector that can present a grant of this authority and upstream client.
    pub(super) fn holding(&self, authority: &str, client_id: &str) -> Option<Arc<dyn Connector>> {
        let holds = |connector: &&Arc<dyn Connector>| {
            connector.authority() == authority
                && connector
                    .lifecycle()
                    .is_some_and(|life| life.client_ids().iter().any(|id| id == client_id))
        };
        self.all().iter().find(holds).map(Arc::clone)
    }

    /// The connections through which this authority's people come.
    pub(super) fn of_authority(&self, authority: &str) -> Vec<ConnectionId> {
        let all = self.all();
        let of = all.iter().filter(|connector| connector.authority() == authority);
        of.map(|connector| connector.id().clone()).collect()
    }
}
