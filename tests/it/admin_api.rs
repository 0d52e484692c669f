//! The admin API: keys with scopes and an end, lost updates, repeated requests, and the document.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use russet::op::admin::Actor;
use russet::protocol::admin::Role;
use russet::protocol::api_key::ApiScope;
use russet::protocol::jose::Algorithm;
use russet::web::api::ROUTES;
use serde_json::{Value, json};

use crate::console::{admin, send, signed_in};
use crate::harness::House;
use crate::harness::app::{Answer, answer};

pub async fn key(house: &House, scope: &[ApiScope]) -> String {
    let administration = &house.broker.broker.administration;
    let made = administration.create_api_key(&Actor::cli(), "test", scope.to_vec(), 30).await;
    made.expect("a key").1.expose().clone()
}

pub fn request(house: &House, key: &str, method: Method, path: &str) -> reqwest::RequestBuilder {
    let url = format!("{}/admin/api/v1{path}", house.issuer);
    house.http().request(method, url).bearer_auth(key)
}

pub async fn ask(
    house: &House,
    key: &str,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Answer {
    let request = request(house, key, method, path);
    answer(body.into_iter().fold(request, |request, body| request.json(&body))).await
}

pub fn etag(answer: &Answer) -> String {
    answer.headers["etag"].to_str().expect("text").to_owned()
}

#[actix_web::test]
async fn a_client_is_registered_changed_and_deleted() {
    let house = House::new().await;
    let scope = [ApiScope::ReadClients, ApiScope::WriteClients, ApiScope::CriticalClients];
    let key = key(&house, &scope).await;
    let new = json!({
        "kind": "web",
        "client_name": "Shop",
        "redirect_uris": ["https://shop.example/cb"],
    });
    let made = ask(&house, &key, Method::POST, "/clients", Some(new)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.json);
    let id = made.text("client_id").to_owned();
    assert!(!made.text("client_secret").is_empty());
    let shown = ask(&house, &key, Method::GET, &format!("/clients/{id}"), None).await;
    assert!(shown.json.get("client_secret").is_none());
    assert_eq!(etag(&shown), "\"1\"");

    let path = format!("/clients/{id}");
    let change = json!({ "client_name": "Shop 2" });
    let blind = ask(&house, &key, Method::PATCH, &path, Some(change.clone())).await;
    assert_eq!(blind.status, StatusCode::PRECONDITION_REQUIRED);
    let patch = |tag: &str, body: &Value| {
        answer(request(&house, &key, Method::PATCH, &path).header("if-match", tag).json(body))
    };
    let changed = patch("\"1\"", &change).await;
    assert_eq!((changed.text("client_name"), etag(&changed).as_str()), ("Shop 2", "\"2\""));
    let late = patch("\"1\"", &json!({ "client_name": "Lost" })).await;
    assert_eq!(late.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(late.headers["content-type"], "application/problem+json");
    for assigned in
        [json!({ "client_id": "x" }), json!({ "version": 7 }), json!({ "role": "owner" })]
    {
        let refused = patch("\"2\"", &assigned).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{assigned}");
    }
    let wrong = patch("\"2\"", &json!({ "redirect_uris": ["http://shop.example/cb"] })).await;
    assert_eq!(wrong.json["errors"][0]["field"], "redirect_uris");

    let secret = ask(&house, &key, Method::POST, &format!("{path}/secrets"), None).await;
    assert_eq!(secret.status, StatusCode::CREATED);
    assert_ne!(secret.text("client_secret"), made.text("client_secret"));
    let gone = ask(&house, &key, Method::DELETE, &path, None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(ask(&house, &key, Method::GET, &path, None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.events("client.updated").await, 1);
}

#[actix_web::test]
async fn a_request_that_comes_twice_happens_once() {
    let house = House::new().await;
    let key = key(&house, &[ApiScope::ReadClients, ApiScope::WriteClients]).await;
    let new = json!({ "kind": "machine", "client_name": "Job" });
    let post = |once: &str, body: &Value| {
        let request = request(&house, &key, Method::POST, "/clients");
        answer(request.header("idempotency-key", once).json(body))
    };
    let first = post("one", &new).await;
    let again = post("one", &new).await;
    assert_eq!(first.json, again.json, "the secret too");
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let other = post("one", &json!({ "kind": "machine", "client_name": "Other" })).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    post("two", &new).await;
    assert_eq!(house.events("client.created").await, 2);
}

#[actix_web::test]
async fn each_route_asks_for_a_key_and_for_its_scope() {
    let house = House::new().await;
    let client = json!("nobody");
    let path = |path: &str| {
        path.split('/')
            .map(
                |part| {
                    if part.starts_with('{') { client.as_str().unwrap_or_default() } else { part }
                },
            )
            .collect::<Vec<_>>()
            .join("/")
    };
    for route in ROUTES {
        let others: Vec<_> = ApiScope::ALL.iter().copied().filter(|s| *s != route.scope).collect();
        let all_but_one = key(&house, &others).await;
        let method = Method::from_bytes(route.method.as_bytes()).expect("a method");
        let path = path(route.path);
        let name = format!("{method} {path}");
        let refused = ask(&house, &all_but_one, method.clone(), &path, None).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{name}");
        let unknown = ask(&house, "russet_api_x", method.clone(), &path, None).await;
        assert_eq!(unknown.status, StatusCode::UNAUTHORIZED, "{name}");
        assert!(unknown.headers["www-authenticate"].to_str().expect("text").starts_with("Bearer"));
        let only = key(&house, &[route.scope]).await;
        let allowed = ask(&house, &only, method, &path, None).await;
        assert!(
            ![StatusCode::FORBIDDEN, StatusCode::UNAUTHORIZED].contains(&allowed.status)
                && !allowed.status.is_server_error(),
            "{name}: {}",
            allowed.status
        );
    }
    let none = house.http().get(format!("{}/admin/api/v1/clients", house.issuer)).send().await;
    assert_eq!(none.expect("an answer").status(), StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn a_key_ends_and_is_revoked() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    let (mut browser, _) = signed_in(&house, "alice").await;
    let settings = browser.open(&format!("{}/admin/settings", house.issuer)).await;
    let bad = [("key_name", "Script <b>"), ("key_days", "0")];
    let again = send(&mut browser, &settings, "key-create", &bad).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.body.contains("Script &#60;b&#62;"));
    let good = [("key_name", "Script"), ("key_scope", "clients:read"), ("key_days", "30")];
    let made = send(&mut browser, &settings, "key-create", &good).await;
    let (_, rest) = made.body.split_once("id=\"api_key\">").expect("the key");
    let key = rest.split_once('<').expect("its end").0.to_owned();
    let reloaded = browser.open(made.url.as_str()).await;
    assert!(!reloaded.body.contains(&key), "shown once");
    let status = async |key: &str| ask(&house, key, Method::GET, "/clients", None).await.status;
    assert_eq!(status(&key).await, StatusCode::OK);
    house.advance(Duration::from_secs(31 * 24 * 3600));
    assert_eq!(status(&key).await, StatusCode::UNAUTHORIZED, "it ended");

    let (mut browser, _) = signed_in(&house, "alice").await;
    let settings = browser.open(&format!("{}/admin/settings", house.issuer)).await;
    let made = send(&mut browser, &settings, "key-create", &good).await;
    let (_, rest) = made.body.split_once("id=\"api_key\">").expect("the key");
    let key = rest.split_once('<').expect("its end").0.to_owned();
    let list = browser.open(&format!("{}/admin/settings", house.issuer)).await;
    let (_, rest) = list.body.split_once("/settings/keys/revoke?").expect("a way to it");
    let query = rest.split_once('"').expect("its end").0;
    let ask = browser.open(&format!("{}/admin/settings/keys/revoke?{query}", house.issuer)).await;
    let mut form = ask.forms().into_iter().find(|form| form.text.contains("ask-confirm"));
    let kept = browser.submit(&ask, form.as_ref().expect("a form")).await;
    assert_eq!(kept.status, StatusCode::UNPROCESSABLE_ENTITY, "its name was not typed");
    assert_eq!(status(&key).await, StatusCode::OK);
    form.as_mut().expect("a form").fill("confirm", "Script");
    let done = browser.submit(&ask, &form.expect("a form")).await;
    assert!(done.body.contains("The key is revoked."));
    assert_eq!(status(&key).await, StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn apis_people_sessions_keys_and_events_are_looked_after() {
    let house = House::new().await;
    let key = key(&house, ApiScope::ALL).await;
    let new = json!({ "identifier": "https://api.example/?a=1", "name": "Orders", "scopes": [{ "name": "read", "description": "" }] });
    let api = ask(&house, &key, Method::POST, "/apis", Some(new)).await;
    assert_eq!(api.status, StatusCode::CREATED, "{}", api.json);
    let path = "/apis/https%3A%2F%2Fapi.example%2F%3Fa%3D1";
    let shown = ask(&house, &key, Method::GET, path, None).await;
    assert_eq!(shown.text("name"), "Orders", "{}", shown.json);
    let change = request(&house, &key, Method::PATCH, path).header("if-match", etag(&shown));
    let changed = answer(change.json(&json!({ "access_token_ttl": 300 }))).await;
    assert_eq!(changed.json["access_token_ttl"], 300);

    let app = house.client(russet::protocol::client::ClientKind::Web, |_| {}).await;
    app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
    let people = ask(&house, &key, Method::GET, "/users?limit=1", None).await;
    let user = people.json["items"][0]["id"].as_str().expect("an id").to_owned();
    let sessions = ask(&house, &key, Method::GET, "/sessions", None).await;
    let sid = sessions.json["items"][0]["sid"].as_str().expect("a sid").to_owned();
    let ended = ask(&house, &key, Method::DELETE, &format!("/sessions/{sid}"), None).await;
    assert_eq!((&ended.json["sessions"], &ended.json["grants"]), (&json!(1), &json!(1)));
    let path = format!("/users/{user}");
    let patch = |tag: &str, body: Value| {
        answer(request(&house, &key, Method::PATCH, &path).header("if-match", tag).json(&body))
    };
    let blind = ask(&house, &key, Method::PATCH, &path, Some(json!({ "disabled": true }))).await;
    assert_eq!(blind.status, StatusCode::PRECONDITION_REQUIRED);
    let seen = etag(&ask(&house, &key, Method::GET, &path, None).await);
    let off = patch(&seen, json!({ "disabled": true })).await;
    assert_eq!(off.json["disabled"], true);
    let late = patch(&seen, json!({ "disabled": false })).await;
    assert_eq!(late.status, StatusCode::PRECONDITION_FAILED, "somebody was faster");
    let more = patch("*", json!({ "email": "a@b.c" })).await;
    assert_eq!(more.status, StatusCode::UNPROCESSABLE_ENTITY, "nothing else is assigned");
    let deletion = ask(&house, &key, Method::DELETE, &path, None).await;
    assert_eq!(deletion.status, StatusCode::ACCEPTED);

    let rotated = ask(&house, &key, Method::POST, "/keys", Some(json!({ "alg": "ES256" }))).await;
    assert_eq!(rotated.text("state"), "next");
    let twice = ask(&house, &key, Method::POST, "/keys", Some(json!({ "alg": "ES256" }))).await;
    assert_eq!(twice.status, StatusCode::CONFLICT);
    let keys = house.broker.broker.provider.keys().list().await.expect("keys");
    assert_eq!(keys.iter().filter(|key| key.alg == Algorithm::Es256).count(), 2);

    let events = ask(&house, &key, Method::GET, "/events?kind=user.disabled", None).await;
    let actor = events.json["items"][0]["actor"].as_str().expect("an actor").to_owned();
    assert!(actor.starts_with("api_key:"), "{actor}");
    let odd = ask(&house, &key, Method::GET, "/events?from=yesterday", None).await;
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[actix_web::test]
async fn the_document_names_every_route_and_points_at_nothing_that_is_missing() {
    let house = House::new().await;
    let url = format!("{}/admin/api/openapi.json", house.issuer);
    let document = answer(house.http().get(url)).await.json;
    assert_eq!(document["openapi"], "3.1.0");
    for route in ROUTES {
        let method = route.method.to_lowercase();
        assert!(
            document["paths"][route.path][method].is_object(),
            "{} {}",
            route.method,
            route.path
        );
    }
    let text = document.to_string();
    for part in text.split("\"$ref\":\"#").skip(1) {
        let pointer = part.split_once('"').expect("its end").0;
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

#[actix_web::test]
async fn accounts_are_made_changed_and_there_is_always_an_owner() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    let client = house.client(russet::protocol::client::ClientKind::Web, |_| {}).await;
    let id = client.client.client_id.to_string();
    let (mut browser, _) = signed_in(&house, "alice").await;
    let list = browser.open(&format!("{}/admin/admins", house.issuer)).await;
    let weak = [("username", "ed"), ("role", "editor"), ("new_password", "short")];
    let again = send(&mut browser, &list, "admin-create", &weak).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.body.contains("value=\"ed\"") && !again.body.contains("short\""));
    let sound = [("username", "ed"), ("role", "editor"), ("new_password", "correct horse battery")];
    let made = send(&mut browser, &list, "admin-create", &sound).await;
    assert!(made.url.path().ends_with("/admin/admins/ed"), "{}", made.body);
    let nobody = [("role", "editor"), ("clients", "no-such-client")];
    let wrong = send(&mut browser, &made, "admin-save", &nobody).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let given = [("role", "editor"), ("clients", id.as_str())];
    send(&mut browser, &made, "admin-save", &given).await;
    let (mut editor, page) = signed_in(&house, "ed").await;
    assert!(page.body.contains(&id) && !page.body.contains(">People<"));
    let refused = editor.open(&format!("{}/admin/people", house.issuer)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);

    let own = browser.open(&format!("{}/admin/admins/alice", house.issuer)).await;
    for last in [vec![("role", "viewer")], vec![("role", "owner"), ("disabled", "true")]] {
        let kept = send(&mut browser, &own, "admin-save", &last).await;
        assert!(kept.body.contains("make another owner first"), "{}", kept.body);
    }
    let off = [("role", "editor"), ("clients", id.as_str()), ("disabled", "true")];
    // The page as it is now: what was loaded before the last change saves nothing.
    let now = browser.open(&format!("{}/admin/admins/ed", house.issuer)).await;
    send(&mut browser, &now, "admin-save", &off).await;
    let out = editor.open(&format!("{}/admin/clients", house.issuer)).await;
    assert_eq!(out.url.path(), "/admin/login", "a disabled account's sessions end");
}
