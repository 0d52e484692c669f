//! What a script starts an app with: programs, values, and how the sign-in page will look.

use reqwest::{Method, StatusCode};
use russet::protocol::api_key::ApiScope;
use russet::protocol::client::ClientKind;
use russet::protocol::jose::Algorithm;
use serde_json::json;

use crate::admin_api::{ask, key};
use crate::harness::House;

#[actix_web::test]
async fn every_kind_of_client_has_programs_and_values_and_never_a_secret() {
    let house = House::new().await;
    let key = key(&house, &[ApiScope::ReadClients, ApiScope::WriteClients]).await;
    for (kind, uri, library) in [
        ("native", Some("com.example.app:/callback"), "AuthenticationServices"),
        ("web", Some("https://app.example/cb"), "Microsoft.AspNetCore OpenIdConnect"),
        ("spa", Some("https://app.example/cb"), "oidc-client-ts"),
        ("machine", None, "oauth2"),
        ("device", None, "Requests"),
        ("mcp", Some("http://127.0.0.1/callback"), "@modelcontextprotocol/sdk"),
    ] {
        let mut new = json!({ "kind": kind, "client_name": kind });
        if let Some(uri) = uri {
            new["redirect_uris"] = json!([uri]);
        }
        let made = ask(&house, &key, Method::POST, "/clients", Some(new)).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.json);
        let id = made.text("client_id");
        let path = format!("/clients/{id}/quickstarts");
        let told = ask(&house, &key, Method::GET, &path, None).await;
        assert_eq!(told.status, StatusCode::OK, "{}", told.json);
        let programs = told.json["programs"].as_array().expect("programs");
        assert!(programs.iter().any(|one| one["library"] == library), "{kind}: {}", told.json);
        let text = told.json.to_string();
        assert!(text.contains(id) && !text.contains("{{"), "{kind}");
        let environment = &told.json["environment"];
        assert_eq!(environment["OIDC_ISSUER"], house.issuer.as_str());
        assert_eq!(environment["OIDC_CLIENT_ID"], id);
        assert_eq!(environment["OIDC_REDIRECT_URI"].as_str(), uri, "{kind}");
        assert!(told.text("env").contains(&format!("OIDC_CLIENT_ID={id}")));
        let secret = made.json.get("client_secret").and_then(|secret| secret.as_str());
        assert_eq!(told.json["needs_client_secret"], secret.is_some(), "{kind}");
        assert!(environment.get("OIDC_CLIENT_SECRET").is_none());
        assert!(!secret.is_some_and(|secret| text.contains(secret)), "{kind}");
    }
    let bare = json!({ "kind": "native", "client_name": "n", "apple_bundle_ids": ["com.e.a"] });
    let bare = ask(&house, &key, Method::POST, "/clients", Some(bare)).await;
    let path = format!("/clients/{}/quickstarts", bare.text("client_id"));
    let told = ask(&house, &key, Method::GET, &path, None).await;
    assert_eq!(told.json["needs_redirect_uri"], true, "{}", told.json);
    let nobody = ask(&house, &key, Method::GET, "/clients/nobody/quickstarts", None).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn programs_of_an_api_check_its_tokens() {
    let house = House::new().await;
    house.api("https://api.example.com", Algorithm::Es256, &["read"]).await;
    let key = key(&house, &[ApiScope::ReadApis]).await;
    let path = "/quickstarts?api=https://api.example.com";
    let told = ask(&house, &key, Method::GET, path, None).await;
    let programs = told.json["programs"].as_array().expect("programs");
    for program in programs {
        let code = program["code"].as_str().expect("a program");
        assert!(code.contains("https://api.example.com") && code.contains("ES256"), "{code}");
    }
    assert!(programs.len() > 3, "{}", told.json);
    let unsaid = ask(&house, &key, Method::GET, "/quickstarts", None).await;
    assert_eq!(unsaid.status, StatusCode::UNPROCESSABLE_ENTITY);
    let nothing = ask(&house, &key, Method::GET, "/quickstarts?api=x", None).await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn a_look_is_seen_before_it_is_changed_and_nothing_changes() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let key = key(&house, &[ApiScope::WriteSettings, ApiScope::WriteClients]).await;
    let own = format!("/clients/{}/branding/preview", app.client_id());
    for path in ["/branding/preview", own.as_str()] {
        let post = |body| ask(&house, &key, Method::POST, path, Some(body));
        let seen = post(json!({ "accent_color": "#1b4f9c" })).await;
        assert_eq!(seen.status, StatusCode::OK, "{}", seen.json);
        assert_eq!(seen.headers["content-type"], "application/json");
        let html = seen.text("html");
        assert!(html.starts_with("<!doctype html>"), "{html}");
        assert!(html.contains(&format!("{}/brand/1b4f9c-x-x-x.css", house.issuer)), "{html}");
        assert!(html.contains("Apple"), "{html}");
        let [contrast] = &seen.json["contrasts"].as_array().expect("a list")[..] else {
            panic!("{}", seen.json)
        };
        assert_eq!(
            (&contrast["field"], &contrast["needed"]),
            (&json!("accent_color"), &json!(4.5))
        );
        assert!(contrast["ratio"].as_f64().is_some_and(|ratio| ratio >= 4.5), "{contrast}");

        let pale = post(json!({ "accent_color": "#ff9900" })).await;
        assert_eq!(pale.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(pale.json["errors"][0]["field"], "accent_color");
        let why = pale.json["errors"][0]["detail"].as_str().expect("why");
        assert!(why.contains("contrast") && why.contains("the nearest is #"), "{why}");
        for wrong in [json!({ "accent_color": "red" }), json!({ "colour": "#1b4f9c" })] {
            assert_eq!(post(wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
    }
    let named = json!({ "name": "<script>alert(1)</script>", "default_locale": "de" });
    let seen = ask(&house, &key, Method::POST, "/branding/preview", Some(named.clone())).await;
    let html = seen.text("html");
    assert!(html.contains("<html lang=\"de\"") && !html.contains("<script>alert"), "{html}");
    let refused = ask(&house, &key, Method::POST, &own, Some(named)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "of a client: colours alone");
    let provider = &house.broker.broker.provider;
    assert_eq!(*provider.branding(), russet::protocol::branding::Branding::default());
    let nobody = "/clients/nobody/branding/preview";
    let nobody = ask(&house, &key, Method::POST, nobody, Some(json!({}))).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
}
