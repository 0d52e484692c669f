//! Sessions, logout and the account page: conformance C.10, security.md §1K.

use russet::protocol::client::ClientKind;
use url::Url;

use crate::harness::House;
use crate::harness::app::{App, claims};
use crate::harness::browser::Browser;
use crate::on_each_engine;

const BYE: &str = "http://127.0.0.1:9/bye";

fn logout_url(house: &House, parameters: &[(&str, &str)]) -> String {
    let mut url = Url::parse(&format!("{}/logout", house.issuer)).unwrap();
    url.query_pairs_mut().extend_pairs(parameters);
    url.into()
}

async fn is_signed_in(app: &App, browser: &mut Browser) -> bool {
    let silent = app.attempt("openid").with("prompt", "none");
    let end = browser.open(&app.authorize_url(&silent)).await;
    end.query("code").is_some()
}

#[tokio::test]
async fn a_good_hint_logs_out_at_once_and_ends_what_the_session_gave() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let mut browser = house.browser();
        let old = app.tokens(&mut browser, "openid", "Ada Lovelace").await;
        // An expired ID token is still a good hint.
        house.advance(std::time::Duration::from_secs(7200));
        let tokens = app.tokens(&mut browser, "openid", "Ada Lovelace").await;
        let url = logout_url(
            &house,
            &[
                ("id_token_hint", old.text("id_token")),
                ("post_logout_redirect_uri", BYE),
                ("state", "s 1"),
            ],
        );
        let end = browser.open(&url).await;
        assert_eq!(end.url.as_str(), "http://127.0.0.1:9/bye?state=s+1");
        assert!(!is_signed_in(&app, &mut browser).await);
        let dead = app.userinfo(tokens.text("access_token")).await;
        assert_eq!(dead.error(), "401 invalid_token");
    });
}

#[tokio::test]
async fn nothing_unproven_redirects_or_logs_out() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let other =
        house.client(ClientKind::Web, |client| client.post_logout_redirect_uris.clear()).await;
    let mut browser = house.browser();
    let tokens = app.tokens(&mut browser, "openid", "Ada Lovelace").await;
    let hint = tokens.text("id_token");
    let forged = format!("{hint}A");
    for parameters in [
        vec![("id_token_hint", forged.as_str()), ("post_logout_redirect_uri", BYE)],
        vec![("id_token_hint", hint), ("post_logout_redirect_uri", "https://evil.example/")],
        vec![("id_token_hint", hint), ("post_logout_redirect_uri", "http://127.0.0.1:9/bye?x=1")],
        vec![("id_token_hint", hint), ("client_id", other.client_id())],
        vec![("post_logout_redirect_uri", BYE)],
        vec![("client_id", other.client_id()), ("post_logout_redirect_uri", BYE)],
    ] {
        let page = browser.open(&logout_url(&house, &parameters)).await;
        assert_eq!(page.url.path(), "/logout", "{parameters:?}");
        assert_eq!(page.status, 400, "{parameters:?}");
        assert!(is_signed_in(&app, &mut browser).await, "{parameters:?}");
    }
}

#[tokio::test]
async fn without_a_hint_the_person_is_asked() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    app.tokens(&mut browser, "openid", "Ada Lovelace").await;
    let page = browser.open(&logout_url(&house, &[("state", "s")])).await;
    assert!(is_signed_in(&app, &mut browser).await, "only asked");
    // A form of somebody else's making does not know the token.
    let mut forged = page.forms().remove(0);
    for (name, value) in &mut forged.fields {
        if name == "csrf" {
            *value = "guessed".to_owned();
        }
    }
    browser.submit(&page, &forged).await;
    assert!(is_signed_in(&app, &mut browser).await, "a forged answer counts for nothing");
    let form = page.forms().remove(0);
    let end = browser.submit(&page, &form).await;
    assert!(end.body.contains("signed out") || end.body.contains("logged out"), "{}", end.body);
    assert!(!is_signed_in(&app, &mut browser).await);
    // Nobody is signed in: nothing to ask.
    let again = browser.open(&logout_url(&house, &[])).await;
    assert_eq!(again.status, 200);
}

#[tokio::test]
async fn somebody_elses_hint_asks_first() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let grace = app.tokens(&mut house.browser(), "openid", "Grace Hopper").await;
    let mut browser = house.browser();
    app.tokens(&mut browser, "openid", "Ada Lovelace").await;
    let url = logout_url(
        &house,
        &[("id_token_hint", grace.text("id_token")), ("post_logout_redirect_uri", BYE)],
    );
    let page = browser.open(&url).await;
    assert_eq!(page.url.path(), "/logout");
    assert!(is_signed_in(&app, &mut browser).await);
}

#[tokio::test]
async fn signing_in_again_renews_the_cookie_and_keeps_the_sid() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let first = app.tokens(&mut browser, "openid", "Ada Lovelace").await;
    let old = browser.cookie("127.0.0.1", "russet_session").cloned().unwrap();
    house.advance(std::time::Duration::from_secs(1));
    let attempt = app.attempt("openid").with("prompt", "login");
    let page = browser.open(&app.authorize_url(&attempt)).await;
    let apple = browser.press(&page, "Continue with Apple").await;
    let end = browser.press(&apple, "Continue as Ada").await;
    let second = app.redeem(&attempt, &end.query("code").unwrap()).await;
    assert_eq!(claims(first.text("id_token"))["sid"], claims(second.text("id_token"))["sid"]);
    let new = browser.cookie("127.0.0.1", "russet_session").cloned().unwrap();
    assert_ne!(old, new, "a fixed session id is worth nothing");
    let stale = house.http().get(format!("{}/account", house.issuer));
    let stale = stale.header("cookie", format!("russet_session={old}")).send().await.unwrap();
    assert_eq!(stale.status(), 401);
}

#[tokio::test]
async fn another_person_in_the_same_browser_ends_the_first_session() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let ada = app.tokens(&mut browser, "openid", "Ada Lovelace").await;
    house.advance(std::time::Duration::from_secs(1));
    let attempt = app.attempt("openid").with("prompt", "login");
    let page = browser.open(&app.authorize_url(&attempt)).await;
    let apple = browser.press(&page, "Continue with Apple").await;
    let end = browser.press(&apple, "Continue as Grace").await;
    let grace = app.redeem(&attempt, &end.query("code").unwrap()).await;
    let (ada, grace) = (claims(ada.text("id_token")), claims(grace.text("id_token")));
    assert_ne!(ada["sub"], grace["sub"]);
    assert_ne!(ada["sid"], grace["sid"]);
}

#[tokio::test]
async fn the_account_page_shows_ones_own_and_nothing_to_strangers() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let url = format!("{}/account", house.issuer);
    assert_eq!(browser.open(&url).await.status, 401);
    app.tokens(&mut browser, "openid", "Ada Lovelace").await;
    let page = browser.open(&url).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Ada Lovelace") && page.body.contains("ada@example.com"));
    assert!(!page.body.contains("001234."), "Apple's sub stays inside");
}
