//! Shared signals: RFC 8417 tokens with RISC and CAEP events, pushed as RFC 8935 says.

use std::time::Duration;

use russet::op::admin::{Actor, AdminError};
use russet::protocol::client::{Client, ClientKind};
use russet::protocol::delivery::{Delivery, DeliveryState};
use russet::protocol::secret::SecretString;
use russet::protocol::security_event::EventType;
use russet::store::outbox::DeliveryQuery;
use serde_json::json;

use crate::harness::House;
use crate::harness::app::{App, claims};
use crate::harness::receiver::{Receiver, eventually, verified};
use crate::on_each_engine;

const ADA: &str = "Ada Lovelace";

fn hears(receiver: &Receiver, types: &[EventType]) -> impl FnOnce(&mut Client) {
    let endpoint = receiver.url("/events");
    let types: Vec<String> = types.iter().map(|t| t.uri().to_owned()).collect();
    move |client| {
        client.settings.security_events_endpoint = Some(endpoint);
        client.settings.security_events_requested = (!types.is_empty()).then_some(types);
    }
}

async fn sub_of(house: &House, app: &App) -> String {
    let tokens = app.tokens(&mut house.browser(), "openid", ADA).await;
    claims(tokens.text("id_token"))["sub"].as_str().unwrap().to_owned()
}

async fn disable(house: &House, sub: &str, disabled: bool) {
    let administration = &house.broker.broker.administration;
    administration.set_user_disabled(&Actor::cli(), sub, disabled, None).await.unwrap();
}

async fn deliveries(house: &House) -> Vec<Delivery> {
    let query = DeliveryQuery { limit: 100, ..DeliveryQuery::default() };
    house.store().list_deliveries(&query).await.unwrap()
}

#[tokio::test]
async fn an_event_is_pushed_signed_with_the_bearer_that_the_receiver_wants() {
    on_each_engine!(house, {
        let mut receiver = Receiver::start();
        receiver.answer(202, "");
        let wanted = [EventType::AccountDisabled, EventType::AccountEnabled];
        let app = house.client(ClientKind::Web, hears(&receiver, &wanted)).await;
        let administration = &house.broker.broker.administration;
        let bearer = SecretString::from("let-me-in");
        let id = &app.client.client_id;
        administration.set_event_bearer(&Actor::cli(), id, Some(&bearer)).await.unwrap();
        let sub = sub_of(&house, &app).await;
        disable(&house, &sub, true).await;
        let received = receiver.next().await;
        assert_eq!(received.header("authorization"), Some("Bearer let-me-in"));
        assert_eq!(received.header("content-type"), Some("application/secevent+jwt"));
        assert_eq!(received.header("accept"), Some("application/json"));
        let (header, token) = verified(&house, &received.body).await;
        assert_eq!(header["typ"], "secevent+jwt");
        assert_eq!(token["iss"], house.issuer);
        assert_eq!(token["aud"], app.client_id());
        assert_eq!(token["events"], json!({ EventType::AccountDisabled.uri(): {} }));
        let subject = json!({ "format": "iss_sub", "iss": house.issuer, "sub": sub });
        assert_eq!(token["sub_id"], subject);
        for absent in ["sub", "exp", "nonce"] {
            assert!(token.get(absent).is_none(), "{absent}");
        }
        disable(&house, &sub, false).await;
        let enabled = claims(&receiver.next().await.body);
        assert!(enabled["events"].get(EventType::AccountEnabled.uri()).is_some());
        assert!(receiver.is_quiet(), "what was not asked for is not sent");
        // The bearer stands nowhere in the open.
        let shown = russet::op::admin::metadata::client_metadata(&app.client).to_string();
        assert!(!shown.contains("let-me-in"));
        for entry in std::fs::read_dir(house.database_directory()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(9).any(|window| window == b"let-me-in"));
        }
    });
}

#[tokio::test]
async fn a_retry_is_the_same_event_and_what_is_refused_for_ever_is_not_tried_again() {
    on_each_engine!(house, {
        let mut receiver = Receiver::start();
        receiver.answer(400, r#"{"err":"authentication_failed","description":"who?"}"#);
        let app = house.client(ClientKind::Web, hears(&receiver, &[EventType::AccountDisabled]));
        let app = app.await;
        let sub = sub_of(&house, &app).await;
        disable(&house, &sub, true).await;
        let first = claims(&receiver.next().await.body);
        eventually(|| async {
            let row = deliveries(&house).await.remove(0);
            (row.last_error.as_deref() == Some("refused: authentication_failed")).then_some(())
        })
        .await;
        receiver.answer(400, r#"{"err":"invalid_audience"}"#);
        house.advance(Duration::from_secs(10));
        let second = claims(&receiver.next().await.body);
        assert_eq!(first, second, "the same token, so that it is counted once");
        let row = eventually(|| async {
            let row = deliveries(&house).await.remove(0);
            (row.state == DeliveryState::Failed).then_some(row)
        })
        .await;
        assert_eq!(row.last_error.as_deref(), Some("refused: invalid_audience"));
        assert_eq!(row.attempts, 2);
    });
}

#[tokio::test]
async fn a_sign_out_is_a_session_revoked_with_the_session_named() {
    let house = House::new().await;
    let mut receiver = Receiver::start();
    let app = house.client(ClientKind::Web, hears(&receiver, &[])).await;
    let deaf = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let tokens = app.tokens(&mut browser, "openid", ADA).await;
    deaf.tokens(&mut browser, "openid", ADA).await;
    let id_token = claims(tokens.text("id_token"));
    let hint = tokens.text("id_token");
    browser.open(&format!("{}/logout?id_token_hint={hint}", house.issuer)).await;
    let token = claims(&receiver.next().await.body);
    let body = &token["events"][EventType::SessionRevoked.uri()];
    assert_eq!(body["initiating_entity"], "user");
    assert_eq!(body["event_timestamp"], house.now().secs());
    assert_eq!(token["sub_id"]["format"], "complex");
    assert_eq!(token["sub_id"]["user"]["sub"], id_token["sub"]);
    assert_eq!(token["sub_id"]["session"]["id"], id_token["sid"]);
    assert_eq!(deliveries(&house).await.len(), 1);
}

#[tokio::test]
async fn a_bearer_that_cannot_stand_in_a_header_is_refused() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let administration = &house.broker.broker.administration;
    for bad in ["", "two words", "line\nbreak", "ümlaut"] {
        let bearer = SecretString::from(bad);
        let id = &app.client.client_id;
        let set = administration.set_event_bearer(&Actor::cli(), id, Some(&bearer)).await;
        assert!(matches!(set, Err(AdminError::Invalid(_))), "{bad:?}");
    }
    let nobody = russet::protocol::id::ClientId::new("nobody");
    let good = SecretString::from("good");
    let set = administration.set_event_bearer(&Actor::cli(), &nobody, Some(&good)).await;
    assert!(matches!(set, Err(AdminError::NotFound)));
}

async fn at_apple(house: &House, path: &str, body: serde_json::Value) {
    let url = format!("{}/_sim/{path}", house.apple.issuer());
    let response = house.http().post(url).json(&body).send().await.unwrap();
    assert!(response.status().is_success(), "{path}");
}

#[tokio::test]
async fn what_apple_takes_back_is_told_as_session_and_credential() {
    on_each_engine!(house, {
        let mut receiver = Receiver::start();
        let types = [EventType::SessionRevoked, EventType::CredentialChange];
        let app = house.client(ClientKind::Web, hears(&receiver, &types)).await;
        let sub = sub_of(&house, &app).await;
        at_apple(&house, "stop-using", json!({ "account": "ada" })).await;
        house.advance(Duration::from_secs(25 * 3600));
        house.broker.broker.provider.daily_check("test").await.unwrap();
        let mut told = std::collections::BTreeMap::new();
        for _ in 0..2 {
            let token = claims(&receiver.next().await.body);
            let (uri, body) = token["events"].as_object().unwrap().iter().next().unwrap();
            told.insert(uri.clone(), body.clone());
            let subject = &token["sub_id"];
            let person = subject.get("user").unwrap_or(subject);
            assert_eq!(person["sub"], sub.as_str());
        }
        assert_eq!(told[EventType::SessionRevoked.uri()]["initiating_entity"], "policy");
        let credential = &told[EventType::CredentialChange.uri()];
        assert_eq!(credential["credential_type"], "x-apple");
        assert_eq!(credential["change_type"], "revoke");
    });
}

#[tokio::test]
async fn a_new_address_is_news_for_those_who_may_see_it() {
    let house = House::new().await;
    let (mut may_see, mut may_not) = (Receiver::start(), Receiver::start());
    let types = [EventType::IdentifierChanged];
    let app = house.client(ClientKind::Web, hears(&may_see, &types)).await;
    let hear = hears(&may_not, &types);
    let other = house
        .client(ClientKind::Web, |client| {
            hear(client);
            client.scope.retain(|scope| scope != "email");
        })
        .await;
    sub_of(&house, &app).await;
    sub_of(&house, &other).await;
    let url = format!("{}/_sim/accounts", house.apple.issuer());
    let accounts: serde_json::Value =
        house.http().get(url).send().await.unwrap().json().await.unwrap();
    let find = |account: &&serde_json::Value| account["id"] == "ada";
    let mut ada = accounts.as_array().unwrap().iter().find(find).unwrap().clone();
    ada["email"] = json!("countess@example.com");
    at_apple(&house, "accounts", ada).await;
    sub_of(&house, &app).await;
    let token = claims(&may_see.next().await.body);
    assert_eq!(token["events"], json!({ EventType::IdentifierChanged.uri(): {} }));
    assert!(!token.to_string().contains("countess"), "the address is asked for at userinfo");
    assert_eq!(deliveries(&house).await.len(), 1);
    assert!(may_not.is_quiet());
}
