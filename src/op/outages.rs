//! Which upstreams are away just now, so that people are told before they are sent there.
//!
//! Nobody is asked for it: each connector remembers how its own contacts ended (`upstream/health.rs`),
//! and what the daily check met on any replica is read from the database every few seconds.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::{Fault, Provider, daily_check};
use crate::protocol::ambient::Timestamp;
use crate::protocol::job::JobCondition;
use crate::upstream::Connector;

/// When the daily check last met silence, by the name of the job.
#[derive(Default)]
pub(super) struct Outages(RwLock<Arc<HashMap<String, Timestamp>>>);

impl Provider {
    /// Takes up what the daily check has met, here or on another replica.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn reload_outages(&self) -> Result<(), Fault> {
        let jobs = self.store.list_job_states().await?;
        let paused = jobs.into_iter().filter(|job| job.condition == JobCondition::Paused);
        let met = paused.filter_map(|job| Some((job.name, job.last_run_at?))).collect();
        *self.outages.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(met);
        Ok(())
    }

    /// The names, for people, of those of these connections whose upstreams are away.
    pub fn names_of_away(&self, connectors: &[Arc<dyn Connector>]) -> Vec<String> {
        let now = self.clock.now();
        let away = connectors.iter().filter(|one| self.is_away(one.as_ref(), now));
        away.map(|one| one.display_name().to_owned()).collect()
    }

    /// Whether the upstream of this connection is away, for all that is known.
    pub fn is_away(&self, connector: &dyn Connector, now: Timestamp) -> bool {
        let met = Arc::clone(&self.outages.0.read().unwrap_or_else(PoisonError::into_inner));
        let told = met.get(&daily_check::job_name(&connector.authority())).copied();
        connector.health().is_away(told, now)
    }
}
