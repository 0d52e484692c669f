//! Clients by themselves: conformance C.3 (17–20), security.md L4, RFC 7591, RFC 7592, RFC 9728 and
//! client ID metadata documents.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::{App as Site, HttpResponse, HttpServer, web};
use reqwest::Method;
use russet::op::admin::Actor;
use russet::protocol::client::ClientKind;
use russet::protocol::jose::{Algorithm, SigningKey, Typ, generate_private_key};
use russet::protocol::profile::Profile;
use serde_json::{Value, json};

use crate::harness::House;
use crate::harness::app::{Answer, App, answer};
use crate::on_each_engine;

const CALLBACK: &str = "http://127.0.0.1:9/callback";

async fn open(settings: &[(&str, &str)]) -> House {
    let mut all = vec![("REGISTRATION__MODE", "open")];
    all.extend(settings);
    House::with(&all).await
}

async fn send(
    house: &House,
    method: Method,
    url: &str,
    token: Option<&str>,
    body: Option<&Value>,
) -> Answer {
    let mut request = house.http().request(method, url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    answer(request).await
}

async fn register(house: &House, token: Option<&str>, body: &Value) -> Answer {
    send(house, Method::POST, &format!("{}/register", house.issuer), token, Some(body)).await
}

fn sound() -> Value {
    json!({ "client_name": "A suite", "redirect_uris": [CALLBACK], "contacts": ["a@example.com"] })
}

/// The app behind a registration.
async fn app(house: &House, registered: &Answer) -> App {
    let id = russet::protocol::id::ClientId::new(registered.text("client_id"));
    let client = house.store().find_client(&id).await.unwrap().unwrap();
    let secret = registered.json["client_secret"].as_str().map(ToOwned::to_owned);
    App::new(house, client, secret)
}

#[tokio::test]
async fn c3_17_a_client_registers_itself_and_signs_people_in() {
    let house = open(&[]).await;
    let discovery = house.issuer.clone() + "/.well-known/openid-configuration";
    let discovery = send(&house, Method::GET, &discovery, None, None).await;
    let endpoint = discovery.text("registration_endpoint").to_owned();
    assert_eq!(endpoint, format!("{}/register", house.issuer));
    let registered = send(&house, Method::POST, &endpoint, None, Some(&sound())).await;
    assert_eq!(registered.status, 201, "{}", registered.json);
    assert_eq!(registered.headers["cache-control"], "no-store");
    assert_eq!(registered.json["client_secret_expires_at"], 0);
    assert!(registered.json["registration_client_uri"].is_string());
    assert!(registered.json["registration_access_token"].is_string());
    for (member, value) in [
        ("client_name", json!("A suite")),
        ("redirect_uris", json!([CALLBACK])),
        ("contacts", json!(["a@example.com"])),
        ("grant_types", json!(["authorization_code"])),
        ("response_types", json!(["code"])),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("application_type", json!("web")),
    ] {
        assert_eq!(registered.json[member], value, "{member}");
    }
    for internal in ["first_party", "kind", "version", "resources", "refresh_token_idle_ttl"] {
        assert!(registered.json.get(internal).is_none(), "{internal} is told");
    }
    // C.4.26: a confidential client need not send a challenge; people are asked (10.4.7).
    let app = app(&house, &registered).await;
    let attempt =
        app.attempt("openid").with("code_challenge", "").with("code_challenge_method", "");
    let mut browser = house.browser();
    let page = app.sign_in(&mut browser, &attempt, "Ada Lovelace").await;
    assert!(page.body.contains("id=\"consent-allow\""), "consent is asked");
    let end = browser.press(&page, "Allow").await;
    let code = end.query("code").unwrap();
    let form = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK)];
    assert_eq!(app.token(&form).await.status, 200);
    assert_eq!(house.events("client.registered").await, 1);
}

#[tokio::test]
async fn c3_18_each_bad_registration_has_its_error() {
    let house = open(&[]).await;
    for (member, value, expected) in [
        ("redirect_uris", json!(["https://app.example/cb#fragment"]), "invalid_redirect_uri"),
        ("redirect_uris", json!(["javascript:alert(1)"]), "invalid_redirect_uri"),
        ("redirect_uris", json!(["http://app.example/cb"]), "invalid_redirect_uri"),
        ("redirect_uris", json!(["https://*.example/cb"]), "invalid_redirect_uri"),
        ("redirect_uris", json!([]), "invalid_redirect_uri"),
        ("redirect_uris", json!([1]), "invalid_client_metadata"),
        ("initiate_login_uri", json!("http://app.example/login"), "invalid_client_metadata"),
        ("logo_uri", json!("javascript:alert(1)"), "invalid_client_metadata"),
        ("grant_types", json!(["password"]), "invalid_client_metadata"),
        ("grant_types", json!(["client_credentials"]), "invalid_client_metadata"),
        ("response_types", json!(["code", "token"]), "invalid_client_metadata"),
        ("token_endpoint_auth_method", json!("magic"), "invalid_client_metadata"),
        ("id_token_signed_response_alg", json!("none"), "invalid_client_metadata"),
        ("client_name", json!("a\u{7}b"), "invalid_client_metadata"),
        ("software_statement", json!("a.b.c"), "invalid_software_statement"),
    ] {
        let mut body = sound();
        body[member] = value.clone();
        let found = register(&house, None, &body).await;
        assert_eq!(found.error(), format!("400 {expected}"), "{member}={value}: {}", found.json);
    }
    let url = format!("{}/register", house.issuer);
    let form = answer(house.http().post(&url).form(&[("client_name", "x")])).await;
    assert_eq!(form.error(), "400 invalid_request");
    let broken = house.http().post(&url).header("content-type", "application/json").body("[1]");
    assert_eq!(answer(broken).await.error(), "400 invalid_client_metadata");
    let unknown = register(&house, Some("not-a-token"), &sound()).await;
    assert_eq!(unknown.error(), "401 invalid_token");
}

#[tokio::test]
async fn l4_nobody_makes_a_client_of_their_own_first_party() {
    let house = open(&[]).await;
    let mut body = sound();
    for (member, value) in [
        ("first_party", json!(true)),
        ("resources", json!(["https://api.example"])),
        ("client_id", json!("chosen")),
        ("token_exchange_impersonation", json!(true)),
        ("disabled", json!(false)),
    ] {
        body[member] = value;
    }
    let registered = register(&house, None, &body).await;
    assert_eq!(registered.status, 201, "{}", registered.json);
    assert_ne!(registered.json["client_id"], "chosen");
    let client = app(&house, &registered).await.client;
    assert!(!client.first_party && client.resources.is_empty());
    assert!(!client.settings.token_exchange_impersonation);
}

#[tokio::test]
async fn c3_19_a_client_reads_changes_and_deletes_its_own_registration_alone() {
    on_each_engine!(house, {
        let house = house.reopened(&[("REGISTRATION__MODE", "open")]).await;
        let registered = register(&house, None, &sound()).await;
        let other = register(&house, None, &sound()).await;
        let uri = registered.text("registration_client_uri").to_owned();
        let token = registered.text("registration_access_token").to_owned();
        for bad in [None, Some("wrong"), Some(other.text("registration_access_token"))] {
            for method in [Method::GET, Method::PUT, Method::DELETE] {
                let body = (method == Method::PUT).then(sound);
                let found = send(&house, method.clone(), &uri, bad, body.as_ref()).await;
                assert_eq!(found.status, 401, "{method} {bad:?}");
                assert!(found.headers.contains_key("www-authenticate"));
            }
        }
        let by_hand = house.client(ClientKind::Web, |_| {}).await;
        let url = format!("{}/register/{}", house.issuer, by_hand.client_id());
        assert_eq!(send(&house, Method::GET, &url, Some(&token), None).await.status, 401);

        let shown = send(&house, Method::GET, &uri, Some(&token), None).await;
        assert_eq!(shown.status, 200);
        assert_eq!(shown.json["contacts"], json!(["a@example.com"]));
        assert_eq!(shown.json["registration_access_token"], token);
        assert!(shown.json.get("client_secret").is_none(), "secrets are stored hashed");

        let mut change = json!({
            "client_id": registered.json["client_id"], "client_name": "Renamed",
            "redirect_uris": [CALLBACK, "https://app.example/cb"],
            "client_secret": registered.json["client_secret"],
        });
        let changed = send(&house, Method::PUT, &uri, Some(&token), Some(&change)).await;
        assert_eq!(changed.status, 200, "{}", changed.json);
        assert_eq!(changed.json["client_name"], "Renamed");
        assert!(changed.json.get("contacts").is_none(), "left out is taken away (RFC 7592 2.2)");
        for (member, value, expected) in [
            ("client_id", json!("another"), "400 invalid_request"),
            ("client_secret", json!("guess"), "400 invalid_request"),
            ("registration_access_token", json!("x"), "400 invalid_request"),
            ("redirect_uris", json!(["http://evil.example/"]), "400 invalid_redirect_uri"),
            ("token_endpoint_auth_method", json!("none"), "400 invalid_client_metadata"),
        ] {
            let before = change[member].clone();
            change[member] = value;
            let found = send(&house, Method::PUT, &uri, Some(&token), Some(&change)).await;
            assert_eq!(found.error(), expected, "{member}: {}", found.json);
            if before.is_null() {
                change.as_object_mut().unwrap().remove(member);
            } else {
                change[member] = before;
            }
        }
        let gone = send(&house, Method::DELETE, &uri, Some(&token), None).await;
        assert_eq!(gone.status, 204);
        assert_eq!(send(&house, Method::GET, &uri, Some(&token), None).await.status, 401);
        let client = app_of(&house, &other).await;
        assert_eq!(client.token(&[("grant_type", "authorization_code")]).await.status, 400);
    });
}

async fn app_of(house: &House, registered: &Answer) -> App {
    app(house, registered).await
}

#[tokio::test]
async fn registration_is_off_unless_it_is_opened() {
    let house = House::new().await;
    assert_eq!(register(&house, None, &sound()).await.status, 404);
    let discovery = house.issuer.clone() + "/.well-known/openid-configuration";
    let discovery = send(&house, Method::GET, &discovery, None, None).await;
    assert!(discovery.json.get("registration_endpoint").is_none());
    assert!(discovery.json.get("client_id_metadata_document_supported").is_none());
}

#[tokio::test]
async fn an_initial_access_token_is_counted_and_expires() {
    on_each_engine!(house, {
        let house = house.reopened(&[("REGISTRATION__MODE", "token")]).await;
        let administration = &house.broker.broker.administration;
        let day = Some(Duration::from_secs(86_400));
        let (token, secret) = administration
            .create_registration_token(&Actor::cli(), "partners".into(), Some(2), day)
            .await
            .unwrap();
        let secret = secret.expose().clone();
        assert_eq!(register(&house, None, &sound()).await.error(), "401 invalid_token");
        assert_eq!(register(&house, Some("guess"), &sound()).await.error(), "401 invalid_token");
        let bad = json!({ "redirect_uris": ["javascript:x"] });
        assert_eq!(register(&house, Some(&secret), &bad).await.status, 400, "costs no use");
        let body = sound();
        let all = (0..6).map(|_| register(&house, Some(&secret), &body));
        let answers = futures_util::future::join_all(all).await;
        assert_eq!(answers.iter().filter(|a| a.status == 201).count(), 2);
        assert_eq!(answers.iter().filter(|a| a.status == 401).count(), 4);
        administration.delete_registration_token(&Actor::cli(), &token.id).await.unwrap();

        let (_, secret) = administration
            .create_registration_token(&Actor::cli(), "short".into(), None, day)
            .await
            .unwrap();
        assert_eq!(register(&house, Some(secret.expose()), &sound()).await.status, 201);
        house.advance(Duration::from_secs(86_400));
        let late = register(&house, Some(secret.expose()), &sound()).await;
        assert_eq!(late.error(), "401 invalid_token");
    });
}

#[tokio::test]
async fn the_operators_policy_narrows_what_may_be_registered() {
    let house = open(&[
        ("REGISTRATION__REDIRECT_HOSTS", "127.0.0.1,app.example"),
        ("REGISTRATION__GRANT_TYPES", "authorization_code"),
    ])
    .await;
    assert_eq!(register(&house, None, &sound()).await.status, 201);
    let elsewhere = json!({ "redirect_uris": ["https://app.example.evil.example/cb"] });
    assert_eq!(register(&house, None, &elsewhere).await.error(), "400 invalid_redirect_uri");
    let more = json!({
        "redirect_uris": [CALLBACK], "grant_types": ["authorization_code", "refresh_token"],
    });
    assert_eq!(register(&house, None, &more).await.error(), "400 invalid_client_metadata");
}

#[tokio::test]
async fn a_software_statement_counts_more_than_the_client_and_only_from_a_trusted_key() {
    let key =
        |alg| SigningKey::from_pkcs8(alg, generate_private_key(alg).unwrap().expose()).unwrap();
    let (trusted, other) = (key(Algorithm::Es256), key(Algorithm::Es256));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("jwks.json");
    let set = json!({ "keys": [trusted.public_jwk()] });
    std::fs::write(&file, set.to_string()).unwrap();
    let house = open(&[
        ("REGISTRATION__SOFTWARE_STATEMENT_JWKS_FILE", file.to_str().unwrap()),
        ("REGISTRATION__REQUIRE_SOFTWARE_STATEMENT", "true"),
    ])
    .await;
    let claims = json!({
        "software_id": "4NRB1", "client_name": "Vouched for", "redirect_uris": [CALLBACK],
        "first_party": true,
    });
    let with = |statement: String| {
        let mut body = sound();
        body["client_name"] = json!("Self-styled");
        body["software_statement"] = json!(statement);
        body
    };
    assert_eq!(register(&house, None, &sound()).await.error(), "400 invalid_software_statement");
    let forged = with(other.sign(Typ::IdToken, &claims).unwrap());
    let found = register(&house, None, &forged).await;
    assert_eq!(found.error(), "400 unapproved_software_statement");
    let mut stale = claims.clone();
    stale["exp"] = json!(house.now().secs());
    let found = register(&house, None, &with(trusted.sign(Typ::IdToken, &stale).unwrap())).await;
    assert_eq!(found.error(), "400 invalid_software_statement");
    let statement = trusted.sign(Typ::IdToken, &claims).unwrap();
    let found = register(&house, None, &with(statement.clone())).await;
    assert_eq!(found.status, 201, "{}", found.json);
    assert_eq!(found.json["client_name"], "Vouched for");
    assert_eq!(found.json["software_statement"], statement);
    assert!(!app(&house, &found).await.client.first_party);
}

/// A place on the web where an app publishes its metadata.
struct Place {
    url: String,
    document: Arc<Mutex<Value>>,
    asked: Arc<AtomicUsize>,
}

async fn place() -> Place {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/client.json", listener.local_addr().unwrap());
    let document = Arc::new(Mutex::new(json!({
        "client_id": url, "client_name": "An assistant", "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
    })));
    let asked = Arc::new(AtomicUsize::new(0));
    let (shown, count) = (Arc::clone(&document), Arc::clone(&asked));
    let server = HttpServer::new(move || {
        let (shown, count) = (Arc::clone(&shown), Arc::clone(&count));
        Site::new().route(
            "/client.json",
            web::get().to(move || {
                count.fetch_add(1, Ordering::SeqCst);
                let document = shown.lock().unwrap().clone();
                std::future::ready(if document.is_null() {
                    HttpResponse::NotFound().finish()
                } else {
                    HttpResponse::Ok().json(document)
                })
            }),
        )
    })
    .workers(1)
    .disable_signals()
    .listen(listener)
    .unwrap()
    .run();
    tokio::spawn(server);
    Place { url, document, asked }
}

/// An app that is nowhere registered: its name is its address.
fn nowhere_registered(house: &House, place: &Place) -> App {
    let id = russet::protocol::id::ClientId::new(place.url.clone());
    let mut client = russet::protocol::client::Client::of_kind(id, ClientKind::Spa, house.now());
    client.redirect_uris = vec![CALLBACK.to_owned()];
    App::new(house, client, None)
}

#[tokio::test]
async fn a_client_is_named_by_the_address_of_its_document() {
    on_each_engine!(house, {
        let documents = [("REGISTRATION__CLIENT_ID_METADATA_DOCUMENTS", "true")];
        let house = house.reopened(&documents).await;
        let discovery = house.issuer.clone() + "/.well-known/oauth-authorization-server";
        let discovery = send(&house, Method::GET, &discovery, None, None).await;
        assert_eq!(discovery.json["client_id_metadata_document_supported"], true);
        let place = place().await;
        let app = nowhere_registered(&house, &place);
        let attempt = app.attempt("openid offline_access");
        let mut browser = house.browser();
        let page = app.sign_in(&mut browser, &attempt, "Ada Lovelace").await;
        assert!(page.body.contains("An assistant"), "{} {}", page.url, page.body);
        let end = browser.press(&page, "Allow").await;
        let tokens = app.redeem(&attempt, &end.query("code").unwrap()).await;
        assert_eq!(tokens.status, 200, "{}", tokens.json);
        assert_eq!(app.refresh(tokens.text("refresh_token")).await.status, 200);
        assert_eq!(place.asked.load(Ordering::SeqCst), 1, "kept");

        // A day's grace for a host that is down; then nobody is let in by an old document.
        *place.document.lock().unwrap() = Value::Null;
        house.advance(Duration::from_secs(2 * 3600));
        let page = browser.open(&app.authorize_url(&app.attempt("openid"))).await;
        assert_eq!(page.url.port(), Some(9), "{}", page.body);
        house.advance(Duration::from_secs(24 * 3600));
        let page = browser.open(&app.authorize_url(&app.attempt("openid"))).await;
        assert_eq!(page.status, 400);
    });
}

#[tokio::test]
async fn each_bad_document_is_refused_and_not_asked_for_again_at_once() {
    let house = House::with(&[("REGISTRATION__CLIENT_ID_METADATA_DOCUMENTS", "true")]).await;
    let place = place().await;
    let app = nowhere_registered(&house, &place);
    let good = place.document.lock().unwrap().clone();
    let mut asked = 0;
    for (member, value) in [
        ("client_id", json!("https://other.example/client.json")),
        ("client_id", json!(null)),
        ("client_secret", json!("secret")),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("redirect_uris", json!([])),
        ("redirect_uris", json!(["http://evil.example/cb"])),
        ("grant_types", json!(["client_credentials"])),
        ("client_name", json!("x".repeat(20_000))),
    ] {
        let mut document = good.clone();
        document[member] = value.clone();
        *place.document.lock().unwrap() = document;
        for _ in 0..2 {
            let page = house.browser().open(&app.authorize_url(&app.attempt("openid"))).await;
            assert_eq!(page.status, 400, "{member}={value:.40}");
            assert_eq!(page.url.path(), "/authorize");
        }
        asked += 1;
        assert_eq!(place.asked.load(Ordering::SeqCst), asked, "{member}");
        house.advance(Duration::from_secs(60));
    }
    // Not an address of a document, or closed.
    let closed = House::new().await;
    let app = nowhere_registered(&closed, &place);
    let page = closed.browser().open(&app.authorize_url(&app.attempt("openid"))).await;
    assert_eq!(page.status, 400);
    assert_eq!(place.asked.load(Ordering::SeqCst), asked, "nothing is fetched when it is off");
}

#[tokio::test]
async fn userinfo_says_who_gives_tokens_for_it() {
    let house = House::new().await;
    let place = format!("{}/.well-known/oauth-protected-resource/userinfo", house.issuer);
    let document = send(&house, Method::GET, &place, None, None).await;
    assert_eq!(document.json["authorization_servers"], json!([house.issuer]));
    let resource = document.text("resource").to_owned();
    assert_eq!(resource, format!("{}/userinfo", house.issuer));
    let unasked = send(&house, Method::GET, &resource, None, None).await;
    let challenge = unasked.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains(&format!("resource_metadata=\"{place}\"")), "{challenge}");
    // What the document calls the resource may be asked for by that name.
    let app = house.client(ClientKind::Web, |_| {}).await;
    let attempt = app.attempt("openid profile").with("resource", &resource);
    let end = app.sign_in(&mut house.browser(), &attempt, "Ada Lovelace").await;
    let code = end.query("code").unwrap();
    let tokens = app
        .token(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", &attempt.verifier),
            ("resource", &resource),
        ])
        .await;
    assert_eq!(tokens.status, 200, "{}", tokens.json);
    assert_eq!(app.userinfo(tokens.text("access_token")).await.json["name"], "Ada Lovelace");
}

#[tokio::test]
async fn c3_20_a_client_gets_the_profile_that_the_policy_says_and_none_laxer() {
    let house = open(&[("REGISTRATION__PROFILE", "oauth2.1")]).await;
    let stored = async |registered: &Answer| app(&house, registered).await.client;
    let registered = register(&house, None, &sound()).await;
    assert_eq!(registered.status, 201, "{}", registered.json);
    let client = stored(&registered).await;
    assert_eq!(client.settings.profile, Some(Profile::Oauth21));
    assert!(client.require_pkce);
    // Nothing that a client says of itself changes that, neither at first nor later.
    let mut lax = sound();
    lax["profile"] = json!("oidc");
    lax["require_pkce"] = json!(false);
    let registered = register(&house, None, &lax).await;
    assert_eq!(stored(&registered).await.settings.profile, Some(Profile::Oauth21));
    lax["client_id"] = registered.json["client_id"].clone();
    let uri = registered.text("registration_client_uri").to_owned();
    let token = registered.text("registration_access_token").to_owned();
    let updated = send(&house, Method::PUT, &uri, Some(&token), Some(&lax)).await;
    assert_eq!(updated.status, 200, "{}", updated.json);
    let client = stored(&registered).await;
    assert!(client.require_pkce && client.settings.profile == Some(Profile::Oauth21));
}

#[tokio::test]
async fn c3_20_the_installations_minimum_rules_those_who_register_too() {
    let house = open(&[("SECURITY__MINIMUM_PROFILE", "fapi2")]).await;
    let key = SigningKey::from_pkcs8(
        Algorithm::Es256,
        generate_private_key(Algorithm::Es256).unwrap().expose(),
    )
    .unwrap();
    let secret = register(&house, None, &sound()).await;
    assert_eq!(secret.error(), "400 invalid_client_metadata", "a secret proves no key");
    let mut strong = sound();
    strong["token_endpoint_auth_method"] = json!("private_key_jwt");
    strong["jwks"] = json!({ "keys": [key.public_jwk()] });
    let registered = register(&house, None, &strong).await;
    assert_eq!(registered.status, 201, "{}", registered.json);
    assert_eq!(registered.json["dpop_bound_access_tokens"], true);
    assert_eq!(registered.json["id_token_signed_response_alg"], "PS256");
    for (member, value) in [
        ("id_token_signed_response_alg", json!("RS256")),
        ("dpop_bound_access_tokens", json!(false)),
    ] {
        let mut weak = strong.clone();
        weak[member] = value;
        let refused = register(&house, None, &weak).await;
        assert_eq!(refused.error(), "400 invalid_client_metadata", "{member}");
    }
}

#[tokio::test]
async fn c3_18_nobody_registers_for_certificates_that_are_not_asked_for() {
    let house = open(&[]).await;
    for (method, subject) in [
        ("tls_client_auth", json!({ "tls_client_auth_subject_dn": "CN=client" })),
        ("self_signed_tls_client_auth", json!({ "jwks_uri": "https://client.example/jwks" })),
        ("client_secret_basic", json!({ "tls_client_certificate_bound_access_tokens": true })),
    ] {
        let mut body = sound();
        body["token_endpoint_auth_method"] = json!(method);
        for (member, value) in subject.as_object().unwrap() {
            body[member] = value.clone();
        }
        let refused = register(&house, None, &body).await;
        assert_eq!(refused.error(), "400 invalid_client_metadata", "{method}");
    }
    // Where certificates come by a proxy's header, their own are welcome.
    let house = open(&[("MTLS__HEADER", "Client-Cert"), ("SERVER__TRUSTED_PROXIES", "127.0.0.1")]);
    let house = house.await;
    let mut body = sound();
    body["token_endpoint_auth_method"] = json!("self_signed_tls_client_auth");
    body["jwks_uri"] = json!("https://client.example/jwks");
    assert_eq!(register(&house, None, &body).await.status, 201);
}
