//! The connector against a small Apple on loopback: token endpoint, signature, both tokens of a
//! sign-in, and the shape of the settings.

mod lifecycle;
mod return_url;

use std::sync::LazyLock;
use std::time::Duration;

use actix_web::HttpResponse;
use serde_json::{Value, json};
use url::Url;

use super::client_secret::tests::{pem, settings};
use super::{AppleConfigError, AppleConnector, AppleSettings};
use crate::protocol::ambient::Timestamp;
use crate::protocol::jose::{Algorithm, SigningKey, Typ, generate_private_key};
use crate::upstream::tests::{Server, outbound};
use crate::upstream::{
    Callback, Connector, NativeCredential, NativeSignIn, ObtainedGrant, Trip, UpstreamError,
};

pub(super) const NOW: Timestamp = Timestamp::from_secs(1_000_000);
pub(super) const WEB: &str = "com.example.web";
pub(super) const APP: &str = "com.example.app";

pub(super) static APPLES: LazyLock<SigningKey> = LazyLock::new(rsa);

pub(super) fn rsa() -> SigningKey {
    let der = generate_private_key(Algorithm::Rs256).unwrap();
    SigningKey::from_pkcs8(Algorithm::Rs256, der.expose()).unwrap()
}

pub(super) fn reason<T>(result: &Result<T, UpstreamError>) -> &'static str {
    match result {
        Ok(_) => "good",
        Err(UpstreamError::Cancelled) => "cancelled",
        Err(UpstreamError::Rejected { reason, .. }) => reason,
        Err(UpstreamError::Unavailable(_)) => "unavailable",
        Err(UpstreamError::Misconfigured(_)) => "misconfigured",
    }
}

pub(super) fn with(mut base: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            base.as_object_mut().unwrap().remove(name);
        } else {
            base[name] = value.clone();
        }
    }
    base
}

pub(super) fn claims(issuer: &str, aud: &str) -> Value {
    json!({
        "iss": issuer, "sub": "001234.abc.1234", "aud": aud, "exp": 1_086_400,
        "iat": 1_000_000, "nonce": "the-nonce", "email": "ada@example.com",
        "email_verified": true,
    })
}

pub(super) fn signed(claims: &Value) -> String {
    APPLES.sign(Typ::IdToken, claims).unwrap()
}

/// An Apple whose token endpoint answers what `token` makes of its own address.
pub(super) fn apple(
    token: impl Fn(&str) -> HttpResponse + Send + Sync + 'static,
) -> (Server, AppleConnector) {
    let server = Server::start(move |seen, own| match seen.path.as_str() {
        "/auth/keys" => HttpResponse::Ok().json(json!({ "keys": [APPLES.public_jwk()] })),
        "/auth/token" => token(own),
        _ => HttpResponse::NotFound().finish(),
    });
    let settings = AppleSettings {
        issuer: Url::parse(&server.origin).unwrap(),
        additional_issuers: vec!["https://account.apple.example".into()],
        ..settings(pem(Algorithm::Es256))
    };
    let connector = AppleConnector::new(settings, outbound(&["127.0.0.1/32"])).unwrap();
    (server, connector)
}

/// A token endpoint's good answer, with changes to the claims and to the answer itself.
fn answering(
    aud: &'static str,
    changes: Value,
    answer: Value,
) -> impl Fn(&str) -> HttpResponse + Send + Sync + 'static {
    move |own| {
        let token = signed(&with(claims(own, aud), &changes));
        let good = json!({ "access_token": "access", "token_type": "Bearer",
            "expires_in": 3600, "refresh_token": "refresh", "id_token": token });
        HttpResponse::Ok().json(with(good, &answer))
    }
}

fn trip() -> Trip {
    Trip {
        state: "the-state".into(),
        nonce: "the-nonce".into(),
        code_verifier: "verifier".repeat(6),
        redirect_uri: "https://id.example.com/upstream/apple/callback".into(),
        login_hint: None,
        reauthenticate: false,
    }
}

/// What Apple posts through the browser, with changes to the claims of its token.
fn callback(server: &Server, changes: &Value) -> Callback {
    let c_hash = json!({ "c_hash": Algorithm::Rs256.half_hash("the-code") });
    let front = with(with(claims(&server.origin, WEB), &c_hash), changes);
    Callback {
        code: Some("the-code".into()),
        id_token: Some(signed(&front)),
        state: Some("the-state".into()),
        user: Some(r#"{"name":{"firstName":"Ada"},"email":"evil@x.example"}"#.into()),
        ..Callback::default()
    }
}

#[tokio::test]
async fn a_web_sign_in_redeems_the_code_once_and_believes_the_token_alone() {
    let (server, apple) = apple(answering(WEB, json!({}), json!({})));
    let identity = apple.arrive(&trip(), &callback(&server, &json!({})), NOW).await.unwrap();
    assert_eq!(identity.authority, "apple:TEAM123456");
    assert_eq!(identity.subject, "001234.abc.1234");
    assert_eq!(identity.profile.email.as_deref(), Some("ada@example.com"));
    assert_eq!(identity.profile.name.as_deref(), Some("Ada"));
    let ObtainedGrant { client_id, refresh_token } = identity.grant.unwrap();
    assert_eq!((client_id.as_str(), refresh_token.expose().as_str()), (WEB, "refresh"));
    let asked = server.asked("/auth/token");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].authorization, "", "client_secret_post alone");
    for part in [
        "client_id=com.example.web",
        "client_secret=ey",
        "code=the-code",
        "redirect_uri=https%3A%2F%2Fid.example.com",
        "code_verifier=verifierv",
    ] {
        assert!(asked[0].body.contains(part), "{part}");
    }
}

#[tokio::test]
async fn the_token_for_the_code_is_verified_as_the_one_before_it() {
    for (changes, answer, expected) in [
        (json!({}), json!({}), "good"),
        (json!({ "iss": "https://account.apple.example" }), json!({}), "sub_mismatch"),
        (json!({ "iss": "https://evil.example" }), json!({}), "iss_mismatch"),
        (json!({ "aud": APP }), json!({}), "aud_mismatch"),
        (json!({ "sub": "another" }), json!({}), "sub_mismatch"),
        (json!({ "nonce": "another" }), json!({}), "nonce_mismatch"),
        (json!({ "nonce": null }), json!({}), "nonce_missing"),
        (json!({ "exp": 999_000 }), json!({}), "id_token_expired"),
        (json!({ "c_hash": "x" }), json!({}), "c_hash_mismatch"),
        (json!({ "c_hash": Algorithm::Rs256.half_hash("the-code") }), json!({}), "good"),
        (json!({ "at_hash": "x" }), json!({}), "at_hash_mismatch"),
        (json!({ "at_hash": Algorithm::Rs256.half_hash("access") }), json!({}), "good"),
        (
            json!({ "at_hash": Algorithm::Rs256.half_hash("access") }),
            json!({ "access_token": null }),
            "at_hash_mismatch",
        ),
        (json!({}), json!({ "id_token": null }), "id_token_missing"),
        (json!({}), json!({ "id_token": "a.b.c" }), "token_malformed"),
        (json!({}), json!({ "refresh_token": null }), "good"),
    ] {
        let (server, apple) = apple(answering(WEB, changes.clone(), answer.clone()));
        let found = apple.arrive(&trip(), &callback(&server, &json!({})), NOW).await;
        assert_eq!(reason(&found), expected, "{changes} {answer}");
    }
}

#[tokio::test]
async fn what_the_browser_brings_is_refused_before_the_code_is_used() {
    let (server, apple) = apple(answering(WEB, json!({}), json!({})));
    for (changes, expected) in [
        (json!({ "c_hash": null }), "c_hash_missing"),
        (json!({ "c_hash": "x" }), "c_hash_mismatch"),
        (json!({ "aud": APP }), "aud_mismatch"),
        (json!({ "nonce": null }), "nonce_missing"),
        (json!({ "iat": 999_000 }), "id_token_stale"),
    ] {
        let found = apple.arrive(&trip(), &callback(&server, &changes), NOW).await;
        assert_eq!(reason(&found), expected, "{changes}");
    }
    let good = callback(&server, &json!({}));
    let without = |change: fn(&mut Callback)| {
        let mut callback = good.clone();
        change(&mut callback);
        callback
    };
    for (callback, expected) in [
        (without(|c| c.code = None), "code_missing"),
        (without(|c| c.id_token = None), "id_token_missing"),
        (without(|c| c.error = Some("user_cancelled_authorize".into())), "cancelled"),
        (without(|c| c.error = Some("server_error".into())), "unavailable"),
    ] {
        assert_eq!(reason(&apple.arrive(&trip(), &callback, NOW).await), expected);
    }
    assert!(server.asked("/auth/token").is_empty());
}

#[tokio::test]
async fn only_apples_own_key_signs() {
    let (server, apple) = apple(answering(WEB, json!({}), json!({})));
    let good = callback(&server, &json!({})).id_token.unwrap();
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    let other = signed(&claims(&server.origin, APP));
    let foreign = rsa().sign(Typ::IdToken, &claims(&server.origin, WEB)).unwrap();
    let (foreign_header, _) = foreign.split_once('.').unwrap();
    let forged = foreign.replacen(foreign_header, header, 1);
    let other_payload = other.split('.').nth(1).unwrap();
    for (token, expected) in [
        (good.clone(), "good"),
        (forged, "signature_invalid"),
        (foreign, "unknown_key"),
        (format!("{header}.{other_payload}.{signature}"), "signature_invalid"),
        (format!("{header}.{payload}."), "signature_invalid"),
        (format!("{header}.{payload}.AAAA"), "signature_invalid"),
    ] {
        let callback = Callback { id_token: Some(token.clone()), ..callback(&server, &json!({})) };
        let found = apple.greet(&trip(), &callback, NOW).await;
        assert_eq!(reason(&found), expected, "{token}");
    }
}

#[tokio::test]
async fn an_unwell_token_endpoint_is_unavailable_and_never_asked_twice() {
    type Reply = fn(&str) -> HttpResponse;
    let replies: [(Reply, &str); 11] = [
        (|_| HttpResponse::Forbidden().body("<html>403</html>"), "unavailable"),
        (|_| HttpResponse::Ok().body("x".repeat(5 << 20)), "unavailable"),
        (
            |own| {
                let to = format!("{own}/elsewhere");
                HttpResponse::TemporaryRedirect().insert_header(("location", to)).finish()
            },
            "unavailable",
        ),
        (|_| HttpResponse::Ok().body(r#"{"access_token":"a","id_tok"#), "unavailable"),
        (|_| HttpResponse::TooManyRequests().finish(), "unavailable"),
        (|_| HttpResponse::InternalServerError().finish(), "unavailable"),
        (|_| HttpResponse::BadRequest().body("<html>"), "unavailable"),
        (|_| HttpResponse::BadRequest().json(json!({ "error": "surprise" })), "unavailable"),
        (|_| HttpResponse::BadRequest().json(json!({ "error": "invalid_grant" })), "code_refused"),
        (
            |_| HttpResponse::BadRequest().json(json!({ "error": "invalid_client" })),
            "misconfigured",
        ),
        (
            |_| HttpResponse::Unauthorized().json(json!({ "error": "invalid_client" })),
            "misconfigured",
        ),
    ];
    for (number, (reply, expected)) in replies.into_iter().enumerate() {
        let (server, apple) = apple(reply);
        let found = apple.arrive(&trip(), &callback(&server, &json!({})), NOW).await;
        assert_eq!(reason(&found), expected, "reply {number}");
        assert_eq!(server.asked("/auth/token").len(), 1, "reply {number}");
        assert!(server.asked("/elsewhere").is_empty());
    }
}

#[tokio::test]
async fn a_guarded_address_is_the_operators_business() {
    let settings = AppleSettings {
        issuer: Url::parse("https://127.0.0.1:1").unwrap(),
        ..settings(pem(Algorithm::Es256))
    };
    let apple = AppleConnector::new(settings, outbound(&[])).unwrap();
    let callback = Callback {
        code: Some("the-code".into()),
        id_token: Some(signed(&claims("https://127.0.0.1:1", WEB))),
        ..Callback::default()
    };
    assert_eq!(reason(&apple.greet(&trip(), &callback, NOW).await), "misconfigured");
}

fn native<'a>(token: &'a str, audiences: &'a [String]) -> NativeCredential<'a> {
    NativeCredential {
        identity_token: token,
        authorization_code: Some("the-code"),
        nonce: "the-nonce",
        user: None,
        allowed_audiences: audiences,
    }
}

#[tokio::test]
async fn a_native_token_is_remembered_until_it_can_no_longer_pass() {
    let (server, apple) = apple(answering(APP, json!({}), json!({})));
    let token = signed(&with(claims(&server.origin, APP), &json!({ "exp": 1_000_100 })));
    let audiences = [APP.to_owned()];
    let verified = apple.verify(&native(&token, &audiences), NOW).await.unwrap();
    let last = verified.expires_at.minus(Duration::from_millis(1));
    assert_eq!(reason(&apple.verify(&native(&token, &audiences), last).await), "good");
    let after = apple.verify(&native(&token, &audiences), verified.expires_at).await;
    assert_eq!(reason(&after), "id_token_expired");
}

#[tokio::test]
async fn a_native_code_is_redeemed_bare_and_must_be_the_same_persons() {
    for (changes, answer, expected) in [
        (json!({}), json!({}), "good"),
        (json!({ "sub": "another" }), json!({}), "sub_mismatch"),
        (json!({ "aud": WEB }), json!({}), "aud_mismatch"),
        (json!({ "nonce": "another" }), json!({}), "nonce_mismatch"),
        (json!({ "at_hash": "x" }), json!({}), "at_hash_mismatch"),
        (json!({ "at_hash": Algorithm::Rs256.half_hash("access") }), json!({}), "good"),
        (json!({ "c_hash": "x" }), json!({}), "c_hash_mismatch"),
        (json!({}), json!({ "id_token": null }), "id_token_missing"),
    ] {
        let (server, apple) = apple(answering(APP, changes.clone(), answer));
        let token = signed(&claims(&server.origin, APP));
        let audiences = [APP.to_owned(), WEB.to_owned()];
        let verified = apple.verify(&native(&token, &audiences), NOW).await.unwrap();
        let found = apple.redeem(&verified, "the-code", NOW).await;
        assert_eq!(reason(&found), expected, "{changes}");
        let form = server.asked("/auth/token")[0].body.clone();
        assert!(form.contains("client_id=com.example.app"));
        assert!(!form.contains("redirect_uri") && !form.contains("code_verifier"));
    }
}

#[tokio::test]
async fn the_services_id_is_no_native_audience() {
    let (server, apple) = apple(answering(APP, json!({}), json!({})));
    for (aud, allowed) in [(WEB, vec![WEB.to_owned()]), (APP, vec![]), (APP, vec!["other".into()])]
    {
        let token = signed(&claims(&server.origin, aud));
        assert_eq!(reason(&apple.verify(&native(&token, &allowed), NOW).await), "aud_mismatch");
    }
}

#[tokio::test]
async fn an_additional_issuer_is_accepted_when_it_is_configured() {
    let (server, apple) = apple(answering(WEB, json!({}), json!({})));
    let moved = callback(&server, &json!({ "iss": "https://account.apple.example" }));
    assert_eq!(reason(&apple.greet(&trip(), &moved, NOW).await), "good");
    let other = callback(&server, &json!({ "iss": "https://account.apple.com" }));
    assert_eq!(reason(&apple.greet(&trip(), &other, NOW).await), "iss_mismatch");
}

#[tokio::test]
async fn an_address_that_is_none_counts_as_absent() {
    let (server, apple) = apple(answering(WEB, json!({}), json!({})));
    let long = format!("{}@x.example", "a".repeat(245));
    for (email, kept) in [
        ("ada@example.com", true),
        ("", false),
        ("a da@example.com", false),
        ("ada@example.com\r\nBcc: x@y.example", false),
        ("ada@example.com\u{0}", false),
        (long.as_str(), false),
        (long.get(1..).unwrap(), true),
    ] {
        let callback = callback(&server, &json!({ "email": email, "is_private_email": "true" }));
        let profile = apple.greet(&trip(), &callback, NOW).await.unwrap().unwrap().profile;
        assert_eq!(profile.email.is_some(), kept, "{email:?}");
        assert_eq!(profile.email_verified, kept, "no flag without an address");
        assert_eq!(profile.is_private_email, kept);
    }
}

#[tokio::test]
async fn the_authorize_url_writes_a_space_as_percent_20() {
    let apple = AppleConnector::new(settings(pem(Algorithm::Es256)), outbound(&[])).unwrap();
    let trip = Trip { state: "a+b c".into(), ..trip() };
    let url = apple.depart(&trip, NOW).await.unwrap();
    let query = url.query().unwrap();
    assert!(query.contains("scope=name%20email") && query.contains("state=a%2Bb%20c"), "{query}");
    assert!(query.contains("response_type=code%20id_token") && !query.contains('+'));
    let read: std::collections::HashMap<_, _> = url.query_pairs().collect();
    assert_eq!(read["state"], "a+b c");
    assert_eq!(read["response_mode"], "form_post");
    assert_eq!(read["code_challenge_method"], "S256");
}

#[test]
fn identifiers_have_apples_shape_at_apple_and_any_at_a_simulation() {
    let shape = |issuer: &str, team_id: &str| {
        let settings = AppleSettings {
            issuer: Url::parse(issuer).unwrap(),
            team_id: team_id.to_owned(),
            ..settings(pem(Algorithm::Es256))
        };
        match AppleConnector::new(settings, outbound(&[])) {
            Ok(_) => "good",
            Err(AppleConfigError::BadShape { key }) => key,
            Err(other) => panic!("{other}"),
        }
    };
    for (issuer, team_id, expected) in [
        ("https://appleid.apple.com", "TEAM123456", "good"),
        ("https://appleid.apple.com", "TEAM12345", "team_id"),
        ("https://appleid.apple.com", "TEAM-12345", "team_id"),
        ("http://localhost:8081", "SIM", "good"),
        ("http://localhost:8081", "", "team_id"),
        ("http://localhost:8081", "S M", "team_id"),
    ] {
        assert_eq!(shape(issuer, team_id), expected, "{issuer} {team_id}");
    }
}

#[tokio::test]
async fn pkce_is_sent_in_both_halves_or_not_at_all() {
    for pkce in [true, false] {
        let (server, mut apple) = apple(answering(WEB, json!({}), json!({})));
        apple.settings.pkce = pkce;
        let url = apple.depart(&trip(), NOW).await.unwrap();
        apple.arrive(&trip(), &callback(&server, &json!({})), NOW).await.unwrap();
        let form = server.asked("/auth/token")[0].body.clone();
        assert_eq!(url.as_str().contains("code_challenge"), pkce);
        assert_eq!(form.contains("code_verifier"), pkce);
    }
}
