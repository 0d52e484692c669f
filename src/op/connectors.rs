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
}
