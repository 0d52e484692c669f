//! A person's own page: what they see of their own, what they change, and what nobody else may.

use russet::protocol::client::ClientKind;
use serde_json::Value;

use crate::harness::House;
use crate::harness::app::{App, claims};
use crate::harness::browser::{Browser, Page};
use crate::on_each_engine;

const ADA: &str = "Ada Lovelace";

async fn open(house: &House, browser: &mut Browser) -> Page {
    browser.open(&format!("{}/account", house.issuer)).await
}

/// Sends the form that goes to this address, with these fields changed.
async fn send(browser: &mut Browser, page: &Page, to: &str, fields: &[(&str, &str)]) -> Page {
    let mut form = page
        .forms()
        .into_iter()
        .find(|form| form.action.path() == to)
        .unwrap_or_else(|| panic!("no form goes to {to}: {}", page.body));
    for (name, value) in fields {
        form.fields.retain(|(known, _)| known != name);
        form.fields.push(((*name).to_owned(), (*value).to_owned()));
    }
    let next = browser.submit(page, &form).await;
    browser.run_scripts(next).await
}

async fn name_in_userinfo(app: &App, tokens: &crate::harness::app::Answer) -> Value {
    app.userinfo(tokens.text("access_token")).await.json["name"].clone()
}

#[tokio::test]
async fn a_name_that_was_chosen_is_told_to_apps_and_stays() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let mut browser = house.browser();
        let tokens = app.tokens(&mut browser, "openid profile offline_access", ADA).await;
        let page = open(&house, &mut browser).await;
        let done = send(&mut browser, &page, "/account/name", &[("name", "  Ada L. ")]).await;
        assert!(done.body.contains("Your name is saved."), "{}", done.body);
        assert_eq!(name_in_userinfo(&app, &tokens).await, "Ada L.");
        for bad in ["", "   ", "a\u{7}b", &"x".repeat(101)] {
            let done = send(&mut browser, &page, "/account/name", &[("name", bad)]).await;
            assert!(done.body.contains("A name has at least one"), "{bad:?}");
        }
        assert_eq!(house.events("user.renamed").await, 1);
        // No upstream replaces what they chose.
        let again = app.tokens(&mut house.browser(), "openid profile", ADA).await;
        assert_eq!(name_in_userinfo(&app, &again).await, "Ada L.");
    });
}

#[tokio::test]
async fn forms_without_the_token_of_this_very_session_are_refused() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let (mut ada, mut grace) = (house.browser(), house.browser());
    app.tokens(&mut ada, "openid", ADA).await;
    app.tokens(&mut grace, "openid", "Grace Hopper").await;
    let theirs = open(&house, &mut grace).await.forms()[0].fields[0].1.clone();
    let page = open(&house, &mut ada).await;
    let form = page.forms().remove(0);
    for path in
        ["/account/name", "/account/sessions/end", "/account/apps/revoke", "/account/export"]
    {
        for token in ["", theirs.as_str()] {
            let mut form = form.clone();
            form.action = format!("{}{path}", house.issuer).parse().unwrap();
            form.fields = [("csrf", token), ("name", "Eve"), ("sid", "x"), ("client_id", "x")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec();
            let answer = ada.submit(&page, &form).await;
            assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
        }
    }
    assert_eq!(house.events("user.renamed").await, 0);
}

#[tokio::test]
async fn another_browser_is_signed_out_and_somebody_elses_is_not() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let (mut desk, mut phone) = (house.browser(), house.browser());
        app.tokens(&mut desk, "openid", ADA).await;
        let tokens = app.tokens(&mut phone, "openid offline_access", ADA).await;
        let mut grace = house.browser();
        let other = app.tokens(&mut grace, "openid", "Grace Hopper").await;
        let page = open(&house, &mut desk).await;
        assert!(page.body.contains("2 browsers are signed in."), "{}", page.body);
        let sid = claims(other.text("id_token"))["sid"].as_str().unwrap().to_owned();
        let refused = send(&mut desk, &page, "/account/sessions/end", &[("sid", &sid)]).await;
        assert!(refused.status.is_client_error());
        assert_eq!(open(&house, &mut grace).await.status, 200);
        let done = send(&mut desk, &page, "/account/sessions/end", &[]).await;
        assert!(done.body.contains("That browser is signed out."), "{}", done.body);
        assert!(done.body.contains("One browser is signed in."));
        assert_eq!(open(&house, &mut phone).await.status, 401);
        let refused = app.refresh(tokens.text("refresh_token")).await;
        assert_eq!(refused.error(), "400 invalid_grant");
    });
}

#[tokio::test]
async fn an_app_loses_its_access_and_has_to_ask_anew() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |client| {
            client.first_party = false;
            client.client_name = "Orders".to_owned();
        });
        let app = app.await;
        let mut browser = house.browser();
        let attempt = app.attempt("openid email offline_access");
        let consent = app.sign_in(&mut browser, &attempt, ADA).await;
        let end = browser.press(&consent, "consent-allow").await;
        let tokens = app.redeem(&attempt, &end.query("code").unwrap()).await;
        let page = open(&house, &mut browser).await;
        assert!(page.body.contains("Orders") && page.body.contains("See your email address"));
        let done = send(&mut browser, &page, "/account/apps/revoke", &[]).await;
        assert!(done.body.contains("The app no longer has access."), "{}", done.body);
        assert!(done.body.contains("No app has access to your account."));
        let refused = app.refresh(tokens.text("refresh_token")).await;
        assert_eq!(refused.error(), "400 invalid_grant");
        let again = browser.open(&app.authorize_url(&app.attempt("openid email"))).await;
        assert!(again.body.contains("consent-allow"), "{}", again.body);
        assert_eq!(house.events("consent.withdrawn").await, 1);
    });
}

#[tokio::test]
async fn everything_that_is_kept_about_them_is_theirs_as_a_file() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    app.tokens(&mut browser, "openid email offline_access", ADA).await;
    let page = open(&house, &mut browser).await;
    let file = send(&mut browser, &page, "/account/export", &[]).await;
    let disposition = file.headers["content-disposition"].to_str().unwrap();
    assert!(disposition.starts_with("attachment"), "{disposition}");
    let all: Value = serde_json::from_str(&file.body).unwrap();
    assert_eq!(all["name"], ADA);
    assert_eq!(all["identities"].as_array().unwrap().len(), 1);
    assert_eq!(all["apps"][0]["client_id"], app.client_id());
    assert!(all["events"].as_array().unwrap().iter().any(|it| it["kind"] == "login.succeeded"));
    assert!(all["browsers"].as_array().unwrap().len() == 1);
    assert!(!file.body.contains("refresh_token"), "no token");
}
