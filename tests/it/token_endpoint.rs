//! The token endpoint and its neighbours: RFC 6749 §5, RFC 7009, RFC 7662, conformance C.6, C.7.

use std::time::Duration;

use futures_util::future::join_all;
use russet::protocol::client::ClientKind;
use russet::protocol::jose::Algorithm;

use crate::harness::app::{answer, claims};
use crate::harness::{Engine, House};
use crate::on_each_engine;

const API: &str = "https://api.example";

#[tokio::test]
async fn c6_53_a_code_is_bound_to_client_redirect_uri_and_verifier() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let other = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    for (defect, expected) in [
        ("none", "200 -"),
        ("client", "400 invalid_grant"),
        ("redirect_uri", "400 invalid_grant"),
        ("no redirect_uri", "400 invalid_grant"),
        ("verifier", "400 invalid_grant"),
        ("no verifier", "400 invalid_grant"),
        ("expired", "400 invalid_grant"),
        ("mutated", "400 invalid_grant"),
    ] {
        let attempt = app.attempt("openid");
        let end = app.sign_in(&mut browser, &attempt, "Ada Lovelace").await;
        let mut code = end.query("code").unwrap();
        if defect == "mutated" {
            code.push('A');
        }
        let mut form = vec![("grant_type", "authorization_code"), ("code", code.as_str())];
        match defect {
            "redirect_uri" => form.push(("redirect_uri", "http://127.0.0.1:9/other")),
            "no redirect_uri" => {}
            _ => form.push(("redirect_uri", "http://127.0.0.1:9/callback")),
        }
        let wrong = "w".repeat(43);
        match defect {
            "verifier" => form.push(("code_verifier", &wrong)),
            "no verifier" => {}
            _ => form.push(("code_verifier", &attempt.verifier)),
        }
        if defect == "expired" {
            house.advance(Duration::from_secs(60));
        }
        let client = if defect == "client" { &other } else { &app };
        assert_eq!(client.token(&form).await.error(), expected, "{defect}");
        if defect != "none" {
            // Whoever presented it wrongly, it is burnt.
            let again = app.redeem(&attempt, &code).await;
            assert_eq!(again.error(), "400 invalid_grant", "{defect}, again");
        }
    }
}

#[tokio::test]
async fn c6_52_a_code_used_twice_ends_what_it_gave() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let attempt = app.attempt("openid offline_access");
        let end = app.sign_in(&mut house.browser(), &attempt, "Ada Lovelace").await;
        let code = end.query("code").unwrap();
        let tokens = app.redeem(&attempt, &code).await;
        let access = tokens.text("access_token");
        assert_eq!(app.userinfo(access).await.status, 200);
        house.advance(Duration::from_secs(30));
        assert_eq!(app.redeem(&attempt, &code).await.error(), "400 invalid_grant");
        assert_eq!(app.userinfo(access).await.error(), "401 invalid_token");
        assert_eq!(app.introspect(access).await.json, serde_json::json!({ "active": false }));
        let refresh = app.refresh(tokens.text("refresh_token")).await;
        assert_eq!(refresh.error(), "400 invalid_grant");
        assert_eq!(house.events("authorization_code.reused").await, 1);
    });
}

#[tokio::test]
async fn of_sixteen_redemptions_at_once_one_succeeds() {
    on_each_engine!(house, {
        let second = house.replica().await;
        let bases = [house.issuer.clone(), format!("http://{}", second.address())];
        let app = house.client(ClientKind::Web, |_| {}).await;
        for _ in 0..3 {
            let attempt = app.attempt("openid offline_access");
            let end = app.sign_in(&mut house.browser(), &attempt, "Ada Lovelace").await;
            let code = end.query("code").unwrap();
            let form = [
                ("grant_type", "authorization_code"),
                ("code", code.as_str()),
                ("redirect_uri", "http://127.0.0.1:9/callback"),
                ("code_verifier", attempt.verifier.as_str()),
            ];
            let all = (0..16).map(|i| app.post_at(&bases[i % 2], "/token", &form));
            let answers = join_all(all).await;
            let good = answers.iter().filter(|answer| answer.status == 200).count();
            assert_eq!(good, 1);
            assert!(answers.iter().all(|a| a.status == 200 || a.error() == "400 invalid_grant"));
        }
        second.stop().await;
    });
}

#[tokio::test]
async fn of_sixteen_refreshes_at_once_one_branch_lives() {
    on_each_engine!(house, {
        let second = house.replica().await;
        let bases = [house.issuer.clone(), format!("http://{}", second.address())];
        let app = house.client(ClientKind::Web, |_| {}).await;
        let tokens =
            app.tokens(&mut house.browser(), "openid offline_access", "Ada Lovelace").await;
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", tokens.text("refresh_token"))];
        let all = (0..16).map(|i| app.post_at(&bases[i % 2], "/token", &form));
        let answers = join_all(all).await;
        let successors: Vec<String> = answers
            .iter()
            .filter(|answer| answer.status == 200)
            .map(|answer| answer.text("refresh_token").to_owned())
            .collect();
        assert!(!successors.is_empty());
        assert!(answers.iter().all(|a| a.status == 200 || a.error() == "400 invalid_grant"));
        let forms: Vec<_> = successors
            .iter()
            .map(|token| [("grant_type", "refresh_token"), ("refresh_token", token.as_str())])
            .collect();
        let all =
            forms.iter().enumerate().map(|(i, form)| app.post_at(&bases[i % 2], "/token", form));
        let live = join_all(all).await.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(live, 1, "of {} successors", successors.len());
        second.stop().await;
    });
}

#[tokio::test]
async fn a_lost_answer_signs_nobody_out_and_a_copy_is_noticed() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Spa, |_| {}).await;
        let tokens =
            app.tokens(&mut house.browser(), "openid offline_access", "Ada Lovelace").await;
        let first = tokens.text("refresh_token").to_owned();
        let lost = app.refresh(&first).await;
        let second = app.refresh(&first).await;
        assert_eq!(second.status, 200, "its answer was lost");
        assert_ne!(lost.text("refresh_token"), second.text("refresh_token"));
        let third = app.refresh(second.text("refresh_token")).await;
        assert_eq!(third.status, 200);
        let access = third.text("access_token");
        assert_eq!(app.userinfo(access).await.status, 200);

        assert_eq!(app.refresh(&first).await.error(), "400 invalid_grant");
        assert_eq!(house.events("refresh_token.reused").await, 1);
        assert_eq!(app.refresh(third.text("refresh_token")).await.error(), "400 invalid_grant");
        assert_eq!(app.userinfo(access).await.error(), "401 invalid_token");
    });
}

#[tokio::test]
async fn c7_60_a_refreshed_id_token_says_the_same_of_the_same_sign_in() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let tokens = app.tokens(&mut house.browser(), "openid offline_access", "Ada Lovelace").await;
    house.advance(Duration::from_secs(100));
    let refreshed = app.refresh(tokens.text("refresh_token")).await;
    assert_eq!(refreshed.headers["cache-control"], "no-store");
    let (before, after) = (claims(tokens.text("id_token")), claims(refreshed.text("id_token")));
    for claim in ["iss", "sub", "aud", "auth_time", "sid"] {
        assert_eq!(before[claim], after[claim], "{claim}");
    }
    assert!(after["iat"].as_i64() > before["iat"].as_i64());
    assert!(after.get("nonce").is_none());
}

#[tokio::test]
async fn c7_61_a_refresh_never_widens_and_never_serves_another_client() {
    let house = House::new().await;
    house.api(API, Algorithm::Es256, &["orders:read"]).await;
    let app = house
        .client(ClientKind::Web, |client| {
            client.resources = vec![API.to_owned()];
            client.default_resource = Some(API.to_owned());
        })
        .await;
    let other = house.client(ClientKind::Web, |_| {}).await;
    let scope = "openid email orders:read offline_access";
    let tokens = app.tokens(&mut house.browser(), scope, "Ada Lovelace").await;
    let token = tokens.text("refresh_token");
    assert_eq!(other.refresh(token).await.error(), "400 invalid_grant");
    for (name, value, expected) in [
        ("scope", "openid profile", "400 invalid_scope"),
        ("resource", "https://other.example", "400 invalid_target"),
        ("scope", "openid", "200 -"),
        ("resource", API, "200 -"),
    ] {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token), (name, value)];
        let answer = app.token(&form).await;
        assert_eq!(answer.error(), expected, "{name}={value}");
        if value == "openid" {
            assert_eq!(claims(answer.text("access_token"))["scope"], "openid");
        }
    }
}

#[tokio::test]
async fn refresh_tokens_have_an_idle_and_an_absolute_end() {
    let house = House::new().await;
    let app = house
        .client(ClientKind::Web, |client| {
            client.refresh_token_idle_ttl = 100;
            client.refresh_token_absolute_ttl = 250;
        })
        .await;
    let tokens = app.tokens(&mut house.browser(), "openid offline_access", "Ada Lovelace").await;
    let mut token = tokens.text("refresh_token").to_owned();
    for _ in 0..3 {
        house.advance(Duration::from_secs(80));
        let answer = app.refresh(&token).await;
        assert_eq!(answer.status, 200);
        token = answer.text("refresh_token").to_owned();
    }
    house.advance(Duration::from_secs(10));
    assert_eq!(app.refresh(&token).await.error(), "400 invalid_grant", "absolute");

    let tokens = app.tokens(&mut house.browser(), "openid offline_access", "Ada Lovelace").await;
    house.advance(Duration::from_secs(100));
    let idle = app.refresh(tokens.text("refresh_token")).await;
    assert_eq!(idle.error(), "400 invalid_grant", "idle");
}

#[tokio::test]
async fn a_machine_gets_a_token_for_its_api_and_nothing_is_written() {
    on_each_engine!(house, {
        for alg in Algorithm::ALL {
            let api = format!("{API}/{alg}");
            house.api(&api, alg, &["orders:read"]).await;
            let machine = house
                .client(ClientKind::Machine, |client| client.resources = vec![api.clone()])
                .await;
            let form = [
                ("grant_type", "client_credentials"),
                ("resource", api.as_str()),
                ("scope", "orders:read"),
            ];
            let answer = machine.token(&form).await;
            assert_eq!(answer.status, 200, "{}", answer.json);
            assert!(answer.json.get("refresh_token").is_none());
            let access = claims(answer.text("access_token"));
            assert_eq!(access["aud"], api.as_str());
            assert_eq!(access["sub"], machine.client_id());
            assert_eq!(access["scope"], "orders:read");
            assert_eq!(machine.introspect(answer.text("access_token")).await.json["active"], true);
        }
    });
}

#[tokio::test]
async fn c6_51_each_bad_token_request_has_its_error() {
    let house = House::new().await;
    house.api(API, Algorithm::Es256, &["orders:read"]).await;
    let machine =
        house.client(ClientKind::Machine, |client| client.resources = vec![API.to_owned()]).await;
    let web = house.client(ClientKind::Web, |_| {}).await;
    for (form, expected) in [
        (vec![], "400 invalid_request"),
        (vec![("grant_type", "password")], "400 unsupported_grant_type"),
        (vec![("grant_type", "authorization_code")], "400 unauthorized_client"),
        (vec![("grant_type", "client_credentials"), ("scope", "openid")], "400 invalid_scope"),
        (vec![("grant_type", "client_credentials"), ("scope", "nope")], "400 invalid_scope"),
        (
            vec![("grant_type", "client_credentials"), ("resource", "https://x.example")],
            "400 invalid_target",
        ),
        (
            vec![("grant_type", "client_credentials"), ("grant_type", "client_credentials")],
            "400 invalid_request",
        ),
        (vec![("grant_type", "client_credentials"), ("client_secret", "x")], "400 invalid_request"),
        (vec![("grant_type", "client_credentials"), ("client_id", "x")], "400 invalid_request"),
    ] {
        assert_eq!(machine.token(&form).await.error(), expected, "{form:?}");
    }
    for (form, expected) in [
        (vec![("grant_type", "authorization_code")], "400 invalid_request"),
        (vec![("grant_type", "refresh_token")], "400 invalid_request"),
        (vec![("grant_type", "refresh_token"), ("refresh_token", "x")], "400 invalid_grant"),
        (vec![("grant_type", "client_credentials")], "400 unauthorized_client"),
    ] {
        assert_eq!(web.token(&form).await.error(), expected, "{form:?}");
    }
}

#[tokio::test]
async fn c6_56_a_client_that_proves_nothing_learns_nothing() {
    let house = House::new().await;
    let web = house.client(ClientKind::Web, |_| {}).await;
    let token = format!("{}/token", house.issuer);
    let form = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    let wrong =
        answer(house.http().post(&token).basic_auth(web.client_id(), Some("wrong")).form(&form))
            .await;
    let unknown =
        answer(house.http().post(&token).basic_auth("nobody", Some("wrong")).form(&form)).await;
    assert_eq!(wrong.error(), "401 invalid_client");
    assert_eq!(wrong.json, unknown.json, "a wrong secret and an unknown client look alike");
    assert!(wrong.headers["www-authenticate"].to_str().unwrap().starts_with("Basic"));

    let nothing = answer(house.http().post(&token).form(&form)).await;
    assert_eq!(nothing.error(), "401 invalid_client");
    assert!(!nothing.headers.contains_key("www-authenticate"), "nobody tried Basic");
    let public =
        answer(house.http().post(&token).form(&[form[0], form[1], ("client_id", web.client_id())]))
            .await;
    assert_eq!(public.error(), "401 invalid_client", "a confidential client without secret");
    let json = answer(house.http().post(&token).json(&form)).await;
    assert_eq!(json.error(), "400 invalid_request", "JSON is not a form");
    assert_eq!(house.http().get(&token).send().await.unwrap().status(), 405);
    let flood = house.http().post(&token).form(&[("grant_type", "x".repeat(70_000))]);
    assert_eq!(answer(flood).await.error(), "413 invalid_request");
    let form = [("grant_type", "x".repeat(70_000))];
    let flood = house.http().post(format!("{}/admin/login", house.issuer)).form(&form);
    let page = flood.send().await.unwrap();
    assert_eq!(page.status(), 413);
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
}

#[tokio::test]
async fn head_is_get_without_its_body() {
    let house = House::new().await;
    for path in ["/.well-known/openid-configuration", "/jwks", "/healthz", "/readyz", "/account"] {
        let address = format!("{}{path}", house.issuer);
        let get = house.http().get(&address).send().await.unwrap();
        let head = house.http().head(&address).send().await.unwrap();
        assert_eq!(head.status(), get.status(), "{path}");
        let length = |answer: &reqwest::Response| answer.headers().get("content-length").cloned();
        assert_eq!(length(&head), length(&get), "{path}");
        assert_eq!(head.text().await.unwrap(), "", "{path}");
    }
    let refused = house.http().head(format!("{}/token", house.issuer)).send().await.unwrap();
    assert_eq!(refused.status(), 405);
}

#[tokio::test]
async fn a_disabled_client_and_a_disabled_person_are_shut_out() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let attempt = app.attempt("openid offline_access");
        let end = app.sign_in(&mut house.browser(), &attempt, "Ada Lovelace").await;
        let code = end.query("code").unwrap();
        let sessions = house.browser();
        drop(sessions);
        let now = house.now();
        let tokens =
            app.tokens(&mut house.browser(), "openid offline_access", "Ada Lovelace").await;
        let sub = claims(tokens.text("id_token"))["sub"].as_str().unwrap().to_owned();
        let mut user = house.store().find_user_by_sub(&sub).await.unwrap().unwrap();
        user.disabled_at = Some(now);
        house
            .store()
            .write(move |tx| Box::pin(async move { tx.update_user(&user).await }))
            .await
            .unwrap();
        assert_eq!(app.redeem(&attempt, &code).await.error(), "400 invalid_grant");
        assert_eq!(app.userinfo(tokens.text("access_token")).await.error(), "401 invalid_token");

        let mut client = app.client.clone();
        client.disabled_at = Some(now);
        house
            .store()
            .write(move |tx| Box::pin(async move { tx.update_client(&client).await }))
            .await
            .unwrap();
        house.broker.broker.provider.forget_client(&app.client.client_id).await;
        let refused = app.refresh(tokens.text("refresh_token")).await;
        assert_eq!(refused.error(), "401 invalid_client");
    });
}

#[tokio::test]
async fn revocation_ends_a_grant_or_one_token_and_never_another_clients() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let other = house.client(ClientKind::Web, |_| {}).await;
        let tokens =
            app.tokens(&mut house.browser(), "openid offline_access", "Ada Lovelace").await;
        let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
        for token in [access, refresh, "garbage"] {
            let answer = other.revoke(token).await;
            assert_eq!(answer.status, 200);
            assert!(answer.headers.get("content-type").is_none());
        }
        assert_eq!(app.userinfo(access).await.status, 200, "another client revokes nothing");

        app.revoke(access).await;
        assert_eq!(app.userinfo(access).await.error(), "401 invalid_token");
        let renewed = app.refresh(refresh).await;
        assert_eq!(renewed.status, 200, "one access token, not the grant");
        app.revoke(renewed.text("refresh_token")).await;
        let dead = app.userinfo(renewed.text("access_token")).await;
        assert_eq!(dead.error(), "401 invalid_token");
        let refused = app.refresh(renewed.text("refresh_token")).await;
        assert_eq!(refused.error(), "400 invalid_grant");
    });
}

#[tokio::test]
async fn introspection_answers_for_its_own_tokens_only() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let other = house.client(ClientKind::Web, |_| {}).await;
    let spa = house.client(ClientKind::Spa, |_| {}).await;
    let tokens = app.tokens(&mut house.browser(), "openid offline_access", "Ada Lovelace").await;
    for token in [tokens.text("access_token"), tokens.text("refresh_token")] {
        let own = app.introspect(token).await;
        assert_eq!(own.json["active"], true);
        assert_eq!(own.json["client_id"], app.client_id());
        assert_eq!(other.introspect(token).await.json, serde_json::json!({ "active": false }));
    }
    let id_token = app.introspect(tokens.text("id_token")).await;
    assert_eq!(id_token.json, serde_json::json!({ "active": false }));
    assert_eq!(spa.introspect("x").await.error(), "401 invalid_client");
    house.advance(Duration::from_secs(600));
    let expired = app.introspect(tokens.text("access_token")).await;
    assert_eq!(expired.json, serde_json::json!({ "active": false }));
}

#[tokio::test]
async fn c9_74_userinfo_releases_what_the_scope_says() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let tokens = app.tokens(&mut house.browser(), "openid email", "Ada Lovelace").await;
    let userinfo = app.userinfo(tokens.text("access_token")).await;
    assert!(userinfo.json.get("name").is_none(), "{}", userinfo.json);
    let url = format!("{}/userinfo", house.issuer);
    let posted =
        answer(house.http().post(&url).form(&[("access_token", tokens.text("access_token"))]))
            .await;
    assert_eq!(posted.json, userinfo.json);
    let in_query = house.http().get(format!("{url}?access_token={}", tokens.text("access_token")));
    assert_eq!(answer(in_query).await.status, 401, "never in the query");
    let none = answer(house.http().get(&url)).await;
    let challenge = format!(
        "Bearer realm=\"russet\", resource_metadata=\"{}/.well-known/oauth-protected-resource/userinfo\"",
        house.issuer
    );
    assert_eq!(none.headers["www-authenticate"], challenge.as_str());
    for token in [tokens.text("id_token"), "x.y.z"] {
        assert_eq!(app.userinfo(token).await.error(), "401 invalid_token");
    }
    assert_eq!(Engine::all().first(), Some(&Engine::Sqlite));
}
