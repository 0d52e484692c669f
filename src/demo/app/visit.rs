//! What the app remembers of each browser: in memory, by a random cookie.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::relying_party::{Departure, Tokens};
use crate::demo::outbound::Exchange;
use crate::protocol::ambient::{Entropy, Timestamp};
use crate::protocol::secret::SecretString;

/// How many browsers are remembered; the one seen longest ago is forgotten first.
const CAPACITY: usize = 500;
/// How many sign-ins one browser may have under way, as in several tabs.
const DEPARTURES: usize = 8;
/// How many steps the page lists.
const STEPS: usize = 6;
/// How long a browser is remembered after its last request.
const LIFE: Duration = Duration::from_secs(8 * 3600);

/// Something the app did with its tokens, and how it went.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// What was done.
    pub(super) title: &'static str,
    /// What it means, in a sentence.
    pub(super) verdict: String,
    /// Whether it went well.
    pub(super) ok: bool,
    /// What went over the wire.
    pub(super) exchanges: Vec<Exchange>,
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub(super) struct SignedIn {
    pub(super) tokens: Tokens,
    pub(super) userinfo: Option<serde_json::Value>,
    pub(super) refreshed: u32,
    /// Latest first.
    pub(super) steps: Vec<Step>,
}

impl SignedIn {
    /// Puts `step` on top of the list.
    pub(super) fn add(&mut self, step: Step) {
        self.steps.insert(0, step);
        self.steps.truncate(STEPS);
    }
}

/// A sentence shown once, above the sign-in button.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) text: String,
    pub(super) is_error: bool,
}

#[derive(Clone, Debug, Default)]
struct Visit {
    departures: Vec<Departure>,
    signed_in: Option<SignedIn>,
    notice: Option<Notice>,
    seen: Timestamp,
}

/// All browsers.
#[derive(Debug, Default)]
pub(super) struct Visits(Mutex<HashMap<String, Visit>>);

impl Visits {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Visit>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a departure under the browser's cookie, or under a new one, which is returned.
    pub(super) fn depart(
        &self,
        cookie: Option<&str>,
        departure: Departure,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> String {
        let mut visits = self.lock();
        let cookie = cookie
            .filter(|cookie| visits.contains_key(*cookie))
            .map_or_else(|| SecretString::random(entropy).expose().clone(), ToOwned::to_owned);
        let visit = visits.entry(cookie.clone()).or_default();
        visit.seen = now;
        visit.notice = None;
        if visit.departures.len() >= DEPARTURES {
            visit.departures.remove(0);
        }
        visit.departures.push(departure);
        forget_old(&mut visits, now);
        cookie
    }

    /// Takes the departure that `state` belongs to; a second time there is none.
    pub(super) fn take_departure(&self, cookie: &str, state: &str) -> Option<Departure> {
        let mut visits = self.lock();
        let departures = &mut visits.get_mut(cookie)?.departures;
        let position = departures.iter().position(|departure| departure.state == state)?;
        Some(departures.remove(position))
    }

    /// Signs the browser in under a new cookie, which is returned; the old one is worth nothing
    /// from here on.
    pub(super) fn sign_in(
        &self,
        old: &str,
        signed_in: SignedIn,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> String {
        let cookie = SecretString::random(entropy).expose().clone();
        let mut visits = self.lock();
        visits.remove(old);
        let visit = Visit { signed_in: Some(signed_in), seen: now, ..Visit::default() };
        visits.insert(cookie.clone(), visit);
        forget_old(&mut visits, now);
        cookie
    }

    /// Who is signed in.
    pub(super) fn find(&self, cookie: &str, now: Timestamp) -> Option<SignedIn> {
        let mut visits = self.lock();
        let visit = visits.get_mut(cookie).filter(|visit| now.since(visit.seen) < LIFE)?;
        visit.seen = now;
        visit.signed_in.clone()
    }

    /// Changes what is known of somebody who is signed in.
    pub(super) fn change(&self, cookie: &str, change: impl FnOnce(&mut SignedIn)) {
        if let Some(signed_in) =
            self.lock().get_mut(cookie).and_then(|visit| visit.signed_in.as_mut())
        {
            change(signed_in);
        }
    }

    /// Forgets the person; the sentence is shown at the next visit.
    pub(super) fn sign_out(&self, cookie: &str, notice: Notice) -> Option<SignedIn> {
        let mut visits = self.lock();
        let visit = visits.get_mut(cookie)?;
        visit.notice = Some(notice);
        visit.signed_in.take()
    }

    /// Leaves a sentence for the next page.
    pub(super) fn leave_notice(&self, cookie: &str, notice: Notice) {
        if let Some(visit) = self.lock().get_mut(cookie) {
            visit.notice = Some(notice);
        }
    }

    /// Takes the sentence left for this page.
    pub(super) fn take_notice(&self, cookie: &str) -> Option<Notice> {
        self.lock().get_mut(cookie)?.notice.take()
    }
}

fn forget_old(visits: &mut HashMap<String, Visit>, now: Timestamp) {
    visits.retain(|_, visit| now.since(visit.seen) < LIFE);
    while visits.len() > CAPACITY {
        let oldest =
            visits.iter().min_by_key(|(_, visit)| visit.seen).map(|(cookie, _)| cookie.clone());
        let Some(oldest) = oldest else { break };
        visits.remove(&oldest);
    }
}
