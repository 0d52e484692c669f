//! Client secrets: every part is checked.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1_SIGNING;

use super::*;

/// What the token endpoint says to a refresh that is wrong only in its token, given this secret.
async fn verdict(world: &World, secret: &str) -> (u16, String) {
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", WEB),
        ("client_secret", secret),
        ("refresh_token", "none"),
    ];
    world.form("/auth/token", &fields).await.refusal()
}

fn header() -> Value {
    json!({ "alg": "ES256", "kid": KEY })
}

#[actix_web::test]
async fn a_secret_in_order_lets_the_request_through() {
    let world = World::new();
    assert_eq!(verdict(&world, &world.secret(WEB)).await, refused("invalid_grant"));
}

#[actix_web::test]
async fn each_wrong_claim_is_an_invalid_client() {
    let world = World::new();
    let now = world.now();
    for (claim, value) in [
        ("iss", json!("TEAM000002")),
        ("sub", json!(APP)),
        ("aud", json!("https://appleid.example")),
        ("aud", json!([ISSUER])),
        ("exp", json!(now)),
        ("exp", json!(now + 15_777_001)),
        ("exp", json!((now + 300).to_string())),
        ("iat", json!(now + 3600)),
        ("iat", Value::Null),
        ("exp", Value::Null),
    ] {
        let mut told = world.secret_claims(WEB);
        told[claim] = value.clone();
        let secret = world.signed(&header(), &told);
        assert_eq!(verdict(&world, &secret).await, refused("invalid_client"), "{claim} {value}");
    }
    let mut longest = world.secret_claims(WEB);
    longest["exp"] = json!(now + 15_777_000);
    let secret = world.signed(&header(), &longest);
    assert_eq!(verdict(&world, &secret).await, refused("invalid_grant"));
}

#[actix_web::test]
async fn an_unknown_or_missing_kid_is_an_invalid_client() {
    let world = World::new();
    for wrong in [json!({ "alg": "ES256", "kid": "KEY0000002" }), json!({ "alg": "ES256" })] {
        let secret = world.signed(&wrong, &world.secret_claims(WEB));
        assert_eq!(verdict(&world, &secret).await, refused("invalid_client"), "{wrong}");
    }
}

#[actix_web::test]
async fn a_der_signature_is_an_invalid_client() {
    let world = World::new();
    let message = message(&header(), &world.secret_claims(WEB));
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der(&world.p8)).unwrap();
    let signature = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    let secret = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
    assert_eq!(verdict(&world, &secret).await, refused("invalid_client"));
}

#[actix_web::test]
async fn an_hs256_or_unsigned_secret_is_an_invalid_client() {
    let world = World::new();
    let told = world.secret_claims(WEB);
    let hs256 = message(&json!({ "alg": "HS256", "kid": KEY }), &told);
    let key = hmac::Key::new(hmac::HMAC_SHA256, world.p8.expose().as_bytes());
    let tag = hmac::sign(&key, hs256.as_bytes());
    let hs256 = format!("{hs256}.{}", URL_SAFE_NO_PAD.encode(tag));
    assert_eq!(verdict(&world, &hs256).await, refused("invalid_client"));
    // Properly signed, but the header names another algorithm.
    let renamed = world.signed(&json!({ "alg": "HS256", "kid": KEY }), &told);
    assert_eq!(verdict(&world, &renamed).await, refused("invalid_client"));
    let unsigned = format!("{}.", message(&json!({ "alg": "none", "kid": KEY }), &told));
    assert_eq!(verdict(&world, &unsigned).await, refused("invalid_client"));
}

#[actix_web::test]
async fn a_secret_signed_by_another_key_is_an_invalid_client() {
    let (world, stranger) = (World::new(), World::new());
    let secret = stranger.secret(WEB);
    assert_eq!(verdict(&world, &secret).await, refused("invalid_client"));
}

#[actix_web::test]
async fn a_secret_and_basic_authentication_together_are_refused() {
    let world = World::new();
    let secret = world.secret(WEB);
    let fields = [("client_id", WEB), ("client_secret", &*secret), ("token", "none")];
    let request = test::TestRequest::post()
        .uri("/auth/revoke")
        .insert_header(("authorization", "Basic YTpi"))
        .set_form(fields);
    assert_eq!(world.send(request).await.refusal(), refused("invalid_request"));
}
