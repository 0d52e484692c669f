//! The console's room for tokens of registration and issuers of workloads.

use russet::protocol::admin::Role;
use russet::protocol::api::AccessTokenFormat;
use russet::protocol::client::{ClientKind, GrantType};
use serde_json::json;

use crate::console::{admin, send, signed_in};
use crate::harness::House;
use crate::harness::app::answer;
use crate::harness::browser::{Browser, Page};

#[actix_web::test]
async fn a_token_is_shown_once_registers_a_client_and_is_removed() {
    let house = House::with(&[("REGISTRATION__MODE", "token")]).await;
    admin(&house, "alice", Role::Admin).await;
    let (mut browser, _) = signed_in(&house, "alice").await;
    let room = format!("{}/admin/trust", house.issuer);
    let page = browser.open(&room).await;
    assert!(page.body.contains("<h1>Trust</h1>"), "{}", page.body);
    for (name, uses, days, problem) in [
        ("", "1", "1", "token_name"),
        ("A suite", "none", "1", "token_uses"),
        ("A suite", "0", "1", "token_uses"),
        ("A suite", "1", "soon", "token_days"),
    ] {
        let fields = [("token_name", name), ("token_uses", uses), ("token_days", days)];
        let again = send(&mut browser, &page, "token-create", &fields).await;
        assert_eq!(again.status, 422, "{problem}");
        assert!(again.body.contains(&format!("href=\"#{problem}\"")), "{}", again.body);
    }
    let fields = [("token_name", "A <suite>"), ("token_uses", "1"), ("token_days", "1")];
    let shown = send(&mut browser, &page, "token-create", &fields).await;
    let (_, rest) = shown.body.split_once("id=\"initial_access_token\">").expect("the token");
    let token = rest.split('<').next().unwrap().to_owned();
    assert!(token.len() >= 43);
    let again = browser.open(shown.url.as_str()).await;
    assert!(!again.body.contains(&token), "shown once");
    assert!(again.body.contains("A &#60;suite&#62;"), "{}", again.body);

    let body = json!({ "redirect_uris": ["http://127.0.0.1:9/callback"] });
    let register = async |token: &str| {
        let request = house.http().post(format!("{}/register", house.issuer)).json(&body);
        answer(request.bearer_auth(token)).await.status
    };
    assert_eq!(register("nonsense").await, 401);
    assert_eq!(register(&token).await, 201);
    assert_eq!(register(&token).await, 401, "one use");
    let page = browser.open(&room).await;
    assert!(page.body.contains("0 more registrations"));
    let ask = asked(&mut browser, &page, "/trust/tokens/delete?").await;
    let form = ask.forms().into_iter().find(|form| form.text.contains("ask-confirm"));
    let gone = browser.submit(&ask, &form.expect("a form")).await;
    assert!(!gone.body.contains("suite") && gone.body.contains("Deleted."));
    assert_eq!(house.events("registration_token.deleted").await, 1);
}

/// Follows the link that begins so.
async fn asked(browser: &mut Browser, page: &Page, link: &str) -> Page {
    let (before, rest) = page.body.split_once(link).expect("a way to it");
    let start = before.rsplit_once('"').expect("its beginning").1;
    let end = rest.split_once('"').expect("its end").0;
    let url = page.url.join(&format!("{start}{link}{end}")).expect("an address");
    browser.open(url.as_str()).await
}

#[actix_web::test]
async fn an_issuer_is_trusted_under_conditions_and_no_more() {
    let house = House::new().await;
    let client = house
        .client(ClientKind::Machine, |client| client.grant_types = vec![GrantType::JwtBearer])
        .await;
    admin(&house, "alice", Role::Admin).await;
    let (mut browser, _) = signed_in(&house, "alice").await;
    let page = browser.open(&format!("{}/admin/trust", house.issuer)).await;
    let fields = |conditions: &'static str, life: &'static str| {
        [
            ("issuer", "https://ci.example"),
            ("audience", "https://id.example"),
            ("workload_client", client.client_id()),
            ("conditions", conditions),
            ("max_lifetime", life),
        ]
    };
    for (conditions, life, problem) in
        [("", "600", "conditions"), ("repository=acme/*", "long", "max_lifetime")]
    {
        let again = send(&mut browser, &page, "issuer-create", &fields(conditions, life)).await;
        assert_eq!(again.status, 422);
        assert!(again.body.contains(&format!("href=\"#{problem}\"")), "{}", again.body);
        assert!(again.body.contains("https://ci.example"), "what was typed is kept");
    }
    let saved = fields("repository=acme/*\nref=refs/heads/main", "600");
    let saved = send(&mut browser, &page, "issuer-create", &saved).await;
    assert!(saved.body.contains("repository=acme/*") && saved.body.contains("Saved."));
    let rules = house.store().find_trusted_issuers("https://ci.example").await.unwrap();
    assert_eq!((rules.len(), rules[0].conditions.len()), (1, 2));
    assert!(rules[0].single_use);
    let ask = asked(&mut browser, &saved, "/trust/issuers/delete?").await;
    let mut form = ask.forms().into_iter().find(|form| form.text.contains("ask-confirm"));
    let kept = browser.submit(&ask, form.as_ref().expect("a form")).await;
    assert_eq!(kept.status, 422, "its name was not typed");
    assert_eq!(house.store().find_trusted_issuers("https://ci.example").await.unwrap().len(), 1);
    form.as_mut().expect("a form").fill("confirm", "https://ci.example");
    browser.submit(&ask, &form.expect("a form")).await;
    assert!(house.store().find_trusted_issuers("https://ci.example").await.unwrap().is_empty());
}

#[actix_web::test]
async fn the_form_of_an_api_says_what_its_tokens_look_like() {
    let house = House::new().await;
    admin(&house, "alice", Role::Admin).await;
    let (mut browser, _) = signed_in(&house, "alice").await;
    let page = browser.open(&format!("{}/admin/apis/new", house.issuer)).await;
    let fields = [
        ("identifier", "https://orders.example"),
        ("name", "Orders"),
        ("scopes", "orders:read"),
        ("access_token_ttl", "300"),
        ("signing_alg", "ES256"),
        ("access_token_format", "opaque"),
    ];
    send(&mut browser, &page, "api-save", &fields).await;
    let api = house.store().find_api("https://orders.example").await.unwrap().unwrap();
    assert_eq!(api.settings.access_token_format, AccessTokenFormat::Opaque);
    assert!(!api.settings.self_registered_clients);
}
