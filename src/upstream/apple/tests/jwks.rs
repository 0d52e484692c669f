//! The policy of the key cache, with turned times, and what a hostile key set can do.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::*;
use crate::protocol::jose::{Algorithm, SigningKey, generate_private_key};

const START: Timestamp = Timestamp::from_secs(1_000_000);

fn rsa() -> SigningKey {
    let der = generate_private_key(Algorithm::Rs256).unwrap();
    SigningKey::from_pkcs8(Algorithm::Rs256, der.expose()).unwrap()
}

#[test]
fn hostile_keys_are_ignored() {
    let rsa = rsa();
    let good = rsa.public_jwk().clone();
    let with = |name: &str, value: serde_json::Value| {
        let mut jwk = good.clone();
        jwk["kid"] = json!(format!("bad-{name}-{value}"));
        jwk[name] = value;
        jwk
    };
    let set = json!({ "keys": [
        good,
        with("kty", json!("oct")),
        with("alg", json!("HS256")),
        with("use", json!("enc")),
        with("e", json!("AQ")),
        with("n", json!(URL_SAFE_NO_PAD.encode([0x80; 128]))),
        with("n", json!(URL_SAFE_NO_PAD.encode([0x80; 2048]))),
        json!({ "kty": "EC", "kid": "ec", "crv": "P-256", "x": "AA", "y": "AA" }),
        json!("nonsense"),
    ]});
    let keys = parse(set.to_string().as_bytes()).unwrap();
    assert_eq!(keys.keys().collect::<Vec<_>>(), [rsa.kid()]);
    assert!(parse(b"<html>").is_none());
}

#[test]
fn a_kid_that_stands_twice_is_good_for_neither_key() {
    let rsa = rsa();
    let twin = |other: serde_json::Value| {
        let set = json!({ "keys": [rsa.public_jwk(), other] });
        parse(set.to_string().as_bytes()).unwrap().len()
    };
    assert_eq!(twin(json!({ "kid": "other" })), 1);
    assert_eq!(twin(rsa.public_jwk().clone()), 0);
    // An unusable twin counts as well.
    assert_eq!(twin(json!({ "kid": rsa.kid(), "kty": "oct", "k": "AA" })), 0);
}

/// Answers with these sets of `kid`s, then fails; `None` fails too.
struct Script {
    answers: std::sync::Mutex<VecDeque<Option<Vec<&'static str>>>>,
    fetches: AtomicUsize,
    key: Arc<ParsedPublicKey>,
}

#[async_trait]
impl KeySource for Script {
    async fn fetch(&self) -> Result<Keys, UpstreamError> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        // Others get their turn while the answer is under way.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        let answer = self.answers.lock().unwrap().pop_front().flatten();
        let kids = answer.ok_or_else(|| UpstreamError::Unavailable("scripted".into()))?;
        Ok(kids.into_iter().map(|kid| (kid.to_owned(), Arc::clone(&self.key))).collect())
    }
}

fn cache(answers: &[Option<&[&'static str]>]) -> AppleJwks<Script> {
    let components = rsa();
    let set = json!({ "keys": [components.public_jwk()] });
    let key = parse(set.to_string().as_bytes()).unwrap().into_values().next().unwrap();
    let answers = answers.iter().map(|kids| kids.map(<[_]>::to_vec)).collect();
    AppleJwks::of(
        Script { answers: std::sync::Mutex::new(answers), fetches: 0.into(), key },
        Arc::default(),
    )
}

async fn find(
    cache: &AppleJwks<Script>,
    kid: &str,
    secs: u64,
) -> Result<Arc<ParsedPublicKey>, UpstreamError> {
    let now = START.plus(Duration::from_secs(secs));
    cache.find(kid, now, now).await
}

/// Asks for `kid`, `secs` after the start: the outcome, and how often was fetched so far.
async fn ask(cache: &AppleJwks<Script>, kid: &str, secs: u64) -> (&'static str, usize) {
    let outcome = match find(cache, kid, secs).await {
        Ok(_) => "found",
        Err(UpstreamError::Rejected { reason, .. }) => reason,
        Err(UpstreamError::Unavailable(_)) => "unavailable",
        Err(other) => panic!("{other}"),
    };
    (outcome, cache.source.fetches.load(Ordering::SeqCst))
}

#[tokio::test]
async fn keys_are_good_for_an_hour_and_fetched_anew_after_it() {
    let cache = cache(&[Some(&["a"]), Some(&["b"])]);
    assert_eq!(ask(&cache, "a", 0).await, ("found", 1));
    assert_eq!(ask(&cache, "a", 3599).await, ("found", 1));
    // The new set replaces the old one: a key that Apple withdrew is gone.
    assert_eq!(ask(&cache, "a", 3600).await, ("unknown_key", 2));
    assert_eq!(ask(&cache, "b", 3600).await, ("found", 2));
}

#[tokio::test]
async fn the_last_good_set_serves_for_a_day_while_apple_is_away() {
    let cache = cache(&[Some(&["a"])]);
    assert_eq!(ask(&cache, "a", 0).await, ("found", 1));
    assert_eq!(ask(&cache, "a", 3600).await, ("found", 2));
    assert_eq!(ask(&cache, "a", 3629).await, ("found", 2), "and does not ask each time");
    assert_eq!(ask(&cache, "a", 3630).await, ("found", 3));
    assert_eq!(ask(&cache, "a", 86_399).await, ("found", 4));
    assert_eq!(ask(&cache, "a", 86_400).await, ("unavailable", 4));
    assert_eq!(ask(&cache, "a", 86_404).await, ("unavailable", 5));
}

#[tokio::test]
async fn an_unknown_kid_fetches_once_and_not_again_within_half_a_minute() {
    let cache = cache(&[Some(&["a"]), Some(&["a"]), Some(&["a", "new"])]);
    assert_eq!(ask(&cache, "a", 0).await, ("found", 1));
    assert_eq!(ask(&cache, "random", 30).await, ("unknown_key", 2));
    assert_eq!(ask(&cache, "other", 30).await, ("unknown_key", 2), "it was looked just now");
    for secs in 31..60 {
        // Nobody has looked since these came: they may be Apple's, and nothing is said of them.
        assert_eq!(ask(&cache, "random", secs).await, ("unavailable", 2));
        assert_eq!(ask(&cache, "new", secs).await, ("unavailable", 2));
        assert_eq!(ask(&cache, "a", secs).await, ("found", 2));
    }
    assert_eq!(ask(&cache, "new", 60).await, ("found", 3));
    assert_eq!(ask(&cache, "a", 60).await, ("found", 3));
}

#[tokio::test]
async fn a_new_key_is_found_although_the_set_was_fetched_a_moment_ago() {
    let cache = cache(&[Some(&["a"]), Some(&["a", "new"]), Some(&["b"]), Some(&["b", "c"])]);
    assert_eq!(ask(&cache, "a", 0).await, ("found", 1));
    assert_eq!(ask(&cache, "new", 1).await, ("found", 2));
    // What is fetched because it is old takes nothing from those who miss a key.
    assert_eq!(ask(&cache, "b", 3601).await, ("found", 3));
    assert_eq!(ask(&cache, "c", 3602).await, ("found", 4));
}

#[tokio::test]
async fn what_came_before_the_last_fetch_is_known_to_be_unknown() {
    let cache = cache(&[Some(&["a"]), Some(&["a"])]);
    assert_eq!(ask(&cache, "a", 0).await, ("found", 1));
    assert_eq!(ask(&cache, "bogus", 10).await, ("unknown_key", 2));
    let at = |secs| START.plus(Duration::from_secs(secs));
    for (arrived, expected) in [(9, "rejected"), (10, "rejected"), (11, "unavailable")] {
        let found = match cache.find("other", at(arrived), at(20)).await {
            Ok(_) => "found",
            Err(UpstreamError::Rejected { .. }) => "rejected",
            Err(_) => "unavailable",
        };
        assert_eq!(found, expected, "{arrived}");
    }
    assert_eq!(cache.source.fetches.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_fetch_that_failed_is_not_repeated_by_those_who_miss_a_key() {
    let cache = cache(&[Some(&["a"]), None, Some(&["a", "new"])]);
    assert_eq!(ask(&cache, "a", 0).await, ("found", 1));
    assert_eq!(ask(&cache, "new", 10).await, ("unavailable", 2));
    assert_eq!(ask(&cache, "new", 39).await, ("unavailable", 2));
    assert_eq!(ask(&cache, "new", 40).await, ("found", 3));
}

#[tokio::test]
async fn whoever_misses_at_the_same_time_waits_for_one_fetch() {
    let cache = cache(&[Some(&["a"])]);
    let all = futures_util::future::join_all((0..16).map(|_| ask(&cache, "a", 0))).await;
    assert!(all.iter().all(|(outcome, _)| *outcome == "found"), "{all:?}");
    assert_eq!(cache.source.fetches.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_known_key_does_not_wait_for_the_fetch_of_another() {
    let cache = cache(&[Some(&["a"]), Some(&["a"])]);
    assert_eq!(ask(&cache, "a", 0).await, ("found", 1));
    let _busy = cache.fetching.lock().await;
    assert_eq!(ask(&cache, "a", 1).await, ("found", 1), "fresh");
    assert_eq!(ask(&cache, "a", 4000).await, ("found", 1), "stale, but good");
}

#[tokio::test]
async fn a_first_fetch_that_fails_is_tried_again_soon() {
    let cache = cache(&[None, None, Some(&["a"])]);
    assert_eq!(ask(&cache, "a", 0).await, ("unavailable", 1));
    assert_eq!(ask(&cache, "a", 4).await, ("unavailable", 1));
    assert_eq!(ask(&cache, "a", 5).await, ("unavailable", 2));
    assert_eq!(ask(&cache, "a", 10).await, ("found", 3));
}

#[tokio::test]
async fn an_empty_set_keeps_the_old_one() {
    use actix_web::HttpResponse;

    use crate::upstream::tests::{Server, outbound};
    let rsa = rsa();
    let good = json!({ "keys": [rsa.public_jwk()] });
    let count = AtomicUsize::new(0);
    let server = Server::start(move |_, _| match count.fetch_add(1, Ordering::SeqCst) {
        0 => HttpResponse::Ok().json(&good),
        1 => HttpResponse::Ok().json(json!({ "keys": [] })),
        2 => HttpResponse::Ok().json(json!({ "keys": [{ "kty": "oct", "kid": "x" }] })),
        _ => HttpResponse::Forbidden().body("<html>"),
    });
    let cache =
        AppleJwks::new(server.url("/auth/keys"), outbound(&["127.0.0.1/32"]), Arc::default());
    let at = |hour: u64| START.plus(Duration::from_secs(hour * 3600));
    for hour in 0..5 {
        let found = cache.find(rsa.kid(), at(hour), at(hour)).await;
        assert!(found.is_ok(), "hour {hour}");
    }
    assert_eq!(server.asked("/auth/keys").len(), 5);
}
