//! The authorization endpoint: conformance C.4, security.md §1A–§1C.

use russet::protocol::client::ClientKind;
use russet::protocol::jose::Algorithm;

use crate::harness::House;
use crate::harness::app::claims;

const CALLBACK: &str = "http://127.0.0.1:9/callback";

#[tokio::test]
async fn c4_24_without_a_settled_address_an_error_is_a_page_and_never_a_redirect() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let several = house
        .client(ClientKind::Web, |client| {
            client.redirect_uris.push("http://127.0.0.1:9/other".to_owned());
        })
        .await;
    let none = house.client(ClientKind::Web, |client| client.redirect_uris.clear()).await;
    let sound = app.attempt("openid");
    for attempt in [
        sound.clone().with("client_id", ""),
        sound.clone().with("client_id", "nobody"),
        sound.clone().with("redirect_uri", "https://evil.example/"),
        sound.clone().with("redirect_uri", &format!("{CALLBACK}/")),
        sound.clone().with("redirect_uri", &format!("{CALLBACK}?a=b")),
        // Whatever else is wrong, an unregistered address is never redirected to (B6).
        sound.clone().with("redirect_uri", "https://evil.example/").with("prompt", "none"),
        sound.clone().with("redirect_uri", "https://evil.example/").with("scope", "\""),
        several.attempt("openid").with("redirect_uri", ""),
        none.attempt("openid").with("redirect_uri", CALLBACK),
    ] {
        let page = house.browser().open(&app.authorize_url(&attempt)).await;
        assert_eq!(page.status, 400, "{:?}", attempt.parameters);
        assert_eq!(page.url.path(), "/authorize", "shown at the endpoint itself");
        assert!(page.body.contains("<h1"), "a page for people");
        assert!(page.headers.get("x-request-id").is_some());
        assert!(page.headers.get("access-control-allow-origin").is_none());
    }
    let twice = format!("{}&client_id=x", app.authorize_url(&sound));
    assert_eq!(house.browser().open(&twice).await.status, 400);
}

#[tokio::test]
async fn c4_25_c4_35_each_defect_comes_back_to_the_app_with_state_and_issuer() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    for (name, value, code) in [
        ("response_type", "", "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "code id_token", "unsupported_response_type"),
        ("response_mode", "fragment", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("scope", "openid admin", "invalid_scope"),
        ("resource", "https://unknown.example", "invalid_target"),
        ("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported"),
        ("request_uri", "https://internal.example/r", "request_uri_not_supported"),
        ("prompt", "none", "login_required"),
        ("prompt", "none login", "invalid_request"),
        ("max_age", "x", "invalid_request"),
    ] {
        let attempt = app.attempt("openid").with(name, value);
        let end = house.browser().open(&app.authorize_url(&attempt)).await;
        assert_eq!(end.query("error").as_deref(), Some(code), "{name}={value}: {}", end.url);
        assert_eq!(end.query("state").as_deref(), Some(attempt.state.as_str()), "{name}");
        assert_eq!(end.query("iss").as_deref(), Some(house.issuer.as_str()), "{name}");
        assert!(end.url.fragment().is_none());
    }
}

#[tokio::test]
async fn c4_22_a_post_is_as_good_as_a_get() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let attempt = app.attempt("openid");
    let request =
        house.http().post(format!("{}/authorize", house.issuer)).form(&attempt.parameters);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 303);
    assert!(response.headers()["location"].to_str().unwrap().contains("/interaction/"));
}

#[tokio::test]
async fn c4_37_form_post_carries_code_and_error_in_a_form_and_nothing_in_the_address() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    app.sign_in(&mut browser, &app.attempt("openid"), "Ada Lovelace").await;
    let attempt = app
        .attempt("openid")
        .with("response_mode", "form_post")
        .with("state", "<script>alert(1)</script>\"");
    let page = browser.open(&app.authorize_url(&attempt)).await;
    let form = page.forms().remove(0);
    assert_eq!(form.action.as_str(), CALLBACK);
    let field =
        |name: &str| form.fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
    assert_eq!(field("state").as_deref(), Some("<script>alert(1)</script>\""));
    assert!(!page.body.contains("<script>alert"), "escaped on the page");
    assert_eq!(app.redeem(&attempt, &field("code").unwrap()).await.status, 200);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("form-action 'self' http://127.0.0.1:9"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");

    let refused = attempt.with("prompt", "none").with("max_age", "x");
    let page = browser.open(&app.authorize_url(&refused)).await;
    assert!(page.body.contains("invalid_request"), "{}", page.body);
}

#[tokio::test]
async fn c4_29_a_session_answers_at_once_and_prompt_none_shows_no_page() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let first = app.tokens(&mut browser, "openid", "Ada Lovelace").await;
    let first = claims(first.text("id_token"));
    house.advance(std::time::Duration::from_secs(60));
    for prompt in ["", "none"] {
        let attempt = app.attempt("openid").with("prompt", prompt);
        let end = browser.open(&app.authorize_url(&attempt)).await;
        let tokens = app.redeem(&attempt, &end.query("code").expect("a code")).await;
        let id_token = claims(tokens.text("id_token"));
        for claim in ["sub", "auth_time", "sid"] {
            assert_eq!(id_token[claim], first[claim], "{claim}");
        }
    }
}

#[tokio::test]
async fn c4_30_prompt_login_and_max_age_ask_again_and_auth_time_moves() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let first = app.tokens(&mut browser, "openid", "Ada Lovelace").await;
    let mut before = claims(first.text("id_token"))["auth_time"].as_i64().unwrap();
    for (name, value) in [("prompt", "login"), ("max_age", "1"), ("prompt", "select_account")] {
        house.advance(std::time::Duration::from_secs(5));
        let attempt = app.attempt("openid").with(name, value);
        let page = browser.open(&app.authorize_url(&attempt)).await;
        assert!(page.body.contains("Sign in") && page.body.contains("Ada Lovelace"), "{name}");
        let apple = browser.press(&page, "Continue with Apple").await;
        let end = browser.press(&apple, "Continue as Ada").await;
        let tokens = app.redeem(&attempt, &end.query("code").expect("a code")).await;
        let after = claims(tokens.text("id_token"))["auth_time"].as_i64().unwrap();
        assert!(after > before, "{name}={value}");
        before = after;
    }
    let generous = app.attempt("openid").with("max_age", "10000");
    let end = browser.open(&app.authorize_url(&generous)).await;
    assert!(end.query("code").is_some(), "not asked again");
}

#[tokio::test]
async fn c4_29_a_hint_for_somebody_else_never_gets_this_persons_code() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let grace = app.tokens(&mut house.browser(), "openid", "Grace Hopper").await;
    let mut browser = house.browser();
    let ada = app.tokens(&mut browser, "openid", "Ada Lovelace").await;
    for (hint, expected) in [(&ada, None), (&grace, Some("login_required"))] {
        let attempt = app
            .attempt("openid")
            .with("prompt", "none")
            .with("id_token_hint", hint.text("id_token"));
        let end = browser.open(&app.authorize_url(&attempt)).await;
        assert_eq!(end.query("error").as_deref(), expected);
    }
}

#[tokio::test]
async fn c4_28_consent_is_asked_once_remembered_and_may_be_denied() {
    let house = House::new().await;
    let api = "https://api.example";
    house.api(api, Algorithm::Es256, &["orders:read"]).await;
    let app = house
        .client(ClientKind::Spa, |client| {
            client.first_party = false;
            client.resources = vec![api.to_owned()];
        })
        .await;
    let mut browser = house.browser();
    let attempt = app.attempt("openid");
    let page = app.sign_in(&mut browser, &attempt, "Ada Lovelace").await;
    assert!(page.body.contains("id=\"consent-allow\""), "{}", page.body);
    let denied = browser.press(&page, "consent-deny").await;
    assert_eq!(denied.query("error").as_deref(), Some("access_denied"));

    let silent = app.attempt("openid").with("prompt", "none");
    let end = browser.open(&app.authorize_url(&silent)).await;
    assert_eq!(end.query("error").as_deref(), Some("consent_required"));

    let page = browser.open(&app.authorize_url(&app.attempt("openid"))).await;
    let end = browser.press(&page, "consent-allow").await;
    assert!(end.query("code").is_some());
    let end = browser.open(&app.authorize_url(&app.attempt("openid"))).await;
    assert!(end.query("code").is_some(), "remembered");

    // More than was agreed to, and an API, are asked about anew; and so is prompt=consent.
    for attempt in [
        app.attempt("openid email"),
        app.attempt("openid orders:read").with("resource", api),
        app.attempt("openid").with("prompt", "consent"),
    ] {
        let page = browser.open(&app.authorize_url(&attempt)).await;
        assert!(page.body.contains("id=\"consent-allow\""), "{}", page.url);
    }
}

#[tokio::test]
async fn a_step_cannot_be_skipped_repeated_or_taken_by_another_browser() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |client| client.first_party = false).await;
    let mut browser = house.browser();
    let page = app.sign_in(&mut browser, &app.attempt("openid"), "Ada Lovelace").await;
    let allow = page.forms().into_iter().find(|f| f.text.contains("consent-allow")).unwrap();

    let stranger = house.browser().open(page.url.as_str()).await;
    assert_eq!(stranger.status, 400, "another browser");
    let first = browser.submit(&page, &allow).await;
    assert!(first.query("code").is_some());
    assert_eq!(browser.submit(&page, &allow).await.status, 400, "a double click");
    assert_eq!(browser.open(page.url.as_str()).await.status, 400, "the back button");

    // Consent before anybody signed in.
    let mut fresh = house.browser();
    let apple = fresh.open(&app.authorize_url(&app.attempt("openid"))).await;
    assert!(apple.url.as_str().contains("/auth/authorize"));
    let unknown = fresh.open(&format!("{}/interaction/unknown", house.issuer)).await;
    assert_eq!(unknown.status, 400);
}

#[tokio::test]
async fn c4_26_a_confidential_client_may_be_exempted_from_pkce() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |client| client.require_pkce = false).await;
    let attempt =
        app.attempt("openid").with("code_challenge", "").with("code_challenge_method", "");
    let end = app.sign_in(&mut house.browser(), &attempt, "Ada Lovelace").await;
    let code = end.query("code").unwrap();
    let with_verifier = app.redeem(&attempt, &code).await;
    assert_eq!(with_verifier.error(), "400 invalid_grant", "a verifier without a challenge");
    let end = app.sign_in(&mut house.browser(), &attempt, "Ada Lovelace").await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &end.query("code").unwrap()),
        ("redirect_uri", CALLBACK),
    ]
    .map(|(name, value)| (name, value.to_owned()));
    let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (*n, v.as_str())).collect();
    assert_eq!(app.token(&form).await.status, 200);
}

#[tokio::test]
async fn a_native_app_chooses_its_loopback_port() {
    let house = House::new().await;
    let app = house
        .client(ClientKind::Native, |client| {
            client.redirect_uris = vec!["http://127.0.0.1/callback".to_owned()];
        })
        .await;
    let attempt = app.attempt("openid").with("redirect_uri", CALLBACK);
    let end = app.sign_in(&mut house.browser(), &attempt, "Ada Lovelace").await;
    let code = end.query("code").expect("a code");
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", attempt.verifier.as_str()),
    ];
    assert_eq!(app.token(&form).await.status, 200);
}

#[tokio::test]
async fn the_audience_is_the_resource_asked_for_or_the_default() {
    let house = House::new().await;
    let (orders, mail) = ("https://orders.example", "https://mail.example");
    house.api(orders, Algorithm::Es256, &["orders:read"]).await;
    house.api(mail, Algorithm::EdDsa, &["mail:send"]).await;
    let app = house
        .client(ClientKind::Web, |client| {
            client.resources = vec![orders.to_owned(), mail.to_owned()];
            client.default_resource = Some(orders.to_owned());
        })
        .await;
    let mut browser = house.browser();
    for (resource, scope, aud, alg) in
        [("", "openid orders:read", orders, "ES256"), (mail, "openid mail:send", mail, "EdDSA")]
    {
        let attempt = app.attempt(scope).with("resource", resource);
        let end = app.sign_in(&mut browser, &attempt, "Ada Lovelace").await;
        let tokens = app.redeem(&attempt, &end.query("code").expect("a code")).await;
        let access = tokens.text("access_token");
        assert_eq!(claims(access)["aud"], aud);
        assert_eq!(claims(access)["scope"], scope);
        use base64::Engine as _;
        let header = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(access.split('.').next().unwrap())
            .unwrap();
        let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
        assert_eq!((header["alg"].as_str(), header["typ"].as_str()), (Some(alg), Some("at+jwt")));
    }
    let wrong = app.attempt("openid mail:send");
    let end = browser.open(&app.authorize_url(&wrong)).await;
    assert_eq!(end.query("error").as_deref(), Some("invalid_scope"), "another API's scope");
}
