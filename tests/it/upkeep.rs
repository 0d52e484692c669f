//! What goes on by itself, seen and turned in the console: daily check, moves, deliveries,
//! deletions.

use std::time::Duration;

use russet::op::admin::Actor;
use russet::op::daily_check::job_name;
use russet::protocol::admin::Role;
use russet::protocol::apple_transfer::TransferState;
use russet::protocol::client::ClientKind;
use russet::protocol::delivery::DeliveryState;
use russet::protocol::id::UserId;
use russet::protocol::job::{JobCondition, JobState};
use russet::store::apple_transfers::TransferQuery;
use russet::store::outbox::DeliveryQuery;
use russet::store::people::PeopleQuery;
use serde_json::json;

use crate::console::{admin, signed_in};
use crate::harness::browser::{Browser, Page};
use crate::harness::receiver::eventually;
use crate::harness::{House, NEW_TEAM, SERVICES_ID, TEAM};
use crate::on_each_engine;

const A_DAY: Duration = Duration::from_secs(25 * 3600);

async fn room(house: &House, browser: &mut Browser, path: &str) -> Page {
    browser.open(&format!("{}/admin{path}", house.issuer)).await
}

/// Sends the form that holds this element, with fields changed.
async fn fill(browser: &mut Browser, page: &Page, holds: &str, fields: &[(&str, &str)]) -> Page {
    let mut form = page
        .forms()
        .into_iter()
        .find(|form| form.text.contains(holds))
        .unwrap_or_else(|| panic!("no {holds} on {}: {}", page.url, page.body));
    for (name, value) in fields {
        form.fields.retain(|(known, _)| known != name);
        if !value.is_empty() {
            form.fields.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    browser.submit(page, &form).await
}

async fn check(house: &House) -> JobState {
    let jobs = house.broker.broker.administration.jobs().await.expect("jobs");
    let name = job_name(&format!("apple:{TEAM}"));
    jobs.into_iter().find(|job| job.name == name).expect("the check")
}

#[actix_web::test]
async fn an_operator_holds_the_daily_check_and_lets_it_go_on() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
        admin(&house, "ada", Role::Admin).await;
        let (mut browser, _) = signed_in(&house, "ada").await;
        let provider = &house.broker.broker.provider;
        provider.daily_check("one").await.expect("a round");
        let page = room(&house, &mut browser, "/apple").await;
        assert!(page.body.contains("runs</span>"), "{}", page.body);
        fill(&mut browser, &page, "hold-1", &[]).await;
        assert_eq!(check(&house).await.condition, JobCondition::Held);

        house.advance(A_DAY);
        let (mut browser, _) = signed_in(&house, "ada").await;
        let held = provider.daily_check("one").await.expect("a round");
        assert_eq!((held.good, held.unwell), (0, 0), "nobody is asked about");
        assert_eq!(check(&house).await.condition, JobCondition::Held, "and it stays held");
        // The word of a round that was under way changes nothing either.
        let late = JobState::new(check(&house).await.name, house.now());
        house
            .store()
            .write(move |tx| Box::pin(async move { tx.put_job_state(&late).await }))
            .await
            .expect("a write");
        assert_eq!(check(&house).await.condition, JobCondition::Held);

        let page = room(&house, &mut browser, "/apple").await;
        let page = fill(&mut browser, &page, "resume-1", &[]).await;
        assert!(page.body.contains("Put on hold"), "{}", page.body);
        assert_eq!(provider.daily_check("one").await.expect("a round").good, 1);
        assert_eq!((house.events("job.held").await, house.events("job.resumed").await), (1, 1));
    });
}

#[actix_web::test]
async fn a_stopped_check_tells_why_and_tries_again_when_it_is_told_to() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
    admin(&house, "ada", Role::Admin).await;
    house.advance(A_DAY);
    let (mut browser, _) = signed_in(&house, "ada").await;
    house.simulate("faults", &json!({ "endpoint": "token", "fault": "invalid_client" })).await;
    let provider = &house.broker.broker.provider;
    assert!(provider.daily_check("one").await.expect("a round").misconfigured);
    let page = room(&house, &mut browser, "/apple").await;
    assert!(page.body.contains("stopped</span>"), "{}", page.body);
    assert!(page.body.contains("Tries again"), "{}", page.body);
    assert_eq!(provider.daily_check("one").await.expect("a round").good, 0, "it waits");
    fill(&mut browser, &page, "resume-1", &[]).await;
    assert_eq!(provider.daily_check("one").await.expect("a round").good, 1);
    assert_eq!(check(&house).await.condition, JobCondition::Running);
}

/// Waits until everyone on the way stands so.
async fn all_stand(house: &House, state: TransferState) {
    eventually(|| async {
        let query = TransferQuery { limit: 9, ..TransferQuery::default() };
        let all = house.store().list_apple_transfers(&query).await.unwrap();
        let running = house.broker.broker.provider.is_apple_transfer_running().await.unwrap();
        let settled = !all.is_empty() && all.iter().all(|one| one.state == state) && !running;
        settled.then_some(())
    })
    .await;
}

#[actix_web::test]
async fn everyone_moves_to_another_team_from_the_console() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
        app.tokens(&mut house.browser(), "openid", "Grace Hopper").await;
        admin(&house, "ada", Role::Admin).await;
        let (mut browser, _) = signed_in(&house, "ada").await;
        let page = room(&house, &mut browser, "/apple").await;
        let target = [("connection", "apple"), ("target", NEW_TEAM), ("dry_run", "true")];
        let looked = fill(&mut browser, &page, "collect-run", &target).await;
        assert!(looked.body.contains("2 people would be asked for"), "{}", looked.body);
        assert!(looked.body.contains("Nobody is on the way"), "a dry run writes nothing down");
        let target = [("connection", "apple"), ("target", NEW_TEAM), ("dry_run", "")];
        let begun = fill(&mut browser, &page, "collect-run", &target).await;
        assert!(begun.body.contains("Begun, for 2 people"), "{}", begun.body);
        all_stand(&house, TransferState::Collected).await;

        // Refused people are asked for again.
        house.simulate("stop-using", &json!({ "account": "ada" })).await;
        house.simulate("transfer", &json!({ "client_id": SERVICES_ID, "to_team": NEW_TEAM })).await;
        house.connect_new_team("KEY7654321").await;
        let page = room(&house, &mut browser, "/apple").await;
        let new = [("connection", "work"), ("dry_run", "")];
        fill(&mut browser, &page, "exchange-run", &new).await;
        let report = eventually(|| {
            let (mut another, url) = (browser.clone(), format!("{}/admin/apple", house.issuer));
            async move {
                let page = another.open(&url).await;
                let there = ["1 of 2 have arrived", "who were refused"];
                let settled = there.iter().all(|words| page.body.contains(words));
                (settled && !page.body.contains("under way</span>")).then_some(page)
            }
        })
        .await;
        let refused = room(&house, &mut browser, "/apple/people?state=refused").await;
        assert!(refused.body.contains("not_transferable"), "{}", refused.body);
        let again = fill(&mut browser, &report, "who were refused", &[]).await;
        assert!(again.body.contains("1 people who were refused"), "{}", again.body);
        assert!(again.body.contains("identifier known, not exchanged"), "{}", again.body);
    });
}

#[actix_web::test]
async fn what_apple_says_about_a_team_is_told_before_anything_begins() {
    let house = House::new().await;
    admin(&house, "ada", Role::Admin).await;
    let (mut browser, _) = signed_in(&house, "ada").await;
    house.simulate("faults", &json!({ "endpoint": "token", "fault": "invalid_client" })).await;
    let page = room(&house, &mut browser, "/apple").await;
    let target = [("connection", "apple"), ("target", NEW_TEAM), ("dry_run", "")];
    let refused = fill(&mut browser, &page, "collect-run", &target).await;
    assert_eq!(refused.status, 502, "{}", refused.body);
    let target = [("connection", "apple"), ("target", TEAM)];
    let refused = fill(&mut browser, &page, "collect-run", &target).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
}

#[actix_web::test]
async fn a_delivery_that_was_given_up_is_tried_again_from_the_console() {
    let house = House::new().await;
    let app = house
        .client(ClientKind::Web, |client| {
            client.settings.backchannel_logout_uri = Some("http://127.0.0.1:9/logout".to_owned());
        })
        .await;
    app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
    admin(&house, "ada", Role::Admin).await;
    let administration = &house.broker.broker.administration;
    let people = PeopleQuery { limit: 9, ..PeopleQuery::default() };
    let user_id: UserId = administration.list_people(&people).await.unwrap().items[0].id.clone();
    administration.sign_out_person(&Actor::cli(), &user_id).await.expect("an ending");
    let provider = &house.broker.broker.provider;
    let given_up = || async {
        // Past every pause, and at last past the patience; an attempt may be another task's.
        house.advance(Duration::from_secs(13 * 3600));
        provider.deliver_due().await.expect("an attempt");
        let failed =
            DeliveryQuery { state: Some(DeliveryState::Failed), limit: 9, ..Default::default() };
        administration.deliveries(&failed).await.unwrap().pop()
    };
    eventually(given_up).await;
    let (mut browser, _) = signed_in(&house, "ada").await;
    let all = room(&house, &mut browser, "/deliveries").await;
    assert!(all.body.contains("Logout token"), "{}", all.body);
    let of_client = format!("/deliveries?client_id={}&state=failed", app.client_id());
    let page = room(&house, &mut browser, &of_client).await;
    assert!(page.body.contains("given up"), "{}", page.body);
    let nobody = room(&house, &mut browser, "/deliveries?client_id=nobody").await;
    assert!(nobody.body.contains("Nothing here"), "{}", nobody.body);
    let again = fill(&mut browser, &page, "Try again", &[]).await;
    assert!(again.body.contains("tried again at once"), "{}", again.body);
    assert_eq!(house.events("delivery.owed_again").await, 1);
}

#[actix_web::test]
async fn a_deletion_that_waits_for_apple_is_seen_and_hastened() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
    admin(&house, "ada", Role::Admin).await;
    let (mut browser, _) = signed_in(&house, "ada").await;
    house
        .simulate("faults", &json!({ "endpoint": "revoke", "fault": "status_503", "times": 1000 }))
        .await;
    let administration = &house.broker.broker.administration;
    let people = PeopleQuery { limit: 9, ..PeopleQuery::default() };
    let user_id = administration.list_people(&people).await.unwrap().items[0].id.clone();
    let deletion =
        administration.delete_user(&Actor::cli(), user_id.as_str()).await.expect("a deletion");
    let provider = &house.broker.broker.provider;
    eventually(|| async {
        provider.continue_deletions().await.expect("a step");
        let all = administration.deletions(true, None, 9).await.unwrap();
        all.into_iter().find(|one| one.due_at > house.now())
    })
    .await;
    let page = room(&house, &mut browser, "/deletions?state=under_way").await;
    assert!(page.body.contains("gives back what upstreams granted"), "{}", page.body);
    house.simulate("faults/clear", &json!({})).await;
    let hastened = fill(&mut browser, &page, "Now</button>", &[]).await;
    assert!(hastened.url.path().ends_with(deletion.id.as_str()), "{}", hastened.url);
    eventually(|| async {
        provider.continue_deletions().await.expect("a step");
        let receipt = administration.deletion(&deletion.id).await.unwrap();
        house.advance(Duration::from_secs(6));
        receipt.deletion.completed_at
    })
    .await;
    let done = room(&house, &mut browser, "/deletions").await;
    assert!(done.body.contains("done</span>"), "{}", done.body);
}
