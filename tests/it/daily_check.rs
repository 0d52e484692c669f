//! The daily check, row by row of apple.md §6: whom it signs out, and above all whom it does not.

use std::time::Duration;

use russet::op::daily_check::{Round, job_name};
use russet::protocol::client::ClientKind;
use russet::protocol::job::{JobCondition, JobState};
use russet::protocol::upstream_grant::{GrantState, UpstreamGrant};
use russet::protocol::user::User;
use serde_json::{Value, json};

use crate::harness::app::{App, claims};
use crate::harness::browser::Browser;
use crate::harness::{BUNDLE_ID, House, SERVICES_ID, TEAM};
use crate::on_each_engine;

const HOUR: Duration = Duration::from_secs(3600);
/// A day, and the hour that a check may drift.
const A_DAY: Duration = Duration::from_secs(25 * 3600);

/// Somebody with a browser session and a refresh token at an app.
struct Person {
    browser: Browser,
    refresh_token: String,
    sub: String,
}

impl Person {
    async fn arrives(app: &App, name: &str) -> Self {
        let mut browser = Browser::new();
        let tokens = app.tokens(&mut browser, "openid email offline_access", name).await;
        Self {
            browser,
            refresh_token: tokens.text("refresh_token").to_owned(),
            sub: claims(tokens.text("id_token"))["sub"].as_str().unwrap().to_owned(),
        }
    }

    /// Both ways of being signed in agree; looking does not sign anybody in.
    async fn is_signed_in(&mut self, app: &App) -> bool {
        let silent = app.attempt("openid").with("prompt", "none");
        let end = self.browser.open(&app.authorize_url(&silent)).await;
        let by_session = end.query("code").is_some();
        let refreshed = app.refresh(&self.refresh_token).await;
        if refreshed.status == 200 {
            self.refresh_token = refreshed.text("refresh_token").to_owned();
        }
        assert_eq!(refreshed.status == 200, by_session, "session and refresh family disagree");
        by_session
    }

    async fn user(&self, house: &House) -> User {
        house.store().find_user_by_sub(&self.sub).await.unwrap().unwrap()
    }

    async fn grants(&self, house: &House) -> Vec<UpstreamGrant> {
        house.store().find_upstream_grants(&self.user(house).await.id).await.unwrap()
    }

    async fn grant(&self, house: &House) -> UpstreamGrant {
        let mut all = self.grants(house).await;
        assert_eq!(all.len(), 1);
        all.remove(0)
    }
}

async fn at_apple(house: &House, path: &str, body: Value) -> Value {
    let url = format!("{}/_sim/{path}", house.apple.issuer());
    let response = house.http().post(url).json(&body).send().await.unwrap();
    assert!(response.status().is_success(), "{path}: {}", response.status());
    response.json().await.unwrap_or(Value::Null)
}

async fn stops_using(house: &House, account: &str) {
    at_apple(house, "stop-using", json!({ "account": account })).await;
}

async fn order(house: &House, fault: &str, times: u32) {
    let order = json!({ "endpoint": "token", "fault": fault, "times": times });
    at_apple(house, "faults", order).await;
}

/// The refreshes that Apple has seen.
async fn questions(house: &House) -> Vec<Value> {
    let journal = house.apple_journal().await;
    journal.into_iter().filter(|entry| entry["grant_type"] == "refresh_token").collect()
}

async fn check(house: &House) -> Round {
    let round = house.broker.broker.provider.daily_check("test").await.unwrap();
    assert!(!round.busy);
    round
}

async fn job(house: &House) -> JobState {
    let name = job_name(&format!("apple:{TEAM}"));
    house.store().find_job_state(&name).await.unwrap().expect("a state")
}

#[tokio::test]
async fn who_stopped_using_the_app_is_out_within_a_day_and_nobody_else() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let mut ada = Person::arrives(&app, "Ada Lovelace").await;
        let mut grace = Person::arrives(&app, "Grace Hopper").await;
        let grant = ada.grant(&house).await;
        assert_eq!((grant.state, grant.client_id.as_str()), (GrantState::Valid, SERVICES_ID));
        stops_using(&house, "ada").await;
        assert_eq!(check(&house).await, Round::default(), "nothing is due on the same day");
        assert!(ada.is_signed_in(&app).await);

        house.advance(A_DAY);
        let round = check(&house).await;
        assert_eq!((round.good, round.dead), (1, 1));
        assert!(!ada.is_signed_in(&app).await);
        assert!(grace.is_signed_in(&app).await);
        let grant = ada.grant(&house).await;
        assert_eq!((grant.state, grant.state_since), (GrantState::Revoked, house.now()));
        assert_eq!(grant.next_check_at, None);
        assert_eq!(house.events("apple.grant_revoked").await, 1);
        let grant = grace.grant(&house).await;
        assert_eq!((grant.state, grant.last_ok_at), (GrantState::Valid, Some(house.now())));

        house.advance(A_DAY);
        check(&house).await;
        assert_eq!(questions(&house).await.len(), 3, "a dead grant is not asked about again");

        // The account and its link stay: the same person comes back as the same person.
        let again = Person::arrives(&app, "Ada Lovelace").await;
        assert_eq!(again.sub, ada.sub);
        assert_eq!(again.grant(&house).await.state, GrantState::Valid);
    });
}

#[tokio::test]
async fn a_changed_password_ends_the_grant_and_with_it_the_session() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut ada = Person::arrives(&app, "Ada Lovelace").await;
    at_apple(&house, "change-password", json!({ "account": "ada" })).await;
    house.advance(A_DAY);
    assert_eq!(check(&house).await.dead, 1);
    assert!(!ada.is_signed_in(&app).await);
}

#[tokio::test]
async fn each_grant_is_asked_about_once_a_day_and_keeps_its_token() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let mut ada = Person::arrives(&app, "Ada Lovelace").await;
        let sealed = ada.grant(&house).await.sealed_refresh_token;
        for _ in 0..24 * 10 {
            house.advance(HOUR);
            check(&house).await;
        }
        let asked = questions(&house).await;
        assert!((9..=10).contains(&asked.len()), "{} in ten days", asked.len());
        let times: Vec<i64> = asked.iter().map(|entry| entry["at"].as_i64().unwrap()).collect();
        for pair in times.windows(2) {
            assert!(pair[1] - pair[0] >= 24 * 3_600_000, "twice in a day");
            assert!(pair[1] - pair[0] <= 26 * 3_600_000, "unasked for too long");
        }
        assert!(asked.iter().all(|entry| entry["client_id"] == SERVICES_ID));
        assert_eq!(ada.grant(&house).await.sealed_refresh_token, sealed);
        assert!(ada.is_signed_in(&app).await);
    });
}

#[tokio::test]
async fn who_signed_in_since_is_not_asked_about() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        Person::arrives(&app, "Ada Lovelace").await;
        for _ in 0..5 {
            house.advance(23 * HOUR);
            Person::arrives(&app, "Ada Lovelace").await;
            check(&house).await;
        }
        assert!(questions(&house).await.is_empty());
        house.advance(A_DAY);
        assert_eq!(check(&house).await.good, 1);
    });
}

#[tokio::test]
async fn web_and_native_are_two_grants_and_the_newest_decides() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let phone = house.client(ClientKind::Native, |_| {}).await;
        let mut ada = Person::arrives(&app, "Ada Lovelace").await;
        // The web grant dies, and afterwards she signs in on her phone.
        at_apple(&house, "change-password", json!({ "account": "ada" })).await;
        house.advance(HOUR);
        let sheet = json!({ "account": "ada", "bundle_id": BUNDLE_ID, "nonce": "raw-nonce" });
        let sheet = at_apple(&house, "native", sheet).await;
        let on_phone = phone
            .token(&[
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                ("subject_token", sheet["identityToken"].as_str().unwrap()),
                ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
                ("subject_issuer", "apple"),
                ("nonce", "raw-nonce"),
                ("authorization_code", sheet["authorizationCode"].as_str().unwrap()),
                ("scope", "openid offline_access"),
            ])
            .await;
        assert_eq!(on_phone.status, 200, "{}", on_phone.json);
        assert_eq!(ada.grants(&house).await.len(), 2);

        house.advance(A_DAY);
        let round = check(&house).await;
        assert_eq!((round.good, round.dead), (1, 1));
        assert!(ada.is_signed_in(&app).await, "the phone has proven since that she stands well");
        let clients: Vec<_> =
            questions(&house).await.iter().map(|q| q["client_id"].clone()).collect();
        assert!(clients.contains(&json!(SERVICES_ID)) && clients.contains(&json!(BUNDLE_ID)));

        stops_using(&house, "ada").await;
        house.advance(A_DAY);
        assert_eq!(check(&house).await.dead, 1);
        assert!(!ada.is_signed_in(&app).await);
        let refused = phone.refresh(on_phone.text("refresh_token")).await;
        assert_eq!(refused.error(), "400 invalid_grant");
    });
}

#[tokio::test]
async fn apples_other_word_counts_on_the_second_day_and_only_if_others_stand() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let mut ada = Person::arrives(&app, "Ada Lovelace").await;
        let mut grace = Person::arrives(&app, "Grace Hopper").await;
        at_apple(&house, "stop-using", json!({ "account": "ada", "unclear": true })).await;
        house.advance(A_DAY);
        let round = check(&house).await;
        assert_eq!((round.good, round.ambiguous), (1, 1));
        assert!(ada.is_signed_in(&app).await, "one day is no proof");
        house.advance(A_DAY);
        // Grace is asked first or second; either way she stands in the same period.
        let round = check(&house).await;
        assert_eq!((round.good, round.dead), (1, 1));
        assert!(!ada.is_signed_in(&app).await);
        assert!(grace.is_signed_in(&app).await);
    });
}

#[tokio::test]
async fn if_everybody_is_refused_alike_nobody_is_signed_out() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let mut ada = Person::arrives(&app, "Ada Lovelace").await;
        let mut grace = Person::arrives(&app, "Grace Hopper").await;
        order(&house, "invalid_request", 8).await;
        for _ in 0..4 {
            house.advance(A_DAY);
            assert_eq!(check(&house).await.ambiguous, 2);
        }
        assert!(ada.is_signed_in(&app).await && grace.is_signed_in(&app).await);
        house.advance(A_DAY);
        assert_eq!(check(&house).await.good, 2);
        assert_eq!(ada.grant(&house).await.ambiguous_days, 0);
    });
}

#[tokio::test]
async fn a_refused_client_stops_the_whole_check_and_signs_nobody_out() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let mut people = Vec::new();
        for name in ["Ada Lovelace", "Grace Hopper", "Alan Turing", "Mary Jackson"] {
            people.push(Person::arrives(&app, name).await);
        }
        stops_using(&house, "ada").await;
        order(&house, "invalid_client", 100).await;
        house.advance(A_DAY);
        assert!(check(&house).await.misconfigured);
        let stopped = job(&house).await;
        assert_eq!(stopped.condition, JobCondition::Stopped);
        assert!(stopped.detail.unwrap().contains("key_id belongs to the private key"));
        assert_eq!(house.events("apple.check_stopped").await, 1);
        let asked = questions(&house).await.len();
        assert!(asked <= 4, "nothing is begun after the first refusal: {asked}");
        check(&house).await;
        assert_eq!(questions(&house).await.len(), asked, "it does not hammer");

        house.advance(6 * HOUR);
        check(&house).await;
        assert_eq!(questions(&house).await.len(), asked + 1, "a single probe");
        assert_eq!(house.events("apple.check_stopped").await, 1, "said once");
        for person in &mut people {
            assert!(person.is_signed_in(&app).await);
        }

        // The operator mends it.
        at_apple(&house, "faults/clear", json!({})).await;
        house.advance(6 * HOUR);
        let round = check(&house).await;
        assert_eq!((round.good, round.dead), (3, 1));
        assert_eq!(job(&house).await.condition, JobCondition::Running);
        assert_eq!(house.events("apple.check_resumed").await, 1);
        assert!(!people[0].is_signed_in(&app).await);
        assert!(people[1].is_signed_in(&app).await);
    });
}

#[tokio::test]
async fn an_unwell_apple_signs_nobody_out_whatever_it_says() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let mut ada = Person::arrives(&app, "Ada Lovelace").await;
        house.advance(A_DAY);
        let faults = [
            "status_403_html",
            "status_429",
            "status_500",
            "status_503",
            "truncated_json",
            "wrong_aud",
            "wrong_iss",
            "alg_none",
            "stranger_key",
            "expired",
            "missing_sub",
        ];
        let since = house.now();
        for (before, fault) in faults.into_iter().enumerate() {
            order(&house, fault, 1).await;
            assert_eq!(check(&house).await.unwell, 1, "{fault}");
            let grant = ada.grant(&house).await;
            assert_eq!((grant.state, grant.state_since), (GrantState::Unreachable, since));
            assert_eq!(usize::try_from(grant.failures).unwrap(), before + 1);
            assert_eq!(check(&house).await, Round::default(), "it backs off");
            house.advance(6 * HOUR);
        }
        assert!(ada.is_signed_in(&app).await);
        assert_eq!(check(&house).await.good, 1);
        let grant = ada.grant(&house).await;
        assert_eq!((grant.state, grant.state_since), (GrantState::Valid, house.now()));
        assert_eq!(grant.failures, 0);
        assert_eq!(house.events("apple.").await, 0);
    });
}

#[tokio::test]
async fn an_outage_pauses_the_check_and_nobody_comes_back_at_once() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let mut people = Vec::new();
        for number in 0..12 {
            let name = format!("Person{number}");
            let account = json!({ "id": name, "first_name": name, "last_name": "X" });
            at_apple(&house, "accounts", account).await;
            people.push(Person::arrives(&app, &format!("{name} X")).await);
        }
        order(&house, "status_503", 1000).await;
        house.advance(A_DAY);
        let unwell = check(&house).await.unwell;
        assert!((5..12).contains(&unwell), "the rest is not asked: {unwell}");
        assert_eq!(job(&house).await.condition, JobCondition::Paused);
        assert_eq!(house.events("apple.check_paused").await, 1);
        let asked = questions(&house).await.len();
        check(&house).await;
        assert_eq!(questions(&house).await.len(), asked);
        for _ in 0..10 {
            house.advance(6 * HOUR);
            check(&house).await;
        }
        assert_eq!(questions(&house).await.len(), asked + 10, "one probe at a time");
        at_apple(&house, "faults/clear", json!({})).await;
        house.advance(6 * HOUR);
        assert_eq!(check(&house).await.good, 12);
        assert_eq!(job(&house).await.condition, JobCondition::Running);
        for person in &mut people {
            assert!(person.is_signed_in(&app).await);
        }
    });
}

#[tokio::test]
async fn a_changed_address_is_learned_and_a_missing_one_erases_nothing() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let ada = Person::arrives(&app, "Ada Lovelace").await;
        let account = |email: Option<&str>| {
            json!({ "id": "ada", "first_name": "Ada", "last_name": "Lovelace", "email": email,
                "email_verified": true })
        };
        at_apple(&house, "accounts", account(Some("ada@new.example"))).await;
        house.advance(A_DAY);
        check(&house).await;
        let user = ada.user(&house).await;
        assert_eq!(user.email.as_deref(), Some("ada@new.example"));
        let identity = house.store().list_identities(&user.id).await.unwrap().remove(0);
        assert_eq!(identity.email.as_deref(), Some("ada@new.example"));
        assert!(identity.last_login_at < house.now(), "a check is no sign-in");
        assert_eq!(house.events("user.email_changed").await, 1);
        at_apple(&house, "accounts", account(None)).await;
        house.advance(A_DAY);
        assert_eq!(check(&house).await.good, 1);
        assert_eq!(ada.user(&house).await.email.as_deref(), Some("ada@new.example"));
    });
}

/// Waits until Apple holds a question back.
async fn until_asked(house: &House) {
    while questions(house).await.iter().all(|entry| !entry["status"].is_null()) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_sign_in_during_the_check_makes_the_answer_yesterdays() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        Person::arrives(&app, "Ada Lovelace").await;
        stops_using(&house, "ada").await;
        house.advance(A_DAY);
        order(&house, "hang", 1).await;
        let provider = std::sync::Arc::clone(&house.broker.broker.provider);
        let checking = tokio::spawn(async move { provider.daily_check("test").await });
        until_asked(&house).await;
        // She comes back while the question about her old grant is under way.
        let mut ada = Person::arrives(&app, "Ada Lovelace").await;
        at_apple(&house, "release", json!({})).await;
        let round = checking.await.unwrap().unwrap();
        assert_eq!(round.dead, 0);
        assert!(ada.is_signed_in(&app).await);
        assert_eq!(ada.grant(&house).await.state, GrantState::Valid);
    });
}

#[tokio::test]
async fn one_replica_checks_and_another_takes_over_when_it_dies() {
    on_each_engine!(house, {
        let second = house.replica().await;
        let app = house.client(ClientKind::Web, |_| {}).await;
        let mut ada = Person::arrives(&app, "Ada Lovelace").await;
        stops_using(&house, "ada").await;
        house.advance(A_DAY);
        order(&house, "hang", 1).await;
        let provider = std::sync::Arc::clone(&house.broker.broker.provider);
        let first = tokio::spawn(async move { provider.daily_check("first").await });
        until_asked(&house).await;
        let other = &second.broker.provider;
        let round = other.daily_check("second").await.unwrap();
        assert_eq!(round, Round { busy: true, ..Round::default() });
        // Killed between the question and the answer: the lease stays behind.
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        at_apple(&house, "release", json!({})).await;
        assert!(other.daily_check("second").await.unwrap().busy);
        assert!(ada.is_signed_in(&app).await);
        house.advance(Duration::from_secs(121));
        assert_eq!(other.daily_check("second").await.unwrap().dead, 1);
        assert!(!ada.is_signed_in(&app).await);
        assert_eq!(check(&house).await, Round::default(), "done is done");
        second.stop().await;
    });
}

#[tokio::test]
async fn a_grant_without_its_app_waits_and_one_that_does_not_open_harms_nobody() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let mut ada = Person::arrives(&app, "Ada Lovelace").await;
        let mut grace = Person::arrives(&app, "Grace Hopper").await;
        let gone =
            UpstreamGrant { client_id: "com.example.gone".to_owned(), ..ada.grant(&house).await };
        let broken =
            UpstreamGrant { sealed_refresh_token: vec![0; 40], ..grace.grant(&house).await };
        let puts = house.store().write(move |tx| {
            Box::pin(async move {
                tx.put_upstream_grant(&gone).await?;
                tx.put_upstream_grant(&broken).await
            })
        });
        puts.await.unwrap();
        house.advance(A_DAY);
        let round = check(&house).await;
        assert_eq!((round.good, round.postponed, round.unwell), (1, 1, 1));
        assert!(ada.is_signed_in(&app).await && grace.is_signed_in(&app).await);
        assert_eq!(questions(&house).await.len(), 1);
    });
}
