//! Moving everyone to another Apple team — apple.md §9, TN3159.
//!
//! Before or within sixty days of the move the old team [collects](Provider::collect_apple_transfer)
//! a transfer identifier for everyone; whoever signs in meanwhile is [attached](attach) by it; the
//! new team [exchanges](Provider::exchange_apple_transfer) what is left. One run is at work at a
//! time (`turn.rs`), and each person's step is one conditional statement, so a run that was killed
//! goes on where it was, no step is done twice, and nobody is ever matched by an address.

mod background;
mod collect;
mod exchange;
mod import;
mod turn;
mod work;

use std::sync::Arc;

use serde::Serialize;

pub use background::{Begun, Run};
pub use collect::Collect;
pub use exchange::Exchange;
pub use import::{Import, ImportReport};

use super::admin::{AdminError, FieldProblem};
use super::{Failure, Fault, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::apple_transfer::{AppleTransfer, TransferState};
use crate::protocol::event::Event;
use crate::protocol::user::Identity;
use crate::store::apple_transfers::{TransferCount, TransferQuery};
use crate::store::{StoreFault, WriteTx};
use crate::upstream::{Connector, UpstreamError};

/// Why a move went no further.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The input or the actor.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// Apple: what is done stays done, and the same command goes on from there.
    #[error("{0}; what is done stays done, and the same command goes on from there")]
    Upstream(UpstreamError),
    /// Another run has its turn.
    #[error("another move between Apple teams is at work; try again when it is done")]
    Busy,
    /// Ours.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<StoreFault> for TransferError {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(fault.into())
    }
}

impl TransferError {
    fn usage(field: &'static str, message: impl Into<String>) -> Self {
        Self::Admin(AdminError::Invalid(vec![FieldProblem::new(field, message)]))
    }
}

/// How a run is going.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// People this run is about.
    pub total: u64,
    /// Of them done, by this run.
    pub done: u64,
    /// Refused by Apple, in this run.
    pub refused: u64,
    /// Left alone because the new `sub` is somebody else's.
    pub conflicts: u64,
    /// Left for another run: Apple did not answer.
    pub left: u64,
}

/// Hears how a run is going.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Send + Sync);

impl Provider {
    /// How many people have come how far, by teams.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn apple_transfer_counts(&self) -> Result<Vec<TransferCount>, Fault> {
        Ok(self.store.count_apple_transfers().await?)
    }

    /// The report, person by person, a page at a time.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn apple_transfers(
        &self,
        query: &TransferQuery,
    ) -> Result<Vec<AppleTransfer>, Fault> {
        Ok(self.store.list_apple_transfers(query).await?)
    }

    /// The connections to Apple that can move people, those that are switched off included.
    fn apple_connectors(&self) -> Vec<(Arc<dyn Connector>, String)> {
        self.known_connectors()
            .into_iter()
            .filter_map(|connector| {
                let team = connector.team_transfer()?.team_id().to_owned();
                Some((connector, team))
            })
            .collect()
    }

    /// The connection that was named; or the one there is; or the first.
    fn apple_connector(
        &self,
        named: Option<&str>,
    ) -> Result<(Arc<dyn Connector>, String), TransferError> {
        let mut all = self.apple_connectors().into_iter();
        match named {
            Some(id) => all.find(|(connector, _)| connector.id().as_str() == id).ok_or_else(|| {
                TransferError::usage("connection", format!("{id:?} is no connection to Apple"))
            }),
            None => all.next().ok_or_else(|| {
                TransferError::usage("connection", "there is no connection to Apple")
            }),
        }
    }

    /// The one other team that is configured.
    fn other_team(&self, than: &str) -> Option<String> {
        let mut others: Vec<_> =
            self.apple_connectors().into_iter().map(|(_, team)| team).collect();
        others.retain(|team| team != than);
        others.dedup();
        match others.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        }
    }

    async fn note_transfer(
        &self,
        actor: &super::admin::Actor,
        kind: &str,
        teams: (&str, &str),
        detail: serde_json::Value,
    ) -> Result<(), TransferError> {
        let event = Event::new(self.clock.now(), kind, actor.name.clone())
            .target(format!("{}>{}", teams.0, teams.1))
            .request_id(actor.request_id.clone())
            .detail(detail);
        self.store
            .write(move |tx| {
                Box::pin(async move { Ok::<_, TransferError>(tx.record(&event).await?) })
            })
            .await
    }

    /// The move that brings this unknown person here, if they are known by it.
    pub(super) async fn transfer_of(
        &self,
        authority: &str,
        transfer_sub: Option<&str>,
    ) -> Result<Option<AppleTransfer>, Fault> {
        let (Some(to_team), Some(transfer_sub)) = (authority.strip_prefix("apple:"), transfer_sub)
        else {
            return Ok(None);
        };
        let found = self.store.find_apple_transfer_by_transfer_sub(to_team, transfer_sub).await?;
        Ok(found.filter(|transfer| transfer.state.may_attach()))
    }
}

/// Links whoever signs in to the person they were in the old team. The sign-in goes on as theirs.
pub(super) async fn attach(
    tx: &WriteTx,
    moved: &AppleTransfer,
    identity: &Identity,
    now: Timestamp,
) -> Result<(), Failure> {
    let attached = AppleTransfer {
        new_subject: Some(identity.subject.clone()),
        state: TransferState::Attached,
        reason: None,
        updated_at: now,
        ..moved.clone()
    };
    if !tx.advance_apple_transfer(&attached, moved.state).await? {
        // Exchanged or attached in this very moment: the sign-in looks again.
        return Err(Fault::Store(StoreFault::Conflict("apple_transfers".to_owned())).into());
    }
    tx.insert_identity(identity).await?;
    let event = Event::new(now, "apple_transfer.attached", format!("user:{}", moved.user_id))
        .target(moved.user_id.to_string())
        .detail(serde_json::json!({ "from_team": moved.from_team, "to_team": moved.to_team }));
    tx.record(&event).await?;
    Ok(())
}
