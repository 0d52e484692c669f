//! Alice signs in at the demo app.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use serde_json::{Value, json};

use super::issuer::{API, CLIENT_ID, CLIENT_SECRET, Issuer, NOW};
use super::{Answer, ask};
use crate::demo::Running;
use crate::demo::app::{Settings, start};
use crate::protocol::ambient::{SeededEntropy, TestClock, Timestamp};

struct Stage {
    issuer: Issuer,
    app: Running,
    url: String,
    cookie: String,
}

impl Stage {
    fn set() -> Self {
        let issuer = Issuer::start();
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let listen: SocketAddr = free.local_addr().expect("its address");
        drop(free);
        let url = format!("http://{listen}");
        let app = start(Settings {
            listen,
            url: url.clone(),
            issuer: issuer.url.clone(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: CLIENT_SECRET.into(),
            api_url: "http://127.0.0.1:1".to_owned(),
            api_identifier: API.to_owned(),
            api_scopes: vec!["orders:read".to_owned()],
            apple_url: "http://localhost:2".to_owned(),
            clock: Arc::new(TestClock::at(Timestamp::from_secs(NOW))),
            entropy: Arc::new(SeededEntropy::new(1)),
        })
        .expect("the port is still free");
        Self { issuer, app, url, cookie: String::new() }
    }

    async fn send(&mut self, method: &str, url: &str) -> Answer {
        let cookie = self.cookie.clone();
        let answer = ask(method, url, &[("cookie", &cookie)]).await;
        if let Some((pair, _)) = answer.set_cookie.split_once(';') {
            self.cookie = pair.to_owned();
        }
        answer
    }

    /// Presses "Sign in" and lets the issuer answer; returns the redirect back to the app.
    async fn come_back(&mut self) -> String {
        let url = format!("{}/sign-in", self.url);
        let gone = self.send("POST", &url).await;
        assert_eq!(gone.status, 303, "{}", gone.body);
        ask("GET", &gone.location, &[]).await.location
    }

    async fn sign_in(&mut self) -> Answer {
        let back = self.come_back().await;
        let answer = self.send("GET", &back).await;
        assert_eq!((answer.status, answer.location.as_str()), (303, "/"));
        self.home().await
    }

    async fn home(&mut self) -> Answer {
        let url = format!("{}/", self.url);
        self.send("GET", &url).await
    }

    async fn press(&mut self, button: &str) -> Answer {
        let url = format!("{}/{button}", self.url);
        assert_eq!(self.send("POST", &url).await.location, "/#result");
        self.home().await
    }

    fn lie(&self, lies: Value) {
        self.issuer.book.lock().expect("book").id_token_lies = lies;
    }

    async fn strike(self) {
        self.app.stop().await;
        self.issuer.running.stop().await;
    }
}

#[tokio::test]
async fn alice_signs_in_and_sees_her_tokens() {
    let mut stage = Stage::set();
    let before = stage.home().await;
    assert_eq!(before.body.matches("<h1").count(), 1);
    assert!(before.body.contains("id=\"sign-in\" type=\"submit\">Sign in<"));
    assert!(before.set_cookie.is_empty(), "looking leaves no cookie");
    let page = stage.sign_in().await;
    for shown in ["alice@example.com", "id=\"id-token-claims\"", "id=\"access-token-claims\""] {
        assert!(page.body.contains(shown), "{shown} is not on the page");
    }
    assert!(page.body.contains("at+jwt"));
    assert!(!page.body.contains("<script"), "a name is never markup");
    assert_eq!(page.body.matches("<h1").count(), 1);
    stage.strike().await;
}

#[tokio::test]
async fn the_request_asks_for_all_the_app_needs() {
    let mut stage = Stage::set();
    let url = format!("{}/sign-in", stage.url);
    let gone = stage.send("POST", &url).await;
    let asked = url::Url::parse(&gone.location).expect("a URL");
    let value = |name: &str| {
        asked.query_pairs().find(|(key, _)| key == name).map(|(_, it)| it.into_owned())
    };
    assert_eq!(value("response_type").as_deref(), Some("code"));
    assert_eq!(value("code_challenge_method").as_deref(), Some("S256"));
    assert_eq!(value("resource").as_deref(), Some(API));
    assert_eq!(value("scope").as_deref(), Some("openid profile email offline_access orders:read"));
    assert_eq!(value("redirect_uri"), Some(format!("{}/callback", stage.url)));
    assert!(value("nonce").is_some_and(|nonce| nonce.len() == 43));
    assert!(gone.set_cookie.contains("HttpOnly") && gone.set_cookie.contains("SameSite=Lax"));
    stage.strike().await;
}

#[tokio::test]
async fn signing_in_changes_the_cookie() {
    let mut stage = Stage::set();
    let back = stage.come_back().await;
    let old = stage.cookie.clone();
    stage.send("GET", &back).await;
    assert_ne!(stage.cookie, old);
    let planted = ask("GET", &format!("{}/", stage.url), &[("cookie", &old)]).await;
    assert!(planted.body.contains("id=\"sign-in\""), "the old cookie is worth nothing");
    stage.strike().await;
}

#[tokio::test]
async fn an_id_token_with_one_thing_wrong_signs_nobody_in() {
    let mut stage = Stage::set();
    for lie in [
        json!({ "nonce": "another" }),
        json!({ "nonce": null }),
        json!({ "iss": "https://elsewhere.example" }),
        json!({ "aud": "somebody-else" }),
        json!({ "exp": NOW - 1 }),
        json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" }),
    ] {
        stage.lie(lie.clone());
        let page = stage.sign_in().await;
        assert!(page.body.contains("The sign-in did not finish."), "{lie}: {}", page.body);
        assert!(page.body.contains("id=\"sign-in\""), "{lie}");
    }
    stage.strike().await;
}

#[tokio::test]
async fn an_answer_from_another_issuer_or_for_another_browser_is_refused() {
    let mut stage = Stage::set();
    let back = stage.come_back().await;
    let elsewhere = back.replace("iss=", "iss=x");
    stage.send("GET", &elsewhere).await;
    assert!(stage.home().await.body.contains("from another issuer"));
    let spent = stage.send("GET", &back).await;
    assert!(spent.body.contains("did not start that sign-in"), "state is good once");
    let back = stage.come_back().await;
    let (without_iss, _) = back.split_once("&iss=").expect("iss comes last");
    stage.send("GET", without_iss).await;
    assert!(stage.home().await.body.contains("does not say which issuer"));
    let back = stage.come_back().await;
    let stranger = ask("GET", &back, &[]).await;
    assert!(stranger.body.contains("did not start that sign-in"));
    assert!(stranger.set_cookie.is_empty());
    assert!(stage.issuer.book.lock().expect("book").token_requests.is_empty());
    stage.strike().await;
}

#[tokio::test]
async fn an_error_from_the_issuer_is_told() {
    let mut stage = Stage::set();
    let back = stage.come_back().await;
    let denied = back.replace("code=the-code", "error=access_denied&error_description=No");
    stage.send("GET", &denied).await;
    let page = stage.home().await;
    assert!(page.body.contains("access_denied: No"), "{}", page.body);
    assert!(!stage.home().await.body.contains("access_denied"), "it is told once");
    stage.strike().await;
}

#[tokio::test]
async fn refresh_introspect_and_revoke_do_what_they_say() {
    let mut stage = Stage::set();
    stage.sign_in().await;
    let page = stage.press("refresh").await;
    assert!(page.body.contains("<span id=\"refreshed\">1</span>"), "{}", page.body);
    let last = stage.issuer.book.lock().expect("book").token_requests.last().cloned();
    assert_eq!(last.expect("a request")["refresh_token"], "refresh-1");
    assert!(stage.press("introspect").await.body.contains("The access token is good"));
    assert!(stage.press("revoke").await.body.contains("is revoked"));
    assert!(stage.press("introspect").await.body.contains("no longer good"));
    assert!(stage.press("refresh").await.body.contains("invalid_grant"));
    let unreachable = stage.press("call-api").await;
    assert!(unreachable.body.contains("could not be reached"));
    stage.strike().await;
}

#[tokio::test]
async fn userinfo_and_new_id_tokens_of_somebody_else_are_refused() {
    let mut stage = Stage::set();
    stage.sign_in().await;
    stage.lie(json!({ "sub": "mallory" }));
    assert!(stage.press("refresh").await.body.contains("the new ID token is somebody else"));
    stage.lie(json!({ "nonce": "another" }));
    assert!(stage.press("refresh").await.body.contains("nonce mismatch"));
    stage.issuer.book.lock().expect("book").userinfo = json!({ "sub": "mallory" });
    assert!(stage.press("userinfo").await.body.contains("the userinfo is somebody else"));
    stage.strike().await;
}

#[tokio::test]
async fn signing_out_ends_both_sessions() {
    let mut stage = Stage::set();
    stage.sign_in().await;
    let url = format!("{}/sign-out", stage.url);
    let gone = stage.send("POST", &url).await;
    assert!(gone.location.starts_with(&format!("{}/logout?id_token_hint=", stage.issuer.url)));
    assert!(gone.location.contains("post_logout_redirect_uri="));
    assert!(stage.home().await.body.contains("You are signed out."));
    stage.strike().await;
}

#[tokio::test]
async fn a_form_sent_from_another_site_is_refused() {
    let mut stage = Stage::set();
    stage.sign_in().await;
    for (name, value) in
        [("sec-fetch-site", "same-site"), ("sec-fetch-site", "cross-site"), ("origin", "null")]
    {
        for button in ["sign-in", "sign-out", "revoke"] {
            let url = format!("{}/{button}", stage.url);
            let answer = ask("POST", &url, &[("cookie", &stage.cookie), (name, value)]).await;
            assert_eq!(answer.status, 403, "{name}: {value}, {button}");
        }
    }
    assert!(!stage.issuer.book.lock().expect("book").is_revoked);
    stage.strike().await;
}

#[tokio::test]
async fn another_name_of_this_machine_leads_to_the_one_that_is_registered() {
    let stage = Stage::set();
    let other = stage.url.replace("127.0.0.1", "localhost");
    let answer = ask("GET", &stage.url, &[("host", other.trim_start_matches("http://"))]).await;
    assert_eq!((answer.status, answer.location), (303, format!("{}/", stage.url)));
    stage.strike().await;
}
