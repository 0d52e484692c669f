//! Access tokens that say nothing, and userinfo that is signed: RFC 7662, OIDC Core §5.3.2,
//! conformance C.9.76, C.9.77.

use std::time::Duration;

use russet::protocol::api::AccessTokenFormat;
use russet::protocol::client::{Client, ClientKind};
use russet::protocol::id::ClientId;
use russet::protocol::jose::Algorithm;

use crate::harness::House;
use crate::harness::app::{App, claims};
use crate::harness::holder::Holder;
use crate::harness::receiver::verified;
use crate::on_each_engine;

const API: &str = "https://orders.example";

async fn opaque_api(house: &House) {
    let mut api = house.api(API, Algorithm::Es256, &["orders:read"]).await;
    api.settings.access_token_format = AccessTokenFormat::Opaque;
    house
        .store()
        .write(move |tx| Box::pin(async move { tx.update_api(&api).await }))
        .await
        .unwrap();
}

fn orders(client: &mut Client) {
    client.resources = vec![API.to_owned()];
    client.default_resource = Some(API.to_owned());
}

async fn active(app: &App, token: &str) -> bool {
    app.introspect(token).await.json["active"] == true
}

#[tokio::test]
async fn an_api_asks_as_its_own_client_about_its_own_tokens_alone() {
    on_each_engine!(house, {
        let reader = house.client(ClientKind::Machine, |_| {}).await;
        let stranger = house.client(ClientKind::Machine, |_| {}).await;
        let other = "https://other.example";
        house.api(other, Algorithm::Es256, &[]).await;
        let mut api = house.api(API, Algorithm::Es256, &["orders:read"]).await;
        api.settings.access_token_format = AccessTokenFormat::Opaque;
        api.settings.introspection_clients = vec![ClientId::new(reader.client_id())];
        let stored =
            house.store().write(move |tx| Box::pin(async move { tx.update_api(&api).await }));
        assert!(stored.await.unwrap());
        let app = house.client(ClientKind::Web, orders).await;
        let scope = "openid offline_access orders:read";
        let tokens = app.tokens(&mut house.browser(), scope, "Ada Lovelace").await;
        let told = reader.introspect(tokens.text("access_token")).await.json;
        assert_eq!((&told["active"], &told["aud"]), (&true.into(), &API.into()));
        assert!(!active(&stranger, tokens.text("access_token")).await);
        assert!(!active(&reader, tokens.text("refresh_token")).await, "that is the client's");
        let elsewhere = house
            .client(ClientKind::Web, |client| {
                client.resources = vec![other.to_owned()];
                client.default_resource = Some(other.to_owned());
            })
            .await;
        let tokens = elsewhere.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
        assert!(!active(&reader, tokens.text("access_token")).await, "another API's");
    });
}

#[tokio::test]
async fn an_opaque_token_does_what_a_jwt_does() {
    on_each_engine!(house, {
        opaque_api(&house).await;
        let app = house.client(ClientKind::Web, orders).await;
        let scope = "openid offline_access orders:read";
        let tokens = app.tokens(&mut house.browser(), scope, "Ada Lovelace").await;
        let token = tokens.text("access_token").to_owned();
        assert!(!token.contains('.') && token.len() >= 43, "{token}");
        assert_eq!(app.userinfo(&token).await.json["sub"], claims(tokens.text("id_token"))["sub"]);
        let told = app.introspect(&token).await.json;
        assert_eq!(told["active"], true);
        assert_eq!(told["aud"], API);
        assert_eq!(told["scope"], scope);
        assert_eq!(told["client_id"], app.client_id());
        // Another client learns nothing, and cannot end it.
        let other = house.client(ClientKind::Web, |_| {}).await;
        assert!(!active(&other, &token).await);
        assert_eq!(other.revoke(&token).await.status, 200);
        assert!(active(&app, &token).await);
        // It is revoked by itself, or with its grant.
        let renewed = app.refresh(tokens.text("refresh_token")).await;
        let second = renewed.text("access_token").to_owned();
        assert_eq!(app.revoke(&token).await.status, 200);
        assert!(!active(&app, &token).await && active(&app, &second).await);
        assert_eq!(app.userinfo(&token).await.error(), "401 invalid_token");
        app.revoke(renewed.text("refresh_token")).await;
        assert!(!active(&app, &second).await);
        assert_eq!(app.userinfo(&second).await.error(), "401 invalid_token");
    });
}

#[tokio::test]
async fn an_opaque_token_ends_in_time_and_with_its_client() {
    on_each_engine!(house, {
        opaque_api(&house).await;
        let machine = house.client(ClientKind::Machine, orders).await;
        let form = [("grant_type", "client_credentials"), ("scope", "orders:read")];
        let first = machine.token(&form).await.text("access_token").to_owned();
        assert!(active(&machine, &first).await);
        house.advance(Duration::from_secs(601));
        assert!(!active(&machine, &first).await);
        let hash = house.vault.hash(&first);
        assert!(house.store().find_opaque_token(&hash).await.unwrap().is_some());
        house.broker.broker.provider.sweep().await.unwrap();
        assert!(house.store().find_opaque_token(&hash).await.unwrap().is_none(), "swept");

        let second = machine.token(&form).await.text("access_token").to_owned();
        let (hash, id) = (house.vault.hash(&second), machine.client.client_id.clone());
        house
            .store()
            .write(move |tx| Box::pin(async move { tx.delete_client(&id).await }))
            .await
            .unwrap();
        assert!(house.store().find_opaque_token(&hash).await.unwrap().is_none());
    });
}

#[tokio::test]
async fn an_opaque_token_is_bound_like_any_other() {
    let house = House::new().await;
    opaque_api(&house).await;
    let app = house.client(ClientKind::Spa, orders).await;
    let attempt = app.attempt("openid orders:read");
    let end = app.sign_in(&mut house.browser(), &attempt, "Ada Lovelace").await;
    let (holder, thief) = (Holder::new(Algorithm::Es256), Holder::new(Algorithm::Es256));
    let code = end.query("code").unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "http://127.0.0.1:9/callback"),
        ("code_verifier", attempt.verifier.as_str()),
    ];
    let tokens = holder.token(&house, &app, &form).await;
    let token = tokens.text("access_token");
    assert_eq!(tokens.json["token_type"], "DPoP");
    assert_eq!(holder.userinfo(&house, token).await.status, 200);
    assert_eq!(thief.userinfo(&house, token).await.status, 401);
    assert_eq!(app.userinfo(token).await.status, 401, "as a bearer token");
}

#[tokio::test]
async fn c9_77_userinfo_is_signed_with_each_algorithm_a_client_may_register() {
    let house = House::new().await;
    let advertised = house.metadata().await["userinfo_signing_alg_values_supported"].clone();
    assert_eq!(advertised.as_array().unwrap().len(), Algorithm::ALL.len());
    for alg in Algorithm::ALL {
        let app = house
            .client(ClientKind::Web, |client| {
                client.settings.userinfo_signed_response_alg = Some(alg);
            })
            .await;
        let tokens = app.tokens(&mut house.browser(), "openid email", "Ada Lovelace").await;
        let url = format!("{}/userinfo", house.issuer);
        let request = house.http().get(url).bearer_auth(tokens.text("access_token"));
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/jwt");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let jwt = response.text().await.unwrap();
        let (header, told) = verified(&house, &jwt).await;
        assert_eq!(header["alg"], alg.as_str());
        assert!(header["kid"].is_string());
        assert_eq!(told["iss"], house.issuer);
        assert_eq!(told["aud"], app.client_id());
        assert_eq!(told["sub"], claims(tokens.text("id_token"))["sub"]);
        assert!(told["email"].is_string() && told.get("nonce").is_none());
        // What is signed for userinfo stands in for no ID token.
        let attempt = app.attempt("openid").with("prompt", "none").with("id_token_hint", &jwt);
        let end = house.browser().open(&app.authorize_url(&attempt)).await;
        assert!(end.query("code").is_none() && end.query("error").is_some());
    }
}
