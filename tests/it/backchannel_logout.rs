//! Back-channel logout: conformance B.6 and C.10.83, OIDC Back-Channel Logout 1.0.

use std::collections::HashSet;
use std::time::Duration;

use russet::op::admin::{Actor, AdminError};
use russet::protocol::client::{Client, ClientKind};
use russet::protocol::delivery::{Delivery, DeliveryState};
use russet::protocol::jose::Algorithm;
use russet::store::outbox::DeliveryQuery;
use serde_json::json;
use url::Url;

use crate::harness::House;
use crate::harness::app::{App, claims};
use crate::harness::browser::Browser;
use crate::harness::receiver::{Receiver, eventually, verified};
use crate::on_each_engine;

const BYE: &str = "http://127.0.0.1:9/bye";
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

fn listening(receiver: &Receiver) -> impl FnOnce(&mut Client) {
    let uri = receiver.url("/backchannel");
    move |client| client.settings.backchannel_logout_uri = Some(uri)
}

async fn sign_out(house: &House, browser: &mut Browser, id_token: &str) {
    let mut url = Url::parse(&format!("{}/logout", house.issuer)).unwrap();
    url.query_pairs_mut()
        .append_pair("id_token_hint", id_token)
        .append_pair("post_logout_redirect_uri", BYE);
    let end = browser.open(url.as_str()).await;
    assert_eq!(end.url.as_str(), BYE);
}

async fn deliveries(house: &House) -> Vec<Delivery> {
    let query = DeliveryQuery { limit: 500, ..DeliveryQuery::default() };
    house.store().list_deliveries(&query).await.unwrap()
}

/// Waits until the one delivery stands so.
async fn the_delivery(house: &House, stands: impl Fn(&Delivery) -> bool) -> Delivery {
    eventually(|| async {
        let mut all = deliveries(house).await;
        assert_eq!(all.len(), 1);
        Some(all.remove(0)).filter(&stands)
    })
    .await
}

#[tokio::test]
async fn c1_9_b6_discovery_says_so() {
    let house = House::new().await;
    let url = format!("{}/.well-known/openid-configuration", house.issuer);
    let metadata: serde_json::Value =
        house.http().get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(metadata["backchannel_logout_supported"], true);
    assert_eq!(metadata["backchannel_logout_session_supported"], true);
    assert!(metadata["end_session_endpoint"].is_string());
}

#[tokio::test]
async fn c10_83_b6_rp_initiated_logout_posts_one_logout_token_beside_the_redirect() {
    on_each_engine!(house, {
        for alg in [Algorithm::Rs256, Algorithm::EdDsa] {
            let mut receiver = Receiver::start();
            let listen = listening(&receiver);
            let app = house
                .client(ClientKind::Web, |client| {
                    listen(client);
                    client.id_token_signed_response_alg = alg;
                })
                .await;
            let mut browser = house.browser();
            let tokens = app.tokens(&mut browser, "openid", "Ada Lovelace").await;
            let id_token = claims(tokens.text("id_token"));
            sign_out(&house, &mut browser, tokens.text("id_token")).await;

            let received = receiver.next().await;
            assert_eq!(received.path, "/backchannel");
            let kind = received.header("content-type").unwrap();
            assert_eq!(kind, "application/x-www-form-urlencoded");
            let (header, token) = verified(&house, &received.logout_token()).await;
            assert_eq!(header["typ"], "logout+jwt");
            assert_eq!(header["alg"], alg.as_str());
            assert_eq!(token["iss"], house.issuer);
            assert_eq!(token["aud"], app.client_id());
            assert_eq!(token["sub"], id_token["sub"]);
            assert_eq!(token["sid"], id_token["sid"]);
            assert_eq!(token["events"], json!({ LOGOUT_EVENT: {} }));
            assert_eq!(token["iat"], house.now().secs());
            assert_eq!(token["exp"], house.now().secs() + 120);
            assert!(token["jti"].as_str().unwrap().len() >= 22);
            assert!(token.get("nonce").is_none());
            let silent = app.attempt("openid").with("prompt", "none");
            let end = browser.open(&app.authorize_url(&silent)).await;
            assert_eq!(end.query("error").as_deref(), Some("login_required"));
        }
    });
}

#[tokio::test]
async fn every_client_of_the_session_is_told_and_no_other() {
    let house = House::new().await;
    let mut receivers = [Receiver::start(), Receiver::start(), Receiver::start()];
    let mut apps: Vec<App> = Vec::new();
    for receiver in &receivers {
        apps.push(house.client(ClientKind::Web, listening(receiver)).await);
    }
    let mut browser = house.browser();
    let first = apps[0].tokens(&mut browser, "openid", "Ada Lovelace").await;
    apps[1].tokens(&mut browser, "openid", "Ada Lovelace").await;
    // The same person elsewhere stays signed in, at the same client and at another.
    let mut elsewhere = house.browser();
    apps[0].tokens(&mut elsewhere, "openid", "Ada Lovelace").await;
    apps[2].tokens(&mut elsewhere, "openid", "Ada Lovelace").await;
    sign_out(&house, &mut browser, first.text("id_token")).await;
    let sid = claims(first.text("id_token"))["sid"].clone();
    for receiver in receivers.iter_mut().take(2) {
        let token = receiver.next().await.logout_token();
        assert_eq!(claims(&token)["sid"], sid);
    }
    assert_eq!(deliveries(&house).await.len(), 2);
    assert!(receivers.iter_mut().all(Receiver::is_quiet));
}

#[tokio::test]
async fn a_client_whose_grant_was_swept_long_ago_is_still_told() {
    on_each_engine!(house, {
        let mut receiver = Receiver::start();
        let app = house.client(ClientKind::Web, listening(&receiver)).await;
        let mut browser = house.browser();
        // No refresh token: the grant is gone soon, the app's own session is not.
        let tokens = app.tokens(&mut browser, "openid", "Ada Lovelace").await;
        house.advance(Duration::from_secs(5 * 24 * 3600));
        house.broker.broker.provider.sweep().await.unwrap();
        let sub = claims(tokens.text("id_token"))["sub"].as_str().unwrap().to_owned();
        sign_out(&house, &mut browser, tokens.text("id_token")).await;
        assert_eq!(claims(&receiver.next().await.logout_token())["sub"], sub);
    });
}

#[tokio::test]
async fn a_client_that_is_away_is_told_when_it_is_back() {
    on_each_engine!(house, {
        let mut receiver = Receiver::start();
        receiver.answer(503, "");
        let app = house.client(ClientKind::Web, listening(&receiver)).await;
        let mut browser = house.browser();
        let tokens = app.tokens(&mut browser, "openid", "Ada Lovelace").await;
        sign_out(&house, &mut browser, tokens.text("id_token")).await;
        let first = claims(&receiver.next().await.logout_token());
        let waiting = the_delivery(&house, |delivery| delivery.last_error.is_some()).await;
        assert_eq!(waiting.state, DeliveryState::Owed);
        assert_eq!(waiting.attempts, 1);
        assert!(waiting.last_error.unwrap().contains("503"));
        assert!(waiting.due_at > house.now(), "not at once");

        receiver.answer(200, "");
        house.advance(Duration::from_secs(10));
        let second = claims(&receiver.next().await.logout_token());
        assert_eq!(second["exp"], house.now().secs() + 120, "signed anew");
        assert_ne!(first["jti"], second["jti"]);
        let told = the_delivery(&house, |d| d.state == DeliveryState::Delivered).await;
        assert_eq!(told.attempts, 2);
        assert_eq!(told.message, None, "what is told is not kept");
        assert!(receiver.is_quiet());
    });
}

#[tokio::test]
async fn after_a_day_it_is_given_up_in_the_open_and_an_operator_may_try_again() {
    let house = House::new().await;
    let mut receiver = Receiver::start();
    receiver.answer(404, "");
    let app = house.client(ClientKind::Web, listening(&receiver)).await;
    let mut browser = house.browser();
    let tokens = app.tokens(&mut browser, "openid", "Ada Lovelace").await;
    sign_out(&house, &mut browser, tokens.text("id_token")).await;
    receiver.next().await;
    the_delivery(&house, |delivery| delivery.last_error.is_some()).await;
    house.advance(Duration::from_secs(24 * 3600));
    receiver.next().await;
    let failed = the_delivery(&house, |d| d.state == DeliveryState::Failed).await;
    assert_eq!(failed.last_error.as_deref(), Some("the client answered 404 (given up)"));
    house.advance(Duration::from_secs(24 * 3600));
    assert_eq!(house.broker.broker.provider.deliver_due().await.unwrap(), 0);

    receiver.answer(200, "");
    let administration = &house.broker.broker.administration;
    administration.redeliver(&Actor::cli(), failed.id).await.unwrap();
    receiver.next().await;
    the_delivery(&house, |d| d.state == DeliveryState::Delivered).await;
    let again = administration.redeliver(&Actor::cli(), failed.id).await;
    assert!(matches!(again, Err(AdminError::NotFound)), "what was taken is not sent again");
}

#[tokio::test]
async fn a_private_address_is_not_posted_to() {
    let house = House::new().await;
    let app = house
        .client(ClientKind::Web, |client| {
            client.settings.backchannel_logout_uri = Some("https://10.0.0.1/logout".to_owned());
        })
        .await;
    let mut browser = house.browser();
    let tokens = app.tokens(&mut browser, "openid", "Ada Lovelace").await;
    sign_out(&house, &mut browser, tokens.text("id_token")).await;
    let refused = the_delivery(&house, |delivery| delivery.last_error.is_some()).await;
    assert!(refused.last_error.unwrap().contains("private address"));
}

#[tokio::test]
async fn two_replicas_deliver_each_logout_once() {
    on_each_engine!(house, {
        let mut receiver = Receiver::start();
        let app = house.client(ClientKind::Web, listening(&receiver)).await;
        let replica = house.replica().await;
        let mut sids = HashSet::new();
        for _ in 0..6 {
            let mut browser = house.browser();
            let tokens = app.tokens(&mut browser, "openid", "Ada Lovelace").await;
            sids.insert(claims(tokens.text("id_token"))["sid"].to_string());
            sign_out(&house, &mut browser, tokens.text("id_token")).await;
        }
        let (here, there) = tokio::join!(
            house.broker.broker.provider.deliver_due(),
            replica.broker.provider.deliver_due(),
        );
        here.unwrap();
        there.unwrap();
        let mut told = HashSet::new();
        for _ in 0..6 {
            told.insert(claims(&receiver.next().await.logout_token())["sid"].to_string());
        }
        assert_eq!(told, sids);
        eventually(|| async {
            let all = deliveries(&house).await;
            let once = all.iter().all(|d| d.state == DeliveryState::Delivered && d.attempts == 1);
            once.then_some(())
        })
        .await;
        assert!(receiver.is_quiet());
        replica.stop().await;
    });
}

#[tokio::test]
async fn a_disabled_person_is_signed_out_everywhere_by_sub_or_by_sid_as_the_client_needs() {
    let house = House::new().await;
    let (mut plain, mut by_sid) = (Receiver::start(), Receiver::start());
    let app = house.client(ClientKind::Web, listening(&plain)).await;
    let listen = listening(&by_sid);
    let strict = house
        .client(ClientKind::Web, |client| {
            listen(client);
            client.settings.backchannel_logout_session_required = true;
        })
        .await;
    let mut sids = HashSet::new();
    let mut sub = String::new();
    for _ in 0..2 {
        let mut browser = house.browser();
        let tokens = app.tokens(&mut browser, "openid", "Ada Lovelace").await;
        strict.tokens(&mut browser, "openid", "Ada Lovelace").await;
        let id_token = claims(tokens.text("id_token"));
        sids.insert(id_token["sid"].to_string());
        sub = id_token["sub"].as_str().unwrap().to_owned();
    }
    let administration = &house.broker.broker.administration;
    administration.set_user_disabled(&Actor::cli(), &sub, true, None).await.unwrap();
    let token = claims(&plain.next().await.logout_token());
    assert_eq!((&token["sub"], token.get("sid")), (&json!(sub), None));
    let told: HashSet<String> = HashSet::from([
        claims(&by_sid.next().await.logout_token())["sid"].to_string(),
        claims(&by_sid.next().await.logout_token())["sid"].to_string(),
    ]);
    assert_eq!(told, sids);
    assert_eq!(deliveries(&house).await.len(), 3);
}
