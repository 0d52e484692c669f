//! Notifications look as they do on the wire.

use super::*;

async fn notify(world: &World, body: Value) -> Value {
    let answer = world.control("/_sim/notifications", body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

fn told(notification: &Value) -> Value {
    claims(notification["payload"].as_str().unwrap())
}

#[actix_web::test]
async fn events_are_a_string_with_milliseconds() {
    let world = World::new();
    let sent = notify(&world, json!({ "account": "ada", "type": "consent-revoked" })).await;
    let keys = world.read("/auth/keys").await.json();
    assert!(is_apples(&keys, sent["payload"].as_str().unwrap()));
    let told = told(&sent);
    assert_eq!((&told["iss"], &told["aud"]), (&json!(ISSUER), &json!(APP)));
    assert_eq!(told["exp"], world.now() + 86_400);
    let event: Value = serde_json::from_str(told["events"].as_str().unwrap()).unwrap();
    assert_eq!(event["type"], "consent-revoked");
    assert_eq!(event["event_time"], world.now() * 1000);
    let native = world.control("/_sim/native", json!({ "account": "ada", "bundle_id": APP })).await;
    assert_eq!(event["sub"], native.json()["user"]);
    assert_eq!(event.get("email"), None);
    assert_eq!(sent["delivered"], Value::Null);
}

#[actix_web::test]
async fn the_jti_the_time_the_name_and_the_shape_can_be_chosen() {
    let world = World::new();
    let sent = notify(
        &world,
        json!({ "account": "ada", "type": "account-delete", "name_switch": true,
            "object_events": true, "jti": "again", "event_time": 5 }),
    )
    .await;
    let told = told(&sent);
    assert_eq!(told["jti"], "again");
    assert_eq!(told["events"]["type"], "account-deleted");
    assert_eq!(told["events"]["event_time"], 5);
}

#[actix_web::test]
async fn a_deleted_person_can_still_be_spoken_of_but_not_a_made_up_one() {
    let world = World::new();
    world.control("/_sim/delete-account", json!({ "account": "ada" })).await;
    notify(&world, json!({ "account": "ada", "type": "account-delete" })).await;
    let made_up = json!({ "account": "nobody", "type": "account-delete" });
    let answer = world.control("/_sim/notifications", made_up).await;
    assert_eq!(answer.refusal(), refused("invalid_request"));
}

#[actix_web::test]
async fn a_forged_notification_is_not_apples() {
    let world = World::new();
    let order = json!({ "account": "ada", "type": "consent-revoked", "fault": "stranger_key" });
    let sent = notify(&world, order).await;
    let keys = world.read("/auth/keys").await.json();
    assert!(!is_apples(&keys, sent["payload"].as_str().unwrap()));
}

#[actix_web::test]
async fn a_notification_is_posted_to_the_groups_url() {
    let receiver = actix_web::HttpServer::new(|| {
        App::new().route(
            "/events",
            web::post().to(|body: web::Json<Value>| async move {
                let whole = body.get("payload").is_some_and(Value::is_string);
                actix_web::HttpResponse::build(if whole {
                    actix_web::http::StatusCode::ACCEPTED
                } else {
                    actix_web::http::StatusCode::BAD_REQUEST
                })
            }),
        )
    })
    .workers(1)
    .disable_signals()
    .bind("127.0.0.1:0")
    .unwrap();
    let url = format!("http://{}/events", receiver.addrs()[0]);
    let receiver = receiver.run();
    let handle = receiver.handle();
    actix_web::rt::spawn(receiver);
    let world = World::with_notification_url(Some(url));
    let order = json!({ "account": "grace", "type": "email-disabled" });
    let sent = notify(&world, order).await;
    handle.stop(false).await;
    assert_eq!(sent["delivered"], 202);
    let event: Value = serde_json::from_str(told(&sent)["events"].as_str().unwrap()).unwrap();
    assert!(event["email"].as_str().unwrap().ends_with("@privaterelay.appleid.com"));
}
