//! A run that goes on when whoever began it has gone: the console's.
//!
//! One at a time, under a lease. It is tried out first, so that wrong credentials and wrong teams
//! are told to whoever asks. Killed, it leaves everyone as far as they had come; begun again, it
//! goes on from there.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::{Collect, Exchange, TransferError};
use crate::op::admin::{Actor, AdminError};
use crate::op::{Fault, Provider};
use crate::protocol::event::Event;
use crate::protocol::id::ConnectionId;

const LEASE_NAME: &str = "apple_transfer";
/// A replica that is silent for so long has died.
const LEASE: Duration = Duration::from_secs(60);
const RENEW: Duration = Duration::from_secs(15);

/// What a run does.
#[derive(Clone, Debug)]
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

    /// Whether a run is under way on any replica.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn is_apple_transfer_running(&self) -> Result<bool, Fault> {
        Ok(self.store.is_leased(LEASE_NAME, self.clock.now()).await?)
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
        let people = self.run_apple_transfer(actor, &run.dry()).await?;
        if run.is_dry() {
            return Ok(Begun::Looked(people));
        }
        let holder = self.request_id();
        if !self.hold_transfer(&holder).await? {
            return Err(TransferError::Admin(AdminError::Conflict));
        }
        let (provider, actor) = (Arc::clone(self), actor.clone());
        tokio::spawn(async move { provider.finish_transfer(&actor, &run, holder).await });
        Ok(Begun::GoesOn(people))
    }

    async fn run_apple_transfer(&self, actor: &Actor, run: &Run) -> Result<u64, TransferError> {
        let progress = match run {
            Run::Collect(collect) => self.collect_apple_transfer(actor, collect, &|_| {}).await?.1,
            Run::Exchange(exchange) => {
                self.exchange_apple_transfer(actor, exchange, &|_| {}).await?.1
            }
        };
        Ok(progress.total)
    }

    async fn hold_transfer(&self, holder: &str) -> Result<bool, Fault> {
        let (now, holder) = (self.clock.now(), holder.to_owned());
        let taken = self.store.write(move |tx| {
            Box::pin(async move { tx.take_lease(LEASE_NAME, &holder, now.plus(LEASE), now).await })
        });
        Ok(taken.await?)
    }

    async fn finish_transfer(&self, actor: &Actor, run: &Run, holder: String) {
        let kept = async {
            loop {
                tokio::time::sleep(RENEW).await;
                match self.hold_transfer(&holder).await {
                    Ok(true) => {}
                    Ok(false) => return "another run has begun".to_owned(),
                    Err(fault) => tracing::error!(%fault, "a lease could not be renewed"),
                }
            }
        };
        let trouble = tokio::select! {
            done = self.run_apple_transfer(actor, run) => done.err().map(|error| error.to_string()),
            lost = kept => Some(lost),
        };
        let now = self.clock.now();
        let event = trouble.map(|cause| {
            tracing::error!(%cause, "a move between Apple teams went no further");
            Event::new(now, "apple_transfer.failed", actor.name.clone())
                .request_id(actor.request_id.clone())
                .detail(json!({ "cause": cause }))
        });
        let ended = self.store.write(move |tx| {
            Box::pin(async move {
                if let Some(event) = event {
                    tx.record(&event).await?;
                }
                tx.release_lease(LEASE_NAME, &holder).await
            })
        });
        let ended: Result<(), crate::store::StoreFault> = ended.await;
        if let Err(fault) = ended {
            tracing::error!(%fault, "the end of a move could not be written down");
        }
    }
}
