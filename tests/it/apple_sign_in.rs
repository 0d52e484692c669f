//! Web sign-in through a simulated Apple: apple.md §3, §4, §10, seen from outside.

use std::time::Duration;

use russet::protocol::admin::Role;
use russet::protocol::client::ClientKind;
use russet::protocol::sign_in::{SignInStep, Step};
use russet::protocol::sign_in_cause::Cause;

use crate::console::{admin, signed_in};
use crate::harness::House;
use crate::harness::app::claims;
use crate::harness::browser::Page;
use crate::on_each_engine;

#[tokio::test]
async fn a_person_signs_in_and_the_app_holds_our_tokens() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let mut browser = house.browser();
        let attempt = app.attempt("openid profile email offline_access");
        let end = app.sign_in(&mut browser, &attempt, "Ada Lovelace").await;
        assert!(browser.withheld > 0, "Apple's POST came without our Lax cookies");
        assert_eq!(end.query("state").as_deref(), Some(attempt.state.as_str()));
        assert_eq!(end.query("iss").as_deref(), Some(house.issuer.as_str()));

        let tokens = app.redeem(&attempt, &end.query("code").expect("a code")).await;
        assert_eq!(tokens.status, 200, "{}", tokens.json);
        assert_eq!(tokens.headers["cache-control"], "no-store");
        let id_token = claims(tokens.text("id_token"));
        assert_eq!(id_token["iss"], house.issuer.as_str());
        assert_eq!(id_token["aud"], app.client_id());
        assert_eq!(id_token["nonce"], attempt.nonce.as_str());
        assert!(!id_token["sub"].as_str().unwrap().contains("001234"), "never Apple's sub");
        let access = claims(tokens.text("access_token"));
        assert_eq!(access["sub"], id_token["sub"]);

        let userinfo = app.userinfo(tokens.text("access_token")).await;
        assert_eq!(userinfo.json["sub"], id_token["sub"]);
        assert_eq!(userinfo.json["name"], "Ada Lovelace");
        assert_eq!(userinfo.json["email"], "ada@example.com");
        assert_eq!(userinfo.json["email_verified"], true);
        let person = house.store().find_user_by_sub(id_token["sub"].as_str().unwrap()).await;
        let person = person.unwrap().expect("a person");
        let grants = house.store().find_upstream_grants(&person.id).await.unwrap();
        assert_eq!(grants.len(), 1, "Apple's refresh token is kept");
    });
}

#[tokio::test]
async fn the_second_sign_in_has_no_name_and_the_first_name_stays() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let first = app.tokens(&mut house.browser(), "openid profile", "Ada Lovelace").await;
    house.advance(Duration::from_secs(60));
    let second = app.tokens(&mut house.browser(), "openid profile", "Ada Lovelace").await;
    assert_eq!(claims(first.text("id_token"))["sub"], claims(second.text("id_token"))["sub"]);
    let userinfo = app.userinfo(second.text("access_token")).await;
    assert_eq!(userinfo.json["name"], "Ada Lovelace");
}

#[tokio::test]
async fn people_without_address_or_name_sign_in_as_well() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    for (person, email, verified) in [
        ("Alan Turing", false, false),
        ("Mary Jackson", true, false),
        ("nameless@example.com", true, true),
        ("Grace Hopper", true, true),
    ] {
        let tokens = app.tokens(&mut house.browser(), "openid email", person).await;
        let userinfo = app.userinfo(tokens.text("access_token")).await;
        assert_eq!(userinfo.json["email"].is_string(), email, "{person}: {}", userinfo.json);
        if email {
            assert_eq!(userinfo.json["email_verified"], verified, "{person}");
        }
        if person == "Grace Hopper" {
            let address = userinfo.json["email"].as_str().unwrap();
            assert!(address.ends_with("@privaterelay.appleid.com"), "{address}");
        }
    }
}

#[tokio::test]
async fn a_person_who_cancels_is_access_denied_for_the_app() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let attempt = app.attempt("openid");
    let page = browser.open(&app.authorize_url(&attempt)).await;
    let end = browser.press(&page, "Cancel").await;
    assert_eq!(end.query("error").as_deref(), Some("access_denied"));
    assert_eq!(end.query("state").as_deref(), Some(attempt.state.as_str()));
    assert_eq!(end.query("iss").as_deref(), Some(house.issuer.as_str()));
}

#[tokio::test]
async fn an_answer_in_another_browser_signs_nobody_in() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut victim = house.browser();
    let page = victim.open(&app.authorize_url(&app.attempt("openid"))).await;
    // The other browser began something of its own, so it does hold a binding cookie.
    let mut thief = house.browser();
    thief.open(&app.authorize_url(&app.attempt("openid"))).await;
    let end = thief.press(&page, "Continue as Ada").await;
    assert_eq!(end.status, 400, "{}", end.url);
    assert!(end.body.contains("another browser"), "{}", end.body);
    assert!(thief.cookie("127.0.0.1", "russet_session").is_none());

    // A browser without any cookie gets the page that asks it to post again, and then no more.
    let page = victim.open(&app.authorize_url(&app.attempt("openid"))).await;
    let end = house.browser().press(&page, "Continue as Ada").await;
    assert_eq!(end.status, 400);
}

#[tokio::test]
async fn another_browser_ends_a_sign_in_and_is_told_an_id_that_can_be_replayed() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let mut victim = house.browser();
        let attempt = app.attempt("openid");
        let page = victim.open(&app.authorize_url(&attempt)).await;
        let choice = page.forms().into_iter().find(|form| form.text.contains("Ada")).unwrap();
        let posting = victim.submit(&page, &choice).await;
        let answer = posting.forms().remove(0);
        // Somebody who has learned it posts it before its own browser does, and more than once.
        let mut other = house.browser();
        other.open(&app.authorize_url(&app.attempt("openid"))).await;
        for _ in 0..2 {
            let end = other.submit(&posting, &answer).await;
            let end = other.run_scripts(end).await;
            assert_eq!(end.status, 400, "{}", end.body);
            let steps = steps(&house, &shown_id(&end)).await;
            let said = steps.last().and_then(|step| step.detail.clone()).expect("a cause");
            assert!(said.to_string().contains("another browser"), "{said}");
            assert_eq!(steps[0].step, Step::Requested, "the whole sign-in is there");
            let failed = steps.iter().find(|step| step.step == Step::Failed).expect("why");
            assert_eq!(cause_of(failed), Cause::Elsewhere);
        }
        assert_eq!(house.apple_asked("token").await, 0, "nothing of it was taken to Apple");
        // The journey is spent: whoever began it cannot finish with what came back elsewhere.
        let again = victim.submit(&posting, &answer).await;
        let again = victim.run_scripts(again).await;
        assert_eq!(again.status, 400);
        let steps = steps(&house, &shown_id(&again)).await;
        assert_eq!(steps[0].step, Step::Requested, "the same sign-in");
    });
}

#[tokio::test]
async fn every_page_of_a_failed_sign_in_shows_an_id_that_can_be_replayed() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let callback = format!("{}/upstream/apple/callback?", house.issuer);
    let unknown = app.authorize_url(&app.attempt("openid")).replace("client_id=", "client_id=x");
    let elsewhere = app
        .authorize_url(&app.attempt("openid"))
        .replace("redirect_uri=http", "redirect_uri=https");
    for (url, says, cause) in [
        (format!("{callback}code=x"), "no state", Cause::Over),
        (format!("{callback}code=x&state=forged"), "unknown, expired", Cause::Over),
        (format!("{callback}state=a&state=b"), "state", Cause::Other),
        (unknown, "client_id", Cause::Request),
        (elsewhere, "redirect_uri", Cause::Request),
        (format!("{}/authorize", house.issuer), "client_id", Cause::Request),
    ] {
        let mut browser = house.browser();
        let page = browser.open(&url).await;
        assert_eq!(page.status, 400, "{url}");
        let id = shown_id(&page);
        assert_eq!(page.headers["x-request-id"], id.as_str());
        let steps = steps(&house, &id).await;
        let detail = steps[0].detail.as_ref().expect("a cause").to_string();
        assert!(steps[0].step == Step::Lost && detail.contains(says), "{url}: {detail}");
        assert_eq!(cause_of(&steps[0]), cause, "{url}: {detail}");
    }
}

fn cause_of(step: &SignInStep) -> Cause {
    let detail = step.detail.as_ref().expect("a cause");
    let text = |member: &str| detail[member].as_str().unwrap_or_default();
    Cause::of(detail["error"].as_str(), text("description"), text("detail"))
}

#[tokio::test]
async fn what_belongs_to_no_sign_in_is_in_no_list_of_them_and_is_found_by_its_id() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        app.sign_in(&mut house.browser(), &app.attempt("openid"), "Ada Lovelace").await;
        let administration = &house.broker.broker.administration;
        let before = administration.latest_sign_ins(None, 10).await.expect("a list");
        assert_eq!(before.len(), 1);
        let forged = format!("{}/upstream/apple/callback?code=x&state=forged", house.issuer);
        let id = shown_id(&house.browser().open(&forged).await);
        let after = administration.latest_sign_ins(None, 10).await.expect("a list");
        assert_eq!(after, before);

        admin(&house, "ada", Role::Viewer).await;
        let (mut browser, _) = signed_in(&house, "ada").await;
        let list = browser.open(&format!("{}/admin/sign-ins", house.issuer)).await;
        assert!(!list.body.contains(&id), "{}", list.body);
        let found = browser.open(&format!("{}/admin/sign-ins?id={id}", house.issuer)).await;
        assert!(found.body.contains("belongs to no sign-in"), "{}", found.body);
        assert!(found.body.contains("unknown, expired"), "{}", found.body);
    });
}

/// The id on an error page.
fn shown_id(page: &Page) -> String {
    let (_, rest) = page.body.split_once("id=\"request-id\">").expect("an id");
    rest.split('<').next().unwrap().to_owned()
}

async fn steps(house: &House, id: &str) -> Vec<SignInStep> {
    let found = house.broker.broker.administration.sign_in_steps(id).await;
    found.unwrap_or_else(|error| panic!("{id}: {error}"))
}

#[tokio::test]
async fn a_forged_or_missing_state_is_refused() {
    let house = House::new().await;
    let callback = format!("{}/upstream/apple/callback", house.issuer);
    for form in
        ["state=forged&code=x&reposted=1", "code=x&reposted=1", "state=a&state=b&reposted=1"]
    {
        let request = house
            .http()
            .post(&callback)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 400, "{form}");
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"));
    }
}

#[tokio::test]
async fn an_answer_delivered_twice_signs_in_once() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let page = browser.open(&app.authorize_url(&app.attempt("openid"))).await;
    let choice = page.forms().into_iter().find(|form| form.text.contains("Ada")).unwrap();
    let posting = browser.submit(&page, &choice).await;
    let answer = posting.forms().remove(0);
    let first = browser.submit(&posting, &answer).await;
    let first = browser.run_scripts(first).await;
    assert!(first.query("code").is_some(), "{}", first.url);
    let second = browser.submit(&posting, &answer).await;
    let second = browser.run_scripts(second).await;
    assert_eq!(second.status, 400);
    assert_eq!(house.events("login.succeeded").await, 1);
}

#[tokio::test]
async fn the_address_in_the_user_field_is_never_believed() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let attempt = app.attempt("openid profile email");
    let page = browser.open(&app.authorize_url(&attempt)).await;
    let choice = page.forms().into_iter().find(|form| form.text.contains("Ada")).unwrap();
    let posting = browser.submit(&page, &choice).await;
    let mut answer = posting.forms().remove(0);
    for (name, value) in &mut answer.fields {
        if name == "user" {
            *value = r#"{"name":{"firstName":"Eve"},"email":"victim@example.com"}"#.to_owned();
        }
    }
    let end = browser.submit(&posting, &answer).await;
    let end = browser.run_scripts(end).await;
    let tokens = app.redeem(&attempt, &end.query("code").unwrap()).await;
    let userinfo = app.userinfo(tokens.text("access_token")).await;
    assert_eq!(userinfo.json["email"], "ada@example.com");
    assert_eq!(userinfo.json["name"], "Eve", "a name is display text, and theirs to choose");
}

#[tokio::test]
async fn two_tabs_do_not_disturb_each_other() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let (one, two) = (app.attempt("openid"), app.attempt("openid email"));
    let first = browser.open(&app.authorize_url(&one)).await;
    let second = browser.open(&app.authorize_url(&two)).await;
    let end_two = browser.press(&second, "Continue as Ada").await;
    let end_one = browser.press(&first, "Continue as Ada").await;
    for (attempt, end) in [(&one, end_one), (&two, end_two)] {
        assert_eq!(end.query("state").as_deref(), Some(attempt.state.as_str()));
        let tokens = app.redeem(attempt, &end.query("code").unwrap()).await;
        assert_eq!(claims(tokens.text("id_token"))["nonce"], attempt.nonce.as_str());
    }
}

#[tokio::test]
async fn the_apple_request_is_exactly_what_apple_wants() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let page = house.browser().open(&app.authorize_url(&app.attempt("openid"))).await;
    let query = page.url.query().unwrap();
    assert!(query.contains("scope=name%20email"), "{query}");
    assert!(query.contains("response_type=code%20id_token"), "{query}");
    assert!(query.contains("response_mode=form_post"), "{query}");
    assert!(!query.contains('+'), "{query}");
    assert!(page.query("nonce").is_some() && page.query("state").is_some());
}

#[tokio::test]
async fn a_journey_ends_after_half_an_hour() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let page = browser.open(&app.authorize_url(&app.attempt("openid"))).await;
    house.advance(Duration::from_secs(30 * 60));
    let end = browser.press(&page, "Continue as Ada").await;
    assert_eq!(end.status, 400);
}
