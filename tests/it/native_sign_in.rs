//! Native Sign in with Apple by token exchange: contract §3, apple.md §5.

use std::time::Duration;

use futures_util::future::join_all;
use russet::protocol::client::ClientKind;
use russet::protocol::jose::Algorithm;

use crate::harness::app::{App, answer, claims};
use crate::harness::{BUNDLE_ID, House};
use crate::on_each_engine;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
/// SHA-256 of "raw-nonce" in lower-case hex and in base64url.
const RAW: &str = "raw-nonce";

fn hashed() -> (String, String) {
    use base64::Engine as _;
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, RAW.as_bytes());
    let hex = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    (hex, base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(hash.as_ref()))
}

#[tokio::test]
async fn one_call_answers_with_our_three_tokens() {
    on_each_engine!(house, {
        let api = "https://api.example";
        house.api(api, Algorithm::Es256, &["orders:read"]).await;
        let app = house
            .client(ClientKind::Native, |client| client.resources = vec![api.to_owned()])
            .await;
        let credential = house.native_credential("ada", Some(&hashed().0)).await;
        let code = credential["authorizationCode"].as_str().unwrap().to_owned();
        let user = r#"{"name":{"firstName":"Ada","lastName":"Lovelace"},"email":"evil@x.example"}"#;
        let tokens = app
            .exchange_native(
                &credential,
                &[
                    ("nonce", RAW),
                    ("authorization_code", &code),
                    ("user", user),
                    ("resource", api),
                    ("scope", "openid profile email offline_access orders:read"),
                ],
            )
            .await;
        assert_eq!(tokens.status, 200, "{}", tokens.json);
        assert_eq!(
            tokens.text("issued_token_type"),
            "urn:ietf:params:oauth:token-type:access_token"
        );
        let access = claims(tokens.text("access_token"));
        assert_eq!(access["aud"], api);
        assert_eq!(claims(tokens.text("id_token"))["nonce"], RAW);
        assert_eq!(app.refresh(tokens.text("refresh_token")).await.status, 200);
        let userinfo = app.userinfo(tokens.text("access_token")).await;
        assert_eq!(userinfo.json["name"], "Ada Lovelace");
        assert_eq!(userinfo.json["email"], "ada@example.com", "never the app's word for it");

        let person = house.store().find_user_by_sub(access["sub"].as_str().unwrap()).await;
        let grants =
            house.store().find_upstream_grants(&person.unwrap().unwrap().id).await.unwrap();
        assert_eq!(grants.len(), 1);
        assert_eq!(grants[0].client_id, BUNDLE_ID, "kept beside the client that obtained it");
    });
}

#[tokio::test]
async fn web_and_native_are_one_person_with_two_grants() {
    let house = House::new().await;
    let web = house.client(ClientKind::Web, |_| {}).await;
    let native = house.client(ClientKind::Native, |_| {}).await;
    let on_web = web.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
    let credential = house.native_credential("ada", Some(RAW)).await;
    let code = credential["authorizationCode"].as_str().unwrap().to_owned();
    let in_app =
        native.exchange_native(&credential, &[("nonce", RAW), ("authorization_code", &code)]).await;
    let sub = claims(in_app.text("id_token"))["sub"].clone();
    assert_eq!(sub, claims(on_web.text("id_token"))["sub"]);
    let person = house.store().find_user_by_sub(sub.as_str().unwrap()).await.unwrap().unwrap();
    assert_eq!(house.store().find_upstream_grants(&person.id).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_nonce_may_be_raw_or_hashed_and_must_be_there() {
    let house = House::new().await;
    let app = house.client(ClientKind::Native, |_| {}).await;
    let (hex, base64url) = hashed();
    for (claim, sent, expected) in [
        (Some(RAW), RAW, "200 -"),
        (Some(hex.as_str()), RAW, "200 -"),
        (Some(base64url.as_str()), RAW, "200 -"),
        (Some(hex.to_uppercase().as_str()), RAW, "400 invalid_grant"),
        (Some(hex.as_str()), "another", "400 invalid_grant"),
        (None, RAW, "400 invalid_grant"),
        (Some(hex.as_str()), "", "400 invalid_request"),
        (None, "", "400 invalid_request"),
    ] {
        let credential = house.native_credential("ada", claim).await;
        let found = app.exchange_native(&credential, &[("nonce", sent)]).await;
        assert_eq!(found.error(), expected, "{claim:?} {sent:?}: {}", found.json);
    }
}

#[tokio::test]
async fn each_identity_token_is_good_once_however_many_come_at_once() {
    on_each_engine!(house, {
        let second = house.replica().await;
        let bases = [house.issuer.clone(), format!("http://{}", second.address())];
        let app = house.client(ClientKind::Native, |_| {}).await;
        let credential = house.native_credential("ada", Some(RAW)).await;
        let form = [
            ("grant_type", EXCHANGE),
            ("subject_token", credential["identityToken"].as_str().unwrap()),
            ("subject_token_type", ID_TOKEN),
            ("subject_issuer", "apple"),
            ("nonce", RAW),
            ("scope", "openid"),
        ];
        let all = (0..16).map(|i| app.post_at(&bases[i % 2], "/token", &form));
        let answers = join_all(all).await;
        assert_eq!(answers.iter().filter(|a| a.status == 200).count(), 1);
        assert!(answers.iter().all(|a| a.status == 200 || a.error() == "400 invalid_grant"));
        second.stop().await;
    });
}

#[tokio::test]
async fn sixteen_first_sign_ins_make_one_person() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Native, |_| {}).await;
        let mut credentials = Vec::new();
        for _ in 0..16 {
            credentials.push(house.native_credential("mary", Some(RAW)).await);
        }
        let all = credentials.iter().map(|c| app.exchange_native(c, &[("nonce", RAW)]));
        let answers = join_all(all).await;
        let subs: std::collections::BTreeSet<String> = answers
            .iter()
            .map(|a| claims(a.text("id_token"))["sub"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(subs.len(), 1);
        assert_eq!(house.events("user.created").await, 1);
    });
}

#[tokio::test]
async fn each_bad_exchange_has_its_error() {
    let house = House::new().await;
    let app = house.client(ClientKind::Native, |_| {}).await;
    let no_bundles =
        house.client(ClientKind::Native, |client| client.apple_bundle_ids.clear()).await;
    let web = house.client(ClientKind::Web, |_| {}).await;
    let fresh = || house.native_credential("ada", Some(RAW));
    for (extra, expected) in [
        (
            vec![("subject_token_type", "urn:ietf:params:oauth:token-type:jwt")],
            "400 invalid_request",
        ),
        (vec![("subject_token_type", "")], "400 invalid_request"),
        (vec![("subject_issuer", "")], "400 invalid_request"),
        (vec![("subject_issuer", "nobody")], "400 invalid_request"),
        (vec![("subject_token", "")], "400 invalid_request"),
        (vec![("subject_token", "a.b.c")], "400 invalid_grant"),
        (vec![("requested_token_type", ID_TOKEN)], "400 invalid_request"),
        (vec![("actor_token", "x")], "400 invalid_request"),
        (vec![("scope", "openid admin")], "400 invalid_scope"),
        (vec![("resource", "https://x.example")], "400 invalid_target"),
        (vec![("authorization_code", "another-code")], "400 invalid_grant"),
    ] {
        let mut extra = extra;
        extra.push(("nonce", RAW));
        let found = app.exchange_native(&fresh().await, &extra).await;
        assert_eq!(found.error(), expected, "{extra:?}: {}", found.json);
    }
    let unasked = no_bundles.exchange_native(&fresh().await, &[("nonce", RAW)]).await;
    assert_eq!(unasked.error(), "400 invalid_grant", "no bundle ID allows none");
    assert!(unasked.text("error_description").contains("aud_mismatch"));
    let wrong_kind = web.exchange_native(&fresh().await, &[("nonce", RAW)]).await;
    assert_eq!(wrong_kind.error(), "400 unauthorized_client");

    let stale = fresh().await;
    house.advance(Duration::from_secs(11 * 60));
    let stale = app.exchange_native(&stale, &[("nonce", RAW)]).await;
    assert!(stale.text("error_description").contains("id_token_stale"), "{}", stale.json);
}

#[tokio::test]
async fn a_code_of_somebody_else_is_refused() {
    let house = House::new().await;
    let app = house.client(ClientKind::Native, |_| {}).await;
    let ada = house.native_credential("ada", Some(RAW)).await;
    let grace = house.native_credential("grace", Some(RAW)).await;
    let code = grace["authorizationCode"].as_str().unwrap();
    let found = app.exchange_native(&ada, &[("nonce", RAW), ("authorization_code", code)]).await;
    assert_eq!(found.error(), "400 invalid_grant");
    assert!(found.text("error_description").contains("c_hash_mismatch"), "{}", found.json);
    // What was refused used nothing up.
    let code = ada["authorizationCode"].as_str().unwrap();
    let again = app.exchange_native(&ada, &[("nonce", RAW), ("authorization_code", code)]).await;
    assert_eq!(again.status, 200, "{}", again.json);
}

#[tokio::test]
async fn the_challenge_endpoint_hands_out_nonces_that_are_good_once() {
    on_each_engine!(house, {
        let app =
            house.client(ClientKind::Native, |client| client.require_native_challenge = true).await;
        let other =
            house.client(ClientKind::Native, |client| client.require_native_challenge = true).await;
        let url = format!("{}/upstream/apple/challenge", house.issuer);
        let ask =
            |app: &App| answer(house.http().post(&url).form(&[("client_id", app.client_id())]));
        let own = house.native_credential("ada", Some(RAW)).await;
        let refused = app.exchange_native(&own, &[("nonce", RAW)]).await;
        assert_eq!(refused.error(), "400 invalid_grant", "a nonce of its own making");

        let challenge = ask(&app).await;
        assert_eq!(challenge.json["expires_in"], 300);
        let nonce = challenge.text("nonce").to_owned();
        let first = house.native_credential("ada", Some(&nonce)).await;
        let foreign = other.exchange_native(&first, &[("nonce", &nonce)]).await;
        assert_eq!(foreign.error(), "400 invalid_grant", "another client's nonce");
        assert_eq!(app.exchange_native(&first, &[("nonce", &nonce)]).await.status, 200);
        let second = house.native_credential("ada", Some(&nonce)).await;
        let again = app.exchange_native(&second, &[("nonce", &nonce)]).await;
        assert_eq!(again.error(), "400 invalid_grant", "used");

        let late = ask(&app).await.text("nonce").to_owned();
        house.advance(Duration::from_secs(300));
        let credential = house.native_credential("ada", Some(&late)).await;
        let expired = app.exchange_native(&credential, &[("nonce", &late)]).await;
        assert_eq!(expired.error(), "400 invalid_grant", "expired");
        let web = house.client(ClientKind::Web, |_| {}).await;
        assert_eq!(ask(&web).await.error(), "401 invalid_client");
    });
}
