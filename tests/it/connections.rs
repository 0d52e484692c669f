//! Several upstreams in one house: rows beside the file, each with its own rules.

use std::time::Duration;

use russet::op::admin::{
    Actor, AdminError, ClientChange, ConnectionChange, KeyTurn, NewConnection,
};
use russet::protocol::client::ClientKind;
use russet::protocol::connection::ConnectionSettings;
use russet::simulator::developer_key;
use serde_json::{Map, Value, json};

use crate::harness::app::claims;
use crate::harness::{BUNDLE_ID, House, TEAM};
use crate::on_each_engine;

/// The very Apple of the file, under another name: same team, same key.
pub fn same_team(house: &House, id: &str) -> NewConnection {
    let mut new = house.apple_connection(id, TEAM, "KEY1234567");
    new.display_name = Some("Apple for work".to_owned());
    if let ConnectionSettings::Apple(apple) = &mut new.settings {
        apple.bundle_ids = vec![BUNDLE_ID.to_owned()];
    }
    new
}

fn problem(error: &AdminError) -> (&'static str, String) {
    let AdminError::Invalid(problems) = error else { panic!("{error}") };
    (problems[0].field, problems[0].message.clone())
}

#[tokio::test]
async fn a_connection_made_on_one_replica_is_offered_on_the_other_within_seconds() {
    on_each_engine!(house, {
        let other = house.replica().await;
        let provider = &other.broker.provider;
        assert_eq!(provider.connectors().len(), 1);
        let administration = &house.broker.broker.administration;
        let new = same_team(&house, "work");
        administration.create_connection(&Actor::cli(), new).await.expect("a connection");
        let offered = |count: usize| async move {
            tokio::time::timeout(Duration::from_secs(10), async {
                while provider.connectors().len() != count {
                    tokio::task::yield_now().await;
                }
            })
            .await
            .expect("the replica takes it up");
        };
        offered(2).await;
        let off = ConnectionChange { enabled: Some(false), ..ConnectionChange::default() };
        let changed = administration.update_connection(&Actor::cli(), "work", off).await;
        assert_eq!(changed.expect("switched off").connection.version, 2);
        offered(1).await;
        administration.delete_connection(&Actor::cli(), "work", None).await.expect("deleted");
        other.stop().await;
    });
}

#[tokio::test]
async fn the_file_is_shown_and_not_changed_and_editors_do_not_overwrite_each_other() {
    on_each_engine!(house, {
        let administration = &house.broker.broker.administration;
        let actor = Actor::cli();
        house.make_connection(same_team(&house, "work")).await;
        let all = administration.list_connections().await.expect("connections");
        let seen: Vec<_> =
            all.iter().map(|one| (one.connection.id.as_str(), one.file_managed)).collect();
        assert_eq!(seen, [("apple", true), ("work", false)]);
        assert!(!all.iter().any(|one| one.to_json().to_string().contains("PRIVATE KEY")));

        let rename = |version| ConnectionChange {
            version: Some(version),
            display_name: Some("Other".to_owned()),
            ..ConnectionChange::default()
        };
        let file = administration.update_connection(&actor, "apple", rename(0)).await;
        assert!(problem(&file.unwrap_err()).1.contains("configuration file"));
        let file = administration.delete_connection(&actor, "apple", None).await;
        assert!(problem(&file.unwrap_err()).1.contains("configuration file"));
        let taken = administration.create_connection(&actor, same_team(&house, "apple")).await;
        assert_eq!(problem(&taken.unwrap_err()).0, "id");
        let taken = administration.create_connection(&actor, same_team(&house, "work")).await;
        assert_eq!(problem(&taken.unwrap_err()).0, "id");

        administration.update_connection(&actor, "work", rename(1)).await.expect("the first");
        let second = administration.update_connection(&actor, "work", rename(1)).await;
        assert!(matches!(second, Err(AdminError::Conflict)), "{second:?}");

        let mut bad = same_team(&house, "bad");
        bad.secrets.private_key = Some("not a key".into());
        let refused = administration.create_connection(&actor, bad).await;
        assert_eq!(problem(&refused.unwrap_err()).0, "private_key");
        let members = |members: Value| ConnectionChange {
            settings: members.as_object().cloned().unwrap_or_default(),
            ..ConnectionChange::default()
        };
        for (patch, field) in [
            (json!({ "team_id": "x y" }), "team_id"),
            (json!({ "kind": "oidc" }), "kind"),
            (json!({ "client_id": "x" }), "settings"),
            (json!({ "team_id": 7 }), "settings"),
        ] {
            let refused = administration.update_connection(&actor, "work", members(patch)).await;
            assert_eq!(problem(&refused.unwrap_err()).0, field);
        }
    });
}

#[tokio::test]
async fn two_connections_of_one_team_are_one_person() {
    let house = House::new().await;
    house.make_connection(same_team(&house, "work")).await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut subs = Vec::new();
    for connection in ["apple", "work"] {
        let mut browser = house.browser();
        let attempt = app.attempt("openid").with("connection", connection);
        let end = app.sign_in(&mut browser, &attempt, "Ada Lovelace").await;
        let code = end.query("code").unwrap_or_else(|| panic!("no code at {}", end.url));
        let tokens = app.redeem(&attempt, &code).await;
        subs.push(claims(tokens.text("id_token"))["sub"].clone());
    }
    assert_eq!(subs[0], subs[1]);
}

#[tokio::test]
async fn a_client_is_bound_to_its_connections_wherever_somebody_comes_in() {
    let house = House::new().await;
    house.make_connection(same_team(&house, "work")).await;
    let administration = &house.broker.broker.administration;
    let bound = |id: &str| ClientChange {
        settings: Map::from_iter([("allowed_connections".to_owned(), json!([id]))]),
        ..ClientChange::default()
    };
    let app = house.client(ClientKind::Web, |_| {}).await;
    let id = &app.client.client_id;
    let refused = administration.update_client(&Actor::cli(), id, bound("nowhere")).await;
    assert_eq!(problem(&refused.unwrap_err()).0, "allowed_connections");

    // Unbound: a page asks.
    let mut browser = house.browser();
    let page = browser.open(&app.authorize_url(&app.attempt("openid"))).await;
    let ways = |page: &crate::harness::browser::Page| {
        page.forms().iter().filter(|form| form.action.path().contains("/depart/")).count()
    };
    assert_eq!(ways(&page), 2, "{}", page.body);
    let other_way = page
        .forms()
        .into_iter()
        .find(|form| form.action.path().ends_with("/depart/apple"))
        .expect("a way through Apple");

    administration.update_client(&Actor::cli(), id, bound("work")).await.expect("bound");
    // The way that the page still offers is closed.
    let end = browser.submit(&page, &other_way).await;
    assert!(!end.url.as_str().starts_with(house.apple.issuer()), "{}", end.url);
    // A request that names another connection is refused, to the client.
    let attempt = app.attempt("openid").with("connection", "apple");
    let end = house.browser().open(&app.authorize_url(&attempt)).await;
    assert_eq!(end.query("error").as_deref(), Some("invalid_request"));
    let attempt = app.attempt("openid").with("connection", "nowhere");
    let end = house.browser().open(&app.authorize_url(&attempt)).await;
    assert_eq!(end.query("error").as_deref(), Some("invalid_request"));
    // One way is left, so nobody is asked.
    let page = house.browser().open(&app.authorize_url(&app.attempt("openid"))).await;
    assert!(page.url.as_str().starts_with(house.apple.issuer()), "{}", page.url);
    // A session that came through the other connection is not enough.
    let mut browser = house.browser();
    let free = house.client(ClientKind::Web, |_| {}).await;
    let attempt = free.attempt("openid").with("connection", "apple");
    free.sign_in(&mut browser, &attempt, "Ada Lovelace").await;
    let silent = app.attempt("openid").with("prompt", "none");
    let end = browser.open(&app.authorize_url(&silent)).await;
    assert_eq!(end.query("error").as_deref(), Some("login_required"));
    // A connection that a client is bound to stays.
    let refused = administration.delete_connection(&Actor::cli(), "work", None).await;
    assert!(problem(&refused.unwrap_err()).1.contains(id.as_str()));
}

#[tokio::test]
async fn an_answer_for_one_connection_is_none_for_another() {
    let house = House::new().await;
    house.make_connection(same_team(&house, "work")).await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let attempt = app.attempt("openid").with("connection", "work");
    let page = browser.open(&app.authorize_url(&attempt)).await;
    let state = page.query("state").expect("a state");
    let mixed = format!("{}/upstream/apple/callback?state={state}&code=x", house.issuer);
    let end = browser.open(&mixed).await;
    assert_eq!(end.status, 400, "{}", end.body);
    // And a connection that was switched off meanwhile takes no answer at all.
    let attempt = app.attempt("openid").with("connection", "work");
    let page = browser.open(&app.authorize_url(&attempt)).await;
    let off = ConnectionChange { enabled: Some(false), ..ConnectionChange::default() };
    let administration = &house.broker.broker.administration;
    administration.update_connection(&Actor::cli(), "work", off).await.expect("off");
    house.broker.broker.provider.reload_connectors().await.expect("reloading");
    let end = browser.press(&page, "Continue as Ada").await;
    assert_eq!(end.status, 404, "{}", end.url);
}

#[tokio::test]
async fn a_key_withdrawn_at_apple_is_followed_by_the_next_without_an_outage() {
    let house = House::new().await;
    let administration = &house.broker.broker.administration;
    let mut new = same_team(&house, "work");
    // The active key is one that Apple never knew, as after a withdrawal.
    let (withdrawn, _) = developer_key().expect("a key");
    new.secrets.private_key = Some(withdrawn);
    if let ConnectionSettings::Apple(apple) = &mut new.settings {
        apple.key_id = "WITHDRAWN1".to_owned();
    }
    house.make_connection(new).await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let attempt = || app.attempt("openid").with("connection", "work");
    let end = app.sign_in(&mut house.browser(), &attempt(), "Ada Lovelace").await;
    assert_eq!(end.query("error").as_deref(), Some("server_error"), "{}", end.url);

    let stage = KeyTurn::Stage { key_id: "KEY1234567".to_owned(), private_key: house.apple_key() };
    let actor = Actor::cli();
    administration.turn_connection_key(&actor, "work", None, stage).await.expect("staged");
    house.broker.broker.provider.reload_connectors().await.expect("reloading");
    let end = app.sign_in(&mut house.browser(), &attempt(), "Ada Lovelace").await;
    assert!(end.query("code").is_some(), "the next key takes over: {}", end.url);

    let turned = administration.turn_connection_key(&actor, "work", None, KeyTurn::Promote).await;
    let ConnectionSettings::Apple(apple) = turned.expect("promoted").connection.settings else {
        panic!("Apple");
    };
    assert_eq!((apple.key_id.as_str(), apple.next_key_id), ("KEY1234567", None));
    let again = administration.turn_connection_key(&actor, "work", None, KeyTurn::Promote).await;
    assert_eq!(problem(&again.unwrap_err()).0, "next_key_id");
    house.broker.broker.provider.reload_connectors().await.expect("reloading");
    let end = app.sign_in(&mut house.browser(), &attempt(), "Ada Lovelace").await;
    assert!(end.query("code").is_some(), "{}", end.url);
}
