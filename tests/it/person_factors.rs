//! The second step of people who sign in with a password kept here: a password alone is not enough,
//! no code is good twice, tokens say what was proven, and a lost app is no lost account.

use std::time::Duration;

use reqwest::StatusCode;
use russet::op::admin::Actor;
use russet::protocol::client::ClientKind;
use russet::protocol::id::Holder;
use russet::protocol::totp::TotpSecret;
use russet::protocol::user::User;
use serde_json::{Value, json};

use crate::console::send;
use crate::harness::app::{App, Attempt, claims};
use crate::harness::browser::{Browser, Page};
use crate::harness::{Engine, House};
use crate::local_accounts::{PASSWORD, ada, house, sign_in};
use crate::second_factors::{app_of, code};

/// Somebody with a password, signed in, with codes set up on their own page.
struct Enrolled {
    house: House,
    app: App,
    browser: Browser,
    codes: TotpSecret,
    recovery: Vec<String>,
}

async fn enrolled(house: House) -> Enrolled {
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    sign_in(&app, &mut browser, &app.attempt("openid")).await;
    let page = browser.open(&format!("{}/account/second", house.issuer)).await;
    assert!(page.body.contains("Your password alone opens this account."), "{}", page.body);
    let (codes, recovery) = set_up(&house, &mut browser).await;
    // Its own code is spent by that.
    house.advance(Duration::from_secs(60));
    Enrolled { house, app, browser, codes, recovery }
}

/// Sets codes up for whoever is signed in; returns the app and the recovery codes.
pub async fn set_up(house: &House, browser: &mut Browser) -> (TotpSecret, Vec<String>) {
    let page = browser.open(&format!("{}/account/second/totp", house.issuer)).await;
    let codes = app_of(&page);
    let wrong = step(browser, &page, "totp-confirm", "000000").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let shown = step(browser, &page, "totp-confirm", &code(house, &codes)).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
    let recovery = recovery_codes(&shown);
    assert_eq!(recovery.len(), 10);
    (codes, recovery)
}

fn recovery_codes(page: &Page) -> Vec<String> {
    let (_, rest) = page.body.split_once("id=\"recovery-codes\"").expect("codes");
    let codes = rest.split_once('>').unwrap().1.split_once('<').unwrap().0;
    codes.lines().map(str::to_owned).collect()
}

/// Sends a form as it stands, with this code in it.
pub async fn step(browser: &mut Browser, page: &Page, button: &str, totp: &str) -> Page {
    let marker = format!("id=\"{button}\"");
    let mut form = page
        .forms()
        .into_iter()
        .find(|form| form.text.contains(&marker))
        .unwrap_or_else(|| panic!("no {button} at {}: {}", page.url, page.body));
    form.fields.retain(|(name, _)| name != "totp");
    form.fields.push(("totp".to_owned(), totp.to_owned()));
    browser.submit(page, &form).await
}

async fn id_token(app: &App, attempt: &Attempt, end: &Page) -> Value {
    let code = end.query("code").unwrap_or_else(|| panic!("no code at {}: {}", end.url, end.body));
    claims(app.redeem(attempt, &code).await.text("id_token"))
}

async fn user(house: &House) -> User {
    let account = house.store().find_local_account("ada").await.unwrap().expect("an account");
    house.store().find_user(&account.user_id).await.unwrap().expect("a person")
}

#[tokio::test]
async fn a_password_is_not_enough_a_code_counts_once_and_tokens_say_so() {
    for engine in Engine::all() {
        let local = [("RUSSET_LOCAL_ACCOUNTS__ENABLED", "true")];
        let house = House::configured_on(engine, &local).await;
        house.local_user(ada()).await;
        let Enrolled { house, app, codes, .. } = enrolled(house).await;
        let mut browser = house.browser();
        let attempt = app.attempt("openid");
        let asked = sign_in(&app, &mut browser, &attempt).await;
        assert!(asked.body.contains("id=\"second-submit\""), "{}", asked.body);
        assert!(browser.cookie("127.0.0.1", "russet_session").is_none());
        let wrong = step(&mut browser, &asked, "second-submit", "000000").await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
        assert_eq!(house.events("login.second_factor_failed").await, 1);
        let right = code(&house, &codes);
        let end = step(&mut browser, &wrong, "second-submit", &right).await;
        let told = id_token(&app, &attempt, &end).await;
        assert_eq!(told["amr"], json!(["pwd", "otp", "mfa"]));
        assert_eq!(told["acr"], "2");

        let mut again = house.browser();
        let asked = sign_in(&app, &mut again, &app.attempt("openid")).await;
        let used = step(&mut again, &asked, "second-submit", &right).await;
        assert_eq!(used.status, StatusCode::UNAUTHORIZED, "it was used");
        // What one browser typed is worth nothing in another, nor a quarter of an hour later.
        let mut thief = house.browser();
        thief.open(&app.authorize_url(&app.attempt("openid"))).await;
        house.advance(Duration::from_secs(60));
        let stolen = step(&mut thief, &asked, "second-submit", &code(&house, &codes)).await;
        assert_eq!(stolen.status, StatusCode::BAD_REQUEST);
        house.advance(Duration::from_secs(15 * 60));
        let late = step(&mut again, &asked, "second-submit", &code(&house, &codes)).await;
        assert!(late.body.contains("That took too long."), "{}", late.body);
    }
}

#[tokio::test]
async fn a_recovery_code_stands_in_once_and_guessing_stops() {
    let Enrolled { house, app, recovery, .. } = enrolled(house().await).await;
    let attempt = app.attempt("openid");
    for (round, expected) in [(1, StatusCode::OK), (2, StatusCode::UNAUTHORIZED)] {
        let mut browser = house.browser();
        let asked = sign_in(&app, &mut browser, &attempt).await;
        let end = step(&mut browser, &asked, "second-submit", &recovery[0]).await;
        if round == 1 {
            assert_eq!(id_token(&app, &attempt, &end).await["amr"], json!(["pwd", "mfa"]));
        } else {
            assert_eq!(end.status, expected);
        }
    }
    let mut browser = house.browser();
    let mut page = sign_in(&app, &mut browser, &app.attempt("openid")).await;
    for _ in 0..4 {
        page = step(&mut browser, &page, "second-submit", "000000").await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    }
    page = step(&mut browser, &page, "second-submit", "000000").await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    let right = step(&mut browser, &page, "second-submit", &recovery[1]).await;
    assert_eq!(right.status, StatusCode::TOO_MANY_REQUESTS, "not even the right one");
    house.advance(Duration::from_secs(15 * 60));
    let page = sign_in(&app, &mut browser, &app.attempt("openid")).await;
    let end = step(&mut browser, &page, "second-submit", &recovery[1]).await;
    assert!(end.query("code").is_some(), "{}", end.body);
}

#[tokio::test]
async fn where_it_is_required_it_is_set_up_on_the_way_and_stays() {
    let house = house().await;
    let administration = &house.broker.broker.administration;
    let (mut settings, version) = administration.settings().await.unwrap();
    settings.require_local_second_factor = true;
    administration.change_settings(&Actor::cli(), settings, version).await.unwrap();
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let attempt = app.attempt("openid");
    let page = sign_in(&app, &mut browser, &attempt).await;
    assert!(page.body.contains("A second step is required here."), "{}", page.body);
    let codes = app_of(&page);
    let wrong = step(&mut browser, &page, "totp-confirm", "000000").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(browser.cookie("127.0.0.1", "russet_session").is_none());
    let shown = step(&mut browser, &wrong, "totp-confirm", &code(&house, &codes)).await;
    assert_eq!(recovery_codes(&shown).len(), 10);
    let (_, next) = shown.body.split_once("id=\"codes-done\" href=\"").expect("a way on");
    let next = next.split_once('"').unwrap().0;
    let end = browser.open(&format!("{}{next}", house.issuer)).await;
    assert_eq!(id_token(&app, &attempt, &end).await["acr"], "2");

    let second = browser.open(&format!("{}/account/second", house.issuer)).await;
    let kept = browser.press(&second, "second-remove").await;
    assert!(kept.body.contains("cannot be removed"), "{}", kept.body);
    assert_eq!(house.events("user.totp_removed").await, 0);
}

#[tokio::test]
async fn a_request_for_two_factors_gets_them_from_whoever_has_them() {
    let Enrolled { house, app, mut browser, codes, .. } = enrolled(house().await).await;
    // This session was opened with a password alone.
    let attempt = app.attempt("openid").with("acr_values", "2");
    let silent = attempt.clone().with("prompt", "none");
    let end = browser.open(&app.authorize_url(&silent)).await;
    assert_eq!(id_token(&app, &silent, &end).await["acr"], "1", "a wish, and nobody to ask");
    let page = sign_in(&app, &mut browser, &attempt).await;
    let end = step(&mut browser, &page, "second-submit", &code(&house, &codes)).await;
    assert_eq!(id_token(&app, &attempt, &end).await["acr"], "2");
    let again = browser.open(&app.authorize_url(&attempt)).await;
    assert_eq!(id_token(&app, &attempt, &again).await["acr"], "2", "and is not asked twice");
}

#[tokio::test]
async fn an_essential_second_factor_is_set_up_by_whoever_has_none() {
    let house = house().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let wished = app.attempt("openid").with("acr_values", "2");
    let end = sign_in(&app, &mut browser, &wished).await;
    assert_eq!(id_token(&app, &wished, &end).await["acr"], "1", "a wish forces nobody");
    house.advance(Duration::from_secs(5));
    let essential = json!({ "id_token": { "acr": { "essential": true, "values": ["2"] } } });
    let attempt = app.attempt("openid").with("claims", &essential.to_string());
    let page = sign_in(&app, &mut browser, &attempt).await;
    let codes = app_of(&page);
    let shown = step(&mut browser, &page, "totp-confirm", &code(&house, &codes)).await;
    let (_, next) = shown.body.split_once("id=\"codes-done\" href=\"").expect("a way on");
    let next = next.split_once('"').unwrap().0;
    let end = browser.open(&format!("{}{next}", house.issuer)).await;
    assert_eq!(id_token(&app, &attempt, &end).await["acr"], "2");
}

#[tokio::test]
async fn it_is_renewed_and_removed_by_its_owner_and_wants_a_fresh_proof() {
    let Enrolled { house, app, mut browser, codes, recovery } = enrolled(house().await).await;
    let second = browser.open(&format!("{}/account/second", house.issuer)).await;
    let renewed = browser.press(&second, "second-renew").await;
    let fresh = recovery_codes(&renewed);
    assert!(fresh.iter().all(|code| !recovery.contains(code)));
    house.advance(Duration::from_secs(11 * 60));
    let refused = browser.press(&second, "second-remove").await;
    assert!(refused.url.path() == "/account/prove", "{}", refused.url);
    assert_eq!(house.events("user.totp_removed").await, 0);
    // A proof takes both.
    for (password, totp) in [(PASSWORD, "000000"), ("wrong", fresh[0].as_str()), (PASSWORD, "")] {
        let fields = [("next", "second"), ("password", password), ("totp", totp)];
        let wrong = send(&mut browser, &refused, "prove-submit", &fields).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    }
    let now = code(&house, &codes);
    let fields = [("next", "second"), ("password", PASSWORD), ("totp", now.as_str())];
    let second = send(&mut browser, &refused, "prove-submit", &fields).await;
    assert_eq!(second.url.path(), "/account/second");
    let done = browser.press(&second, "second-remove").await;
    assert!(done.body.contains("The second step is removed."), "{}", done.body);
    assert_eq!(house.events("user.totp_removed").await, 1);
    let mut another = house.browser();
    let end = sign_in(&app, &mut another, &app.attempt("openid")).await;
    assert!(end.query("code").is_some(), "the password alone does again");
}

#[tokio::test]
async fn an_admin_removes_it_for_somebody_who_lost_it_and_a_deletion_too() {
    let Enrolled { house, mut browser, .. } = enrolled(house().await).await;
    let person = user(&house).await;
    let holder = Holder::person(&person.id);
    let administration = &house.broker.broker.administration;
    administration.reset_person_factors(&Actor::cli(), &person.id).await.unwrap();
    assert!(!house.store().held_factors(&holder).await.unwrap().any());
    assert_eq!(house.events("user.factors_reset").await, 1);
    let again = administration.reset_person_factors(&Actor::cli(), &person.id).await;
    assert!(again.is_err(), "there is none any more");

    let page = browser.open(&format!("{}/account/second/totp", house.issuer)).await;
    let codes = app_of(&page);
    step(&mut browser, &page, "totp-confirm", &code(&house, &codes)).await;
    assert!(house.store().held_factors(&holder).await.unwrap().any());
    let id = person.id.clone();
    let gone = house.store().write(move |tx| Box::pin(async move { tx.delete_user(&id).await }));
    assert!(gone.await.unwrap());
    assert_eq!(house.store().held_factors(&holder).await.unwrap(), Default::default());
}
