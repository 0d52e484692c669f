//! Device authorization: RFC 8628, conformance C.5–C.6 for its error answers, security.md §1D.

use std::time::Duration;

use futures_util::future::join_all;
use russet::protocol::client::{ClientKind, GrantType};
use russet::protocol::jose::Algorithm;

use crate::harness::app::{Answer, App, claims};
use crate::harness::browser::{Browser, Page};
use crate::harness::{House, free_name};
use crate::on_each_engine;

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
pub(crate) const PACE: Duration = Duration::from_secs(5);

pub(crate) async fn begin(app: &App, scope: &str) -> Answer {
    let waiting = app.post("/device_authorization", &[("scope", scope)]).await;
    assert_eq!(waiting.status, 200, "{}", waiting.json);
    waiting
}

pub(crate) async fn ask(app: &App, waiting: &Answer) -> Answer {
    app.token(&[("grant_type", DEVICE_CODE), ("device_code", waiting.text("device_code"))]).await
}

/// Enters the code and signs in, as far as the question.
pub(crate) async fn question(
    house: &House,
    browser: &mut Browser,
    waiting: &Answer,
    person: &str,
) -> Page {
    let page = browser.open(waiting.text("verification_uri_complete")).await;
    assert_eq!(page.status, 200);
    let page = browser.press(&page, "Continue").await;
    if page.url.as_str().starts_with(&house.issuer) {
        return page;
    }
    browser.press(&page, &format!("Continue as {person}")).await
}

#[tokio::test]
async fn a_device_is_signed_in_by_a_person_elsewhere() {
    on_each_engine!(house, {
        let api = "https://api.example";
        house.api(api, Algorithm::Es256, &["orders:read"]).await;
        let app = house
            .client(ClientKind::Device, |client| {
                client.resources = vec![api.to_owned()];
                client.default_resource = Some(api.to_owned());
            })
            .await;
        let waiting = begin(&app, "openid profile offline_access orders:read").await;
        assert_eq!(waiting.headers["cache-control"], "no-store");
        assert_eq!(waiting.json["expires_in"], 600);
        assert_eq!(waiting.json["interval"], 5);
        assert_eq!(waiting.text("verification_uri"), format!("{}/device", house.issuer));
        house.advance(PACE);
        assert_eq!(ask(&app, &waiting).await.error(), "400 authorization_pending");

        let mut browser = house.browser();
        let page = question(&house, &mut browser, &waiting, "Ada Lovelace").await;
        // Asked even though the client is first-party: the code may have come from somebody else.
        assert!(page.body.contains("id=\"device-warning\""), "{}", page.body);
        assert!(page.body.contains(waiting.text("user_code")));
        house.advance(PACE);
        assert_eq!(ask(&app, &waiting).await.error(), "400 authorization_pending", "not yet yes");
        let done = browser.press(&page, "Allow").await;
        assert_eq!(done.url.path(), "/device/done");
        assert!(done.body.contains("Your device is connected"));

        house.advance(PACE);
        let tokens = ask(&app, &waiting).await;
        assert_eq!(tokens.status, 200, "{}", tokens.json);
        assert_eq!(claims(tokens.text("access_token"))["aud"], api);
        assert_eq!(tokens.text("scope"), "openid profile offline_access orders:read");
        let id_token = claims(tokens.text("id_token"));
        assert_eq!(id_token["aud"], app.client_id());
        assert!(id_token.get("nonce").is_none());
        assert_eq!(app.userinfo(tokens.text("access_token")).await.json["name"], "Ada Lovelace");
        assert_eq!(app.refresh(tokens.text("refresh_token")).await.status, 200);

        house.advance(PACE);
        assert_eq!(ask(&app, &waiting).await.error(), "400 invalid_grant", "used up");
        assert_eq!(house.events("device.connected").await, 1);
        assert_eq!(house.events("device_code.redeemed").await, 1);
    });
}

#[tokio::test]
async fn a_device_that_asks_too_often_must_ask_slower_each_time() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Device, |_| {}).await;
        let waiting = begin(&app, "openid").await;
        assert_eq!(ask(&app, &waiting).await.error(), "400 authorization_pending", "the first");
        assert_eq!(ask(&app, &waiting).await.error(), "400 slow_down", "at once");
        house.advance(Duration::from_secs(9));
        assert_eq!(ask(&app, &waiting).await.error(), "400 slow_down", "ten seconds are wanted");
        house.advance(Duration::from_secs(15));
        assert_eq!(ask(&app, &waiting).await.error(), "400 authorization_pending");
        // Of many questions at once one is in time.
        house.advance(Duration::from_secs(15));
        let second = house.replica().await;
        let bases = [house.issuer.clone(), format!("http://{}", second.address())];
        let form = [("grant_type", DEVICE_CODE), ("device_code", waiting.text("device_code"))];
        let answers = join_all((0..8).map(|i| app.post_at(&bases[i % 2], "/token", &form))).await;
        let pending = answers.iter().filter(|a| a.error() == "400 authorization_pending").count();
        let slow = answers.iter().filter(|a| a.error() == "400 slow_down").count();
        assert_eq!((pending, slow), (1, 7));
        second.stop().await;
    });
}

#[tokio::test]
async fn a_yes_is_fetched_once_however_many_replicas_are_asked() {
    on_each_engine!(house, {
        let second = house.replica().await;
        let bases = [house.issuer.clone(), format!("http://{}", second.address())];
        let app = house.client(ClientKind::Device, |_| {}).await;
        let waiting = begin(&app, "openid").await;
        let mut browser = house.browser();
        let page = question(&house, &mut browser, &waiting, "Ada Lovelace").await;
        browser.press(&page, "Allow").await;
        house.advance(PACE);
        let form = [("grant_type", DEVICE_CODE), ("device_code", waiting.text("device_code"))];
        let answers = join_all((0..16).map(|i| app.post_at(&bases[i % 2], "/token", &form))).await;
        assert_eq!(answers.iter().filter(|a| a.status == 200).count(), 1);
        assert!(answers.iter().all(|a| a.status == 200
            || ["400 slow_down", "400 invalid_grant"].contains(&a.error().as_str())));
        second.stop().await;
    });
}

#[tokio::test]
async fn a_no_reaches_the_device_and_ends_it() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Device, |_| {}).await;
        let waiting = begin(&app, "openid").await;
        let mut browser = house.browser();
        let page = question(&house, &mut browser, &waiting, "Ada Lovelace").await;
        let done = browser.press(&page, "Deny").await;
        assert!(done.body.contains("was not connected"), "{}", done.body);
        house.advance(PACE);
        assert_eq!(ask(&app, &waiting).await.error(), "400 access_denied");
        house.advance(PACE);
        assert_eq!(ask(&app, &waiting).await.error(), "400 invalid_grant");
        // Answered codes open no page any more.
        let page = browser.open(waiting.text("verification_uri_complete")).await;
        let page = browser.press(&page, "Continue").await;
        assert_eq!(page.status, 400);
        assert!(page.body.contains("No device is waiting"));
    });
}

#[tokio::test]
async fn a_code_expires_for_device_and_person_alike() {
    let house = House::new().await;
    let app = house.client(ClientKind::Device, |_| {}).await;
    let waiting = begin(&app, "openid").await;
    let mut browser = house.browser();
    let page = question(&house, &mut browser, &waiting, "Ada Lovelace").await;
    house.advance(Duration::from_secs(600));
    let late = browser.press(&page, "Allow").await;
    assert_eq!(late.status, 400, "the question has expired with the code");
    assert_eq!(ask(&app, &waiting).await.error(), "400 expired_token");
    let page = browser.open(waiting.text("verification_uri_complete")).await;
    assert_eq!(browser.press(&page, "Continue").await.status, 400);
    house.broker.broker.provider.sweep().await.unwrap();
    assert_eq!(ask(&app, &waiting).await.error(), "400 expired_token", "kept for a late device");
}

#[tokio::test]
async fn each_bad_device_request_has_its_error() {
    let house = House::new().await;
    let app = house.client(ClientKind::Device, |_| {}).await;
    let other = house.client(ClientKind::Device, |_| {}).await;
    let web = house.client(ClientKind::Web, |_| {}).await;
    let waiting = begin(&app, "openid").await;
    house.advance(PACE);
    assert_eq!(ask(&other, &waiting).await.error(), "400 invalid_grant", "another client's");
    assert_eq!(ask(&web, &waiting).await.error(), "400 unauthorized_client");
    let unknown = app.token(&[("grant_type", DEVICE_CODE), ("device_code", &free_name())]).await;
    assert_eq!(unknown.error(), "400 invalid_grant");
    let missing = app.token(&[("grant_type", DEVICE_CODE)]).await;
    assert_eq!(missing.error(), "400 invalid_request");
    for (form, expected) in [
        (vec![("scope", "openid admin")], "400 invalid_scope"),
        (vec![("scope", "a\"b")], "400 invalid_scope"),
        (vec![("resource", "https://x.example")], "400 invalid_target"),
    ] {
        let found = app.post("/device_authorization", &form).await;
        assert_eq!(found.error(), expected, "{form:?}");
    }
    let wrong = web.post("/device_authorization", &[("scope", "openid")]).await;
    assert_eq!(wrong.error(), "400 unauthorized_client");
    let nobody = crate::harness::app::answer(
        house
            .http()
            .post(format!("{}/device_authorization", house.issuer))
            .form(&[("client_id", "nobody")]),
    )
    .await;
    assert_eq!(nobody.error(), "401 invalid_client");
}

#[tokio::test]
async fn the_answer_is_the_browsers_that_entered_the_code() {
    let house = House::new().await;
    let app = house.client(ClientKind::Device, |_| {}).await;
    let waiting = begin(&app, "openid").await;
    let mut browser = house.browser();
    let page = question(&house, &mut browser, &waiting, "Ada Lovelace").await;
    let mut stranger = house.browser();
    let stolen = stranger.press(&page, "Allow").await;
    assert_eq!(stolen.status, 400, "another browser's question");
    house.advance(PACE);
    assert_eq!(ask(&app, &waiting).await.error(), "400 authorization_pending");
}

#[tokio::test]
async fn what_happens_between_yes_and_fetching_counts() {
    let house = House::new().await;
    let app = house.client(ClientKind::Device, |_| {}).await;
    let waiting = begin(&app, "openid").await;
    let mut browser = house.browser();
    let page = question(&house, &mut browser, &waiting, "Ada Lovelace").await;
    browser.press(&page, "Allow").await;
    let page = browser.open(&format!("{}/logout", house.issuer)).await;
    browser.press(&page, "Sign out").await;
    house.advance(PACE);
    assert_eq!(ask(&app, &waiting).await.error(), "400 invalid_grant", "signed out meanwhile");
}

#[tokio::test]
async fn a_web_client_with_a_secret_may_use_it_too() {
    let house = House::new().await;
    let app = house
        .client(ClientKind::Web, |client| client.grant_types.push(GrantType::DeviceCode))
        .await;
    let waiting = begin(&app, "openid").await;
    let mut browser = house.browser();
    let page = question(&house, &mut browser, &waiting, "Ada Lovelace").await;
    browser.press(&page, "Allow").await;
    house.advance(PACE);
    assert_eq!(ask(&app, &waiting).await.status, 200);
}

#[tokio::test]
async fn the_page_takes_a_code_however_it_is_typed_and_names_what_is_wrong() {
    let house = House::new().await;
    let app = house.client(ClientKind::Device, |_| {}).await;
    let waiting = begin(&app, "openid").await;
    let mut browser = house.browser();
    let page = browser.open(&format!("{}/device", house.issuer)).await;
    let mut form = page.forms().remove(0);
    form.fields = vec![("user_code".to_owned(), "nonsense\"><script>".to_owned())];
    let wrong = browser.submit(&page, &form).await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.body.contains("role=\"alert\"") && !wrong.body.contains("<script>"));
    form.fields[0].1 = waiting.text("user_code").to_lowercase().replace('-', " ");
    let next = browser.submit(&page, &form).await;
    assert!(next.body.contains("Continue as Ada Lovelace"), "{}", next.body);
    // A link brings only what is a code.
    let page = browser.open(&format!("{}/device?user_code=%3Cb%3E", house.issuer)).await;
    assert!(!page.body.contains("&#60;b&#62;") && !page.body.contains("<b>"));
}
