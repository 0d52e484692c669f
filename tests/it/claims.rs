//! Claims that an operator adds: typed rules on clients and APIs.

use russet::op::admin::{Actor, ClientChange, NewClient};
use russet::protocol::claim_mapping::ClaimRule;
use russet::protocol::client::ClientKind;
use russet::protocol::jose::Algorithm;
use serde_json::{Value, json};

use crate::harness::House;
use crate::harness::app::claims;
use crate::on_each_engine;

const API: &str = "https://api.example";

fn rules(value: Value) -> Vec<ClaimRule> {
    serde_json::from_value(value).unwrap()
}

#[tokio::test]
async fn rules_of_client_and_api_are_told_where_they_say() {
    on_each_engine!(house, {
        let mut api = house.api(API, Algorithm::Es256, &["orders:read"]).await;
        api.settings.claims = rules(json!([
            { "claim": "tenant", "from": "user.email_domain" },
            { "claim": "tier", "value": "gold" },
            { "claim": "role", "value": "by the API" },
        ]));
        let changed = api.clone();
        house
            .store()
            .write(move |tx| Box::pin(async move { tx.update_api(&changed).await }))
            .await
            .unwrap();
        let app = house
            .client(ClientKind::Web, |client| {
                client.resources = vec![API.to_owned()];
                client.default_resource = Some(API.to_owned());
                client.scope.push("groups".to_owned());
                client.settings.claims = rules(json!([
                    { "claim": "groups", "value": ["staff"], "scope": "groups" },
                    { "claim": "nickname", "template": "{user.given_name} of {client.client_name}",
                      "to": ["id_token"] },
                    { "claim": "via", "from": "connection", "to": ["userinfo"] },
                    { "claim": "role", "value": "by the client", "to": ["access_token"] },
                ]));
            })
            .await;
        let scope = "openid profile email groups offline_access";
        let tokens = app.tokens(&mut house.browser(), scope, "Ada Lovelace").await;
        let id = claims(tokens.text("id_token"));
        assert_eq!(id["groups"], json!(["staff"]));
        assert_eq!(id["nickname"], format!("Ada of {}", app.client_id()));
        assert!(id.get("via").is_none() && id.get("role").is_none());
        let access = claims(tokens.text("access_token"));
        assert_eq!(access["tenant"], "example.com");
        assert_eq!(access["role"], "by the API", "the token is the API's");
        assert_eq!(access["groups"], json!(["staff"]));
        assert!(access.get("nickname").is_none());
        let userinfo = app.userinfo(tokens.text("access_token")).await.json;
        assert_eq!(userinfo["via"], "apple");
        assert_eq!(userinfo["groups"], json!(["staff"]));
        assert_eq!(userinfo["name"], "Ada Lovelace");
        let seen = app.introspect(tokens.text("access_token")).await.json;
        assert_eq!(seen["tier"], "gold");
        let renewed = app.refresh(tokens.text("refresh_token")).await;
        assert_eq!(claims(renewed.text("access_token"))["tenant"], "example.com");

        // Without the scope, without the claim.
        let less = app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
        assert!(claims(less.text("id_token")).get("groups").is_none());

        // A client for itself has no person, and an API's constants all the same.
        let machine = house
            .client(ClientKind::Machine, |client| client.resources = vec![API.to_owned()])
            .await;
        let form = [("grant_type", "client_credentials"), ("resource", API)];
        let access = claims(machine.token(&form).await.text("access_token"));
        assert_eq!(access["tier"], "gold");
        assert!(access.get("tenant").is_none());
    });
}

#[tokio::test]
async fn a_rule_that_breaks_a_rule_is_not_stored() {
    let house = House::new().await;
    let administration = &house.broker.broker.administration;
    for rule in [
        json!({ "claim": "sub", "value": "else" }),
        json!({ "claim": "email_verified", "value": true }),
        json!({ "claim": "amr", "value": ["mfa"] }),
        json!({ "claim": "a", "from": "env.HOME" }),
        json!({ "claim": "a", "template": "{user.name" }),
        json!({ "claim": "a" }),
    ] {
        let mut settings = serde_json::Map::new();
        settings.insert("claims".to_owned(), json!([rule]));
        let new = NewClient {
            change: ClientChange { settings, ..ClientChange::default() },
            ..NewClient::of_kind(ClientKind::Machine, "Nightly")
        };
        let made = administration.create_client(&Actor::cli(), new).await;
        assert!(made.is_err(), "{rule}");
    }
}
