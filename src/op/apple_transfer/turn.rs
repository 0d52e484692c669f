//! Whose turn it is: one run at a time, whoever began it, so that Apple is asked once about each
//! person. A lease in the database, kept by the work itself as it gets on.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::TransferError;
use crate::op::{Fault, Provider};
use crate::protocol::ambient::Timestamp;

const NAME: &str = "apple_transfer";
/// Longer than one person can take, with every try: whoever is silent for so long has died.
const LEASE: Duration = Duration::from_secs(45);
const RENEW: Duration = Duration::from_secs(10);

/// A turn that was taken.
pub(super) struct Turn<'a> {
    provider: &'a Provider,
    holder: String,
    renewed: Mutex<Timestamp>,
}

impl Provider {
    /// Whether a run is at work on any replica.
    pub(super) async fn is_transfer_at_work(&self) -> Result<bool, Fault> {
        Ok(self.store.is_leased(NAME, self.clock.now()).await?)
    }

    /// Takes the turn.
    ///
    /// # Errors
    /// [`TransferError::Busy`] while somebody else has it.
    pub(super) async fn take_turn(&self) -> Result<Turn<'_>, TransferError> {
        let (now, holder) = (self.clock.now(), self.request_id());
        let turn = Turn { provider: self, holder, renewed: Mutex::new(now) };
        turn.hold(now).await?;
        Ok(turn)
    }
}

impl Turn<'_> {
    async fn hold(&self, now: Timestamp) -> Result<(), TransferError> {
        let holder = self.holder.clone();
        let held = self.provider.store.write(move |tx| {
            Box::pin(async move { tx.take_lease(NAME, &holder, now.plus(LEASE), now).await })
        });
        let held = held.await.map_err(Fault::from)?;
        if held { Ok(()) } else { Err(TransferError::Busy) }
    }

    /// Keeps the turn, for the work gets on.
    ///
    /// # Errors
    /// [`TransferError::Busy`] when it was lost: somebody else took this one for dead.
    pub(super) async fn keep(&self) -> Result<(), TransferError> {
        let now = self.provider.clock.now();
        {
            let mut renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
            if now.since(*renewed) < RENEW {
                return Ok(());
            }
            *renewed = now;
        }
        self.hold(now).await
    }

    /// Gives the turn back. If that fails it ends by itself.
    pub(super) async fn release(self) {
        let holder = self.holder;
        let released = self
            .provider
            .store
            .write(move |tx| Box::pin(async move { tx.release_lease(NAME, &holder).await }));
        let released: Result<(), crate::store::StoreFault> = released.await;
        if let Err(fault) = released {
            tracing::warn!(%fault, "the turn of a move between teams ends by itself");
        }
    }
}
