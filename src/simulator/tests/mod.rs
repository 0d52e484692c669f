//! Each rule of the simulated Apple, with what it refuses.

mod authorize;
mod client_secret;
mod code;
mod faults;
mod notifications;
mod token;
mod transfer;

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::LOCATION;
use actix_web::{App, test, web};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::keys::SigningKeys;
use super::{Account, AppGroup, ServicesId, Settings, Simulator, Team, developer_key, routes};
use crate::protocol::ambient::{Clock, SeededEntropy, TestClock, Timestamp};
use crate::protocol::secret::SecretString;

const WEB: &str = "com.example.web";
const OTHER_WEB: &str = "com.example.other";
const APP: &str = "com.example.app";
const RETURN: &str = "https://broker.example/callback";
const SECOND_RETURN: &str = "https://broker.example/second";
const TEAM: &str = "TEAM000001";
const KEY: &str = "KEY0000001";
const ISSUER: &str = "https://apple.example";
/// RFC 7636 Appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// One simulated Apple with one team, and the developer's key.
struct World {
    simulator: web::Data<Simulator>,
    clock: Arc<TestClock>,
    p8: SecretString,
}

struct Answer {
    status: u16,
    location: Option<String>,
    content_type: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    /// The status with the `error` of the body, as tables of refusals compare it.
    fn refusal(&self) -> (u16, String) {
        let error = serde_json::from_str::<Value>(&self.body).ok();
        let error = error.and_then(|body| body["error"].as_str().map(ToOwned::to_owned));
        (self.status, error.unwrap_or_default())
    }

    /// The value of a hidden input of a page.
    fn field(&self, name: &str) -> Option<String> {
        let (_, rest) = self.body.split_once(&format!("name=\"{name}\" value=\""))?;
        rest.split_once('"').map(|(value, _)| value.replace("&#34;", "\""))
    }
}

fn refused(error: &str) -> (u16, String) {
    (400, error.to_owned())
}

impl World {
    fn new() -> Self {
        Self::with_notification_url(None)
    }

    fn with_notification_url(notification_url: Option<String>) -> Self {
        let (p8, public) = developer_key().unwrap();
        let clock = Arc::new(TestClock::at(Timestamp::from_secs(1_700_000_000)));
        let services_id = |id: &str| ServicesId {
            services_id: id.into(),
            return_urls: vec![RETURN.into(), SECOND_RETURN.into()],
        };
        let group = |app: &str, web: &str, notification_url| AppGroup {
            primary_bundle_id: app.into(),
            bundle_ids: vec![app.into()],
            services_ids: vec![services_id(web)],
            notification_url,
        };
        let settings = Settings {
            listen: ([127, 0, 0, 1], 0).into(),
            host: "localhost".into(),
            issuer: Some(ISSUER.into()),
            insecure: false,
            teams: vec![Team {
                team_id: TEAM.into(),
                keys: vec![(KEY.into(), public)],
                groups: vec![
                    group(APP, WEB, notification_url),
                    group("com.example.otherapp", OTHER_WEB, None),
                ],
            }],
            accounts: Account::samples(),
            clock: clock.clone(),
            entropy: Arc::new(SeededEntropy::new(7)),
        };
        let keys = SigningKeys::generate(1).unwrap();
        let simulator = web::Data::new(Simulator::new(settings, ISSUER.into(), keys));
        Self { simulator, clock, p8 }
    }

    fn now(&self) -> i64 {
        self.clock.now().secs()
    }

    fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    async fn send(&self, request: test::TestRequest) -> Answer {
        let app = App::new().app_data(self.simulator.clone()).configure(routes);
        let app = test::init_service(app).await;
        let response = test::call_service(&app, request.to_request()).await;
        let header = |name: &str| {
            response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        let (location, content_type) = (header(LOCATION.as_str()), header("content-type"));
        let status = response.status().as_u16();
        let body = String::from_utf8(test::read_body(response).await.to_vec()).unwrap();
        Answer { status, location, content_type: content_type.unwrap_or_default(), body }
    }

    async fn read(&self, path: &str) -> Answer {
        self.send(test::TestRequest::get().uri(path)).await
    }

    async fn authorize(&self, parameters: &[(&str, &str)]) -> Answer {
        self.read(&format!("/auth/authorize?{}", encoded(parameters))).await
    }

    async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = test::TestRequest::post()
            .uri(path)
            .insert_header(("content-type", "application/x-www-form-urlencoded"))
            .set_payload(encoded(fields));
        self.send(request).await
    }

    async fn control(&self, path: &str, body: Value) -> Answer {
        self.send(test::TestRequest::post().uri(path).set_json(body)).await
    }

    /// Signs in at the page as `account` and returns the page that posts the answer.
    async fn choose(&self, parameters: &[(&str, &str)], account: &str) -> Answer {
        let page = self.authorize(parameters).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let request = page.field("request").unwrap();
        self.form("/auth/authorize/answer", &[("request", &request), ("account", account)]).await
    }

    /// A web code for Ada, bound to [`WEB`] and [`RETURN`].
    async fn code(&self, more: &[(&str, &str)]) -> String {
        self.choose(&changed(&ordinary(), more), "ada").await.field("code").unwrap()
    }

    async fn native_code(&self) -> String {
        let answer =
            self.control("/_sim/native", json!({ "account": "ada", "bundle_id": APP })).await;
        answer.json()["authorizationCode"].as_str().unwrap().to_owned()
    }

    fn secret(&self, client_id: &str) -> String {
        self.signed(&json!({ "alg": "ES256", "kid": KEY }), &self.secret_claims(client_id))
    }

    fn secret_claims(&self, client_id: &str) -> Value {
        let now = self.now();
        json!({ "iss": TEAM, "sub": client_id, "aud": ISSUER, "iat": now, "exp": now + 300 })
    }

    fn signed(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der(&self.p8)).unwrap();
        let signature = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Redeems as `client_id` with a valid secret.
    async fn redeem(&self, client_id: &str, code: &str, more: &[(&str, &str)]) -> Answer {
        let secret = self.secret(client_id);
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", client_id),
            ("client_secret", &secret),
            ("code", code),
        ];
        self.form("/auth/token", &changed(&fields, more)).await
    }

    async fn with_secret(&self, path: &str, client_id: &str, fields: &[(&str, &str)]) -> Answer {
        let secret = self.secret(client_id);
        let own = [("client_id", client_id), ("client_secret", &*secret)];
        self.form(path, &changed(&own, fields)).await
    }
}

fn ordinary() -> Vec<(&'static str, &'static str)> {
    vec![
        ("client_id", WEB),
        ("redirect_uri", RETURN),
        ("response_type", "code id_token"),
        ("response_mode", "form_post"),
        ("scope", "name email"),
        ("state", "the-state"),
        ("nonce", "the-nonce"),
    ]
}

/// The parameters with some replaced or added; an empty value takes one away.
fn changed<'a>(
    base: &[(&'a str, &'a str)],
    more: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let mut all: Vec<_> =
        base.iter().filter(|(name, _)| !more.iter().any(|(new, _)| new == name)).copied().collect();
    all.extend(more.iter().filter(|(_, value)| !value.is_empty()));
    all
}

fn encoded(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn message(header: &Value, claims: &Value) -> String {
    let segment = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", segment(header), segment(claims))
}

fn der(p8: &SecretString) -> Vec<u8> {
    let text: String = p8.expose().lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(text).unwrap()
}

/// The header (0) or the claims (1) of a JWT, unverified.
fn part(token: &str, index: usize) -> Value {
    let segment = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap()
}

fn claims(token: &str) -> Value {
    part(token, 1)
}

/// Whether the key that the token's `kid` names in a JWKS verifies its signature (RS256).
fn is_apples(jwks: &Value, token: &str) -> bool {
    let kid = &part(token, 0)["kid"];
    let key = jwks["keys"].as_array().unwrap().iter().find(|key| &key["kid"] == kid).unwrap();
    let decoded = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let public = aws_lc_rs::signature::RsaPublicKeyComponents { n: decoded("n"), e: decoded("e") };
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let scheme = &aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
    public.verify(scheme, message.as_bytes(), &signature).is_ok()
}
