//! Change with safety: what a change touches is counted before it is saved, and of two admins who
//! change the same thing neither overwrites the other unawares — in the console and by scripts.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use russet::op::admin::settings::Settings;
use russet::op::admin::{Actor, ApiChange, ClientChange, NewApi};
use russet::protocol::admin::Role;
use russet::protocol::api_key::ApiScope;
use russet::protocol::client::ClientKind;
use russet::protocol::client_settings::ApiSettings;
use russet::protocol::event::Event;
use russet::protocol::id::ConnectionId;
use russet::protocol::jose::Algorithm;
use russet::store::living::Of;
use serde_json::json;

use crate::console::{admin, send, signed_in};
use crate::harness::House;
use crate::harness::app::answer;
use crate::on_each_engine;

#[actix_web::test]
async fn what_hangs_on_a_client_an_api_and_a_connection_is_counted() {
    on_each_engine!(house, {
        let identifier = "https://api.example/a_%!";
        let new = NewApi {
            identifier: identifier.to_owned(),
            name: "Odd".to_owned(),
            scopes: Vec::new(),
            access_token_ttl: None,
            signing_alg: None,
            settings: ApiSettings::default(),
        };
        let administration = &house.broker.broker.administration;
        administration.create_api(&Actor::cli(), new).await.expect("an API");
        let app = house
            .client(ClientKind::Web, |client| client.resources = vec![identifier.to_owned()])
            .await;
        house.client(ClientKind::Web, |_| {}).await;
        let mut browser = house.browser();
        app.tokens(&mut browser, "openid", "Ada Lovelace").await;
        let client = administration.find_client(&app.client.client_id).await.expect("a client");
        let on_client = administration.effects_on_client(&client).await.expect("counted");
        let living = on_client.living;
        assert_eq!((living.people, living.sessions, living.grants), (1, 1, 1));
        let on_api = administration.effects_on_api(identifier).await.expect("counted");
        assert_eq!((on_api.clients, on_api.living), (Some(1), living));
        let other = administration.effects_on_api("https://api.example/aXYZ!").await;
        let other = other.expect("counted");
        assert_eq!((other.clients, other.living.people), (Some(0), 0), "no pattern is made of it");
        let apple = ConnectionId::new("apple");
        let on_apple = administration.effects_on_connection(&apple).await.expect("counted");
        assert_eq!((on_apple.living.people, on_apple.living.sessions), (1, 1));
        let everybody = administration.count_living(&Of::Everybody).await.expect("counted");
        assert_eq!(everybody, living);
    });
}

#[actix_web::test]
async fn a_change_and_an_end_say_first_what_they_touch() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    let app = house.client(ClientKind::Web, |client| client.client_name = "Shop".into()).await;
    let mut browser = house.browser();
    app.tokens(&mut browser, "openid", "Ada Lovelace").await;
    let (mut alice, _) = signed_in(&house, "alice").await;
    let id = &app.client.client_id;
    for page in [
        format!("/clients/{id}/edit"),
        format!("/clients/{id}/disable"),
        format!("/clients/{id}/delete"),
    ] {
        let page = alice.open(&format!("{}/admin{page}", house.issuer)).await;
        let told = "It concerns 1 person, 1 live session, 1 app access.";
        assert!(page.body.contains(told), "{}: {}", page.url, page.body);
    }
    let page = alice.open(&format!("{}/admin/connections/apple/disable", house.issuer)).await;
    assert!(page.body.contains("It concerns 1 person"), "{}", page.body);
}

#[actix_web::test]
async fn a_shorter_retention_says_how_much_it_lets_go_and_is_saved_the_second_time() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    let event = Event::new(house.now(), "test.recorded", "system");
    let recorded = house.store().write(move |tx| Box::pin(async move { tx.record(&event).await }));
    recorded.await.expect("an event");
    house.advance(Duration::from_secs(40 * 24 * 3600));
    let (mut alice, _) = signed_in(&house, "alice").await;
    let page = alice.open(&format!("{}/admin/settings", house.issuer)).await;
    assert!(page.body.contains("1 console account has no second factor"), "{}", page.body);
    let days = [("audit_retention_days", "30")];
    let warned = send(&mut alice, &page, "settings-save", &days).await;
    assert!(warned.body.contains("older than 30 days"), "{}", warned.body);
    let administration = &house.broker.broker.administration;
    assert_eq!(administration.settings().await.expect("settings").0, Settings::default());
    let other = [("audit_retention_days", "20"), ("confirmed", "30")];
    let again = send(&mut alice, &warned, "settings-save", &other).await;
    assert!(again.body.contains("older than 20 days"), "what was told is what is meant");
    let meant = [("audit_retention_days", "30"), ("confirmed", "30")];
    let saved = send(&mut alice, &warned, "settings-save", &meant).await;
    assert!(saved.body.contains("Saved."), "{}", saved.body);
    assert_eq!(administration.settings().await.expect("settings").0.audit_retention_days, 30);

    let late = send(&mut alice, &page, "settings-save", &[("audit_retention_days", "60")]).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    let row = "<td class=\"lines\">30</td><td class=\"lines\">60</td>";
    assert!(late.body.contains(row), "{}", late.body);
    let forced = send(&mut alice, &late, "settings-save", &[("audit_retention_days", "60")]).await;
    assert!(forced.body.contains("Saved."), "{}", forced.body);
}

#[actix_web::test]
async fn of_two_who_change_an_api_the_second_sees_both_and_may_insist() {
    let house = House::new().await;
    admin(&house, "alice", Role::Admin).await;
    let orders = "https://orders.example";
    let identifier = house.api(orders, Algorithm::Rs256, &["orders:read"]).await.identifier;
    let (mut alice, _) = signed_in(&house, "alice").await;
    let url = format!("{}/admin/apis/edit?identifier=https%3A%2F%2Forders.example", house.issuer);
    let page = alice.open(&url).await;
    let change = ApiChange { name: Some("Theirs".to_owned()), ..ApiChange::default() };
    let administration = &house.broker.broker.administration;
    let bob = Actor::named("admin:bob", Role::Admin);
    administration.update_api(&bob, &identifier, change).await.expect("changed");
    let mine = [
        ("name", "Mine"),
        ("scopes", "orders:read"),
        ("access_token_ttl", "600"),
        ("signing_alg", "RS256"),
        ("access_token_format", "jwt"),
    ];
    let late = send(&mut alice, &page, "api-save", &mine).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.body.contains("<code>admin:bob</code> changed it"), "{}", late.body);
    let row = "<td class=\"lines\">Theirs</td><td class=\"lines\">Mine</td>";
    assert!(late.body.contains(row) && late.body.contains("value=\"Mine\""), "{}", late.body);
    let forced = send(&mut alice, &late, "api-save", &mine).await;
    assert!(forced.body.contains("Saved."), "{}", forced.body);
    assert_eq!(administration.find_api(&identifier).await.expect("an API").name, "Mine");
}

#[actix_web::test]
async fn a_script_that_saw_an_older_version_changes_nothing() {
    let house = House::new().await;
    let administration = &house.broker.broker.administration;
    let made = administration.create_api_key(&Actor::cli(), "t", ApiScope::ALL.to_vec(), 30).await;
    let key = made.expect("a key").1.expose().clone();
    let app = house.client(ClientKind::Web, |_| {}).await;
    house.api("https://orders.example", Algorithm::Rs256, &["orders:read"]).await;
    let id = app.client.client_id.clone();
    for (path, member) in [
        (format!("/clients/{id}"), "client_name"),
        ("/apis/https%3A%2F%2Forders.example".to_owned(), "name"),
    ] {
        let ask = |method: Method| {
            let url = format!("{}/admin/api/v1{path}", house.issuer);
            house.http().request(method, url).bearer_auth(&key)
        };
        let seen = answer(ask(Method::GET)).await;
        let tag = seen.headers["etag"].to_str().expect("text").to_owned();
        let patch = |tag: Option<&str>, name: &str| {
            let request = ask(Method::PATCH).json(&json!({ member: name }));
            tag.into_iter().fold(request, |request, tag| request.header("if-match", tag))
        };
        let blind = answer(patch(None, "Blind")).await;
        assert_eq!(blind.status, StatusCode::PRECONDITION_REQUIRED, "{path}");
        for odd in ["\"x\"", "W/\"1\"", "\"999\""] {
            let refused = answer(patch(Some(odd), "Odd")).await;
            assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED, "{path} {odd}");
        }
        let first = answer(patch(Some(&tag), "First")).await;
        assert_eq!(first.status, StatusCode::OK, "{path}");
        let late = answer(patch(Some(&tag), "Late")).await;
        assert_eq!(late.status, StatusCode::PRECONDITION_FAILED, "{path}");
        let stands = answer(ask(Method::GET)).await;
        assert_eq!(stands.json[member], "First", "{path}");
        assert_ne!(stands.headers["etag"], tag.as_str(), "{path}");
    }
    let change = ClientChange { version: Some(1), ..ClientChange::default() };
    assert!(administration.update_client(&Actor::cli(), &id, change).await.is_err());
}
