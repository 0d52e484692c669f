//! Deletion that finishes: apple.md §7, whoever asks for it, whatever breaks on the way.

use std::time::Duration;

use russet::op::admin::{Actor, AdminError};
use russet::protocol::client::{Client, ClientKind};
use russet::protocol::deletion::{DeletionState, Receipt};
use russet::protocol::id::DeletionId;
use russet::protocol::security_event::EventType;
use serde_json::json;

use crate::harness::app::{App, answer, claims};
use crate::harness::browser::{Browser, Page};
use crate::harness::receiver::{Receiver, eventually, verified};
use crate::harness::{House, SERVICES_ID};
use crate::on_each_engine;

const ADA: &str = "Ada Lovelace";

fn told(receiver: &Receiver) -> impl FnOnce(&mut Client) {
    let (logout, events) = (receiver.url("/logout"), receiver.url("/events"));
    move |client| {
        client.settings.backchannel_logout_uri = Some(logout);
        client.settings.security_events_endpoint = Some(events);
        client.settings.security_events_requested =
            Some(vec![EventType::AccountPurged.uri().to_owned()]);
    }
}

async fn fault(house: &House, endpoint: &str, fault: &str, times: u32) {
    let order = json!({ "endpoint": endpoint, "fault": fault, "times": times });
    house.simulate("faults", &order).await;
}

/// What the broker asked of Apple at this endpoint: client and status of each.
async fn asked(house: &House, endpoint: &str) -> Vec<(String, u64)> {
    let journal = house.apple_journal().await;
    let entries = journal.iter().filter(|entry| {
        entry["endpoint"] == endpoint && entry["grant_type"] != "authorization_code"
    });
    entries
        .map(|entry| {
            let client = entry["client_id"].as_str().unwrap().to_owned();
            (client, entry["status"].as_u64().unwrap())
        })
        .collect()
}

async fn press(browser: &mut Browser, house: &House, typed: &str) -> Page {
    let page = browser.open(&format!("{}/account/delete", house.issuer)).await;
    let mut form = page.forms().remove(0);
    for (name, value) in &mut form.fields {
        if name == "confirm" {
            typed.clone_into(value);
        }
    }
    browser.submit(&page, &form).await
}

async fn receipt(house: &House, id: &str) -> Receipt {
    house.store().find_receipt(&DeletionId::new(id)).await.unwrap().unwrap()
}

async fn completed(house: &House, id: &str) -> Receipt {
    eventually(|| async {
        let receipt = receipt(house, id).await;
        (receipt.deletion.state == DeletionState::Completed).then_some(receipt)
    })
    .await
}

/// The same while time goes by.
pub async fn completed_in_time(house: &House, id: &str) -> Receipt {
    eventually(|| async {
        house.advance(Duration::from_secs(1));
        let receipt = receipt(house, id).await;
        (receipt.deletion.state == DeletionState::Completed).then_some(receipt)
    })
    .await
}

/// Waits until the deletion has been tried so often and waits for its next turn.
async fn waiting(house: &House, id: &str, attempts: i32) {
    eventually(|| async {
        let deletion = receipt(house, id).await.deletion;
        let lease = house.now().plus(Duration::from_secs(120));
        (deletion.attempts >= attempts && deletion.due_at != lease && deletion.due_at > house.now())
            .then_some(())
    })
    .await;
}

fn steps(receipt: &Receipt) -> Vec<(&str, &str)> {
    receipt.steps.iter().map(|step| (step.step.as_str(), step.outcome.as_str())).collect()
}

async fn sub_of(app: &App, browser: &mut Browser) -> String {
    let tokens = app.tokens(browser, "openid", ADA).await;
    claims(tokens.text("id_token"))["sub"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_person_deletes_their_account_and_everybody_hears_of_it() {
    on_each_engine!(house, {
        let mut receiver = Receiver::start();
        let app = house.client(ClientKind::Web, told(&receiver)).await;
        let mut browser = house.browser();
        let tokens = app.tokens(&mut browser, "openid email offline_access", ADA).await;
        let sub = claims(tokens.text("id_token"))["sub"].as_str().unwrap().to_owned();
        let end = press(&mut browser, &house, "Delete").await;
        let id = end.url.path().rsplit('/').next().unwrap().to_owned();
        assert!(end.body.contains("id=\"receipt\""));

        // At once: nothing that was given works any more.
        let refused = app.refresh(tokens.text("refresh_token")).await;
        assert_eq!(refused.error(), "400 invalid_grant");
        let dead = app.userinfo(tokens.text("access_token")).await;
        assert_eq!(dead.error(), "401 invalid_token");

        let receipt = completed(&house, &id).await;
        assert_eq!(
            steps(&receipt),
            [
                ("sessions_and_tokens_ended", "sessions: 1, grants: 1"),
                ("upstream_grant", format!("{SERVICES_ID}: revoked and verified").as_str()),
                ("person_erased", "profile, identities, consents and tokens are gone"),
                ("clients_told", "messages taken: 2, given up: 0"),
            ]
        );
        assert_eq!(receipt.deletion.user_id, None);
        let client = SERVICES_ID.to_owned();
        assert_eq!(asked(&house, "revoke").await, [(client.clone(), 200)]);
        assert_eq!(asked(&house, "token").await, [(client, 400)], "verified by a refresh");
        assert!(house.store().find_user_by_sub(&sub).await.unwrap().is_none());

        let (mut logout, mut purged) = (receiver.next().await, receiver.next().await);
        if logout.path == "/events" {
            (logout, purged) = (purged, logout);
        }
        assert_eq!(claims(&logout.logout_token())["sub"], sub.as_str());
        assert_eq!(purged.header("content-type"), Some("application/secevent+jwt"));
        let (_, event) = verified(&house, &purged.body).await;
        assert_eq!(event["events"], json!({ EventType::AccountPurged.uri(): {} }));
        assert_eq!(event["sub_id"]["sub"], sub.as_str());

        // The receipt outlives the person and says nothing about them.
        let url = format!("{}/account/deletions/{id}", house.issuer);
        let page = browser.open(&url).await;
        assert!(page.body.contains("Your account is deleted"));
        assert!(!page.body.contains("Ada") && !page.body.contains(&sub));

        // Whoever comes back is somebody new.
        assert_ne!(sub_of(&app, &mut house.browser()).await, sub);
    });
}

#[tokio::test]
async fn nothing_is_deleted_without_the_word_the_form_and_the_person() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let sub = sub_of(&app, &mut browser).await;
    let again = press(&mut browser, &house, "yes").await;
    assert_eq!(again.status, 400);
    assert!(again.body.contains("id=\"confirm\""), "the question stands: {}", again.body);
    let page = browser.open(&format!("{}/account/delete", house.issuer)).await;
    let mut forged = page.forms().remove(0);
    for (name, value) in &mut forged.fields {
        if name == "csrf" { "guessed" } else { "delete" }.clone_into(value);
    }
    assert_eq!(browser.submit(&page, &forged).await.status, 400);
    let mut stranger = house.browser();
    let asked = stranger.open(&format!("{}/account/delete", house.issuer)).await;
    assert_eq!(asked.status, 401);
    assert_eq!(stranger.submit(&page, &page.forms().remove(0)).await.status, 401);
    let user = house.store().find_user_by_sub(&sub).await.unwrap().unwrap();
    assert!(user.disabled_at.is_none());
    assert!(house.store().list_deletions(false, None, 9).await.unwrap().is_empty());
    let missing = browser.open(&format!("{}/account/deletions/x", house.issuer)).await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn while_apple_is_away_the_profile_is_gone_the_person_stays_out_and_it_ends_well() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let mut browser = house.browser();
        let sub = sub_of(&app, &mut browser).await;
        fault(&house, "revoke", "status_503", 3).await;
        let end = press(&mut browser, &house, "delete").await;
        let id = end.url.path().rsplit('/').next().unwrap().to_owned();
        waiting(&house, &id, 1).await;
        let user = house.store().find_user_by_sub(&sub).await.unwrap().unwrap();
        assert_eq!((user.name, user.email), (None, None));
        let identity = house.store().list_identities(&user.id).await.unwrap().remove(0);
        assert_eq!(identity.email, None);

        // Meanwhile: not in by Apple, not switched on by an operator, not deleted a second time.
        house.advance(Duration::from_secs(1));
        let end = app.sign_in(&mut house.browser(), &app.attempt("openid"), ADA).await;
        assert_eq!(end.query("error").as_deref(), Some("access_denied"));
        let given = house.store().find_upstream_grants(&user.id).await.unwrap();
        assert_eq!(given[0].issued_at, house.now(), "what came now is given back as well");
        let administration = &house.broker.broker.administration;
        let enabled = administration.set_user_disabled(&Actor::cli(), &sub, false, None).await;
        assert!(matches!(enabled, Err(AdminError::Invalid(_))));
        let again = administration.delete_user(&Actor::cli(), &sub).await.unwrap();
        assert_eq!(again.id.as_str(), id);

        for attempts in 2..=3 {
            house.advance(Duration::from_secs(3600));
            waiting(&house, &id, attempts).await;
        }
        house.advance(Duration::from_secs(3600));
        let receipt = completed(&house, &id).await;
        assert!(steps(&receipt)[1].1.ends_with("revoked and verified"));
        let statuses: Vec<u64> = asked(&house, "revoke").await.iter().map(|(_, s)| *s).collect();
        // What came meanwhile, and what she had before it.
        assert_eq!(statuses, [503, 503, 503, 200, 200]);
    });
}

#[tokio::test]
async fn what_was_revoked_before_a_crash_is_not_revoked_again() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let mut browser = house.browser();
        sub_of(&app, &mut browser).await;
        // Apple takes it back, but the answer that would have let us write it down never comes.
        fault(&house, "token", "status_500", 1).await;
        let end = press(&mut browser, &house, "delete").await;
        let id = end.url.path().rsplit('/').next().unwrap().to_owned();
        waiting(&house, &id, 1).await;
        house.advance(Duration::from_secs(60));
        let receipt = completed(&house, &id).await;
        assert_eq!(asked(&house, "revoke").await.len(), 1);
        assert!(steps(&receipt)[1].1.ends_with("revoked and verified"));
    });
}

#[tokio::test]
async fn a_replica_that_dies_between_two_steps_is_succeeded_and_nothing_is_done_twice() {
    on_each_engine!(house, {
        let mut receiver = Receiver::start();
        let app = house.client(ClientKind::Web, told(&receiver)).await;
        let lease = Duration::from_secs(120);
        for dies_in in [DeletionState::Revoking, DeletionState::Erasing, DeletionState::Telling] {
            let mut browser = house.browser();
            let sub = sub_of(&app, &mut browser).await;
            // It reaches the state and takes the row with it into its grave.
            let hold = match dies_in {
                DeletionState::Revoking | DeletionState::Erasing => "revoke",
                DeletionState::Telling | DeletionState::Completed => "",
            };
            if hold.is_empty() {
                receiver.answer(503, "");
            } else {
                fault(&house, hold, "status_503", 1).await;
            }
            let administration = &house.broker.broker.administration;
            let deletion = administration.delete_user(&Actor::cli(), &sub).await.unwrap();
            let id = deletion.id.as_str().to_owned();
            house.broker.broker.provider.doorbell().ring();
            eventually(|| async {
                let row = receipt(&house, &id).await.deletion;
                let parked = row.due_at > house.now() && row.due_at != house.now().plus(lease);
                let there = row.state == dies_in || dies_in == DeletionState::Erasing;
                (row.attempts >= 1 && parked && there).then_some(())
            })
            .await;
            house.advance(Duration::from_secs(30));
            let now = house.now();
            let key = deletion.id.clone();
            let dead = house.store().write(move |tx| {
                Box::pin(async move {
                    let claimed = tx.claim_deletion(&key, now.plus(lease), now).await?;
                    if let (Some(row), DeletionState::Erasing) = (&claimed, dies_in) {
                        let next = russet::protocol::deletion::Deletion {
                            state: DeletionState::Erasing,
                            ..row.clone()
                        };
                        tx.advance_deletion(row, &next).await?;
                    }
                    Ok::<_, russet::store::StoreFault>(claimed)
                })
            });
            // The living may have been faster; then there is nothing to take over.
            let dead = dead.await.unwrap();
            receiver.answer(200, "");
            house.advance(lease);
            let receipt = completed_in_time(&house, &id).await;
            let names: Vec<_> = steps(&receipt).iter().map(|(step, _)| *step).collect();
            let mut once = names.clone();
            once.dedup();
            assert_eq!(names, once, "{dies_in:?}");
            assert_eq!(names.iter().filter(|step| **step == "person_erased").count(), 1);
            if let Some(dead) = dead {
                let late = dead.clone();
                let spoke = house.store().write(move |tx| {
                    Box::pin(async move { tx.advance_deletion(&late, &late).await })
                });
                let spoke: Result<bool, russet::store::StoreFault> = spoke.await;
                assert!(!spoke.unwrap(), "the dead say nothing");
            }
            while !receiver.is_quiet() {}
        }
    });
}

#[tokio::test]
async fn who_asks_again_while_somebody_is_erased_gets_the_same_answer_or_none() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let administration = &house.broker.broker.administration;
        for _ in 0..3 {
            let sub = sub_of(&app, &mut house.browser()).await;
            let deletion = administration.delete_user(&Actor::cli(), &sub).await.unwrap();
            house.broker.broker.provider.doorbell().ring();
            eventually(|| async {
                let actor = Actor::cli();
                let again = (0..4).map(|_| administration.delete_user(&actor, &sub));
                let mut gone = false;
                for answer in futures_util::future::join_all(again).await {
                    match answer {
                        Ok(same) => assert_eq!(same.id, deletion.id),
                        Err(AdminError::NotFound) => gone = true,
                        Err(other) => panic!("{other}"),
                    }
                }
                gone.then_some(())
            })
            .await;
            completed(&house, deletion.id.as_str()).await;
        }
    });
}

#[tokio::test]
async fn after_a_fortnight_an_upstream_that_never_answers_keeps_nobody() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let sub = sub_of(&app, &mut browser).await;
    fault(&house, "revoke", "invalid_client", 1000).await;
    let administration = &house.broker.broker.administration;
    let deletion = administration.delete_user(&Actor::cli(), &sub).await.unwrap();
    let id = deletion.id.as_str();
    waiting(&house, id, 1).await;
    house.advance(Duration::from_secs(14 * 24 * 3600));
    let receipt = completed(&house, id).await;
    assert!(steps(&receipt)[1].1.ends_with("given up: not confirmed"));
    assert!(house.store().find_user_by_sub(&sub).await.unwrap().is_none());
}

#[tokio::test]
async fn an_app_with_the_scope_deletes_its_users_account_and_no_other_app_does() {
    on_each_engine!(house, {
        let url = format!("{}/account/me", house.issuer);
        let delete = |token: &str| answer(house.http().delete(&url).bearer_auth(token));
        let app = house
            .client(ClientKind::Web, |client| client.scope.push("account:delete".to_owned()))
            .await;
        let plain = house.client(ClientKind::Web, |_| {}).await;
        let refused =
            plain.sign_in(&mut house.browser(), &plain.attempt("openid account:delete"), ADA).await;
        assert_eq!(refused.query("error").as_deref(), Some("invalid_scope"));

        let mut browser = house.browser();
        let without = plain.tokens(&mut browser, "openid", ADA).await;
        let answered = delete(without.text("access_token")).await;
        assert_eq!(answered.error(), "403 insufficient_scope");
        assert_eq!(delete("nonsense").await.error(), "401 invalid_token");
        let bare = answer(house.http().delete(&url)).await;
        assert_eq!(bare.status, 401);

        let tokens = app.tokens(&mut browser, "openid account:delete", ADA).await;
        let begun = delete(tokens.text("access_token")).await;
        assert_eq!(begun.status, 202, "{}", begun.json);
        assert_eq!(begun.headers["location"], begun.text("receipt"));
        let receipt = completed(&house, begun.text("id")).await;
        assert_eq!(receipt.deletion.requested_by, format!("client:{}", app.client_id()));
        let request = house.http().get(begun.text("receipt")).header("accept", "application/json");
        let told = answer(request).await;
        assert_eq!(told.json["state"], "completed");
        // The token died with the account.
        assert_eq!(delete(tokens.text("access_token")).await.error(), "401 invalid_token");
    });
}

#[tokio::test]
async fn a_third_partys_token_for_an_api_deletes_nobody() {
    let house = House::new().await;
    let api = "https://api.example.com";
    house.api(api, russet::protocol::jose::Algorithm::Es256, &["orders:read"]).await;
    for (first_party, status) in [(false, 403), (true, 202)] {
        let app = house
            .client(ClientKind::Web, |client| {
                client.scope.push("account:delete".to_owned());
                client.resources = vec![api.to_owned()];
                client.first_party = first_party;
            })
            .await;
        let mut browser = house.browser();
        let attempt = app.attempt("openid account:delete").with("resource", api);
        let mut end = app.sign_in(&mut browser, &attempt, ADA).await;
        if !first_party {
            assert!(end.body.contains("Delete your account here"));
            end = browser.press(&end, "Allow").await;
        }
        let tokens = app.redeem(&attempt, &end.query("code").unwrap()).await;
        let request = house.http().delete(format!("{}/account/me", house.issuer));
        let answered = answer(request.bearer_auth(tokens.text("access_token"))).await;
        assert_eq!(answered.status, status, "{}", answered.json);
    }
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_and_tells_the_apps() {
    let house = House::new().await;
    let mut receiver = Receiver::start();
    let app = house.client(ClientKind::Web, told(&receiver)).await;
    let (mut here, mut there) = (house.browser(), house.browser());
    sub_of(&app, &mut here).await;
    let tokens = app.tokens(&mut there, "openid offline_access", ADA).await;
    let account = format!("{}/account", house.issuer);
    let page = here.open(&account).await;
    let form = page.forms().into_iter().find(|form| form.text.contains("everywhere")).unwrap();
    let mut forged = form.clone();
    forged.fields[0].1 = "guessed".to_owned();
    assert_eq!(here.submit(&page, &forged).await.status, 400);
    assert_eq!(there.open(&account).await.status, 200);
    let end = here.submit(&page, &form).await;
    assert!(end.body.contains("You are signed out"));
    assert_eq!(there.open(&account).await.status, 401);
    let refused = app.refresh(tokens.text("refresh_token")).await;
    assert_eq!(refused.error(), "400 invalid_grant");
    assert!(claims(&receiver.next().await.logout_token()).get("sid").is_none());
}
