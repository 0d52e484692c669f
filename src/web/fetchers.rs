//! Who fetched the key set: by user agent, in memory, for each replica. A hint for whoever rotates
//! keys, not a record.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use actix_web::HttpRequest;
use actix_web::http::header;

use crate::protocol::ambient::Timestamp;

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

    /// Everybody, who came last first.
    pub fn seen(&self) -> Vec<(String, Seen)> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = seen.iter().map(|(agent, seen)| (agent.clone(), *seen)).collect();
        all.sort_by(|a, b| (b.1.last, &a.0).cmp(&(a.1.last, &b.0)));
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
        let seen = fetchers.seen();
        assert_eq!(seen.len(), AGENTS);
        assert!(seen[0].0.starts_with("agent 3 ") && seen[0].0.len() == LENGTH);
        assert_eq!(seen[0].1, Seen { times: 2, last: Timestamp::from_secs(900) });
    }
}
