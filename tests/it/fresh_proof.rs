//! What decides who gets in, and what takes everything along, wants a proof that is minutes old.

use std::time::Duration;

use reqwest::StatusCode;
use russet::protocol::client::ClientKind;

use crate::console::send;
use crate::harness::House;
use crate::harness::app::App;
use crate::harness::browser::{Browser, Page};
use crate::local_accounts::{PASSWORD, house, sign_in};
use crate::on_each_engine;

const ADA: &str = "Ada Lovelace";
const STALE: Duration = Duration::from_secs(11 * 60);

async fn open(house: &House, browser: &mut Browser, path: &str) -> Page {
    browser.open(&format!("{}{path}", house.issuer)).await
}

async fn signed_in(house: &House) -> (App, Browser) {
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    app.tokens(&mut browser, "openid offline_access", ADA).await;
    (app, browser)
}

#[tokio::test]
async fn an_old_sign_in_deletes_nothing_adds_nothing_and_takes_nothing_along() {
    on_each_engine!(house, {
        let (_, mut browser) = signed_in(&house).await;
        let account = open(&house, &mut browser, "/account").await;
        let asks = open(&house, &mut browser, "/account/delete").await;
        house.advance(STALE);
        for path in ["/account/delete", "/account/identities"] {
            let led = open(&house, &mut browser, path).await;
            assert_eq!(led.url.path(), "/account/prove", "{path}");
        }
        // Forms from before are worth no more.
        let deleted = send(&mut browser, &asks, "delete-confirm", &[("confirm", "delete")]).await;
        assert_eq!(deleted.url.path(), "/account/prove");
        let exported = send(&mut browser, &account, "account-export", &[]).await;
        assert_eq!(exported.url.path(), "/account/prove");
        for kind in ["user.deletion_begun", "user.exported", "user.linked", "user.unlinked"] {
            assert_eq!(house.events(kind).await, 0, "{kind}");
        }
        // Whoever only looks, renames or signs out is not asked.
        assert_eq!(open(&house, &mut browser, "/account").await.url.path(), "/account");

        let sid = browser.cookie("127.0.0.1", "russet_session").cloned();
        let apple = browser.press(&deleted, "prove-apple").await;
        let page = browser.press(&apple, &format!("Continue as {ADA}")).await;
        assert_eq!(page.url.path(), "/account/delete", "where they were going");
        assert_ne!(browser.cookie("127.0.0.1", "russet_session").cloned(), sid, "another cookie");
        let receipt = send(&mut browser, &page, "delete-confirm", &[("confirm", "delete")]).await;
        assert!(receipt.url.path().starts_with("/account/deletions/"), "{}", receipt.url);
    });
}

#[tokio::test]
async fn somebody_else_proves_nothing_and_becomes_nobody() {
    let house = House::new().await;
    let (_, mut browser) = signed_in(&house).await;
    house.advance(STALE);
    let led = open(&house, &mut browser, "/account/identities").await;
    let apple = browser.press(&led, "prove-apple").await;
    let page = browser.press(&apple, "Continue as Grace Hopper").await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST, "{}", page.body);
    assert_eq!(house.events("user.created").await, 1, "Grace was not made by it");
    let still = open(&house, &mut browser, "/account/identities").await;
    assert_eq!(still.url.path(), "/account/prove");
    assert_eq!(open(&house, &mut browser, "/account").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_password_proves_too_and_wrong_ones_are_noted() {
    let house = house().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    sign_in(&app, &mut browser, &app.attempt("openid")).await;
    house.advance(STALE);
    let led = open(&house, &mut browser, "/account/identities").await;
    assert!(!led.body.contains("id=\"prove-apple\""), "only ways that are theirs: {}", led.body);
    let fields = [("next", "identities"), ("password", "wrong")];
    let wrong = send(&mut browser, &led, "prove-submit", &fields).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert_eq!(house.events("user.proof_failed").await, 1);
    let fields = [("next", "identities"), ("password", PASSWORD)];
    let page = send(&mut browser, &wrong, "prove-submit", &fields).await;
    assert_eq!(page.url.path(), "/account/identities");
    // Nobody is sent anywhere else than to a page of their own.
    house.advance(STALE);
    let led = open(&house, &mut browser, "/account/prove?next=https://evil.example").await;
    let fields = [("next", "//evil.example"), ("password", PASSWORD)];
    let page = send(&mut browser, &led, "prove-submit", &fields).await;
    assert_eq!(page.url.path(), "/account");
}
