//! PAR, JAR and the profiles: conformance C.4.34, C.4.40, C.4.41, C.5.43–C.5.48, C.7.62 by number.

use std::time::Duration;

use russet::protocol::client::{Client, ClientKind};
use russet::protocol::jose::Algorithm;
use russet::protocol::profile::Profile;
use serde_json::{Value, json};

use crate::harness::House;
use crate::harness::app::{Attempt, claims};
use crate::harness::browser::{Browser, Page};
use crate::harness::signer::{Signer, new_key, unsigned};

async fn go_on(browser: &mut Browser, page: Page) -> Page {
    if page.url.port() == Some(9) {
        return page;
    }
    browser.press(&page, "Continue as Ada Lovelace").await
}

async fn pushed(signer: &Signer, house: &House, attempt: &Attempt) -> String {
    let answer = signer.push(house, attempt).await;
    assert_eq!(answer.status, 201, "{}", answer.json);
    answer.text("request_uri").to_owned()
}

#[tokio::test]
async fn c5_43_a_request_is_pushed_and_its_reference_signs_somebody_in() {
    let house = House::new().await;
    let signer = Signer::new(&house, Algorithm::Ps256, |_| {}).await;
    let attempt = signer.app.attempt("openid");
    let answer = signer.push(&house, &attempt).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.headers["cache-control"], "no-store", "C.11.86");
    assert_eq!(answer.json["expires_in"], 60);
    let request_uri = answer.text("request_uri");
    assert!(request_uri.starts_with("urn:ietf:params:oauth:request_uri:"));
    assert!(request_uri.len() >= 34 + 43, "256 random bits");
    let mut browser = house.browser();
    let page = browser.open(&signer.authorize_url(request_uri)).await;
    let end = go_on(&mut browser, page).await;
    assert_eq!(end.query("state").as_deref(), Some(attempt.state.as_str()));
    assert_eq!(end.query("iss").as_deref(), Some(house.issuer.as_str()), "C.4.35");
    let tokens = signer.redeem(&house, &attempt, &end.query("code").unwrap()).await;
    assert_eq!(claims(tokens.text("id_token"))["nonce"], attempt.nonce);
    for secret_client in [house.client(ClientKind::Web, |_| {}).await] {
        let attempt = secret_client.attempt("openid");
        let form: Vec<_> =
            attempt.parameters.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(secret_client.post("/par", &form).await.status, 201);
    }
}

#[tokio::test]
async fn c4_41_only_what_was_pushed_counts_and_it_is_answered_once() {
    let house = House::new().await;
    let signer = Signer::new(&house, Algorithm::Es256, |_| {}).await;
    let other = Signer::new(&house, Algorithm::Es256, |_| {}).await;
    let attempt = signer.app.attempt("openid").with("state", "");
    let request_uri = pushed(&signer, &house, &attempt).await;
    let url = signer.authorize_url(&request_uri);
    let outer = format!("{url}&state=outer&nonce=outer&scope=email&response_type=token");

    let stranger = house.browser().open(&other.authorize_url(&request_uri)).await;
    assert_eq!(stranger.status, 400, "another client's");
    assert!(stranger.body.contains("invalid_request_uri"));
    assert!(stranger.body.contains("request_uri is invalid or expired"), "C.D.4");

    // Opened twice, and by then expired: the page that was opened in time goes on.
    let mut browser = house.browser();
    let _ = browser.open(&outer).await;
    let page = browser.open(&outer).await;
    house.advance(Duration::from_secs(61));
    let end = go_on(&mut browser, page).await;
    assert_eq!(end.query("state"), None, "the outer state is nobody's");
    let tokens = signer.redeem(&house, &attempt, &end.query("code").unwrap()).await;
    assert_eq!(claims(tokens.text("id_token"))["nonce"], attempt.nonce);

    let fresh = pushed(&signer, &house, &attempt).await;
    let end = browser.open(&signer.authorize_url(&fresh)).await;
    assert!(end.query("code").is_some(), "silently");
    let again = browser.open(&signer.authorize_url(&fresh)).await;
    assert_eq!(again.status, 400, "answered before");
    assert!(again.body.contains("invalid_request_uri"));
}

#[tokio::test]
async fn c5_48_a_reference_dies_in_the_second_it_expires() {
    let house = House::new().await;
    let signer = Signer::new(&house, Algorithm::Es256, |_| {}).await;
    let attempt = signer.app.attempt("openid");
    let request_uri = pushed(&signer, &house, &attempt).await;
    house.advance(Duration::from_secs(59));
    let page = house.browser().open(&signer.authorize_url(&request_uri)).await;
    assert_ne!(page.status, 400);
    house.advance(Duration::from_secs(1));
    let page = house.browser().open(&signer.authorize_url(&request_uri)).await;
    assert_eq!(page.status, 400);
    assert!(page.body.contains("invalid_request_uri"));
    for forged in ["urn:ietf:params:oauth:request_uri:", "urn:ietf:params:oauth:request_uri:x"] {
        let page = house.browser().open(&signer.authorize_url(forged)).await;
        assert_eq!(page.status, 400, "{forged}");
    }
}

#[tokio::test]
async fn two_pages_of_one_pushed_request_give_one_code() {
    let house = House::new().await;
    let signer = Signer::new(&house, Algorithm::Es256, |_| {}).await;
    let request_uri = pushed(&signer, &house, &signer.app.attempt("openid")).await;
    let url = signer.authorize_url(&request_uri);
    let (mut one, mut two) = (house.browser(), house.browser());
    let (first, second) = (one.open(&url).await, two.open(&url).await);
    assert!(go_on(&mut one, first).await.query("code").is_some());
    let late = go_on(&mut two, second).await;
    assert_eq!(late.status, 400, "{}", late.url);
}

#[tokio::test]
async fn c5_44_each_bad_push_is_refused_where_the_client_hears_it() {
    let house = House::new().await;
    let signer = Signer::new(&house, Algorithm::Es256, |_| {}).await;
    let sound = signer.app.attempt("openid");
    for (name, value, expected) in [
        ("request_uri", "urn:ietf:params:oauth:request_uri:x", "400 invalid_request"),
        ("code_challenge_method", "plain", "400 invalid_request"),
        ("code_challenge", "", "400 invalid_request"),
        ("redirect_uri", "https://evil.example/", "400 invalid_request"),
        ("response_type", "", "400 invalid_request"),
        ("response_type", "code id_token", "400 unsupported_response_type"),
        ("response_type", "token", "400 unsupported_response_type"),
        ("scope", "\"", "400 invalid_scope"),
        ("scope", "openid bogus", "400 invalid_scope"),
        ("resource", "https://nowhere.example", "400 invalid_target"),
        ("request", "eyJ", "400 invalid_request_object"),
    ] {
        let answer = signer.push(&house, &sound.clone().with(name, value)).await;
        assert_eq!(answer.error(), expected, "{name}={value}");
    }
    // C.5.46
    for method in [reqwest::Method::PUT, reqwest::Method::GET] {
        let url = format!("{}/par", house.issuer);
        let answer = house.http().request(method, url).send().await.unwrap();
        assert!(answer.status().is_client_error(), "{}", answer.status());
    }
}

#[tokio::test]
async fn c4_34_a_signed_request_counts_and_what_stands_beside_it_does_not() {
    let house = House::new().await;
    let signer = Signer::new(&house, Algorithm::Es256, |_| {}).await;
    let attempt = signer.app.attempt("openid");
    let object = signer.sign(&signer.request_object(&house, &attempt));
    let outside = |object: &str, redirect_uri: &str| {
        let mut url = url::Url::parse(&format!("{}/authorize", house.issuer)).unwrap();
        url.query_pairs_mut()
            .append_pair("client_id", signer.app.client_id())
            .append_pair("response_type", "token")
            .append_pair("state", "outer")
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("request", object);
        String::from(url)
    };
    let callback = signer.app.client.redirect_uris[0].clone();
    for redirect_uri in [callback.as_str(), "https://evil.example/"] {
        let mut browser = house.browser();
        let page = browser.open(&outside(&object, redirect_uri)).await;
        let end = go_on(&mut browser, page).await;
        assert_eq!(end.query("state").as_deref(), Some(attempt.state.as_str()), "{}", end.url);
        assert!(end.query("code").is_some());
    }
    // A bad one is told to a good address, and to no other.
    let bad = unsigned(&signer.request_object(&house, &attempt));
    let end = house.browser().open(&outside(&bad, &callback)).await;
    assert_eq!(end.query("error").as_deref(), Some("invalid_request_object"));
    assert_eq!(end.query("state").as_deref(), Some("outer"));
    let page = house.browser().open(&outside(&bad, "https://evil.example/")).await;
    assert_eq!(page.status, 400);
    // A client without keys cannot be meant.
    let plain = house.client(ClientKind::Web, |_| {}).await;
    let attempt = plain.attempt("openid").with("request", &bad);
    let end = house.browser().open(&plain.authorize_url(&attempt)).await;
    assert_eq!(end.query("error").as_deref(), Some("request_not_supported"));
    let attempt = plain.attempt("openid").with("request_uri", "https://app.example/r");
    let end = house.browser().open(&plain.authorize_url(&attempt)).await;
    assert_eq!(end.query("error").as_deref(), Some("request_uri_not_supported"));
}

#[tokio::test]
async fn c5_44_c12_each_bad_request_object_is_refused_when_pushed() {
    let house = House::new().await;
    let fapi = |client: &mut Client| {
        client.settings.profile = Some(Profile::Fapi2);
        client.settings.require_signed_request_object = true;
    };
    let signer = Signer::new(&house, Algorithm::Es256, fapi).await;
    let attempt = signer.app.attempt("openid");
    let sound = signer.request_object(&house, &attempt);
    let now = house.now().secs();
    let with = |name: &str, value: Value| {
        let mut claims = sound.clone();
        claims[name] = value;
        signer.sign(&claims)
    };
    let without = |name: &str| {
        let mut claims = sound.clone();
        claims.as_object_mut().unwrap().remove(name);
        signer.sign(&claims)
    };
    let typ = russet::protocol::jose::Typ::IdToken;
    for (object, why) in [
        (unsigned(&sound), "alg none"),
        (new_key(Algorithm::Es256).sign(typ, &sound).unwrap(), "another key"),
        (with("aud", json!("https://other.example")), "aud"),
        (with("exp", json!(now - 60)), "expired"),
        (with("exp", json!(now + 3700)), "good for over an hour"),
        (with("nbf", json!(now - 3700)), "older than an hour"),
        (with("iss", json!("other")), "iss"),
        (with("request_uri", json!("urn:x")), "a request in a request"),
        (without("exp"), "no exp"),
        (without("nbf"), "no nbf"),
        (without("aud"), "no aud"),
    ] {
        let answer = signer.post(&house, "/par", &[("request", &object)]).await;
        assert_eq!(answer.error(), "400 invalid_request_object", "{why}");
    }
    let unsigned = signer.push(&house, &attempt).await;
    assert_eq!(unsigned.error(), "400 invalid_request", "must be signed");
    for (object, why) in [
        (with("aud", json!([house.issuer, "https://other.example"])), "several audiences"),
        (with("nbf", json!(now + 8)), "a clock ahead"),
    ] {
        let answer = signer.post(&house, "/par", &[("request", &object)]).await;
        assert_eq!(answer.status, 201, "{why}: {}", answer.json);
    }
}

#[tokio::test]
async fn c4_40_a_fapi_client_must_push_and_says_where_and_how() {
    let house = House::new().await;
    let fapi = |client: &mut Client| client.settings.profile = Some(Profile::Fapi2);
    let signer = Signer::new(&house, Algorithm::Es256, fapi).await;
    let attempt = signer.app.attempt("openid");
    let end = house.browser().open(&signer.app.authorize_url(&attempt)).await;
    assert_eq!(end.query("error").as_deref(), Some("invalid_request"));
    let without = signer.push(&house, &attempt.clone().with("redirect_uri", "")).await;
    assert_eq!(without.error(), "400 invalid_request");
    // So must a client of any profile that is set to.
    let must = |client: &mut Client| client.settings.require_pushed_authorization_requests = true;
    let signer = Signer::new(&house, Algorithm::Es256, must).await;
    let end = house.browser().open(&signer.app.authorize_url(&signer.app.attempt("openid"))).await;
    assert_eq!(end.query("error").as_deref(), Some("invalid_request"));
}

#[tokio::test]
async fn the_minimum_of_the_installation_rules_every_client() {
    let house = House::configured(&[("RUSSET_SECURITY__MINIMUM_PROFILE", "oauth2.1")]).await;
    let app = house.client(ClientKind::Web, |client| client.require_pkce = false).await;
    let attempt =
        app.attempt("openid").with("code_challenge", "").with("code_challenge_method", "");
    let end = house.browser().open(&app.authorize_url(&attempt)).await;
    assert_eq!(end.query("error").as_deref(), Some("invalid_request"));
    let house = House::configured(&[("RUSSET_SECURITY__MINIMUM_PROFILE", "fapi2")]).await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let end = house.browser().open(&app.authorize_url(&app.attempt("openid"))).await;
    assert_eq!(end.query("error").as_deref(), Some("invalid_request"));
    let metadata = house.metadata().await;
    assert_eq!(metadata["require_pushed_authorization_requests"], true);
    let algorithms = &metadata["token_endpoint_auth_signing_alg_values_supported"];
    assert!(!algorithms.as_array().unwrap().contains(&json!("RS256")), "{algorithms}");
}

#[tokio::test]
async fn c1_discovery_says_what_these_tests_use() {
    let house = House::new().await;
    let metadata = house.metadata().await;
    let par = format!("{}/par", house.issuer);
    assert_eq!(metadata["pushed_authorization_request_endpoint"], par, "C.1.7");
    for (member, value) in [
        ("require_pushed_authorization_requests", json!(false)),
        ("request_parameter_supported", json!(true)),
        ("request_uri_parameter_supported", json!(false)),
        ("claims_parameter_supported", json!(true)),
        ("require_signed_request_object", json!(false)),
        ("authorization_response_iss_parameter_supported", json!(true)),
    ] {
        assert_eq!(metadata[member], value, "C.1.10 {member}");
    }
    for member in [
        "token_endpoint_auth_signing_alg_values_supported",
        "request_object_signing_alg_values_supported",
    ] {
        assert_eq!(metadata[member], json!(["RS256", "ES256", "EdDSA", "PS256"]), "C.1.3, C.1.4");
    }
    for scope in ["openid", "profile", "email", "address", "phone", "offline_access"] {
        assert!(metadata["scopes_supported"].as_array().unwrap().contains(&json!(scope)));
    }
    let methods = metadata["token_endpoint_auth_methods_supported"].as_array().unwrap();
    for method in ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"] {
        assert!(methods.contains(&json!(method)), "C.1.5 {method}");
    }
}
