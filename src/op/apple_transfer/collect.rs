//! Before the move: the old team asks what the new one will know everyone by.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::turn::Turn;
use super::work::{MigrationToken, Step, patiently};
use super::{OnProgress, Progress, TransferError};
use crate::op::Provider;
use crate::op::admin::Actor;
use crate::protocol::admin::Role;
use crate::protocol::apple_transfer::{AppleTransfer, TransferState};
use crate::store::apple_transfers::TransferQuery;
use crate::upstream::{TeamTransfer, UpstreamError};

/// People written down in one act.
const PAGE: u32 = 1000;

/// What to collect.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Collect {
    /// The old team's connection; the first to Apple when absent.
    pub connection: Option<String>,
    /// The new team; the only other one that is configured when absent.
    pub target: Option<String>,
    /// Ask for the access token and count, but for nobody's identifier.
    pub dry_run: bool,
}

impl Provider {
    /// Collects a transfer identifier for everyone of the old team who has none yet. Returns the
    /// two teams and how it went.
    ///
    /// # Errors
    /// [`TransferError::Upstream`] when Apple refuses the client or does not answer at all.
    pub async fn collect_apple_transfer(
        &self,
        actor: &Actor,
        collect: &Collect,
        on_progress: OnProgress<'_>,
    ) -> Result<((String, String), Progress), TransferError> {
        actor.must_be(Role::Admin)?;
        let (connector, from) = self.apple_connector(collect.connection.as_deref())?;
        let to = collect.target.clone().or_else(|| self.other_team(&from)).ok_or_else(|| {
            TransferError::usage("target", "name the Team ID that the app moves to")
        })?;
        if to == from || !to.bytes().all(|b| b.is_ascii_alphanumeric()) {
            let message = format!("{to:?} is not the Team ID of another team");
            return Err(TransferError::usage("target", message));
        }
        let transfer = connector
            .team_transfer()
            .ok_or_else(|| TransferError::usage("connection", "is no connection to Apple"))?;
        let token = MigrationToken::of(transfer);
        // Wrong credentials show before anything is written down.
        token.get(self.clock.now()).await.map_err(TransferError::Upstream)?;
        if collect.dry_run {
            let total = self.not_collected(&from, &to).await?;
            return Ok(((from, to), Progress { total, left: total, ..Progress::default() }));
        }
        let turn = self.take_turn().await?;
        let done = self.collect_in_turn(transfer, &token, (&from, &to), (&turn, on_progress)).await;
        turn.release().await;
        let progress = done?;
        self.note_transfer(actor, "apple_transfer.collected", (&from, &to), json!(progress))
            .await?;
        Ok(((from, to), progress))
    }

    async fn collect_in_turn(
        &self,
        transfer: &dyn TeamTransfer,
        token: &MigrationToken<'_>,
        (from, to): (&str, &str),
        (turn, on_progress): (&Turn<'_>, OnProgress<'_>),
    ) -> Result<Progress, TransferError> {
        self.write_down(from, to, turn).await?;
        let query = TransferQuery {
            from_team: Some(from.to_owned()),
            to_team: Some(to.to_owned()),
            state: Some(TransferState::Pending),
            ..TransferQuery::default()
        };
        let counts = self.store.count_apple_transfers().await?;
        let total = counts
            .iter()
            .filter(|count| count.from_team == from && count.to_team == to)
            .filter(|count| count.state == TransferState::Pending)
            .map(|count| count.people)
            .sum();
        let step = |person| self.collect_one(transfer, token, person);
        self.each_transfer((query, total), turn, on_progress, step).await
    }

    /// How many people of the old team have no transfer identifier yet.
    async fn not_collected(&self, from: &str, to: &str) -> Result<u64, TransferError> {
        let mut missing = 0_u64;
        let mut after = String::new();
        let authority = format!("apple:{from}");
        loop {
            let page = self.store.list_subjects(&authority, &after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(missing) };
            after = last.clone();
            for subject in page {
                let found = self.store.find_apple_transfer(from, &subject, to).await?;
                let pending = |transfer: &AppleTransfer| transfer.state == TransferState::Pending;
                missing += u64::from(found.as_ref().is_none_or(pending));
            }
        }
    }

    /// Opens a row for everyone, a page in an act, so that others get their turn.
    async fn write_down(&self, from: &str, to: &str, turn: &Turn<'_>) -> Result<(), TransferError> {
        let authority = format!("apple:{from}");
        let mut after = String::new();
        loop {
            let page = self.store.list_subjects(&authority, &after, PAGE).await?;
            let Some(last) = page.last().cloned() else { return Ok(()) };
            let (from, to, now) = (from.to_owned(), to.to_owned(), self.clock.now());
            let range = (std::mem::replace(&mut after, last.clone()), last);
            self.store
                .write(move |tx| {
                    Box::pin(async move {
                        let range = (range.0.as_str(), range.1.as_str());
                        tx.open_apple_transfers((&from, &to), range, now).await?;
                        Ok::<_, TransferError>(())
                    })
                })
                .await?;
            turn.keep().await?;
        }
    }

    async fn collect_one(
        &self,
        transfer: &dyn TeamTransfer,
        token: &MigrationToken<'_>,
        person: AppleTransfer,
    ) -> Result<Step, TransferError> {
        let answer = patiently(|| async {
            let now = self.clock.now();
            let token = token.get(now).await?;
            transfer.transfer_sub(&token, &person.subject, &person.to_team, now).await
        })
        .await;
        let now = self.clock.now();
        let (step, changed) = match answer {
            Ok(transfer_sub) => (
                Step::Done,
                AppleTransfer {
                    transfer_sub: Some(transfer_sub),
                    state: TransferState::Collected,
                    updated_at: now,
                    ..person
                },
            ),
            Err(UpstreamError::Rejected { reason, .. }) => (
                Step::Refused,
                AppleTransfer {
                    state: TransferState::Refused,
                    reason: Some(reason.to_owned()),
                    updated_at: now,
                    ..person
                },
            ),
            Err(other) => return Err(TransferError::Upstream(other)),
        };
        let advanced = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let from = TransferState::Pending;
                    Ok::<_, TransferError>(tx.advance_apple_transfer(&changed, from).await?)
                })
            })
            .await?;
        Ok(if advanced { step } else { Step::Nothing })
    }
}
