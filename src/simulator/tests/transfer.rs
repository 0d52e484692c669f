//! Moving an app group to another team: who may ask, for whom, and for how long.

use super::*;

const NEW: &str = "TEAM000002";
const NEW_KEY: &str = "KEY0000002";

/// A second team with the same developer key, and a person who said yes to the app.
async fn world() -> World {
    let world = World::new();
    {
        let mut state = world.simulator.state();
        let key = state.teams[0].keys[0].1.clone();
        let keys = vec![(NEW_KEY.to_owned(), key)];
        state.teams.push(Team { team_id: NEW.into(), keys, groups: Vec::new() });
    }
    let asked = json!({ "people": 2, "client_id": WEB });
    assert_eq!(world.control("/_sim/crowd", asked).await.status, 200);
    world
}

fn sub_at(world: &World, team: &str) -> String {
    world.simulator.state().account("crowd-000000").expect("somebody").sub(team)
}

async fn accept(world: &World) {
    let asked = json!({ "client_id": WEB, "to_team": NEW });
    assert_eq!(world.control("/_sim/transfer", asked).await.status, 204);
}

fn secret(world: &World, team: &str, key: &str) -> String {
    let mut claims = world.secret_claims(WEB);
    claims["iss"] = json!(team);
    world.signed(&json!({ "alg": "ES256", "kid": key }), &claims)
}

async fn token(world: &World, team: &str, key: &str) -> Answer {
    let secret = secret(world, team, key);
    world
        .form(
            "/auth/token",
            &[
                ("client_id", WEB),
                ("client_secret", &secret),
                ("grant_type", "client_credentials"),
                ("scope", "user.migration"),
            ],
        )
        .await
}

async fn ask(world: &World, (team, key): (&str, &str), fields: &[(&str, &str)]) -> Answer {
    let bearer = token(world, team, key).await.json()["access_token"].clone();
    let secret = secret(world, team, key);
    let mut form = vec![("client_id", WEB), ("client_secret", secret.as_str())];
    form.extend_from_slice(fields);
    let bearer = format!("Bearer {}", bearer.as_str().unwrap_or_default());
    let request = test::TestRequest::post()
        .uri("/auth/usermigrationinfo")
        .insert_header(("authorization", bearer))
        .insert_header(("content-type", "application/x-www-form-urlencoded"))
        .set_payload(encoded(&form));
    world.send(request).await
}

#[actix_web::test]
async fn a_person_is_told_to_the_old_team_and_exchanged_by_the_new_for_sixty_days() {
    let world = world().await;
    let (old, new) = ((TEAM, KEY), (NEW, NEW_KEY));
    let sub = sub_at(&world, TEAM);
    let asked = [("sub", sub.as_str()), ("target", NEW)];
    let before = ask(&world, old, &asked).await;
    let transfer_sub = before.json()["transfer_sub"].as_str().expect("an identifier").to_owned();
    let exchange = [("transfer_sub", transfer_sub.as_str())];
    assert_eq!(token(&world, NEW, NEW_KEY).await.refusal(), refused("invalid_client"));

    accept(&world).await;
    assert_eq!(ask(&world, old, &asked).await.json(), before.json(), "within the sixty days");
    let told = ask(&world, new, &exchange).await.json();
    assert_eq!(told["sub"], sub_at(&world, NEW));
    assert_ne!(told["sub"], sub);
    assert!(told["email"].as_str().unwrap().ends_with("@privaterelay.appleid.com"));

    world.advance(60 * 24 * 3600);
    assert_eq!(token(&world, TEAM, KEY).await.refusal(), refused("invalid_client"));
    assert_eq!(ask(&world, new, &exchange).await.refusal(), refused("invalid_request"));
}

#[actix_web::test]
async fn nobody_else_is_told_anything() {
    let world = world().await;
    let sub = sub_at(&world, TEAM);
    for fields in [
        [("sub", "001234.nobody.0815"), ("target", NEW)],
        [("sub", sub.as_str()), ("target", TEAM)],
        [("sub", sub.as_str()), ("target", "NOTEAM")],
    ] {
        let answer = ask(&world, (TEAM, KEY), &fields).await;
        assert_eq!(answer.refusal(), refused("invalid_request"), "{fields:?}");
    }
    world.simulator.state().stop_using("crowd-000000");
    let answer = ask(&world, (TEAM, KEY), &[("sub", &sub), ("target", NEW)]).await;
    assert_eq!(answer.refusal(), refused("invalid_request"), "consent was revoked");
    let secret = secret(&world, TEAM, KEY);
    let form = [("client_id", WEB), ("client_secret", &secret), ("sub", &sub), ("target", NEW)];
    let answer = world.form("/auth/usermigrationinfo", &form).await;
    assert_eq!(answer.refusal(), refused("invalid_request"), "without an access token");
}
