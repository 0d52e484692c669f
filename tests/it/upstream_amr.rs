//! One Russet as the upstream of another: what it says of how people authenticated is taken where
//! the operator takes it, and nowhere else.

use russet::protocol::client::ClientKind;
use russet::protocol::connection::ConnectionSettings;
use serde_json::{Value, json};

use crate::harness::House;
use crate::harness::app::{App, Attempt, claims};
use crate::harness::browser::{Browser, Page};
use crate::local_accounts::{self, PASSWORD, type_in};
use crate::person_factors::{set_up, step};

/// An upstream whose people have passwords, and a house that believes it or not.
async fn houses(believe_amr: bool) -> (House, House) {
    let (upstream, house) = (local_accounts::house().await, House::new().await);
    house
        .connect("above", &upstream, |settings| {
            if let ConnectionSettings::Oidc(oidc) = settings {
                oidc.believe_amr = believe_amr;
            }
        })
        .await;
    (upstream, house)
}

fn above(app: &App) -> Attempt {
    app.attempt("openid").with("connection", "above")
}

/// One that is of no use below this class (OIDC Core §5.5.1.1).
fn insisting(app: &App, class: &str) -> Attempt {
    let wanted = json!({ "id_token": { "acr": { "essential": true, "values": [class] } } });
    above(app).with("claims", &wanted.to_string())
}

async fn come(app: &App, browser: &mut Browser, attempt: &Attempt) -> Page {
    let page = browser.open(&app.authorize_url(attempt)).await;
    type_in(browser, &page, "ada", PASSWORD).await
}

async fn told(app: &App, attempt: &Attempt, end: &Page) -> Value {
    let code = end.query("code").unwrap_or_else(|| panic!("no code at {}: {}", end.url, end.body));
    claims(app.redeem(attempt, &code).await.text("id_token"))
}

#[tokio::test]
async fn a_believed_upstream_says_how_and_that_has_a_class() {
    let (_upstream, house) = houses(true).await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    // A wish that cannot be met is no obstacle (§3.1.2.1: voluntary), and asks nobody twice.
    let attempt = above(&app).with("acr_values", "2");
    let end = come(&app, &mut browser, &attempt).await;
    let id_token = told(&app, &attempt, &end).await;
    assert_eq!((&id_token["amr"], &id_token["acr"]), (&json!(["pwd"]), &json!("1")));

    let attempt = insisting(&app, "1").with("prompt", "none");
    let end = browser.open(&app.authorize_url(&attempt)).await;
    assert_eq!(told(&app, &attempt, &end).await["acr"], "1");
    let attempt = insisting(&app, "2").with("prompt", "none");
    let end = browser.open(&app.authorize_url(&attempt)).await;
    assert!(end.query("error").is_some(), "{}", end.url);
}

#[tokio::test]
async fn two_factors_upstream_are_two_factors_here() {
    let (upstream, house) = houses(true).await;
    let near = upstream.client(ClientKind::Web, |_| {}).await;
    let mut browser = upstream.browser();
    let page = browser.open(&near.authorize_url(&near.attempt("openid"))).await;
    type_in(&mut browser, &page, "ada", PASSWORD).await;
    let (codes, _) = set_up(&upstream, &mut browser).await;

    let app = house.client(ClientKind::Web, |_| {}).await;
    let attempt = insisting(&app, "2");
    let mut browser = house.browser();
    let page = come(&app, &mut browser, &attempt).await;
    let next = codes.code(upstream.now().secs() / 30 + 1);
    let end = step(&mut browser, &page, "second-submit", next.expose()).await;
    let id_token = told(&app, &attempt, &end).await;
    assert_eq!(id_token["amr"], json!(["pwd", "otp", "mfa"]));
    assert_eq!(id_token["acr"], "2");
}

#[tokio::test]
async fn an_upstream_that_is_not_believed_gives_no_class() {
    let (_upstream, house) = houses(false).await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let attempt = above(&app).with("acr_values", "1");
    let end = come(&app, &mut house.browser(), &attempt).await;
    let id_token = told(&app, &attempt, &end).await;
    assert!(id_token.get("acr").is_none() && id_token.get("amr").is_none(), "{id_token}");

    let attempt = insisting(&app, "1");
    let end = come(&app, &mut house.browser(), &attempt).await;
    assert_eq!(end.query("error").as_deref(), Some("unmet_authentication_requirements"));
    assert_eq!(end.query("state"), Some(attempt.state));
}
