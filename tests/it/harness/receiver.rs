//! The part of a relying party that is told things: a server of its own on a real socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::House;

/// Long enough for any machine; nothing waits so long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was posted.
#[derive(Clone, Debug)]
pub struct Received {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The form's fields.
    pub fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    /// The one field of a back-channel logout.
    pub fn logout_token(&self) -> String {
        let form = self.form();
        assert_eq!(form.len(), 1, "only logout_token: {form:?}");
        assert_eq!(form[0].0, "logout_token");
        form[0].1.clone()
    }
}

#[derive(Clone)]
struct Manner {
    seen: UnboundedSender<Received>,
    status: Arc<AtomicU16>,
    body: Arc<std::sync::Mutex<String>>,
}

pub struct Receiver {
    port: u16,
    manner: Manner,
    seen: UnboundedReceiver<Received>,
}

impl Receiver {
    /// A server that answers 200 to everything.
    pub fn start() -> Self {
        let (sender, seen) = unbounded_channel();
        let manner =
            Manner { seen: sender, status: Arc::new(AtomicU16::new(200)), body: Arc::default() };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = manner.clone();
        let server = HttpServer::new(move || {
            App::new().app_data(web::Data::new(shared.clone())).default_service(web::to(receive))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .expect("a socket")
        .run();
        tokio::spawn(server);
        Self { port, manner, seen }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// From now on, answers so.
    pub fn answer(&self, status: u16, body: &str) {
        body.clone_into(&mut self.manner.body.lock().expect("a lock"));
        self.manner.status.store(status, Ordering::SeqCst);
    }

    /// The next thing that arrives.
    pub async fn next(&mut self) -> Received {
        let next = tokio::time::timeout(PATIENCE, self.seen.recv()).await;
        next.expect("nothing arrived").expect("the server lives")
    }

    /// What has arrived and was not taken yet, if anything.
    pub fn arrived(&mut self) -> Option<Received> {
        self.seen.try_recv().ok()
    }

    /// Whether nothing has arrived that was not taken.
    pub fn is_quiet(&mut self) -> bool {
        self.seen.try_recv().is_err()
    }
}

async fn receive(
    manner: web::Data<Manner>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let headers = request.headers().iter().map(|(name, value)| {
        (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned())
    });
    let received = Received {
        path: request.uri().to_string(),
        headers: headers.collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let _ = manner.seen.send(received);
    let status = manner.status.load(Ordering::SeqCst).try_into().expect("a status");
    HttpResponse::build(status).body(manner.body.lock().expect("a lock").clone())
}

/// Header and claims of a JWT whose signature fits a key of the published JWKS.
pub async fn verified(house: &House, jwt: &str) -> (Value, Value) {
    let jwks = house.http().get(format!("{}/jwks", house.issuer)).send().await.expect("keys");
    let jwks: jsonwebtoken::jwk::JwkSet = jwks.json().await.expect("a JWKS");
    let header = jsonwebtoken::decode_header(jwt).expect("a header");
    let key = jwks.find(header.kid.as_deref().expect("a kid")).expect("a published key");
    let mut validation = jsonwebtoken::Validation::new(header.alg);
    // Tokens live by the house's clock.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let key = jsonwebtoken::DecodingKey::from_jwk(key).expect("a key");
    let token = jsonwebtoken::decode::<Value>(jwt, &key, &validation).expect("a good signature");
    let raw = jwt.split('.').next().expect("a header");
    let raw = URL_SAFE_NO_PAD.decode(raw).expect("base64url");
    (serde_json::from_slice(&raw).expect("JSON"), token.claims)
}

/// Waits until `outcome` is there.
pub async fn eventually<T, F: Future<Output = Option<T>>>(mut outcome: impl FnMut() -> F) -> T {
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    tokio::time::timeout(PATIENCE, async {
        loop {
            ticks.tick().await;
            if let Some(value) = outcome().await {
                return value;
            }
        }
    })
    .await
    .expect("it never came about")
}
