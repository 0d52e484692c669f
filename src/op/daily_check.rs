//! The daily check: does each person still stand well with Apple? — apple.md §6.
//!
//! One replica at a time does it, under a lease for each authority. It takes the grants that are
//! due in small batches, asks about at most [`AT_ONCE`] together and writes each answer down in an
//! act of its own, in which everything that follows from the answer stands or falls with it. Killed
//! anywhere, it loses at most answers that nobody has acted upon, and asks again.
//!
//! An answer speaks of a person, of the connection or of Apple, and the three are never confused:
//! only the first can end anything; the second stops the check until the operator has acted; the
//! third makes it wait.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use super::ending::{self, Ending, Reason};
use super::{Fault, Provider, signals};
use crate::protocol::ambient::Timestamp;
use crate::protocol::event::Event;
use crate::protocol::id::ConnectionId;
use crate::protocol::job::{JobCondition, JobState};
use crate::protocol::secret::SecretString;
use crate::protocol::upstream_grant::{
    AMBIGUOUS_DAYS, CHECK_INTERVAL, GrantState, UpstreamGrant, back_off,
};
use crate::protocol::user::Profile;
use crate::store::WriteTx;
use crate::store::upstream_grants::DueGrant;
use crate::upstream::Standing;

/// How many questions are under way at once.
const AT_ONCE: usize = 4;
/// How many due grants are in memory at once.
const BATCH: u32 = 64;
/// How many a round asks about: what has piled up while Apple was away is worked off at this pace.
const ROUND: usize = 1000;
/// So many questions running without an answer, and Apple is taken to be away.
const SILENCES: u32 = 5;
/// A replica that is silent for so long has died.
const LEASE: Duration = Duration::from_secs(120);

/// What a round found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Another replica is at it.
    pub busy: bool,
    /// Grants that stand.
    pub good: u32,
    /// Grants that were revoked.
    pub dead: u32,
    /// Grants of which neither is known yet.
    pub ambiguous: u32,
    /// Questions without an answer.
    pub unwell: u32,
    /// Grants that need not be asked about today: their people signed in since.
    pub postponed: u32,
    /// Whether the operator must act.
    pub misconfigured: bool,
}

impl Round {
    fn asked(&self) -> u32 {
        self.good + self.dead + self.ambiguous + self.unwell
    }

    fn add(&mut self, other: &Self) {
        self.busy |= other.busy;
        self.good += other.good;
        self.dead += other.dead;
        self.ambiguous += other.ambiguous;
        self.unwell += other.unwell;
        self.postponed += other.postponed;
        self.misconfigured |= other.misconfigured;
    }
}

/// The name of an authority's check among the jobs and leases.
pub fn job_name(authority: &str) -> String {
    format!("daily_check:{authority}")
}

/// What an answer comes to.
enum Outcome {
    Good,
    Dead,
    Ambiguous,
    Unwell(String),
    Misconfigured(String),
    Postponed,
    /// The row changed while the question was under way: the answer is of yesterday.
    Overtaken,
}

impl Provider {
    /// One round of the daily check over every authority that can be asked. `holder` names this
    /// replica. Safe to call at any time, on every replica.
    ///
    /// # Errors
    /// The store's fault; what was answered before it is kept.
    pub async fn daily_check(&self, holder: &str) -> Result<Round, Fault> {
        let mut authorities: Vec<String> = self
            .connectors()
            .iter()
            .filter(|connector| connector.lifecycle().is_some())
            .map(|connector| connector.authority())
            .collect();
        authorities.sort();
        authorities.dedup();
        let mut all = Round::default();
        for authority in authorities {
            let name = job_name(&authority);
            if !self.hold(&name, holder).await? {
                all.busy = true;
                continue;
            }
            let round = self.check_authority(&authority, &name, holder).await;
            let (name, holder) = (name, holder.to_owned());
            self.store
                .write(move |tx| Box::pin(async move { tx.release_lease(&name, &holder).await }))
                .await?;
            all.add(&round?);
        }
        Ok(all)
    }

    /// Takes the lease, or keeps it.
    async fn hold(&self, name: &str, holder: &str) -> Result<bool, Fault> {
        let now = self.clock.now();
        let (name, holder) = (name.to_owned(), holder.to_owned());
        Ok(self
            .store
            .write(move |tx| {
                Box::pin(async move { tx.take_lease(&name, &holder, now.plus(LEASE), now).await })
            })
            .await?)
    }

    async fn check_authority(
        &self,
        authority: &str,
        name: &str,
        holder: &str,
    ) -> Result<Round, Fault> {
        let now = self.clock.now();
        let found = self.store.find_job_state(name).await?;
        let mut job = found.unwrap_or_else(|| JobState::new(name.to_owned(), now));
        if job.condition != JobCondition::Running && job.resume_at.is_some_and(|at| at > now) {
            return Ok(Round::default());
        }
        let mut round = Round::default();
        let mut silences = 0;
        loop {
            // While it is held up, a single question tells whether it can go on.
            let batch = if job.condition == JobCondition::Running { BATCH } else { 1 };
            let due = self.store.due_upstream_grants(authority, self.clock.now(), batch).await?;
            if due.is_empty() || usize::try_from(round.asked()).unwrap_or(ROUND) >= ROUND {
                break;
            }
            let halt = AtomicBool::new(false);
            let mut answers = stream::iter(due)
                // What is under way is waited for; nothing new is begun.
                .take_while(|_| std::future::ready(!halt.load(Ordering::Relaxed)))
                .map(|due| self.check_one(due))
                .buffer_unordered(AT_ONCE);
            let mut held_up = None;
            while let Some(answer) = answers.next().await {
                match answer? {
                    Outcome::Good => round.good += 1,
                    Outcome::Dead => round.dead += 1,
                    Outcome::Ambiguous => round.ambiguous += 1,
                    Outcome::Postponed => {
                        round.postponed += 1;
                        continue;
                    }
                    Outcome::Overtaken => continue,
                    Outcome::Unwell(cause) => {
                        round.unwell += 1;
                        silences += 1;
                        if silences >= SILENCES || job.condition != JobCondition::Running {
                            halt.store(true, Ordering::Relaxed);
                            held_up.get_or_insert((JobCondition::Paused, cause));
                        }
                        continue;
                    }
                    Outcome::Misconfigured(cause) => {
                        round.misconfigured = true;
                        halt.store(true, Ordering::Relaxed);
                        held_up = Some((JobCondition::Stopped, cause));
                        continue;
                    }
                }
                // Apple answered, and knows us.
                silences = 0;
                job.last_ok_at = Some(self.clock.now());
                self.note_resumed(&mut job).await?;
            }
            drop(answers);
            if let Some((condition, cause)) = held_up {
                self.note_held_up(&mut job, condition, cause).await?;
                break;
            }
            if !self.hold(name, holder).await? {
                round.busy = true;
                break;
            }
        }
        job.last_run_at = Some(self.clock.now());
        self.store.write(move |tx| Box::pin(async move { tx.put_job_state(&job).await })).await?;
        Ok(round)
    }

    /// Asks about one grant and writes the answer down.
    async fn check_one(&self, due: DueGrant) -> Result<Outcome, Fault> {
        let now = self.clock.now();
        let DueGrant { grant, last_login_at } = due;
        if last_login_at.plus(CHECK_INTERVAL) > now {
            // The sign-in was proof enough.
            let next_check_at = Some(grant.next_check(last_login_at));
            self.note(UpstreamGrant { next_check_at, ..grant }).await?;
            return Ok(Outcome::Postponed);
        }
        let Some(connector) = self.connector_holding(&grant.authority, &grant.client_id) else {
            // Its connection, or its app, is not configured now; it may be again.
            let next_check_at = Some(grant.next_check(now));
            self.note(UpstreamGrant { next_check_at, ..grant }).await?;
            return Ok(Outcome::Postponed);
        };
        let Some(lifecycle) = connector.lifecycle() else { return Ok(Outcome::Overtaken) };
        let Ok(token) = self.open_upstream_grant(&grant) else {
            tracing::error!(
                user = %grant.user_id, client_id = grant.client_id,
                "an upstream grant does not open: is a master key missing?"
            );
            return self.silent(grant, now, "the grant does not open".to_owned()).await;
        };
        let standing = lifecycle.check_grant(&grant.client_id, &token, now).await;
        let now = self.clock.now();
        match standing {
            Standing::Good(None) => self.good(grant, None, now).await,
            Standing::Good(Some(identity)) if identity.subject == grant.subject => {
                self.good(grant, Some(identity.profile), now).await
            }
            Standing::Good(Some(_)) => {
                tracing::error!(user = %grant.user_id, "Apple names somebody else for this grant");
                self.silent(grant, now, "a grant of somebody else".to_owned()).await
            }
            Standing::Dead => self.dead(grant, last_login_at, now).await,
            Standing::Ambiguous => self.ambiguous(grant, last_login_at, now).await,
            Standing::Unwell(cause) => self.silent(grant, now, cause).await,
            Standing::Misconfigured(cause) => Ok(Outcome::Misconfigured(cause)),
        }
    }

    /// The refresh token of an upstream grant.
    ///
    /// # Errors
    /// When it was sealed under a master key that is not configured.
    pub fn open_upstream_grant(&self, grant: &UpstreamGrant) -> Result<SecretString, Fault> {
        let opened = self.vault.open(&grant.bound_to(), &grant.sealed_refresh_token)?;
        let text = String::from_utf8(opened.expose().clone())
            .map_err(|_| crate::protocol::secret::SealError::DoesNotOpen)?;
        Ok(SecretString::new(text))
    }

    async fn note(&self, grant: UpstreamGrant) -> Result<bool, Fault> {
        let noted = self
            .store
            .write(move |tx| Box::pin(async move { tx.note_upstream_grant(&grant).await }));
        Ok(noted.await?)
    }

    async fn good(
        &self,
        grant: UpstreamGrant,
        profile: Option<Profile>,
        now: Timestamp,
    ) -> Result<Outcome, Fault> {
        let good = UpstreamGrant {
            last_checked_at: Some(now),
            last_ok_at: Some(now),
            ambiguous_days: 0,
            failures: 0,
            next_check_at: Some(grant.next_check(now)),
            ..stands(grant, GrantState::Valid, now)
        };
        let noted = self.store.write(move |tx| {
            Box::pin(async move {
                if !tx.note_upstream_grant(&good).await? {
                    return Ok::<_, Fault>(Outcome::Overtaken);
                }
                if let Some(profile) = profile {
                    learn_address(tx, &good, &profile, now).await?;
                }
                Ok(Outcome::Good)
            })
        });
        noted.await
    }

    /// No answer, or none to be believed: nobody loses anything by it.
    async fn silent(
        &self,
        grant: UpstreamGrant,
        now: Timestamp,
        cause: String,
    ) -> Result<Outcome, Fault> {
        let failures = grant.failures.saturating_add(1);
        let next_check_at = Some(now.plus(back_off(failures, self.entropy.as_ref())));
        let silent = UpstreamGrant {
            failures,
            next_check_at,
            ..stands(grant, GrantState::Unreachable, now)
        };
        tracing::debug!(user = %silent.user_id, failures, %cause, "no answer about a grant");
        let noted = self.note(silent).await?;
        Ok(if noted { Outcome::Unwell(cause) } else { Outcome::Overtaken })
    }

    async fn ambiguous(
        &self,
        grant: UpstreamGrant,
        last_login_at: Timestamp,
        now: Timestamp,
    ) -> Result<Outcome, Fault> {
        let days = grant.ambiguous_days.saturating_add(1);
        if let Some(before) = grant.last_checked_at
            && days >= AMBIGUOUS_DAYS
            && self.store.others_stand_since(&grant.authority, &grant.user_id, before).await?
        {
            return self.dead(grant, last_login_at, now).await;
        }
        let ambiguous = UpstreamGrant {
            last_checked_at: Some(now),
            ambiguous_days: days,
            failures: 0,
            next_check_at: Some(grant.next_check(now)),
            ..grant
        };
        let noted = self.note(ambiguous).await?;
        Ok(if noted { Outcome::Ambiguous } else { Outcome::Overtaken })
    }

    /// The upstream has taken the grant back: what came through it ends.
    async fn dead(
        &self,
        grant: UpstreamGrant,
        last_login_at: Timestamp,
        now: Timestamp,
    ) -> Result<Outcome, Fault> {
        let connections = self.connections_of(&grant.authority);
        let dead = UpstreamGrant {
            last_checked_at: Some(now),
            next_check_at: None,
            failures: 0,
            ..stands(grant, GrantState::Revoked, now)
        };
        let noted = self.store.write(move |tx| {
            Box::pin(async move {
                if !tx.note_upstream_grant(&dead).await? {
                    return Ok::<_, Fault>(Outcome::Overtaken);
                }
                let ended = end_with(tx, &dead, connections, last_login_at, now).await?;
                let event = Event::new(now, "apple.grant_revoked", "system")
                    .target(dead.user_id.to_string())
                    .detail(serde_json::json!({
                        "authority": dead.authority,
                        "client_id": dead.client_id,
                        "sessions": ended.sessions,
                        "grants": ended.grants,
                    }));
                tx.record(&event).await?;
                Ok(Outcome::Dead)
            })
        });
        noted.await
    }

    /// Says once that the check is held up, and when it will try again.
    async fn note_held_up(
        &self,
        job: &mut JobState,
        condition: JobCondition,
        cause: String,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        // A stopped check whose probe gets no answer is stopped all the same.
        let condition = match (job.condition, condition) {
            (JobCondition::Stopped, JobCondition::Paused) => JobCondition::Stopped,
            (_, condition) => condition,
        };
        job.failures = job.failures.saturating_add(1);
        job.resume_at = Some(now.plus(back_off(job.failures, self.entropy.as_ref())));
        if job.condition == condition {
            return Ok(());
        }
        job.condition = condition;
        job.since = now;
        job.detail = Some(cause.clone());
        let kind = if condition == JobCondition::Stopped {
            tracing::error!(job = job.name, %cause, "the daily check is stopped: the operator must act");
            "apple.check_stopped"
        } else {
            tracing::warn!(job = job.name, %cause, "the daily check waits for Apple");
            "apple.check_paused"
        };
        self.record_of(job, kind, now).await
    }

    /// Says once that the check goes on.
    async fn note_resumed(&self, job: &mut JobState) -> Result<(), Fault> {
        job.failures = 0;
        if job.condition == JobCondition::Running {
            return Ok(());
        }
        let now = self.clock.now();
        tracing::info!(job = job.name, "the daily check goes on");
        self.record_of(job, "apple.check_resumed", now).await?;
        *job = JobState {
            condition: JobCondition::Running,
            since: now,
            resume_at: None,
            detail: None,
            ..job.clone()
        };
        Ok(())
    }

    async fn record_of(&self, job: &JobState, kind: &str, now: Timestamp) -> Result<(), Fault> {
        let mut event = Event::new(now, kind, "system").target(job.name.clone());
        if let Some(cause) = &job.detail {
            event = event.detail(serde_json::json!({ "cause": cause }));
        }
        let job = job.clone();
        let recorded = self.store.write(move |tx| {
            Box::pin(async move {
                tx.put_job_state(&job).await?;
                tx.record(&event).await
            })
        });
        Ok(recorded.await?)
    }
}

/// The grant in this state; since now, unless it was in it before.
fn stands(grant: UpstreamGrant, state: GrantState, now: Timestamp) -> UpstreamGrant {
    let state_since = if grant.state == state { grant.state_since } else { now };
    UpstreamGrant { state, state_since, ..grant }
}

/// Ends what the person signed in to through the authority's connections, unless they have proven
/// since that they stand well: by a newer grant, which is asked about in its turn, or by signing in
/// while the question was under way.
async fn end_with(
    tx: &WriteTx,
    dead: &UpstreamGrant,
    mut connections: Vec<ConnectionId>,
    last_login_at: Timestamp,
    now: Timestamp,
) -> Result<ending::Ended, Fault> {
    let others = tx.find_upstream_grants(&dead.user_id).await?;
    let newer = others.iter().any(|other| {
        other.authority == dead.authority
            && other.subject == dead.subject
            && other.state != GrantState::Revoked
            && other.issued_at > dead.issued_at
    });
    let identity = tx.find_identity(&dead.authority, &dead.subject).await?;
    let came_back = identity.as_ref().is_some_and(|known| known.last_login_at > last_login_at);
    if newer || came_back {
        return Ok(ending::Ended::default());
    }
    // A connection that is not configured any more may still have sessions.
    connections.extend(identity.map(|known| known.connection_id));
    let ending = Ending::Connections(dead.user_id.clone(), connections);
    Ok(ending::end(tx, &ending, Reason::UpstreamRevoked, now).await?)
}

/// Takes over the address that Apple tells now, where the one that is known came from Apple too.
async fn learn_address(
    tx: &WriteTx,
    grant: &UpstreamGrant,
    profile: &Profile,
    now: Timestamp,
) -> Result<(), Fault> {
    let Some(email) = &profile.email else { return Ok(()) };
    let Some(identity) = tx.find_identity(&grant.authority, &grant.subject).await? else {
        return Ok(());
    };
    let Some(mut user) = tx.find_user(&grant.user_id).await? else { return Ok(()) };
    if identity.email.as_ref() != Some(email) {
        tx.note_identity_email(&grant.authority, &grant.subject, email).await?;
    }
    let before = user.clone();
    if user.email.is_none() || user.email == identity.email {
        user.email = Some(email.clone());
        user.email_verified = profile.email_verified;
        user.is_private_email = profile.is_private_email;
    }
    if user != before {
        user.updated_at = now;
        tx.update_user(&user).await?;
        signals::profile_changed(tx, &before, &user, now).await?;
        let event = Event::new(now, "user.email_changed", "system")
            .target(user.id.to_string())
            .detail(serde_json::json!({ "is_private_email": user.is_private_email }));
        tx.record(&event).await?;
    }
    Ok(())
}
