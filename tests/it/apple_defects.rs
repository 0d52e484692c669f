//! Defects of other products that Russet does not have: those that no other story tells, and the
//! table in `docs/apple-defects.md` that names a test for each.

use std::path::Path;
use std::time::Duration;

use russet::protocol::client::ClientKind;
use russet::protocol::id::UserId;
use russet::protocol::user::User;
use serde_json::{Value, json};

use crate::harness::app::claims;
use crate::harness::{BUNDLE_ID, House, SECOND_BUNDLE_ID};
use crate::on_each_engine;

#[tokio::test]
async fn a_known_address_with_an_unknown_sub_is_a_new_person() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let ada = app.tokens(&mut house.browser(), "openid email", "Ada Lovelace").await;
    let eve = json!({ "id": "eve", "first_name": "Eve", "last_name": "Mallory",
        "email": "ada@example.com", "email_verified": true });
    house.simulate("accounts", &eve).await;
    let eve = app.tokens(&mut house.browser(), "openid email", "Eve Mallory").await;
    let userinfo = app.userinfo(eve.text("access_token")).await;
    assert_eq!(userinfo.json["email"], "ada@example.com");
    assert_ne!(claims(eve.text("id_token"))["sub"], claims(ada.text("id_token"))["sub"]);
}

#[tokio::test]
async fn an_unverified_account_with_the_same_address_is_not_merged() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let now = house.now();
    let squatter = User {
        name: Some("Squatter".to_owned()),
        email: Some("ada@example.com".to_owned()),
        ..User::new(UserId::new("squatter"), "squatter".to_owned(), now)
    };
    let before = squatter.clone();
    house
        .store()
        .write(move |tx| Box::pin(async move { tx.insert_user(&squatter).await }))
        .await
        .map_err(|fault: russet::store::StoreFault| fault)
        .unwrap();
    let ada = app.tokens(&mut house.browser(), "openid email", "Ada Lovelace").await;
    assert_ne!(claims(ada.text("id_token"))["sub"], "squatter");
    let after = house.store().find_user(&before.id).await.unwrap().unwrap();
    assert_eq!(after, before);
    assert!(house.store().list_identities(&before.id).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_key_that_apple_adds_is_found_and_one_it_withdraws_is_gone() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
    house.simulate("keys/add", &json!({})).await;
    house.advance(Duration::from_secs(31));
    app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
    // Another key under a known name: its signatures are refused until the keys are fetched anew.
    house.simulate("keys/replace", &json!({})).await;
    let attempt = app.attempt("openid");
    let end = app.sign_in(&mut house.browser(), &attempt, "Ada Lovelace").await;
    assert_eq!(end.query("error").as_deref(), Some("access_denied"), "{}", end.url);
    house.advance(Duration::from_secs(3600));
    app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
}

#[tokio::test]
async fn every_call_to_apple_says_who_calls_and_goes_where_it_should() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    app.tokens(&mut house.browser(), "openid profile email", "Ada Lovelace").await;
    let calls: Vec<Value> = house
        .apple_journal()
        .await
        .into_iter()
        .filter(|call| call["endpoint"] != "authorize")
        .collect();
    assert!(calls.len() >= 2);
    for call in calls {
        let endpoint = call["endpoint"].as_str().unwrap();
        assert!(["keys", "token"].contains(&endpoint), "{call}");
        assert!(call["user_agent"].as_str().unwrap().starts_with("Russet/"), "{call}");
    }
}

#[tokio::test]
async fn what_discovery_says_moves_nothing() {
    let house = House::new().await;
    let moved = json!({ "endpoint": "discovery", "fault": "issuer_moved", "times": 99 });
    house.simulate("faults", &moved).await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let page = house.browser().open(&app.authorize_url(&app.attempt("openid"))).await;
    let issuer = url::Url::parse(house.apple.issuer()).unwrap();
    assert_eq!(page.url.origin(), issuer.origin(), "the host that Safari's sheet knows");
    app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
    assert!(house.apple_journal().await.iter().all(|call| call["endpoint"] != "discovery"));
}

#[tokio::test]
async fn what_apple_posts_never_enters_a_url() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let page = browser.open(&app.authorize_url(&app.attempt("openid"))).await;
    let choice = page.forms().into_iter().find(|form| form.text.contains("Ada")).unwrap();
    let posting = browser.submit(&page, &choice).await;
    let answer = posting.forms().remove(0);
    let again = browser.submit(&posting, &answer).await;
    assert_eq!(again.url.query(), None, "{}", again.url);
    let form = again.forms().remove(0);
    assert_eq!(form.action.query(), None);
    let code = &answer.fields.iter().find(|(name, _)| name == "code").unwrap().1;
    assert!(form.fields.iter().any(|(_, value)| value == code), "it stays in the body");
    assert!(!again.headers.contains_key("location"));
}

#[tokio::test]
async fn who_consented_in_the_app_brings_no_name_to_the_web() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let native = json!({ "account": "ada", "bundle_id": BUNDLE_ID, "nonce": "n" });
    house.simulate("native", &native).await;
    let tokens = app.tokens(&mut house.browser(), "openid profile email", "Ada Lovelace").await;
    let userinfo = app.userinfo(tokens.text("access_token")).await;
    assert_eq!(userinfo.json["email"], "ada@example.com");
    assert!(userinfo.json["name"].is_null(), "{}", userinfo.json);
}

#[tokio::test]
async fn each_app_brings_its_own_tokens_and_no_app_anothers() {
    let both = format!("{BUNDLE_ID},{SECOND_BUNDLE_ID}");
    let house = House::with(&[("APPLE__BUNDLE_IDS", &both)]).await;
    let with = |ids: &[&str]| {
        let ids = ids.iter().map(ToString::to_string).collect();
        house.client(ClientKind::Native, move |client| client.apple_bundle_ids = ids)
    };
    let first = with(&[BUNDLE_ID]).await;
    let second = with(&[SECOND_BUNDLE_ID]).await;
    let either = with(&[BUNDLE_ID, SECOND_BUNDLE_ID]).await;
    let none = with(&[]).await;
    let mut subs = std::collections::BTreeSet::new();
    for (app, of_first, of_second) in
        [(&first, 200, 400), (&second, 400, 200), (&either, 200, 200), (&none, 400, 400)]
    {
        for (bundle_id, expected) in [(BUNDLE_ID, of_first), (SECOND_BUNDLE_ID, of_second)] {
            let asked = json!({ "account": "ada", "bundle_id": bundle_id, "nonce": "raw" });
            let credential = house.simulate("native", &asked).await;
            let answer = app.exchange_native(&credential, &[("nonce", "raw")]).await;
            assert_eq!(answer.status, expected, "{bundle_id}: {}", answer.json);
            if expected == 200 {
                subs.insert(claims(answer.text("id_token"))["sub"].to_string());
            }
        }
    }
    assert_eq!(subs.len(), 1, "one team, one person");
}

/// Why the sign-ins of this house failed, the latest first.
async fn causes(house: &House) -> Vec<String> {
    let query = russet::store::events::EventQuery {
        kind: Some("login.failed".to_owned()),
        limit: 9,
        ..Default::default()
    };
    let events = house.store().list_events(&query).await.unwrap();
    events.iter().map(|one| one.event.detail.clone().unwrap_or_default().to_string()).collect()
}

#[tokio::test]
async fn a_missing_nonce_a_wrong_one_and_a_lost_journey_are_told_apart() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    for endpoint in ["authorize", "token"] {
        for (fault, word) in [("missing_nonce", "nonce_missing"), ("wrong_nonce", "nonce_mismatch")]
        {
            let order = json!({ "endpoint": endpoint, "fault": fault, "times": 1 });
            house.simulate("faults", &order).await;
            let attempt = app.attempt("openid");
            let end = app.sign_in(&mut house.browser(), &attempt, "Ada Lovelace").await;
            assert_eq!(end.query("error").as_deref(), Some("access_denied"), "{endpoint} {fault}");
            let causes = causes(&house).await;
            assert_eq!(
                causes.iter().filter(|cause| cause.contains(word)).count(),
                match endpoint {
                    "authorize" => 1,
                    _ => 2,
                }
            );
        }
    }
    // The cookie is gone: nothing is said of a nonce.
    let mut browser = house.browser();
    let page = browser.open(&app.authorize_url(&app.attempt("openid"))).await;
    let end = house.browser().press(&page, "Continue as Ada").await;
    assert!(end.body.contains("another browser") && !end.body.contains("nonce"), "{}", end.body);
}

#[tokio::test]
async fn an_answer_delivered_to_two_replicas_at_once_redeems_the_code_once() {
    on_each_engine!(house, {
        let second = house.replica().await;
        let app = house.client(ClientKind::Web, |_| {}).await;
        let mut browser = house.browser();
        let page = browser.open(&app.authorize_url(&app.attempt("openid"))).await;
        let choice = page.forms().into_iter().find(|form| form.text.contains("Ada")).unwrap();
        let posting = browser.submit(&page, &choice).await;
        let answer = posting.forms().remove(0);
        let deliveries = (0..8_u16).map(|number| {
            let (mut browser, posting, mut form) =
                (browser.clone(), posting.clone(), answer.clone());
            if number % 2 == 1 {
                form.action.set_port(Some(second.address().port())).expect("a port");
            }
            async move {
                let next = browser.submit(&posting, &form).await;
                browser.run_scripts(next).await
            }
        });
        let ends = futures_util::future::join_all(deliveries).await;
        let good = ends.iter().filter(|end| end.query("code").is_some()).count();
        assert_eq!(good, 1, "{:?}", ends.iter().map(|end| end.url.as_str()).collect::<Vec<_>>());
        assert_eq!(house.apple_asked("token").await, 1);
        assert_eq!(house.events("login.succeeded").await, 1);
        second.stop().await;
    });
}

#[tokio::test]
async fn a_page_in_place_of_the_keys_keeps_nobody_out_for_a_day() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
    let order = json!({ "endpoint": "keys", "fault": "status_403_html", "times": 1000 });
    house.simulate("faults", &order).await;
    for _ in 0..5 {
        house.advance(Duration::from_secs(4 * 3600));
        app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
    }
    house.advance(Duration::from_secs(4 * 3600));
    let attempt = app.attempt("openid");
    let end = app.sign_in(&mut house.browser(), &attempt, "Ada Lovelace").await;
    assert_eq!(end.query("error").as_deref(), Some("temporarily_unavailable"), "{}", end.url);
}

#[tokio::test]
async fn after_half_a_year_the_client_secret_is_another_and_everything_goes_on() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    for _ in 0..3 {
        app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
        house.advance(Duration::from_secs(183 * 24 * 3600));
    }
    app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
}

/// The rows of the tables: first cell, file and name of the test.
fn rows(document: &str) -> Vec<(String, String, String)> {
    let mut rows = Vec::new();
    for line in document.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let quoted: Vec<&str> = cells.last().unwrap().split('`').collect();
        let [_, file, _, name, _] = quoted.as_slice() else { panic!("no test in {line}") };
        rows.push((cells[0].to_owned(), (*file).to_owned(), (*name).to_owned()));
    }
    rows
}

#[test]
fn every_defect_names_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = std::fs::read_to_string(root.join("docs/apple-defects.md")).unwrap();
    let (defects, list) = document.split_once("\n## ").unwrap();
    let numbers: Vec<String> = rows(defects).into_iter().map(|(number, ..)| number).collect();
    let expected: Vec<String> = (1..=42).map(|number| number.to_string()).collect();
    assert_eq!(numbers, expected);
    assert!(rows(list).len() > 25);
    let mut missing = Vec::new();
    for (what, file, name) in rows(&document) {
        let text = std::fs::read_to_string(root.join(&file)).unwrap_or_default();
        if !text.contains(&format!("fn {name}(")) && !text.contains(&format!("def {name}(")) {
            missing.push(format!("{what}: {file} {name}"));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
