//! Lines of the conformance checklist that no other story tells, by number: C.1, C.4 to C.7, C.9,
//! C.11. `docs/conformance.md` says where each line is tested.

use std::time::Duration;

use reqwest::Method;
use russet::protocol::client::{Client, ClientKind};
use russet::protocol::jose::{Algorithm, Typ};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::House;
use crate::harness::app::{App, answer, claims};
use crate::harness::browser::Browser;
use crate::harness::receiver::verified;
use crate::harness::signer::{Signer, new_key};

const ADA: &str = "Ada Lovelace";
const CALLBACK: &str = "http://127.0.0.1:9/callback";

async fn signed_in() -> (House, App, Browser) {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    app.tokens(&mut browser, "openid", ADA).await;
    (house, app, browser)
}

fn listed(value: &Value) -> Vec<&str> {
    value.as_array().expect("a list").iter().filter_map(Value::as_str).collect()
}

#[tokio::test]
async fn c1_1_discovery_is_json_and_every_address_is_the_issuers() {
    let house = House::new().await;
    for path in ["openid-configuration", "oauth-authorization-server"] {
        let url = format!("{}/.well-known/{path}", house.issuer);
        let response = house.http().get(url).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/json");
        let document: Value = response.json().await.unwrap();
        assert_eq!(document["issuer"], house.issuer);
        for (member, value) in document.as_object().unwrap() {
            if member.ends_with("_endpoint") || member == "jwks_uri" {
                let url = url::Url::parse(value.as_str().unwrap()).unwrap();
                assert!(url.as_str().starts_with(&house.issuer), "{member}");
                assert!(url.query().is_none() && url.fragment().is_none(), "{member}");
            }
        }
    }
}

#[tokio::test]
async fn c1_2_c1_3_c1_4_c1_6_c1_7_discovery_lists_what_the_plans_look_for() {
    let house = House::new().await;
    let document = house.metadata().await;
    for member in ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"] {
        assert!(document[member].is_string(), "{member}");
    }
    for (member, wanted) in [
        ("response_types_supported", &["code"][..]),
        ("subject_types_supported", &["public", "pairwise"]),
        ("id_token_signing_alg_values_supported", &["RS256", "PS256", "ES256", "EdDSA"]),
        ("token_endpoint_auth_signing_alg_values_supported", &["PS256", "ES256", "EdDSA"]),
        ("dpop_signing_alg_values_supported", &["PS256", "ES256", "EdDSA"]),
        ("userinfo_signing_alg_values_supported", &["RS256", "PS256"]),
        ("request_object_signing_alg_values_supported", &["RS256", "PS256"]),
        ("scopes_supported", &["openid", "offline_access"]),
        ("claims_supported", &["sub", "iss", "auth_time", "name", "email"]),
        ("grant_types_supported", &["authorization_code", "refresh_token"]),
        ("token_endpoint_auth_methods_supported", &["client_secret_basic", "private_key_jwt"]),
    ] {
        let listed = listed(&document[member]);
        assert!(wanted.iter().all(|value| listed.contains(value)), "{member}: {listed:?}");
        assert!(!listed.contains(&"none") || member.contains("auth_methods"), "{member}");
    }
    assert_eq!(listed(&document["code_challenge_methods_supported"]), ["S256"]);
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    assert!(document["pushed_authorization_request_endpoint"].is_string());
    assert!(document["require_pushed_authorization_requests"].is_boolean());
}

/// What IANA's registry of authorization server metadata knows, as far as Russet says it.
const REGISTERED: &[&str] = &[
    "acr_values_supported",
    "authorization_endpoint",
    "authorization_response_iss_parameter_supported",
    "backchannel_logout_session_supported",
    "backchannel_logout_supported",
    "check_session_iframe",
    "claims_parameter_supported",
    "claims_supported",
    "client_id_metadata_document_supported",
    "code_challenge_methods_supported",
    "device_authorization_endpoint",
    "display_values_supported",
    "dpop_signing_alg_values_supported",
    "end_session_endpoint",
    "frontchannel_logout_session_supported",
    "frontchannel_logout_supported",
    "grant_types_supported",
    "id_token_signing_alg_values_supported",
    "introspection_endpoint",
    "introspection_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_signing_alg_values_supported",
    "issuer",
    "jwks_uri",
    "mtls_endpoint_aliases",
    "prompt_values_supported",
    "pushed_authorization_request_endpoint",
    "registration_endpoint",
    "request_object_signing_alg_values_supported",
    "request_parameter_supported",
    "request_uri_parameter_supported",
    "require_pushed_authorization_requests",
    "require_signed_request_object",
    "response_modes_supported",
    "response_types_supported",
    "revocation_endpoint",
    "revocation_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_signing_alg_values_supported",
    "scopes_supported",
    "subject_types_supported",
    "tls_client_certificate_bound_access_tokens",
    "token_endpoint",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "ui_locales_supported",
    "userinfo_endpoint",
    "userinfo_signing_alg_values_supported",
];

#[tokio::test]
async fn c1_11_c1_12_members_are_registered_and_have_their_types() {
    let house = House::new().await;
    for (member, value) in house.metadata().await.as_object().unwrap() {
        assert!(REGISTERED.contains(&member.as_str()), "{member} is not registered");
        let typed = match member.as_str() {
            name if name.ends_with("_endpoint") || name.ends_with("_uri") => {
                value.as_str().is_some_and(|url| url::Url::parse(url).is_ok())
            }
            "issuer" | "check_session_iframe" => value.is_string(),
            "mtls_endpoint_aliases" => value.is_object(),
            name if name.starts_with("require_")
                || name.ends_with("parameter_supported")
                || name.contains("logout")
                || name == "tls_client_certificate_bound_access_tokens" =>
            {
                value.is_boolean()
            }
            _ => value
                .as_array()
                .is_some_and(|list| !list.is_empty() && list.iter().all(|one| one.is_string())),
        };
        assert!(typed, "{member}: {value}");
    }
    // BCP 47 in canonical case: language, Script, REGION.
    for tag in listed(&house.metadata().await["ui_locales_supported"]) {
        let mut parts = tag.split('-');
        let language = parts.next().unwrap();
        assert!((2..=3).contains(&language.len()) && language == language.to_lowercase(), "{tag}");
        for part in parts {
            let canonical = match part.len() {
                4 => format!("{}{}", part[..1].to_uppercase(), part[1..].to_lowercase()),
                _ => part.to_uppercase(),
            };
            assert_eq!(part, canonical, "{tag}");
        }
    }
}

#[tokio::test]
async fn c4_23_order_length_and_unknown_parameters_are_no_matter() {
    let (house, app, mut browser) = signed_in().await;
    let (state, nonce) = ("s".repeat(1000), "n".repeat(384));
    let mut attempt = app
        .attempt("email openid profile")
        .with("state", &state)
        .with("nonce", &nonce)
        .with("extra", "foobar");
    attempt.parameters.reverse();
    let end = browser.open(&app.authorize_url(&attempt)).await;
    assert_eq!(end.query("state"), Some(state));
    let tokens = app.redeem(&attempt, &end.query("code").unwrap()).await;
    assert_eq!(claims(tokens.text("id_token"))["nonce"], nonce);
    // Beyond that a clean error, and nothing cut off.
    let long = app.attempt("openid").with("nonce", &"n".repeat(2001));
    let end = browser.open(&app.authorize_url(&long)).await;
    assert_eq!(end.query("error").as_deref(), Some("invalid_request"));
    drop(house);
}

#[tokio::test]
async fn c4_24_c4_38_c4_42_a_registered_query_stays_and_a_code_is_long() {
    let house = House::new().await;
    let uri = format!("{CALLBACK}?dummy1=lorem&dummy2=ipsum");
    let registered = uri.clone();
    let app = house.client(ClientKind::Web, |client| client.redirect_uris = vec![registered]).await;
    let mut browser = house.browser();
    let end = app.sign_in(&mut browser, &app.attempt("openid"), ADA).await;
    assert_eq!(end.query("dummy1").as_deref(), Some("lorem"));
    assert_eq!(end.query("dummy2").as_deref(), Some("ipsum"));
    assert!(end.url.fragment().is_none());
    // 256 bits in base64url.
    let code = end.query("code").unwrap();
    assert!(
        code.len() >= 43 && code.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    );
    for (name, _) in end.url.query_pairs() {
        let known = ["dummy1", "dummy2", "code", "state", "iss", "session_state"];
        assert!(known.contains(&name.as_ref()), "{name}");
    }
    for altered in [CALLBACK.to_owned(), format!("{uri}&foo=bar"), uri.replace("ipsum", "else")] {
        let attempt = app.attempt("openid").with("redirect_uri", &altered);
        assert_eq!(browser.open(&app.authorize_url(&attempt)).await.status, 400, "{altered}");
    }
}

#[tokio::test]
async fn c4_27_state_and_nonce_come_back_only_if_they_were_sent() {
    let (_house, app, mut browser) = signed_in().await;
    let attempt = app.attempt("openid").with("state", "").with("nonce", "");
    let end = browser.open(&app.authorize_url(&attempt)).await;
    assert!(end.query("state").is_none());
    let tokens = app.redeem(&attempt, &end.query("code").unwrap()).await;
    assert!(claims(tokens.text("id_token")).get("nonce").is_none());
}

#[tokio::test]
async fn c4_31_c7_64_prompt_consent_with_offline_access_gives_a_refresh_token() {
    let house = House::new().await;
    for first_party in [true, false] {
        let app = house.client(ClientKind::Web, |client| client.first_party = first_party).await;
        let attempt = app.attempt("openid offline_access").with("prompt", "consent");
        let mut browser = house.browser();
        // Who asks for the page gets it, the operator's own apps too (OIDC Core §3.1.2.1).
        let page = app.sign_in(&mut browser, &attempt, ADA).await;
        let end = browser.press(&page, "consent-allow").await;
        let tokens = app.redeem(&attempt, &end.query("code").unwrap()).await;
        assert!(tokens.json["refresh_token"].is_string());
        let without = app.attempt("openid");
        let end = browser.open(&app.authorize_url(&without)).await;
        let tokens = app.redeem(&without, &end.query("code").unwrap()).await;
        assert!(tokens.json.get("refresh_token").is_none(), "not asked for");
    }
    let document = house.metadata().await;
    assert!(listed(&document["scopes_supported"]).contains(&"offline_access"));
    assert!(listed(&document["grant_types_supported"]).contains(&"refresh_token"));
}

#[tokio::test]
async fn c4_32_a_hint_that_is_none_of_ours_names_nobody() {
    let (house, app, mut browser) = signed_in().await;
    let ours = app.tokens(&mut browser, "openid", ADA).await;
    let stranger = new_key(Algorithm::Es256);
    let foreign = stranger.sign(Typ::IdToken, &claims(ours.text("id_token"))).unwrap();
    for hint in ["garbage", "a.b.c", &foreign, ours.text("access_token")] {
        let attempt = app.attempt("openid").with("id_token_hint", hint);
        let end = browser.open(&app.authorize_url(&attempt)).await;
        assert!(end.query("code").is_some(), "{hint}: {}", end.url);
        // Nobody can say silently that it is the person meant.
        let end = browser.open(&app.authorize_url(&attempt.with("prompt", "none"))).await;
        assert_eq!(end.query("error").as_deref(), Some("login_required"), "{hint}");
        // And somebody who is not signed in is asked as ever.
        let attempt = app.attempt("openid").with("id_token_hint", hint);
        let end = app.sign_in(&mut house.browser(), &attempt, ADA).await;
        assert!(end.query("code").is_some(), "{hint}: {}", end.url);
    }
}

#[tokio::test]
async fn c4_36_descriptions_keep_to_their_characters_whatever_was_sent() {
    let (_house, app, mut browser) = signed_in().await;
    for nasty in ["\"quoted\"", "back\\slash", "é 漢字", "line\r\nbreak\ttab"] {
        for name in ["scope", "resource", "response_mode", "prompt", "claims", "response_type"] {
            let attempt = app.attempt("openid").with(name, nasty);
            let end = browser.open(&app.authorize_url(&attempt)).await;
            let text = end.query("error_description").unwrap_or_else(|| panic!("{name}={nasty}"));
            let allowed = |b: u8| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            assert!(text.bytes().all(allowed), "{name}={nasty}: {text:?}");
            for (name, _) in end.url.query_pairs() {
                let known = ["error", "error_description", "state", "iss"];
                assert!(known.contains(&name.as_ref()), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn c4_39_saying_no_is_access_denied_with_state_and_the_uris_own_query() {
    let house = House::new().await;
    let app = house
        .client(ClientKind::Web, |client| {
            client.redirect_uris = vec![format!("{CALLBACK}?dummy=lorem")];
            client.first_party = false;
        })
        .await;
    let attempt = app.attempt("openid");
    let mut browser = house.browser();
    let page = app.sign_in(&mut browser, &attempt, ADA).await;
    let end = browser.press(&page, "consent-deny").await;
    assert_eq!(end.query("error").as_deref(), Some("access_denied"));
    assert_eq!(end.query("state"), Some(attempt.state.clone()));
    assert_eq!(end.query("dummy").as_deref(), Some("lorem"));
    assert_eq!(end.query("iss"), Some(house.issuer.clone()));
    assert!(end.query("code").is_none());
}

#[tokio::test]
async fn c5_45_c5_46_a_push_without_proof_or_by_another_method_is_refused() {
    let house = House::new().await;
    let signer = Signer::new(&house, Algorithm::Es256, |_| {}).await;
    let attempt = signer.app.attempt("openid");
    let form: Vec<(&str, &str)> = attempt
        .parameters
        .iter()
        .filter(|(name, _)| name != "client_id")
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    for (name, value) in [
        ("aud", json!("https://other.example")),
        ("sub", Value::Null),
        ("exp", json!(house.now().secs() - 300)),
        ("nbf", json!(house.now().secs() + 62)),
        ("iss", json!("somebody")),
    ] {
        let mut assertion = signer.assertion(&house);
        assertion[name] = value;
        let signed = signer.sign(&assertion);
        let refused = signer.post_with(&house.issuer, "/par", &form, &signed).await;
        assert_eq!(refused.error(), "401 invalid_client", "{name}");
    }
    let url = format!("{}/par", house.issuer);
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        let response = house.http().request(method.clone(), &url).send().await.unwrap();
        assert_eq!(response.status(), 405, "{method}");
    }
}

#[tokio::test]
async fn c6_49_c6_55_the_answer_is_whole_and_its_tokens_are_long() {
    let (_house, app, mut browser) = signed_in().await;
    let attempt = app.attempt("openid offline_access");
    let end = browser.open(&app.authorize_url(&attempt)).await;
    let tokens = app.redeem(&attempt, &end.query("code").unwrap()).await;
    assert_eq!(tokens.status, 200);
    assert_eq!(tokens.headers["content-type"], "application/json");
    assert_eq!(tokens.headers["cache-control"], "no-store");
    assert_eq!(tokens.text("token_type"), "Bearer");
    let expires_in = tokens.json["expires_in"].as_i64().expect("a number");
    assert!((1..=31_536_000).contains(&expires_in));
    for token in ["access_token", "refresh_token"] {
        let text = tokens.text(token);
        assert!(text.len() >= 43 && text.bytes().all(|b| b.is_ascii_graphic()), "{token}");
    }
}

#[tokio::test]
async fn c6_50_id_and_secret_are_form_urlencoded_in_basic() {
    use base64::Engine as _;
    let house = House::new().await;
    let app = house.client(ClientKind::Machine, |_| {}).await;
    let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let secret = app.secret.as_deref().unwrap();
    for (id, secret, good) in [
        (encode(app.client_id()), encode(secret), true),
        (app.client_id().to_owned(), encode(secret), true),
        (app.client_id().to_owned(), encode("wrong"), false),
    ] {
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
        let request = house
            .http()
            .post(format!("{}/token", house.issuer))
            .header("authorization", format!("Basic {basic}"))
            .form(&[("grant_type", "client_credentials")]);
        assert_eq!(answer(request).await.status == 200, good);
    }
}

#[tokio::test]
async fn c6_58_an_id_token_holds_what_was_asked_for_and_no_more() {
    let (house, app, mut browser) = signed_in().await;
    let attempt = app.attempt("openid profile email").with("max_age", "10000");
    let end = browser.open(&app.authorize_url(&attempt)).await;
    let tokens = app.redeem(&attempt, &end.query("code").unwrap()).await;
    let (header, told) = verified(&house, tokens.text("id_token")).await;
    assert!(header["kid"].is_string());
    assert_eq!(header["alg"], "RS256");
    assert_eq!(told["iss"], house.issuer);
    assert_eq!(told["aud"], app.client_id());
    assert_eq!(told["nonce"], attempt.nonce);
    assert!(told["auth_time"].is_i64() && told["sid"].is_string());
    assert_eq!(told["iat"], house.now().secs());
    assert!(told["exp"].as_i64() > told["iat"].as_i64());
    let sub = told["sub"].as_str().unwrap();
    assert!(sub.len() <= 255 && sub.bytes().all(|b| b.is_ascii_graphic()));
    const KNOWN: [&str; 11] =
        ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "amr", "acr", "sid"];
    for (claim, value) in told.as_object().unwrap() {
        assert!(KNOWN.contains(&claim.as_str()), "{claim}");
        assert!(!value.is_null() && *value != "", "{claim}");
    }
}

#[tokio::test]
async fn c7_59_a_refresh_takes_the_original_scope_or_none() {
    let (_house, app, mut browser) = signed_in().await;
    let attempt = app.attempt("openid offline_access");
    let end = browser.open(&app.authorize_url(&attempt)).await;
    let mut tokens = app.redeem(&attempt, &end.query("code").unwrap()).await;
    for scope in [None, Some("openid offline_access")] {
        let refresh = tokens.text("refresh_token").to_owned();
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        form.extend(scope.map(|scope| ("scope", scope)));
        let renewed = app.token(&form).await;
        assert_eq!(renewed.status, 200, "{scope:?}: {}", renewed.json);
        assert_eq!(renewed.headers["cache-control"], "no-store");
        assert_eq!(renewed.text("token_type"), "Bearer");
        assert_ne!(renewed.text("access_token"), tokens.text("access_token"));
        assert!(renewed.text("refresh_token").len() >= 43);
        tokens = renewed;
    }
}

#[tokio::test]
async fn c9_72_c9_75_userinfo_takes_a_token_from_header_or_body_and_never_from_the_address() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let tokens = app.tokens(&mut house.browser(), "openid", ADA).await;
    let (url, token) = (format!("{}/userinfo", house.issuer), tokens.text("access_token"));
    let get = || house.http().get(&url);
    let post = || house.http().post(&url);
    let empty: [(&str, &str); 0] = [];
    for (how, request, status) in [
        ("header", get().bearer_auth(token), 200),
        ("header in odd case", get().header("authorization", format!("bEARER {token}")), 200),
        ("post and header", post().bearer_auth(token).form(&empty), 200),
        ("body", post().form(&[("access_token", token)]), 200),
        ("address", house.http().get(format!("{url}?access_token={token}")), 401),
        ("twice", post().bearer_auth(token).form(&[("access_token", token)]), 400),
        ("nothing", get(), 401),
    ] {
        assert_eq!(answer(request).await.status, status, "{how}");
    }
    let accepted = ["application/json", "application/json;charset=utf-8", "*/*", "text/html"];
    for accept in accepted {
        let response = get().bearer_auth(token).header("accept", accept).send().await.unwrap();
        assert_eq!(response.status(), 200, "{accept}");
        assert_eq!(response.headers()["content-type"], "application/json");
        let date = response.headers()["date"].to_str().unwrap();
        assert!(date.ends_with(" GMT"), "{date}");
    }
}

#[tokio::test]
async fn c9_76_a_dead_token_is_a_401_with_a_challenge() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let tokens = app.tokens(&mut house.browser(), "openid", ADA).await;
    let token = tokens.text("access_token");
    let challenged = async |token: &str| {
        let refused = app.userinfo(token).await;
        assert_eq!(refused.error(), "401 invalid_token");
        let challenge = refused.headers["www-authenticate"].to_str().unwrap().to_owned();
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    };
    challenged("nonsense").await;
    challenged(&format!("{token}x")).await;
    app.revoke(token).await;
    challenged(token).await;
    let fresh = app.tokens(&mut house.browser(), "openid", ADA).await;
    house.advance(Duration::from_secs(3601));
    challenged(fresh.text("access_token")).await;
}

#[tokio::test]
async fn c11_86_what_holds_a_secret_is_kept_by_nobody() {
    let house = House::with(&[("REGISTRATION__MODE", "open")]).await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let body = json!({ "redirect_uris": [CALLBACK] });
    let registered =
        answer(house.http().post(format!("{}/register", house.issuer)).json(&body)).await;
    let attempt = app.attempt("openid");
    let form: Vec<(&str, &str)> =
        attempt.parameters.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let machine = house.client(ClientKind::Machine, |_: &mut Client| {}).await;
    for (what, answered) in [
        ("registration", registered),
        ("par", app.post("/par", &form).await),
        ("token", machine.token(&[("grant_type", "client_credentials")]).await),
        ("a refusal", app.token(&[("grant_type", "password")]).await),
        ("introspection", app.introspect("x").await),
        ("revocation", app.revoke("x").await),
    ] {
        assert_eq!(answered.headers["cache-control"], "no-store", "{what}");
    }
}

/// The beginning of a TLS handshake that can speak no more than `version`.
fn client_hello(version: [u8; 2]) -> Vec<u8> {
    // Suites that every old client offers: ECDHE-RSA-AES128-SHA, RSA-AES128-SHA.
    let mut hello = vec![version[0], version[1]];
    hello.extend([7_u8; 32]);
    hello.extend([0, 0, 4, 0xc0, 0x13, 0x00, 0x2f, 1, 0]);
    let length = u8::try_from(hello.len()).unwrap();
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(hello);
    record
}

#[tokio::test]
async fn c11_84_old_tls_is_refused() {
    let place = crate::mutual_tls::Place::new().await;
    let address = place.broker.mtls_address().unwrap();
    for version in [[3, 1], [3, 2]] {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(&client_hello(version)).await.unwrap();
        let mut answered = Vec::new();
        // An alert and an end, or an end alone; never a server's hello (22).
        let _ = stream.read_to_end(&mut answered).await;
        assert_ne!(answered.first(), Some(&22), "{version:?}: {answered:?}");
    }
    place.broker.stop().await;
}
