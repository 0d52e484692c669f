//! Whom a client sees: pairwise subjects and their sectors (OIDC Core §8, conformance C.3.18, C.3.20,
//! C.6.58, C.9.73).

use russet::op::admin::{Actor, AdminError, ClientChange, NewClient};
use russet::protocol::client::{Client, ClientKind, GrantType};
use russet::protocol::jose::Algorithm;
use russet::protocol::subject::SubjectType;
use serde_json::json;

use crate::harness::House;
use crate::harness::app::{App, answer, claims};
use crate::harness::receiver::{Receiver, verified};
use crate::harness::signer::Publisher;
use crate::on_each_engine;

const CALLBACK: &str = "http://127.0.0.1:9/callback";

fn pairwise(client: &mut Client) {
    client.settings.subject_type = SubjectType::Pairwise;
}

fn of_sector(host: &str) -> impl FnOnce(&mut Client) {
    let uri = format!("https://{host}/uris.json");
    move |client| {
        pairwise(client);
        client.settings.sector_identifier_uri = Some(uri);
    }
}

async fn public_sub(house: &House) -> String {
    let public = house.client(ClientKind::Web, |_| {}).await;
    let tokens = public.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
    claims(tokens.text("id_token"))["sub"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn c3_20_c9_73_one_pairwise_sub_wherever_a_client_looks() {
    on_each_engine!(house, {
        let public = public_sub(&house).await;
        let app = house.client(ClientKind::Web, of_sector("a.example")).await;
        let scope = "openid offline_access";
        let tokens = app.tokens(&mut house.browser(), scope, "Ada Lovelace").await;
        let sub = claims(tokens.text("id_token"))["sub"].as_str().unwrap().to_owned();
        assert_ne!(sub, public);
        assert!(sub.len() <= 255 && sub.bytes().all(|b| b.is_ascii_graphic()));
        let access = tokens.text("access_token");
        assert_eq!(claims(access)["sub"], sub);
        assert_eq!(app.userinfo(access).await.json["sub"], sub);
        assert_eq!(app.introspect(access).await.json["sub"], sub);
        let refresh = tokens.text("refresh_token");
        assert_eq!(app.introspect(refresh).await.json["sub"], sub);
        let renewed = app.refresh(refresh).await;
        assert_eq!(claims(renewed.text("id_token"))["sub"], sub);

        // The same sector, the same name; another, another.
        let near = house.client(ClientKind::Web, of_sector("a.example")).await;
        let far = house.client(ClientKind::Web, of_sector("b.example")).await;
        for (other, same) in [(&near, true), (&far, false)] {
            let tokens = other.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
            assert_eq!(claims(tokens.text("id_token"))["sub"] == sub.as_str(), same);
        }
        // An operator finds the person by the name that an app tells.
        let administration = &house.broker.broker.administration;
        assert_eq!(administration.find_person(&sub).await.unwrap().user.sub, public);
        // Nothing of a client's answer gives the other name away.
        for text in [tokens.json.to_string(), app.userinfo(access).await.json.to_string()] {
            assert!(!text.contains(&public), "{text}");
        }
    });
}

#[tokio::test]
async fn c4_29_a_hint_with_a_pairwise_sub_names_the_person() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, pairwise).await;
    let other = house.client(ClientKind::Web, of_sector("b.example")).await;
    let mut browser = house.browser();
    let tokens = app.tokens(&mut browser, "openid", "Ada Lovelace").await;
    let silent = |app: &App, hint: &str| {
        let attempt = app.attempt("openid").with("prompt", "none").with("id_token_hint", hint);
        app.authorize_url(&attempt)
    };
    let hint = tokens.text("id_token");
    for app in [&app, &other] {
        let end = browser.open(&silent(app, hint)).await;
        assert!(end.query("code").is_some(), "{}", end.url);
    }
    // By the claims parameter, too.
    for (sub, good) in [
        (claims(hint)["sub"].as_str().unwrap().to_owned(), true),
        (public_sub(&house).await, false),
    ] {
        let wanted = json!({ "id_token": { "sub": { "value": sub } } }).to_string();
        let attempt = app.attempt("openid").with("prompt", "none").with("claims", &wanted);
        let end = browser.open(&app.authorize_url(&attempt)).await;
        assert_eq!(end.query("code").is_some(), good, "{}", end.url);
    }
    // Somebody else's token is refused.
    let grace = app.tokens(&mut house.browser(), "openid", "Grace Hopper").await;
    let end = browser.open(&silent(&app, grace.text("id_token"))).await;
    assert_eq!(end.query("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn logout_and_event_tokens_name_people_as_their_receiver_does() {
    let house = House::new().await;
    let mut receiver = Receiver::start();
    let (logout, events) = (receiver.url("/logout"), receiver.url("/events"));
    let app = house
        .client(ClientKind::Web, |client| {
            pairwise(client);
            client.settings.backchannel_logout_uri = Some(logout);
            client.settings.security_events_endpoint = Some(events);
        })
        .await;
    let tokens = app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
    let sub = claims(tokens.text("id_token"))["sub"].clone();
    let person = house.broker.broker.administration.find_person(sub.as_str().unwrap()).await;
    let id = person.unwrap().user.id.to_string();
    let administration = &house.broker.broker.administration;
    administration.set_user_disabled(&Actor::cli(), &id, true, None).await.unwrap();
    house.broker.broker.provider.deliver_due().await.unwrap();
    for _ in 0..3 {
        let received = receiver.next().await;
        let token = match received.path.as_str() {
            "/logout" => received.logout_token(),
            _ => received.body.clone(),
        };
        let (_, told) = verified(&house, &token).await;
        let named = told.get("sub").unwrap_or(&told["sub_id"]["sub"]);
        assert_eq!(*named, sub, "{told}");
    }
}

#[tokio::test]
async fn an_exchanged_token_names_the_person_as_the_caller_does() {
    let house = House::new().await;
    const API: &str = "https://orders.example";
    house.api(API, Algorithm::Es256, &["orders:read"]).await;
    let shop = house
        .client(ClientKind::Web, |client| {
            client.resources = vec![API.to_owned()];
            client.default_resource = Some(API.to_owned());
        })
        .await;
    let id = shop.client_id().to_owned();
    let gateway = house
        .client(ClientKind::Machine, |client| {
            pairwise(client);
            client.grant_types.push(GrantType::TokenExchange);
            client.resources = vec![API.to_owned()];
            client.settings.token_exchange_subject_clients = vec![id];
        })
        .await;
    let tokens = shop.tokens(&mut house.browser(), "openid orders:read", "Ada Lovelace").await;
    let original = claims(tokens.text("access_token"))["sub"].clone();
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", tokens.text("access_token")),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
    ];
    let first = claims(gateway.token(&form).await.text("access_token"))["sub"].clone();
    let second = claims(gateway.token(&form).await.text("access_token"))["sub"].clone();
    assert_ne!(first, original);
    assert_eq!(first, second);
}

#[tokio::test]
async fn c3_18_a_sector_takes_in_whom_its_document_lists() {
    let house = House::with(&[("REGISTRATION__MODE", "open")]).await;
    let register = async |body: serde_json::Value| {
        answer(house.http().post(format!("{}/register", house.issuer)).json(&body)).await
    };
    let good = Publisher::of(&json!([CALLBACK, "https://other.example/cb"])).await;
    let bad = Publisher::of(&json!(["https://other.example/cb"])).await;
    let no_list = Publisher::of(&json!({ "redirect_uris": [CALLBACK] })).await;
    let with = |uri: &str| {
        json!({
            "redirect_uris": [CALLBACK], "subject_type": "pairwise", "sector_identifier_uri": uri,
        })
    };
    let registered = register(with(&good.url)).await;
    assert_eq!(registered.status, 201, "{}", registered.json);
    assert_eq!(registered.json["subject_type"], "pairwise");
    assert_eq!(registered.json["sector_identifier_uri"], good.url);
    for uri in [bad.url.as_str(), no_list.url.as_str(), "ftp://a.example/", "http://192.0.2.1/"] {
        let refused = register(with(uri)).await;
        assert_eq!(refused.error(), "400 invalid_client_metadata", "{uri}");
    }
    // Two hosts and no document are no sector.
    let two = ["https://a.example/cb", "https://b.example/cb"];
    let refused = register(json!({ "redirect_uris": two, "subject_type": "pairwise" })).await;
    assert_eq!(refused.error(), "400 invalid_client_metadata");
    // An update is looked at like a registration.
    let url = registered.text("registration_client_uri");
    let token = registered.text("registration_access_token");
    let mut body = with(&good.url);
    body["client_id"] = registered.json["client_id"].clone();
    body["redirect_uris"] = json!(["https://third.example/cb"]);
    let refused = answer(house.http().put(url).bearer_auth(token).json(&body)).await;
    assert_eq!(refused.error(), "400 invalid_client_metadata");
}

#[tokio::test]
async fn what_an_operator_saves_is_looked_at_too() {
    let house = House::new().await;
    let administration = &house.broker.broker.administration;
    let document = Publisher::of(&json!([CALLBACK])).await;
    let settings = |uri: &str| {
        let mut settings = serde_json::Map::new();
        settings.insert("subject_type".to_owned(), json!("pairwise"));
        settings.insert("sector_identifier_uri".to_owned(), json!(uri));
        settings
    };
    let create = async |uri: &str| {
        let change = ClientChange {
            redirect_uris: Some(vec![CALLBACK.to_owned()]),
            settings: settings(uri),
            ..ClientChange::default()
        };
        let new = NewClient { change, ..NewClient::of_kind(ClientKind::Web, "Shop") };
        administration.create_client(&Actor::cli(), new).await
    };
    let made = create(&document.url).await.unwrap().client;
    document.publish(&json!([]));
    assert!(matches!(create(&document.url).await, Err(AdminError::Invalid(_))));
    let change = ClientChange {
        redirect_uris: Some(vec![CALLBACK.to_owned(), "https://b.example/cb".to_owned()]),
        ..ClientChange::default()
    };
    let refused = administration.update_client(&Actor::cli(), &made.client_id, change).await;
    assert!(
        matches!(&refused, Err(AdminError::Invalid(problems))
        if problems[0].field == "sector_identifier_uri"),
        "{refused:?}"
    );
    // What has nothing to do with the sector asks nobody.
    let asked = document.times_asked();
    let change =
        ClientChange { client_name: Some("Another".to_owned()), ..ClientChange::default() };
    administration.update_client(&Actor::cli(), &made.client_id, change).await.unwrap();
    assert_eq!(document.times_asked(), asked);
}
