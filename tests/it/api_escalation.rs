//! Keys of the admin API that make keys and console accounts: none hands out more than it has.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use russet::op::admin::{Actor, NewAdmin};
use russet::protocol::admin::Role;
use russet::protocol::api_key::ApiScope;
use serde_json::{Value, json};

use crate::admin_api::{ask, key, request};
use crate::connections::same_team;
use crate::console::admin;
use crate::harness::House;
use crate::harness::app::{Answer, answer};
use crate::on_each_engine;

async fn make(house: &House, key: &str, scope: &[ApiScope], days: u32) -> Answer {
    let new = json!({ "name": "made", "scope": scope, "days": days });
    ask(house, key, Method::POST, "/api-keys", Some(new)).await
}

async fn status(house: &House, key: &str) -> StatusCode {
    ask(house, key, Method::GET, "/clients", None).await.status
}

#[actix_web::test]
async fn a_key_makes_no_key_that_reaches_further_or_lives_longer() {
    let house = House::new().await;
    let own = [ApiScope::CriticalApiKeys, ApiScope::ReadApiKeys, ApiScope::ReadClients];
    let maker = key(&house, &own).await;
    let further = make(&house, &maker, &[ApiScope::ReadClients, ApiScope::WriteClients], 1).await;
    assert_eq!(further.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(further.json["errors"][0]["field"], "scope", "{}", further.json);
    // The maker was made for thirty days.
    let longer = make(&house, &maker, &[ApiScope::ReadClients], 366).await;
    let end = house.now().plus(Duration::from_secs(30 * 24 * 3600));
    assert_eq!(longer.json["expires_at"], end.secs(), "{}", longer.json);
    let made = make(&house, &maker, &own, 30).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.json);
    assert!(made.text("secret").starts_with("russet_api_"));
    let id = made.text("id").to_owned();
    let shown = ask(&house, &maker, Method::GET, &format!("/api-keys/{id}"), None).await;
    assert!(shown.json.get("secret").is_none(), "told once");
    assert!(shown.text("created_by").starts_with("api_key:"));
    let listed = ask(&house, &maker, Method::GET, "/api-keys", None).await;
    assert!(!listed.json.to_string().contains(made.text("secret")));
}

#[actix_web::test]
async fn with_a_key_go_those_that_were_made_by_it() {
    on_each_engine!(house, {
        let own = [ApiScope::CriticalApiKeys, ApiScope::ReadClients];
        let administration = &house.broker.broker.administration;
        let first = administration.create_api_key(&Actor::cli(), "first", own.to_vec(), 30).await;
        let (first, secret) = first.expect("a key");
        let second = make(&house, secret.expose(), &own, 30).await;
        let third = make(&house, second.text("secret"), &[ApiScope::ReadClients], 30).await;
        let other = key(&house, &own).await;
        assert_eq!(status(&house, third.text("secret")).await, StatusCode::OK);
        let path = format!("/api-keys/{}", first.id);
        let gone = ask(&house, &other, Method::DELETE, &path, None).await;
        assert_eq!(gone.status, StatusCode::NO_CONTENT);
        for secret in [secret.expose(), second.text("secret"), third.text("secret")] {
            assert_eq!(status(&house, secret).await, StatusCode::UNAUTHORIZED);
        }
        assert_eq!(status(&house, &other).await, StatusCode::OK, "nobody made it");
        assert_eq!(house.events("api_key.revoked").await, 3);
        let again = ask(&house, &other, Method::DELETE, &path, None).await;
        assert_eq!(again.status, StatusCode::NOT_FOUND);
    });
}

#[actix_web::test]
async fn a_key_gives_and_touches_no_role_that_it_does_not_hold() {
    let house = House::new().await;
    admin(&house, "olga", Role::Owner).await;
    let mut scope = ApiScope::of_role(Role::Viewer);
    scope.push(ApiScope::CriticalAdmins);
    let lesser = key(&house, &scope).await;
    let new = |username: &str, role: Role| json!({ "username": username, "role": role });
    for (role, allowed) in [
        (Role::Viewer, StatusCode::CREATED),
        (Role::Editor, StatusCode::FORBIDDEN),
        (Role::Admin, StatusCode::FORBIDDEN),
        (Role::Owner, StatusCode::FORBIDDEN),
    ] {
        let made = ask(&house, &lesser, Method::POST, "/admins", Some(new("a", role))).await;
        assert_eq!(made.status, allowed, "{role:?}: {}", made.json);
    }
    let patch = |key: &str, username: &str, body: Value| {
        let path = format!("/admins/{username}");
        answer(request(&house, key, Method::PATCH, &path).header("if-match", "*").json(&body))
    };
    for (username, change) in [
        ("a", json!({ "role": "owner" })),
        ("olga", json!({ "password": "a password of theirs" })),
        ("olga", json!({ "disabled": true })),
        ("olga", json!({ "role": "viewer" })),
    ] {
        let refused = patch(&lesser, username, change.clone()).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{change}");
    }
    for (method, path) in [
        (Method::DELETE, "/admins/olga/factors"),
        (Method::DELETE, "/admins/olga/identities/apple"),
    ] {
        let refused = ask(&house, &lesser, method, path, None).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
    }
    let own = patch(&lesser, "a", json!({ "disabled": true })).await;
    assert_eq!((own.status, &own.json["disabled"]), (StatusCode::OK, &json!(true)));
    let greatest = key(&house, ApiScope::ALL).await;
    let owner = patch(&greatest, "a", json!({ "role": "owner", "disabled": false })).await;
    assert_eq!(owner.text("role"), "owner", "{}", owner.json);
}

#[actix_web::test]
async fn a_key_opens_no_way_into_the_console() {
    let house = House::new().await;
    let administration = &house.broker.broker.administration;
    let mallory = NewAdmin { username: "mallory".to_owned(), role: Role::Owner, password: None };
    administration.create_admin(&Actor::cli(), mallory).await.expect("an account");
    administration.create_connection(&Actor::cli(), same_team(&house, "work")).await.expect("made");
    let lesser: Vec<_> =
        ApiScope::ALL.iter().copied().filter(|s| *s != ApiScope::ReadClients).collect();
    let lesser = key(&house, &lesser).await;
    let greatest = key(&house, ApiScope::ALL).await;
    let patch = |key: &str, path: &str, body: Value| {
        answer(request(&house, key, Method::PATCH, path).header("if-match", "*").json(&body))
    };
    let opens = json!({ "console_connections": ["work"] });
    let refused = patch(&lesser, "/settings", opens.clone()).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.json);
    let other = patch(&lesser, "/settings", json!({ "audit_retention_days": 400 })).await;
    assert_eq!(other.status, StatusCode::OK, "{}", other.json);
    let done = patch(&greatest, "/settings", opens).await;
    assert_eq!(done.json["console_connections"], json!(["work"]), "{}", done.json);
    // Whoever may point it elsewhere could come in as anybody.
    let moved = json!({ "display_name": "Work" });
    let refused = patch(&lesser, "/connections/work", moved.clone()).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.json);
    assert_eq!(patch(&greatest, "/connections/work", moved).await.status, StatusCode::OK);
    let invited = |key: String| async move {
        ask(&house, &key, Method::POST, "/admins/mallory/invitations", None).await
    };
    assert_eq!(invited(lesser).await.status, StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn what_wants_more_than_the_scope_of_its_route_is_refused_without_it() {
    let house = House::new().await;
    let writes = [ApiScope::WriteClients, ApiScope::WriteUsers, ApiScope::WriteConnections];
    let lesser = key(&house, &writes).await;
    for (path, body) in [
        ("/clients/x", json!({ "disabled": true })),
        ("/users/x", json!({ "disabled": true })),
        ("/connections/apple", json!({ "display_name": "Apples" })),
        ("/connections/apple", json!({ "enabled": false, "private_key": "x" })),
    ] {
        let asked = request(&house, &lesser, Method::PATCH, path).header("if-match", "*");
        let refused = answer(asked.json(&body)).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path} {body}");
        assert!(refused.text("detail").ends_with(":critical."), "{}", refused.json);
    }
    let new = json!({ "kind": "machine", "client_name": "Job", "disabled": true });
    let refused = ask(&house, &lesser, Method::POST, "/clients", Some(new)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}
