//! Trying a client with a key of the admin API, from the link to the tokens' parts.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use russet::op::admin::Actor;
use russet::protocol::api_key::ApiScope;
use russet::protocol::client::ClientKind;
use russet::protocol::jose::Algorithm;
use russet::store::living::Of;
use serde_json::{Value, json};

use crate::admin_api::{ask, key, request};
use crate::deletion::completed_in_time;
use crate::device::PACE;
use crate::harness::House;
use crate::harness::app::{Answer, answer};
use crate::on_each_engine;

const TRYING: [ApiScope; 3] = [ApiScope::ReadUsers, ApiScope::WriteClients, ApiScope::ReadClients];

async fn begin(house: &House, key: &str, id: &str, body: Value) -> Answer {
    ask(house, key, Method::POST, &format!("/clients/{id}/trials"), Some(body)).await
}

async fn look(house: &House, key: &str, trial: &Answer) -> Answer {
    let path = format!("/clients/{}/trials/{}", trial.text("client_id"), trial.text("id"));
    ask(house, key, Method::GET, &path, None).await
}

async fn grants_alive(house: &House) -> u64 {
    let administration = &house.broker.broker.administration;
    administration.count_living(&Of::Everybody).await.expect("a count").grants
}

fn checks_hold(answer: &Answer) {
    let checks = answer.json["checks"].as_array().expect("checks");
    assert!(!checks.is_empty() && checks.iter().all(|one| one["holds"] == true), "{checks:?}");
}

#[actix_web::test]
async fn whoever_follows_the_link_signs_in_and_the_key_alone_is_told() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let script = key(&house, &TRYING).await;
        let begun = begin(&house, &script, app.client_id(), json!({})).await;
        assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.json);
        assert!(begun.headers["location"].to_str().expect("text").ends_with(begun.text("id")));
        let link = begun.text("uri").to_owned();

        let mut person = house.browser();
        let page = person.open(&link).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        assert!(page.body.contains("id=\"try-warning\""), "{}", page.body);
        assert_eq!(look(&house, &script, &begun).await.text("state"), "waiting");
        let apple = person.press(&page, "try-continue").await;
        let end = person.press(&apple, "Continue as Ada Lovelace").await;
        assert!(end.url.path().ends_with("/try/done"), "{}: {}", end.url, end.body);

        let told = look(&house, &script, &begun).await;
        assert_eq!(told.text("state"), "tried", "{}", told.json);
        checks_hold(&told);
        assert_eq!(told.json["userinfo"]["sub"], told.json["id_token"]["claims"]["sub"]);
        assert!(told.json.get("uri").is_none());
        let text = told.json.to_string();
        assert!(text.contains("Ada Lovelace") && !text.contains("eyJ"), "no token as issued");
        assert_eq!(grants_alive(&house).await, 0, "what it was given is taken back");
        assert_eq!(house.events("client.tried").await, 1);

        let other = key(&house, &TRYING).await;
        assert_eq!(look(&house, &other, &begun).await.status, StatusCode::NOT_FOUND);
        let again = person.open(&link).await;
        assert_eq!(again.status, StatusCode::BAD_REQUEST, "a link is followed once");
        house.advance(Duration::from_secs(3601));
        assert_eq!(look(&house, &script, &begun).await.status, StatusCode::NOT_FOUND);
    });
}

#[actix_web::test]
async fn a_link_is_followed_by_nobody_elses_form_and_counts_in_its_own_browser() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let script = key(&house, &TRYING).await;
    let begun = begin(&house, &script, app.client_id(), json!({})).await;
    let link = begun.text("uri").to_owned();
    // Another site's form brings no cookie along: the page is shown, and nothing has begun.
    let bare = house.http().post(&link).send().await.expect("an answer");
    assert_eq!(bare.status(), StatusCode::SEE_OTHER);
    assert!(bare.headers()["location"].to_str().expect("text").ends_with(begun.text("id")));

    let mut person = house.browser();
    let page = person.open(&link).await;
    let apple = person.press(&page, "try-continue").await;
    let over = house.browser().open(&link).await;
    assert_eq!(over.status, StatusCode::BAD_REQUEST);
    let cancelled = person.press(&apple, "Cancel").await;
    assert!(cancelled.url.path().ends_with("/try/done"), "{}", cancelled.body);
    let told = look(&house, &script, &begun).await;
    assert_eq!((told.text("state"), told.text("error")), ("refused", "access_denied"));

    let stray = house.browser().open(&format!("{}/try?code=x&state=y", house.issuer)).await;
    assert_eq!(stray.status, StatusCode::BAD_REQUEST);
    let attempt = app.attempt("openid").with("redirect_uri", &format!("{}/try", house.issuer));
    let refused = person.open(&app.authorize_url(&attempt)).await;
    assert!(refused.body.contains("redirect_uri is not registered"), "{}", refused.body);
}

#[actix_web::test]
async fn a_key_that_is_revoked_meanwhile_is_told_nothing() {
    let house = House::new().await;
    let app = house.client(ClientKind::Spa, |_| {}).await;
    let administration = &house.broker.broker.administration;
    let made = administration.create_api_key(&Actor::cli(), "t", TRYING.to_vec(), 30).await;
    let (row, secret) = made.expect("a key");
    let begun = begin(&house, secret.expose(), app.client_id(), json!({})).await;
    let mut person = house.browser();
    let page = person.open(begun.text("uri")).await;
    let apple = person.press(&page, "try-continue").await;
    administration.revoke_api_key(&Actor::cli(), &row.id).await.expect("revoked");
    let end = person.press(&apple, "Continue as Ada Lovelace").await;
    assert_eq!(end.status, StatusCode::BAD_REQUEST, "{}", end.body);
    assert_eq!(house.events("client.tried").await, 0);
}

#[actix_web::test]
async fn a_service_is_tried_at_once_and_an_app_wants_a_key_that_reads_people() {
    let house = House::new().await;
    let api = house.api("https://api.example.com", Algorithm::Rs256, &["read"]).await;
    let app = house
        .client(ClientKind::Machine, |client| {
            client.resources = vec![api.identifier.clone()];
            client.default_resource = Some(api.identifier.clone());
        })
        .await;
    let less = key(&house, &[ApiScope::WriteClients]).await;
    let path = format!("/clients/{}/trials", app.client_id());
    let asked = request(&house, &less, Method::POST, &path).header("idempotency-key", "once");
    let told = answer(asked.json(&json!({ "scope": "read" }))).await;
    assert_eq!((told.status, told.text("state")), (StatusCode::CREATED, "tried"), "{}", told.json);
    checks_hold(&told);
    let claims = &told.json["access_token"]["claims"];
    assert_eq!(claims["scope"], "read");
    let jti = claims["jti"].as_str().expect("a jti");
    assert!(house.store().is_jti_revoked(jti).await.expect("an answer"));
    let asked = request(&house, &less, Method::POST, &path).header("idempotency-key", "once");
    let again = answer(asked.json(&json!({ "scope": "read" }))).await;
    assert_eq!(again.text("id"), told.text("id"), "done once");
    assert_eq!(house.events("client.tried").await, 1);

    let web = house.client(ClientKind::Web, |_| {}).await;
    let refused = begin(&house, &less, web.client_id(), json!({})).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text("detail").contains("users:read"), "{}", refused.json);
    let reader = key(&house, &[ApiScope::ReadUsers, ApiScope::ReadClients]).await;
    let refused = begin(&house, &reader, web.client_id(), json!({})).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let script = key(&house, &TRYING).await;
    let wrong = json!({ "resource": ["https://nowhere.example"] });
    let refused = begin(&house, &script, web.client_id(), wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text("detail").contains("invalid_target"), "{}", refused.json);
    let nobody = begin(&house, &script, "nobody", json!({})).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn a_device_is_tried_by_its_code_and_what_is_told_of_a_person_goes_with_them() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Device, |_| {}).await;
        let script = key(&house, ApiScope::ALL).await;
        let begun = begin(&house, &script, app.client_id(), json!({})).await;
        assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.json);
        house.advance(PACE);
        assert_eq!(look(&house, &script, &begun).await.text("state"), "waiting");
        let mut phone = house.browser();
        let page = phone.open(begun.text("verification_uri_complete")).await;
        let apple = phone.press(&page, "Continue").await;
        let question = phone.press(&apple, "Continue as Ada Lovelace").await;
        phone.press(&question, "device-allow").await;
        house.advance(PACE * 4);
        let told = look(&house, &script, &begun).await;
        assert_eq!(told.text("state"), "tried", "{}", told.json);
        checks_hold(&told);
        let again = look(&house, &script, &begun).await;
        assert_eq!(again.json, told.json, "it may be read again");
        assert_eq!((house.events("client.tried").await, grants_alive(&house).await), (1, 0));

        let sub = told.json["id_token"]["claims"]["sub"].as_str().expect("a sub").to_owned();
        let path = format!("/users/{sub}");
        let enable = || {
            let enable = request(&house, &script, Method::PATCH, &path).header("if-match", "*");
            answer(enable.header("idempotency-key", "enable").json(&json!({ "disabled": false })))
        };
        let first = enable().await;
        assert!(first.status.is_success() && first.json.to_string().contains("Ada"));
        assert_eq!(enable().await.headers["idempotency-replayed"], "true");
        let gone = ask(&house, &script, Method::DELETE, &path, None).await;
        assert!(gone.status.is_success(), "{}", gone.json);
        completed_in_time(&house, gone.text("id")).await;
        assert_eq!(enable().await.status, StatusCode::NOT_FOUND, "nothing is repeated of them");
        assert_eq!(look(&house, &script, &begun).await.status, StatusCode::NOT_FOUND);
    });
}
