//! How an installation and its clients look: what is saved, what is refused, and what people see.

use reqwest::StatusCode;
use russet::protocol::admin::Role;
use russet::protocol::client::ClientKind;

use crate::console::{admin, send, signed_in};
use crate::harness::House;
use crate::harness::browser::{Browser, Page};

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
