//! What Apple's authorization endpoint says of the return URL.

use super::*;
use crate::upstream::Verdict;

#[tokio::test]
async fn what_apple_refuses_is_never_called_not_refused() {
    let error = |code: &str| json!({ "error": code }).to_string();
    for (status, body, expected, says) in [
        (200, "<html>".to_owned(), Verdict::Unknown, "did not refuse"),
        (400, error("unauthorized_client"), Verdict::Wrong, "among the return URLs"),
        (400, error("invalid_request"), Verdict::Wrong, "among the return URLs"),
        (400, "<html>invalid_request".to_owned(), Verdict::Wrong, "among the return URLs"),
        (400, error("invalid_client"), Verdict::Unknown, "does not know com.example.web"),
    ] {
        let told = body.clone();
        let server = Server::start(move |seen, _| match seen.path.as_str() {
            "/auth/authorize" => {
                let status = actix_web::http::StatusCode::from_u16(status).unwrap();
                HttpResponse::build(status).body(told.clone())
            }
            _ => HttpResponse::NotFound().finish(),
        });
        let settings = AppleSettings {
            issuer: Url::parse(&server.origin).unwrap(),
            ..settings(pem(Algorithm::Es256))
        };
        let apple = AppleConnector::new(settings, outbound(&["127.0.0.1/32"])).unwrap();
        let found = apple.examine_return_url("https://id.example.com/upstream/apple/callback");
        let found = found.await.unwrap();
        assert_eq!(found.verdict, expected, "{status} {body}: {}", found.message);
        assert!(found.message.contains(says), "{status} {body}: {}", found.message);
        let [asked] = &server.asked("/auth/authorize")[..] else { panic!("asked once") };
        assert!(!asked.query.contains('+'), "as a sign-in asks: {}", asked.query);
    }
}
