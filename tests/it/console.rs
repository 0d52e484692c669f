//! The console at `/admin`: sign-in, rights, forms, and what a secret's one page may not do.

use std::time::Duration;

use reqwest::StatusCode;
use russet::op::admin::{Actor, NewAdmin};
use russet::protocol::admin::Role;
use russet::protocol::client::ClientKind;
use russet::protocol::id::ClientId;
use russet::protocol::jose::Algorithm;
use russet::protocol::secret::SecretString;

use crate::harness::House;
use crate::harness::browser::{Browser, Page};

pub const PASSWORD: &str = "correct horse battery";
const HIDDEN: [&str; 4] = ["csrf", "client_id", "version", "newest"];

pub async fn admin(house: &House, username: &str, role: Role) {
    let new = NewAdmin {
        username: username.to_owned(),
        role,
        password: Some(SecretString::from(PASSWORD)),
    };
    let administration = &house.broker.broker.administration;
    administration.create_admin(&Actor::cli(), new).await.expect("an account");
}

/// Fills in the form that holds `id` and sends it: its hidden fields, and these.
pub async fn send(browser: &mut Browser, page: &Page, id: &str, fields: &[(&str, &str)]) -> Page {
    let marker = format!("id=\"{id}\"");
    let mut form = page
        .forms()
        .into_iter()
        .find(|form| form.text.contains(&marker))
        .unwrap_or_else(|| panic!("no form holds {id} on {}: {}", page.url, page.body));
    form.fields.retain(|(name, _)| HIDDEN.contains(&name.as_str()));
    form.fields.extend(fields.iter().map(|(name, value)| ((*name).into(), (*value).into())));
    browser.submit(page, &form).await
}

pub async fn signed_in(house: &House, username: &str) -> (Browser, Page) {
    let mut browser = house.browser();
    let login = browser.open(&format!("{}/admin/login", house.issuer)).await;
    let fields = [("username", username), ("password", PASSWORD)];
    let page = send(&mut browser, &login, "login-submit", &fields).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(["/admin", "/admin/clients"].contains(&page.url.path()), "{}", page.url);
    (browser, page)
}

/// The text of the element with this id.
fn text_of<'a>(page: &'a Page, id: &str) -> &'a str {
    let (_, rest) = page.body.split_once(&format!(" id=\"{id}\">")).expect("the element");
    rest.split_once('<').expect("its end").0
}

#[actix_web::test]
async fn signing_in_gives_a_new_cookie_and_signing_out_ends_it() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    let mut browser = house.browser();
    let login = browser.open(&format!("{}/admin", house.issuer)).await;
    let before = browser.cookie("127.0.0.1", "russet_console").cloned().expect("a cookie");

    for (username, password) in [("alice", "wrong"), ("nobody", PASSWORD), ("", "")] {
        let fields = [("username", username), ("password", password)];
        let page = send(&mut browser, &login, "login-submit", &fields).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED);
        assert_eq!(text_of(&page, "login-problem"), "Wrong username or password.");
        assert!(!page.body.contains(PASSWORD));
    }

    let fields = [("username", "alice"), ("password", PASSWORD)];
    let page = send(&mut browser, &login, "login-submit", &fields).await;
    assert!(page.body.contains("<h1>Overview</h1>"));
    let after = browser.cookie("127.0.0.1", "russet_console").cloned().expect("a cookie");
    assert_ne!(before, after, "the cookie from before sign-in must not become a session");

    let out = send(&mut browser, &page, "sign-out", &[]).await;
    assert!(out.url.path().ends_with("/admin/login"));
    let answer = house
        .http()
        .get(format!("{}/admin", house.issuer))
        .header("cookie", format!("russet_console={after}"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "the session is ended, not only forgotten");
}

#[actix_web::test]
async fn a_login_without_its_own_token_is_refused() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    let mut browser = house.browser();
    let login = browser.open(&format!("{}/admin/login", house.issuer)).await;
    let mut form = login.forms().remove(0);
    for token in ["", "AAAA"] {
        form.fields = vec![
            ("csrf".into(), token.into()),
            ("username".into(), "alice".into()),
            ("password".into(), PASSWORD.into()),
        ];
        let page = browser.submit(&login, &form).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(house.events("admin.signed_in").await, 0);
}

#[actix_web::test]
async fn an_idle_session_ends() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    let (mut browser, _) = signed_in(&house, "alice").await;
    house.advance(Duration::from_secs(29 * 60));
    let page = browser.open(&format!("{}/admin", house.issuer)).await;
    assert_eq!(page.url.path(), "/admin");
    house.advance(Duration::from_secs(31 * 60));
    let page = browser.open(&format!("{}/admin", house.issuer)).await;
    assert_eq!(page.url.path(), "/admin/login");
}

#[actix_web::test]
async fn signing_in_leads_on_to_the_page_that_was_asked_for_and_nowhere_else() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    let mut browser = house.browser();
    let login = browser.open(&format!("{}/admin/clients?q=shop", house.issuer)).await;
    assert_eq!(login.query("next").as_deref(), Some("/admin/clients?q=shop"));
    let fields = [("username", "alice"), ("password", PASSWORD), ("next", "/admin/clients?q=shop")];
    let page = send(&mut browser, &login, "login-submit", &fields).await;
    assert_eq!((page.url.path(), page.url.query()), ("/admin/clients", Some("q=shop")));
    for evil in ["https://evil.example/", "//evil.example", "/admin//evil.example", "/account"] {
        let mut browser = house.browser();
        let url =
            url::Url::parse_with_params(&format!("{}/admin/login", house.issuer), [("next", evil)]);
        let login = browser.open(url.expect("a URL").as_str()).await;
        assert!(!login.body.contains("name=\"next\""), "{evil}");
        let fields = [("username", "alice"), ("password", PASSWORD), ("next", evil)];
        let page = send(&mut browser, &login, "login-submit", &fields).await;
        assert_eq!(page.url.path(), "/admin", "{evil}");
    }
}

#[actix_web::test]
async fn what_was_typed_while_the_session_ended_is_kept_and_sent_by_its_owner() {
    let house = House::new().await;
    admin(&house, "alice", Role::Admin).await;
    let (mut browser, _) = signed_in(&house, "alice").await;
    let form = browser.open(&format!("{}/admin/clients/new/web", house.issuer)).await;
    house.advance(Duration::from_secs(31 * 60));
    let typed = [("client_name", "Shop <b>"), ("redirect_uris", "https://shop.example/cb")];
    let login = send(&mut browser, &form, "client-create", &typed).await;
    assert_eq!(login.status, StatusCode::UNAUTHORIZED);
    assert!(login.body.contains("what you typed is kept"));
    let mut sign_in = login.forms().remove(0);
    sign_in.fields.retain(|(name, _)| name != "username" && name != "password");
    sign_in.fields.push(("username".into(), "alice".into()));
    sign_in.fields.push(("password".into(), PASSWORD.into()));
    let offered = browser.submit(&login, &sign_in).await;
    assert!(offered.body.contains("Go on where you were"), "{}", offered.body);
    assert_eq!(house.events("client.created").await, 0, "nothing is sent by itself");
    let done = browser.submit(&offered, &offered.forms()[0]).await;
    assert!(done.body.contains("Shop &#60;b&#62; is registered"), "{}", done.body);
    assert_eq!(house.events("client.created").await, 1);
}

#[actix_web::test]
async fn a_form_of_somebody_else_is_not_kept() {
    let house = House::new().await;
    admin(&house, "alice", Role::Admin).await;
    let (mut browser, _) = signed_in(&house, "alice").await;
    let form = browser.open(&format!("{}/admin/clients/new/web", house.issuer)).await;
    house.advance(Duration::from_secs(31 * 60));
    let mut forged = form.forms().into_iter().find(|f| f.text.contains("client-create")).unwrap();
    forged.fields = vec![("csrf".into(), "AAAA".into()), ("client_name".into(), "Evil".into())];
    let page = browser.submit(&form, &forged).await;
    assert_eq!(page.url.path(), "/admin/login");
    assert!(!page.body.contains("Evil") && !page.body.contains("name=\"kept\""));
}

#[actix_web::test]
async fn a_client_is_registered_once_and_its_secret_shown_once() {
    let house = House::new().await;
    admin(&house, "alice", Role::Admin).await;
    house.api("https://api.example.com", Algorithm::Es256, &["read"]).await;
    let (mut browser, _) = signed_in(&house, "alice").await;
    let form = browser.open(&format!("{}/admin/clients/new/web", house.issuer)).await;

    let wrong = [("client_name", "Shop <b>"), ("redirect_uris", "http://shop.example/cb")];
    let page = send(&mut browser, &form, "client-create", &wrong).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("href=\"#redirect_uris\"") && page.body.contains("aria-invalid"));
    assert!(page.body.contains("http://shop.example/cb</textarea>"), "nothing typed is lost");
    assert!(page.body.contains("value=\"Shop &#60;b&#62;\""));

    let right = [
        ("client_name", "Shop <b>"),
        ("redirect_uris", "https://shop.example/cb\r\n"),
        ("resources", "https://api.example.com"),
        ("first_party", "true"),
    ];
    let done = send(&mut browser, &page, "client-create", &right).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    let (id, secret) = (text_of(&done, "client_id"), text_of(&done, "client_secret"));
    let env = done.body.split("<pre").nth(1).expect("a block");
    assert!(env.contains(&format!("OIDC_CLIENT_ID={id}\n")));
    assert!(env.contains(&format!("OIDC_CLIENT_SECRET={secret}\n")));
    assert!(env.contains(&format!("OIDC_ISSUER={}\n", house.issuer)));
    assert_eq!(done.headers["cache-control"], "no-store");
    let reloaded = browser.open(done.url.as_str()).await;
    assert_eq!(reloaded.url.path(), format!("/admin/clients/{id}"), "shown once");
    assert!(!reloaded.body.contains(secret) && reloaded.body.contains("was shown once"));
    let (mut thief, _) = signed_in(&house, "alice").await;
    let peeked = thief.open(done.url.as_str()).await;
    assert!(!peeked.body.contains(secret), "another session is shown nothing");

    let administration = &house.broker.broker.administration;
    let client = administration.find_client(&ClientId::new(id)).await.expect("a client");
    assert_eq!(client.redirect_uris, ["https://shop.example/cb"]);
    assert_eq!(client.default_resource.as_deref(), Some("https://api.example.com"));
    assert!(client.first_party && client.require_pkce);

    let again = send(&mut browser, &page, "client-create", &right).await;
    assert_eq!(again.url.path(), format!("/admin/clients/{id}"), "a form sent twice");
    assert!(!again.body.contains(secret));
    assert_eq!(house.events("client.created").await, 1);

    let answer = house
        .http()
        .post(format!("{}/token", house.issuer))
        .basic_auth(id, Some(secret))
        .form(&[("grant_type", "refresh_token"), ("refresh_token", "none")])
        .send()
        .await
        .expect("an answer");
    let body = answer.text().await.expect("a body");
    assert!(body.contains("invalid_grant"), "the secret shown is the client's: {body}");
}

#[actix_web::test]
async fn rotation_keeps_the_old_secret_for_the_overlap_and_happens_once() {
    let house = House::new().await;
    admin(&house, "alice", Role::Admin).await;
    let app = house.client(ClientKind::Machine, |_| {}).await;
    let id = app.client.client_id.to_string();
    let (mut browser, _) = signed_in(&house, "alice").await;
    house.advance(Duration::from_secs(1));
    let page = browser.open(&format!("{}/admin/clients/{id}", house.issuer)).await;
    let done = send(&mut browser, &page, "client-rotate-secret", &[("overlap", "3600")]).await;
    let new = text_of(&done, "client_secret").to_owned();
    let again = send(&mut browser, &page, "client-rotate-secret", &[("overlap", "3600")]).await;
    assert!(!again.body.contains("id=\"client_secret\""));
    assert_eq!(house.events("client.secret_rotated").await, 1);

    let accepted = async |secret: &str| {
        let request = house.http().post(format!("{}/token", house.issuer));
        let request = request.basic_auth(&id, Some(secret));
        let answer = request.form(&[("grant_type", "client_credentials")]).send().await;
        answer.expect("an answer").status() != StatusCode::UNAUTHORIZED
    };
    let old = app.secret.clone().expect("a secret");
    assert!(accepted(&old).await && accepted(&new).await);
    house.advance(Duration::from_secs(3601));
    assert!(!accepted(&old).await && accepted(&new).await);
}

#[actix_web::test]
async fn of_two_editors_the_second_is_told() {
    let house = House::new().await;
    admin(&house, "alice", Role::Admin).await;
    let app = house.client(ClientKind::Spa, |client| client.client_name = "Shop".into()).await;
    let id = app.client.client_id.clone();
    let (mut browser, _) = signed_in(&house, "alice").await;
    let form = browser.open(&format!("{}/admin/clients/{id}/edit", house.issuer)).await;
    let entries = |name| {
        [
            ("client_name", name),
            ("redirect_uris", "https://shop.example/cb"),
            ("grant_types", "authorization_code"),
            ("scope", "openid"),
            ("token_endpoint_auth_method", "none"),
            ("id_token_signed_response_alg", "ES256"),
            ("require_pkce", "true"),
            ("refresh_token_idle_ttl", "3600"),
            ("refresh_token_absolute_ttl", "7200"),
        ]
    };
    let saved = send(&mut browser, &form, "client-save", &entries("First")).await;
    assert_eq!(saved.url.path(), format!("/admin/clients/{id}"));
    assert!(saved.body.contains("Saved."));
    let late = send(&mut browser, &form, "client-save", &entries("Second")).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.body.contains("value=\"Second\""), "nothing typed is lost");
    assert!(late.body.contains("<code>admin:alice</code> changed it"), "{}", late.body);
    let row = "<td><code>client_name</code></td><td class=\"lines\">First</td>\
               <td class=\"lines\">Second</td>";
    assert!(late.body.contains(row), "what stands, and what was typed: {}", late.body);
    let administration = &house.broker.broker.administration;
    let stands = administration.find_client(&id).await.expect("a client");
    assert_eq!(stands.client_name, "First");
    assert_eq!(stands.id_token_signed_response_alg, Algorithm::Es256);
    assert_eq!(stands.refresh_token_idle_ttl, 3600);
    let forced = send(&mut browser, &late, "client-save", &entries("Second")).await;
    assert_eq!(forced.status, StatusCode::OK);
    let stands = administration.find_client(&id).await.expect("a client");
    assert_eq!(stands.client_name, "Second");
}

#[actix_web::test]
async fn a_client_is_switched_off_and_on_and_deleted_by_its_name() {
    let house = House::new().await;
    admin(&house, "alice", Role::Admin).await;
    let app = house.client(ClientKind::Web, |client| client.client_name = "Shop".into()).await;
    let id = app.client.client_id.clone();
    let (mut browser, _) = signed_in(&house, "alice").await;
    let page = browser.open(&format!("{}/admin/clients/{id}", house.issuer)).await;
    assert!(page.body.contains("id=\"client-disable\""));
    let ask = browser.open(&format!("{}/admin/clients/{id}/disable", house.issuer)).await;
    assert!(ask.body.contains("It concerns nobody who is signed in"), "{}", ask.body);
    let off = send(&mut browser, &ask, "ask-confirm", &[("reason", "a leak")]).await;
    let administration = &house.broker.broker.administration;
    assert!(administration.find_client(&id).await.expect("a client").disabled_at.is_some());
    send(&mut browser, &off, "client-enable", &[]).await;
    assert!(administration.find_client(&id).await.expect("a client").disabled_at.is_none());

    let ask = browser.open(&format!("{}/admin/clients/{id}/delete", house.issuer)).await;
    let wrong = send(&mut browser, &ask, "delete-confirm", &[("confirm", "shop")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(administration.find_client(&id).await.is_ok());
    let gone = send(&mut browser, &ask, "delete-confirm", &[("confirm", "Shop")]).await;
    assert_eq!(gone.url.path(), "/admin/clients");
    assert!(administration.find_client(&id).await.is_err());
}

#[actix_web::test]
async fn an_api_is_registered_changed_and_deleted() {
    let house = House::new().await;
    admin(&house, "alice", Role::Admin).await;
    let (mut browser, _) = signed_in(&house, "alice").await;
    let form = browser.open(&format!("{}/admin/apis/new", house.issuer)).await;
    let entries = |identifier, ttl| {
        [
            ("identifier", identifier),
            ("name", "Orders"),
            ("scopes", "orders:read Read your orders\r\norders:write"),
            ("access_token_ttl", ttl),
            ("signing_alg", "ES256"),
        ]
    };
    for (identifier, ttl, field) in [
        ("not a uri", "600", "identifier"),
        ("https://api.example/", "soon", "access_token_ttl"),
        ("https://api.example/", "5", "access_token_ttl"),
    ] {
        let page = send(&mut browser, &form, "api-save", &entries(identifier, ttl)).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains(&format!("href=\"#{field}\"")), "{field}");
        assert!(page.body.contains("orders:read Read your orders"), "nothing typed is lost");
    }
    let identifier = "https://api.example/?a=1&b";
    let list = send(&mut browser, &form, "api-save", &entries(identifier, "300")).await;
    assert_eq!(list.url.path(), "/admin/apis");
    let administration = &house.broker.broker.administration;
    let api = administration.find_api(identifier).await.expect("an API");
    assert_eq!((api.access_token_ttl, api.signing_alg), (300, Algorithm::Es256));
    assert_eq!(api.scopes[0].description, "Read your orders");

    let app = house
        .client(ClientKind::Machine, |client| client.resources = vec![identifier.to_owned()])
        .await;
    let address = "identifier=https%3A%2F%2Fapi.example%2F%3Fa%3D1%26b";
    let ask = browser.open(&format!("{}/admin/apis/delete?{address}", house.issuer)).await;
    let used = send(&mut browser, &ask, "delete-confirm", &[("confirm", "Orders")]).await;
    assert_eq!(used.status, StatusCode::UNPROCESSABLE_ENTITY, "a client still names it");
    administration.delete_client(&Actor::cli(), &app.client.client_id, None).await.expect("gone");
    let gone = send(&mut browser, &ask, "delete-confirm", &[("confirm", "Orders")]).await;
    assert_eq!(gone.status, StatusCode::OK);
    assert!(administration.find_api(identifier).await.is_err());
}

#[actix_web::test]
async fn clients_are_found_by_name_and_listed_by_pages() {
    let house = House::new().await;
    admin(&house, "vera", Role::Viewer).await;
    for number in 0..30 {
        house
            .client(ClientKind::Spa, |client| client.client_name = format!("App {number:02}"))
            .await;
    }
    let (mut browser, _) = signed_in(&house, "vera").await;
    let first = browser.open(&format!("{}/admin/clients", house.issuer)).await;
    let rows = |page: &Page| page.body.matches("class=\"row-link\"").count();
    assert_eq!(rows(&first), 25);
    let (_, next) = first.body.split_once("rel=\"next\" href=\"").expect("a next page");
    let next = next.split_once('"').expect("its end").0.replace("&#38;", "&");
    let second = browser.open(first.url.join(&next).expect("a URL").as_str()).await;
    assert_eq!(rows(&second), 5);
    let found = browser.open(&format!("{}/admin/clients?q=app+07", house.issuer)).await;
    assert_eq!(rows(&found), 1);
    let none = browser.open(&format!("{}/admin/clients?q=%3Cb%3E", house.issuer)).await;
    assert!(none.body.contains("No client matches “&#60;b&#62;”"));
    let odd = browser.open(&format!("{}/admin/clients?after=%00%FFx", house.issuer)).await;
    assert!(odd.status.is_success() || odd.status.is_client_error(), "{}", odd.status);
}
