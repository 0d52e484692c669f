//! Each sign-in has an id, which its error page and its answers show, and under which the console
//! replays it: with a cause, and without a secret.

use russet::protocol::admin::Role;
use russet::protocol::client::ClientKind;
use russet::protocol::sign_in::Step;
use serde_json::json;

use crate::console::{admin, signed_in};
use crate::device::{PACE, ask, begin, question};
use crate::harness::House;
use crate::harness::browser::Page;
use crate::on_each_engine;

fn shown(page: &Page) -> &str {
    page.headers["x-request-id"].to_str().expect("an id")
}

async fn steps(house: &House, id: &str) -> Vec<Step> {
    let steps = house.broker.broker.administration.sign_in_steps(id).await.expect("a sign-in");
    steps.iter().map(|step| step.step).collect()
}

/// The id of the sign-in that began last.
async fn latest(house: &House) -> String {
    let administration = &house.broker.broker.administration;
    let latest = administration.latest_sign_ins(None, 1).await.expect("sign-ins");
    latest.first().expect("a sign-in").1.sign_in.clone()
}

#[tokio::test]
async fn a_sign_in_is_replayed_from_the_request_to_the_tokens() {
    on_each_engine!(house, {
        let app = house
            .client(ClientKind::Web, |client| {
                client.first_party = false;
            })
            .await;
        let mut browser = house.browser();
        let attempt = app.attempt("openid email");
        let consent = app.sign_in(&mut browser, &attempt, "Ada Lovelace").await;
        let id = latest(&house).await;
        assert_eq!(shown(&consent), id, "the page of a sign-in shows its id");
        assert!(consent.url.path().ends_with(&id));
        let end = browser.press(&consent, "consent-allow").await;
        let code = end.query("code").unwrap_or_else(|| panic!("no code at {}", end.url));
        assert_eq!(app.redeem(&attempt, &code).await.status, 200);
        assert_eq!(app.redeem(&attempt, &code).await.error(), "400 invalid_grant");
        let all = [
            Step::Requested,
            Step::Departed,
            Step::Returned,
            Step::SignedIn,
            Step::Consented,
            Step::CodeIssued,
            Step::Redeemed,
            Step::NotRedeemed,
        ];
        assert_eq!(steps(&house, &id).await, all);

        // With the session there, the next one has no page; it is known by its request's id.
        let attempt = app.attempt("openid email");
        let end = app.sign_in(&mut browser, &attempt, "Ada Lovelace").await;
        let second = latest(&house).await;
        assert_ne!(second, id);
        app.redeem(&attempt, &end.query("code").expect("a code")).await;
        assert_eq!(steps(&house, &second).await, [Step::CodeIssued, Step::Redeemed]);
    });
}

#[actix_web::test]
async fn a_failed_sign_in_is_found_by_the_id_that_the_person_reads_and_tells_why() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    house.simulate("faults", &json!({ "endpoint": "token", "fault": "invalid_client" })).await;
    let attempt = app.attempt("openid email");
    let end = app.sign_in(&mut house.browser(), &attempt, "Ada Lovelace").await;
    assert!(end.query("error").is_some(), "{}", end.url);
    let id = latest(&house).await;
    let taken = [Step::Requested, Step::Departed, Step::Returned, Step::Failed, Step::Refused];
    assert_eq!(steps(&house, &id).await, taken);

    admin(&house, "ada", Role::Viewer).await;
    let (mut browser, _) = signed_in(&house, "ada").await;
    let found = browser.open(&format!("{}/admin/sign-ins?id={id}", house.issuer)).await;
    assert!(found.body.contains("does not accept the credentials"), "{}", found.body);
    assert!(found.body.contains("code, id_token"), "what was brought, by name: {}", found.body);
    for secret in ["ada@example.com", "Lovelace", attempt.state.as_str(), "eyJ"] {
        assert!(!found.body.contains(secret), "{secret} in {}", found.body);
    }
    let list = browser.open(&format!("{}/admin/sign-ins", house.issuer)).await;
    assert!(list.body.contains(&id), "{}", list.body);
    let events = browser.open(&format!("{}/admin/audit?request_id={id}", house.issuer)).await;
    assert!(events.body.contains("Sign-in failed"), "{}", events.body);
    let unknown = browser.open(&format!("{}/admin/sign-ins?id=nobody", house.issuer)).await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn the_error_page_shows_the_id_and_a_made_up_one_is_not_repeated() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let page =
        browser.open(&app.authorize_url(&app.attempt("openid").with("prompt", "login"))).await;
    let id = page.url.path().rsplit('/').next().expect("an id").to_owned();
    // Another browser has the address, and not the cookie.
    let stolen = house.browser().open(page.url.as_str()).await;
    if stolen.url.path().starts_with("/interaction/") {
        assert_eq!(shown(&stolen), id);
        assert!(stolen.body.contains(&id), "{}", stolen.body);
    }
    for odd in ["%3Cscript%3E", "a%0d%0ax-evil:1", &"a".repeat(200)] {
        let page = house.browser().open(&format!("{}/interaction/{odd}", house.issuer)).await;
        let id = shown(&page);
        assert!(id.len() < 64 && !id.contains(['<', ':']), "{id}");
    }
}

#[actix_web::test]
async fn a_native_sign_in_is_one_request_with_its_steps_and_a_refused_one_says_why() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Native, |_| {}).await;
        let credential = house.native_credential("ada", Some("raw")).await;
        let tokens = app.exchange_native(&credential, &[("nonce", "raw")]).await;
        assert_eq!(tokens.status, 200, "{}", tokens.json);
        let id = tokens.headers["x-request-id"].to_str().expect("an id");
        let taken = [Step::Requested, Step::Returned, Step::SignedIn, Step::Redeemed];
        assert_eq!(steps(&house, id).await, taken);

        let credential = house.native_credential("grace", Some("raw")).await;
        let refused = app.exchange_native(&credential, &[("nonce", "another")]).await;
        assert_eq!(refused.error(), "400 invalid_grant");
        let id = refused.headers["x-request-id"].to_str().expect("an id");
        let taken = [Step::Requested, Step::Returned, Step::Failed];
        assert_eq!(steps(&house, id).await, taken);
        admin(&house, "ada", Role::Viewer).await;
        let (mut browser, _) = signed_in(&house, "ada").await;
        let found = browser.open(&format!("{}/admin/sign-ins?id={id}", house.issuer)).await;
        assert!(found.body.contains("nonce"), "a plain cause: {}", found.body);
        let token = credential["identityToken"].as_str().expect("a token");
        assert!(!found.body.contains(token), "{}", found.body);
        // A request that names no connection of ours is no sign-in.
        let odd = app.exchange_native(&credential, &[("subject_issuer", "nobody")]).await;
        let id = odd.headers["x-request-id"].to_str().expect("an id");
        assert!(house.broker.broker.administration.sign_in_steps(id).await.is_err());
    });
}

#[tokio::test]
async fn a_device_is_traced_from_the_code_that_was_typed_to_its_tokens() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Device, |_| {}).await;
        let waiting = begin(&app, "openid").await;
        let mut browser = house.browser();
        let page = question(&house, &mut browser, &waiting, "Ada Lovelace").await;
        let id = latest(&house).await;
        browser.press(&page, "Allow").await;
        house.advance(PACE);
        assert_eq!(ask(&app, &waiting).await.status, 200);
        let taken = [
            Step::Requested,
            Step::Departed,
            Step::Returned,
            Step::SignedIn,
            Step::Consented,
            Step::Redeemed,
        ];
        assert_eq!(steps(&house, &id).await, taken);

        let waiting = begin(&app, "openid").await;
        let page = question(&house, &mut browser, &waiting, "Ada Lovelace").await;
        let id = latest(&house).await;
        browser.press(&page, "device-deny").await;
        assert_eq!(steps(&house, &id).await, [Step::Requested, Step::Refused]);
    });
}
