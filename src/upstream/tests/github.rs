//! GitHub against a small one on loopback, with each rule broken once.

use actix_web::HttpResponse;
use serde_json::{Value, json};

use super::*;
use crate::upstream::tests::{Server, outbound};

const NOW: Timestamp = Timestamp::from_secs(1_000_000);

/// A GitHub that answers these three documents.
fn github(tokens: Value, user: Value, emails: Value) -> (Server, GithubConnector) {
    github_with(tokens, user, emails, ClaimRules::default())
}

fn github_with(
    tokens: Value,
    user: Value,
    emails: Value,
    claims: ClaimRules,
) -> (Server, GithubConnector) {
    let server = Server::start(move |seen, _| match seen.path.as_str() {
        "/login/oauth/access_token" => HttpResponse::Ok().json(&tokens),
        "/api/user" if seen.authorization == "Bearer the-token" => HttpResponse::Ok().json(&user),
        "/api/user/emails" if emails.is_null() => HttpResponse::NotFound().finish(),
        "/api/user/emails" => HttpResponse::Ok().json(&emails),
        _ => HttpResponse::Unauthorized().finish(),
    });
    let settings = GithubSettings {
        connection_id: ConnectionId::new("github"),
        display_name: "GitHub".into(),
        base_url: server.url(""),
        api_url: server.url("/api"),
        client_id: "russet".into(),
        client_secret: "the-secret".into(),
        link_by_verified_email: false,
        claims,
    };
    let connector = GithubConnector::new(settings, outbound(&["127.0.0.1/32"]));
    (server, connector)
}

fn token() -> Value {
    json!({ "access_token": "the-token", "token_type": "bearer", "scope": "user:email" })
}

fn ada() -> Value {
    json!({ "id": 583_231, "login": "ada", "name": "Ada Lovelace", "email": "shown@example.com" })
}

fn addresses() -> Value {
    json!([
        { "email": "other@example.com", "primary": false, "verified": true },
        { "email": "ada@example.com", "primary": true, "verified": true },
    ])
}

fn trip() -> Trip {
    Trip {
        state: "the-state".into(),
        nonce: "the-nonce".into(),
        code_verifier: "v".repeat(43),
        redirect_uri: "https://id.example.com/upstream/github/callback".into(),
        login_hint: None,
        reauthenticate: false,
    }
}

fn answered() -> Callback {
    Callback { code: Some("the-code".into()), ..Callback::default() }
}

fn reason<T>(result: &Result<T, UpstreamError>) -> &'static str {
    match result {
        Ok(_) => "good",
        Err(UpstreamError::Cancelled) => "cancelled",
        Err(UpstreamError::Rejected { reason, .. }) => reason,
        Err(UpstreamError::Unavailable(_)) => "unavailable",
        Err(UpstreamError::Misconfigured(_)) => "misconfigured",
    }
}

#[tokio::test]
async fn the_numeric_id_is_the_key_and_the_primary_verified_address_the_address() {
    let (server, connector) = github(token(), ada(), addresses());
    let departed = connector.depart(&trip(), NOW).await.unwrap();
    let sent: std::collections::HashMap<_, _> = departed.query_pairs().into_owned().collect();
    assert_eq!(sent["state"], "the-state");
    assert_eq!(sent["code_challenge_method"], "S256");
    let ada = connector.arrive(&trip(), &answered(), NOW).await.unwrap();
    assert_eq!((ada.authority.as_str(), ada.subject.as_str()), (server.origin.as_str(), "583231"));
    assert_eq!(ada.profile.name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(ada.profile.email.as_deref(), Some("ada@example.com"));
    assert!(ada.profile.email_verified);
    assert!(ada.grant.is_none());
    let redeemed = &server.asked("/login/oauth/access_token")[0].body;
    assert!(redeemed.contains("code_verifier=vvv"), "{redeemed}");
    assert!(redeemed.contains("client_secret=the-secret"), "{redeemed}");
}

#[tokio::test]
async fn an_address_that_is_only_shown_or_unverified_is_not_told() {
    for emails in [
        json!([{ "email": "ada@example.com", "primary": true, "verified": false }]),
        json!([{ "email": "ada@example.com", "primary": false, "verified": true }]),
        json!([]),
        json!({ "message": "odd" }),
        Value::Null,
    ] {
        let (_server, connector) = github(token(), ada(), emails.clone());
        let ada = connector.arrive(&trip(), &answered(), NOW).await.unwrap();
        assert_eq!(ada.profile.email, None, "{emails}");
        assert!(!ada.profile.email_verified, "{emails}");
    }
}

#[tokio::test]
async fn who_is_outside_the_allowed_domains_is_not_admitted() {
    let rules = |domain: &str| ClaimRules {
        allowed_email_domains: vec![domain.to_owned()],
        ..ClaimRules::default()
    };
    for (domain, expected) in [("example.com", "good"), ("other.test", "email_domain_not_allowed")]
    {
        let (_server, connector) = github_with(token(), ada(), addresses(), rules(domain));
        assert_eq!(reason(&connector.arrive(&trip(), &answered(), NOW).await), expected);
    }
}

#[tokio::test]
async fn each_refusal_has_its_word() {
    for (tokens, user, expected) in [
        (json!({ "error": "bad_verification_code" }), ada(), "code_refused"),
        (json!({ "error": "incorrect_client_credentials" }), ada(), "misconfigured"),
        (json!({ "error": "redirect_uri_mismatch" }), ada(), "misconfigured"),
        (json!({}), ada(), "token_missing"),
        (json!({ "access_token": "another" }), ada(), "token_refused"),
        (token(), json!({ "login": "ada" }), "sub_missing"),
        (token(), json!({ "id": "583231", "login": "ada" }), "sub_missing"),
        (token(), json!({ "id": 0, "login": "ada" }), "sub_missing"),
        (token(), json!([]), "unavailable"),
    ] {
        let (_server, connector) = github(tokens.clone(), user, addresses());
        let outcome = connector.arrive(&trip(), &answered(), NOW).await;
        assert_eq!(reason(&outcome), expected, "{tokens}");
    }
    let (_server, connector) = github(token(), ada(), addresses());
    let error = |error: &str| Callback { error: Some(error.into()), ..Callback::default() };
    for (callback, expected) in [
        (error("access_denied"), "cancelled"),
        (error("server_error"), "unavailable"),
        (Callback::default(), "code_missing"),
    ] {
        assert_eq!(reason(&connector.arrive(&trip(), &callback, NOW).await), expected);
    }
}
