//! An issuer small enough to tell any lie a test wants.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use aws_lc_rs::digest;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::demo::server::{self, Running};

/// Now, as every test has it.
pub(super) const NOW: i64 = 1_800_000_000;
pub(super) const CLIENT_ID: &str = "demo-web";
pub(super) const CLIENT_SECRET: &str = "a secret with / and + in it";
pub(super) const API: &str = "https://api.demo.example";

/// A P-256 key and its JWK.
pub(super) struct SigningKey {
    kid: String,
    pkcs8: Vec<u8>,
    pub(super) jwk: Value,
}

impl SigningKey {
    pub(super) fn new(kid: &str) -> Self {
        let pair =
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a P-256 key pair");
        let pkcs8 = pair.to_pkcs8v1().expect("PKCS#8").as_ref().to_vec();
        let point = pair.public_key().as_ref();
        let jwk = json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid,
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]),
        });
        Self { kid: kid.to_owned(), pkcs8, jwk }
    }

    pub(super) fn header(&self, typ: &str) -> Header {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(typ.to_owned());
        header.kid = Some(self.kid.clone());
        header
    }

    pub(super) fn sign(&self, header: &Header, claims: &Value) -> String {
        encode(header, claims, &EncodingKey::from_ec_der(&self.pkcs8)).expect("a signature")
    }
}

/// What the issuer remembers, and the lies it tells.
#[derive(Default)]
pub(super) struct Book {
    pub(super) published: Vec<Value>,
    pub(super) jwks_requests: u32,
    pub(super) is_down: bool,
    pub(super) announced_issuer: Option<String>,
    authorization: HashMap<String, String>,
    /// Members that replace those of the next ID tokens.
    pub(super) id_token_lies: Value,
    pub(super) userinfo: Value,
    pub(super) token_requests: Vec<HashMap<String, String>>,
    pub(super) is_revoked: bool,
}

pub(super) struct Issuer {
    pub(super) url: String,
    pub(super) key: Arc<SigningKey>,
    pub(super) book: Arc<Mutex<Book>>,
    pub(super) running: Running,
}

#[derive(Clone)]
struct Desk {
    key: Arc<SigningKey>,
    book: Arc<Mutex<Book>>,
}

impl Issuer {
    pub(super) fn start() -> Self {
        let key = Arc::new(SigningKey::new("first"));
        let book = Arc::new(Mutex::new(Book {
            published: vec![key.jwk.clone()],
            userinfo: json!({ "sub": "alice", "name": "Alice" }),
            id_token_lies: json!({}),
            ..Book::default()
        }));
        let desk = web::Data::new(Desk { key: Arc::clone(&key), book: Arc::clone(&book) });
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let running = server::start(listen, move |routes| {
            routes
                .app_data(desk.clone())
                .route("/.well-known/openid-configuration", web::get().to(discovery))
                .route("/jwks", web::get().to(jwks))
                .route("/authorize", web::get().to(authorize))
                .route("/token", web::post().to(token))
                .route("/userinfo", web::get().to(userinfo))
                .route("/introspect", web::post().to(introspect))
                .route("/revoke", web::post().to(revoke));
        })
        .expect("a free port");
        Self { url: format!("http://{}", running.local_addr()), key, book, running }
    }

    /// The claims of a good access token.
    pub(super) fn claims(&self) -> Value {
        json!({
            "iss": self.url, "aud": API, "sub": "alice", "client_id": CLIENT_ID, "jti": "j1",
            "iat": NOW, "exp": NOW + 600, "scope": "openid orders:read",
        })
    }

    pub(super) fn access_token(&self, claims: &Value) -> String {
        self.key.sign(&self.key.header("at+jwt"), claims)
    }
}

fn origin(request: &HttpRequest) -> String {
    format!("http://{}", request.connection_info().host())
}

async fn discovery(desk: web::Data<Desk>, request: HttpRequest) -> HttpResponse {
    let book = desk.book.lock().expect("book");
    if book.is_down {
        return HttpResponse::ServiceUnavailable().finish();
    }
    let url = origin(&request);
    HttpResponse::Ok().json(json!({
        "issuer": book.announced_issuer.clone().unwrap_or_else(|| url.clone()),
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "userinfo_endpoint": format!("{url}/userinfo"),
        "introspection_endpoint": format!("{url}/introspect"),
        "revocation_endpoint": format!("{url}/revoke"),
        "end_session_endpoint": format!("{url}/logout"),
        "jwks_uri": format!("{url}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn jwks(desk: web::Data<Desk>) -> HttpResponse {
    let mut book = desk.book.lock().expect("book");
    book.jwks_requests += 1;
    HttpResponse::Ok().json(json!({ "keys": book.published }))
}

async fn authorize(
    desk: web::Data<Desk>,
    request: HttpRequest,
    asked: web::Query<HashMap<String, String>>,
) -> HttpResponse {
    let mut back = url::Url::parse(&asked["redirect_uri"]).expect("a redirect URI");
    back.query_pairs_mut()
        .append_pair("code", "the-code")
        .append_pair("state", &asked["state"])
        .append_pair("iss", &origin(&request));
    desk.book.lock().expect("book").authorization = asked.into_inner();
    HttpResponse::SeeOther().insert_header((header::LOCATION, back.as_str())).finish()
}

fn is_the_client(request: &HttpRequest) -> bool {
    let encode =
        |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let expected = STANDARD.encode(format!("{}:{}", encode(CLIENT_ID), encode(CLIENT_SECRET)));
    request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok())
        == Some(&format!("Basic {expected}"))
}

fn refuse(error: &str) -> HttpResponse {
    HttpResponse::BadRequest().json(json!({ "error": error }))
}

async fn token(
    desk: web::Data<Desk>,
    request: HttpRequest,
    form: web::Form<HashMap<String, String>>,
) -> HttpResponse {
    let mut book = desk.book.lock().expect("book");
    let form = form.into_inner();
    book.token_requests.push(form.clone());
    if !is_the_client(&request) {
        return refuse("invalid_client");
    }
    let is_first = form["grant_type"] == "authorization_code";
    if book.is_revoked {
        return refuse("invalid_grant");
    }
    if is_first {
        let hash = digest::digest(&digest::SHA256, form["code_verifier"].as_bytes());
        let challenge = book.authorization.get("code_challenge").cloned().unwrap_or_default();
        if form["code"] != "the-code" || URL_SAFE_NO_PAD.encode(hash.as_ref()) != challenge {
            return refuse("invalid_grant");
        }
    }
    let url = origin(&request);
    let access_token = desk.key.sign(
        &desk.key.header("at+jwt"),
        &json!({
            "iss": url, "aud": API, "sub": "alice", "client_id": CLIENT_ID, "iat": NOW,
            "jti": format!("j{}", book.token_requests.len()), "exp": NOW + 600,
            "scope": book.authorization.get("scope"),
        }),
    );
    let half = digest::digest(&digest::SHA256, access_token.as_bytes()).as_ref()[..16].to_vec();
    let mut claims = json!({
        "iss": url, "aud": CLIENT_ID, "sub": "alice", "iat": NOW, "exp": NOW + 300,
        "nonce": book.authorization.get("nonce"), "at_hash": URL_SAFE_NO_PAD.encode(half),
        "name": "Alice <script>alert(1)</script>", "email": "alice@example.com",
    });
    for (name, lie) in book.id_token_lies.as_object().into_iter().flatten() {
        claims[name] = lie.clone();
    }
    HttpResponse::Ok().json(json!({
        "access_token": access_token, "token_type": "Bearer", "expires_in": 600,
        "id_token": desk.key.sign(&desk.key.header("JWT"), &claims),
        "refresh_token": format!("refresh-{}", book.token_requests.len()),
    }))
}

async fn userinfo(desk: web::Data<Desk>) -> HttpResponse {
    HttpResponse::Ok().json(&desk.book.lock().expect("book").userinfo)
}

async fn introspect(desk: web::Data<Desk>, request: HttpRequest) -> HttpResponse {
    if !is_the_client(&request) {
        return refuse("invalid_client");
    }
    HttpResponse::Ok().json(json!({ "active": !desk.book.lock().expect("book").is_revoked }))
}

async fn revoke(desk: web::Data<Desk>, request: HttpRequest) -> HttpResponse {
    if !is_the_client(&request) {
        return refuse("invalid_client");
    }
    desk.book.lock().expect("book").is_revoked = true;
    HttpResponse::Ok().finish()
}
