//! RP-initiated, front-channel and session-management logout: conformance B.5, B.6, C.10.

use russet::protocol::client::ClientKind;
use russet::protocol::session_state::session_state;
use serde_json::Value;
use url::Url;

use crate::harness::House;
use crate::harness::app::{Answer, App, claims};
use crate::harness::browser::{Browser, Page};

const BYE: &str = "http://127.0.0.1:9/bye";
const ADA: &str = "Ada Lovelace";

struct Visit {
    house: House,
    app: App,
    browser: Browser,
    tokens: Answer,
}

impl Visit {
    async fn begin() -> Self {
        let house = House::new().await;
        let app = house.client(ClientKind::Web, |_| {}).await;
        let mut browser = house.browser();
        let tokens = app.tokens(&mut browser, "openid", ADA).await;
        Self { house, app, browser, tokens }
    }

    fn hint(&self) -> String {
        self.tokens.text("id_token").to_owned()
    }

    async fn logout(&mut self, parameters: &[(&str, &str)]) -> Page {
        let mut url = Url::parse(&format!("{}/logout", self.house.issuer)).unwrap();
        url.query_pairs_mut().extend_pairs(parameters);
        self.browser.open(url.as_str()).await
    }

    async fn is_signed_in(&mut self) -> bool {
        let silent = self.app.attempt("openid").with("prompt", "none");
        let end = self.browser.open(&self.app.authorize_url(&silent)).await;
        let error = end.query("error");
        assert!(error.is_none() || error.as_deref() == Some("login_required"));
        error.is_none()
    }

    /// A page that redirects nowhere and says so.
    async fn refused(&mut self, parameters: &[(&str, &str)], says: &str) {
        let page = self.logout(parameters).await;
        assert_eq!((page.url.path(), page.status.as_u16()), ("/logout", 400), "{parameters:?}");
        assert!(page.body.contains(says), "{parameters:?}");
        assert!(self.is_signed_in().await, "{parameters:?}");
    }
}

async fn metadata(house: &House) -> Value {
    let url = format!("{}/.well-known/openid-configuration", house.issuer);
    house.http().get(url).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn c1_9_b5_discovery_endpoint_verification() {
    let house = House::new().await;
    let metadata = metadata(&house).await;
    assert_eq!(metadata["end_session_endpoint"], format!("{}/logout", house.issuer));
    assert_eq!(metadata["check_session_iframe"], format!("{}/session/check", house.issuer));
    assert_eq!(metadata["frontchannel_logout_supported"], true);
    assert_eq!(metadata["frontchannel_logout_session_supported"], true);
}

#[tokio::test]
async fn c10_78_c10_81_b5_rp_initiated_logout_returns_exactly_the_state() {
    let mut visit = Visit::begin().await;
    let state = "s".repeat(128);
    let hint = visit.hint();
    let end = visit
        .logout(&[
            ("id_token_hint", &hint),
            ("post_logout_redirect_uri", BYE),
            ("state", &state),
            ("logout_hint", "ada@example.com"),
            ("ui_locales", "se fr-CA"),
        ])
        .await;
    assert_eq!(end.url.as_str(), format!("{BYE}?state={state}"));
    assert!(!visit.is_signed_in().await, "C.10.81");
}

#[tokio::test]
async fn b5_no_state_comes_back_when_none_was_sent() {
    let mut visit = Visit::begin().await;
    let hint = visit.hint();
    let end = visit.logout(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]).await;
    assert_eq!(end.url.as_str(), BYE);
    assert!(!visit.is_signed_in().await);
}

#[tokio::test]
async fn c10_79_b5_bad_and_altered_post_logout_redirect_uris_never_redirect() {
    let mut visit = Visit::begin().await;
    let hint = visit.hint();
    for uri in ["https://evil.example/", "http://127.0.0.1:9/bye?foo=bar", "http://127.0.0.1:9/by"]
    {
        let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", uri)];
        visit.refused(&parameters, "post_logout_redirect_uri is not registered").await;
    }
}

#[tokio::test]
async fn c10_79_b5_modified_and_foreign_hints_never_redirect() {
    use base64::Engine as _;
    let mut visit = Visit::begin().await;
    let hint = visit.hint();
    let b64 = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let payload = hint.split('.').nth(1).unwrap();
    let unsigned = format!("{}.{payload}.", b64(r#"{"alg":"none"}"#));
    let stranger = format!("{}.{payload}.{}", b64(r#"{"alg":"RS256","kid":"x"}"#), b64("signed"));
    let cut = hint[..hint.len() - 6].to_owned();
    for bad in [unsigned, stranger, cut, "x".to_owned()] {
        let parameters = [("id_token_hint", bad.as_str()), ("post_logout_redirect_uri", BYE)];
        visit.refused(&parameters, "id_token_hint is not valid").await;
    }
}

#[tokio::test]
async fn c10_79_whom_an_app_sent_wrongly_can_still_sign_out() {
    let mut visit = Visit::begin().await;
    let page = visit.logout(&[("id_token_hint", "x"), ("post_logout_redirect_uri", BYE)]).await;
    assert!(page.body.contains("This sign-out cannot go on"));
    assert!(page.body.contains("id=\"sign-out\" href=\"/logout\""));
    let asked = visit.logout(&[]).await;
    let done = visit.browser.press(&asked, "Sign out").await;
    assert!(done.body.contains("You are signed out"));
    assert!(!visit.is_signed_in().await);
}

#[tokio::test]
async fn b5_without_a_hint_nobody_is_redirected() {
    let mut visit = Visit::begin().await;
    visit.refused(&[("post_logout_redirect_uri", BYE)], "needs id_token_hint or client_id").await;
}

#[tokio::test]
async fn c10_80_b5_no_params_only_state_and_no_uri_end_at_a_page_that_says_so() {
    for parameters in [vec![], vec![("state", "s")]] {
        let mut visit = Visit::begin().await;
        let asked = visit.logout(&parameters).await;
        assert!(asked.body.contains("id=\"logout-confirm\""));
        let page = visit.browser.press(&asked, "Sign out").await;
        assert_eq!(page.url.path(), "/logout");
        assert!(page.body.contains("You are signed out"));
        assert!(!visit.is_signed_in().await);
    }
    let mut visit = Visit::begin().await;
    let hint = visit.hint();
    let page = visit.logout(&[("id_token_hint", &hint)]).await;
    assert!(page.body.contains("You are signed out"));
    assert!(!visit.is_signed_in().await);
}

#[tokio::test]
async fn c10_78_the_same_by_post_and_c10_82_an_expired_hint_or_a_client_id() {
    let mut visit = Visit::begin().await;
    visit.house.advance(std::time::Duration::from_secs(2 * 24 * 3600));
    let url = format!("{}/logout", visit.house.issuer);
    let cookie = visit.browser.cookie("127.0.0.1", "russet_session").unwrap().clone();
    let hint = visit.hint();
    let posted = visit.house.http().post(&url).header("cookie", format!("russet_session={cookie}"));
    let form = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE)];
    let posted = posted.form(&form).send().await.unwrap();
    assert_eq!(posted.status(), 303);
    assert_eq!(posted.headers()["location"], BYE);
    assert!(!visit.is_signed_in().await);

    let mut visit = Visit::begin().await;
    let client_id = visit.app.client_id().to_owned();
    let asked = visit.logout(&[("client_id", &client_id), ("post_logout_redirect_uri", BYE)]).await;
    assert!(asked.body.contains(&client_id), "the page names who asks");
    assert!(visit.is_signed_in().await);
    let end = visit.browser.press(&asked, "Sign out").await;
    assert_eq!(end.url.as_str(), BYE);
}

#[tokio::test]
async fn c10_83_b6_front_channel_logout_loads_each_app_with_iss_and_sid_and_goes_on() {
    let house = House::new().await;
    let front = |path: &'static str| {
        move |client: &mut russet::protocol::client::Client| {
            client.settings.frontchannel_logout_uri = Some(format!("http://127.0.0.1:9{path}"));
        }
    };
    let app = house.client(ClientKind::Web, front("/front?tenant=1")).await;
    let other = house.client(ClientKind::Web, front("/other")).await;
    let elsewhere = house.client(ClientKind::Web, front("/elsewhere")).await;
    let mut browser = house.browser();
    let tokens = app.tokens(&mut browser, "openid", ADA).await;
    other.tokens(&mut browser, "openid", ADA).await;
    elsewhere.tokens(&mut house.browser(), "openid", ADA).await;
    let sid = claims(tokens.text("id_token"))["sid"].as_str().unwrap().to_owned();
    let mut url = Url::parse(&format!("{}/logout", house.issuer)).unwrap();
    url.query_pairs_mut()
        .append_pair("id_token_hint", tokens.text("id_token"))
        .append_pair("post_logout_redirect_uri", BYE)
        .append_pair("state", "a b");
    let page = browser.open(url.as_str()).await;
    let mut frames: Vec<Url> = page
        .body
        .split("<iframe src=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().replace("&#38;", "&"))
        .map(|src| Url::parse(&src).unwrap())
        .collect();
    frames.sort_by_key(|url| url.path().to_owned());
    let expected = |path: &str, own: &[(&str, &str)]| {
        let mut url = Url::parse(&format!("http://127.0.0.1:9{path}")).unwrap();
        url.query_pairs_mut()
            .extend_pairs(own)
            .append_pair("iss", &house.issuer)
            .append_pair("sid", &sid);
        url
    };
    assert_eq!(frames, [expected("/front", &[("tenant", "1")]), expected("/other", &[])]);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-src http://127.0.0.1:9"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(page.body.contains("href=\"http://127.0.0.1:9/bye?state=a+b\""));
    assert!(page.body.contains("frontchannel.js"));
    // Signed out already: the second time there is nobody to tell, and it goes straight back.
    let again = browser.open(url.as_str()).await;
    assert_eq!(again.url.as_str(), "http://127.0.0.1:9/bye?state=a+b");
}

#[tokio::test]
async fn b6_session_state_fits_the_cookie_while_the_session_lasts() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let end = app.sign_in(&mut browser, &app.attempt("openid"), ADA).await;
    let state = end.query("session_state").unwrap();
    let (_, salt) = state.split_once('.').unwrap();
    let of = |cookie: &str| {
        session_state(app.client_id(), "http://127.0.0.1:9/x", cookie, salt).unwrap()
    };
    let cookie = browser.cookie("127.0.0.1", "russet_state").unwrap().clone();
    assert_eq!(of(&cookie), state);
    let session = browser.cookie("127.0.0.1", "russet_session").unwrap();
    assert_ne!(&cookie, session, "it proves nothing");
    let silent = app.attempt("openid").with("prompt", "none");
    let second = browser.open(&app.authorize_url(&silent)).await;
    assert_ne!(second.query("session_state").unwrap(), state, "salted");
    browser.open(&format!("{}/logout", house.issuer)).await;
    let code = app.redeem(&app.attempt("openid"), "x").await;
    assert_eq!(code.status, 400);
    let asked = browser.open(&format!("{}/logout", house.issuer)).await;
    browser.press(&asked, "Sign out").await;
    assert!(browser.cookie("127.0.0.1", "russet_state").is_none(), "so the iframe says changed");
}

#[tokio::test]
async fn b6_the_check_session_iframe_may_be_embedded_and_runs_only_our_script() {
    let house = House::new().await;
    let url = format!("{}/session/check", house.issuer);
    let page = house.browser().open(&url).await;
    assert_eq!(page.status, 200);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-ancestors *") && policy.contains("script-src 'self'"));
    assert!(!page.headers.contains_key("x-frame-options"));
    let script = page.body.split("<script src=\"").nth(1).unwrap().split('"').next().unwrap();
    let script = house.http().get(format!("{}{script}", house.issuer)).send().await.unwrap();
    assert_eq!(script.status(), 200);
    assert!(script.text().await.unwrap().contains("postMessage"));
}
