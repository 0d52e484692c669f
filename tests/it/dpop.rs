//! DPoP from the outside: RFC 9449, conformance C.6 (57), C.7 (63), C.8; security.md L10.

use std::time::Duration;

use futures_util::future::join_all;
use russet::protocol::client::{Client, ClientKind};
use russet::protocol::jose::Algorithm;
use serde_json::{Value, json};

use crate::harness::House;
use crate::harness::app::{Answer, App, Attempt, answer, claims};
use crate::harness::holder::{Holder, userinfo};
use crate::on_each_engine;

async fn code(house: &House, app: &App, attempt: &Attempt) -> String {
    let end = app.sign_in(&mut house.browser(), attempt, "Ada Lovelace").await;
    end.query("code").unwrap_or_else(|| panic!("no code at {}", end.url))
}

fn redemption<'a>(code: &'a str, attempt: &'a Attempt) -> [(&'static str, &'a str); 4] {
    [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", "http://127.0.0.1:9/callback"),
        ("code_verifier", &attempt.verifier),
    ]
}

async fn bound_tokens(house: &House, app: &App, holder: &Holder) -> Answer {
    let attempt = app.attempt("openid profile offline_access");
    let code = code(house, app, &attempt).await;
    holder.token(house, app, &redemption(&code, &attempt)).await
}

fn must_bind(client: &mut Client) {
    client.settings.dpop_bound_access_tokens = true;
}

fn challenges(answer: &Answer) -> String {
    let all = answer.headers.get_all("www-authenticate").iter();
    all.map(|value| value.to_str().unwrap()).collect::<Vec<_>>().join(" | ")
}

#[tokio::test]
async fn c8_69_a_bound_token_is_good_with_its_key_alone() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Spa, must_bind).await;
        let (holder, thief) = (Holder::new(Algorithm::Es256), Holder::new(Algorithm::Es256));
        let tokens = bound_tokens(&house, &app, &holder).await;
        assert_eq!(tokens.text("token_type"), "DPoP");
        let token = tokens.text("access_token");
        assert_eq!(claims(token)["cnf"], json!({ "jkt": holder.jkt() }));

        assert_eq!(holder.userinfo(&house, token).await.json["name"], "Ada Lovelace");
        let bearer = app.userinfo(token).await;
        assert_eq!(bearer.error(), "401 invalid_token");
        assert!(challenges(&bearer).contains("DPoP algs=\"ES256"), "{}", challenges(&bearer));
        assert_eq!(thief.userinfo(&house, token).await.error(), "401 invalid_token");
        let bare = userinfo(&house, "DPoP", token, &[]).await;
        assert_eq!(bare.error(), "401 invalid_dpop_proof");
        assert!(challenges(&bare).contains("DPoP algs="));

        let unbound = house.client(ClientKind::Spa, |_| {}).await;
        let plain = unbound.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
        assert_eq!(plain.text("token_type"), "Bearer");
        let dressed_up = holder.userinfo(&house, plain.text("access_token")).await;
        assert_eq!(dressed_up.error(), "401 invalid_token", "an unbound token has no proof");
    });
}

#[tokio::test]
async fn c8_65_to_71_each_defect_of_a_proof_at_the_resource_is_400_or_401() {
    let house = House::new().await;
    let app = house.client(ClientKind::Spa, must_bind).await;
    let holder = Holder::new(Algorithm::Es256);
    let tokens = bound_tokens(&house, &app, &holder).await;
    let token = tokens.text("access_token");
    let url = format!("{}/userinfo", house.issuer);
    let draft = || holder.draft("GET", &url, Some(token), house.now());
    for (name, value) in [
        ("jti", Value::Null),
        ("htm", json!("POST")),
        ("htu", json!(format!("{}/token", house.issuer))),
        ("iat", json!(house.now().secs() - 3600)),
        ("iat", json!(house.now().secs() + 3600)),
        ("ath", Value::Null),
        ("ath", json!("AAAA")),
    ] {
        let proof = holder.sign(&draft().claim(name, value));
        let answer = userinfo(&house, "DPoP", token, &[&proof]).await;
        assert_eq!(answer.error(), "401 invalid_dpop_proof", "{name}");
    }
    let (one, two) = (holder.sign(&draft()), holder.sign(&draft()));
    let both = userinfo(&house, "DPoP", token, &[&one, &two]).await;
    assert_eq!(both.error(), "401 invalid_dpop_proof", "two headers");

    // Odd case of the scheme, iat ten seconds off, exp and nbf, a query on htu: all are sound.
    for (scheme, name, value) in [
        ("dPoP", "iat", json!(house.now().secs() - 10)),
        ("DPOP", "iat", json!(house.now().secs() + 10)),
        ("DPoP", "exp", json!(house.now().secs() + 10)),
        ("DPoP", "htu", json!(format!("{url}?a=b#c"))),
    ] {
        let proof = holder.sign(&draft().claim(name, value));
        assert_eq!(userinfo(&house, scheme, token, &[&proof]).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn c8_68_a_proof_is_good_once_on_all_replicas_together() {
    on_each_engine!(house, {
        let second = house.replica().await;
        let bases = [house.issuer.clone(), format!("http://{}", second.address())];
        let app = house.client(ClientKind::Machine, |_| {}).await;
        let holder = Holder::new(Algorithm::EdDsa);
        let proof = holder.proof(&house);
        let form = [("grant_type", "client_credentials")];
        let proofs = [proof.as_str()];
        let all = (0..16).map(|i| app.post_proving(&bases[i % 2], "/token", &form, &proofs));
        let answers = join_all(all).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        let refused = |a: &&Answer| a.error() == "400 invalid_dpop_proof";
        assert_eq!(answers.iter().filter(refused).count(), 15);

        // As long as it would be accepted, it is remembered; another key may use its jti.
        house.advance(Duration::from_secs(59));
        house.broker.broker.provider.sweep().await.unwrap();
        let again = app.post_proving(&bases[0], "/token", &form, &proofs).await;
        assert_eq!(again.error(), "400 invalid_dpop_proof");
        second.stop().await;
    });
}

#[tokio::test]
async fn c6_57_a_client_that_must_bind_gets_nothing_without_a_proof() {
    let house = House::new().await;
    let holder = Holder::new(Algorithm::Ps256);
    let machine = house.client(ClientKind::Machine, must_bind).await;
    let form = [("grant_type", "client_credentials")];
    assert_eq!(machine.token(&form).await.error(), "400 invalid_dpop_proof");
    let bound = holder.token(&house, &machine, &form).await;
    assert_eq!(bound.text("token_type"), "DPoP");
    assert_eq!(claims(bound.text("access_token"))["cnf"]["jkt"], holder.jkt());

    let web = house.client(ClientKind::Web, must_bind).await;
    let attempt = web.attempt("openid offline_access");
    let code = code(&house, &web, &attempt).await;
    assert_eq!(web.redeem(&attempt, &code).await.error(), "400 invalid_dpop_proof");
    let tokens = holder.token(&house, &web, &redemption(&code, &attempt)).await;
    assert_eq!(tokens.status, 200, "the refusal cost the client nothing");
    let refresh = tokens.text("refresh_token");
    assert_eq!(web.refresh(refresh).await.error(), "400 invalid_dpop_proof");
    for spoilt in [vec!["junk".to_owned()], vec![holder.proof(&house), holder.proof(&house)]] {
        let proofs: Vec<&str> = spoilt.iter().map(String::as_str).collect();
        let answer = machine.post_proving(&house.issuer, "/token", &form, &proofs).await;
        assert_eq!(answer.error(), "400 invalid_dpop_proof");
    }
}

#[tokio::test]
async fn c7_63_a_refresh_token_is_bound_to_the_key_of_a_public_client_only() {
    on_each_engine!(house, {
        let (first, fresh) = (Holder::new(Algorithm::Es256), Holder::new(Algorithm::Es256));
        for (kind, with_another_key) in
            [(ClientKind::Spa, "400 invalid_grant"), (ClientKind::Web, "200 -")]
        {
            let app = house.client(kind, must_bind).await;
            let tokens = bound_tokens(&house, &app, &first).await;
            let refresh = tokens.text("refresh_token").to_owned();
            let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
            let answer = fresh.token(&house, &app, &form).await;
            assert_eq!(answer.error(), with_another_key, "{kind:?}");
            // Whoever lacks the key has neither used the token up nor ended the family.
            let answer = first.token(&house, &app, &form).await;
            assert_eq!(answer.status, 200, "{kind:?}");
            let bound_to = &claims(answer.text("access_token"))["cnf"]["jkt"];
            assert_eq!(bound_to, first.jkt(), "{kind:?}");
        }
        // Bound by choice: the key is demanded all the same.
        let app = house.client(ClientKind::Spa, |_| {}).await;
        let tokens = bound_tokens(&house, &app, &first).await;
        let refresh = tokens.text("refresh_token");
        assert_eq!(app.refresh(refresh).await.error(), "400 invalid_grant");
    });
}

#[tokio::test]
async fn c5_47_dpop_jkt_binds_the_code_to_the_key() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let (holder, thief) = (Holder::new(Algorithm::Es256), Holder::new(Algorithm::Es256));
    for (redeemer, expected) in
        [(Some(&holder), "200 -"), (Some(&thief), "400 invalid_grant"), (None, "400 invalid_grant")]
    {
        let attempt = app.attempt("openid").with("dpop_jkt", holder.jkt());
        let code = code(&house, &app, &attempt).await;
        let answer = match redeemer {
            Some(redeemer) => redeemer.token(&house, &app, &redemption(&code, &attempt)).await,
            None => app.redeem(&attempt, &code).await,
        };
        assert_eq!(answer.error(), expected);
    }
    let attempt = app.attempt("openid").with("dpop_jkt", "no-thumbprint");
    let end = app.sign_in(&mut house.browser(), &attempt, "Ada Lovelace").await;
    assert_eq!(end.query("error").as_deref(), Some("invalid_request"));
}

#[tokio::test]
async fn c8_70_where_nonces_are_demanded_every_replica_knows_them() {
    let house = House::new().await;
    let strict = [("DPOP__REQUIRE_NONCE", "true")];
    let (one, two) = (house.replica_with(&strict).await, house.replica_with(&strict).await);
    let bases = [one.address(), two.address()].map(|address| format!("http://{address}"));
    let app = house.client(ClientKind::Machine, |_| {}).await;
    let holder = Holder::new(Algorithm::Es256);
    let form = [("grant_type", "client_credentials")];
    let url = format!("{}/token", house.issuer);
    let nonce_of = |answer: &Answer| {
        let all: Vec<_> = answer.headers.get_all("dpop-nonce").iter().collect();
        assert_eq!(all.len(), 1);
        all[0].to_str().unwrap().to_owned()
    };

    let bare = holder.proof(&house);
    let asked = app.post_proving(&bases[0], "/token", &form, &[&bare]).await;
    assert_eq!(asked.error(), "400 use_dpop_nonce");
    let nonce = nonce_of(&asked);
    // A nonce of ours stands in for the clock of the client.
    let wrong_clock = holder
        .draft("POST", &url, None, house.now())
        .claim("iat", json!(1))
        .claim("nonce", json!(nonce));
    let good = app.post_proving(&bases[1], "/token", &form, &[&holder.sign(&wrong_clock)]).await;
    assert_eq!(good.status, 200);
    assert_eq!(nonce_of(&good), nonce, "told again with every answer to a proof");

    house.advance(Duration::from_secs(300));
    let old = holder.draft("POST", &url, None, house.now()).claim("nonce", json!(nonce));
    let stale = app.post_proving(&bases[0], "/token", &form, &[&holder.sign(&old)]).await;
    assert_eq!(stale.error(), "400 use_dpop_nonce");
    assert_ne!(nonce_of(&stale), nonce);

    let web = house.client(ClientKind::Web, |_| {}).await;
    let tokens = bound_tokens(&house, &web, &holder).await;
    let token = tokens.text("access_token");
    let at = format!("{}/userinfo", house.issuer);
    let proof = holder.sign(&holder.draft("GET", &at, Some(token), house.now()));
    let request = house
        .http()
        .get(format!("{}/userinfo", bases[0]))
        .header("authorization", format!("DPoP {token}"))
        .header("dpop", proof);
    let answer = answer(request).await;
    assert_eq!(answer.error(), "401 use_dpop_nonce");
    assert!(challenges(&answer).contains("DPoP algs"));
    assert!(challenges(&answer).contains("error=\"use_dpop_nonce\""));
    assert_eq!(nonce_of(&answer), nonce_of(&stale));
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn introspection_tells_what_a_token_is_bound_to() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let holder = Holder::new(Algorithm::Es256);
    let tokens = bound_tokens(&house, &app, &holder).await;
    let told = app.introspect(tokens.text("access_token")).await;
    assert_eq!(told.json["token_type"], "DPoP");
    assert_eq!(told.json["cnf"]["jkt"], holder.jkt());
}

#[tokio::test]
async fn a_browser_app_may_send_proofs_and_read_nonces() {
    let house = House::new().await;
    house.client(ClientKind::Spa, |_| {}).await;
    let url = format!("{}/token", house.issuer);
    let preflight = house
        .http()
        .request(reqwest::Method::OPTIONS, &url)
        .header("origin", "http://127.0.0.1:9")
        .header("access-control-request-headers", "dpop");
    let headers = preflight.send().await.unwrap().headers().clone();
    assert!(headers["access-control-allow-headers"].to_str().unwrap().contains("DPoP"));
    let request = house.http().post(&url).header("origin", "http://127.0.0.1:9").body("");
    let headers = request.send().await.unwrap().headers().clone();
    assert!(headers["access-control-expose-headers"].to_str().unwrap().contains("DPoP-Nonce"));
}

#[tokio::test]
async fn a_browser_app_of_any_origin_may_read_what_is_public() {
    let house = House::new().await;
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource/userinfo",
        "/jwks",
    ] {
        let url = format!("{}{path}", house.issuer);
        let asked = house
            .http()
            .request(reqwest::Method::OPTIONS, &url)
            .header("origin", "https://anywhere.example")
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "x-library-version");
        let preflight = asked.send().await.unwrap();
        assert!(preflight.status().is_success(), "{path}");
        for (name, value) in [("origin", "*"), ("methods", "GET, HEAD"), ("headers", "*")] {
            assert_eq!(
                preflight.headers()[format!("access-control-allow-{name}")],
                value,
                "{path}"
            );
        }
        assert!(!preflight.headers().contains_key("access-control-allow-credentials"), "{path}");
        let read = house.http().get(&url).header("origin", "https://anywhere.example");
        let read = read.send().await.unwrap();
        assert_eq!(
            (read.status().as_u16(), &read.headers()["access-control-allow-origin"]),
            (200, &"*".parse().unwrap())
        );
        let posted = house.http().post(&url).send().await.unwrap();
        assert_eq!(posted.status(), 405, "{path}");
    }
}

#[tokio::test]
async fn every_advertised_proof_algorithm_is_taken() {
    let house = House::new().await;
    let url = format!("{}/.well-known/openid-configuration", house.issuer);
    let document = answer(house.http().get(url)).await.json;
    let app = house.client(ClientKind::Machine, |_| {}).await;
    let advertised = document["dpop_signing_alg_values_supported"].as_array().unwrap();
    assert!(!advertised.is_empty());
    for name in advertised {
        let holder = Holder::new(Algorithm::parse(name.as_str().unwrap()).unwrap());
        let answer = holder.token(&house, &app, &[("grant_type", "client_credentials")]).await;
        assert_eq!(answer.status, 200, "{name}");
    }
}
