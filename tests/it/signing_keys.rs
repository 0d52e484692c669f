//! Keys and discovery: conformance C.1, C.2, security.md G3–G5, G9.

use std::time::Duration;

use russet::op::admin::Actor;
use russet::protocol::client::{Client, ClientKind, TokenEndpointAuthMethod};
use russet::protocol::jose::Algorithm;
use serde_json::Value;

use crate::harness::House;
use crate::harness::app::answer;
use crate::on_each_engine;

async fn jwks(house: &House) -> Vec<Value> {
    let answer = answer(house.http().get(format!("{}/jwks", house.issuer))).await;
    answer.json["keys"].as_array().unwrap().clone()
}

fn kid(jwt: &str) -> String {
    use base64::Engine as _;
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(jwt.split('.').next().unwrap())
        .unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn discovery_is_the_same_for_every_host_and_may_be_cached() {
    let house = House::new().await;
    let url = format!("{}/.well-known/openid-configuration", house.issuer);
    let first = house.http().get(&url).send().await.unwrap();
    let etag = first.headers()["etag"].clone();
    assert_eq!(first.headers()["cache-control"], "public, max-age=300");
    assert_eq!(first.headers()["access-control-allow-origin"], "*");
    let text = first.text().await.unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["issuer"], house.issuer.as_str());
    let other_host = house
        .http()
        .get(&url)
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("x-forwarded-proto", "https");
    assert_eq!(other_host.send().await.unwrap().text().await.unwrap(), text);
    // A proxy that compresses makes the tag weak; a cache that has several names them all.
    let etag = etag.to_str().unwrap();
    for (known, status) in [
        (etag.to_owned(), 304),
        (format!("W/{etag}"), 304),
        (format!("\"other\", {etag}"), 304),
        ("*".to_owned(), 304),
        ("\"other\"".to_owned(), 200),
        ("other".to_owned(), 200),
    ] {
        let again = house.http().get(&url).header("if-none-match", &known).send().await.unwrap();
        assert_eq!(again.status(), status, "{known}");
    }
    let rfc8414 = format!("{}/.well-known/oauth-authorization-server", house.issuer);
    assert_eq!(house.http().get(rfc8414).send().await.unwrap().text().await.unwrap(), text);
}

#[tokio::test]
async fn every_advertised_endpoint_answers() {
    let house = House::new().await;
    let url = format!("{}/.well-known/openid-configuration", house.issuer);
    let document = answer(house.http().get(url)).await.json;
    for (name, value) in document.as_object().unwrap() {
        if name.ends_with("_endpoint") || name == "jwks_uri" {
            let response = house.http().get(value.as_str().unwrap()).send().await.unwrap();
            assert_ne!(response.status(), 404, "{name}");
            assert!(!response.status().is_server_error(), "{name}");
        }
    }
    let methods = document["token_endpoint_auth_methods_supported"].as_array().unwrap();
    let everywhere = |method: &&TokenEndpointAuthMethod| !method.uses_certificate();
    assert_eq!(methods.len(), TokenEndpointAuthMethod::ALL.iter().filter(everywhere).count());
    let by_form = |client: &mut Client| {
        client.token_endpoint_auth_method = TokenEndpointAuthMethod::ClientSecretPost;
    };
    let app = house.client(ClientKind::Web, by_form).await;
    let posted = answer(house.http().post(format!("{}/token", house.issuer)).form(&[
        ("grant_type", "refresh_token"),
        ("refresh_token", "x"),
        ("client_id", app.client_id()),
        ("client_secret", app.secret.as_deref().unwrap()),
    ]))
    .await;
    assert_eq!(posted.error(), "400 invalid_grant", "client_secret_post is spoken");
}

#[tokio::test]
async fn c2_13_c2_14_the_jwks_holds_one_public_key_for_each_algorithm() {
    let house = House::new().await;
    let keys = jwks(&house).await;
    let mut algorithms: Vec<_> = keys.iter().map(|key| key["alg"].as_str().unwrap()).collect();
    algorithms.sort_unstable();
    assert_eq!(algorithms, ["ES256", "EdDSA", "PS256", "RS256"]);
    for key in &keys {
        assert_eq!(key["use"], "sig");
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(key.get(private).is_none());
        }
    }
}

#[tokio::test]
async fn c2_16_a_client_chooses_its_id_tokens_algorithm() {
    let house = House::new().await;
    let published = jwks(&house).await;
    for alg in Algorithm::ALL {
        let app =
            house.client(ClientKind::Web, |client| client.id_token_signed_response_alg = alg).await;
        let tokens = app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
        let kid = kid(tokens.text("id_token"));
        let key = published.iter().find(|key| key["kid"] == kid.as_str()).unwrap();
        assert_eq!(key["alg"], alg.as_str());
    }
}

#[tokio::test]
async fn c2_15_a_successor_is_published_long_before_it_signs_and_its_elder_stays() {
    on_each_engine!(house, {
        let second = house.replica().await;
        let app = house.client(ClientKind::Web, |_| {}).await;
        let keys = house.broker.broker.provider.keys();
        let before = jwks(&house).await;
        let old = app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
        let next = keys.rotate(Algorithm::Rs256, &Actor::cli()).await.unwrap();
        assert!(
            keys.rotate(Algorithm::Rs256, &Actor::cli()).await.is_err(),
            "one successor at a time"
        );
        let kids = |keys: &[Value]| {
            keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert!(kids(&jwks(&house).await).contains(&next.kid), "published at once");
        let still = app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
        assert_eq!(kid(still.text("id_token")), kid(old.text("id_token")));

        house.advance(Duration::from_secs(901));
        keys.reload().await.unwrap();
        second.broker.provider.keys().reload().await.unwrap();
        let new = app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
        assert_eq!(kid(new.text("id_token")), next.kid);
        let other = second.broker.provider.keys().current();
        assert!(other.find(&next.kid).is_some(), "the other replica knows it");
        for key in kids(&before) {
            assert!(kids(&jwks(&house).await).contains(&key), "the elder is still published");
        }
        house.advance(Duration::from_secs(25 * 3600));
        keys.rotate_by_schedule().await.unwrap();
        let after = kids(&jwks(&house).await);
        assert!(!after.contains(&kid(old.text("id_token"))), "gone with the last of its tokens");
        assert_eq!(after.len(), 4);
        second.stop().await;
    });
}

#[tokio::test]
async fn a_key_that_leaked_is_out_at_once_with_all_it_signed() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let tokens = app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
    let leaked = kid(tokens.text("access_token"));
    let keys = house.broker.broker.provider.keys();
    assert_eq!(app.userinfo(tokens.text("access_token")).await.status, 200);
    keys.retire(&leaked, &Actor::cli()).await.unwrap();
    assert_eq!(app.userinfo(tokens.text("access_token")).await.error(), "401 invalid_token");
    assert!(jwks(&house).await.iter().all(|key| key["kid"] != leaked.as_str()));
    let after = app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
    assert_ne!(kid(after.text("access_token")), leaked, "a successor signs at once");
    assert!(keys.retire("unknown", &Actor::cli()).await.is_err());
}

#[tokio::test]
async fn after_a_leak_the_key_that_waits_signs_for_it_is_published_already() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let tokens = app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
    let leaked = kid(tokens.text("access_token"));
    let keys = house.broker.broker.provider.keys();
    let next = keys.rotate(Algorithm::Rs256, &Actor::cli()).await.unwrap();
    let published = jwks(&house).await;
    assert!(published.iter().any(|key| key["kid"] == next.kid.as_str()));
    keys.retire(&leaked, &Actor::cli()).await.unwrap();
    let after = app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
    assert_eq!(kid(after.text("access_token")), next.kid);
    let left = jwks(&house).await;
    assert!(left.iter().all(|key| published.contains(key)), "no key that nobody knows: {left:?}");
}

#[tokio::test]
async fn after_a_leak_every_replica_knows_the_new_key_when_it_first_sees_it() {
    on_each_engine!(house, {
        let second = house.replica().await;
        let app = house.client(ClientKind::Web, |_| {}).await;
        let tokens = app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
        let leaked = kid(tokens.text("access_token"));
        house.broker.broker.provider.keys().retire(&leaked, &Actor::cli()).await.unwrap();
        let after = app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
        let elsewhere = async |token: &str| {
            let url = format!("http://{}/userinfo", second.address());
            answer(house.http().get(url).bearer_auth(token)).await.status
        };
        assert_eq!(elsewhere(after.text("access_token")).await, 200);
        assert_eq!(elsewhere(tokens.text("access_token")).await, 401, "the leaked key is gone");

        // Whoever makes up a kid has the database asked once a second, and no more.
        let keys = second.broker.provider.keys();
        house.advance(Duration::from_secs(1));
        assert!(keys.seek().await.unwrap().is_some());
        assert!(keys.seek().await.unwrap().is_none());
    });
}

#[tokio::test]
async fn keys_rotate_by_themselves_after_their_time() {
    let house = House::new().await;
    let keys = house.broker.broker.provider.keys();
    keys.rotate_by_schedule().await.unwrap();
    assert_eq!(jwks(&house).await.len(), 4, "not before their time");
    house.advance(Duration::from_secs(90 * 24 * 3600));
    keys.rotate_by_schedule().await.unwrap();
    keys.rotate_by_schedule().await.unwrap();
    assert_eq!(jwks(&house).await.len(), 8, "one successor each");
}

#[tokio::test]
async fn cors_opens_the_app_endpoints_to_registered_apps_and_nothing_else() {
    let house = House::new().await;
    house.client(ClientKind::Spa, |_| {}).await;
    let ours = "http://127.0.0.1:9";
    for path in ["/token", "/userinfo", "/revoke"] {
        for (origin, allowed) in [(ours, true), ("https://evil.example", false), ("null", false)] {
            let url = format!("{}{path}", house.issuer);
            let preflight = house
                .http()
                .request(reqwest::Method::OPTIONS, &url)
                .header("origin", origin)
                .header("access-control-request-method", "POST");
            let answer = house.http().post(&url).header("origin", origin).body("");
            for request in [preflight, answer] {
                let headers = request.send().await.unwrap().headers().clone();
                let open = headers.get("access-control-allow-origin");
                assert_eq!(open.is_some(), allowed, "{path} {origin}");
                assert!(headers.get("access-control-allow-credentials").is_none());
                assert!(headers["vary"].to_str().unwrap().contains("Origin"));
            }
        }
    }
    for path in ["/authorize", "/introspect", "/logout", "/account", "/admin/login"] {
        let url = format!("{}{path}", house.issuer);
        let headers = house.http().get(&url).header("origin", ours).send().await.unwrap();
        assert!(headers.headers().get("access-control-allow-origin").is_none(), "{path}");
    }
}
