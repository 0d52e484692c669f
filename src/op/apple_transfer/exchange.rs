//! After the move: the new team asks who everyone is now.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::work::{MigrationToken, Step, patiently};
use super::{OnProgress, Progress, TransferError};
use crate::op::admin::Actor;
use crate::op::{Fault, Provider};
use crate::protocol::admin::Role;
use crate::protocol::ambient::Timestamp;
use crate::protocol::apple_transfer::{AppleTransfer, TransferState};
use crate::protocol::id::ConnectionId;
use crate::protocol::user::Identity;
use crate::store::apple_transfers::TransferQuery;
use crate::store::{StoreFault, WriteTx};
use crate::upstream::{Connector, TeamTransfer, Transferred, UpstreamError};

/// What to exchange.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Exchange {
    /// The new team's connection; the one whose team people wait to move to when absent.
    pub connection: Option<String>,
    /// Ask for the access token and count, but for nobody's `sub`.
    pub dry_run: bool,
}

impl Provider {
    /// Exchanges every transfer identifier that waits, and links what comes back. Returns the new
    /// team and how it went.
    ///
    /// # Errors
    /// [`TransferError::Upstream`] when Apple refuses the client or does not answer at all.
    pub async fn exchange_apple_transfer(
        &self,
        actor: &Actor,
        exchange: &Exchange,
        on_progress: OnProgress<'_>,
    ) -> Result<(String, Progress), TransferError> {
        actor.must_be(Role::Admin)?;
        let (connector, to) = self.new_team(exchange.connection.as_deref()).await?;
        let transfer = connector
            .team_transfer()
            .ok_or_else(|| TransferError::usage("connection", "is no connection to Apple"))?;
        let token = MigrationToken::of(transfer);
        token.get(self.clock.now()).await.map_err(TransferError::Upstream)?;
        let counts = self.store.count_apple_transfers().await?;
        let waiting = |count: &&crate::store::apple_transfers::TransferCount| {
            count.to_team == to && count.state == TransferState::Collected
        };
        let total = counts.iter().filter(waiting).map(|count| count.people).sum();
        if exchange.dry_run {
            return Ok((to, Progress { total, left: total, ..Progress::default() }));
        }
        let query = TransferQuery {
            to_team: Some(to.clone()),
            state: Some(TransferState::Collected),
            ..TransferQuery::default()
        };
        let step = |person| self.exchange_one(&connector, transfer, &token, person);
        let turn = self.take_turn().await?;
        let done = self.each_transfer((query, total), &turn, on_progress, step).await;
        turn.release().await;
        let progress = done?;
        self.note_transfer(actor, "apple_transfer.exchanged", ("", &to), json!(progress)).await?;
        Ok((to, progress))
    }

    async fn new_team(
        &self,
        named: Option<&str>,
    ) -> Result<(Arc<dyn Connector>, String), TransferError> {
        if named.is_some() {
            return self.apple_connector(named);
        }
        let counts = self.store.count_apple_transfers().await?;
        let mut fitting = self.apple_connectors();
        fitting.retain(|(_, team)| counts.iter().any(|count| count.to_team == *team));
        match fitting.first() {
            Some((connector, team)) if fitting.iter().all(|(_, other)| other == team) => {
                Ok((Arc::clone(connector), team.clone()))
            }
            Some(_) => Err(TransferError::usage("connection", "people wait for several teams")),
            None => {
                let message = "nobody waits to move to a team that is configured here; collect or \
                               import first, and make a connection for the new team";
                Err(TransferError::usage("connection", message))
            }
        }
    }

    async fn exchange_one(
        &self,
        connector: &Arc<dyn Connector>,
        transfer: &dyn TeamTransfer,
        token: &MigrationToken<'_>,
        person: AppleTransfer,
    ) -> Result<Step, TransferError> {
        let transfer_sub = person.transfer_sub.clone().unwrap_or_default();
        let answer = patiently(|| async {
            let now = self.clock.now();
            let token = token.get(now).await?;
            transfer.exchange(&token, &transfer_sub, now).await
        })
        .await;
        let now = self.clock.now();
        match answer {
            Ok(transferred) => {
                let connection = connector.id().clone();
                let first = self.link(&person, &transferred, &connection, now).await;
                match first {
                    // They signed in at this very moment; the second look finds them linked.
                    Err(TransferError::Fault(Fault::Store(StoreFault::Conflict(_)))) => {
                        self.link(&person, &transferred, &connection, now).await
                    }
                    settled => settled,
                }
            }
            Err(UpstreamError::Rejected { reason, .. }) => {
                let refused = AppleTransfer {
                    state: TransferState::Refused,
                    reason: Some(reason.to_owned()),
                    updated_at: now,
                    ..person
                };
                let advanced = self
                    .store
                    .write(move |tx| {
                        Box::pin(async move {
                            let from = TransferState::Collected;
                            let advanced = tx.advance_apple_transfer(&refused, from).await?;
                            Ok::<_, TransferError>(advanced)
                        })
                    })
                    .await?;
                Ok(if advanced { Step::Refused } else { Step::Nothing })
            }
            Err(other) => Err(TransferError::Upstream(other)),
        }
    }

    async fn link(
        &self,
        person: &AppleTransfer,
        transferred: &Transferred,
        connection: &ConnectionId,
        now: Timestamp,
    ) -> Result<Step, TransferError> {
        let (person, transferred) = (person.clone(), transferred.clone());
        let connection = connection.clone();
        self.store
            .write(move |tx| {
                Box::pin(async move { link(tx, person, &transferred, connection, now).await })
            })
            .await
    }
}

/// Links a person to their `sub` in the new team, unless it is somebody else's here.
async fn link(
    tx: &WriteTx,
    person: AppleTransfer,
    transferred: &Transferred,
    connection: ConnectionId,
    now: Timestamp,
) -> Result<Step, TransferError> {
    let authority = format!("apple:{}", person.to_team);
    tx.hold_user(&person.user_id).await?;
    let holder = tx.find_identity(&authority, &transferred.subject).await?;
    let old = tx.find_identity(&format!("apple:{}", person.from_team), &person.subject).await?;
    let foreign = holder.as_ref().is_some_and(|holder| holder.user_id != person.user_id);
    let gone = old.as_ref().is_none_or(|old| old.user_id != person.user_id);
    let reason = if foreign {
        Some("the new sub belongs to another person here")
    } else if gone {
        Some("the person has lost the old identity")
    } else {
        None
    };
    let moved = AppleTransfer {
        new_subject: Some(transferred.subject.clone()),
        state: if reason.is_some() { TransferState::Conflict } else { TransferState::Exchanged },
        reason: reason.map(str::to_owned),
        updated_at: now,
        ..person
    };
    if !tx.advance_apple_transfer(&moved, TransferState::Collected).await? {
        return Ok(Step::Nothing);
    }
    let (Some(old), None) = (old, reason) else { return Ok(Step::Conflict) };
    if holder.is_none() {
        let email = transferred.email.clone().or_else(|| old.email.clone());
        let identity = Identity {
            authority,
            subject: transferred.subject.clone(),
            connection_id: connection,
            email,
            // Not told in an identity token; the next sign-in tells.
            email_proven: false,
            created_at: now,
            ..old
        };
        tx.insert_identity(&identity).await?;
    }
    renew_relay(tx, &moved, transferred, now).await?;
    Ok(Step::Done)
}

/// A relay address ends with the old team; the new one takes its place. Any other address stays.
async fn renew_relay(
    tx: &WriteTx,
    moved: &AppleTransfer,
    transferred: &Transferred,
    now: Timestamp,
) -> Result<(), TransferError> {
    let (Some(email), true) = (&transferred.email, transferred.is_private_email) else {
        return Ok(());
    };
    let Some(mut user) = tx.find_user(&moved.user_id).await? else { return Ok(()) };
    if !user.is_private_email || user.email.as_ref() == Some(email) {
        return Ok(());
    }
    let before = user.clone();
    user.email = Some(email.clone());
    user.updated_at = now;
    tx.update_user(&user).await?;
    crate::op::signals::profile_changed(tx, &before, &user, now).await?;
    Ok(())
}
