//! How the last contacts with an upstream went, as far as this replica made them.
//!
//! Noted where something was asked anyway; nobody is asked to find out.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use super::UpstreamError;
use crate::protocol::ambient::Timestamp;

/// How long a failed contact says anything: after it nobody knows how the upstream is.
pub const FRESH: Duration = Duration::from_secs(120);
/// A single contact fails for many reasons; so many running mean that the upstream is away.
const FAILURES: u32 = 2;
const NEVER: i64 = i64::MIN;

/// What contacts of late have shown.
#[derive(Debug)]
pub struct Health {
    failures: AtomicU32,
    failed_at: AtomicI64,
    answered_at: AtomicI64,
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl Health {
    /// Of an upstream that nobody has asked yet.
    pub const fn new() -> Self {
        Self {
            failures: AtomicU32::new(0),
            failed_at: AtomicI64::new(NEVER),
            answered_at: AtomicI64::new(NEVER),
        }
    }

    /// It answered as itself, whatever it said.
    pub fn answered(&self, now: Timestamp) {
        self.failures.store(0, Ordering::Relaxed);
        self.answered_at.fetch_max(now.millis(), Ordering::Relaxed);
    }

    /// It did not, or something else answered in its place.
    pub fn failed(&self, now: Timestamp) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        self.failed_at.fetch_max(now.millis(), Ordering::Relaxed);
    }

    /// Notes how a contact ended. What only the operator can mend says nothing of the upstream.
    pub fn note<T>(&self, contact: &Result<T, UpstreamError>, now: Timestamp) {
        match contact {
            Ok(_) | Err(UpstreamError::Rejected { .. } | UpstreamError::Cancelled) => {
                self.answered(now);
            }
            Err(UpstreamError::Unavailable(_)) => self.failed(now),
            Err(UpstreamError::Misconfigured(_)) => {}
        }
    }

    /// Whether it is away, for all that is known: by the contacts made here, or by one that failed
    /// at `told` somewhere else and that no answer here has come after.
    pub fn is_away(&self, told: Option<Timestamp>, now: Timestamp) -> bool {
        let fresh = |at: Timestamp| now.since(at) < FRESH;
        let failed_at = Timestamp::from_millis(self.failed_at.load(Ordering::Relaxed));
        let here = self.failures.load(Ordering::Relaxed) >= FAILURES && fresh(failed_at);
        let answered_at = self.answered_at.load(Ordering::Relaxed);
        here || told.is_some_and(|told| fresh(told) && answered_at < told.millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);

    fn after(secs: u64) -> Timestamp {
        NOW.plus(Duration::from_secs(secs))
    }

    #[test]
    fn two_failures_running_are_an_outage_and_one_answer_ends_it() {
        let health = Health::new();
        assert!(!health.is_away(None, NOW));
        health.failed(NOW);
        assert!(!health.is_away(None, NOW), "one lost packet is no outage");
        health.answered(after(1));
        health.failed(after(2));
        assert!(!health.is_away(None, after(2)));
        health.failed(after(3));
        assert!(health.is_away(None, after(3)));
        assert!(health.is_away(None, after(122)));
        assert!(!health.is_away(None, after(123)), "by now nobody knows");
        health.failed(after(200));
        assert!(health.is_away(None, after(200)));
        health.answered(after(201));
        assert!(!health.is_away(None, after(201)));
    }

    #[test]
    fn what_others_have_seen_counts_until_it_answers_here() {
        let health = Health::new();
        assert!(health.is_away(Some(NOW), after(119)));
        assert!(!health.is_away(Some(NOW), after(120)));
        health.answered(after(5));
        assert!(!health.is_away(Some(NOW), after(6)));
        assert!(health.is_away(Some(after(7)), after(8)));
    }

    #[test]
    fn a_refusal_is_an_answer_and_our_own_mistake_says_nothing() {
        let health = Health::new();
        let note = |error| health.note(&Err::<(), _>(error), NOW);
        let away = || UpstreamError::Unavailable(String::new());
        note(away());
        note(UpstreamError::Misconfigured(String::new()));
        note(away());
        assert!(health.is_away(None, NOW));
        note(UpstreamError::Rejected { reason: "code_refused", detail: String::new() });
        assert!(!health.is_away(None, NOW));
    }
}
