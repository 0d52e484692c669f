//! The outcome table, row by row; and giving a grant back.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::json;

use super::*;
use crate::upstream::{Lifecycle, Standing};

fn word(standing: &Standing) -> &'static str {
    match standing {
        Standing::Good(Some(_)) => "good, and whose",
        Standing::Good(None) => "good",
        Standing::Dead => "dead",
        Standing::Ambiguous => "ambiguous",
        Standing::Misconfigured(_) => "misconfigured",
        Standing::Unwell(_) => "unwell",
    }
}

async fn asked(token: impl Fn(&str) -> HttpResponse + Send + Sync + 'static) -> Standing {
    let (_server, apple) = apple(token);
    apple.check_grant(APP, &"the-refresh-token".into(), NOW).await
}

#[tokio::test]
async fn a_refresh_says_whose_it_is_and_brings_no_new_token() {
    let nothing_new = json!({ "refresh_token": null });
    let (server, apple) = apple(answering(APP, json!({ "nonce": null }), nothing_new));
    let standing = apple.check_grant(APP, &"the-refresh-token".into(), NOW).await;
    let Standing::Good(Some(identity)) = standing else { panic!("{standing:?}") };
    assert_eq!(identity.authority, "apple:TEAM123456");
    assert_eq!(identity.subject, "001234.abc.1234");
    assert_eq!(identity.profile.email.as_deref(), Some("ada@example.com"));
    assert!(identity.grant.is_none());
    let asked = server.asked("/auth/token");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].authorization, "", "client_secret_post alone");
    for part in [
        "grant_type=refresh_token",
        "refresh_token=the-refresh-token",
        "client_id=com.example.app&",
        "client_secret=ey",
    ] {
        assert!(asked[0].body.contains(part), "{part}");
    }
}

#[tokio::test]
async fn every_answer_has_its_row_in_the_outcome_table() {
    let error = |status: u16, code: &str| (status, json!({ "error": code }).to_string());
    for ((status, body), expected) in [
        ((200, json!({ "access_token": "a" }).to_string()), "good"),
        (error(400, "invalid_grant"), "dead"),
        (error(401, "invalid_grant"), "dead"),
        (error(400, "invalid_request"), "ambiguous"),
        (error(400, "invalid_client"), "misconfigured"),
        (error(401, "invalid_client"), "misconfigured"),
        (error(400, "unauthorized_client"), "misconfigured"),
        (error(400, "unsupported_grant_type"), "misconfigured"),
        (error(400, "invalid_scope"), "misconfigured"),
        (error(400, "something_new"), "unwell"),
        (error(403, "invalid_grant"), "unwell"),
        (error(429, "invalid_grant"), "unwell"),
        (error(500, "invalid_grant"), "unwell"),
        (error(503, "invalid_client"), "unwell"),
        ((403, "<html>403 Forbidden</html>".to_owned()), "unwell"),
        ((400, "<html>invalid_grant</html>".to_owned()), "unwell"),
        ((200, "<html>".to_owned()), "unwell"),
        ((200, r#"{"access_token":"a","#.to_owned()), "unwell"),
        ((200, "{}".to_owned()), "unwell"),
        ((302, String::new()), "unwell"),
    ] {
        let told = body.clone();
        let answer = asked(move |_| {
            HttpResponse::build(StatusCode::from_u16(status).unwrap()).body(told.clone())
        });
        assert_eq!(word(&answer.await), expected, "{status} {body}");
    }
}

#[tokio::test]
async fn an_apple_that_does_not_answer_says_nothing_of_the_person() {
    let (_server, mut apple) = apple(|_| HttpResponse::Ok().finish());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    apple.issuer = format!("http://{closed}");
    let standing = apple.check_grant(WEB, &"t".into(), NOW).await;
    assert_eq!(word(&standing), "unwell");
    // An address that the guard refuses is the operator's to mend, not Apple's.
    apple.issuer = "http://192.168.0.1".into();
    let standing = apple.check_grant(WEB, &"t".into(), NOW).await;
    assert_eq!(word(&standing), "misconfigured");
}

#[tokio::test]
async fn an_identity_token_that_does_not_verify_is_no_proof_of_anything() {
    for changes in [
        json!({ "aud": WEB }),
        json!({ "iss": "https://evil.example" }),
        json!({ "sub": "" }),
        json!({ "exp": 999_000 }),
        json!({ "at_hash": "of-another-token" }),
    ] {
        let standing = asked(answering(APP, changes.clone(), json!({}))).await;
        assert_eq!(word(&standing), "unwell", "{changes}");
    }
    let standing = asked(answering(APP, json!({}), json!({ "id_token": "junk" }))).await;
    assert_eq!(word(&standing), "unwell");
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_do_not_spoil_a_good_answer() {
    let server = Server::start(move |seen, own| match seen.path.as_str() {
        "/auth/token" => answering(APP, json!({}), json!({}))(own),
        _ => HttpResponse::ServiceUnavailable().finish(),
    });
    let settings = AppleSettings {
        issuer: Url::parse(&server.origin).unwrap(),
        ..settings(pem(Algorithm::Es256))
    };
    let apple = AppleConnector::new(settings, outbound(&["127.0.0.1/32"])).unwrap();
    let standing = apple.check_grant(APP, &"t".into(), NOW).await;
    assert_eq!(word(&standing), "good");
}

#[tokio::test]
async fn a_grant_is_given_back_with_its_own_client_and_the_right_hint() {
    let answer = |status: u16, body: &'static str| {
        let server = Server::start(move |_, _| {
            HttpResponse::build(StatusCode::from_u16(status).unwrap()).body(body)
        });
        let settings = AppleSettings {
            issuer: Url::parse(&server.origin).unwrap(),
            ..settings(pem(Algorithm::Es256))
        };
        (server, AppleConnector::new(settings, outbound(&["127.0.0.1/32"])).unwrap())
    };
    let (server, apple) = answer(200, "");
    assert_eq!(reason(&apple.revoke(APP, &"the-token".into(), NOW).await), "good");
    let asked = server.asked("/auth/revoke");
    for part in ["token=the-token", "token_type_hint=refresh_token", "client_id=com.example.app&"] {
        assert!(asked[0].body.contains(part), "{part}");
    }
    for (status, body, expected) in [
        (400, r#"{"error":"invalid_client"}"#, "misconfigured"),
        (400, r#"{"error":"invalid_request"}"#, "revocation_refused"),
        (400, "<html>", "unavailable"),
        (403, "<html>", "unavailable"),
        (429, "", "unavailable"),
        (503, "", "unavailable"),
    ] {
        let (_server, apple) = answer(status, body);
        let refused = apple.revoke(APP, &"the-token".into(), NOW).await;
        assert_eq!(reason(&refused), expected, "{status} {body}");
        assert!(!format!("{refused:?}").contains("the-token"));
    }
}
