//! What a deletion does with the outside, step by step.
//!
//! Each step's effect is written together with its line of the receipt, in an act that counts only
//! for the attempt that holds the row. Between the upstream's answer and that act a crash is
//! possible: then the grant is looked at again before anything is sent, and a dead one is not
//! revoked a second time.

use std::time::Duration;

use futures_util::StreamExt as _;

use crate::op::giving_back::GivenBack;
use crate::op::{Fault, Provider, signals};
use crate::protocol::ambient::Timestamp;
use crate::protocol::deletion::{Deletion, DeletionState};
use crate::protocol::delivery::{DeliveryState, pause};
use crate::protocol::event::Event;
use crate::protocol::id::{DeletionId, UserId};
use crate::protocol::security_event::SecurityEvent;
use crate::protocol::upstream_grant::{GrantState, UpstreamGrant};
use crate::store::WriteTx;

/// Longer than a step can take; after it the deletion is due again.
const LEASE: Duration = Duration::from_secs(120);
/// How often it is looked whether the clients have been told.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
const AT_A_TIME: u32 = 64;
/// How many are under way at once.
const AT_ONCE: usize = 4;

impl Provider {
    /// Takes every deletion that can go on as far as it goes. Several replicas may do so at once:
    /// each deletion is one's at a time.
    ///
    /// # Errors
    /// The store's fault; an upstream's trouble is waited out.
    pub async fn continue_deletions(&self) -> Result<(), Fault> {
        let due = self.store.due_deletions(self.clock.now(), AT_A_TIME).await?;
        let mut under_way = futures_util::stream::iter(due)
            .map(|id| async move { self.continue_deletion(&id).await })
            .buffer_unordered(AT_ONCE);
        while let Some(outcome) = under_way.next().await {
            outcome?;
        }
        Ok(())
    }

    /// Takes one deletion as far as it goes now. Returns why it waits, if it does.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn continue_deletion(&self, id: &DeletionId) -> Result<Option<String>, Fault> {
        let now = self.clock.now();
        let key = id.clone();
        let claimed = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    Ok::<_, Fault>(tx.claim_deletion(&key, now.plus(LEASE), now).await?)
                })
            })
            .await?;
        let Some(mut deletion) = claimed else { return Ok(None) };
        loop {
            let went_on = match deletion.state {
                DeletionState::Revoking => self.give_all_back(&deletion).await?,
                DeletionState::Erasing => self.erase(&deletion).await?,
                DeletionState::Telling => self.await_clients(&deletion).await?,
                DeletionState::Completed => return Ok(None),
            };
            match went_on {
                Step::Next(next) => deletion = next,
                Step::Wait(why) => return Ok(Some(why)),
                Step::Lost => return Ok(None),
            }
        }
    }

    /// Revokes what upstreams granted, each with the `client_id` that obtained it.
    async fn give_all_back(&self, deletion: &Deletion) -> Result<Step, Fault> {
        let Some(user_id) = &deletion.user_id else {
            return self.go_on(deletion, DeletionState::Erasing, None).await;
        };
        let mut trouble = None;
        let mut deletion = deletion.clone();
        for grant in self.store.find_upstream_grants(user_id).await? {
            let now = self.clock.now();
            let outcome = match self.give_back_one(&grant, deletion.attempts).await? {
                GivenBack::Settled(outcome) => outcome,
                GivenBack::NotYet(why) if now < deletion.give_up_at => {
                    trouble = Some(why);
                    continue;
                }
                GivenBack::NotYet(_) => "given up: not confirmed",
            };
            let (held, client_id) = (deletion.clone(), grant.client_id.clone());
            // Each grant has the whole lease for itself.
            let renewed = Deletion { due_at: now.plus(LEASE), ..held.clone() };
            deletion = renewed.clone();
            let kept = self
                .store
                .write(move |tx| {
                    Box::pin(async move {
                        if !tx.advance_deletion(&held, &renewed).await? {
                            return Ok::<_, Fault>(false);
                        }
                        let (user, authority) = (&grant.user_id, &grant.authority);
                        // A newer one from a sign-in that was turned away is another turn's.
                        let kept = tx.find_upstream_grants(user).await?;
                        let same = kept.iter().any(|kept| {
                            kept.authority == *authority
                                && kept.client_id == client_id
                                && kept.version == grant.version
                        });
                        tx.forget_resting(&grant).await?;
                        if same && tx.delete_upstream_grant(user, authority, &client_id).await? {
                            let outcome = format!("{client_id}: {outcome}");
                            tx.add_deletion_step(&held.id, "upstream_grant", &outcome, now).await?;
                        }
                        Ok(true)
                    })
                })
                .await?;
            if !kept {
                return Ok(Step::Lost);
            }
        }
        if trouble.is_none() {
            let owed = self.give_earlier_back(user_id).await?;
            if owed > 0 && self.clock.now() < deletion.give_up_at {
                trouble = Some(format!("{owed} earlier tokens are not confirmed revoked"));
            }
        }
        match trouble {
            Some(why) => self.wait(&deletion, why).await,
            None => self.go_on(&deletion, DeletionState::Erasing, None).await,
        }
    }

    async fn give_back_one(
        &self,
        grant: &UpstreamGrant,
        attempts: i32,
    ) -> Result<GivenBack, Fault> {
        if grant.state == GrantState::Revoked {
            return Ok(GivenBack::Settled("revoked before"));
        }
        let token = self.open_upstream_grant(grant)?;
        let whose = (grant.authority.as_str(), grant.client_id.as_str());
        Ok(self.give_back(whose, &token, attempts).await)
    }

    /// Erases the person; those who knew them are owed the news, written before the links go.
    async fn erase(&self, deletion: &Deletion) -> Result<Step, Fault> {
        let next = Deletion {
            user_id: None,
            state: DeletionState::Telling,
            attempts: 1,
            ..deletion.clone()
        };
        let held = deletion.clone();
        let now = self.clock.now();
        let written = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    // The person first, as whoever asks for the same deletion again does.
                    if let Some(user_id) = &held.user_id {
                        tx.hold_user(user_id).await?;
                    }
                    let next = match &held.user_id {
                        // Something was given meanwhile.
                        Some(user_id) if !tx.find_upstream_grants(user_id).await?.is_empty() => {
                            Deletion { state: DeletionState::Revoking, ..held.clone() }
                        }
                        Some(_) | None => next,
                    };
                    if !tx.advance_deletion(&held, &next).await? {
                        return Ok::<_, Fault>(None);
                    }
                    if let (Some(user_id), None) = (&held.user_id, &next.user_id) {
                        erase_person(tx, &held, user_id, now).await?;
                    }
                    Ok(Some(next))
                })
            })
            .await?;
        self.doorbell.ring();
        Ok(written.map_or(Step::Lost, Step::Next))
    }

    /// The receipt is complete when every client has taken what it was owed, or was given up.
    async fn await_clients(&self, deletion: &Deletion) -> Result<Step, Fault> {
        let cause = deletion.id.as_str();
        let count = async |state| self.store.count_deliveries(cause, state).await;
        let owed = count(DeliveryState::Owed).await?;
        if owed > 0 {
            return self.wait(deletion, format!("{owed} messages to clients are owed")).await;
        }
        let (told, failed) =
            (count(DeliveryState::Delivered).await?, count(DeliveryState::Failed).await?);
        let outcome = format!("messages taken: {told}, given up: {failed}");
        self.go_on(deletion, DeletionState::Completed, Some(("clients_told", outcome))).await
    }

    async fn go_on(
        &self,
        deletion: &Deletion,
        state: DeletionState,
        line: Option<(&'static str, String)>,
    ) -> Result<Step, Fault> {
        let now = self.clock.now();
        let completed_at = (state == DeletionState::Completed).then_some(now);
        let next = Deletion { state, attempts: 1, completed_at, ..deletion.clone() };
        let (held, written) = (deletion.clone(), next.clone());
        let kept = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if !tx.advance_deletion(&held, &written).await? {
                        return Ok::<_, Fault>(false);
                    }
                    if let Some((step, outcome)) = line {
                        tx.add_deletion_step(&held.id, step, &outcome, now).await?;
                    }
                    Ok(true)
                })
            })
            .await?;
        Ok(if kept { Step::Next(next) } else { Step::Lost })
    }

    async fn wait(&self, deletion: &Deletion, why: String) -> Result<Step, Fault> {
        let now = self.clock.now();
        let pause = match deletion.state {
            DeletionState::Telling => LOOK_AGAIN,
            DeletionState::Revoking | DeletionState::Erasing | DeletionState::Completed => {
                pause(deletion.attempts, self.entropy.as_ref())
            }
        };
        tracing::info!(deletion = %deletion.id, state = deletion.state.as_str(), why, "waiting");
        let (held, next) =
            (deletion.clone(), Deletion { due_at: now.plus(pause), ..deletion.clone() });
        self.store
            .write(move |tx| {
                Box::pin(async move { Ok::<_, Fault>(tx.advance_deletion(&held, &next).await?) })
            })
            .await?;
        Ok(Step::Wait(why))
    }
}

/// How a step ended.
enum Step {
    /// Done; this comes next.
    Next(Deletion),
    /// Cannot go on now.
    Wait(String),
    /// Somebody else has it by now.
    Lost,
}

async fn erase_person(
    tx: &WriteTx,
    deletion: &Deletion,
    user_id: &UserId,
    now: Timestamp,
) -> Result<(), Fault> {
    let cause = Some(deletion.id.as_str());
    signals::emit_because(tx, user_id, &SecurityEvent::AccountPurged, cause, now).await?;
    for identity in tx.list_identities(user_id).await? {
        tx.delete_pending_profile(&identity.authority, &identity.subject).await?;
    }
    // What the admin API was answered about them, and what trials told of them.
    tx.unpark_about(user_id).await?;
    tx.delete_user(user_id).await?;
    let outcome = "profile, identities, consents and tokens are gone";
    tx.add_deletion_step(&deletion.id, "person_erased", outcome, now).await?;
    let event = Event::new(now, "user.deleted", deletion.requested_by.clone())
        .target(user_id.to_string())
        .detail(serde_json::json!({ "deletion": deletion.id }));
    Ok(tx.record(&event).await?)
}
