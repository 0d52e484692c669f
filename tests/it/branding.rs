//! How an installation and its clients look: what is saved, what is refused, and what people see.

use std::time::Duration;

use base64::Engine as _;
use reqwest::{Method, StatusCode};
use russet::op::admin::Actor;
use russet::protocol::admin::Role;
use russet::protocol::api_key::ApiScope;
use russet::protocol::client::ClientKind;
use serde_json::{Value, json};

use crate::admin_api::{ask, key, request};
use crate::console::{admin, send, signed_in};
use crate::harness::House;
use crate::harness::app::answer;
use crate::harness::browser::{Browser, Page};
use crate::harness::receiver::{Receiver, eventually};
use crate::on_each_engine;

const BRANDING: &str = "/admin/settings/branding";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\nnot much of a picture";

async fn get(house: &House, path: &str) -> (StatusCode, reqwest::header::HeaderMap, String) {
    let answer = house.http().get(format!("{}{path}", house.issuer)).send().await.unwrap();
    (answer.status(), answer.headers().clone(), answer.text().await.unwrap_or_default())
}

/// Sends a file as a browser would.
async fn upload(
    house: &House,
    browser: &Browser,
    page: &Page,
    to: &str,
    file: &[u8],
) -> StatusCode {
    let form = page.forms().into_iter().find(|form| form.action.path() == to).unwrap();
    let csrf = &form.fields.iter().find(|(name, _)| name == "csrf").unwrap().1;
    let mut body = format!(
        "--xx\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--xx\r\n\
         Content-Disposition: form-data; name=\"logo\"; filename=\"logo\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--xx--\r\n");
    let cookie = browser.cookie("127.0.0.1", "russet_console").unwrap();
    let request = house.http().post(format!("{}{to}", house.issuer)).body(body);
    let request = request
        .header("content-type", "multipart/form-data; boundary=xx")
        .header("cookie", format!("russet_console={cookie}"));
    request.send().await.unwrap().status()
}

#[actix_web::test]
async fn a_look_is_saved_and_seen_and_an_unreadable_one_is_refused() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    let (mut browser, _) = signed_in(&house, "alice").await;
    let page = browser.open(&format!("{}{BRANDING}", house.issuer)).await;
    let unreadable = [("accent_color", "#ff9900"), ("default_locale", "en")];
    let refused = send(&mut browser, &page, "branding-save", &unreadable).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("needs 4.5; the nearest is #"), "{}", refused.body);
    assert_eq!(house.events("settings.updated").await, 0);

    let good = [
        ("name", "Example <ID>"),
        ("accent_color", "#1b4f9c"),
        ("policy_uri", "https://example.com/privacy?a&b"),
        ("default_locale", "de"),
    ];
    let previewed = preview(&mut browser, &refused, &good).await;
    assert!(previewed.body.contains("/brand/1b4f9c-x-x-x.css"), "{}", previewed.body);
    assert_eq!(house.events("settings.updated").await, 0, "only looked at");
    let saved = send(&mut browser, &refused, "branding-save", &good).await;
    assert_eq!(saved.status, StatusCode::OK, "{}", saved.body);
    assert_eq!(house.events("settings.updated").await, 1);

    let (_, headers, body) = get(&house, "/account").await;
    assert_eq!(headers["content-language"], "de", "nothing is known of this reader");
    assert!(body.contains("Example &#60;ID&#62;") && !body.contains("Russet</span>"), "{body}");
    assert!(body.contains("https://example.com/privacy?a&#38;b"));
    let href = body.split("href=\"").find(|part| part.starts_with("/brand/")).unwrap();
    let (status, headers, css) = get(&house, href.split('"').next().unwrap()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["content-type"], "text/css; charset=utf-8");
    assert!(headers["cache-control"].to_str().unwrap().contains("immutable"));
    assert!(css.contains("--main: #1b4f9c;"), "{css}");
    assert_eq!(get(&house, "/brand/x-x-x-};.css").await.0, StatusCode::NOT_FOUND);

    // Two at once do not overwrite each other.
    let behind = send(&mut browser, &page, "branding-save", &good).await;
    assert_eq!(behind.status, StatusCode::CONFLICT);
}

async fn preview(browser: &mut Browser, page: &Page, fields: &[(&str, &str)]) -> Page {
    let mut page = page.clone();
    let action = format!("action=\"{BRANDING}\"");
    page.body = page.body.replace(&action, &format!("action=\"{BRANDING}/preview\""));
    send(browser, &page, "branding-save", fields).await
}

#[actix_web::test]
async fn a_logo_is_what_its_bytes_say_and_runs_nothing() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    let (mut browser, _) = signed_in(&house, "alice").await;
    let page = browser.open(&format!("{}{BRANDING}", house.issuer)).await;
    let to = format!("{BRANDING}/logo");
    let html = b"<!doctype html><script>alert(1)</script>";
    let refused = upload(&house, &browser, &page, &to, html).await;
    assert_eq!(refused, StatusCode::UNPROCESSABLE_ENTITY);
    let large = [PNG, &[0; 129 * 1024]].concat();
    let refused = upload(&house, &browser, &page, &to, &large).await;
    assert_eq!(refused, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(upload(&house, &browser, &page, &to, PNG).await, StatusCode::SEE_OTHER);
    let (_, _, body) = get(&house, "/account").await;
    let src = body.split("src=\"").find(|part| part.starts_with("/brand/pictures/")).unwrap();
    let src = src.split('"').next().unwrap();
    let (status, headers, _) = get(&house, src).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["content-type"], "image/png");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("sandbox"), "{policy}");
    assert_eq!(get(&house, "/brand/pictures/nothing").await.0, StatusCode::NOT_FOUND);
    // Taken away again by the other form.
    let page = browser.open(&format!("{}{BRANDING}", house.issuer)).await;
    send(&mut browser, &page, "branding-save", &[("no_logo", "on")]).await;
    assert!(!get(&house, "/account").await.2.contains("/brand/pictures/"));
}

#[actix_web::test]
async fn a_client_has_its_own_look_over_the_installations() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    let app = house
        .client(ClientKind::Web, |client| {
            client.first_party = false;
            client.settings.policy_uri = Some("https://app.example.com/privacy".to_owned());
        })
        .await;
    let (mut browser, _) = signed_in(&house, "alice").await;
    let url = format!("{}/admin/clients/{}/branding", house.issuer, app.client_id());
    let page = browser.open(&url).await;
    let refused = send(&mut browser, &page, "branding-save", &[("accent_color", "#eeeeee")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
    let colours = [("accent_color", "#00563f"), ("background_color", "#f0fff8")];
    let saved = send(&mut browser, &page, "branding-save", &colours).await;
    assert_eq!(saved.status, StatusCode::OK, "{}", saved.body);
    assert_eq!(house.events("client.updated").await, 1);
    let mut ada = house.browser();
    let consent = app.sign_in(&mut ada, &app.attempt("openid"), "Ada Lovelace").await;
    assert!(consent.body.contains("/brand/00563f-x-f0fff8-x.css"), "{}", consent.body);
    assert!(consent.body.contains("https://app.example.com/privacy"));
    assert!(!get(&house, "/account").await.2.contains("/brand/"), "the others stay as they are");
}

#[actix_web::test]
async fn a_script_does_what_the_form_does_and_a_document_takes_the_look_elsewhere() {
    let house = House::new().await;
    let scopes = [ApiScope::ReadSettings, ApiScope::WriteSettings];
    let key = key(&house, &scopes).await;
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"/>";
    let content = base64::engine::general_purpose::STANDARD.encode(svg);
    let kept = ask(&house, &key, Method::POST, "/pictures", Some(json!({ "content": content })));
    let logo = kept.await.text("id").to_owned();
    let stands = ask(&house, &key, Method::GET, "/branding", None).await;
    assert_eq!(stands.json, json!({ "version": 0 }));
    let patch = |tag: &str, body: Value| {
        let request = request(&house, &key, Method::PATCH, "/branding");
        answer(request.header("if-match", tag).json(&body))
    };
    let look = json!({ "logo": logo, "name": "Example", "accent_color": "#1b4f9c" });
    let changed = patch("\"0\"", look.clone()).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.json);
    assert_eq!(patch("\"0\"", look).await.status, StatusCode::PRECONDITION_FAILED);
    for bad in [
        json!({ "accent_color": "#ff9900" }),
        json!({ "colour": "#000000" }),
        json!({ "name": 7 }),
        json!({ "logo": "0".repeat(32) }),
    ] {
        let refused = patch("\"1\"", bad).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.json);
    }
    let (_, _, body) = get(&house, "/account").await;
    assert!(body.contains(&format!("/brand/pictures/{logo}")), "{body}");
    assert!(body.contains("alt=\"Example\""));
    let gone = patch("\"1\"", json!({ "name": null })).await;
    assert_eq!(gone.json["version"], 2);
    assert!(gone.json.get("name").is_none());

    let (cli, there) = (Actor::cli(), House::new().await);
    let document = house.broker.broker.administration.export_declaration(&cli).await.unwrap();
    let elsewhere = &there.broker.broker.administration;
    let steps = elsewhere.plan(&cli, document.clone(), false).await.unwrap();
    let kinds: Vec<_> = steps.iter().map(|step| step.kind).collect();
    assert_eq!(kinds, ["picture", "branding"]);
    for step in steps {
        elsewhere.carry_out(&cli, step).await.unwrap();
    }
    assert!(elsewhere.plan(&cli, document.clone(), false).await.unwrap().is_empty(), "and twice");
    assert_eq!(elsewhere.branding().await.unwrap().0.logo.as_deref(), Some(logo.as_str()));
    let mut forged = document;
    forged.pictures.insert("0".repeat(32), content);
    assert!(elsewhere.plan(&cli, forged, false).await.is_err(), "a name is a hash");
}

#[actix_web::test]
async fn c3_20_a_registered_picture_is_fetched_by_us_once_and_shown_from_here() {
    let house = House::new().await;
    let mut elsewhere = Receiver::start();
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"/>";
    elsewhere.answer(200, svg);
    let app = house
        .client(ClientKind::Web, |client| {
            client.first_party = false;
            client.settings.logo_uri = Some(elsewhere.url("/logo.svg"));
            client.settings.tos_uri = Some("https://app.example.com/terms".to_owned());
        })
        .await;
    let mut ada = house.browser();
    let attempt = app.attempt("openid");
    // No page waits for it: the first sets the fetch going.
    let first = app.sign_in(&mut ada, &attempt, "Ada Lovelace").await;
    assert!(first.body.contains("https://app.example.com/terms"), "{}", first.body);
    assert_eq!(elsewhere.next().await.path, "/logo.svg");
    let url = app.authorize_url(&attempt);
    let ada = tokio::sync::Mutex::new(ada);
    let page = eventually(|| async {
        let page = ada.lock().await.open(&url).await;
        page.body.contains("id=\"client-logo\"").then_some(page)
    })
    .await;
    assert!(!page.body.contains("logo.svg"), "nothing is loaded from there: {}", page.body);
    let src = page.body.split("src=\"").find(|part| part.starts_with("/brand/logo?")).unwrap();
    let src = src.split('"').next().unwrap().replace("&#38;", "&");
    let (status, headers, body) = get(&house, &src).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, svg));
    assert_eq!(headers["content-type"], "image/svg+xml");
    assert!(headers["content-security-policy"].to_str().unwrap().contains("sandbox"));
    assert!(elsewhere.is_quiet(), "once is enough");

    // What is no picture is not shown, and not asked for again at once.
    let mut page_there = Receiver::start();
    page_there.answer(200, "<!doctype html><script>alert(1)</script>");
    let other = house
        .client(ClientKind::Web, |client| {
            client.settings.logo_uri = Some(page_there.url("/"));
        })
        .await;
    let src = format!("/brand/logo?client_id={}", other.client_id());
    for _ in 0..2 {
        assert_eq!(get(&house, &src).await.0, StatusCode::NOT_FOUND);
    }
    page_there.next().await;
    assert!(page_there.is_quiet());
    assert_eq!(get(&house, "/brand/logo?client_id=nobody").await.0, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn pictures_that_nothing_names_go_after_a_week_and_the_others_stay() {
    on_each_engine!(house, {
        let administration = &house.broker.broker.administration;
        let actor = Actor::cli();
        let keep = async |last: u8| {
            let picture = [PNG, &[last]].concat();
            administration.keep_picture(&actor, None, picture).await.expect("a picture")
        };
        let (own, of_client, nobodys, late) =
            (keep(1).await, keep(2).await, keep(3).await, keep(4).await);
        let (mut branding, version) = administration.branding().await.expect("a look");
        branding.logo = Some(own.clone());
        administration.change_branding(&actor, branding, version).await.expect("saved");
        let logo = of_client.clone();
        house
            .client(ClientKind::Web, move |client| {
                let look = json!({ "branding": { "logo": logo } });
                let look = look.as_object().expect("members");
                let settings = russet::protocol::client_settings::merge(&client.settings, look);
                client.settings = settings.expect("settings");
            })
            .await;
        let there = async |id: &str| house.store().find_picture(id).await.unwrap().is_some();
        house.advance(Duration::from_secs(6 * 24 * 3600));
        assert_eq!(house.broker.broker.provider.sweep_pictures().await.unwrap(), 0);
        assert_eq!(keep(4).await, late, "kept again, and so young again");
        house.advance(Duration::from_secs(2 * 24 * 3600));
        assert_eq!(house.broker.broker.provider.sweep_pictures().await.unwrap(), 1);
        assert!(there(&own).await && there(&of_client).await && there(&late).await);
        assert!(!there(&nobodys).await);
    });
}

#[actix_web::test]
async fn pages_beside_the_sign_in_look_like_the_client_where_it_is_proven() {
    let house = House::new().await;
    let app = house
        .client(ClientKind::Web, |client| {
            client.first_party = false;
            let look = json!({ "branding": { "accent_color": "#1b4f9c" } });
            let look = look.as_object().expect("members");
            let settings = russet::protocol::client_settings::merge(&client.settings, look);
            client.settings = settings.expect("settings");
        })
        .await;
    let style = "/brand/1b4f9c-";
    let mut browser = house.browser();
    let attempt = app.attempt("openid");
    let consent = app.sign_in(&mut browser, &attempt, "Ada Lovelace").await;
    assert!(consent.body.contains(style), "{}", consent.body);
    // The same page is gone when it was answered: told in the client's look, in this browser alone.
    let answered = consent.url.clone();
    let end = browser.press(&consent, "consent-allow").await;
    let tokens = app.redeem(&attempt, &end.query("code").expect("a code")).await;
    let gone = browser.open(answered.as_str()).await;
    assert_eq!(gone.status, StatusCode::BAD_REQUEST);
    assert!(gone.body.contains(style), "{}", gone.body);
    let foreign = house.browser().open(answered.as_str()).await;
    assert!(!foreign.body.contains(style), "another browser's interaction is nobody's");

    let bare = format!("{}/logout?client_id={}", house.issuer, app.client_id());
    let elsewhere = house.browser().open(&bare).await;
    assert!(!elsewhere.body.contains(style), "anybody can name a client");
    let hinted = format!("{}/logout?id_token_hint={}", house.issuer, tokens.text("id_token"));
    let out = browser.open(&hinted).await;
    assert!(out.body.contains("You are signed out") && out.body.contains(style), "{}", out.body);
    let again = browser.open(&hinted).await;
    assert!(again.body.contains(style), "its token says who asks: {}", again.body);
}
