//! A FAPI 2.0 client from push to refresh: conformance B.7, C.4.38, C.6.53, C.6.57, C.7.62, C.7.63.

use std::time::Duration;

use russet::protocol::client::Client;
use russet::protocol::client_assertion;
use russet::protocol::jose::Algorithm;
use russet::protocol::profile::Profile;

use crate::harness::House;
use crate::harness::app::{Answer, Attempt};
use crate::harness::holder::Holder;
use crate::harness::signer::Signer;

fn fapi(client: &mut Client) {
    client.settings.profile = Some(Profile::Fapi2);
    client.settings.dpop_bound_access_tokens = true;
    // The installation's default, which the profile does not allow.
    client.id_token_signed_response_alg = Algorithm::Rs256;
}

/// Posts with a fresh assertion, and a proof of this holder if there is one.
async fn post(
    signer: &Signer,
    house: &House,
    path: &str,
    form: &[(&str, &str)],
    holder: Option<&Holder>,
) -> Answer {
    let assertion = signer.sign(&signer.assertion(house));
    let mut form = form.to_vec();
    form.push(("client_assertion_type", client_assertion::TYPE));
    form.push(("client_assertion", &assertion));
    let url = format!("{}{path}", house.issuer);
    let proofs: Vec<String> = holder
        .map(|holder| holder.sign(&holder.draft("POST", &url, None, house.now())))
        .into_iter()
        .collect();
    let proofs: Vec<&str> = proofs.iter().map(String::as_str).collect();
    signer.app.post_proving(&house.issuer, path, &form, &proofs).await
}

async fn code(signer: &Signer, house: &House, attempt: &Attempt, holder: &Holder) -> String {
    let form: Vec<(&str, &str)> = attempt
        .parameters
        .iter()
        .filter(|(name, _)| name != "client_id")
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let pushed = post(signer, house, "/par", &form, Some(holder)).await;
    assert_eq!(pushed.status, 201, "{}", pushed.json);
    let mut browser = house.browser();
    let page = browser.open(&signer.authorize_url(pushed.text("request_uri"))).await;
    let end = browser.press(&page, "Continue as Ada Lovelace").await;
    end.query("code").unwrap_or_else(|| panic!("no code at {}", end.url))
}

fn redemption<'a>(
    signer: &'a Signer,
    attempt: &'a Attempt,
    code: &'a str,
) -> [(&'a str, &'a str); 4] {
    [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &signer.app.client.redirect_uris[0]),
        ("code_verifier", &attempt.verifier),
    ]
}

#[tokio::test]
async fn c7_62_c7_63_a_fapi_client_goes_from_push_to_refresh() {
    let house = House::new().await;
    let signer = Signer::new(&house, Algorithm::Ps256, fapi).await;
    let holder = Holder::new(Algorithm::Es256);
    let attempt = signer.app.attempt("openid offline_access");
    let code = code(&signer, &house, &attempt, &holder).await;
    let form = redemption(&signer, &attempt, &code);
    let tokens = post(&signer, &house, "/token", &form, Some(&holder)).await;
    assert_eq!(tokens.status, 200, "{}", tokens.json);
    assert_eq!(tokens.json["token_type"], "DPoP");
    let header = tokens.text("id_token").split('.').next().unwrap().to_owned();
    use base64::Engine as _;
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header["alg"], "PS256", "never RS256");
    let access = tokens.text("access_token");
    assert_eq!(holder.userinfo(&house, access).await.status, 200);
    let thief = Holder::new(Algorithm::Es256);
    assert_eq!(thief.userinfo(&house, access).await.status, 401);

    // C.7.62, C.7.63: the token stays, whatever key a confidential client shows.
    let refresh = tokens.text("refresh_token").to_owned();
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    for _ in 0..2 {
        house.advance(Duration::from_secs(30));
        let fresh = Holder::new(Algorithm::EdDsa);
        let refreshed = post(&signer, &house, "/token", &form, Some(&fresh)).await;
        assert_eq!(refreshed.status, 200, "{}", refreshed.json);
        assert_eq!(refreshed.headers["cache-control"], "no-store");
        assert!(refreshed.json.get("refresh_token").is_none(), "no rotation");
        assert_eq!(fresh.userinfo(&house, refreshed.text("access_token")).await.status, 200);
    }
    let without_proof = post(&signer, &house, "/token", &form, None).await;
    assert_eq!(without_proof.status, 400);
    let other = Signer::new(&house, Algorithm::Ps256, fapi).await;
    let foreign = post(&other, &house, "/token", &form, Some(&holder)).await;
    assert_eq!(foreign.error(), "400 invalid_grant");
    // Revoking still ends it.
    let token = [("token", refresh.as_str())];
    assert_eq!(post(&signer, &house, "/revoke", &token, None).await.status, 200);
    let dead = post(&signer, &house, "/token", &form, Some(&holder)).await;
    assert_eq!(dead.error(), "400 invalid_grant");
}

#[tokio::test]
async fn c6_53_c6_57_a_code_is_for_its_key_its_client_and_a_minute() {
    let house = House::new().await;
    let signer = Signer::new(&house, Algorithm::Es256, fapi).await;
    let holder = Holder::new(Algorithm::Es256);
    for (case, expected) in [
        ("another key", &["400 invalid_grant", "400 invalid_dpop_proof"][..]),
        ("no proof", &["400 invalid_dpop_proof", "400 invalid_request"]),
        ("no verifier", &["400 invalid_grant"]),
        ("another client", &["400 invalid_grant"]),
        ("too late", &["400 invalid_grant"]),
    ] {
        let attempt = signer.app.attempt("openid");
        let code = code(&signer, &house, &attempt, &holder).await;
        let mut form = redemption(&signer, &attempt, &code).to_vec();
        let stranger = Holder::new(Algorithm::Es256);
        let other = Signer::new(&house, Algorithm::Es256, fapi).await;
        let (mut by, mut shown) = (&signer, Some(&holder));
        match case {
            "another key" => shown = Some(&stranger),
            "no proof" => shown = None,
            "no verifier" => form.truncate(3),
            "another client" => by = &other,
            _ => house.advance(Duration::from_secs(62)),
        }
        let answer = post(by, &house, "/token", &form, shown).await;
        assert!(expected.contains(&answer.error().as_str()), "{case}: {}", answer.error());
    }
}
