//! Notifications: each rule with its refusal, each tolerance with its shape.

use actix_web::HttpResponse;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::protocol::ambient::Timestamp;
use crate::upstream::apple::tests::{APP, APPLES, NOW, WEB, apple, reason, rsa, signed, with};
use crate::upstream::tests::Server;

fn good(issuer: &str) -> Value {
    let event =
        json!({ "type": "consent-revoked", "sub": "001234.abc.1234", "event_time": 999_990 });
    json!({
        "iss": issuer, "aud": APP, "iat": 1_000_000, "exp": 1_086_400, "jti": "a-jti",
        "events": event.to_string(),
    })
}

fn body(token: &str) -> Vec<u8> {
    json!({ "payload": token }).to_string().into_bytes()
}

fn house() -> (Server, AppleConnector) {
    apple(|_| HttpResponse::NotFound().finish())
}

async fn told(
    apple: &AppleConnector,
    claims: &Value,
    now: Timestamp,
) -> Result<Notification, UpstreamError> {
    apple.read(&body(&signed(claims)), now, now).await
}

#[tokio::test]
async fn a_notification_as_it_stands_on_the_wire_is_read() {
    let (server, apple) = house();
    let event = json!({ "type": "consent-revoked", "sub": "001234.abc.1234",
        "event_time": 1_657_617_063_012_i64 });
    let changes = json!({ "events": event.to_string(), "iat": 1_657_617_064, "exp": null });
    let now = Timestamp::from_secs(1_657_617_070);
    let read = told(&apple, &with(good(&server.origin), &changes), now).await.unwrap();
    assert_eq!(
        read,
        Notification {
            authority: "apple:TEAM123456".into(),
            jti: "a-jti".into(),
            kind: NotificationKind::ConsentRevoked,
            subject: Some("001234.abc.1234".into()),
            event_time: Timestamp::from_millis(1_657_617_063_012),
        }
    );
}

#[tokio::test]
async fn each_claim_is_checked() {
    let (server, apple) = house();
    for (changes, expected) in [
        (json!({}), "good"),
        (json!({ "iss": "https://account.apple.example" }), "good"),
        (json!({ "iss": "https://account.apple.com" }), "iss_mismatch"),
        (json!({ "iss": null }), "notification_malformed"),
        (json!({ "aud": WEB }), "good"),
        (json!({ "aud": [APP] }), "good"),
        (json!({ "aud": "com.example.primary" }), "aud_mismatch"),
        (json!({ "aud": [APP, WEB] }), "notification_malformed"),
        (json!({ "aud": "" }), "aud_mismatch"),
        (json!({ "aud": null }), "notification_malformed"),
        (json!({ "iat": 1_000_060 }), "good"),
        (json!({ "iat": 1_000_061 }), "iat_in_future"),
        (json!({ "iat": 1_000_000 - 86_460 }), "good"),
        (json!({ "iat": 1_000_000 - 86_461 }), "notification_stale"),
        // NumericDate may have a fraction.
        (json!({ "iat": 1_000_060.75 }), "good"),
        (json!({ "iat": 1_000_061.25 }), "iat_in_future"),
        (json!({ "exp": 999_941.5 }), "good"),
        (json!({ "exp": 999_940.5 }), "notification_expired"),
        (json!({ "exp": 1e300 }), "notification_malformed"),
        (json!({ "iat": null }), "notification_malformed"),
        (json!({ "iat": "1000000" }), "notification_malformed"),
        (json!({ "exp": null }), "good"),
        (json!({ "exp": 999_941 }), "good"),
        (json!({ "exp": 999_940 }), "notification_expired"),
        (json!({ "jti": "" }), "jti_missing"),
        (json!({ "jti": "x".repeat(256) }), "jti_missing"),
        (json!({ "jti": null }), "notification_malformed"),
        (json!({ "jti": 5 }), "notification_malformed"),
        (json!({ "events": null }), "notification_malformed"),
        (json!({ "sub": "001234.abc.1234" }), "good"),
    ] {
        let claims = with(good(&server.origin), &changes);
        assert_eq!(reason(&told(&apple, &claims, NOW).await), expected, "{changes}");
    }
}

#[tokio::test]
async fn the_primary_app_id_is_an_audience_when_it_is_configured() {
    let (server, mut apple) = house();
    apple.settings.primary_app_id = Some("com.example.primary".into());
    let claims = with(good(&server.origin), &json!({ "aud": "com.example.primary" }));
    assert_eq!(reason(&told(&apple, &claims, NOW).await), "good");
}

#[tokio::test]
async fn events_come_in_every_shape() {
    let (server, apple) = house();
    let event = json!({ "type": "account-delete", "sub": "s", "event_time": 999_990_500 });
    let text = |value: &Value| Value::String(value.to_string());
    for (events, expected) in [
        (text(&event), "good"),
        (event.clone(), "good"),
        (json!([event]), "good"),
        (text(&json!([event])), "good"),
        (json!([text(&event)]), "good"),
        (text(&text(&event)), "good"),
        (json!([]), "notification_malformed"),
        (json!([event, event]), "notification_malformed"),
        (json!(5), "notification_malformed"),
        (json!("not json"), "notification_malformed"),
        (json!("null"), "notification_malformed"),
        (json!(""), "notification_malformed"),
        (json!([[[[event]]]]), "notification_malformed"),
    ] {
        let claims = with(good(&server.origin), &json!({ "events": events }));
        assert_eq!(reason(&told(&apple, &claims, NOW).await), expected, "{events}");
    }
}

#[tokio::test]
async fn each_member_of_an_event_is_checked() {
    let (server, apple) = house();
    let event = json!({ "type": "email-disabled", "sub": "s", "event_time": 999_990_500,
        "email": "x@privaterelay.appleid.com", "is_private_email": "true" });
    for (changes, expected) in [
        (json!({}), "good"),
        (json!({ "is_private_email": true }), "good"),
        (json!({ "type": null }), "notification_malformed"),
        (json!({ "type": "" }), "notification_malformed"),
        (json!({ "type": 5 }), "notification_malformed"),
        (json!({ "type": "x".repeat(65) }), "notification_malformed"),
        (json!({ "sub": null }), "sub_missing"),
        (json!({ "sub": "" }), "sub_missing"),
        (json!({ "sub": "x".repeat(256) }), "sub_missing"),
        (json!({ "sub": 5 }), "sub_missing"),
        // What is not known yet is no error.
        (json!({ "type": "transfer-announced" }), "good"),
        (json!({ "type": "transfer-announced", "sub": null }), "good"),
    ] {
        let events = with(event.clone(), &changes);
        let claims = with(good(&server.origin), &json!({ "events": events }));
        assert_eq!(reason(&told(&apple, &claims, NOW).await), expected, "{changes}");
    }
}

#[tokio::test]
async fn a_time_may_be_seconds_or_milliseconds_and_is_never_ahead() {
    let (server, apple) = house();
    let now = Timestamp::from_secs(1_657_617_063);
    let at = |secs: i64, millis: i64| Timestamp::from_millis(secs * 1000 + millis);
    for (event_time, expected) in [
        (json!(1_657_617_000_012_i64), at(1_657_617_000, 12)),
        (json!("1657617000012"), at(1_657_617_000, 12)),
        (json!(1_657_617_000_012.0), at(1_657_617_000, 12)),
        (json!(1_657_617_000), at(1_657_617_000, 999)),
        (json!(1_657_617_063), now),
        (json!(9_657_617_000_012_i64), now),
        // Unreadable: the token's own time.
        (json!(null), at(1_657_617_060, 0)),
        (json!("soon"), at(1_657_617_060, 0)),
        (json!(-5), at(1_657_617_060, 0)),
        (json!(1e300), at(1_657_617_060, 0)),
    ] {
        let mut event = json!({ "type": "consent-revoked", "sub": "s" });
        event["event_time"] = event_time.clone();
        let changes = json!({ "events": event, "iat": 1_657_617_060, "exp": null });
        let read = told(&apple, &with(good(&server.origin), &changes), now).await.unwrap();
        assert_eq!(read.event_time, expected, "{event_time}");
    }
}

#[tokio::test]
async fn only_apples_own_key_speaks() {
    let (server, apple) = house();
    let claims = good(&server.origin);
    let token = signed(&claims);
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    let foreign = rsa().sign(crate::protocol::jose::Typ::IdToken, &claims).unwrap();
    let (foreign_header, _) = foreign.split_once('.').unwrap();
    let other = signed(&with(claims.clone(), &json!({ "jti": "another" })));
    let encoded = |header: Value| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header.to_string())
    };
    let none = encoded(json!({ "alg": "none", "kid": APPLES.kid() }));
    let hs256 = encoded(json!({ "alg": "HS256", "kid": APPLES.kid() }));
    let own_key = encoded(json!({ "alg": "RS256", "kid": APPLES.kid(), "jwk": {} }));
    for (token, expected) in [
        (token.clone(), "good"),
        (foreign.clone(), "unknown_key"),
        (foreign.replacen(foreign_header, header, 1), "signature_invalid"),
        (format!("{header}.{}.{signature}", other.split('.').nth(1).unwrap()), "signature_invalid"),
        (format!("{header}.{payload}."), "signature_invalid"),
        (format!("{none}.{payload}."), "alg_not_allowed"),
        (format!("{hs256}.{payload}.{signature}"), "alg_not_allowed"),
        (format!("{own_key}.{payload}.{signature}"), "header_not_allowed"),
        (format!("{header}.{payload}"), "token_malformed"),
        (String::new(), "token_malformed"),
        ("x".repeat(17 * 1024), "token_malformed"),
    ] {
        assert_eq!(reason(&apple.read(&body(&token), NOW, NOW).await), expected, "{token:.60}");
    }
}

#[tokio::test]
async fn an_identity_token_is_no_notification() {
    let (server, apple) = house();
    let identity = crate::upstream::apple::tests::claims(&server.origin, APP);
    let found = told(&apple, &with(identity, &json!({ "jti": "x" })), NOW).await;
    assert_eq!(reason(&found), "notification_malformed");
}

#[tokio::test]
async fn the_body_is_json_with_a_payload() {
    let (server, apple) = house();
    let token = signed(&good(&server.origin));
    let whole = json!({ "payload": token, "more": 1 }).to_string();
    let twice = format!(r#"{{"payload":"{token}","payload":"{token}"}}"#);
    for (body, expected) in [
        (whole, "good"),
        (twice, "notification_malformed"),
        (token.clone(), "notification_malformed"),
        (format!("payload={token}"), "notification_malformed"),
        (json!([token]).to_string(), "notification_malformed"),
        (json!({ "payload": [token] }).to_string(), "notification_malformed"),
        (json!({}).to_string(), "notification_malformed"),
        (String::new(), "notification_malformed"),
    ] {
        assert_eq!(reason(&apple.read(body.as_bytes(), NOW, NOW).await), expected, "{body:.60}");
    }
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_make_nothing_invalid() {
    let server = Server::start(|_, _| HttpResponse::InternalServerError().finish());
    let (_, mut apple) = house();
    apple.jwks = crate::upstream::apple::jwks::AppleJwks::new(
        server.url("/auth/keys"),
        crate::upstream::tests::outbound(&["127.0.0.1/32"]),
        std::sync::Arc::default(),
    );
    let found = told(&apple, &good(&server.origin), NOW).await;
    assert_eq!(reason(&found), "unavailable");
}

fn of_events(events: Value, now: i64) -> Result<Notification, UpstreamError> {
    let claims = Claims {
        iss: String::new(),
        aud: String::new(),
        iat: NumericDate::from_secs(now),
        exp: None,
        jti: "j".into(),
        events,
    };
    event(claims, "apple:T".into(), Timestamp::from_secs(now))
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        Just(json!("consent-revoked")),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name = prop_oneof![Just("type"), Just("sub"), Just("event_time"), Just("events")];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(name, inner.clone(), 0..4)
                .prop_map(|map| map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
            inner.prop_map(|value| Value::String(value.to_string())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_comes_is_read_or_refused(events in any_json(), now in 1_i64..4_000_000_000) {
        if let Ok(read) = of_events(events, now) {
            prop_assert!(read.event_time <= Timestamp::from_secs(now));
            prop_assert!(read.subject.as_ref().is_none_or(|sub| (1..=255).contains(&sub.len())));
            prop_assert!(!read.kind.as_str().is_empty());
            let needs = !matches!(read.kind, NotificationKind::Unknown(_));
            prop_assert!(!needs || read.subject.is_some());
        }
    }

    #[test]
    fn bytes_are_no_body(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(object::<Envelope>(&bytes).is_none());
        prop_assert!(object::<Claims>(&bytes).is_none());
        prop_assert!(split(&String::from_utf8_lossy(&bytes), MAX_LENGTH).is_err());
    }

    #[test]
    fn every_shape_says_the_same(
        sub in "[ -~]{1,40}",
        secs in 1_000_000_000_i64..2_000_000_000,
        list in any::<bool>(),
        text in any::<bool>(),
    ) {
        let plain = json!({ "type": "email-enabled", "sub": sub, "event_time": secs * 1000 });
        let mut shaped = plain.clone();
        if list {
            shaped = json!([shaped]);
        }
        if text {
            shaped = Value::String(shaped.to_string());
        }
        let now = 2_000_000_000;
        let (plain, shaped) = (of_events(plain, now).unwrap(), of_events(shaped, now).unwrap());
        prop_assert_eq!(plain.event_time, Timestamp::from_secs(secs));
        prop_assert_eq!(plain, shaped);
    }
}
