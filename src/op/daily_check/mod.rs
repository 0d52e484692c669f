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

mod answers;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use super::{Fault, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::event::Event;
use crate::protocol::job::{JobCondition, JobState};
use crate::protocol::upstream_grant::back_off;

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

/// Whether a job is such a check.
pub fn is_check(job: &str) -> bool {
    job.starts_with(&job_name(""))
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

    /// Whether a check was left in its middle by a replica that has died.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn daily_check_was_cut_short(&self) -> Result<bool, Fault> {
        Ok(self.store.is_lease_left(&job_name(""), self.clock.now()).await?)
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

    /// Whether the operator has put the check on hold meanwhile.
    async fn is_held(&self, name: &str) -> Result<bool, Fault> {
        let found = self.store.find_job_state(name).await?;
        Ok(found.is_some_and(|job| job.condition == JobCondition::Held))
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
        let waits = match job.condition {
            JobCondition::Running => false,
            JobCondition::Paused | JobCondition::Stopped => {
                job.resume_at.is_some_and(|at| at > now)
            }
            JobCondition::Held => true,
        };
        if waits {
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
            if self.is_held(name).await? {
                break;
            }
        }
        job.last_run_at = Some(self.clock.now());
        self.store.write(move |tx| Box::pin(async move { tx.put_job_state(&job).await })).await?;
        Ok(round)
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
