//! Announcements whose key is not known when they come: kept, and verified when it can be — apple.md
//! §8, §1.4.

use std::time::Duration;

use reqwest::StatusCode;
use russet::protocol::client::ClientKind;
use russet::store::unverified_notifications::{MOST, SHARE, Unverified};
use serde_json::{Value, json};

use crate::harness::House;
use crate::on_each_engine;

async fn made(house: &House, mut order: Value) -> String {
    order["deliver"] = json!(false);
    house.simulate("notifications", &order).await["payload"].as_str().expect("a JWS").to_owned()
}

async fn post(house: &House, payload: &str) -> StatusCode {
    let url = format!("{}/upstream/apple/notifications", house.issuer);
    let body = json!({ "payload": payload });
    house.http().post(url).json(&body).send().await.unwrap().status()
}

fn revoked() -> Value {
    json!({ "account": "ada", "type": "consent-revoked" })
}

/// Somebody names keys that nobody has, so that none may be fetched for half a minute.
async fn with_bogus_keys(house: &House) {
    let bogus = json!({ "account": "grace", "type": "email-enabled", "fault": "unknown_kid" });
    let payload = made(house, bogus).await;
    while post(house, &payload).await != StatusCode::BAD_REQUEST {}
}

async fn kept_now(house: &House) -> Vec<Unverified> {
    let late = house.now().plus(Duration::from_secs(86_400));
    house.store().due_unverified_notifications(late, 9).await.unwrap()
}

/// Waits until the one that was posted is kept, which it is after its sender's patience as well.
async fn until_kept(house: &House) -> Vec<Unverified> {
    loop {
        let kept = kept_now(house).await;
        if !kept.is_empty() {
            assert_eq!(kept.len(), 1, "a repetition is the same");
            return kept;
        }
    }
}

/// What is due is looked at and worked off, here and now.
async fn work(house: &House) {
    let provider = &house.broker.broker.provider;
    provider.verify_late_notifications().await.expect("looking");
    provider.work_off_notifications().await.expect("working");
}

#[tokio::test]
async fn a_bogus_key_keeps_no_true_event_out_and_it_counts_once() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let tokens = app.tokens(&mut house.browser(), "openid offline_access", "Ada").await;
        let refresh = tokens.text("refresh_token").to_owned();
        house.advance(Duration::from_secs(5));
        with_bogus_keys(&house).await;
        house.advance(Duration::from_secs(5));
        house.simulate("keys/add", &json!({})).await;
        let payload = made(&house, revoked()).await;
        for _ in 0..3 {
            assert_eq!(post(&house, &payload).await, 503, "to come again, if it can");
        }
        until_kept(&house).await;
        work(&house).await;
        assert_eq!(house.events("upstream_consent.revoked").await, 0, "not unverified");

        // It does not come again. Half a minute later it counts all the same, on any replica.
        let second = house.replica().await;
        house.advance(Duration::from_secs(30));
        second.broker.provider.verify_late_notifications().await.expect("looking");
        work(&house).await;
        assert_eq!(house.events("upstream_consent.revoked").await, 1);
        assert_eq!(app.refresh(&refresh).await.error(), "400 invalid_grant");
        house.advance(Duration::from_secs(60));
        while post(&house, &payload).await != StatusCode::OK {}
        work(&house).await;
        assert_eq!(house.events("upstream_consent.revoked").await, 1);
        second.stop().await;
    });
}

#[tokio::test]
async fn while_apples_keys_are_not_to_be_had_nothing_is_lost() {
    on_each_engine!(house, {
        let away = json!({ "endpoint": "keys", "fault": "status_503", "times": 1000 });
        house.simulate("faults", &away).await;
        let payload = made(&house, json!({ "account": "ada", "type": "email-enabled" })).await;
        assert_eq!(post(&house, &payload).await, 503);
        until_kept(&house).await;
        for _ in 0..10 {
            house.advance(Duration::from_secs(3600));
            work(&house).await;
        }
        house.simulate("faults/clear", &json!({})).await;
        house.advance(Duration::from_secs(3600));
        work(&house).await;
        let heard = house.store().last_notifications().await.unwrap();
        assert_eq!(heard.len(), 1, "eleven hours later");
    });
}

#[tokio::test]
async fn what_was_forged_is_forgotten_and_few_are_kept() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    app.tokens(&mut house.browser(), "openid", "Ada").await;
    house.advance(Duration::from_secs(5));
    with_bogus_keys(&house).await;
    house.advance(Duration::from_secs(5));
    let forged = json!({ "account": "ada", "type": "consent-revoked", "fault": "unknown_kid" });
    let payload = made(&house, forged).await;
    assert_eq!(post(&house, &payload).await, 503);
    let kept = until_kept(&house).await;
    let signature = payload.rsplit('.').next().unwrap().as_bytes().to_vec();
    let bytes = &kept[0].sealed_body;
    assert!(!bytes.windows(signature.len()).any(|window| window == signature), "sealed");

    // One source fills its share and leaves room for others, until there is none at all.
    let own = fill(&house, kept[0].clone(), kept[0].source().to_owned()).await;
    assert_eq!(own, SHARE - 1);
    let mut others = Vec::new();
    while others.last().is_none_or(|last| *last > 0) {
        others.push(fill(&house, kept[0].clone(), format!("s{}", others.len())).await);
    }
    assert!(others.iter().all(|taken| *taken <= SHARE));
    assert_eq!(others.iter().sum::<i64>(), MOST - SHARE);
    house.advance(Duration::from_secs(30));
    while !kept_now(&house).await.is_empty() {
        work(&house).await;
    }
    assert_eq!(house.events("upstream_consent.revoked").await, 0);
}

/// Keeps as many from this source as are taken; how many those are.
async fn fill(house: &House, like: Unverified, source: String) -> i64 {
    let filled = house.store().write(move |tx| {
        Box::pin(async move {
            let (mut one, mut taken) = (like, 0);
            loop {
                one.id = format!("{source}.{taken}");
                if !tx.insert_unverified_notification(&one).await? {
                    return Ok::<_, russet::store::StoreFault>(taken);
                }
                taken += 1;
            }
        })
    });
    filled.await.unwrap()
}

#[tokio::test]
async fn what_is_not_verified_soon_is_kept_while_that_is_waited_for() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let tokens = app.tokens(&mut house.browser(), "openid offline_access", "Ada").await;
        house.advance(Duration::from_secs(61));
        house.simulate("keys/add", &json!({})).await;
        house.simulate("faults", &json!({ "endpoint": "keys", "fault": "hang", "times": 1 })).await;
        let payload = made(&house, revoked()).await;
        assert_eq!(post(&house, &payload).await, 503);
        // Apple is silent still, and whoever ends the process now takes nothing along.
        until_kept(&house).await;
        house.simulate("release", &json!({})).await;
        while house.events("upstream_consent.revoked").await == 0
            || !kept_now(&house).await.is_empty()
        {
            house.advance(Duration::from_secs(60));
            work(&house).await;
        }
        assert_eq!(house.events("upstream_consent.revoked").await, 1);
        assert_eq!(app.refresh(tokens.text("refresh_token")).await.error(), "400 invalid_grant");
    });
}
