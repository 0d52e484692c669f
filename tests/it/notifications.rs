//! What Apple announces, and what follows from it: apple.md §8, seen from outside.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::StatusCode;
use russet::protocol::client::ClientKind;
use russet::protocol::upstream_grant::GrantState;
use russet::protocol::user::Identity;
use serde_json::{Value, json};

use crate::harness::app::{App, claims};
use crate::harness::{House, SERVICES_ID};
use crate::on_each_engine;

/// A notification as the simulated Apple signs it, not delivered.
async fn made(house: &House, mut order: Value) -> String {
    order["deliver"] = json!(false);
    let url = format!("{}/_sim/notifications", house.apple.issuer());
    let response = house.http().post(url).json(&order).send().await.unwrap();
    assert_eq!(response.status(), 200, "{order}");
    response.json::<Value>().await.unwrap()["payload"].as_str().unwrap().to_owned()
}

fn inbox(issuer: &str) -> String {
    format!("{issuer}/upstream/apple/notifications")
}

/// Posts until there is an answer: a machine may be too busy for one within Apple's two seconds.
async fn post(house: &House, payload: &str) -> StatusCode {
    loop {
        let status = post_once(house, payload).await;
        if status != StatusCode::SERVICE_UNAVAILABLE {
            return status;
        }
    }
}

async fn post_once(house: &House, payload: &str) -> StatusCode {
    let body = json!({ "payload": payload });
    let response = house.http().post(inbox(&house.issuer)).json(&body).send().await.unwrap();
    let status = response.status();
    assert!(response.bytes().await.unwrap().is_empty(), "the answer tells nothing");
    status
}

/// Announces and waits until it is worked off.
pub(crate) async fn announce(house: &House, order: Value) {
    let payload = made(house, order).await;
    assert_eq!(post(house, &payload).await, 200);
    worked_off(house).await;
}

async fn worked_off(house: &House) {
    house.broker.broker.provider.work_off_notifications().await.unwrap();
    assert_eq!(house.store().waiting_notifications().await.unwrap(), 0);
}

async fn identity(house: &House, sub: &str) -> Identity {
    let user = house.store().find_user_by_sub(sub).await.unwrap().unwrap();
    house.store().list_identities(&user.id).await.unwrap().remove(0)
}

/// Signs Ada in and returns her `sub`, her access token and her refresh token.
async fn ada(house: &House, app: &App) -> (String, String, String) {
    let scope = "openid email offline_access";
    let tokens = app.tokens(&mut house.browser(), scope, "Ada Lovelace").await;
    let sub = claims(tokens.text("id_token"))["sub"].as_str().unwrap().to_owned();
    (sub, tokens.text("access_token").to_owned(), tokens.text("refresh_token").to_owned())
}

#[tokio::test]
async fn who_stops_using_the_app_is_signed_out_and_may_come_back() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let (sub, access, refresh) = ada(&house, &app).await;
        let grace = app.tokens(&mut house.browser(), "openid offline_access", "Grace").await;
        house.advance(Duration::from_secs(10));
        announce(&house, json!({ "account": "ada", "type": "consent-revoked" })).await;

        assert_eq!(app.refresh(&refresh).await.error(), "400 invalid_grant");
        assert_eq!(app.introspect(&access).await.json["active"], false);
        let user = house.store().find_user_by_sub(&sub).await.unwrap().unwrap();
        assert!(user.disabled_at.is_none());
        let sessions = house.store().list_sessions(&user.id).await.unwrap();
        assert!(sessions.iter().all(|session| session.ended_at.is_some()));
        assert!(identity(&house, &sub).await.ended_at.is_some());
        let grants = house.store().find_upstream_grants(&user.id).await.unwrap();
        assert!(grants.iter().all(|grant| grant.state == GrantState::Revoked));
        assert_eq!(house.events("upstream_consent.revoked").await, 1);
        assert_eq!(app.refresh(grace.text("refresh_token")).await.status, 200, "nobody else");

        house.advance(Duration::from_secs(10));
        let (again, _, refresh) = ada(&house, &app).await;
        assert_eq!(again, sub, "the same person");
        assert!(identity(&house, &sub).await.ended_at.is_none());
        assert_eq!(app.refresh(&refresh).await.status, 200);
    });
}

#[tokio::test]
async fn all_four_kinds_in_both_shapes_and_under_both_names_do_what_they_say() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        for object_events in [false, true] {
            for name_switch in [false, true] {
                let (sub, access, _) = ada(&house, &app).await;
                let tell = |kind: &str| {
                    json!({ "account": "ada", "type": kind, "object_events": object_events,
                        "name_switch": name_switch })
                };
                house.advance(Duration::from_secs(1));
                announce(&house, tell("email-disabled")).await;
                assert!(identity(&house, &sub).await.email_undeliverable_since.is_some());
                assert_eq!(app.introspect(&access).await.json["active"], true);
                house.advance(Duration::from_secs(1));
                announce(&house, tell("email-enabled")).await;
                assert!(identity(&house, &sub).await.email_undeliverable_since.is_none());
                announce(&house, tell("account-delete")).await;
                assert_eq!(app.introspect(&access).await.json["active"], false);
                house.advance(Duration::from_secs(1));
            }
        }
        assert_eq!(house.events("upstream_account.deleted").await, 4);
    });
}

#[tokio::test]
async fn a_repetition_is_accepted_and_does_nothing() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        ada(&house, &app).await;
        let order = json!({ "account": "ada", "type": "consent-revoked", "jti": "once" });
        let payload = made(&house, order).await;
        let second = house.replica().await;
        let other = format!("http://{}", second.address());
        let post_at = |base: String| {
            let body = json!({ "payload": payload });
            house.http().post(inbox(&base)).json(&body).send()
        };
        let bases = [house.issuer.clone(), other];
        let all = join_all((0..16).map(|i| post_at(bases[i % 2].clone()))).await;
        assert!(all.into_iter().all(|answer| answer.unwrap().status() == 200));
        worked_off(&house).await;
        second.broker.provider.work_off_notifications().await.unwrap();
        assert_eq!(house.events("upstream_consent.revoked").await, 1);

        // She comes back; the late duplicate changes nothing.
        house.advance(Duration::from_secs(60));
        let (_, access, _) = ada(&house, &app).await;
        assert_eq!(post(&house, &payload).await, 200);
        worked_off(&house).await;
        assert_eq!(app.introspect(&access).await.json["active"], true);
        second.stop().await;
    });
}

#[tokio::test]
async fn an_event_from_before_the_last_sign_in_signs_nobody_out() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let before = house.now().millis();
        house.advance(Duration::from_secs(60));
        let (sub, access, refresh) = ada(&house, &app).await;
        for kind in ["consent-revoked", "account-delete"] {
            let late = json!({ "account": "ada", "type": kind, "event_time": before });
            announce(&house, late).await;
        }
        assert_eq!(app.introspect(&access).await.json["active"], true);
        assert_eq!(app.refresh(&refresh).await.status, 200);
        assert!(identity(&house, &sub).await.ended_at.is_none());
        assert_eq!(house.events("upstream_consent.revoked").await, 0);
    });
}

#[tokio::test]
async fn mail_events_out_of_order_leave_what_is_true() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let (sub, ..) = ada(&house, &app).await;
        let at = house.now().millis();
        house.advance(Duration::from_secs(60));
        for (kind, after, undeliverable) in [
            ("email-enabled", 2000, false),
            ("email-disabled", 1000, false),
            ("email-disabled", 3000, true),
            ("email-enabled", 2500, true),
            ("email-disabled", 4000, true),
        ] {
            let order = json!({ "account": "ada", "type": kind, "event_time": at + after });
            announce(&house, order).await;
            let since = identity(&house, &sub).await.email_undeliverable_since;
            assert_eq!(since.is_some(), undeliverable, "{kind} {after}");
        }
        let since = identity(&house, &sub).await.email_undeliverable_since.unwrap();
        assert_eq!(since.millis(), at + 3000, "since the first of them");
        let shown = house.broker.broker.administration.find_person(&sub).await.unwrap().to_json();
        assert_eq!(shown["email_undeliverable_since"], (at + 3000) / 1000);
    });
}

#[tokio::test]
async fn a_forged_stale_or_foreign_notification_is_refused_and_leaves_nothing() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let (_, access, _) = ada(&house, &app).await;
        for fault in [
            "stranger_key",
            "unknown_kid",
            "alg_none",
            "alg_hs256",
            "wrong_aud",
            "wrong_iss",
            "expired",
            "future_iat",
        ] {
            let order = json!({ "account": "ada", "type": "consent-revoked", "fault": fault });
            assert_eq!(post(&house, &made(&house, order).await).await, 400, "{fault}");
        }
        let good = json!({ "account": "ada", "type": "consent-revoked" });
        let payload = made(&house, good).await;
        for body in ["", "{}", "payload", "[]", r#"{"payload":5}"#, r#"{"payload":"a.b.c"}"#] {
            let answer = house.http().post(inbox(&house.issuer)).body(body).send().await.unwrap();
            assert_eq!(answer.status(), 400, "{body}");
        }
        let long = json!({ "payload": payload, "more": "x".repeat(17_000) }).to_string();
        let answer = house.http().post(inbox(&house.issuer)).body(long).send().await.unwrap();
        assert_eq!(answer.status(), 413);
        house.advance(Duration::from_secs(24 * 3600 + 61));
        assert_eq!(post(&house, &payload).await, 400, "a day later");

        let nowhere = format!("{}/upstream/nowhere/notifications", house.issuer);
        let answer = house.http().post(nowhere).body("{}").send().await.unwrap();
        assert_eq!(answer.status(), 404);
        assert_eq!(house.store().waiting_notifications().await.unwrap(), 0);
        assert!(house.store().last_notifications().await.unwrap().is_empty());
        assert_eq!(house.events("upstream_consent.revoked").await, 0);
        let _ = access;
    });
}

#[tokio::test]
async fn an_unknown_person_and_an_unknown_kind_are_answered_with_200() {
    on_each_engine!(house, {
        announce(&house, json!({ "account": "grace", "type": "consent-revoked" })).await;
        announce(&house, json!({ "account": "grace", "type": "account-frozen" })).await;
        let heard = house.broker.broker.provider.last_notifications().await.unwrap();
        assert_eq!(heard.len(), 1);
        assert_eq!(heard[0].connection_id.as_str(), "apple");
        assert_eq!(heard[0].kind.as_str(), "account-frozen");
        assert_eq!(heard[0].at, house.now());
    });
}

#[tokio::test]
async fn what_a_dead_process_left_in_the_inbox_is_worked_off_once() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let (_, access, _) = ada(&house, &app).await;
        // Written down by a process that died before it did anything.
        let payload = made(&house, json!({ "account": "ada", "type": "consent-revoked" })).await;
        let connector = house
            .broker
            .broker
            .provider
            .connector(&russet::protocol::id::ConnectionId::new("apple"))
            .unwrap();
        let body = json!({ "payload": payload }).to_string();
        let now = house.now();
        let read =
            connector.announcements().unwrap().read(body.as_bytes(), now, now).await.unwrap();
        house
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    tx.insert_notification(&read, connector.id(), now).await?;
                    Ok::<_, russet::store::StoreFault>(())
                })
            })
            .await
            .unwrap();
        let second = house.replica().await;
        let (one, two) = (&house.broker.broker.provider, &second.broker.provider);
        let done = tokio::join!(one.work_off_notifications(), two.work_off_notifications());
        assert!(done.0.is_ok() && done.1.is_ok());
        assert_eq!(house.store().waiting_notifications().await.unwrap(), 0);
        assert_eq!(house.events("upstream_consent.revoked").await, 1);
        assert_eq!(app.introspect(&access).await.json["active"], false);
        second.stop().await;
    });
}

#[tokio::test]
async fn the_operator_may_have_who_left_disabled() {
    for (kind, key, value) in [
        ("consent-revoked", "CONSENT_REVOKED", "disable"),
        ("account-delete", "ACCOUNT_DELETED", "disable"),
    ] {
        let name = format!("RUSSET_APPLE__NOTIFICATIONS__{key}");
        let house = House::configured(&[(&name, value)]).await;
        let app = house.client(ClientKind::Web, |_| {}).await;
        let (sub, ..) = ada(&house, &app).await;
        announce(&house, json!({ "account": "ada", "type": kind })).await;
        let user = house.store().find_user_by_sub(&sub).await.unwrap().unwrap();
        assert_eq!(user.disabled_at, Some(house.now()), "{kind}");
        assert_eq!(house.events("user.disabled").await, 1);
        let attempt = app.attempt("openid");
        let end = app.sign_in(&mut house.browser(), &attempt, "Ada").await;
        assert_eq!(end.query("error").as_deref(), Some("access_denied"), "{kind}");
    }
}

#[tokio::test]
async fn a_code_on_its_way_is_worth_nothing_after_the_event() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let attempt = app.attempt("openid");
    let end = app.sign_in(&mut house.browser(), &attempt, "Ada Lovelace").await;
    announce(&house, json!({ "account": "ada", "type": "consent-revoked" })).await;
    let found = app.redeem(&attempt, &end.query("code").unwrap()).await;
    assert_eq!(found.error(), "400 invalid_grant");
}

#[tokio::test]
async fn no_signed_notification_stands_in_the_database() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    ada(&house, &app).await;
    let order = json!({ "account": "ada", "type": "email-disabled", "client_id": SERVICES_ID });
    let payload = made(&house, order).await;
    assert_eq!(post(&house, &payload).await, 200);
    worked_off(&house).await;
    let signature = payload.rsplit('.').next().unwrap();
    for entry in std::fs::read_dir(house.database_directory()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(signature.len()).any(|window| window == signature.as_bytes()));
    }
}

#[tokio::test]
async fn the_operator_may_have_who_left_deleted() {
    let name = "RUSSET_APPLE__NOTIFICATIONS__ACCOUNT_DELETED";
    let house = House::configured(&[(name, "delete")]).await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let (sub, ..) = ada(&house, &app).await;
    let user = house.store().find_user_by_sub(&sub).await.unwrap().unwrap();
    announce(&house, json!({ "account": "ada", "type": "account-delete" })).await;
    announce(&house, json!({ "account": "ada", "type": "account-delete" })).await;
    assert_eq!(house.events("user.deletion_begun").await, 1);
    let after = house.store().find_user(&user.id).await.unwrap();
    assert!(after.is_none_or(|user| user.email.is_none() && user.disabled_at.is_some()));
}

#[tokio::test]
async fn whoever_has_another_way_in_keeps_their_account() {
    let name = "RUSSET_APPLE__NOTIFICATIONS__ACCOUNT_DELETED";
    for policy in ["disable", "delete"] {
        let house = House::configured(&[(name, policy)]).await;
        let app = house.client(ClientKind::Web, |_| {}).await;
        let (sub, access, _) = ada(&house, &app).await;
        let first = identity(&house, &sub).await;
        let other = Identity {
            authority: "https://other.example".to_owned(),
            connection_id: russet::protocol::id::ConnectionId::new("other"),
            ..first
        };
        house
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    tx.insert_identity(&other).await?;
                    Ok::<_, russet::store::StoreFault>(())
                })
            })
            .await
            .unwrap();
        announce(&house, json!({ "account": "ada", "type": "account-delete" })).await;
        let user = house.store().find_user_by_sub(&sub).await.unwrap().unwrap();
        assert!(user.disabled_at.is_none(), "{policy}");
        assert_eq!(app.introspect(&access).await.json["active"], false, "signed out all the same");
    }
}

#[tokio::test]
async fn what_a_person_presses_at_apple_reaches_the_broker() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let (sub, access, _) = ada(&house, &app).await;
    let press = async |act: &str| {
        house.advance(Duration::from_secs(1));
        let url = format!("{}/people", house.apple.issuer());
        let form = [("account", "ada"), ("act", act)];
        assert_eq!(house.http().post(url).form(&form).send().await.unwrap().status(), 303);
        worked_off(&house).await;
    };
    press("toggle-forwarding").await;
    assert!(identity(&house, &sub).await.email_undeliverable_since.is_some());
    press("toggle-forwarding").await;
    assert!(identity(&house, &sub).await.email_undeliverable_since.is_none());
    assert_eq!(app.introspect(&access).await.json["active"], true);
    press("stop-using").await;
    assert_eq!(app.introspect(&access).await.json["active"], false);
    ada(&house, &app).await;
    press("delete-account").await;
    assert_eq!(house.events("upstream_account.deleted").await, 1);
}
