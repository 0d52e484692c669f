//! `private_key_jwt`: conformance C.3.21, C.5.45, C.6.50, C.6.54, C.6.55, C.6.56 by number.

use std::time::Duration;

use futures_util::future::join_all;
use russet::protocol::client::{ClientKind, GrantType, TokenEndpointAuthMethod};
use russet::protocol::jose::Algorithm;
use russet::protocol::profile::Profile;
use serde_json::json;

use crate::harness::House;
use crate::harness::signer::{Publisher, Signer, key_set, new_key, unsigned};
use crate::on_each_engine;

const MACHINE: [(&str, &str); 1] = [("grant_type", "client_credentials")];

fn machine(client: &mut russet::protocol::client::Client) {
    client.grant_types.push(GrantType::ClientCredentials);
}

#[tokio::test]
async fn c6_50_every_algorithm_proves_a_client_at_every_endpoint() {
    let house = House::new().await;
    for alg in Algorithm::ALL {
        let signer = Signer::new(&house, alg, machine).await;
        let tokens = signer.post(&house, "/token", &MACHINE).await;
        assert_eq!(tokens.status, 200, "{alg}: {}", tokens.json);
        let token = [("token", tokens.text("access_token"))];
        assert_eq!(signer.post(&house, "/introspect", &token).await.json["active"], true);
        assert_eq!(signer.post(&house, "/revoke", &token).await.status, 200);
        assert_eq!(signer.post(&house, "/introspect", &token).await.json["active"], false);
        let attempt = signer.app.attempt("openid");
        assert_eq!(signer.push(&house, &attempt).await.status, 201, "{alg}");
    }
}

#[tokio::test]
async fn c6_55_each_bad_assertion_is_an_invalid_client() {
    let house = House::new().await;
    let signer = Signer::new(&house, Algorithm::Es256, machine).await;
    let now = house.now().secs();
    let sound = signer.assertion(&house);
    let with = |name: &str, value: serde_json::Value| {
        let mut claims = sound.clone();
        claims[name] = value;
        signer.sign(&claims)
    };
    let mut without_sub = sound.clone();
    without_sub.as_object_mut().unwrap().remove("sub");
    let stranger = new_key(Algorithm::Es256);
    for (assertion, why) in [
        (with("exp", json!(now - 300)), "expired"),
        (with("aud", json!("https://other.example")), "for somebody else"),
        (with("iss", json!("other")), "made by somebody else"),
        (with("nbf", json!(now + 62)), "not yet"),
        (with("jti", json!("")), "without jti"),
        (signer.sign(&without_sub), "without sub"),
        (unsigned(&sound), "unsigned"),
        (stranger.sign(russet::protocol::jose::Typ::IdToken, &sound).unwrap(), "another key"),
        ("nonsense".to_owned(), "no JWT"),
    ] {
        for path in ["/token", "/par", "/introspect", "/revoke"] {
            let answer = signer.post_with(&house.issuer, path, &MACHINE, &assertion).await;
            assert_eq!(answer.error(), "401 invalid_client", "{why} at {path}");
        }
    }
    let missing = signer.app.token(&MACHINE).await;
    assert_eq!(missing.error(), "401 invalid_client", "no proof at all");
    let sound = signer.sign(&sound);
    let ok = signer.post_with(&house.issuer, "/token", &MACHINE, &sound).await;
    assert_eq!(ok.status, 200, "{}", ok.json);
}

#[tokio::test]
async fn an_assertion_is_good_once_on_all_replicas_together() {
    on_each_engine!(house, {
        let signer = Signer::new(&house, Algorithm::EdDsa, machine).await;
        let second = house.replica().await;
        let bases = [house.issuer.clone(), format!("http://{}", second.address())];
        let assertion = signer.sign(&signer.assertion(&house));
        let all = (0..8).map(|i| signer.post_with(&bases[i % 2], "/token", &MACHINE, &assertion));
        let answers = join_all(all).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        assert!(answers.iter().all(|a| a.status == 200 || a.error() == "401 invalid_client"));
        second.stop().await;
    });
}

#[tokio::test]
async fn c6_56_a_secret_does_not_stand_in_for_a_key_nor_a_key_for_a_secret() {
    let house = House::new().await;
    let secret = house.client(ClientKind::Web, machine).await;
    let mut signer = Signer::new(&house, Algorithm::Es256, machine).await;
    signer.app.secret = secret.secret.clone();
    assert_eq!(signer.app.token(&MACHINE).await.error(), "401 invalid_client");
    signer.app.secret = None;
    let change = |client: &mut russet::protocol::client::Client| {
        machine(client);
        client.token_endpoint_auth_method = TokenEndpointAuthMethod::ClientSecretBasic;
    };
    let confused = Signer::new(&house, Algorithm::Es256, change).await;
    assert_eq!(confused.post(&house, "/token", &MACHINE).await.error(), "401 invalid_client");
    // Another client's name beside a sound assertion.
    let assertion = signer.sign(&signer.assertion(&house));
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", secret.client_id()),
        ("client_assertion_type", russet::protocol::client_assertion::TYPE),
        ("client_assertion", assertion.as_str()),
    ];
    let request = house.http().post(format!("{}/token", house.issuer)).form(&form);
    assert_eq!(crate::harness::app::answer(request).await.error(), "401 invalid_client");
}

#[tokio::test]
async fn c6_54_fapi_takes_the_issuer_alone_for_audience_and_no_rs256() {
    let house = House::new().await;
    let token_url = json!(format!("{}/token", house.issuer));
    let par_url = json!(format!("{}/par", house.issuer));
    let array = json!([house.issuer]);
    let fapi = |client: &mut russet::protocol::client::Client| {
        client.settings.profile = Some(Profile::Fapi2);
    };
    let strict = Signer::new(&house, Algorithm::Es256, fapi).await;
    let lax = Signer::new(&house, Algorithm::Es256, |_| {}).await;
    for aud in [token_url, par_url, array] {
        for (signer, expected) in [(&strict, 401), (&lax, 201)] {
            let mut claims = signer.assertion(&house);
            claims["aud"] = aud.clone();
            let attempt = signer.app.attempt("openid");
            let form: Vec<_> =
                attempt.parameters.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            let form: Vec<_> = form.into_iter().filter(|(n, _)| *n != "client_id").collect();
            let assertion = signer.sign(&claims);
            let answer = signer.post_with(&house.issuer, "/par", &form, &assertion).await;
            assert_eq!(answer.status, expected, "{aud}: {}", answer.json);
        }
    }
    let attempt = strict.app.attempt("openid");
    assert_eq!(strict.push(&house, &attempt).await.status, 201);
    let rs256 = Signer::new(&house, Algorithm::Rs256, fapi).await;
    let attempt = rs256.app.attempt("openid");
    assert_eq!(rs256.push(&house, &attempt).await.error(), "401 invalid_client");
    // And a secret is no proof there.
    let mut by_secret = house.client(ClientKind::Web, fapi).await;
    assert_eq!(by_secret.post("/par", &[]).await.error(), "401 invalid_client");
    by_secret.secret = None;
    assert_eq!(by_secret.post("/par", &[]).await.error(), "401 invalid_client");
}

#[tokio::test]
async fn c3_21_an_unknown_kid_fetches_the_keys_anew_but_not_at_every_try() {
    let house = House::new().await;
    let first = new_key(Algorithm::Es256);
    let published = Publisher::of(&key_set(&[&first])).await;
    let url = published.url.clone();
    let mut signer = Signer::new(&house, Algorithm::Es256, |client| {
        machine(client);
        client.settings.jwks = None;
        client.settings.jwks_uri = Some(url);
    })
    .await;
    let second = std::mem::replace(&mut signer.key, first);
    for _ in 0..3 {
        assert_eq!(signer.post(&house, "/token", &MACHINE).await.status, 200);
    }
    assert_eq!(published.times_asked(), 1, "kept");

    published.publish(&key_set(&[&second]));
    signer.key = second;
    for _ in 0..3 {
        let refused = signer.post(&house, "/token", &MACHINE).await;
        assert_eq!(refused.error(), "401 invalid_client", "too soon after the last fetch");
    }
    assert_eq!(published.times_asked(), 1);
    house.advance(Duration::from_secs(31));
    assert_eq!(signer.post(&house, "/token", &MACHINE).await.status, 200);
    assert_eq!(published.times_asked(), 2);

    // What is no key set leaves the last good one in place, for a while.
    published.publish(&json!({ "oops": true }));
    house.advance(Duration::from_secs(400));
    assert_eq!(signer.post(&house, "/token", &MACHINE).await.status, 200);
    house.advance(Duration::from_secs(3600));
    assert_eq!(signer.post(&house, "/token", &MACHINE).await.error(), "401 invalid_client");
}
