//! What needs somebody's attention, and how many sign in: the facts behind the first page.

use std::time::Duration;

use super::{AdminError, Administration};
use crate::op::audit_stream::{AuditReceiver, Progress};
use crate::protocol::api_key::ApiKey;
use crate::protocol::deletion::Deletion;
use crate::protocol::delivery::{Delivery, DeliveryState};
use crate::protocol::job::{JobCondition, JobState};
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
}

impl Administration {
    /// Gathers it.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn attention(&self) -> Result<Attention, AdminError> {
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
        Ok(Attention {
            receivers,
            secrets: self.store.list_ending_secrets(now.minus(STILL), soon).await?,
            api_keys,
            bare_admins: self.bare_admins().await?,
            jobs,
            deliveries,
            deletions,
        })
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
