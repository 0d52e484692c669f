//! Codes: what binds them, and how they end.

use super::*;

#[actix_web::test]
async fn a_code_is_redeemed_with_its_own_client_and_return_url() {
    let world = World::new();
    let code = world.code(&[]).await;
    let answer = world.redeem(WEB, &code, &[("redirect_uri", RETURN)]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["token_type"], "Bearer");
}

#[actix_web::test]
async fn a_code_is_bound_to_its_client() {
    let world = World::new();
    let code = world.code(&[]).await;
    for other in [OTHER_WEB, APP] {
        let answer = world.redeem(other, &code, &[("redirect_uri", RETURN)]).await;
        assert_eq!(answer.refusal(), refused("invalid_grant"), "{other}");
    }
}

#[actix_web::test]
async fn a_web_code_needs_the_very_redirect_uri() {
    let world = World::new();
    let code = world.code(&[]).await;
    for wrong in [&[][..], &[("redirect_uri", SECOND_RETURN)]] {
        let answer = world.redeem(WEB, &code, wrong).await;
        assert_eq!(answer.refusal(), refused("invalid_grant"), "{wrong:?}");
    }
}

#[actix_web::test]
async fn a_native_code_takes_no_redirect_uri() {
    let world = World::new();
    let code = world.native_code().await;
    let with = world.redeem(APP, &code, &[("redirect_uri", RETURN)]).await;
    assert_eq!(with.refusal(), refused("invalid_grant"));
    assert_eq!(world.redeem(APP, &code, &[]).await.status, 200);
}

#[actix_web::test]
async fn pkce_takes_both_halves_or_neither() {
    let world = World::new();
    let challenged = [("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
    let code = world.code(&challenged).await;
    let missing = world.redeem(WEB, &code, &[("redirect_uri", RETURN)]).await;
    assert_eq!(missing.refusal(), refused("invalid_grant"));
    let wrong = [("redirect_uri", RETURN), ("code_verifier", CHALLENGE)];
    assert_eq!(world.redeem(WEB, &code, &wrong).await.refusal(), refused("invalid_grant"));
    let right = [("redirect_uri", RETURN), ("code_verifier", VERIFIER)];
    assert_eq!(world.redeem(WEB, &code, &right).await.status, 200);
    let unchallenged = world.code(&[]).await;
    let uninvited = world.redeem(WEB, &unchallenged, &right).await;
    assert_eq!(uninvited.refusal(), refused("invalid_grant"));
}

#[actix_web::test]
async fn a_code_is_redeemed_once() {
    let world = World::new();
    let code = world.code(&[]).await;
    assert_eq!(world.redeem(WEB, &code, &[("redirect_uri", RETURN)]).await.status, 200);
    let again = world.redeem(WEB, &code, &[("redirect_uri", RETURN)]).await;
    assert_eq!(again.refusal(), refused("invalid_grant"));
    assert_eq!(again.json()["error_description"], "The code has already been used.");
}

#[actix_web::test]
async fn a_code_lives_five_minutes() {
    let world = World::new();
    let (fresh, late) = (world.code(&[]).await, world.code(&[]).await);
    world.advance(299);
    assert_eq!(world.redeem(WEB, &fresh, &[("redirect_uri", RETURN)]).await.status, 200);
    world.advance(1);
    let answer = world.redeem(WEB, &late, &[("redirect_uri", RETURN)]).await;
    assert_eq!(answer.refusal(), refused("invalid_grant"));
}
