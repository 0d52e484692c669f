//! Trying a client from the console, and what somebody's tokens would hold: `/admin/clients/…/try`.

use reqwest::StatusCode;
use russet::protocol::admin::Role;
use russet::protocol::client::ClientKind;
use russet::protocol::jose::Algorithm;
use russet::store::living::Of;

use crate::console::{admin, send, signed_in};
use crate::device::PACE;
use crate::harness::House;
use crate::harness::browser::{Browser, Page};

/// Opens the page of a trial and begins it.
async fn begin(house: &House, console: &mut Browser, id: &str, fields: &[(&str, &str)]) -> Page {
    let page = console.open(&format!("{}/admin/clients/{id}/try", house.issuer)).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    send(console, &page, "try-begin", fields).await
}

async fn grants_alive(house: &House) -> u64 {
    let administration = &house.broker.broker.administration;
    administration.count_living(&Of::Everybody).await.expect("a count").grants
}

const ALL: [(&str, &str); 4] =
    [("scope", "openid"), ("scope", "profile"), ("scope", "email"), ("scope", "offline_access")];

#[actix_web::test]
async fn a_client_is_tried_by_a_real_sign_in_whose_tokens_are_checked_and_taken_back() {
    let house = House::new().await;
    let api = house.api("https://api.example.com", Algorithm::Es256, &["read"]).await;
    for (kind, alg) in [(ClientKind::Web, Algorithm::Es256), (ClientKind::Spa, Algorithm::Rs256)] {
        let app = house
            .client(kind, |client| {
                client.id_token_signed_response_alg = alg;
                client.resources = vec![api.identifier.clone()];
            })
            .await;
        let name = kind.as_str();
        admin(&house, name, Role::Admin).await;
        let (mut console, _) = signed_in(&house, name).await;
        let mut fields = ALL.to_vec();
        fields.extend([("scope", "read"), ("resource", "https://api.example.com")]);
        let apple = begin(&house, &mut console, app.client_id(), &fields).await;
        let end = console.press(&apple, "Continue as Ada Lovelace").await;
        assert_eq!(end.url.path(), "/admin/try", "{}", end.body);
        assert!(end.body.contains("<h1>It works</h1>"), "{}", end.body);
        assert!(!end.body.contains("fails</span>") && end.body.contains("a refresh token too"));
        for shown in
            ["at_hash", "RFC 9207", "Ada Lovelace", "https://api.example.com", alg.as_str()]
        {
            assert!(end.body.contains(shown), "{shown}: {}", end.body);
        }
        assert_eq!(grants_alive(&house).await, 0, "what it was given is taken back");
        let again = console.open(end.url.as_str()).await;
        assert_eq!(again.status, StatusCode::NOT_FOUND, "once");
        assert!(again.body.contains("There is no such trial"));
        let administration = &house.broker.broker.administration;
        let client = administration.find_client(&app.client.client_id).await.expect("there");
        assert_eq!(client.redirect_uris, app.client.redirect_uris, "registered nowhere");
    }
    assert_eq!(house.events("client.tried").await, 2);
}

#[actix_web::test]
async fn an_answer_is_worth_nothing_in_another_session_and_the_redirect_uri_nothing_to_anybody() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    admin(&house, "alice", Role::Admin).await;
    admin(&house, "bob", Role::Admin).await;
    let (mut browser, page) = signed_in(&house, "alice").await;
    let apple = begin(&house, &mut browser, app.client_id(), &ALL).await;
    send(&mut browser, &page, "sign-out", &[]).await;
    let login = browser.open(&format!("{}/admin/login", house.issuer)).await;
    let fields = [("username", "bob"), ("password", "correct horse battery")];
    send(&mut browser, &login, "login-submit", &fields).await;
    let end = browser.press(&apple, "Continue as Ada Lovelace").await;
    assert_eq!(end.status, StatusCode::NOT_FOUND, "{}", end.body);
    assert!(end.body.contains("There is no such trial"));
    assert_eq!((house.events("client.tried").await, grants_alive(&house).await), (0, 0));

    let uri = format!("{}/admin/try", house.issuer);
    let attempt = app.attempt("openid").with("redirect_uri", &uri);
    let refused = browser.open(&app.authorize_url(&attempt)).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body.contains("redirect_uri is not registered"), "{}", refused.body);
}

#[actix_web::test]
async fn what_an_app_would_be_refused_is_told_as_the_app_would_hear_it() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    admin(&house, "alice", Role::Admin).await;
    let (mut console, _) = signed_in(&house, "alice").await;
    let unknown = [("scope", "openid"), ("resource", "https://nowhere.example")];
    let refused = begin(&house, &mut console, app.client_id(), &unknown).await;
    assert!(refused.body.contains("invalid_target"), "{}", refused.body);
    let apple = begin(&house, &mut console, app.client_id(), &ALL).await;
    let end = console.press(&apple, "Cancel").await;
    assert_eq!(end.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", end.body);
    assert!(end.body.contains("access_denied"), "{}", end.body);
    assert_eq!(house.events("client.tried").await, 0);
}

#[actix_web::test]
async fn a_service_is_tried_without_its_secret_and_its_token_is_revoked() {
    let house = House::new().await;
    let api = house.api("https://api.example.com", Algorithm::Rs256, &["read"]).await;
    let app = house
        .client(ClientKind::Machine, |client| {
            client.resources = vec![api.identifier.clone()];
            client.default_resource = Some(api.identifier.clone());
        })
        .await;
    admin(&house, "alice", Role::Admin).await;
    let (mut console, _) = signed_in(&house, "alice").await;
    let end = begin(&house, &mut console, app.client_id(), &[("scope", "read")]).await;
    assert!(end.body.contains("<h1>It works</h1>"), "{}", end.body);
    assert!(end.body.contains("&#34;scope&#34;: &#34;read&#34;"), "{}", end.body);
    let (_, rest) = end.body.split_once("&#34;jti&#34;: &#34;").expect("a jti");
    let jti = rest.split_once("&#34;").expect("its end").0;
    assert!(house.store().is_jti_revoked(jti).await.expect("an answer"));
}

#[actix_web::test]
async fn a_preview_shows_what_real_tokens_would_hold_and_leaves_no_trace() {
    let house = House::new().await;
    let rule = serde_json::json!([{ "claim": "plan", "value": "<b>pro</b>", "to": ["id_token"] }]);
    let app = house
        .client(ClientKind::Web, |client| {
            client.settings.claims = serde_json::from_value(rule).expect("rules");
        })
        .await;
    let answer = app.tokens(&mut house.browser(), "openid profile", "Ada Lovelace").await;
    let before = grants_alive(&house).await;
    admin(&house, "vera", Role::Viewer).await;
    let (mut console, _) = signed_in(&house, "vera").await;
    let base = format!("{}/admin/clients/{}/preview", house.issuer, app.client_id());
    let people = console.open(&format!("{base}?q=love")).await;
    let (_, rest) = people.body.split_once("person=").expect("a person");
    let id = rest.split_once('"').expect("its end").0;
    let preview = console.open(&format!("{base}?person={id}")).await;
    let sub = russet::protocol::relying_party::Decoded::of(answer.text("id_token"));
    let sub = sub.claims["sub"].as_str().expect("a sub").to_owned();
    assert!(preview.body.contains(&sub), "{}", preview.body);
    assert!(preview.body.contains("Ada Lovelace"));
    assert!(preview.body.contains("&#60;b&#62;pro") && !preview.body.contains("<b>pro"));
    let less = console.open(&format!("{base}?person={id}&chosen=true")).await;
    assert!(!less.body.contains("id=\"id-token\"") && less.body.contains("id=\"access-token\""));
    let wrong = format!("{base}?person={id}&chosen=true&resource=https://nowhere.example");
    assert!(console.open(&wrong).await.body.contains("invalid_target"));
    assert_eq!(grants_alive(&house).await, before);
    let nobody = console.open(&format!("{base}?person=nobody")).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn every_answer_to_what_is_being_built_leads_to_values_and_programs() {
    let house = House::new().await;
    admin(&house, "alice", Role::Admin).await;
    admin(&house, "vera", Role::Viewer).await;
    let (mut console, _) = signed_in(&house, "alice").await;
    let kinds = console.open(&format!("{}/admin/clients/new", house.issuer)).await;
    assert!(kinds.body.contains("/admin/apis/new"), "an API is registered as such");
    let mut values = Vec::new();
    for (kind, uri, program) in [
        ("native", "com.example.app:/callback", "AuthenticationServices"),
        ("web", "https://app.example/cb", "Microsoft.AspNetCore"),
        ("spa", "https://app.example/cb", "oidc-client-ts"),
        ("machine", "", "oauth2"),
        ("device", "", "Requests"),
        ("mcp", "http://127.0.0.1/callback", "@modelcontextprotocol/sdk"),
    ] {
        let form = console.open(&format!("{}/admin/clients/new/{kind}", house.issuer)).await;
        let mut fields = vec![("client_name", kind)];
        fields.extend((!uri.is_empty()).then_some(("redirect_uris", uri)));
        let page = send(&mut console, &form, "client-create", &fields).await;
        assert_eq!(page.status, StatusCode::OK, "{kind}: {}", page.body);
        assert!(page.body.contains(program) && page.body.contains("OIDC_CLIENT_ID="), "{kind}");
        let secret = page.body.contains("id=\"client_secret\"");
        assert_eq!(secret, ["web", "machine"].contains(&kind), "{kind}");
        values.push((kind, page));
    }
    let (_, web) = values.iter().find(|(kind, _)| *kind == "web").expect("it");
    let (_, rest) = web.body.split_once("id=\"client_secret\">").expect("a secret");
    let secret = rest.split_once('<').expect("its end").0.to_owned();
    let (_, rest) = web.body.split_once("id=\"client_id\">").expect("an id");
    let id = rest.split_once('<').expect("its end").0;
    let (mut viewer, _) = signed_in(&house, "vera").await;
    let later = viewer.open(&format!("{}/admin/clients/{id}/quickstart", house.issuer)).await;
    assert!(later.body.contains("go-oidc") && !later.body.contains(&secret));
    assert!(!later.body.contains("client-try"), "a viewer tries nothing");
}

/// Asks for the tokens as the device would.
async fn ask(console: &mut Browser, page: &Page) -> Page {
    let form = page.filled_form("try-device-ask");
    console.submit(page, &form).await
}

#[actix_web::test]
async fn a_device_is_tried_by_a_code_that_somebody_confirms_and_only_in_that_session() {
    let house = House::new().await;
    let app = house.client(ClientKind::Device, |_| {}).await;
    admin(&house, "alice", Role::Admin).await;
    let (mut console, _) = signed_in(&house, "alice").await;
    let waits = begin(&house, &mut console, app.client_id(), &ALL).await;
    assert!(waits.url.path().ends_with("/try/device"), "{}", waits.body);
    let (_, rest) = waits.body.split_once("id=\"user_code\">").expect("a code");
    let code = rest.split('<').next().expect("its end").to_owned();
    house.advance(PACE);
    let pending = ask(&mut console, &waits).await;
    assert!(pending.body.contains("authorization_pending"), "{}", pending.body);
    let hurried = ask(&mut console, &pending).await;
    assert!(hurried.body.contains("slow_down"), "{}", hurried.body);

    admin(&house, "bob", Role::Admin).await;
    let (mut other, _) = signed_in(&house, "bob").await;
    let stolen = other.open(waits.url.as_str()).await;
    assert_eq!(stolen.status, StatusCode::NOT_FOUND, "another session has no such trial");

    let mut phone = house.browser();
    let page = phone.open(&format!("{}/device?user_code={code}", house.issuer)).await;
    let apple = phone.press(&page, "Continue").await;
    let question = phone.press(&apple, "Continue as Ada Lovelace").await;
    let connected = phone.press(&question, "device-allow").await;
    assert!(connected.url.path().ends_with("/device/done"), "{}", connected.body);
    let answered = console.open(waits.url.as_str()).await;
    assert!(answered.body.contains("The person has answered."), "{}", answered.body);
    house.advance(PACE * 4);
    let end = ask(&mut console, &answered).await;
    assert!(end.body.contains("<h1>It works</h1>"), "{}", end.body);
    assert!(end.body.contains("Ada Lovelace") && end.body.contains("a refresh token too"));
    assert_eq!(grants_alive(&house).await, 0, "what it was given is taken back");
    let again = console.open(waits.url.as_str()).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND, "once");
    assert_eq!(house.events("client.tried").await, 1);
}
