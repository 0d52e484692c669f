//! A run that goes on when whoever began it has gone: the console's.
//!
//! It is tried out first, so that wrong credentials and wrong teams are told to whoever asks. Then
//! it is a row: whichever replica is alive does the work, in its [turn](super::turn), another one
//! goes on when that one dies, and while Apple is away it waits. Everyone is left as far as they
//! had come.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Collect, Exchange, Progress, TransferError};
use crate::op::admin::{Actor, AdminError};
use crate::op::{Fault, Provider};
use crate::protocol::admin::Role;
use crate::protocol::event::Event;
use crate::protocol::id::ConnectionId;
use crate::protocol::upstream_grant::back_off;
use crate::store::transfer_runs::TransferRun;
use crate::upstream::UpstreamError;

/// How long a run waits for an Apple that does not answer.
const PATIENCE: Duration = Duration::from_secs(3 * 24 * 3600);

/// What a run does.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Run {
    /// Ask the old team for identifiers.
    Collect(Collect),
    /// Exchange them at the new team.
    Exchange(Exchange),
}

impl Run {
    const fn is_dry(&self) -> bool {
        match self {
            Self::Collect(collect) => collect.dry_run,
            Self::Exchange(exchange) => exchange.dry_run,
        }
    }

    fn dry(&self) -> Self {
        match self {
            Self::Collect(it) => Self::Collect(Collect { dry_run: true, ..it.clone() }),
            Self::Exchange(it) => Self::Exchange(Exchange { dry_run: true, ..it.clone() }),
        }
    }
}

/// How a run began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It was a dry run: so many people would be asked about.
    Looked(u64),
    /// It goes on by itself, for so many people.
    GoesOn(u64),
}

impl Provider {
    /// The connections to Apple and their teams, those that are switched off included.
    pub fn apple_teams(&self) -> Vec<(ConnectionId, String)> {
        let all = self.apple_connectors();
        all.into_iter().map(|(connector, team)| (connector.id().clone(), team)).collect()
    }

    /// Whether a run is under way: at work on any replica, or waiting to go on.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn is_apple_transfer_running(&self) -> Result<bool, Fault> {
        let run = self.store.find_transfer_run().await?;
        let goes_on = run.is_some_and(|run| run.ended_at.is_none());
        Ok(goes_on || self.is_transfer_at_work().await?)
    }

    /// The run that is under way by itself, or the last one.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn apple_transfer_run(&self) -> Result<Option<TransferRun>, Fault> {
        Ok(self.store.find_transfer_run().await?)
    }

    /// Tries a run out and, unless it is a dry one, begins it.
    ///
    /// # Errors
    /// [`TransferError`]: what is wrong with the input or at Apple; [`AdminError::Conflict`] while
    /// another run is under way.
    pub async fn begin_apple_transfer(
        self: &Arc<Self>,
        actor: &Actor,
        run: Run,
    ) -> Result<Begun, TransferError> {
        let people = self.run_apple_transfer(actor, &run.dry()).await?.total;
        if run.is_dry() {
            return Ok(Begun::Looked(people));
        }
        let now = self.clock.now();
        let row = TransferRun {
            run: serde_json::to_string(&run).map_err(Fault::from)?,
            requested_by: actor.name.clone(),
            request_id: actor.request_id.clone(),
            attempts: 0,
            begun_at: now,
            due_at: now,
            ended_at: None,
            trouble: None,
        };
        let begun = self.store.write(move |tx| {
            Box::pin(async move { Ok::<_, Fault>(tx.begin_transfer_run(&row).await?) })
        });
        if !begun.await? {
            return Err(TransferError::Admin(AdminError::Conflict));
        }
        let provider = Arc::clone(self);
        // At once; should this process die, the job of any other one goes on.
        tokio::spawn(async move {
            if let Err(fault) = provider.continue_apple_transfer().await {
                tracing::error!(%fault, "a move between Apple teams goes on later");
            }
        });
        Ok(Begun::GoesOn(people))
    }

    async fn run_apple_transfer(
        &self,
        actor: &Actor,
        run: &Run,
    ) -> Result<Progress, TransferError> {
        Ok(match run {
            Run::Collect(collect) => self.collect_apple_transfer(actor, collect, &|_| {}).await?.1,
            Run::Exchange(exchange) => {
                self.exchange_apple_transfer(actor, exchange, &|_| {}).await?.1
            }
        })
    }

    /// Goes on with the run that is under way, if there is one, nobody is at it and its time has
    /// come. Safe to call at any time, on every replica.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn continue_apple_transfer(&self) -> Result<(), Fault> {
        let Some(row) = self.store.find_transfer_run().await? else { return Ok(()) };
        if row.ended_at.is_some() || row.due_at > self.clock.now() {
            return Ok(());
        }
        let run: Run = serde_json::from_str(&row.run)?;
        // They might when they began it.
        let mut actor = Actor::named(&row.requested_by, Role::Admin);
        actor.request_id.clone_from(&row.request_id);
        let halted = match self.run_apple_transfer(&actor, &run).await {
            Ok(progress) if progress.left == 0 => return self.end_transfer(&row, None).await,
            Ok(progress) => format!("Apple did not answer for {} people", progress.left),
            Err(TransferError::Busy) => return Ok(()),
            Err(TransferError::Fault(fault)) => return Err(fault),
            Err(error @ TransferError::Upstream(UpstreamError::Unavailable(_))) => {
                error.to_string()
            }
            Err(error @ (TransferError::Upstream(_) | TransferError::Admin(_))) => {
                return self.end_transfer(&row, Some(error.to_string())).await;
            }
        };
        let now = self.clock.now();
        if now.since(row.begun_at) > PATIENCE {
            return self.end_transfer(&row, Some(halted)).await;
        }
        tracing::warn!(cause = halted, "a move between Apple teams waits");
        let due_at = now.plus(back_off(row.attempts.saturating_add(1), self.entropy.as_ref()));
        let waits = self.store.write(move |tx| {
            Box::pin(async move { tx.halt_transfer_run(row.begun_at, due_at, &halted).await })
        });
        Ok(waits.await.map(|_| ())?)
    }

    async fn end_transfer(&self, row: &TransferRun, trouble: Option<String>) -> Result<(), Fault> {
        let (now, begun_at) = (self.clock.now(), row.begun_at);
        let event = trouble.as_ref().map(|cause| {
            tracing::error!(%cause, "a move between Apple teams went no further");
            Event::new(now, "apple_transfer.failed", row.requested_by.clone())
                .request_id(row.request_id.clone())
                .detail(json!({ "cause": cause }))
        });
        let ended = self.store.write(move |tx| {
            Box::pin(async move {
                let ended = tx.end_transfer_run(begun_at, trouble.as_deref(), now).await?;
                if let Some(event) = event.filter(|_| ended) {
                    tx.record(&event).await?;
                }
                Ok::<_, Fault>(())
            })
        });
        ended.await
    }
}
