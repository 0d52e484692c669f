//! A client's own keys, as an outsider would hold them: assertions and request objects.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use russet::protocol::client::{Client, TokenEndpointAuthMethod};
use russet::protocol::client_assertion;
use russet::protocol::jose::{Algorithm, SigningKey, Typ, generate_private_key};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::app::{Answer, App, Attempt};
use super::{House, free_name};

pub struct Signer {
    pub key: SigningKey,
    pub app: App,
    pub issuer: String,
}

pub fn new_key(alg: Algorithm) -> SigningKey {
    let der = generate_private_key(alg).expect("a key");
    SigningKey::from_pkcs8(alg, der.expose()).expect("the key just made")
}

pub fn key_set(keys: &[&SigningKey]) -> Value {
    json!({ "keys": keys.iter().map(|key| key.public_jwk()).collect::<Vec<_>>() })
}

impl Signer {
    /// A web client that proves itself with a key of this kind.
    pub async fn new(house: &House, alg: Algorithm, change: impl FnOnce(&mut Client)) -> Self {
        let key = new_key(alg);
        let mut app = house
            .client(russet::protocol::client::ClientKind::Web, |client| {
                client.token_endpoint_auth_method = TokenEndpointAuthMethod::PrivateKeyJwt;
                client.settings.jwks = Some(key_set(&[&key]));
                change(client);
            })
            .await;
        app.secret = None;
        Self { key, app, issuer: house.issuer.clone() }
    }

    /// What a sound assertion says now.
    pub fn assertion(&self, house: &House) -> Value {
        let (id, now) = (self.app.client_id(), house.now().secs());
        json!({
            "iss": id, "sub": id, "aud": house.issuer, "iat": now, "exp": now + 60,
            "jti": free_name(),
        })
    }

    pub fn sign(&self, claims: &Value) -> String {
        self.key.sign(Typ::IdToken, claims).expect("a JWT")
    }

    /// Posts with this assertion.
    pub async fn post_with(
        &self,
        base: &str,
        path: &str,
        form: &[(&str, &str)],
        assertion: &str,
    ) -> Answer {
        let mut form = form.to_vec();
        form.push(("client_assertion_type", client_assertion::TYPE));
        form.push(("client_assertion", assertion));
        self.app.post_at(base, path, &form).await
    }

    /// Posts with a fresh, sound one.
    pub async fn post(&self, house: &House, path: &str, form: &[(&str, &str)]) -> Answer {
        let assertion = self.sign(&self.assertion(house));
        self.post_with(&house.issuer, path, form, &assertion).await
    }

    pub async fn push(&self, house: &House, attempt: &Attempt) -> Answer {
        let form: Vec<(&str, &str)> = attempt
            .parameters
            .iter()
            .filter(|(name, _)| name != "client_id")
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.post(house, "/par", &form).await
    }

    pub async fn redeem(&self, house: &House, attempt: &Attempt, code: &str) -> Answer {
        let redirect_uri = self.app.client.redirect_uris.first().map_or("", String::as_str);
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", attempt.verifier.as_str()),
        ];
        self.post(house, "/token", &form).await
    }

    /// The address the browser is sent to after a push.
    pub fn authorize_url(&self, request_uri: &str) -> String {
        let mut url = url::Url::parse(&format!("{}/authorize", self.issuer)).expect("a URL");
        url.query_pairs_mut()
            .append_pair("client_id", self.app.client_id())
            .append_pair("request_uri", request_uri);
        url.into()
    }

    /// The request as a request object.
    pub fn request_object(&self, house: &House, attempt: &Attempt) -> Value {
        let now = house.now().secs();
        let mut claims = json!({
            "iss": self.app.client_id(), "aud": house.issuer, "nbf": now, "exp": now + 300,
        });
        for (name, value) in &attempt.parameters {
            claims[name.as_str()] = json!(value);
        }
        claims
    }
}

/// A JWT with `alg` `none`.
pub fn unsigned(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(&json!({ "alg": "none" })), part(claims))
}

/// A web server that answers every request with one document, and counts.
pub struct Publisher {
    pub url: String,
    pub asked: Arc<AtomicUsize>,
    document: Arc<std::sync::Mutex<String>>,
}

impl Publisher {
    pub async fn of(document: &Value) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/jwks", listener.local_addr().expect("an address"));
        let asked = Arc::new(AtomicUsize::new(0));
        let document = Arc::new(std::sync::Mutex::new(document.to_string()));
        let (counter, current) = (Arc::clone(&asked), Arc::clone(&document));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                counter.fetch_add(1, Ordering::SeqCst);
                let body = current.lock().expect("the document").clone();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                     connection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { url, asked, document }
    }

    pub fn publish(&self, document: &Value) {
        *self.document.lock().expect("the document") = document.to_string();
    }

    pub fn times_asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}
