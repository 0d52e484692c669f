//! The console's rooms about connections, secrets and what is observed.

use std::time::Duration;

use reqwest::StatusCode;
use russet::op::admin::Actor;
use russet::protocol::admin::Role;
use russet::protocol::client::{ClientKind, GrantType, TokenEndpointAuthMethod};
use russet::protocol::id::ConnectionId;
use russet::protocol::sign_in_cause::Cause;
use russet::store::sign_in_counts::{GroupedBy, SignInQuery};

use crate::console::{admin, send, signed_in};
use crate::harness::House;
use crate::harness::browser::{Browser, Page};
use crate::on_each_engine;
use crate::rights::token;

/// Fills in the form that holds `id` as a browser would, and sends it.
async fn fill(browser: &mut Browser, page: &Page, id: &str, fields: &[(&str, &str)]) -> Page {
    let marker = format!("id=\"{id}\"");
    let form = page.forms().into_iter().find(|form| form.text.contains(&marker));
    let mut form = form.unwrap_or_else(|| panic!("no form holds {id}: {}", page.body));
    form.fields.retain(|(name, _)| fields.iter().all(|(given, _)| given != name));
    form.fields.extend(fields.iter().map(|(name, value)| ((*name).into(), (*value).into())));
    browser.submit(page, &form).await
}

/// Sends a form with a file, as browsers do (RFC 7578).
pub async fn upload(
    house: &House,
    browser: &Browser,
    url: &str,
    fields: &[(&str, &str)],
    (field, name, content): (&str, &str, &str),
) -> reqwest::Response {
    let mut body = String::new();
    for (name, value) in fields {
        body.push_str(&format!(
            "--frontier\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    body.push_str(&format!(
        "--frontier\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n{content}\r\n--frontier--\r\n"
    ));
    let cookie = browser.cookie("127.0.0.1", "russet_console").expect("a cookie");
    house
        .http()
        .post(url)
        .header("cookie", format!("russet_console={cookie}"))
        .header("content-type", "multipart/form-data; boundary=frontier")
        .body(body)
        .send()
        .await
        .expect("an answer")
}

pub fn p8() -> String {
    let (text, _) = russet::simulator::developer_key().expect("a key");
    text.expose().clone()
}

#[actix_web::test]
async fn apple_is_connected_by_its_file_and_its_key_follows_another() {
    let house = House::new().await;
    admin(&house, "alice", Role::Admin).await;
    let (mut console, page) = signed_in(&house, "alice").await;
    let csrf = token(&page);
    let kinds = console.open(&format!("{}/admin/connections/new", house.issuer)).await;
    assert!(kinds.body.contains("/admin/connections/new/apple"));
    let url = format!("{}/admin/connections/new/apple", house.issuer);
    let form = console.open(&url).await;
    assert!(form.body.contains(&format!("{}/upstream/apple/callback", house.issuer)), "to paste");
    let mut fields = vec![
        ("csrf", csrf.as_str()),
        ("id", "second"),
        ("display_name", "Apple <b>"),
        ("team_id", "SECOND1234"),
        ("services_id", "com.example.second"),
        ("bundle_ids", "com.example.one\r\ncom.example.two"),
        ("issuer", "https://appleid.apple.com"),
        ("pkce", "true"),
    ];
    let nothing = ("private_key", "", "");
    let missing = upload(&house, &console, &url, &fields, nothing).await;
    assert_eq!(missing.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let body = missing.text().await.expect("a page");
    assert!(body.contains("com.example.two") && body.contains("must not be empty"), "{body}");

    let key = ("private_key", "AuthKey_FIRSTKEY01.p8", &*p8());
    let made = upload(&house, &console, &url, &fields, key).await;
    assert_eq!(made.status(), StatusCode::SEE_OTHER, "{}", made.text().await.expect("a page"));
    let shown = console.open(&format!("{}/admin/connections/second", house.issuer)).await;
    assert!(shown.body.contains("FIRSTKEY01"), "the Key ID is in the file's name: {}", shown.body);
    assert!(shown.body.contains("Apple &#60;b&#62;") && !shown.body.contains("Apple <b>"));
    assert!(!shown.body.contains("PRIVATE KEY"));
    assert!(
        house.broker.broker.provider.connector(&ConnectionId::new("second")).is_some(),
        "offered at once"
    );

    let keys = format!("{}/admin/connections/second/key", house.issuer);
    let next = ("next_private_key", "AuthKey_NEXTKEY001.p8", &*p8());
    let staged = upload(&house, &console, &keys, &[("csrf", &csrf)], next).await;
    assert_eq!(staged.status(), StatusCode::SEE_OTHER);
    let shown = console.open(&format!("{}/admin/connections/second", house.issuer)).await;
    assert!(shown.body.contains("NEXTKEY001") && shown.body.contains("FIRSTKEY01"));
    let turned = send(&mut console, &shown, "key-promote", &[("turn", "promote")]).await;
    assert!(turned.body.contains("NEXTKEY001") && !turned.body.contains("FIRSTKEY01"));
    assert_eq!(house.events("connection.key_promoted").await, 1);

    fields.retain(|(name, _)| *name != "csrf" && *name != "id");
    fields.extend([("display_name", "Second"), ("key_id", "NEXTKEY001")]);
    fields.retain(|field| *field != ("display_name", "Apple <b>"));
    let edit = console.open(&format!("{}/admin/connections/second/edit", house.issuer)).await;
    let saved = send(&mut console, &edit, "connection-save", &fields).await;
    assert!(saved.body.contains("<h1>Second</h1>"), "{}", saved.body);
    let stale = send(&mut console, &edit, "connection-save", &fields).await;
    assert_eq!(stale.status, StatusCode::CONFLICT, "{}", stale.body);
    assert!(stale.body.contains("Somebody else saved first"), "{}", stale.body);
    assert!(stale.body.contains("It concerns nobody"), "{}", stale.body);
    let edit = console.open(&format!("{}/admin/connections/apple/edit", house.issuer)).await;
    let form = edit.forms().into_iter().find(|form| form.text.contains("connection-save"));
    let mut form = form.expect("the form");
    form.action.set_path("/admin/connections/apple/check");
    form.fill("display_name", "Typed");
    form.fill("beside", "form");
    let beside = console.submit(&edit, &form).await;
    assert!(beside.body.contains("class=\"findings\""), "{}", beside.body);
    assert!(beside.body.contains("value=\"Typed\""), "what was typed stays: {}", beside.body);
}

#[actix_web::test]
async fn a_provider_is_connected_disabled_with_what_that_concerns_and_removed_by_name() {
    let house = House::new().await;
    admin(&house, "alice", Role::Admin).await;
    admin(&house, "vera", Role::Viewer).await;
    let (mut console, _) = signed_in(&house, "alice").await;
    let form = console.open(&format!("{}/admin/connections/new/github", house.issuer)).await;
    let fields = [
        ("id", "github"),
        ("display_name", "GitHub"),
        ("client_id", "abc"),
        ("client_secret", "hidden secret"),
        ("base_url", "https://github.com"),
        ("api_url", "https://api.github.com"),
    ];
    let made = fill(&mut console, &form, "connection-save", &fields).await;
    assert!(made.body.contains("Connected."), "{}", made.body);
    assert!(!made.body.contains("hidden secret"));
    let ask = console.open(&format!("{}/admin/connections/github/disable", house.issuer)).await;
    assert!(ask.body.contains("It concerns nobody who is signed in"), "{}", ask.body);
    let off = send(&mut console, &ask, "ask-confirm", &[]).await;
    assert!(off.body.contains("Disabled</span>"), "{}", off.body);
    assert!(house.broker.broker.provider.connector(&ConnectionId::new("github")).is_none());
    let list = console.open(&format!("{}/admin/connections", house.issuer)).await;
    assert!(list.body.contains("GitHub"), "what is switched off is listed");
    let on = send(&mut console, &off, "connection-enable", &[]).await;
    assert!(on.body.contains("Enabled."));
    let ask = console.open(&format!("{}/admin/connections/github/delete", house.issuer)).await;
    let wrong = send(&mut console, &ask, "delete-confirm", &[("confirm", "x")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    send(&mut console, &ask, "delete-confirm", &[("confirm", "GitHub")]).await;
    assert_eq!(house.events("connection.deleted").await, 1);

    // What the configuration file describes is changed there.
    let own = console.open(&format!("{}/admin/connections/apple", house.issuer)).await;
    assert!(own.body.contains("The configuration file describes"), "{}", own.body);
    assert!(!own.body.contains("connection-edit"));
    let (mut viewer, _) = signed_in(&house, "vera").await;
    let list = viewer.open(&format!("{}/admin/connections", house.issuer)).await;
    assert!(!list.body.contains("/connections/new"));
}

#[actix_web::test]
async fn a_client_has_several_secrets_with_names_and_ends_and_one_goes_at_a_time() {
    let house = House::new().await;
    let mut app = house.client(ClientKind::Machine, |_| {}).await;
    admin(&house, "alice", Role::Admin).await;
    let (mut console, _) = signed_in(&house, "alice").await;
    let own = format!("{}/admin/clients/{}", house.issuer, app.client_id());
    let page = console.open(&own).await;
    // What is no number of days would make a secret that is good for ever.
    let fields = [("secret_name", "typo"), ("secret_days", "3O")];
    let refused = send(&mut console, &page, "client-add-secret", &fields).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body.contains("secret_days must be"), "{}", refused.body);
    assert_eq!(house.events("client.secret_added").await, 0);

    let fields = [("secret_name", "<i>staging</i>"), ("secret_days", "30")];
    let made = send(&mut console, &page, "client-add-secret", &fields).await;
    let (_, rest) = made.body.split_once("id=\"client_secret\">").expect("a secret");
    let second = rest.split_once('<').expect("its end").0.to_owned();
    let grant = [("grant_type", "client_credentials")];
    assert_eq!(app.token(&grant).await.status, StatusCode::OK, "the first stays");
    let first = app.secret.replace(second);
    assert_eq!(app.token(&grant).await.status, StatusCode::OK);
    house.broker.broker.provider.keep_observations(Vec::new()).await.expect("kept");
    let page = console.open(&own).await;
    assert!(page.body.contains("&#60;i&#62;staging") && !page.body.contains("<i>staging"));
    assert!(!page.body.contains("never seen"), "both were used: {}", page.body);
    house.advance(Duration::from_secs(31 * 24 * 3600));
    assert_eq!(app.token(&grant).await.error(), "401 invalid_client", "it had an end");
    app.secret = first;
    assert_eq!(app.token(&grant).await.status, StatusCode::OK);

    let (mut console, _) = signed_in(&house, "alice").await;
    let page = console.open(&own).await;
    let csrf = token(&page);
    let revoke = |confirm: &str| {
        let url = format!("{own}/secrets/first/revoke");
        let cookie = console.cookie("127.0.0.1", "russet_console").expect("a cookie");
        let request = house.http().post(url).header("cookie", format!("russet_console={cookie}"));
        request.form(&[("csrf", csrf.as_str()), ("confirm", confirm)]).send()
    };
    revoke("").await.expect("an answer");
    assert_eq!(house.events("client.secret_revoked").await, 0, "the last one asks for the name");
    revoke(&app.client.client_name).await.expect("an answer");
    assert_eq!(house.events("client.secret_revoked").await, 1);
    house.advance(Duration::from_secs(2));
    assert_eq!(app.token(&grant).await.error(), "401 invalid_client");
}

#[actix_web::test]
async fn secrets_are_few_and_their_names_and_lives_have_bounds() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let id = &app.client.client_id;
    let administration = &house.broker.broker.administration;
    let add = |name: &'static str, days: u64| {
        let life = Some(Duration::from_secs(days * 24 * 3600));
        async move { administration.add_client_secret(&Actor::cli(), id, name, life).await }
    };
    for (name, days) in [("", 1), ("ok", 0), ("ok", 800)] {
        assert!(add(name, days).await.is_err(), "{name} {days}");
    }
    for _ in 0..4 {
        add("more", 1).await.expect("one more");
    }
    assert!(add("too many", 1).await.is_err());
    let public = house.client(ClientKind::Spa, |_| {}).await;
    let id = &public.client.client_id;
    assert!(administration.add_client_secret(&Actor::cli(), id, "none", None).await.is_err());
    let editor = Actor::named("admin:ed", Role::Editor);
    assert!(administration.revoke_client_secret(&editor, id, "first").await.is_err());
}

#[actix_web::test]
async fn what_clients_do_is_written_in_batches_and_added_up_across_replicas() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |client| client.require_pkce = false).await;
        let provider = &house.broker.broker.provider;
        let replica = house.replica().await;
        let id = &app.client.client_id;
        let administration = &house.broker.broker.administration;
        app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
        provider.keep_observations(Vec::new()).await.expect("kept");
        let seen = administration.observation(id).await.expect("it");
        assert_eq!(seen.token.map(|(_, grant)| grant), Some(GrantType::AuthorizationCode));
        let method = seen.authenticated.map(|(_, method)| method);
        assert_eq!(method, Some(TokenEndpointAuthMethod::ClientSecretBasic));
        assert_eq!(seen.uses_pkce(), Some(true));

        house.advance(Duration::from_secs(60));
        let bare =
            app.attempt("openid").with("code_challenge", "").with("code_challenge_method", "");
        app.sign_in(&mut house.browser(), &bare, "Ada Lovelace").await;
        let mut browser = house.browser();
        let apple = browser.open(&app.authorize_url(&app.attempt("openid"))).await;
        browser.press(&apple, "Cancel").await;
        provider.keep_observations(Vec::new()).await.expect("kept");
        replica.broker.provider.keep_observations(Vec::new()).await.expect("kept");
        let query = SignInQuery::default();
        let counted = administration.count_sign_ins(GroupedBy::Client, &query).await.expect("it");
        let of = |cause| counted.iter().find(|one| one.cause == cause).map(|one| one.number);
        assert_eq!((of(None), of(Some(Cause::Cancelled))), (Some(2), Some(1)), "{counted:?}");
        let elsewhere = SignInQuery {
            connection_id: Some(ConnectionId::new("nothing")),
            ..SignInQuery::default()
        };
        let none = administration.count_sign_ins(GroupedBy::Day, &elsewhere).await.expect("it");
        assert!(none.is_empty());

        house.http().get(format!("{}/jwks", house.issuer)).send().await.expect("an answer");
        let agents = |times| {
            let last_at = house.now();
            vec![russet::store::observations::Fetcher { agent: "An API".into(), times, last_at }]
        };
        provider.keep_observations(agents(2)).await.expect("kept");
        replica.broker.provider.keep_observations(agents(3)).await.expect("kept");
        let fetchers = administration.key_set_fetchers().await.expect("them");
        assert_eq!(fetchers.iter().find(|it| it.agent == "An API").expect("it").times, 5);
    });
}

#[actix_web::test]
async fn settings_that_few_need_are_saved_by_name_and_uris_are_judged_while_they_are_typed() {
    let house = House::new().await;
    admin(&house, "alice", Role::Admin).await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let (mut console, _) = signed_in(&house, "alice").await;
    let edit = format!("{}/admin/clients/{}/edit", house.issuer, app.client_id());
    let page = console.open(&edit).await;
    assert!(page.body.contains("How strict is it?") && page.body.contains("RFC 9126"));
    let mut fields = vec![
        ("client_name", app.client.client_name.as_str()),
        ("redirect_uris", app.client.redirect_uris[0].as_str()),
        ("grant_types", "authorization_code"),
        ("token_endpoint_auth_method", "client_secret_basic"),
        ("id_token_signed_response_alg", "RS256"),
        ("require_pkce", "true"),
        ("scope", "openid"),
        ("refresh_token_idle_ttl", "3600"),
        ("refresh_token_absolute_ttl", "7200"),
        ("settings", "shown"),
        ("require_pushed_authorization_requests", "true"),
        ("contacts", "a@a.example\r\n<b>@b.example"),
    ];
    let saved = send(&mut console, &page, "client-save", &fields).await;
    assert!(saved.body.contains("Saved."), "{}", saved.body);
    let administration = &house.broker.broker.administration;
    let client = administration.find_client(&app.client.client_id).await.expect("there");
    assert!(client.settings.require_pushed_authorization_requests);
    assert_eq!(client.settings.contacts.map(|contacts| contacts.len()), Some(2));
    let page = console.open(&edit).await;
    assert!(page.body.contains("&#60;b&#62;@b.example") && !page.body.contains("<b>@b.example"));
    fields.push(("logo_uri", "http://nowhere.example/logo"));
    let wrong = send(&mut console, &page, "client-save", &fields).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("is not an https URL"), "{}", wrong.body);

    let judged = async |kind: &str, uris: &str| {
        let url = format!("{}/admin/redirect-uris", house.issuer);
        let url = url::Url::parse_with_params(&url, [("kind", kind), ("uris", uris)]);
        let cookie = console.cookie("127.0.0.1", "russet_console").expect("a cookie");
        let request = house.http().get(url.expect("a URL"));
        let request = request.header("cookie", format!("russet_console={cookie}"));
        request.send().await.expect("an answer")
    };
    let answer = judged("web", "https://a.example/cb\njavascript:alert(1)").await;
    let answer = answer.text().await.expect("a body");
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(answer["problems"].as_array().expect("a list").len(), 1, "{answer}");
    let native = judged("native", "com.example.app:/callback").await;
    let native = native.text().await.expect("a body");
    let native: serde_json::Value = serde_json::from_str(&native).expect("JSON");
    assert_eq!(native, serde_json::json!({ "problems": [], "hints": [] }));
    assert_eq!(judged("nothing", "").await.status(), StatusCode::NOT_FOUND);
}
