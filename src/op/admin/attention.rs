//! What needs somebody's attention, and how many sign in: the facts behind the first page.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{AdminError, Administration, ConnectionStatus};
use crate::op::audit_stream::{AuditReceiver, Progress};
use crate::protocol::ambient::Timestamp;
use crate::protocol::api_key::ApiKey;
use crate::protocol::deletion::Deletion;
use crate::protocol::delivery::{Delivery, DeliveryState};
use crate::protocol::id::ConnectionId;
use crate::protocol::job::{JobCondition, JobState};
use crate::protocol::sign_in_cause::Cause;
use crate::store::ending_secrets::EndingSecret;
use crate::store::outbox::DeliveryQuery;
use crate::store::sign_in_counts::{Counted, GroupedBy, SignInQuery};

/// From so long before its end on, something is said to end soon.
const SOON: Duration = Duration::from_secs(30 * 24 * 3600);
/// So long after its end it is still said that something has ended.
const STILL: Duration = Duration::from_secs(30 * 24 * 3600);
/// A deletion that is under way for longer is stuck.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);
/// After so many attempts in vain a receiver is said to take nothing.
const HOPELESS: i32 = 5;
/// A client that has obtained no token for so long is told to be unused.
const UNUSED: Duration = Duration::from_secs(90 * 24 * 3600);
/// Of each, at most so many are told.
const TOLD: u32 = 20;

/// What needs attention.
#[derive(Default)]
pub struct Attention {
    /// Clients that can soon prove themselves no more.
    pub secrets: Vec<EndingSecret>,
    /// Keys of the admin API that end before long.
    pub api_keys: Vec<ApiKey>,
    /// Console accounts that a password alone opens.
    pub bare_admins: Vec<String>,
    /// Jobs that do not run.
    pub jobs: Vec<JobState>,
    /// Deliveries that were given up.
    pub deliveries: Vec<Delivery>,
    /// Deletions that do not come to their end.
    pub deletions: Vec<Deletion>,
    /// Receivers of the audit log that take nothing.
    pub receivers: Vec<(AuditReceiver, Progress)>,
    /// How many clients nobody seems to use.
    pub unused_clients: u64,
    /// Connections that cannot be used, and why.
    pub unusable: Vec<(ConnectionId, String)>,
    /// Connections through which the last sign-in failed, by their names.
    pub failing: Vec<(String, ConnectionStatus)>,
}

/// How many sign-ins have one thing in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many succeeded.
    pub succeeded: u64,
    /// How many failed.
    pub failed: u64,
    /// Why those did, and how many of each.
    pub causes: BTreeMap<Cause, u64>,
}

impl Tally {
    /// What was counted, by what it has in common.
    pub fn of(counted: &[Counted]) -> BTreeMap<String, Self> {
        let mut all: BTreeMap<String, Self> = BTreeMap::new();
        for one in counted {
            let tally = all.entry(one.of.clone()).or_default();
            match one.cause {
                None => tally.succeeded = tally.succeeded.saturating_add(one.number),
                Some(cause) => {
                    tally.failed = tally.failed.saturating_add(one.number);
                    let why = tally.causes.entry(cause).or_default();
                    *why = why.saturating_add(one.number);
                }
            }
        }
        all
    }

    /// All of them.
    pub const fn total(&self) -> u64 {
        self.succeeded.saturating_add(self.failed)
    }
}

impl Administration {
    /// Gathers it. Which connections are `unusable` is known to whoever uses them.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn attention(
        &self,
        unusable: Vec<(ConnectionId, String)>,
    ) -> Result<Attention, AdminError> {
        let now = self.clock.now();
        let soon = now.plus(SOON);
        let ending = (now.minus(STILL), soon);
        let api_keys = self.store.list_ending_api_keys(ending, TOLD).await?;
        let mut jobs = self.store.list_job_states().await?;
        jobs.retain(|job| job.condition != JobCondition::Running);
        let mut deletions = self.store.list_deletions(true, None, TOLD).await?;
        deletions.retain(|deletion| deletion.requested_at < now.minus(PATIENCE));
        let failed = DeliveryQuery {
            state: Some(DeliveryState::Failed),
            limit: TOLD,
            ..DeliveryQuery::default()
        };
        let mut deliveries = self.store.list_deliveries(&failed).await?;
        deliveries.retain(|delivery| delivery.created_at > now.minus(STILL));
        let mut receivers = self.audit_receivers().await?;
        receivers.retain(|(_, progress)| progress.attempts >= HOPELESS);
        let mut connections = self.list_connections().await?;
        connections.retain(|listed| listed.connection.enabled);
        let statuses = connections.iter().map(|listed| &listed.connection);
        let statuses = self.connection_statuses(statuses).await?;
        let failing = connections
            .into_iter()
            .map(|listed| listed.connection.display_name)
            .zip(statuses)
            .filter(|(_, status)| status.is_failing())
            .collect();
        Ok(Attention {
            receivers,
            unusable,
            failing,
            unused_clients: self.store.count_unused_clients(self.unused_since()).await?,
            secrets: self.store.list_ending_secrets(now.minus(STILL), soon).await?,
            api_keys,
            bare_admins: self.bare_admins().await?,
            jobs,
            deliveries,
            deletions,
        })
    }

    /// Who is older than this and has obtained no token since is unused.
    pub fn unused_since(&self) -> Timestamp {
        self.clock.now().minus(UNUSED)
    }

    /// How many signed in, or failed to.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn count_sign_ins(
        &self,
        by: GroupedBy,
        query: &SignInQuery,
    ) -> Result<Vec<Counted>, AdminError> {
        Ok(self.store.count_sign_ins(by, query).await?)
    }
}
