//! What the demo API accepts, and each thing it refuses.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::issuer::{API, Issuer, NOW, SigningKey};
use super::{Answer, ask};
use crate::demo::Running;
use crate::demo::api::{Settings, start};
use crate::protocol::ambient::{TestClock, Timestamp};

struct Stage {
    issuer: Issuer,
    api: Running,
    clock: Arc<TestClock>,
}

impl Stage {
    fn set() -> Self {
        let issuer = Issuer::start();
        let clock = Arc::new(TestClock::at(Timestamp::from_secs(NOW)));
        let api = start(Settings {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            issuer: issuer.url.clone(),
            identifier: API.to_owned(),
            clock: Arc::clone(&clock) as Arc<_>,
        })
        .expect("a free port");
        Self { issuer, api, clock }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.api.local_addr())
    }

    async fn orders(&self, token: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        ask("GET", &self.url("/orders"), &[("authorization", &bearer)]).await
    }

    fn jwks_requests(&self) -> u32 {
        self.issuer.book.lock().expect("book").jwks_requests
    }

    async fn strike(self) {
        self.api.stop().await;
        self.issuer.running.stop().await;
    }
}

#[tokio::test]
async fn a_good_token_is_accepted_and_the_keys_are_fetched_once() {
    let stage = Stage::set();
    let token = stage.issuer.access_token(&stage.issuer.claims());
    for _ in 0..3 {
        let answer = stage.orders(&token).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.body.contains("\"sub\":\"alice\""), "{}", answer.body);
    }
    assert_eq!(stage.jwks_requests(), 1);
    let mut claims = stage.issuer.claims();
    claims["aud"] = json!(["https://other.example", API]);
    assert_eq!(stage.orders(&stage.issuer.access_token(&claims)).await.status, 200);
    stage.strike().await;
}

#[tokio::test]
async fn a_token_with_one_thing_wrong_is_refused() {
    let stage = Stage::set();
    let cases: [(&str, Value, &str); 10] = [
        ("iss", json!("https://elsewhere.example"), "from another issuer"),
        ("iss", json!(format!("{}/", stage.issuer.url)), "from another issuer"),
        ("aud", json!("demo-web"), "for another audience"),
        ("aud", json!([]), "for another audience"),
        ("exp", json!(NOW - 30), "has expired"),
        ("exp", Value::Null, "claim is missing"),
        ("iat", json!(NOW + 31), "from the future"),
        ("jti", Value::Null, "claim is missing"),
        ("client_id", json!(""), "claim is missing"),
        ("sub", Value::Null, "claim is missing"),
    ];
    for (name, value, reason) in cases {
        let mut claims = stage.issuer.claims();
        if value.is_null() {
            claims.as_object_mut().expect("claims").remove(name);
        } else {
            claims[name] = value.clone();
        }
        let answer = stage.orders(&stage.issuer.access_token(&claims)).await;
        assert_eq!(answer.status, 401, "{name} = {value}");
        assert!(answer.challenge.contains("error=\"invalid_token\""), "{}", answer.challenge);
        assert!(answer.challenge.contains(reason), "{name} = {value}: {}", answer.challenge);
    }
    stage.strike().await;
}

#[tokio::test]
async fn a_token_signed_in_another_way_is_refused() {
    let stage = Stage::set();
    let (key, claims) = (&stage.issuer.key, stage.issuer.claims());
    let stranger = SigningKey::new("first");
    let mut critical = key.header("at+jwt");
    critical.crit = Some(vec!["exp".to_owned()]);
    let mut nameless = key.header("at+jwt");
    nameless.kid = None;
    // The public key used as an HMAC secret (RFC 8725 §2.1).
    let mut confused = Header::new(Algorithm::HS256);
    confused.typ = Some("at+jwt".to_owned());
    confused.kid = Some("first".to_owned());
    let secret = EncodingKey::from_secret(key.jwk.to_string().as_bytes());
    let confused = encode(&confused, &claims, &secret).expect("a MAC");
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt","kid":"first"}"#);
    let none = format!("{none}.{}.", URL_SAFE_NO_PAD.encode(claims.to_string()));
    for (what, token) in [
        ("an ID token", key.sign(&key.header("JWT"), &claims)),
        ("a stranger's key", stranger.sign(&stranger.header("at+jwt"), &claims)),
        ("a critical header", key.sign(&critical, &claims)),
        ("no kid", key.sign(&nameless, &claims)),
        ("HS256 with the public key", confused),
        ("alg none", none),
        ("no JWT", "opaque".to_owned()),
    ] {
        let answer = stage.orders(&token).await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.body);
        assert!(answer.challenge.contains("error=\"invalid_token\""), "{what}");
    }
    let good = key.sign(&key.header("application/AT+JWT"), &claims);
    assert_eq!(stage.orders(&good).await.status, 200);
    stage.strike().await;
}

#[tokio::test]
async fn refusals_follow_rfc_6750() {
    let stage = Stage::set();
    let absent = ask("GET", &stage.url("/orders"), &[]).await;
    assert_eq!(absent.status, 401);
    assert_eq!(absent.challenge, "Bearer realm=\"demo-api\", scope=\"orders:read\"");
    let malformed = ask("GET", &stage.url("/orders"), &[("authorization", "Bearer a b")]).await;
    assert_eq!(malformed.status, 400);
    assert!(malformed.challenge.contains("error=\"invalid_request\""));
    let token = format!("Bearer {}", stage.issuer.access_token(&stage.issuer.claims()));
    let post = ask("POST", &stage.url("/orders"), &[("authorization", &token)]).await;
    assert_eq!(post.status, 403);
    assert!(post.challenge.contains("error=\"insufficient_scope\""));
    assert!(post.challenge.contains("scope=\"orders:write\""));
    assert_eq!(ask("DELETE", &stage.url("/orders"), &[]).await.status, 405);
    stage.strike().await;
}

#[tokio::test]
async fn any_origin_may_call() {
    let stage = Stage::set();
    let origin = ("origin", "http://127.0.0.1:9");
    let preflight = ask("OPTIONS", &stage.url("/orders"), &[origin]).await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.headers["access-control-allow-origin"], "*");
    assert_eq!(preflight.headers["access-control-allow-headers"], "Authorization, Content-Type");
    let refused = ask("GET", &stage.url("/orders"), &[origin]).await;
    assert_eq!(refused.headers["access-control-allow-origin"], "*");
    assert_eq!(refused.headers["access-control-expose-headers"], "WWW-Authenticate");
    stage.strike().await;
}

#[tokio::test]
async fn a_new_key_is_found_and_invented_ones_do_not_flood_the_issuer() {
    let stage = Stage::set();
    let claims = stage.issuer.claims();
    assert_eq!(stage.orders(&stage.issuer.access_token(&claims)).await.status, 200);
    let second = SigningKey::new("second");
    stage.issuer.book.lock().expect("book").published.push(second.jwk.clone());
    let token = second.sign(&second.header("at+jwt"), &claims);
    assert_eq!(stage.orders(&token).await.status, 200);
    assert_eq!(stage.jwks_requests(), 2);
    let invented = SigningKey::new("invented");
    let token = invented.sign(&invented.header("at+jwt"), &claims);
    for _ in 0..5 {
        assert_eq!(stage.orders(&token).await.status, 401);
    }
    assert_eq!(stage.jwks_requests(), 2);
    stage.clock.advance(Duration::from_secs(10));
    assert_eq!(stage.orders(&token).await.status, 401);
    assert_eq!(stage.jwks_requests(), 3);
    stage.strike().await;
}

#[tokio::test]
async fn known_keys_stay_good_while_the_issuer_is_down() {
    let stage = Stage::set();
    stage.issuer.book.lock().expect("book").is_down = true;
    let mut claims = stage.issuer.claims();
    claims["exp"] = json!(NOW + 3600);
    let token = stage.issuer.access_token(&claims);
    assert_eq!(stage.orders(&token).await.status, 503);
    stage.issuer.book.lock().expect("book").is_down = false;
    assert_eq!(stage.orders(&token).await.status, 200);
    stage.issuer.book.lock().expect("book").is_down = true;
    stage.clock.advance(Duration::from_secs(301));
    assert_eq!(stage.orders(&token).await.status, 200);
    stage.strike().await;
}

#[tokio::test]
async fn keys_of_a_discovery_document_of_somebody_else_are_not_used() {
    let stage = Stage::set();
    stage.issuer.book.lock().expect("book").announced_issuer = Some("https://evil.example".into());
    let token = stage.issuer.access_token(&stage.issuer.claims());
    assert_eq!(stage.orders(&token).await.status, 503);
    assert_eq!(stage.jwks_requests(), 0);
    stage.strike().await;
}

#[tokio::test]
async fn the_front_page_tells_how_to_call() {
    let stage = Stage::set();
    let machine = ask("GET", &stage.url("/"), &[]).await;
    let told: Value = serde_json::from_str(&machine.body).expect("JSON");
    assert_eq!(told["identifier"], API);
    let person = ask("GET", &stage.url("/"), &[("accept", "text/html,*/*")]).await;
    assert!(person.body.contains("<h1>"));
    assert!(
        person.headers["content-security-policy"]
            .to_str()
            .expect("text")
            .starts_with("default-src 'none'; style-src 'self';")
    );
    stage.strike().await;
}
