//! An upstream that is away is said to be so before anybody is sent there, and is in nobody's way:
//! apple.md §6, and what the last contacts have shown.

use std::time::Duration;

use russet::op::daily_check::job_name;
use russet::protocol::admin::Role;
use russet::protocol::client::ClientKind;
use russet::protocol::job::{JobCondition, JobState};
use serde_json::json;

use crate::harness::app::App;
use crate::harness::browser::{Browser, Page};
use crate::harness::{House, TEAM};
use crate::on_each_engine;

const SAID: &str = "is not answering right now";

async fn order(house: &House, times: u32) {
    order_as(house, "status_503", times).await;
}

async fn order_as(house: &House, fault: &str, times: u32) {
    let away = json!({ "endpoint": "token", "fault": fault, "times": times });
    house.simulate("faults", &away).await;
}

/// Where a browser stands that has asked for a sign-in.
async fn asked(house: &House, app: &App) -> (Browser, Page) {
    let mut browser = house.browser();
    let page = browser.open(&app.authorize_url(&app.attempt("openid"))).await;
    (browser, page)
}

fn is_at_apple(house: &House, page: &Page) -> bool {
    page.url.as_str().starts_with(house.apple.issuer())
}

/// A sign-in that Apple's silence ends.
async fn fails(house: &House, app: &App) {
    let (mut browser, mut page) = asked(house, app).await;
    if !is_at_apple(house, &page) {
        page = browser.press(&page, "login-apple").await;
    }
    let end = browser.press(&page, "Continue as Ada").await;
    assert_eq!(end.query("error").as_deref(), Some("temporarily_unavailable"), "{}", end.body);
}

#[tokio::test]
async fn an_apple_that_is_away_is_said_to_be_so_and_may_be_tried_all_the_same() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        order(&house, 2).await;
        fails(&house, &app).await;
        let (_, page) = asked(&house, &app).await;
        assert!(is_at_apple(&house, &page), "one silence is no outage");
        fails(&house, &app).await;

        let before = house.apple_journal().await.len();
        let (mut browser, page) = asked(&house, &app).await;
        assert!(!is_at_apple(&house, &page) && page.body.contains(SAID), "{}", page.body);
        assert!(page.body.contains("<strong>Apple</strong>"), "{}", page.body);
        assert_eq!(house.apple_journal().await.len(), before, "nobody was asked for it");
        let german = format!("{}&ui_locales=de", app.authorize_url(&app.attempt("openid")));
        let page_de = house.browser().open(&german).await;
        assert!(page_de.body.contains("antwortet gerade nicht"), "{}", page_de.body);

        // Apple is back: who tries gets in, and nobody else is warned any more.
        let apple = browser.press(&page, "login-apple").await;
        let end = browser.press(&apple, "Continue as Ada").await;
        assert!(end.query("code").is_some(), "{} {}", end.url, end.body);
        let (_, page) = asked(&house, &app).await;
        assert!(is_at_apple(&house, &page), "{}", page.body);
    });
}

/// Apple is taken to be away from here on.
async fn is_away(house: &House, app: &App) {
    order(house, 2).await;
    fails(house, app).await;
    fails(house, app).await;
}

#[actix_web::test]
async fn it_is_said_on_the_account_page_and_in_the_console_too() {
    let house = crate::local_accounts::house().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let at = |path: &str| format!("{}{path}", house.issuer);
    // One has a password and could add Apple; one signs in with Apple alone.
    let (mut ada, mut grace) = (house.browser(), house.browser());
    crate::local_accounts::sign_in(&app, &mut ada, &app.attempt("openid")).await;
    let by_apple = app.attempt("openid").with("connection", "apple");
    app.sign_in(&mut grace, &by_apple, "Grace Hopper").await;
    crate::console_upstream::allow(&house, &["apple"], false).await;
    let (mut admin, _) = {
        crate::console::admin(&house, "alice", Role::Owner).await;
        crate::console::signed_in(&house, "alice").await
    };
    let mut stranger = house.browser();
    for expected in [false, true] {
        if expected {
            is_away(&house, &app).await;
        }
        let pages = [
            ada.open(&at("/account/identities")).await,
            grace.open(&at("/account/prove?next=delete")).await,
            admin.open(&at("/admin/profile")).await,
            stranger.open(&at("/admin/login")).await,
        ];
        for page in pages {
            assert_eq!(page.status, 200, "{}", page.url);
            assert_eq!(page.body.contains(SAID), expected, "{} {}", page.url, page.body);
            assert_eq!(page.body.contains("<strong>Apple</strong> is not"), expected);
        }
    }
}

#[tokio::test]
async fn what_answers_in_apples_place_is_an_outage_too() {
    for fault in ["truncated_json", "status_403_html", "status_429", "status_500"] {
        let house = House::new().await;
        let app = house.client(ClientKind::Web, |_| {}).await;
        order_as(&house, fault, 2).await;
        fails(&house, &app).await;
        fails(&house, &app).await;
        let (mut browser, page) = asked(&house, &app).await;
        assert!(page.body.contains(SAID), "{fault}: {}", page.body);
        let apple = browser.press(&page, "login-apple").await;
        let end = browser.press(&apple, "Continue as Ada").await;
        assert!(end.query("code").is_some(), "{fault}: {} {}", end.url, end.body);
        assert!(is_at_apple(&house, &asked(&house, &app).await.1), "{fault}");
    }
}

#[tokio::test]
async fn what_is_known_grows_old_and_the_person_who_is_signed_in_notices_nothing() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut ada = house.browser();
    let tokens = app.tokens(&mut ada, "openid offline_access", "Ada Lovelace").await;
    is_away(&house, &app).await;
    assert!(asked(&house, &app).await.1.body.contains(SAID));
    let again = ada.open(&app.authorize_url(&app.attempt("openid"))).await;
    assert!(again.query("code").is_some(), "her session answers");
    assert_eq!(app.refresh(tokens.text("refresh_token")).await.status, 200);
    house.advance(Duration::from_secs(120));
    let (_, page) = asked(&house, &app).await;
    assert!(is_at_apple(&house, &page), "nobody knows by now: {}", page.body);
}

#[tokio::test]
async fn of_two_ways_the_one_that_answers_is_in_front() {
    let house = House::new().await;
    let upstream = House::configured(&[("RUSSET_LOCAL_ACCOUNTS__ENABLED", "true")]).await;
    house.connect("above", &upstream, |_| ()).await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let order_of = |page: &Page| {
        let at = |id: &str| page.body.find(&format!("id=\"login-{id}\"")).expect("a button");
        at("apple") < at("above")
    };
    let (_, page) = asked(&house, &app).await;
    assert!(order_of(&page) && !page.body.contains(SAID), "the operator's order");
    is_away(&house, &app).await;
    let (_, page) = asked(&house, &app).await;
    assert!(!order_of(&page), "{}", page.body);
    assert_eq!(page.body.matches(SAID).count(), 1, "{}", page.body);
}

#[tokio::test]
async fn what_the_daily_check_met_on_another_replica_is_known_here() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let paused = JobState {
            condition: JobCondition::Paused,
            last_run_at: Some(house.now()),
            resume_at: Some(house.now().plus(Duration::from_secs(86_400))),
            detail: Some("no answer".to_owned()),
            ..JobState::new(job_name(&format!("apple:{TEAM}")), house.now())
        };
        let put =
            house.store().write(move |tx| Box::pin(async move { tx.put_job_state(&paused).await }));
        let put: Result<(), russet::store::StoreFault> = put.await;
        put.expect("a state");
        house.broker.broker.provider.reload_outages().await.expect("reloaded");
        let (_, page) = asked(&house, &app).await;
        assert!(page.body.contains(SAID), "{}", page.body);
        // What answers here later is believed before that.
        house.advance(Duration::from_secs(1));
        let (mut browser, page) = asked(&house, &app).await;
        let apple = browser.press(&page, "login-apple").await;
        assert!(browser.press(&apple, "Continue as Ada").await.query("code").is_some());
        let (_, page) = asked(&house, &app).await;
        assert!(is_at_apple(&house, &page), "{}", page.body);
    });
}
