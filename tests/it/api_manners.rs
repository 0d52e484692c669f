//! How the admin API behaves towards whoever calls it: once is once, methods, tags, and what it
//! says to requests that are no good.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use russet::protocol::api_key::ApiScope;
use russet::protocol::client::ClientKind;
use serde_json::{Value, json};

use crate::admin_api::{ask, etag, key, request};
use crate::harness::House;
use crate::harness::app::{Answer, answer};
use crate::on_each_engine;

async fn once(
    house: &House,
    key: &str,
    method: Method,
    path: &str,
    name: &str,
    body: Option<Value>,
) -> Answer {
    let request = request(house, key, method, path).header("idempotency-key", name);
    answer(body.into_iter().fold(request, |request, body| request.json(&body))).await
}

fn is_replayed(answer: &Answer) -> bool {
    answer.headers.get("idempotency-replayed").is_some_and(|value| value == "true")
}

#[actix_web::test]
async fn every_act_is_done_once_under_one_key_and_its_answer_repeated() {
    on_each_engine!(house, {
        let key = key(&house, ApiScope::ALL).await;
        let new = json!({ "kind": "web", "client_name": "Shop", "redirect_uris": ["https://a.example/cb"] });
        let made = ask(&house, &key, Method::POST, "/clients", Some(new)).await;
        let path = format!("/clients/{}", made.text("client_id"));

        let off = || {
            let request = request(&house, &key, Method::PATCH, &path).header("if-match", "\"1\"");
            answer(request.header("idempotency-key", "off").json(&json!({ "disabled": true })))
        };
        let (first, again) = (off().await, off().await);
        assert_eq!(
            (first.status, again.status),
            (StatusCode::OK, StatusCode::OK),
            "{}",
            again.json
        );
        assert_eq!((first.json.clone(), etag(&first)), (again.json.clone(), etag(&again)));
        assert!(!is_replayed(&first) && is_replayed(&again));
        assert_eq!(house.events("client.updated").await, 1);

        let secrets = format!("{path}/secrets");
        let turned = once(&house, &key, Method::POST, &secrets, "secret", None).await;
        let lost = once(&house, &key, Method::POST, &secrets, "secret", None).await;
        assert_eq!(turned.text("client_secret"), lost.text("client_secret"));
        assert_eq!(house.events("client.secret_rotated").await, 1);

        for _ in 0..2 {
            let gone = once(&house, &key, Method::DELETE, &path, "gone", None).await;
            assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.json);
        }
        let unnamed = ask(&house, &key, Method::DELETE, &path, None).await;
        assert_eq!(unnamed.status, StatusCode::NOT_FOUND);

        let alg = Some(json!({ "alg": "ES256" }));
        let next = once(&house, &key, Method::POST, "/keys", "rotate", alg.clone()).await;
        let same = once(&house, &key, Method::POST, "/keys", "rotate", alg.clone()).await;
        assert_eq!((next.text("kid"), same.status), (same.text("kid"), StatusCode::CREATED));
        assert_eq!(next.headers["location"], same.headers["location"]);
        let noted = "/events?kind=signing_key.introduced&limit=1";
        let noted = ask(&house, &key, Method::GET, noted, None).await;
        assert!(noted.json["items"][0]["request_id"].is_string(), "under which request");
    });
}

#[actix_web::test]
async fn another_request_under_the_same_key_is_refused_and_a_refused_one_frees_it() {
    let house = House::new().await;
    let key = key(&house, ApiScope::ALL).await;
    let post = |name: &'static str, body: Value| {
        once(&house, &key, Method::POST, "/clients", name, Some(body))
    };
    let bad = post("a", json!({ "kind": "web", "client_name": "" })).await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    let mended = post("a", json!({ "kind": "machine", "client_name": "Job" })).await;
    assert_eq!(mended.status, StatusCode::CREATED, "what was refused did nothing: {}", mended.json);
    let other = post("a", json!({ "kind": "machine", "client_name": "Other" })).await;
    assert_eq!((other.status, is_replayed(&other)), (StatusCode::UNPROCESSABLE_ENTITY, false));
    let elsewhere =
        once(&house, &key, Method::POST, "/keys", "a", Some(json!({ "alg": "ES256" }))).await;
    assert_eq!(elsewhere.status, StatusCode::UNPROCESSABLE_ENTITY, "nor for something else");

    let body = json!({ "kind": "machine", "client_name": "At once" });
    let all = join_all((0..8).map(|_| post("race", body.clone()))).await;
    let made = all.iter().filter(|one| one.status == StatusCode::CREATED && !is_replayed(one));
    assert_eq!(made.count(), 1);
    assert!(all.iter().all(|one| [201, 409].contains(&one.status.as_u16())));
    assert_eq!(house.events("client.created").await, 2);

    house.advance(Duration::from_secs(25 * 3600));
    let later = post("race", body).await;
    assert_eq!(
        (later.status, is_replayed(&later)),
        (StatusCode::CREATED, false),
        "after a day it is free"
    );
    let look = once(&house, &key, Method::POST, "/events/verify", "look", None).await;
    let anew = once(&house, &key, Method::POST, "/events/verify", "look", None).await;
    assert!(look.status.is_success() && !is_replayed(&anew), "what only looks looks anew");
    for bad in ["", "\u{fc}", "a\tb"] {
        let request = request(&house, &key, Method::POST, "/clients");
        let request = request.header("idempotency-key", bad.as_bytes());
        assert_eq!(answer(request.json(&json!({}))).await.status, StatusCode::BAD_REQUEST);
    }
}

#[actix_web::test]
async fn a_body_is_as_long_as_its_route_takes_with_an_idempotency_key_too() {
    let house = House::new().await;
    let key = key(&house, ApiScope::ALL).await;
    let long = |path: &'static str, length: usize| {
        let body = json!({ "picture": "A".repeat(length) });
        once(&house, &key, Method::POST, path, "long", Some(body))
    };
    let picture = long("/pictures", 100_000).await;
    assert_eq!(picture.status, StatusCode::UNPROCESSABLE_ENTITY, "no picture, but not too long");
    for (path, length) in [("/pictures", 200_000), ("/clients", 70_000)] {
        let refused = long(path, length).await;
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        assert_eq!(refused.headers["content-type"], "application/problem+json", "{path}");
    }
}

#[actix_web::test]
async fn a_key_names_each_scope_once() {
    let house = House::new().await;
    let key = key(&house, ApiScope::ALL).await;
    let new =
        json!({ "name": "CI", "scope": ["keys:read", "clients:read", "keys:read"], "days": 1 });
    let refused = ask(&house, &key, Method::POST, "/api-keys", Some(new)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.json["errors"][0]["field"], "scope");
}

#[actix_web::test]
async fn a_path_says_which_methods_it_knows() {
    let house = House::new().await;
    let key = key(&house, &[ApiScope::ReadClients]).await;
    let send = async |method: Method, path: &str| {
        request(&house, &key, method, path).send().await.expect("an answer")
    };
    let allowed = |response: &reqwest::Response| {
        response.headers()["allow"].to_str().expect("text").to_owned()
    };
    let options = send(Method::OPTIONS, "/clients").await;
    assert_eq!(
        (options.status(), allowed(&options).as_str()),
        (StatusCode::NO_CONTENT, "GET, POST, HEAD, OPTIONS")
    );
    let put = send(Method::PUT, "/clients").await;
    assert_eq!(
        (put.status(), allowed(&put).as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, "GET, POST, HEAD, OPTIONS")
    );
    assert_eq!(put.headers()["content-type"], "application/problem+json");
    let api = send(Method::POST, "/apis/https%3A%2F%2Fa.example").await;
    assert_eq!(api.status(), StatusCode::METHOD_NOT_ALLOWED);
    let head = send(Method::HEAD, "/clients").await;
    assert_eq!(head.status(), StatusCode::OK);
    let length = head.headers()["content-length"].to_str().expect("text").to_owned();
    assert!(length != "0" && head.text().await.expect("text").is_empty());
    let nothing = send(Method::GET, "/nothing").await;
    assert_eq!(nothing.status(), StatusCode::NOT_FOUND);
    assert_eq!(nothing.headers()["content-type"], "application/problem+json");
}

#[actix_web::test]
async fn a_tag_that_cannot_be_read_matches_nothing() {
    let house = House::new().await;
    let key = key(&house, ApiScope::ALL).await;
    let new = json!({ "kind": "machine", "client_name": "Job" });
    let made = ask(&house, &key, Method::POST, "/clients", Some(new)).await;
    let path = format!("/clients/{}", made.text("client_id"));
    for tag in ["\u{fc}", "W/\"1\"", "1"] {
        let request = request(&house, &key, Method::DELETE, &path);
        let kept = answer(request.header("if-match", tag.as_bytes())).await;
        assert_eq!(kept.status, StatusCode::PRECONDITION_FAILED, "{tag}");
    }
    let several = request(&house, &key, Method::DELETE, &path);
    let several = several.header("if-match", "\"7\"").header("if-match", "\"1\"");
    assert_eq!(answer(several).await.status, StatusCode::NO_CONTENT, "one of several");

    let house = &house;
    let seen = async |tag: &str| {
        let request = request(house, &key, Method::GET, "/settings").header("if-none-match", tag);
        answer(request).await
    };
    let first = ask(house, &key, Method::GET, "/settings", None).await;
    let again = seen(&etag(&first)).await;
    assert_eq!((again.status, etag(&again)), (StatusCode::NOT_MODIFIED, etag(&first)));
    assert_eq!(seen("\"77\", \"78\"").await.status, StatusCode::OK);
}

#[actix_web::test]
async fn a_page_that_nobody_gave_out_is_refused_for_the_list_would_begin_anew() {
    let house = House::new().await;
    let key = key(&house, ApiScope::ALL).await;
    for list in [
        "/clients",
        "/apis",
        "/users",
        "/sessions",
        "/deletions",
        "/trusted-issuers",
        "/registration-tokens",
        "/api-keys",
        "/events",
        "/sign-ins",
        "/deliveries",
        "/apple-transfers/people",
    ] {
        let path = format!("{list}?after=nonsense");
        let refused = ask(&house, &key, Method::GET, &path, None).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{list}");
        assert_eq!(refused.json["errors"][0]["field"], "after", "{list}");
    }
}

#[actix_web::test]
async fn a_list_is_read_on_in_the_order_and_the_search_in_which_it_began() {
    let house = House::new().await;
    for _ in 0..3 {
        house.client(ClientKind::Web, |_| {}).await;
    }
    let key = key(&house, &[ApiScope::ReadClients]).await;
    let asked = async |more: &str| {
        ask(&house, &key, Method::GET, &format!("/clients?limit=1{more}"), None).await
    };
    let mut place = url::form_urlencoded::Serializer::new(String::new());
    place.append_pair("after", asked("").await.text("next"));
    let place = place.finish();
    let on = asked(&format!("&{place}")).await;
    assert_eq!(on.json["items"].as_array().expect("a list").len(), 1, "{}", on.json);
    for other in ["&sort=newest", "&q=a", "&kind=web"] {
        let refused = asked(&format!("&{place}{other}")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{other}");
        assert_eq!(refused.json["errors"][0]["field"], "after");
    }
}
