//! Access tokens exchanged for others: RFC 8693.

use std::time::Duration;

use russet::protocol::client::{ClientKind, GrantType};
use russet::protocol::jose::Algorithm;

use crate::harness::House;
use crate::harness::app::{Answer, App, claims};
use crate::on_each_engine;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ORDERS: &str = "https://orders.example";
const STOCK: &str = "https://stock.example";

async fn exchange(app: &App, subject: &str, extra: &[(&str, &str)]) -> Answer {
    let mut form = vec![
        ("grant_type", EXCHANGE),
        ("subject_token", subject),
        ("subject_token_type", ACCESS_TOKEN),
    ];
    for (name, value) in extra {
        form.retain(|(n, _)| n != name);
        form.push((name, value));
    }
    app.token(&form).await
}

/// An app that people sign in to, and a service that may act for them.
async fn shop_and_gateway(house: &House) -> (App, App) {
    house.api(ORDERS, Algorithm::Es256, &["orders:read", "orders:write", "stock:read"]).await;
    house.api(STOCK, Algorithm::Es256, &["stock:read"]).await;
    let shop = house
        .client(ClientKind::Web, |client| {
            client.resources = vec![ORDERS.to_owned()];
            client.default_resource = Some(ORDERS.to_owned());
        })
        .await;
    let id = shop.client_id().to_owned();
    let gateway = house
        .client(ClientKind::Machine, |client| {
            client.grant_types.push(GrantType::TokenExchange);
            client.resources = vec![ORDERS.to_owned(), STOCK.to_owned()];
            client.settings.token_exchange_subject_clients = vec![id];
            client.settings.token_exchange_audiences = vec![STOCK.to_owned()];
        })
        .await;
    (shop, gateway)
}

async fn signed_in(house: &House, shop: &App) -> Answer {
    let scope = "openid offline_access orders:read stock:read";
    shop.tokens(&mut house.browser(), scope, "Ada Lovelace").await
}

#[tokio::test]
async fn a_service_acts_for_a_person_and_says_so() {
    on_each_engine!(house, {
        let (shop, gateway) = shop_and_gateway(&house).await;
        let tokens = signed_in(&house, &shop).await;
        let original = claims(tokens.text("access_token"));
        let exchanged =
            exchange(&gateway, tokens.text("access_token"), &[("resource", STOCK)]).await;
        assert_eq!(exchanged.status, 200, "{}", exchanged.json);
        assert_eq!(exchanged.text("issued_token_type"), ACCESS_TOKEN);
        assert_eq!(exchanged.headers["cache-control"], "no-store");
        assert!(exchanged.json.get("refresh_token").is_none());
        assert!(exchanged.json.get("id_token").is_none());
        let new = claims(exchanged.text("access_token"));
        assert_eq!(new["sub"], original["sub"]);
        assert_eq!(new["aud"], STOCK);
        assert_eq!(new["scope"], "stock:read");
        assert_eq!(new["client_id"], gateway.client_id());
        assert_eq!(new["act"]["sub"], gateway.client_id());
        assert!(new["exp"].as_i64() <= original["exp"].as_i64());
        let seen = gateway.introspect(exchanged.text("access_token")).await;
        assert_eq!(seen.json["active"], true);
        assert_eq!(seen.json["act"]["sub"], gateway.client_id());

        // With a token of its own it acts under that name, through itself.
        let own = gateway.token(&[("grant_type", "client_credentials")]).await;
        let extra = [
            ("actor_token", own.text("access_token")),
            ("actor_token_type", ACCESS_TOKEN),
            ("audience", STOCK),
        ];
        let again = exchange(&gateway, exchanged.text("access_token"), &extra).await;
        assert_eq!(again.status, 200, "{}", again.json);
        let act = claims(again.text("access_token"))["act"].clone();
        assert_eq!(act["act"]["sub"], gateway.client_id(), "one inside the other: {act}");
        assert_eq!(house.events("token.exchanged").await, 2);
    });
}

#[tokio::test]
async fn what_ends_the_grant_ends_what_was_exchanged() {
    on_each_engine!(house, {
        let (shop, gateway) = shop_and_gateway(&house).await;
        let tokens = signed_in(&house, &shop).await;
        let exchanged =
            exchange(&gateway, tokens.text("access_token"), &[("resource", STOCK)]).await;
        shop.revoke(tokens.text("refresh_token")).await;
        let seen = gateway.introspect(exchanged.text("access_token")).await;
        assert_eq!(seen.json["active"], false);
        let dead = exchange(&gateway, tokens.text("access_token"), &[]).await;
        assert_eq!(dead.error(), "400 invalid_request");
        let dead = exchange(&gateway, exchanged.text("access_token"), &[]).await;
        assert_eq!(dead.error(), "400 invalid_request");
    });
}

#[tokio::test]
async fn an_exchanged_token_never_outlives_its_origin() {
    let house = House::new().await;
    let (shop, gateway) = shop_and_gateway(&house).await;
    let tokens = signed_in(&house, &shop).await;
    house.advance(Duration::from_secs(590));
    let exchanged = exchange(&gateway, tokens.text("access_token"), &[]).await;
    assert_eq!(exchanged.json["expires_in"], 10, "{}", exchanged.json);
    house.advance(Duration::from_secs(10));
    assert_eq!(gateway.introspect(exchanged.text("access_token")).await.json["active"], false);
    let late = exchange(&gateway, tokens.text("access_token"), &[]).await;
    assert_eq!(late.error(), "400 invalid_request", "expired");
}

#[tokio::test]
async fn each_bad_exchange_of_access_tokens_has_its_error() {
    let house = House::new().await;
    let (shop, gateway) = shop_and_gateway(&house).await;
    let tokens = signed_in(&house, &shop).await;
    let access_token = tokens.text("access_token");
    for (extra, expected) in [
        (vec![("subject_token", "a.b.c")], "400 invalid_request"),
        (vec![("subject_token", tokens.text("id_token"))], "400 invalid_request"),
        (vec![("subject_token", tokens.text("refresh_token"))], "400 invalid_request"),
        (vec![("subject_token", "")], "400 invalid_request"),
        (vec![("subject_token_type", "urn:x")], "400 invalid_request"),
        (vec![("requested_token_type", "urn:x")], "400 invalid_request"),
        (vec![("actor_token", access_token)], "400 invalid_request"),
        (vec![("actor_token_type", ACCESS_TOKEN)], "400 invalid_request"),
        (
            vec![("actor_token", access_token), ("actor_token_type", ACCESS_TOKEN)],
            "400 invalid_request",
        ),
        (vec![("scope", "orders:write")], "400 invalid_scope"),
        (vec![("scope", "offline_access")], "400 invalid_scope"),
        (vec![("scope", "email")], "400 invalid_scope"),
        (vec![("resource", "https://unknown.example")], "400 invalid_target"),
        (vec![("audience", house.issuer.as_str())], "400 invalid_target"),
    ] {
        let found = exchange(&gateway, access_token, &extra).await;
        assert_eq!(found.error(), expected, "{extra:?}: {}", found.json);
    }
    let stranger = house
        .client(ClientKind::Machine, |client| {
            client.grant_types.push(GrantType::TokenExchange);
            client.resources = vec![ORDERS.to_owned()];
        })
        .await;
    assert_eq!(exchange(&stranger, access_token, &[]).await.error(), "400 invalid_request");
    let native = house.client(ClientKind::Native, |_| {}).await;
    assert_eq!(exchange(&native, access_token, &[]).await.error(), "400 unauthorized_client");
    assert_eq!(exchange(&shop, access_token, &[]).await.error(), "400 unauthorized_client");
}

#[tokio::test]
async fn may_act_invites_one_client_and_keeps_the_others_out() {
    let house = House::new().await;
    let (shop, gateway) = shop_and_gateway(&house).await;
    let invited = house
        .client(ClientKind::Machine, |client| {
            client.grant_types.push(GrantType::TokenExchange);
            client.resources = vec![ORDERS.to_owned()];
        })
        .await;
    let id = invited.client_id().to_owned();
    let inviting = house
        .client(ClientKind::Web, |client| {
            client.resources = vec![ORDERS.to_owned()];
            client.default_resource = Some(ORDERS.to_owned());
            client.settings.may_act = Some(id);
        })
        .await;
    let tokens = signed_in(&house, &inviting).await;
    let access_token = tokens.text("access_token");
    assert_eq!(claims(access_token)["may_act"]["sub"], invited.client_id());
    let exchanged = exchange(&invited, access_token, &[]).await;
    assert_eq!(exchanged.status, 200, "{}", exchanged.json);
    assert!(claims(exchanged.text("access_token")).get("may_act").is_none());
    assert_eq!(exchange(&gateway, access_token, &[]).await.error(), "400 invalid_request");
    drop(shop);
}
