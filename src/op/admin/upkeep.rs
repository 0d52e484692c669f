//! What goes on by itself, as an operator sees it: jobs, deletions, moves between Apple teams.

use serde_json::json;

use super::{Actor, AdminError, Administration};
use crate::protocol::admin::Role;
use crate::protocol::deletion::Deletion;
use crate::protocol::id::DeletionId;
use crate::protocol::job::JobState;
use crate::store::apple_transfers::TransferCount;

impl Administration {
    /// How the jobs stand that say so.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn jobs(&self) -> Result<Vec<JobState>, AdminError> {
        Ok(self.store.list_job_states().await?)
    }

    /// Holds a job until an operator lets it go on. A round that is under way ends with the
    /// questions that are.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when no such job has ever run.
    pub async fn hold_job(&self, actor: &Actor, name: &str) -> Result<(), AdminError> {
        self.turn_job(actor, name, true).await
    }

    /// Lets a job go on that was held, and has one that is held up try again at once.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when no such job has ever run.
    pub async fn resume_job(&self, actor: &Actor, name: &str) -> Result<(), AdminError> {
        self.turn_job(actor, name, false).await
    }

    async fn turn_job(&self, actor: &Actor, name: &str, held: bool) -> Result<(), AdminError> {
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        let kind = if held { "job.held" } else { "job.resumed" };
        let event = actor.event(now, kind, name);
        let name = name.to_owned();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let turned = if held {
                        tx.hold_job(&name, now).await?
                    } else {
                        tx.resume_job(&name, now).await?
                    };
                    if !turned {
                        return Err(AdminError::NotFound);
                    }
                    Ok(tx.record(&event).await?)
                })
            })
            .await
    }

    /// Deletions under way, or all with the receipts of those that are done; newest first, from
    /// `after` on.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn deletions(
        &self,
        under_way: bool,
        before: Option<&(i64, String)>,
        limit: u32,
    ) -> Result<Vec<Deletion>, AdminError> {
        Ok(self.store.list_deletions(under_way, before, limit).await?)
    }

    /// Has a deletion that waits go on at once.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is none under way.
    pub async fn hasten_deletion(&self, actor: &Actor, id: &DeletionId) -> Result<(), AdminError> {
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        let event = actor.event(now, "deletion.hastened", id.as_str());
        let id = id.clone();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    if !tx.retry_deletion(&id, now).await? {
                        return Err(AdminError::NotFound);
                    }
                    Ok(tx.record(&event).await?)
                })
            })
            .await
    }

    /// How many people have come how far on their way between Apple teams.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn apple_transfers(&self) -> Result<Vec<TransferCount>, AdminError> {
        Ok(self.store.count_apple_transfers().await?)
    }

    /// Has those asked for again whom Apple refused to move to a team. Returns how many.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn retry_apple_transfers(
        &self,
        actor: &Actor,
        to_team: &str,
    ) -> Result<u64, AdminError> {
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        let event = actor.event(now, "apple_transfer.retried", to_team);
        let to_team = to_team.to_owned();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let people = tx.retry_apple_transfers(&to_team, now).await?;
                    tx.record(&event.detail(json!({ "people": people }))).await?;
                    Ok(people)
                })
            })
            .await
    }
}
