//! Local accounts, and what OpenID Basic OP asks of claims and re-authentication: conformance B.1,
//! C.4, C.6, C.9 by number, C.D.

use std::time::Duration;

use russet::op::admin::{Actor, NewLocalUser};
use russet::protocol::client::ClientKind;
use russet::protocol::standard_claims::{Address, StandardClaims};
use serde_json::json;

use crate::harness::House;
use crate::harness::app::{App, Attempt, claims};
use crate::harness::browser::{Browser, Page};

pub const PASSWORD: &str = "the analytical engine";

pub async fn house() -> House {
    let house = House::configured(&[("RUSSET_LOCAL_ACCOUNTS__ENABLED", "true")]).await;
    house.local_user(ada()).await;
    house
}

pub fn ada() -> NewLocalUser {
    let text = |text: &str| Some(text.to_owned());
    NewLocalUser {
        username: "Ada".to_owned(),
        name: text("Ada Lovelace"),
        given_name: text("Ada"),
        family_name: text("Lovelace"),
        email: text("ada@example.com"),
        email_verified: true,
        claims: StandardClaims {
            middle_name: text("King"),
            nickname: text("Countess"),
            preferred_username: None,
            profile: text("https://example.com/ada"),
            picture: text("https://example.com/ada.png"),
            website: text("https://ada.example.com/"),
            gender: text("female"),
            birthdate: text("1815-12-10"),
            zoneinfo: text("Europe/London"),
            locale: text("en-GB"),
            phone_number: text("+44 20 7946 0000"),
            phone_number_verified: true,
            address: Some(Address {
                formatted: text("12 St James's Square\nLondon"),
                country: text("GB"),
                ..Address::default()
            }),
        },
    }
}

/// Fills the form in and goes on.
pub async fn type_in(browser: &mut Browser, page: &Page, username: &str, password: &str) -> Page {
    let mut form = page
        .forms()
        .into_iter()
        .find(|form| form.text.contains("id=\"login-submit\""))
        .unwrap_or_else(|| panic!("no sign-in form at {}: {}", page.url, page.body));
    for (name, value) in &mut form.fields {
        match name.as_str() {
            "username" => username.clone_into(value),
            "password" => password.clone_into(value),
            _ => {}
        }
    }
    browser.submit(page, &form).await
}

pub async fn sign_in(app: &App, browser: &mut Browser, attempt: &Attempt) -> Page {
    let page = browser.open(&app.authorize_url(attempt)).await;
    type_in(browser, &page, "ada", PASSWORD).await
}

async fn tokens(app: &App, browser: &mut Browser, attempt: &Attempt) -> serde_json::Value {
    let end = sign_in(app, browser, attempt).await;
    let code = end.query("code").unwrap_or_else(|| panic!("no code at {}", end.url));
    app.redeem(attempt, &code).await.json
}

#[tokio::test]
async fn the_form_is_plain_html_with_the_ids_that_automation_relies_on() {
    let house = house().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let attempt = app.attempt("openid").with("login_hint", "\"><b>grace");
    let page = browser.open(&app.authorize_url(&attempt)).await;
    assert_eq!(page.status, 200);
    for stable in [
        "id=\"username\"",
        "id=\"password\"",
        "id=\"login-submit\"",
        "id=\"login-cancel\"",
        "Sign in</h1>",
    ] {
        assert!(page.body.contains(stable), "{stable}: {}", page.body);
    }
    assert!(!page.body.contains("<script"), "nothing but HTML");
    assert!(!page.body.contains("<b>grace"), "the hint is text");
    let form = page.forms().remove(0);
    assert!(form.fields.contains(&("username".to_owned(), "\"><b>grace".to_owned())));
    let cancelled = browser.press(&page, "login-cancel").await;
    assert_eq!(cancelled.query("error").as_deref(), Some("access_denied"), "C.4.39");
    assert_eq!(cancelled.query("state").as_deref(), Some(attempt.state.as_str()));
}

#[tokio::test]
async fn c6_58_a_password_gives_pwd_and_class_1_and_no_profile_in_the_id_token() {
    let house = house().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let attempt = app.attempt("openid profile email address phone").with("acr_values", "1 2");
    let tokens = tokens(&app, &mut house.browser(), &attempt).await;
    let id_token = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(id_token["amr"], json!(["pwd"]));
    assert_eq!(id_token["acr"], "1");
    assert_eq!(id_token["auth_time"], house.now().secs());
    assert_eq!(id_token["nonce"], attempt.nonce);
    for claim in ["name", "email", "address", "phone_number", "updated_at"] {
        assert!(id_token.get(claim).is_none(), "{claim} is for userinfo");
    }
}

#[tokio::test]
async fn c9_73_c9_74_each_scope_tells_its_claims_well_typed_and_nothing_more() {
    let house = house().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let mut sub = None;
    let made_at = house.now().secs();
    for (scope, expected) in [
        ("openid", json!({})),
        ("openid email", json!({ "email": "ada@example.com", "email_verified": true })),
        (
            "openid phone",
            json!({ "phone_number": "+44 20 7946 0000", "phone_number_verified": true }),
        ),
        (
            "openid address",
            json!({ "address": {
                "formatted": "12 St James's Square\nLondon", "country": "GB" } }),
        ),
        (
            "openid profile",
            json!({
                "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace",
                "middle_name": "King", "nickname": "Countess", "preferred_username": "Ada",
                "profile": "https://example.com/ada", "picture": "https://example.com/ada.png",
                "website": "https://ada.example.com/", "gender": "female",
                "birthdate": "1815-12-10", "zoneinfo": "Europe/London", "locale": "en-GB",
                "updated_at": made_at,
            }),
        ),
    ] {
        house.advance(Duration::from_secs(2));
        let attempt = app.attempt(scope).with("prompt", "login");
        let tokens = tokens(&app, &mut browser, &attempt).await;
        let mut told = app.userinfo(tokens["access_token"].as_str().unwrap()).await.json;
        let told_sub = told.as_object_mut().unwrap().remove("sub").unwrap();
        assert_eq!(*sub.get_or_insert(told_sub.clone()), told_sub);
        assert_eq!(told, expected, "{scope}");
    }
}

#[tokio::test]
async fn c4_30_prompt_login_and_max_age_ask_for_the_password_again() {
    let house = house().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let first = tokens(&app, &mut browser, &app.attempt("openid")).await;
    let first = claims(first["id_token"].as_str().unwrap());
    let mut before = first["auth_time"].as_i64().unwrap();
    for (name, value) in [("prompt", "login"), ("max_age", "1"), ("max_age", "0")] {
        house.advance(Duration::from_secs(2));
        let attempt = app.attempt("openid").with(name, value);
        let again = tokens(&app, &mut browser, &attempt).await;
        let again = claims(again["id_token"].as_str().unwrap());
        assert!(again["auth_time"].as_i64().unwrap() > before, "{name}={value}");
        assert_eq!(again["sub"], first["sub"]);
        assert_eq!(again["sid"], first["sid"], "the same session goes on");
        before = again["auth_time"].as_i64().unwrap();
    }
    for (name, value) in [("max_age", "10000"), ("prompt", "none")] {
        house.advance(Duration::from_secs(2));
        let attempt = app.attempt("openid").with(name, value);
        let end = browser.open(&app.authorize_url(&attempt)).await;
        let silent = app.redeem(&attempt, &end.query("code").expect("silent")).await;
        assert_eq!(claims(silent.text("id_token"))["auth_time"], before, "{name}={value}");
    }
}

#[tokio::test]
async fn c4_32_hints_and_wishes_never_cause_an_error() {
    let house = house().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    for (name, value) in [
        ("display", "popup"),
        ("display", "page"),
        ("display", "hologram"),
        ("ui_locales", "se"),
        ("claims_locales", "se"),
        ("acr_values", "1 2"),
        ("acr_values", "urn:example:gold"),
        ("login_hint", "buffy@127.0.0.1"),
        ("extra", "foobar"),
    ] {
        let attempt = app.attempt("openid").with(name, value);
        let page = browser.open(&app.authorize_url(&attempt)).await;
        let end = if page.query("code").is_some() {
            page
        } else {
            type_in(&mut browser, &page, "ada", PASSWORD).await
        };
        assert!(end.query("code").is_some(), "{name}={value}: {}", end.url);
    }
}

#[tokio::test]
async fn c4_33_claims_are_told_where_they_were_asked_for() {
    let house = house().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let wanted = json!({
        "userinfo": { "name": { "essential": true }, "no_such_claim": null },
        "id_token": { "email": null, "auth_time": { "essential": true } },
    });
    let attempt = app.attempt("openid offline_access").with("claims", &wanted.to_string());
    let first = tokens(&app, &mut browser, &attempt).await;
    let refreshed = app.refresh(first["refresh_token"].as_str().unwrap()).await.json;
    for tokens in [first, refreshed] {
        let id_token = claims(tokens["id_token"].as_str().unwrap());
        assert_eq!(id_token["email"], "ada@example.com");
        assert!(id_token.get("name").is_none() && id_token.get("email_verified").is_none());
        let told = app.userinfo(tokens["access_token"].as_str().unwrap()).await.json;
        assert_eq!(told["name"], "Ada Lovelace");
        assert!(told.get("email").is_none() && told.get("no_such_claim").is_none());
    }
    // What the client is not registered for it does not get by name either.
    let modest = house.client(ClientKind::Web, |c| c.scope = vec!["openid".to_owned()]).await;
    let attempt = modest.attempt("openid").with("claims", &wanted.to_string());
    let end = browser.open(&modest.authorize_url(&attempt)).await;
    let tokens = modest.redeem(&attempt, &end.query("code").unwrap()).await;
    let told = modest.userinfo(tokens.text("access_token")).await.json;
    assert!(told.get("name").is_none(), "{told}");
    assert!(claims(tokens.text("id_token")).get("email").is_none());
    // Malformed is an error, and not silence.
    let attempt = app.attempt("openid").with("claims", "{");
    let end = browser.open(&app.authorize_url(&attempt)).await;
    assert_eq!(end.query("error").as_deref(), Some("invalid_request"));
}

#[tokio::test]
async fn claims_asked_for_by_name_are_consented_to_like_their_scope() {
    let house = house().await;
    let app = house.client(ClientKind::Web, |client| client.first_party = false).await;
    let mut browser = house.browser();
    let page = sign_in(&app, &mut browser, &app.attempt("openid")).await;
    browser.press(&page, "consent-allow").await;
    let wanted = r#"{"userinfo": {"phone_number": null}}"#;
    let attempt = app.attempt("openid").with("claims", wanted);
    let page = browser.open(&app.authorize_url(&attempt)).await;
    assert!(page.body.contains("See your phone number"), "{}", page.body);
    let end = browser.press(&page, "consent-allow").await;
    assert!(end.query("code").is_some());
    let silent = app.attempt("openid").with("claims", wanted).with("prompt", "none");
    let end = browser.open(&app.authorize_url(&silent)).await;
    assert!(end.query("code").is_some(), "remembered: {}", end.url);
}

#[tokio::test]
async fn an_essential_class_or_subject_that_is_not_reached_is_an_error() {
    let house = house().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let first = tokens(&app, &mut browser, &app.attempt("openid")).await;
    let sub = claims(first["id_token"].as_str().unwrap())["sub"].clone();
    let acr = |values: serde_json::Value| json!({ "id_token": { "acr": { "essential": true, "values": values } } });
    let subject = |sub: &str| json!({ "id_token": { "sub": { "value": sub } } });
    for (claims, expected) in [
        (acr(json!(["1"])), None),
        (acr(json!(["2"])), Some("unmet_authentication_requirements")),
        (subject(sub.as_str().unwrap()), None),
        (subject("somebody else"), Some("login_required")),
    ] {
        let attempt =
            app.attempt("openid").with("prompt", "none").with("claims", &claims.to_string());
        let end = browser.open(&app.authorize_url(&attempt)).await;
        assert_eq!(end.query("error").as_deref(), expected, "{claims}");
    }
    // With pages allowed the person may try, once.
    house.advance(Duration::from_secs(5));
    let gold = acr(json!(["urn:example:gold"])).to_string();
    let attempt = app.attempt("openid").with("claims", &gold);
    let end = sign_in(&app, &mut browser, &attempt).await;
    assert_eq!(end.query("error").as_deref(), Some("unmet_authentication_requirements"));
}

#[tokio::test]
async fn unknown_names_wrong_passwords_and_disabled_people_look_alike() {
    let house = house().await;
    let mallory = NewLocalUser { username: "mallory".to_owned(), ..NewLocalUser::default() };
    let mallory = house.local_user(mallory).await;
    let administration = &house.broker.broker.administration;
    administration.set_user_disabled(&Actor::cli(), &mallory.sub, true, None).await.unwrap();
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let page = browser.open(&app.authorize_url(&app.attempt("openid"))).await;
    let mut seen = Vec::new();
    for (username, password) in
        [("ada", "not the password"), ("nobody", PASSWORD), ("mallory", PASSWORD), ("", "")]
    {
        let again = type_in(&mut browser, &page, username, password).await;
        assert_eq!(again.status, 401, "{username}");
        assert!(again.body.contains("Wrong username or password."));
        assert!(!again.body.contains(password) || password.is_empty(), "no password comes back");
        seen.push(again.body.replace(&format!("value=\"{username}\""), "value=\"\""));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:#?}");
    let end = type_in(&mut browser, &page, " ADA ", PASSWORD).await;
    assert!(end.query("code").is_some(), "in any case: {}", end.url);
}

#[tokio::test]
async fn a_new_password_ends_what_was_signed_in_and_the_old_one_is_dead() {
    let house = house().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let tokens = tokens(&app, &mut browser, &app.attempt("openid")).await;
    let administration = &house.broker.broker.administration;
    let new = "another sentence of words";
    administration.reset_local_password(&Actor::cli(), "ADA", new.into()).await.unwrap();
    let dead = app.userinfo(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(dead.error(), "401 invalid_token");
    let page = browser.open(&app.authorize_url(&app.attempt("openid"))).await;
    let refused = type_in(&mut browser, &page, "ada", PASSWORD).await;
    assert_eq!(refused.status, 401);
    let end = type_in(&mut browser, &page, "ada", new).await;
    assert!(end.query("code").is_some());
}

#[tokio::test]
async fn without_local_accounts_there_is_no_form_and_no_door() {
    let house = House::new().await;
    house.local_user(ada()).await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    app.sign_in(&mut browser, &app.attempt("openid"), "Ada Lovelace").await;
    house.advance(Duration::from_secs(2));
    let again = app.attempt("openid").with("prompt", "login");
    let page = browser.open(&app.authorize_url(&again)).await;
    assert!(page.body.contains("Continue with Apple") && !page.body.contains("login-submit"));
    let door = format!("{}/local", page.url);
    let form = crate::harness::browser::Form {
        action: door.parse().unwrap(),
        fields: vec![
            ("username".to_owned(), "ada".to_owned()),
            ("password".to_owned(), PASSWORD.to_owned()),
        ],
        text: String::new(),
    };
    assert_eq!(browser.submit(&page, &form).await.status, 400);
    let metadata = house.metadata().await;
    assert!(metadata.get("acr_values_supported").is_none(), "{metadata}");
}

#[tokio::test]
async fn another_browser_cannot_sign_in_for_this_request() {
    let house = house().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let page = house.browser().open(&app.authorize_url(&app.attempt("openid"))).await;
    let stranger = type_in(&mut house.browser(), &page, "ada", PASSWORD).await;
    assert_eq!(stranger.status, 400);
}
