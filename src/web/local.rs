//! The sign-in form of local accounts. Without a script, and with ids that automation may rely on.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use moka::sync::Cache;

use super::endpoints::form;
use super::interaction::choose;
use super::{App, html, second_factor};
use crate::op::local_accounts::LocalSignIn;
use crate::protocol::id::InteractionId;
use crate::protocol::local_account::canonical;
use crate::protocol::params::Params;
use crate::protocol::secret::SecretString;

/// Guesses that may fail within a minute: at one account from one address, from one address at
/// all accounts, and at one account from everywhere. The last is wide, for it lets a stranger lock
/// somebody out.
const AT_ACCOUNT_FROM_ADDRESS: u32 = 10;
const FROM_ADDRESS: u32 = 30;
const AT_ACCOUNT: u32 = 100;
const WINDOW: Duration = Duration::from_secs(60);
const MOST_KEYS: u64 = 100_000;

/// Failed guesses of the last minute. A guess counts before it is tried, so that many at once are
/// no way around, and is forgiven when it was right.
pub struct Guesses {
    enabled: bool,
    failed: Cache<String, Arc<AtomicU32>>,
}

impl Guesses {
    /// Counts nothing unless `enabled`.
    pub fn new(enabled: bool) -> Self {
        let failed = Cache::builder().max_capacity(MOST_KEYS).time_to_live(WINDOW).build();
        Self { enabled, failed }
    }

    /// Counts a guess; `None` when there were too many.
    pub fn begin(&self, account: &str, address: Option<IpAddr>) -> Option<Guess> {
        if !self.enabled {
            return Some(Guess(Vec::new()));
        }
        // Without an address nobody can be told apart: all share one.
        let address = address.map(|address| address.to_string()).unwrap_or_default();
        let counters: Vec<(Arc<AtomicU32>, u32)> = [
            (format!("both {address} {account}"), AT_ACCOUNT_FROM_ADDRESS),
            (format!("from {address}"), FROM_ADDRESS),
            (format!("at {account}"), AT_ACCOUNT),
        ]
        .into_iter()
        .map(|(key, most)| (self.failed.get_with(key, Arc::default), most))
        .collect();
        let within = counters
            .iter()
            .map(|(counter, most)| counter.fetch_add(1, Ordering::Relaxed) < *most)
            .fold(true, |all, one| all & one);
        let guess = Guess(counters.into_iter().map(|(counter, _)| counter).collect());
        if within {
            Some(guess)
        } else {
            guess.forgive();
            None
        }
    }
}

/// A guess under way.
pub struct Guess(Vec<Arc<AtomicU32>>);

impl Guess {
    /// It was right, or was not looked at: it does not count.
    pub fn forgive(self) {
        for counter in self.0 {
            counter.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Username and password for the request that waits.
pub async fn sign_in(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
    body: web::Bytes,
) -> HttpResponse {
    let id = InteractionId::new(id.into_inner());
    let read = form(&request, &body).and_then(|params| Ok(typed(&params)?));
    let (username, password) = match read {
        Ok(typed) => typed,
        Err(failure) => return html::error(&app, &request, failure),
    };
    let browser = app.browser(&request);
    let address = app.limits.address(&request);
    let Some(guess) = app.guesses.begin(&canonical(&username), address) else {
        let page = match app.provider.choose(&id, &browser).await {
            Ok(page) => page,
            Err(failure) => return html::error(&app, &request, failure),
        };
        let typed = Some((username, "login-too-many"));
        let mut response = choose(&app, &request, page, typed, StatusCode::TOO_MANY_REQUESTS);
        response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("60"));
        return response;
    };
    match app.provider.sign_in_locally(&id, &username, password, &browser).await {
        Ok(outcome) => {
            if !matches!(outcome, LocalSignIn::Refused(_)) {
                guess.forgive();
            }
            second_factor::signed_in(&app, &request, outcome, username)
        }
        Err(failure) => {
            guess.forgive();
            html::error(&app, &request, failure)
        }
    }
}

fn typed(params: &Params) -> Result<(String, SecretString), crate::protocol::error::Refusal> {
    let text =
        |name| Ok::<_, crate::protocol::error::Refusal>(params.one(name)?.unwrap_or_default());
    Ok((text("username")?.to_owned(), SecretString::from(text("password")?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn guessing_at_an_account_stops_after_ten_and_others_go_on() {
        let guesses = Guesses::new(true);
        for _ in 0..AT_ACCOUNT_FROM_ADDRESS {
            assert!(guesses.begin("ada", address("192.0.2.1")).is_some());
        }
        assert!(guesses.begin("ada", address("192.0.2.1")).is_none());
        assert!(guesses.begin("grace", address("192.0.2.1")).is_some());
        assert!(guesses.begin("ada", address("192.0.2.2")).is_some());
        assert!((0..200).all(|_| Guesses::new(false).begin("ada", None).is_some()));
    }

    #[test]
    fn spraying_from_one_address_and_guessing_from_many_stop_too() {
        let guesses = Guesses::new(true);
        let sprayed = (0..200)
            .filter(|n| guesses.begin(&format!("user{n}"), address("192.0.2.1")).is_some())
            .count();
        assert_eq!(sprayed, 30);
        let guessed = (0..250_u32)
            .filter(|n| guesses.begin("ada", address(&format!("198.51.100.{n}"))).is_some())
            .count();
        assert_eq!(guessed, 100);
    }

    #[test]
    fn what_was_right_does_not_count() {
        let guesses = Guesses::new(true);
        for _ in 0..200 {
            guesses.begin("ada", address("192.0.2.1")).expect("forgiven").forgive();
        }
    }
}
