//! Refresh, revocation, and the ID token of the token endpoint.

use super::*;

/// A refresh token of Ada's for [`WEB`].
async fn refresh_token(world: &World) -> String {
    let code = world.code(&[]).await;
    let answer = world.redeem(WEB, &code, &[("redirect_uri", RETURN)]).await.json();
    answer["refresh_token"].as_str().unwrap().to_owned()
}

async fn refresh(world: &World, client_id: &str, token: &str) -> Answer {
    let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
    world.with_secret("/auth/token", client_id, &fields).await
}

#[actix_web::test]
async fn the_back_channel_token_carries_at_hash_and_no_c_hash() {
    let world = World::new();
    let code = world.code(&[]).await;
    let answer = world.redeem(WEB, &code, &[("redirect_uri", RETURN)]).await.json();
    let told = claims(answer["id_token"].as_str().unwrap());
    let access_token = answer["access_token"].as_str().unwrap();
    assert_eq!(told["at_hash"], crate::simulator::token::half_hash(access_token));
    assert_eq!(told.get("c_hash"), None);
    assert_eq!(told["nonce"], "the-nonce");
    assert_eq!(told["exp"], world.now() + 86_400);
}

#[actix_web::test]
async fn a_refresh_token_is_never_rotated() {
    let world = World::new();
    let token = refresh_token(&world).await;
    for _ in 0..2 {
        let answer = refresh(&world, WEB, &token).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json().get("refresh_token"), None);
    }
}

#[actix_web::test]
async fn a_refresh_token_is_bound_to_its_client() {
    let world = World::new();
    let token = refresh_token(&world).await;
    assert_eq!(refresh(&world, OTHER_WEB, &token).await.refusal(), refused("invalid_grant"));
}

#[actix_web::test]
async fn a_refresh_token_dies_when_the_person_stops_using_the_app() {
    for act in ["stop-using", "change-password", "delete-account"] {
        let world = World::new();
        let token = refresh_token(&world).await;
        world.control(&format!("/_sim/{act}"), json!({ "account": "ada" })).await;
        assert_eq!(refresh(&world, WEB, &token).await.refusal(), refused("invalid_grant"), "{act}");
    }
}

#[actix_web::test]
async fn revocation_answers_200_with_nothing_and_ends_the_token() {
    let world = World::new();
    let token = refresh_token(&world).await;
    let hinted = [("token", token.as_str()), ("token_type_hint", "refresh_token")];
    for _ in 0..2 {
        let answer = world.with_secret("/auth/revoke", WEB, &hinted).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    }
    assert_eq!(refresh(&world, WEB, &token).await.refusal(), refused("invalid_grant"));
}

#[actix_web::test]
async fn revocation_of_nonsense_still_answers_200() {
    let answer = World::new().with_secret("/auth/revoke", WEB, &[("token", "nonsense")]).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
}

#[actix_web::test]
async fn revocation_refuses_a_bad_secret_and_a_hint_that_lies() {
    let world = World::new();
    let token = refresh_token(&world).await;
    let lying = [("token", token.as_str()), ("token_type_hint", "access_token")];
    let answer = world.with_secret("/auth/revoke", WEB, &lying).await;
    assert_eq!(answer.refusal(), refused("invalid_request"));
    let unproved = [("client_id", WEB), ("client_secret", "a.b.c"), ("token", token.as_str())];
    let answer = world.form("/auth/revoke", &unproved).await;
    assert_eq!(answer.refusal(), refused("invalid_client"));
    assert_eq!(refresh(&world, WEB, &token).await.status, 200);
}

#[actix_web::test]
async fn another_clients_token_survives_revocation() {
    let world = World::new();
    let token = refresh_token(&world).await;
    let answer = world.with_secret("/auth/revoke", OTHER_WEB, &[("token", &token)]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(refresh(&world, WEB, &token).await.status, 200);
}

#[actix_web::test]
async fn other_grant_types_and_content_types_are_refused() {
    let world = World::new();
    let answer = world.with_secret("/auth/token", WEB, &[("grant_type", "password")]).await;
    assert_eq!(answer.refusal(), refused("unsupported_grant_type"));
    let request = test::TestRequest::post().uri("/auth/token").set_json(json!({}));
    assert_eq!(world.send(request).await.refusal(), refused("invalid_request"));
}
