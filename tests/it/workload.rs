//! Workloads with a trusted issuer's assertion: RFC 7523, RFC 7521.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::{App as Site, HttpResponse, HttpServer, web};
use futures_util::future::join_all;
use russet::op::admin::{Actor, NewTrustedIssuer};
use russet::protocol::client::{Client, ClientKind, GrantType};
use russet::protocol::jose::{Algorithm, SigningKey, Typ, generate_private_key};
use serde_json::{Value, json};

use crate::harness::app::{Answer, App, answer, claims};
use crate::harness::{House, free_name};
use crate::on_each_engine;

pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
pub(crate) const API: &str = "https://api.example";

/// A CI system: an issuer with discovery and one key.
pub(crate) struct Ci {
    issuer: String,
    key: SigningKey,
    asked: Arc<AtomicUsize>,
}

pub(crate) async fn ci() -> Ci {
    let der = generate_private_key(Algorithm::Rs256).unwrap();
    let key = SigningKey::from_pkcs8(Algorithm::Rs256, der.expose()).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let discovery = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/jwks") });
    let set = json!({ "keys": [key.public_jwk()] });
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let server = HttpServer::new(move || {
        let (discovery, set, count) = (discovery.clone(), set.clone(), Arc::clone(&count));
        Site::new()
            .route(
                "/.well-known/openid-configuration",
                web::get().to(move || std::future::ready(HttpResponse::Ok().json(&discovery))),
            )
            .route(
                "/jwks",
                web::get().to(move || {
                    count.fetch_add(1, Ordering::SeqCst);
                    std::future::ready(HttpResponse::Ok().json(&set))
                }),
            )
    })
    .workers(1)
    .disable_signals()
    .listen(listener)
    .unwrap()
    .run();
    tokio::spawn(server);
    Ci { issuer, key, asked }
}

impl Ci {
    pub(crate) fn claims(&self, house: &House) -> Value {
        let now = house.now().secs();
        json!({
            "iss": self.issuer, "sub": "repo:acme/shop", "aud": house.issuer, "iat": now,
            "exp": now + 300, "jti": free_name(), "repository": "acme/shop",
            "ref": "refs/heads/main",
        })
    }

    pub(crate) fn assertion(&self, claims: &Value) -> String {
        self.key.sign(Typ::IdToken, claims).unwrap()
    }
}

pub(crate) fn pipeline(client: &mut Client) {
    client.grant_types = vec![GrantType::JwtBearer];
    client.resources = vec![API.to_owned()];
}

pub(crate) async fn deploy(
    house: &House,
    ci: &Ci,
    change: impl FnOnce(&mut NewTrustedIssuer),
) -> App {
    if house.store().find_api(API).await.unwrap().is_none() {
        house.api(API, Algorithm::Es256, &["deploy", "read"]).await;
    }
    let app = house.client(ClientKind::Machine, pipeline).await;
    trust(house, ci, &app, change).await;
    app
}

/// Lets what this CI system says stand for the client.
pub(crate) async fn trust(
    house: &House,
    ci: &Ci,
    app: &App,
    change: impl FnOnce(&mut NewTrustedIssuer),
) {
    let mut new = NewTrustedIssuer {
        issuer: ci.issuer.clone(),
        audience: house.issuer.clone(),
        client_id: app.client_id().to_owned(),
        conditions: vec!["repository=acme/shop".into(), "ref=refs/heads/*".into()],
        scope: vec!["deploy".into()],
        resources: vec![API.into()],
        ..NewTrustedIssuer::default()
    };
    change(&mut new);
    let administration = &house.broker.broker.administration;
    administration.create_trusted_issuer(&Actor::cli(), new).await.unwrap();
}

/// No secret: the assertion is all that is sent.
pub(crate) async fn show(house: &House, assertion: &str, extra: &[(&str, &str)]) -> Answer {
    let mut form = vec![("grant_type", JWT_BEARER), ("assertion", assertion)];
    form.extend(extra);
    answer(house.http().post(format!("{}/token", house.issuer)).form(&form)).await
}

#[tokio::test]
async fn a_pipeline_without_a_secret_gets_its_clients_token_once() {
    on_each_engine!(house, {
        let ci = ci().await;
        let app = deploy(&house, &ci, |_| {}).await;
        let assertion = ci.assertion(&ci.claims(&house));
        let tokens = show(&house, &assertion, &[]).await;
        assert_eq!(tokens.status, 200, "{}", tokens.json);
        let access = claims(tokens.text("access_token"));
        assert_eq!(access["sub"], app.client_id());
        assert_eq!(access["client_id"], app.client_id());
        assert_eq!(access["aud"], API);
        assert_eq!(access["scope"], "deploy");
        assert!(tokens.json.get("refresh_token").is_none());
        assert_eq!(show(&house, &assertion, &[]).await.error(), "400 invalid_grant", "used");

        let second = house.replica().await;
        let bases = [house.issuer.clone(), format!("http://{}", second.address())];
        let assertion = ci.assertion(&ci.claims(&house));
        let form = [("grant_type", JWT_BEARER), ("assertion", assertion.as_str())];
        let all = (0..16)
            .map(|i| answer(house.http().post(format!("{}/token", bases[i % 2])).form(&form)));
        let answers = join_all(all).await;
        assert_eq!(answers.iter().filter(|a| a.status == 200).count(), 1);
        assert!(answers.iter().all(|a| a.status == 200 || a.error() == "400 invalid_grant"));
        assert_eq!(house.events("assertion.accepted").await, 2);
        second.stop().await;
    });
}

#[tokio::test]
async fn each_bad_assertion_is_refused_and_uses_nothing_up() {
    let house = House::new().await;
    let ci = ci().await;
    deploy(&house, &ci, |_| {}).await;
    let stranger = self::ci().await;
    let good = ci.claims(&house);
    let now = house.now().secs();
    for (name, value) in [
        ("iss", json!("https://unknown.example")),
        ("sub", json!(null)),
        ("aud", json!("https://other.example")),
        ("exp", json!(now - 31)),
        ("exp", json!(now + 7200)),
        ("exp", json!(null)),
        ("nbf", json!(now + 61)),
        ("iat", json!(now + 61)),
        ("repository", json!("evil/shop")),
        ("repository", json!(null)),
        ("ref", json!("refs/tags/v1")),
    ] {
        let mut claims = good.clone();
        claims[name] = value.clone();
        let found = show(&house, &ci.assertion(&claims), &[]).await;
        assert_eq!(found.error(), "400 invalid_grant", "{name}={value}: {}", found.json);
    }
    let forged = stranger.key.sign(Typ::IdToken, &good).unwrap();
    assert_eq!(show(&house, &forged, &[]).await.error(), "400 invalid_grant", "another's key");
    let assertion = ci.assertion(&good);
    let (message, _) = assertion.rsplit_once('.').unwrap();
    for bad in [format!("{message}."), "a.b.c".to_owned(), format!("e30.{message}")] {
        assert_eq!(show(&house, &bad, &[]).await.error(), "400 invalid_grant");
    }
    for (extra, expected) in [
        (("scope", "read"), "400 invalid_scope"),
        (("resource", "https://x.example"), "400 invalid_target"),
        (("client_id", "somebody"), "400 invalid_grant"),
        (("client_secret", "x"), "401 invalid_client"),
    ] {
        let found = show(&house, &assertion, &[extra]).await;
        assert_eq!(found.error(), expected, "{extra:?}: {}", found.json);
    }
    assert_eq!(show(&house, &assertion, &[]).await.status, 200, "what was refused used nothing");
    let missing = show(&house, "", &[]).await;
    assert_eq!(missing.error(), "400 invalid_request");
}

#[tokio::test]
async fn two_rules_that_fit_need_the_clients_name() {
    let house = House::new().await;
    let ci = ci().await;
    let one = deploy(&house, &ci, |_| {}).await;
    deploy(&house, &ci, |_| {}).await;
    let assertion = ci.assertion(&ci.claims(&house));
    assert_eq!(show(&house, &assertion, &[]).await.error(), "400 invalid_request");
    let named = show(&house, &assertion, &[("client_id", one.client_id())]).await;
    assert_eq!(claims(named.text("access_token"))["sub"], one.client_id());
}

#[tokio::test]
async fn an_issuer_may_hand_out_one_token_for_long_and_be_out_of_reach() {
    let house = House::new().await;
    let ci = ci().await;
    let set = json!({ "keys": [ci.key.public_jwk()] });
    deploy(&house, &ci, |new| {
        new.issuer = "https://kubernetes.default.svc".into();
        new.jwks = Some(set);
        new.conditions = vec!["sub=system:serviceaccount:shop:nightly".into()];
        new.allow_reuse = true;
    })
    .await;
    let mut claims = ci.claims(&house);
    claims["iss"] = json!("https://kubernetes.default.svc");
    claims["sub"] = json!("system:serviceaccount:shop:nightly");
    claims.as_object_mut().unwrap().remove("jti");
    let assertion = ci.assertion(&claims);
    for _ in 0..2 {
        assert_eq!(show(&house, &assertion, &[]).await.status, 200);
    }
    assert_eq!(ci.asked.load(Ordering::SeqCst), 0, "inline keys are not fetched");
}

#[tokio::test]
async fn keys_are_fetched_once_however_many_unknown_names_come() {
    let house = House::new().await;
    let ci = ci().await;
    deploy(&house, &ci, |_| {}).await;
    let stranger = self::ci().await;
    for _ in 0..5 {
        let forged = stranger.key.sign(Typ::IdToken, &ci.claims(&house)).unwrap();
        assert_eq!(show(&house, &forged, &[]).await.error(), "400 invalid_grant");
    }
    assert_eq!(ci.asked.load(Ordering::SeqCst), 1);
    house.advance(Duration::from_secs(31));
    let forged = stranger.key.sign(Typ::IdToken, &ci.claims(&house)).unwrap();
    show(&house, &forged, &[]).await;
    assert_eq!(ci.asked.load(Ordering::SeqCst), 2, "an unknown name is looked for again later");
}

#[tokio::test]
async fn a_rule_that_would_let_everybody_in_is_not_made() {
    let house = House::new().await;
    let app = house
        .client(ClientKind::Machine, |client| client.grant_types = vec![GrantType::JwtBearer])
        .await;
    let without = house.client(ClientKind::Machine, |_| {}).await;
    let sound = NewTrustedIssuer {
        issuer: "https://ci.example".into(),
        audience: house.issuer.clone(),
        client_id: app.client_id().to_owned(),
        conditions: vec!["sub=a".into()],
        ..NewTrustedIssuer::default()
    };
    let administration = &house.broker.broker.administration;
    let changes: Vec<fn(&mut NewTrustedIssuer)> = vec![
        |new| new.conditions.clear(),
        |new| new.conditions = vec!["sub=*".into()],
        |new| new.issuer = "http://ci.example".into(),
        |new| new.audience.clear(),
        |new| new.jwks_uri = Some("file:///etc/passwd".into()),
        |new| new.jwks = Some(json!({ "keys": [] })),
        |new| new.jwks = Some(json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] })),
        |new| new.client_id = "nobody".into(),
        |new| new.resources = vec!["https://api.example".into()],
        |new| new.max_lifetime = Some(100_000),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut new = sound.clone();
        change(&mut new);
        let made = administration.create_trusted_issuer(&Actor::cli(), new).await;
        assert!(made.is_err(), "change {number}");
    }
    let mut new = sound.clone();
    new.client_id = without.client_id().to_owned();
    assert!(administration.create_trusted_issuer(&Actor::cli(), new).await.is_err());
    let rule = administration.create_trusted_issuer(&Actor::cli(), sound).await.unwrap();
    administration.delete_trusted_issuer(&Actor::cli(), &rule.id).await.unwrap();
    assert!(administration.list_trusted_issuers().await.unwrap().is_empty());
}
