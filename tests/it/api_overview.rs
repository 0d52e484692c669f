//! What the console's first page, its search box and its questions say, asked for by a script.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use russet::op::admin::Actor;
use russet::protocol::api_key::ApiScope;
use russet::protocol::client::ClientKind;
use russet::protocol::jose::Algorithm;
use serde_json::{Value, json};

use crate::admin_api::{ask, key, request};
use crate::harness::House;
use crate::harness::app::{Answer, App, answer};
use crate::on_each_engine;

async fn get(house: &House, key: &str, path: &str) -> Answer {
    let answer = ask(house, key, Method::GET, path, None).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.json);
    answer
}

/// Somebody signs in, and somebody else presses Cancel.
async fn one_comes_and_one_turns_back(house: &House) -> App {
    let app = house.client(ClientKind::Web, |client| client.client_name = "Shop".into()).await;
    app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
    let mut browser = house.browser();
    let apple = browser.open(&app.authorize_url(&app.attempt("openid"))).await;
    browser.press(&apple, "Cancel").await;
    house.broker.broker.provider.keep_observations(Vec::new()).await.expect("kept");
    app
}

#[actix_web::test]
async fn what_needs_attention_and_who_signs_in_is_told_with_the_reason() {
    on_each_engine!(house, {
        let key = key(&house, &[ApiScope::ReadOverview, ApiScope::ReadConnections]).await;
        let app = one_comes_and_one_turns_back(&house).await;
        let id = &app.client.client_id;
        let administration = &house.broker.broker.administration;
        administration.revoke_client_secret(&Actor::cli(), id, "first").await.expect("revoked");
        let week = Some(Duration::from_secs(7 * 24 * 3600));
        administration.add_client_secret(&Actor::cli(), id, "week", week).await.expect("a secret");

        let concerns = get(&house, &key, "/attention").await.json["concerns"].clone();
        let of = |kind: &str| {
            let all = concerns.as_array().expect("a list").iter();
            all.clone().find(|one| one["kind"] == kind).cloned().unwrap_or_default()
        };
        let failing = of("connection_failing");
        assert_eq!(
            (&failing["urgent"], &failing["about"]["connection"]),
            (&json!(true), &json!("apple"))
        );
        assert!(failing["detail"].as_str().expect("why").contains("Cancel"), "{failing}");
        let secret = of("client_secret");
        assert_eq!((&secret["urgent"], &secret["about"]["client_id"]), (&json!(false), &json!(id)));
        assert_eq!(concerns[0], failing, "what is urgent comes first");

        let days = get(&house, &key, "/sign-in-counts?days=3").await.json;
        assert_eq!(days["counts"].as_array().expect("a list").len(), 3, "days without anybody too");
        assert_eq!((&days["succeeded"], &days["failed"]), (&json!(1), &json!(1)));
        let today = &days["counts"][2];
        assert_eq!(today["causes"][0]["cause"], "cancelled", "{today}");
        assert!(today["of"].as_str().expect("a day").starts_with("20"));
        let clients = get(&house, &key, "/sign-in-counts?by=client").await.json;
        assert_eq!(clients["counts"][0]["of"], json!(id));
        let other = get(&house, &key, "/sign-in-counts?client_id=other").await.json;
        assert_eq!(other["failed"], 0);
        for bad in ["days=0", "days=many", "by=moon"] {
            let path = format!("/sign-in-counts?{bad}");
            let refused = ask(&house, &key, Method::GET, &path, None).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
        }

        let status = get(&house, &key, "/connections/apple/status").await.json;
        assert_eq!((&status["usable"], &status["failing"]), (&json!(true), &json!(true)));
        assert!(
            status["last_success"]["event"].as_i64() < status["last_failure"]["event"].as_i64()
        );
        assert!(status["explanation"]["cause"].as_str().expect("why").contains("Cancel"));
        let all = get(&house, &key, "/connection-status").await.json;
        assert!(all["items"].as_array().expect("a list").contains(&status), "{all}");
        let none = ask(&house, &key, Method::GET, "/connections/nobody/status", None).await;
        assert_eq!(none.status, StatusCode::NOT_FOUND);
    });
}

#[actix_web::test]
async fn what_is_observed_of_a_client_and_of_the_key_set_is_told() {
    let house = House::new().await;
    let scope = [ApiScope::ReadClients, ApiScope::ReadKeys, ApiScope::ReadUsers];
    let key = key(&house, &scope).await;
    let app = one_comes_and_one_turns_back(&house).await;
    let path = format!("/clients/{}/observed", app.client.client_id);
    let seen = get(&house, &key, &path).await.json;
    assert_eq!(seen["token_grant_type"], "authorization_code");
    assert_eq!(
        (&seen["uses_pkce"], &seen["authenticated_as_registered"]),
        (&json!(true), &json!(true))
    );
    assert!(seen["token_at"].is_i64() && seen["no_pkce_at"].is_null(), "{seen}");
    let unseen = house.client(ClientKind::Spa, |_| {}).await.client.client_id;
    let unseen = get(&house, &key, &format!("/clients/{unseen}/observed")).await.json;
    assert!(unseen.as_object().expect("members").values().all(Value::is_null), "{unseen}");

    let jwks = format!("{}/jwks", house.issuer);
    let metadata = house.metadata().await;
    let jwks = metadata["jwks_uri"].as_str().unwrap_or(&jwks).to_owned();
    house.http().get(jwks).header("user-agent", "An API/1").send().await.expect("the keys");
    let fetchers = || async { get(&house, &key, "/key-set-fetchers").await.json["items"].clone() };
    let of = |all: &Value| {
        let mut all = all.as_array().expect("a list").iter();
        all.find(|one| one["user_agent"] == "An API/1").cloned().unwrap_or_default()
    };
    let before = of(&fetchers().await);
    assert_eq!((&before["times"], &before["behind"]), (&json!(1), &json!(false)), "{before}");
    house.advance(Duration::from_secs(5));
    let keys = house.broker.broker.provider.keys();
    keys.rotate(Algorithm::Es256, &Actor::cli()).await.expect("a key");
    assert_eq!(of(&fetchers().await)["behind"], true, "it has not seen the newest");

    let user = get(&house, &key, "/users").await.json["items"][0]["id"].clone();
    let user = user.as_str().expect("an id");
    let sessions = get(&house, &key, &format!("/users/{user}/sessions")).await.json;
    assert_eq!(sessions["items"][0]["user_id"], user);
    let factors = get(&house, &key, &format!("/users/{user}/factors")).await.json;
    assert_eq!(factors, json!({ "totp_added_at": null, "recovery_codes": 0 }));
}

#[actix_web::test]
async fn what_a_change_would_touch_is_counted_first() {
    let house = House::new().await;
    let key = key(&house, &[ApiScope::ReadSessions, ApiScope::ReadUsers, ApiScope::ReadKeys]).await;
    house.api("https://orders.example.com", Algorithm::Rs256, &["read"]).await;
    let app = one_comes_and_one_turns_back(&house).await;
    let user = get(&house, &key, "/users").await.json["items"][0]["id"].clone();
    let user = user.as_str().expect("an id").to_owned();
    let client = format!("client_id={}", app.client.client_id);
    for of in [client.as_str(), "connection=apple", &format!("user={user}"), ""] {
        let counted = get(&house, &key, &format!("/effects?{of}")).await.json;
        let numbers = ["people", "sessions", "grants"].map(|name| counted[name].clone());
        assert_eq!(numbers, [json!(1), json!(1), json!(1)], "{of}");
    }
    let api = get(&house, &key, "/effects?api=https://orders.example.com").await.json;
    assert_eq!((&api["clients"], &api["grants"]), (&json!(0), &json!(0)));
    let keys = get(&house, &key, "/keys").await.json;
    let mut rsa = keys["items"].as_array().expect("keys").iter();
    let kid = rsa.find(|key| key["alg"] == "RS256").expect("one")["kid"].clone();
    let kid = kid.as_str().expect("a kid");
    let signed = get(&house, &key, &format!("/effects?kid={kid}")).await.json;
    assert_eq!(signed["apis"], json!(["https://orders.example.com"]));
    assert_eq!(get(&house, &key, "/effects?audit_retention_days=1").await.json["events"], 0);
    house.advance(Duration::from_secs(2 * 24 * 3600));
    let gone = get(&house, &key, "/effects?audit_retention_days=1").await.json;
    assert!(gone["events"].as_i64() > Some(0), "{gone}");
    for (bad, status) in [
        ("client_id=nobody", StatusCode::NOT_FOUND),
        ("user=nobody", StatusCode::NOT_FOUND),
        ("kid=none", StatusCode::NOT_FOUND),
        ("user=a&kid=b", StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let refused = ask(&house, &key, Method::GET, &format!("/effects?{bad}"), None).await;
        assert_eq!(refused.status, status, "{bad}");
    }
}

#[actix_web::test]
async fn one_search_finds_in_the_rooms_that_the_key_reads_and_in_no_other() {
    let house = House::new().await;
    let app = one_comes_and_one_turns_back(&house).await;
    let all = key(&house, ApiScope::ALL).await;
    let found = get(&house, &all, "/search?q=shop").await.json;
    assert_eq!(found["clients"][0]["client_id"], json!(app.client.client_id));
    assert_eq!(found["users"], json!([]));
    let people = get(&house, &all, "/search?q=ada").await.json;
    let user = people["users"][0]["id"].as_str().expect("Ada").to_owned();
    let whole = get(&house, &all, &format!("/search?q={user}")).await.json;
    assert_eq!(whole["users"][0]["id"], json!(user), "an id is found whole");
    let one = key(&house, &[ApiScope::ReadOverview, ApiScope::ReadClients]).await;
    let found = get(&house, &one, "/search?q=ada").await.json;
    assert_eq!(found, json!({ "clients": [] }), "nothing is said of other rooms");
}

#[actix_web::test]
async fn lists_are_narrowed_as_the_console_narrows_them() {
    let house = House::new().await;
    let key = key(&house, ApiScope::ALL).await;
    one_comes_and_one_turns_back(&house).await;
    house.client(ClientKind::Machine, |client| client.client_name = "Robot".into()).await;
    let names = async |path: &str, member: &str| -> Vec<String> {
        let items = get(&house, &key, path).await.json["items"].clone();
        let name = |one: &Value| one[member].as_str().unwrap_or_default().to_owned();
        items.as_array().expect("a list").iter().map(name).collect()
    };
    assert_eq!(names("/clients?kind=machine", "client_name").await, ["Robot"]);
    assert_eq!(names("/clients?state=disabled", "client_name").await, [""; 0]);
    assert_eq!(names("/connections?q=app&state=enabled", "id").await, ["apple"]);
    assert_eq!(names("/connections?state=disabled", "id").await, [""; 0]);
    let failed = get(&house, &key, "/events?kind=login.failed").await.json["items"][0].clone();
    let shown = get(&house, &key, &format!("/events/{}", failed["id"])).await.json;
    assert!(shown["explanation"]["cause"].as_str().expect("why").contains("Cancel"), "{shown}");
    let steps = get(&house, &key, "/sign-ins").await.json["items"].clone();
    let refused = steps.as_array().expect("steps").iter();
    let mut replayed = Vec::new();
    for step in refused {
        let id = step["sign_in"].as_str().expect("an id");
        replayed.push(get(&house, &key, &format!("/sign-ins/{id}")).await.json);
    }
    assert!(replayed.iter().any(|one| one["explanation"]["cause"].is_string()), "{replayed:?}");

    let view = json!({ "name": "Failed", "query": "?area=login&kind=login.failed" });
    let kept = ask(&house, &key, Method::POST, "/audit-views", Some(view)).await;
    assert_eq!(kept.status, StatusCode::CREATED);
    assert_eq!(names("/events?view=Failed", "kind").await, ["login.failed"]);
    let user = get(&house, &key, "/users").await.json["items"][0]["id"].clone();
    let path = format!("/events?q={}", user.as_str().expect("an id"));
    assert!(names(&path, "kind").await.contains(&"login.succeeded".to_owned()));
    let unknown = ask(&house, &key, Method::GET, "/events?view=Nothing", None).await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    let csv = request(&house, &key, Method::GET, "/events/export?format=csv&view=Failed");
    let csv = csv.send().await.expect("a file").text().await.expect("text");
    assert!(csv.starts_with("id,at,kind,") && csv.lines().count() == 2, "{csv}");
    assert_eq!(house.events("audit.exported").await, 1, "that it was taken away is noted");

    let path = "/redirect-uris?kind=web&uris=http://a.example/cb%20https://a.example";
    let checked = get(&house, &key, path).await.json;
    assert!(checked["problems"][0].as_str().expect("one").contains("https://"), "{checked}");
    assert!(checked["hints"].to_string().contains("no path"), "{checked}");
    let none = request(&house, &key, Method::GET, "/redirect-uris?uris=https://a.example/cb");
    assert_eq!(answer(none).await.status, StatusCode::UNPROCESSABLE_ENTITY, "of which kind?");
}
