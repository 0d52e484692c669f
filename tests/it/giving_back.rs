//! An Apple identity is taken away: its grant goes back to Apple, whoever takes it and however long
//! Apple is away — and stays if the person has come back meanwhile.

use std::time::Duration;

use russet::op::admin::Actor;
use russet::protocol::client::ClientKind;
use russet::protocol::deletion::DeletionState;
use russet::protocol::id::UserId;
use russet::protocol::user::Identity;
use serde_json::json;

use crate::harness::{BUNDLE_ID, House, SERVICES_ID};
use crate::on_each_engine;

const HOUR: Duration = Duration::from_secs(3600);

/// Signs Ada in with Apple; answers with her identity.
async fn ada(house: &House) -> Identity {
    let app = house.client(ClientKind::Web, |_| {}).await;
    let tokens = app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
    let sub = crate::harness::app::claims(tokens.text("id_token"))["sub"].clone();
    let user = house.store().find_user_by_sub(sub.as_str().expect("a sub")).await.unwrap();
    let identities = house.store().list_identities(&user.expect("Ada").id).await.unwrap();
    identities.into_iter().next().expect("her identity")
}

async fn unlink(house: &House, identity: &Identity) {
    let Identity { user_id, authority, subject, .. } = identity;
    let administration = &house.broker.broker.administration;
    let actor = Actor::cli();
    administration.unlink_identity(&actor, user_id, authority, subject).await.expect("unlinked");
    assert_eq!(grants(house, user_id).await, 0, "no grant is left behind");
}

async fn grants(house: &House, user_id: &UserId) -> usize {
    house.store().find_upstream_grants(user_id).await.unwrap().len()
}

/// Whether anything is owed to Apple, however late it is tried.
async fn owes(house: &House) -> bool {
    let late = house.now().plus(HOUR * 24 * 30);
    !house.store().due_left_grants(late, 9).await.unwrap().is_empty()
}

/// Lets time pass until nothing is owed any more; the jobs may be at it as well.
async fn until_settled(house: &House) {
    while owes(house).await {
        house.advance(HOUR);
        house.broker.broker.provider.give_left_grants_back().await.expect("trying");
    }
}

#[tokio::test]
async fn what_an_identity_left_behind_is_owed_until_apple_confirms() {
    on_each_engine!(house, {
        let identity = ada(&house).await;
        let away = json!({ "endpoint": "revoke", "fault": "status_503", "times": 1000 });
        house.simulate("faults", &away).await;
        unlink(&house, &identity).await;
        let asked = house.apple_asked("revoke").await;
        for _ in 0..48 {
            house.advance(HOUR);
            house.broker.broker.provider.give_left_grants_back().await.expect("trying");
        }
        assert!(owes(&house).await, "for days");
        assert!(house.apple_asked("revoke").await > asked);
        assert_eq!(house.events("upstream_grant.given_back").await, 0);

        house.simulate("faults/clear", &json!({})).await;
        until_settled(&house).await;
        assert_eq!(house.events("upstream_grant.given_back").await, 1);
    });
}

#[tokio::test]
async fn an_apple_that_never_answers_is_given_up_after_two_weeks_and_that_is_said() {
    let house = House::new().await;
    let identity = ada(&house).await;
    let away = json!({ "endpoint": "revoke", "fault": "status_503", "times": 100_000 });
    house.simulate("faults", &away).await;
    unlink(&house, &identity).await;
    house.advance(HOUR * 24 * 14);
    until_settled(&house).await;
    assert_eq!(house.events("upstream_grant.given_back").await, 1);
}

#[tokio::test]
async fn who_comes_back_before_that_keeps_what_they_are_given_anew() {
    on_each_engine!(house, {
        let identity = ada(&house).await;
        let away = json!({ "endpoint": "revoke", "fault": "status_503", "times": 1000 });
        house.simulate("faults", &away).await;
        unlink(&house, &identity).await;
        let again = ada(&house).await;
        assert_ne!(again.user_id, identity.user_id, "somebody new here, the same at Apple");
        assert_eq!(again.subject, identity.subject);
        assert!(!owes(&house).await);
        house.simulate("faults/clear", &json!({})).await;
        house.advance(HOUR * 26);
        house.broker.broker.provider.give_left_grants_back().await.expect("nothing to do");
        house.broker.broker.provider.daily_check("a test").await.expect("a check");
        assert_eq!(house.events("apple.grant_revoked").await, 0);
        assert_eq!(grants(&house, &again.user_id).await, 1);
    });
}

#[tokio::test]
async fn a_deletion_gives_both_grants_back_each_with_its_own_client() {
    on_each_engine!(house, {
        let identity = ada(&house).await;
        let app = house.client(ClientKind::Native, |_| {}).await;
        let credential = house.native_credential("ada", Some("raw")).await;
        let code = credential["authorizationCode"].as_str().expect("a code");
        let brought = [("nonce", "raw"), ("authorization_code", code)];
        let tokens = app.exchange_native(&credential, &brought).await;
        assert_eq!(tokens.status, 200, "{}", tokens.json);
        assert_eq!(grants(&house, &identity.user_id).await, 2, "of the web and of the app");
        let administration = &house.broker.broker.administration;
        let id = identity.user_id.as_str();
        let deletion = administration.delete_user(&Actor::cli(), id).await.expect("begun").id;
        loop {
            let receipt = house.store().find_receipt(&deletion).await.unwrap().expect("a receipt");
            if receipt.deletion.state == DeletionState::Completed {
                break;
            }
            house.advance(Duration::from_secs(1));
            house.broker.broker.provider.continue_deletions().await.expect("going on");
        }
        let journal = house.apple_journal().await;
        let revoked = journal.iter().filter(|entry| entry["endpoint"] == "revoke");
        let mut clients: Vec<_> = revoked.filter_map(|it| it["client_id"].as_str()).collect();
        clients.sort_unstable();
        assert_eq!(clients, [BUNDLE_ID, SERVICES_ID]);
    });
}

#[tokio::test]
async fn a_deletion_gives_back_every_token_that_apple_gave_and_not_the_newest_alone() {
    on_each_engine!(house, {
        let first = ada(&house).await;
        for _ in 0..2 {
            house.advance(HOUR);
            let again = ada(&house).await;
            assert_eq!(again.user_id, first.user_id);
        }
        assert!(!owes(&house).await, "nothing is owed while she is here");
        assert_eq!(house.apple_asked("revoke").await, 0, "nor given back");
        let administration = &house.broker.broker.administration;
        let actor = Actor::cli();
        let begun = administration.delete_user(&actor, first.user_id.as_str()).await;
        begun.expect("a deletion");
        let deleted = || async { house.events("user.deleted").await == 1 };
        while !deleted().await {
            house.advance(Duration::from_secs(60));
            house.broker.broker.provider.continue_deletions().await.expect("going on");
        }
        assert!(!owes(&house).await, "nothing is left to give back");
        assert_eq!(house.apple_asked("revoke").await, 3, "each of them, once");
    });
}
