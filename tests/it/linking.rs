//! More than one way in: added by proof of both, never taken from anybody, and the last one stays.

use russet::protocol::client::ClientKind;
use russet::protocol::jose::Algorithm;
use russet::protocol::user::Identity;
use serde_json::Value;

use crate::harness::House;
use crate::harness::app::{Answer, App, claims};
use crate::harness::browser::{Browser, Page};
use crate::local_accounts::{house, sign_in};
use crate::on_each_engine;

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

async fn identities(house: &House, sub: &str) -> Vec<Identity> {
    let user = house.store().find_user_by_sub(sub).await.unwrap().expect("a person");
    house.store().list_identities(&user.id).await.unwrap()
}

/// Signs Ada in with her password; returns her tokens.
async fn ada_signs_in(app: &App, browser: &mut Browser) -> Answer {
    let attempt = app.attempt("openid email offline_access");
    let end = sign_in(app, browser, &attempt).await;
    let code = end.query("code").unwrap_or_else(|| panic!("no code at {}", end.url));
    app.redeem(&attempt, &code).await
}

async fn page(house: &House, browser: &mut Browser) -> Page {
    browser.open(&format!("{}/account/identities", house.issuer)).await
}

/// Adds the Apple identity of this person to whoever is signed in here.
async fn add(house: &House, browser: &mut Browser, person: &str) -> Page {
    let page = page(house, browser).await;
    let apple = browser.press(&page, "add-apple").await;
    browser.press(&apple, &format!("Continue as {person}")).await
}

async fn sub_at_apple(house: &House, app: &App, person: &str) -> String {
    let attempt = app.attempt("openid").with("connection", "apple");
    let end = app.sign_in(&mut house.browser(), &attempt, person).await;
    let code = end.query("code").unwrap_or_else(|| panic!("no code at {}", end.url));
    let tokens = app.redeem(&attempt, &code).await;
    claims(tokens.text("id_token"))["sub"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_second_way_in_is_added_and_taken_away_but_never_the_last() {
    let house = house().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let tokens = ada_signs_in(&app, &mut browser).await;
    let sub = claims(tokens.text("id_token"))["sub"].as_str().unwrap().to_owned();
    let alone = page(&house, &mut browser).await;
    assert!(alone.body.contains("your last way in"), "{}", alone.body);

    let linked = add(&house, &mut browser, "Grace Hopper").await;
    assert!(linked.url.as_str().ends_with("/account/identities?done=linked"), "{}", linked.url);
    assert_eq!(identities(&house, &sub).await.len(), 2);
    assert_eq!(house.events("user.linked").await, 1);
    assert_eq!(sub_at_apple(&house, &app, "Grace Hopper").await, sub);
    // Neither her name nor her address has become the other identity's.
    let userinfo = app.userinfo(tokens.text("access_token")).await;
    assert_eq!(userinfo.json["email"], "ada@example.com");

    // Taken away again: gone from here, given back at Apple, and somebody else from then on.
    let form = linked.forms().into_iter().find(|form| form.text.contains("apple:"));
    let removed = browser.submit(&linked, &form.expect("a form")).await;
    assert!(removed.url.as_str().ends_with("?done=removed"), "{}", removed.url);
    let left = identities(&house, &sub).await;
    assert_eq!(left.len(), 1);
    let user = house.store().find_user_by_sub(&sub).await.unwrap().unwrap();
    assert_eq!(house.store().find_upstream_grants(&user.id).await.unwrap(), []);
    // By the job that works off what is owed, soon.
    while house.events("upstream_grant.given_back").await == 0 {
        house.broker.broker.provider.give_left_grants_back().await.expect("giving back");
    }
    assert_eq!(house.apple_asked("revoke").await, 1);
    assert_ne!(sub_at_apple(&house, &app, "Grace Hopper").await, sub);

    // The form of an earlier page does not take the last one either.
    let mut stale = removed.forms().remove(0);
    stale.action = removed.url.join("/account/identities/remove").unwrap();
    let refused = browser.submit(&removed, &stale).await;
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("last way to sign in"), "{}", refused.body);
    assert_eq!(identities(&house, &sub).await, left);
}

#[tokio::test]
async fn nobody_takes_an_identity_that_somebody_has() {
    let house = house().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let grace = sub_at_apple(&house, &app, "Grace Hopper").await;
    let mut browser = house.browser();
    let tokens = ada_signs_in(&app, &mut browser).await;
    let sub = claims(tokens.text("id_token"))["sub"].as_str().unwrap().to_owned();
    let refused = add(&house, &mut browser, "Grace Hopper").await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert!(refused.body.contains("belongs to another account"), "{}", refused.body);
    assert_eq!(identities(&house, &sub).await.len(), 1);
    assert_eq!(sub_at_apple(&house, &app, "Grace Hopper").await, grace);
    // The same address is no reason either: Apple's Ada is somebody else than the local one.
    assert_ne!(sub_at_apple(&house, &app, "Ada Lovelace").await, sub);
}

#[tokio::test]
async fn only_who_asked_for_it_is_given_the_identity() {
    let house = house().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let stranger = house.browser().open(&format!("{}/account/identities", house.issuer)).await;
    assert_eq!(stranger.status, 401);

    let mut browser = house.browser();
    let tokens = ada_signs_in(&app, &mut browser).await;
    let sub = claims(tokens.text("id_token"))["sub"].as_str().unwrap().to_owned();
    let here = page(&house, &mut browser).await;
    let mut forged = here.forms().into_iter().find(|form| form.text.contains("add-apple")).unwrap();
    for (name, value) in &mut forged.fields {
        if name == "csrf" {
            "x".clone_into(value);
        }
    }
    assert_eq!(browser.submit(&here, &forged).await.status, 400);

    // Begun by Ada, finished when she is signed out: nobody is given anything.
    let apple = browser.press(&here, "add-apple").await;
    let user = house.store().find_user_by_sub(&sub).await.unwrap().unwrap();
    let actor = russet::op::admin::Actor::cli();
    house.broker.broker.administration.sign_out_person(&actor, &user.id).await.unwrap();
    let refused = browser.press(&apple, "Continue as Grace Hopper").await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert_eq!(identities(&house, &sub).await.len(), 1);
    assert_eq!(house.events("login.failed").await, 1);
}

async fn join(app: &App, credential: &Value, nonce: &str, more: &[(&str, &str)]) -> Answer {
    let fields = [&[("scope", "openid"), ("nonce", nonce)], more].concat();
    app.exchange_native(credential, &fields).await
}

#[tokio::test]
async fn an_app_adds_the_identity_of_the_native_sheet_to_its_person() {
    on_each_engine!(house, {
        let api = "https://api.example";
        house.api(api, Algorithm::Es256, &["orders:read"]).await;
        let app = house
            .client(ClientKind::Native, |client| client.resources = vec![api.to_owned()])
            .await;
        let other = house.client(ClientKind::Native, |_| {}).await;
        let person = app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
        let sub = claims(person.text("id_token"))["sub"].as_str().unwrap().to_owned();
        let access_token = person.text("access_token");
        let with = |token| [("actor_token", token), ("actor_token_type", ACCESS_TOKEN)];

        // Refused without using the credential up.
        let grace = house.native_credential("grace", Some("n-1")).await;
        let named = [("actor_token", access_token)];
        assert_eq!(join(&app, &grace, "n-1", &named).await.error(), "400 invalid_request");
        let id_token = person.text("id_token");
        let refused = join(&app, &grace, "n-1", &with(id_token)).await;
        assert_eq!(refused.error(), "400 invalid_request", "an ID token proves no right to act");
        let refused = join(&other, &grace, "n-1", &with(access_token)).await;
        assert_eq!(refused.error(), "400 invalid_grant", "another client's token");
        let attempt = app.attempt("openid orders:read").with("resource", api);
        let end = app.sign_in(&mut house.browser(), &attempt, "Ada Lovelace").await;
        let of_api = app.redeem(&attempt, &end.query("code").unwrap()).await;
        let refused = join(&app, &grace, "n-1", &with(of_api.text("access_token"))).await;
        assert_eq!(refused.error(), "400 invalid_grant", "what an API has seen");

        let joined = join(&app, &grace, "n-1", &with(access_token)).await;
        assert_eq!(joined.status, 200, "{}", joined.json);
        assert_eq!(claims(joined.text("id_token"))["sub"], sub);
        assert_eq!(identities(&house, &sub).await.len(), 2);
        // Again is no harm; and by itself it signs the same person in.
        let again = house.native_credential("grace", Some("n-2")).await;
        assert_eq!(join(&app, &again, "n-2", &with(access_token)).await.status, 200);
        let alone = house.native_credential("grace", Some("n-3")).await;
        let alone = join(&app, &alone, "n-3", &[]).await;
        assert_eq!(claims(alone.text("id_token"))["sub"], sub);
        assert_eq!(house.events("user.linked").await, 1);

        // Somebody else's identity stays theirs.
        let alan = other.tokens(&mut house.browser(), "openid", "Alan Turing").await;
        let alans = house.native_credential("grace", Some("n-4")).await;
        let refused = join(&other, &alans, "n-4", &with(alan.text("access_token"))).await;
        assert_eq!(refused.error(), "400 access_denied");
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_take_away_the_last_two_one_is_refused() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Native, |_| {}).await;
        let mut browser = house.browser();
        let person = app.tokens(&mut browser, "openid", "Ada Lovelace").await;
        let sub = claims(person.text("id_token"))["sub"].as_str().unwrap().to_owned();
        let grace = house.native_credential("grace", Some("n-1")).await;
        let actor =
            [("actor_token", person.text("access_token")), ("actor_token_type", ACCESS_TOKEN)];
        assert_eq!(join(&app, &grace, "n-1", &actor).await.status, 200);
        let page = page(&house, &mut browser).await;
        let forms: Vec<_> =
            page.forms().into_iter().filter(|form| form.text.contains("<button")).collect();
        assert_eq!(forms.len(), 2);
        let (mut one, mut two) = (browser.clone(), browser.clone());
        let _ = tokio::join!(one.submit(&page, &forms[0]), two.submit(&page, &forms[1]));
        assert_eq!(identities(&house, &sub).await.len(), 1);
    });
}
