//! Going through many people: pages of the database, a bounded number of questions to Apple at
//! once, a few tries for each, and an end when Apple says no to all of us.

use std::future::Future;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};

use super::turn::Turn;
use super::{OnProgress, Progress, TransferError};
use crate::op::Provider;
use crate::protocol::ambient::Timestamp;
use crate::protocol::apple_transfer::AppleTransfer;
use crate::protocol::secret::SecretString;
use crate::store::apple_transfers::TransferQuery;
use crate::upstream::{TeamTransfer, UpstreamError};

/// Questions to Apple at once.
const AT_ONCE: usize = 16;
const PAGE: u64 = 256;
/// Tries for one person while Apple does not answer.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(250);
/// So many people in a row without an answer: Apple is away, and the run ends.
const AWAY: u32 = 10;
/// Apple's access tokens live an hour.
const TOKEN_AGE: Duration = Duration::from_secs(50 * 60);

/// What became of one person.
pub(super) enum Step {
    Done,
    Refused,
    Conflict,
    /// Somebody else did it meanwhile.
    Nothing,
}

/// An access token, renewed before it is too old.
pub(super) struct MigrationToken<'a> {
    transfer: &'a dyn TeamTransfer,
    current: tokio::sync::Mutex<Option<(Timestamp, SecretString)>>,
}

impl<'a> MigrationToken<'a> {
    pub(super) fn of(transfer: &'a dyn TeamTransfer) -> Self {
        Self { transfer, current: tokio::sync::Mutex::new(None) }
    }

    pub(super) async fn get(&self, now: Timestamp) -> Result<SecretString, UpstreamError> {
        let mut current = self.current.lock().await;
        if let Some((at, token)) = &*current
            && now.since(*at) < TOKEN_AGE
        {
            return Ok(token.clone());
        }
        let token = self.transfer.migration_token(now).await?;
        *current = Some((now, token.clone()));
        Ok(token)
    }
}

/// Asks again while the upstream is merely unwell.
pub(super) async fn patiently<T, F: Future<Output = Result<T, UpstreamError>>>(
    mut ask: impl FnMut() -> F,
) -> Result<T, UpstreamError> {
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        match ask().await {
            Err(UpstreamError::Unavailable(_)) => {
                tokio::time::sleep(pause).await;
                pause = pause.saturating_mul(2);
            }
            answered => return answered,
        }
    }
    ask().await
}

impl Provider {
    /// Takes every person that the query finds through one step.
    pub(super) async fn each_transfer<F>(
        &self,
        (mut query, total): (TransferQuery, u64),
        turn: &Turn<'_>,
        on_progress: OnProgress<'_>,
        step: impl Fn(AppleTransfer) -> F,
    ) -> Result<Progress, TransferError>
    where
        F: Future<Output = Result<Step, TransferError>>,
    {
        query.limit = PAGE;
        let progress = Mutex::new(Progress { total, ..Progress::default() });
        let silent = AtomicU32::new(0);
        let now = || *progress.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let page = self.store.list_apple_transfers(&query).await?;
            let Some(last) = page.last() else { return Ok(now()) };
            query.after = Some((last.from_team.clone(), last.subject.clone()));
            let mut steps = stream::iter(page).map(&step).buffer_unordered(AT_ONCE);
            while let Some(outcome) = steps.next().await {
                turn.keep().await?;
                let mut tally = progress.lock().unwrap_or_else(PoisonError::into_inner);
                match outcome {
                    Ok(Step::Done) => tally.done += 1,
                    Ok(Step::Refused) => tally.refused += 1,
                    Ok(Step::Conflict) => tally.conflicts += 1,
                    Ok(Step::Nothing) => {}
                    Err(TransferError::Upstream(UpstreamError::Unavailable(cause))) => {
                        tally.left += 1;
                        if silent.fetch_add(1, Ordering::Relaxed) + 1 >= AWAY {
                            return Err(TransferError::Upstream(UpstreamError::Unavailable(cause)));
                        }
                        continue;
                    }
                    Err(error) => return Err(error),
                }
                silent.store(0, Ordering::Relaxed);
            }
            drop(steps);
            on_progress(now());
        }
    }
}
