//! Faults happen as ordered, as often as ordered, and the journal tells no secrets.

use super::*;

async fn order(world: &World, endpoint: &str, fault: &str) {
    let order = json!({ "endpoint": endpoint, "fault": fault });
    let answer = world.control("/_sim/faults", order).await;
    assert_eq!(answer.status, 204, "{endpoint} {fault}: {}", answer.body);
}

/// A code's ID token from the token endpoint, after a fault was ordered for it.
async fn faulty_token(fault: &str) -> (World, String) {
    let world = World::new();
    order(&world, "token", fault).await;
    let code = world.code(&[]).await;
    let answer = world.redeem(WEB, &code, &[("redirect_uri", RETURN)]).await.json();
    let token = answer["id_token"].as_str().unwrap().to_owned();
    (world, token)
}

#[actix_web::test]
async fn a_status_is_answered_once_and_then_no_more() {
    let world = World::new();
    for (fault, status) in
        [("status_403_html", 403), ("status_429", 429), ("status_500", 500), ("status_503", 503)]
    {
        order(&world, "keys", fault).await;
        assert_eq!(world.read("/auth/keys").await.status, status);
        assert_eq!(world.read("/auth/keys").await.status, 200);
    }
}

#[actix_web::test]
async fn a_fault_may_let_requests_pass_first() {
    let world = World::new();
    let later = json!({ "endpoint": "keys", "fault": "status_503", "after": 2 });
    world.control("/_sim/faults", later).await;
    for status in [200, 200, 503, 200] {
        assert_eq!(world.read("/auth/keys").await.status, status);
    }
}

#[actix_web::test]
async fn a_fault_stays_with_its_endpoint_and_lasts_its_times() {
    let world = World::new();
    let twice = json!({ "endpoint": "token", "fault": "status_503", "times": 2 });
    world.control("/_sim/faults", twice).await;
    assert_eq!(world.read("/auth/keys").await.status, 200);
    let code = world.code(&[]).await;
    for status in [503, 503, 200] {
        assert_eq!(world.redeem(WEB, &code, &[("redirect_uri", RETURN)]).await.status, status);
    }
}

#[actix_web::test]
async fn bodies_are_cut_and_misnamed() {
    let world = World::new();
    order(&world, "keys", "truncated_json").await;
    let cut = world.read("/auth/keys").await;
    assert!(serde_json::from_str::<Value>(&cut.body).is_err(), "{}", cut.body);
    order(&world, "keys", "wrong_content_type").await;
    assert_eq!(world.read("/auth/keys").await.content_type, "text/html");
}

#[actix_web::test]
async fn keys_are_empty_or_unknown_when_ordered() {
    let world = World::new();
    let honest = world.read("/auth/keys").await.json();
    order(&world, "keys", "empty_keys").await;
    assert_eq!(world.read("/auth/keys").await.json(), json!({ "keys": [] }));
    order(&world, "keys", "unknown_kid").await;
    let renamed = world.read("/auth/keys").await.json();
    assert_ne!(renamed["keys"][0]["kid"], honest["keys"][0]["kid"]);
    assert_eq!(renamed["keys"][0]["n"], honest["keys"][0]["n"]);
}

#[actix_web::test]
async fn each_claim_is_spoiled_as_ordered() {
    for (fault, claim) in [
        ("wrong_aud", "aud"),
        ("wrong_iss", "iss"),
        ("wrong_nonce", "nonce"),
        ("missing_nonce", "nonce"),
        ("missing_sub", "sub"),
        ("missing_email", "email"),
        ("expired", "exp"),
        ("future_iat", "iat"),
        ("stale_iat", "iat"),
        ("wrong_c_hash", "c_hash"),
    ] {
        let (world, spoiled) = faulty_token(fault).await;
        let code = world.code(&[]).await;
        let honest = world.redeem(WEB, &code, &[("redirect_uri", RETURN)]).await.json();
        let honest = claims(honest["id_token"].as_str().unwrap());
        assert_ne!(claims(&spoiled).get(claim), honest.get(claim), "{fault}");
    }
}

#[actix_web::test]
async fn forged_tokens_name_what_a_forger_would() {
    let (_, unsigned) = faulty_token("alg_none").await;
    assert_eq!(part(&unsigned, 0)["alg"], "none");
    assert!(unsigned.ends_with('.'));
    let (_, hs256) = faulty_token("alg_hs256").await;
    assert_eq!(part(&hs256, 0)["alg"], "HS256");
    let (world, unknown) = faulty_token("unknown_kid").await;
    let keys = world.read("/auth/keys").await.json();
    assert_ne!(part(&unknown, 0)["kid"], keys["keys"][0]["kid"]);
}

#[actix_web::test]
async fn a_strangers_signature_fails_under_apples_kid() {
    let (world, stranger) = faulty_token("stranger_key").await;
    let keys = world.read("/auth/keys").await.json();
    assert_eq!(part(&stranger, 0)["kid"], keys["keys"][0]["kid"]);
    assert!(!is_apples(&keys, &stranger));
    let code = world.code(&[]).await;
    let honest = world.redeem(WEB, &code, &[("redirect_uri", RETURN)]).await.json();
    assert!(is_apples(&keys, honest["id_token"].as_str().unwrap()));
}

#[actix_web::test]
async fn a_fault_that_cannot_be_is_refused() {
    let world = World::new();
    for (endpoint, fault) in [("keys", "wrong_aud"), ("token", "empty_keys"), ("revoke", "expired")]
    {
        let order = json!({ "endpoint": endpoint, "fault": fault });
        let answer = world.control("/_sim/faults", order).await;
        assert_eq!(answer.refusal(), refused("invalid_request"), "{endpoint} {fault}");
    }
    let unknown = json!({ "endpoint": "token", "fault": "rain" });
    assert_eq!(world.control("/_sim/faults", unknown).await.status, 400);
}

#[actix_web::test]
async fn a_held_request_goes_on_when_released() {
    let world = World::new();
    order(&world, "keys", "hang").await;
    let release = async {
        loop {
            let released = world.control("/_sim/release", json!({})).await.json();
            if released["released"] == 1 {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    let (answer, ()) = tokio::join!(world.read("/auth/keys"), release);
    assert_eq!(answer.status, 200);
}

#[actix_web::test]
async fn the_journal_tells_what_was_sent_but_no_secret() {
    let world = World::new();
    let code = world.code(&[]).await;
    world.redeem(WEB, &code, &[("redirect_uri", RETURN)]).await;
    let journal = world.read("/_sim/journal").await;
    let (asked, redeemed) = (&journal.json()[0], &journal.json()[1]);
    assert_eq!((&asked["endpoint"], &asked["has_nonce"]), (&json!("authorize"), &json!(true)));
    assert_eq!(asked["has_plus_in_query"], true);
    assert_eq!(redeemed["grant_type"], "authorization_code");
    assert_eq!(redeemed["client_id"], WEB);
    assert_eq!(redeemed["has_redirect_uri"], true);
    assert_eq!(redeemed["has_code_verifier"], false);
    assert_eq!(redeemed["status"], 200);
    for secret in [code.as_str(), "the-nonce", "the-state", &world.secret(WEB)[..40]] {
        assert!(!journal.body.contains(secret), "{}", journal.body);
    }
}

#[actix_web::test]
async fn discovery_moves_and_the_signing_key_goes_missing_when_ordered() {
    let world = World::new();
    order(&world, "discovery", "issuer_moved").await;
    let path = "/.well-known/openid-configuration";
    assert_eq!(world.read(path).await.json()["issuer"], "https://account.apple.com");
    assert_eq!(world.read(path).await.json()["issuer"], ISSUER);
    order(&world, "discovery", "status_503").await;
    assert_eq!(world.read(path).await.status, 503);
    order(&world, "keys", "missing_key").await;
    assert_eq!(world.read("/auth/keys").await.json(), json!({ "keys": [] }));
}

#[actix_web::test]
async fn apples_clock_can_be_set_apart() {
    let world = World::new();
    let code = world.code(&[]).await;
    world.control("/_sim/clock", json!({ "seconds": 299 })).await;
    let more = [("redirect_uri", RETURN)];
    assert_eq!(world.redeem(WEB, &code, &more).await.status, 200);
    world.control("/_sim/clock", json!({ "seconds": -120 })).await;
    let code = world.code(&[]).await;
    assert_eq!(world.redeem(WEB, &code, &more).await.refusal(), refused("invalid_client"));
}

#[actix_web::test]
async fn another_key_may_stand_under_a_known_name() {
    let world = World::new();
    let before = world.read("/auth/keys").await.json();
    let replaced = world.control("/_sim/keys/replace", json!({})).await.json();
    let after = world.read("/auth/keys").await.json();
    assert_eq!(before["keys"][0]["kid"], replaced["kid"]);
    assert_eq!(after["keys"][0]["kid"], replaced["kid"]);
    assert_ne!(before["keys"][0]["n"], after["keys"][0]["n"]);
}

#[actix_web::test]
async fn the_front_page_has_buttons_for_what_people_do() {
    let world = World::new();
    let front = world.read("/").await;
    assert!(!front.body.contains("stop-using"), "nobody uses an app yet");
    world.code(&[]).await;
    assert_eq!(world.read("/").await.body.matches("stop-using").count(), 1);
    let press = |act| [("account", "ada"), ("act", act)];
    let answer = world.form("/people", &press("toggle-forwarding")).await;
    assert_eq!((answer.status, answer.location.as_deref()), (303, Some("/")));
    assert!(world.read("/").await.body.contains("Forward mail again"));
    world.form("/people", &press("stop-using")).await;
    assert!(!world.read("/").await.body.contains("stop-using"));
    world.form("/people", &press("delete-account")).await;
    assert!(!world.read("/").await.body.contains("Ada Lovelace"));
}
