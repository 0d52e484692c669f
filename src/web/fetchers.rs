//! Who fetched the key set, by user agent: counted in memory until a job writes it down. A hint for
//! whoever rotates keys, not a record.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use actix_web::HttpRequest;
use actix_web::http::header;

use crate::protocol::ambient::Timestamp;
use crate::store::observations::Fetcher;

/// User agents that are told apart; whoever comes later is not counted.
const AGENTS: usize = 64;
/// Characters of a user agent that are kept.
const LENGTH: usize = 80;

/// How often and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// How often.
    pub times: u64,
    /// When last.
    pub last: Timestamp,
}

/// The user agents seen so far.
#[derive(Default)]
pub struct Fetchers(Mutex<HashMap<String, Seen>>);

impl Fetchers {
    /// Notes a fetch.
    pub fn note(&self, request: &HttpRequest, now: Timestamp) {
        let agent = request.headers().get(header::USER_AGENT);
        let agent = agent.and_then(|agent| agent.to_str().ok()).unwrap_or("none told");
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let agent: String = agent.chars().take(LENGTH).collect();
        if let Some(seen) = seen.get_mut(&agent) {
            seen.times = seen.times.saturating_add(1);
            seen.last = now;
        } else if seen.len() < AGENTS {
            seen.insert(agent, Seen { times: 1, last: now });
        }
    }

    /// Everybody since the last time that this was asked, to be written down.
    pub fn take(&self) -> Vec<Fetcher> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fetcher = |(agent, seen): (String, Seen)| Fetcher {
            agent,
            times: seen.times,
            last_at: seen.last,
        };
        std::mem::take(&mut *seen).into_iter().map(fetcher).collect()
    }

    /// What was written down, and what is not yet; who came last first.
    pub fn with(&self, kept: Vec<Fetcher>) -> Vec<Fetcher> {
        let mut all: HashMap<String, Fetcher> =
            kept.into_iter().map(|fetcher| (fetcher.agent.clone(), fetcher)).collect();
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (agent, seen) in seen.iter() {
            let fetcher = all.entry(agent.clone()).or_insert_with(|| Fetcher {
                agent: agent.clone(),
                times: 0,
                last_at: seen.last,
            });
            fetcher.times = fetcher.times.saturating_add(seen.times);
            fetcher.last_at = fetcher.last_at.max(seen.last);
        }
        let mut all: Vec<_> = all.into_values().collect();
        all.sort_by(|a, b| (b.last_at, &a.agent).cmp(&(a.last_at, &b.agent)));
        all
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn agents_are_counted_and_never_grow_without_end() {
        let fetchers = Fetchers::default();
        let from = |agent: &str| {
            TestRequest::default().insert_header((header::USER_AGENT, agent)).to_http_request()
        };
        for number in 0..200 {
            fetchers.note(
                &from(&format!("agent {number} {}", "x".repeat(500))),
                Timestamp::from_secs(number),
            );
        }
        fetchers.note(&from(&format!("agent 3 {}", "x".repeat(500))), Timestamp::from_secs(900));
        let seen = fetchers.with(Vec::new());
        assert_eq!(seen.len(), AGENTS);
        assert!(seen[0].agent.starts_with("agent 3 ") && seen[0].agent.len() == LENGTH);
        assert_eq!((seen[0].times, seen[0].last_at), (2, Timestamp::from_secs(900)));
        let taken = fetchers.take();
        assert_eq!(taken.len(), AGENTS);
        assert!(fetchers.take().is_empty());
        assert_eq!(fetchers.with(taken)[0], seen[0]);
    }
}
