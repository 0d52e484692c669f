//! The authorization endpoint: what it refuses, and what it answers.

use serde_json::Value;

use super::*;

async fn refusal(more: &[(&str, &str)]) -> (u16, String) {
    World::new().authorize(&changed(&ordinary(), more)).await.refusal()
}

#[actix_web::test]
async fn an_unregistered_return_url_is_refused() {
    for url in [
        "https://broker.example/other",
        "https://broker.example/callback/",
        "https://broker.example/callback?a=b",
        "https://BROKER.example/callback",
    ] {
        assert_eq!(
            refusal(&[("redirect_uri", url)]).await,
            refused("unauthorized_client"),
            "{url}"
        );
    }
}

#[actix_web::test]
async fn a_registered_return_url_must_be_https_with_a_dns_name() {
    for url in ["http://broker.example/cb", "https://localhost/cb", "https://127.0.0.1/cb"] {
        let world = World::new();
        // The lock is held for this one statement; the request below takes it too.
        world.simulator.state().teams[0].groups[0].services_ids[0].return_urls.push(url.into());
        let asked = changed(&ordinary(), &[("redirect_uri", url)]);
        assert_eq!(
            world.authorize(&asked).await.refusal(),
            refused("unauthorized_client"),
            "{url}"
        );
    }
}

#[actix_web::test]
async fn a_repeated_parameter_is_refused() {
    let mut parameters = ordinary();
    parameters.push(("state", "another"));
    let answer = World::new().authorize(&parameters).await;
    assert_eq!(answer.refusal(), refused("invalid_request"));
}

#[actix_web::test]
async fn an_id_token_never_travels_in_a_query() {
    let asked = [("response_mode", "query"), ("scope", "")];
    assert_eq!(refusal(&asked).await, refused("invalid_request"));
}

#[actix_web::test]
async fn name_and_email_need_form_post() {
    for scope in ["name", "email", "name email"] {
        for mode in ["query", "fragment", ""] {
            let asked = [("scope", scope), ("response_mode", mode), ("response_type", "code")];
            assert_eq!(refusal(&asked).await, refused("invalid_request"), "{scope} {mode}");
        }
    }
}

#[actix_web::test]
async fn an_unknown_scope_is_refused() {
    assert_eq!(refusal(&[("scope", "name profile")]).await, refused("invalid_scope"));
}

#[actix_web::test]
async fn an_unknown_client_is_refused() {
    assert_eq!(refusal(&[("client_id", "com.example.nobody")]).await, refused("invalid_client"));
    assert_eq!(refusal(&[("client_id", "COM.EXAMPLE.WEB")]).await, refused("invalid_client"));
}

#[actix_web::test]
async fn a_bundle_id_is_no_web_client() {
    assert_eq!(refusal(&[("client_id", APP)]).await, refused("invalid_client"));
}

#[actix_web::test]
async fn other_response_types_modes_and_challenge_methods_are_refused() {
    assert_eq!(refusal(&[("response_type", "id_token")]).await, refused("invalid_request"));
    assert_eq!(refusal(&[("response_mode", "web_message")]).await, refused("invalid_request"));
    let plain = [("code_challenge", CHALLENGE), ("code_challenge_method", "plain")];
    assert_eq!(refusal(&plain).await, refused("invalid_request"));
    assert_eq!(refusal(&[("code_challenge", CHALLENGE)]).await, refused("invalid_request"));
}

#[actix_web::test]
async fn without_scopes_the_code_may_travel_in_the_query() {
    let world = World::new();
    let asked = [("scope", ""), ("response_type", "code"), ("response_mode", "query")];
    let answer = world.choose(&changed(&ordinary(), &asked), "ada").await;
    assert_eq!(answer.status, 303);
    let location = answer.location.unwrap();
    assert!(location.starts_with(&format!("{RETURN}?code=")), "{location}");
    assert!(location.ends_with("&state=the-state"), "{location}");
}

#[actix_web::test]
async fn user_comes_once_per_app_group() {
    let world = World::new();
    let first = world.choose(&ordinary(), "ada").await;
    let user: Value = serde_json::from_str(&first.field("user").unwrap()).unwrap();
    assert_eq!(user["name"]["firstName"], "Ada");
    assert_eq!(user["email"], "ada@example.com");
    assert_eq!(world.choose(&ordinary(), "ada").await.field("user"), None);
    // The group's native app shares the consent.
    let native = world.control("/_sim/native", json!({ "account": "ada", "bundle_id": APP })).await;
    assert_eq!(native.json().get("fullName"), None);
    // Another group of the same team asks anew.
    let other = changed(&ordinary(), &[("client_id", OTHER_WEB)]);
    assert!(world.choose(&other, "ada").await.field("user").is_some());
}

#[actix_web::test]
async fn user_comes_again_after_the_person_stopped_using_the_app() {
    let world = World::new();
    world.choose(&ordinary(), "ada").await;
    world.control("/_sim/stop-using", json!({ "account": "ada" })).await;
    assert!(world.choose(&ordinary(), "ada").await.field("user").is_some());
}

#[actix_web::test]
async fn the_front_channel_token_carries_c_hash_and_the_nonce() {
    let world = World::new();
    let page = world.choose(&ordinary(), "grace").await;
    let told = claims(&page.field("id_token").unwrap());
    let code = page.field("code").unwrap();
    assert_eq!(told["c_hash"], crate::simulator::token::half_hash(&code));
    assert_eq!(told["nonce"], "the-nonce");
    assert_eq!(told.get("at_hash"), None);
    assert_eq!(told["is_private_email"], "true");
    assert!(told["email"].as_str().unwrap().ends_with("@privaterelay.appleid.com"));
}

#[actix_web::test]
async fn cancelling_gives_the_error_and_the_state() {
    let world = World::new();
    let page = world.authorize(&ordinary()).await;
    let request = page.field("request").unwrap();
    let fields = [("request", request.as_str()), ("cancel", "true")];
    let answer = world.form("/auth/authorize/answer", &fields).await;
    assert_eq!(answer.field("error").unwrap(), "user_cancelled_authorize");
    assert_eq!(answer.field("state").unwrap(), "the-state");
    assert_eq!(answer.field("code"), None);
}

#[actix_web::test]
async fn a_page_is_answered_once() {
    let world = World::new();
    let page = world.authorize(&ordinary()).await;
    let request = page.field("request").unwrap();
    let fields = [("request", request.as_str()), ("account", "ada")];
    assert_eq!(world.form("/auth/authorize/answer", &fields).await.status, 200);
    let again = world.form("/auth/authorize/answer", &fields).await;
    assert_eq!(again.refusal(), refused("invalid_request"));
}
