//! The audit log: a chain in which one changed byte is found, and what the console shows of it.

use std::time::Duration;

use reqwest::StatusCode;
use russet::op::admin::audit::ChainFault;
use russet::op::admin::settings::Settings;
use russet::op::admin::{Actor, ClientChange, EventQuery};
use russet::protocol::admin::Role;
use russet::protocol::ambient::Timestamp;
use russet::protocol::client::ClientKind;
use russet::protocol::event::Event;
use russet::store::audit::Mark;
use sea_orm::{ConnectionTrait as _, Database};

use crate::console::{admin, send, signed_in};
use crate::harness::House;
use crate::on_each_engine;

async fn record(house: &House, kind: &'static str, number: usize) {
    let event = Event::new(house.now(), kind, "admin:alice").target(format!("thing-{number}"));
    house
        .store()
        .write(move |tx| Box::pin(async move { tx.record(&event).await }))
        .await
        .expect("an event");
}

async fn tamper(house: &House, sql: &str) {
    let database = Database::connect(house.database_url()).await.expect("the database");
    let done = database.execute_unprepared(sql).await.expect("a statement");
    assert!(done.rows_affected() > 0, "{sql}");
    database.close().await.expect("closed");
}

async fn faults(house: &House) -> Vec<ChainFault> {
    house.broker.broker.administration.verify_audit(None).await.expect("a walk").faults
}

async fn chain(house: &House) {
    house.broker.broker.administration.chain_events().await.expect("links");
}

/// The events of the first test of the chain, and nothing that a job might add between.
async fn ten(house: &House) {
    for number in 0..10 {
        record(house, "test.recorded", number).await;
    }
    chain(house).await;
}

#[actix_web::test]
async fn one_changed_byte_is_found_wherever_it_is() {
    on_each_engine!(house, {
        ten(&house).await;
        assert_eq!(faults(&house).await, []);
        let changes = [
            ("at = at + 1", "at = at - 1"),
            ("kind = 'test.recorder'", "kind = 'test.recorded'"),
            ("actor = 'admin:alicf'", "actor = 'admin:alice'"),
            ("target = 'thing-X'", "target = 'thing-4'"),
            ("request_id = ''", "request_id = NULL"),
            ("detail = '{}'", "detail = NULL"),
            ("area = 'tesu'", "area = 'test'"),
        ];
        let (seq, id) = place(&house, "thing-4").await;
        for (change, back) in changes {
            tamper(&house, &format!("UPDATE events SET {change} WHERE id = {id}")).await;
            assert_eq!(faults(&house).await, [ChainFault::Changed { seq, id }], "{change}");
            tamper(&house, &format!("UPDATE events SET {back} WHERE id = {id}")).await;
            assert_eq!(faults(&house).await, [], "{back}");
        }
        tamper(&house, &format!("DELETE FROM events WHERE id = {id}")).await;
        assert_eq!(faults(&house).await[0], ChainFault::Missing { from: seq, to: seq });
    });
}

async fn place(house: &House, target: &str) -> (i64, i64) {
    let query = EventQuery { target: Some(target.to_owned()), limit: 1, ..EventQuery::default() };
    let administration = &house.broker.broker.administration;
    let id = administration.list_events(&query).await.expect("events")[0].id;
    let (_, link) = administration.find_event(id).await.expect("an event");
    (link.expect("a link").seq, id)
}

#[actix_web::test]
async fn an_end_that_is_cut_off_and_a_forged_mark_are_found() {
    on_each_engine!(house, {
        ten(&house).await;
        let (last, id) = place(&house, "thing-9").await;
        tamper(&house, &format!("DELETE FROM events WHERE id = {id}")).await;
        assert_eq!(faults(&house).await, [ChainFault::Missing { from: last, to: last }]);
        // Without the key the head cannot be moved back to hide it.
        let (seq, _) = place(&house, "thing-8").await;
        tamper(
            &house,
            &format!(
                "UPDATE audit_marks SET seq = {seq}, \
                 hash = (SELECT chain_hash FROM events WHERE seq = {seq}) WHERE name = 'head'"
            ),
        )
        .await;
        assert_eq!(faults(&house).await, [ChainFault::Mark(Mark::Head)]);
    });
}

#[actix_web::test]
async fn writers_do_not_wait_and_replicas_link_each_event_once() {
    on_each_engine!(house, {
        let replica = house.replica().await;
        let writers = (0..40).map(|number| record(&house, "test.recorded", number));
        let chainers = (0..6).map(|number| {
            let broker = if number % 2 == 0 { &house.broker } else { &replica };
            async move { broker.broker.administration.chain_events().await.map(|_| ()) }
        });
        let chaining = async {
            for done in futures_util::future::join_all(chainers).await {
                done.expect("links");
            }
        };
        futures_util::future::join(futures_util::future::join_all(writers), chaining).await;
        chain(&house).await;
        let found = replica.broker.administration.verify_audit(None).await.expect("a walk");
        assert_eq!((found.faults.as_slice(), found.unchained), (&[][..], 0));
        assert!(found.checked >= 40);
        replica.stop().await;
    });
}

#[actix_web::test]
async fn what_is_let_go_leaves_a_checkpoint_and_the_rest_is_proven() {
    on_each_engine!(house, {
        ten(&house).await;
        let administration = &house.broker.broker.administration;
        house.advance(Duration::from_secs(40 * 24 * 3600));
        record(&house, "test.recorded", 10).await;
        chain(&house).await;
        let settings = Settings { audit_retention_days: 30, ..Settings::default() };
        administration.change_settings(&Actor::cli(), settings, 0).await.expect("settings");
        let gone = administration.prune_by_retention().await.expect("pruned");
        assert!(gone >= 10, "{gone}");
        assert_eq!(administration.prune_by_retention().await.expect("nothing"), 0);
        chain(&house).await;
        let found = administration.verify_audit(None).await.expect("a walk");
        assert_eq!(found.faults, []);
        assert!(found.from >= 10 && found.checked >= 2);
        assert_eq!(house.events("audit.pruned").await, 1);
        tamper(&house, "UPDATE audit_marks SET seq = seq + 1 WHERE name = 'checkpoint'").await;
        assert!(faults(&house).await.contains(&ChainFault::Mark(Mark::Checkpoint)));
    });
}

#[actix_web::test]
async fn a_link_that_was_noted_elsewhere_is_found_again() {
    let house = House::new().await;
    ten(&house).await;
    let administration = &house.broker.broker.administration;
    let head = administration.verify_audit(None).await.expect("a walk").head.expect("a head");
    let noted = Some((head.seq, head.hash.to_text()));
    assert_eq!(administration.verify_audit(noted).await.expect("a walk").faults, []);
    let other = Some((head.seq, "A".repeat(43)));
    let found = administration.verify_audit(other).await.expect("a walk");
    assert_eq!(found.faults, [ChainFault::Noted(head.seq)]);
    let beyond = Some((head.seq + 5, head.hash.to_text()));
    assert!(!administration.verify_audit(beyond).await.expect("a walk").faults.is_empty());
}

#[actix_web::test]
async fn events_are_narrowed_by_what_who_to_what_and_when() {
    on_each_engine!(house, {
        for number in 0..3 {
            record(&house, "test.recorded", number).await;
            house.advance(Duration::from_secs(3600));
        }
        record(&house, "test.other", 0).await;
        record(&house, "testing.recorded", 0).await;
        let count = async |query: EventQuery| {
            let query = EventQuery { limit: 50, ..query };
            let administration = &house.broker.broker.administration;
            administration.list_events(&query).await.expect("events").len()
        };
        let kind = |kind: &str| EventQuery { kind: Some(kind.into()), ..EventQuery::default() };
        assert_eq!(count(kind("test.recorded")).await, 3);
        assert_eq!(count(kind("test.")).await, 4);
        assert_eq!(count(kind("test.rec")).await, 0);
        let target = EventQuery { target: Some("thing-0".into()), ..kind("test.") };
        assert_eq!(count(target).await, 2);
        let since = EventQuery {
            from: Some(crate::harness::NOON.plus(Duration::from_secs(1))),
            ..kind("test.")
        };
        assert_eq!(count(since).await, 3);
        let until = EventQuery {
            until: Some(crate::harness::NOON.plus(Duration::from_secs(3600))),
            ..kind("test.")
        };
        assert_eq!(count(until).await, 1);
        let nobody = EventQuery { actor: Some("admin:bob".into()), ..kind("test.") };
        assert_eq!(count(nobody).await, 0);
        let future =
            EventQuery { from: Some(Timestamp::from_secs(9_000_000_000)), ..kind("test.") };
        assert_eq!(count(future).await, 0);
    });
}

#[actix_web::test]
async fn the_room_tells_what_changed_and_why_a_sign_in_failed() {
    let house = House::new().await;
    admin(&house, "vera", Role::Viewer).await;
    let app = house.client(ClientKind::Web, |client| client.client_name = "Shop".into()).await;
    let administration = &house.broker.broker.administration;
    let change = ClientChange { client_name: Some("Shop <b>".into()), ..ClientChange::default() };
    administration.update_client(&Actor::cli(), &app.client.client_id, change).await.expect("it");
    let failed = Event::new(house.now(), "login.failed", "system")
        .target("apple")
        .request_id(Some("request-one".into()))
        .detail(serde_json::json!({ "error": "access_denied", "detail": "the nonce differs" }));
    house
        .store()
        .write(move |tx| Box::pin(async move { tx.record(&failed).await }))
        .await
        .expect("an event");
    chain(&house).await;

    let (mut browser, _) = signed_in(&house, "vera").await;
    let list = browser.open(&format!("{}/admin/audit?area=client", house.issuer)).await;
    assert!(list.body.contains("Client changed") && !list.body.contains("Sign-in failed"));
    let event = browser.open(&first_row(&list, "Client changed")).await;
    assert!(event.body.contains("<del>Shop</del>") || event.body.contains("<del>"));
    assert!(event.body.contains("<ins>Shop &#60;b&#62;</ins>"), "{}", event.body);

    let found = browser.open(&format!("{}/admin/audit?q=request-one", house.issuer)).await;
    let event = browser.open(&first_row(&found, "Sign-in failed")).await;
    assert!(event.body.contains("does not carry the nonce"));
    assert!(event.body.contains("request-one"));
    let gone = browser.open(&format!("{}/admin/audit/999999", house.issuer)).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    let odd = browser.open(&format!("{}/admin/audit?before=x&from=y&kind=%07", house.issuer)).await;
    assert!(odd.status.is_success() || odd.status.is_client_error());

    let whole = send(&mut browser, &list, "audit-verify", &[]).await;
    assert!(whole.body.contains("The chain is whole"), "{}", whole.body);
}

fn first_row(page: &crate::harness::browser::Page, title: &str) -> String {
    let (before, _) = page.body.split_once(&format!("\">{title}</a>")).expect("a row");
    let (_, path) = before.rsplit_once("href=\"").expect("a link");
    page.url.join(&path.replace("&#38;", "&")).expect("a URL").into()
}

#[actix_web::test]
async fn the_log_is_taken_along_whole_and_no_cell_is_a_formula() {
    let house = House::new().await;
    admin(&house, "vera", Role::Viewer).await;
    for number in 0..3 {
        record(&house, "test.recorded", number).await;
    }
    let formula = Event::new(house.now(), "test.recorded", "admin:alice").target("=HYPERLINK()");
    house
        .store()
        .write(move |tx| Box::pin(async move { tx.record(&formula).await }))
        .await
        .expect("an event");
    let (mut browser, _) = signed_in(&house, "vera").await;
    let url = format!("{}/admin/audit/export?kind=test.recorded", house.issuer);
    let lines = browser.open(&format!("{url}&format=jsonl")).await;
    assert_eq!(lines.headers["content-type"], "application/x-ndjson; charset=utf-8");
    let events: Vec<serde_json::Value> =
        lines.body.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(events.len(), 4);
    assert_eq!(events[0]["target"], "=HYPERLINK()");
    let csv = browser.open(&format!("{url}&format=csv")).await;
    assert_eq!(csv.body.lines().count(), 5);
    assert!(csv.body.contains("\"'=HYPERLINK()\""));
    assert_eq!(house.events("audit.exported").await, 2);
}

#[actix_web::test]
async fn what_is_new_is_asked_for_from_an_event_on_and_nothing_is_left_out() {
    on_each_engine!(house, {
        let record = async |range: std::ops::Range<usize>| {
            for number in range {
                record(&house, "test.recorded", number).await;
            }
        };
        record(0..1).await;
        let administration = &house.broker.broker.administration;
        let newest = EventQuery { limit: 1, ..EventQuery::default() };
        let start = administration.page_of_events(None, &newest).await.expect("it").found[0].id;
        record(1..8).await;
        let plain = EventQuery { limit: 3, ..EventQuery::default() };
        let twofold = EventQuery {
            kind: Some("test.recorded".to_owned()),
            actor: Some("admin:alice".to_owned()),
            ..plain.clone()
        };
        for (query, q) in [(&plain, None), (&twofold, None), (&plain, Some("admin:alice"))] {
            let mut after = start;
            let mut seen = Vec::new();
            loop {
                let query = EventQuery { after: Some(after), ..query.clone() };
                let page = administration.page_of_events(q, &query).await.expect("it").found;
                let Some(first) = page.first() else { break };
                after = first.id;
                assert!(page.is_sorted_by_key(|recorded| std::cmp::Reverse(recorded.id)));
                seen.extend(page.iter().rev().filter_map(|it| it.event.target.clone()));
            }
            let wanted: Vec<_> = (1..8).map(|number| format!("thing-{number}")).collect();
            assert_eq!(seen, wanted, "{q:?}");
        }
        let other = EventQuery { kind: Some("other".to_owned()), after: Some(start), ..twofold };
        assert!(administration.page_of_events(None, &other).await.expect("it").found.is_empty());
    });
}

#[actix_web::test]
async fn the_log_is_followed_by_a_link_that_names_the_newest_event() {
    let house = House::new().await;
    admin(&house, "vera", Role::Viewer).await;
    let (mut console, _) = signed_in(&house, "vera").await;
    let link = |page: &crate::harness::browser::Page, before: &str| {
        let (_, rest) = page.body.split_once(before).unwrap_or_else(|| panic!("{}", page.body));
        let path = rest.split_once('"').expect("its end").0.replace("&#38;", "&");
        format!("{}{path}", house.issuer)
    };
    record(&house, "test.recorded", 1).await;
    let url = format!("{}/admin/audit?kind=test.recorded", house.issuer);
    let page = console.open(&url).await;
    assert!(page.body.contains("id=\"audit-follow\""), "{}", page.body);
    let newer = link(&page, "id=\"audit-newer\" rel=\"prev\" href=\"");
    let nothing = console.open(&newer).await;
    assert!(nothing.body.contains("Nothing newer yet"), "{}", nothing.body);
    record(&house, "test.recorded", 2).await;
    record(&house, "test.other", 3).await;
    let page = console.open(&newer).await;
    assert!(page.body.contains("thing-2"), "{}", page.body);
    assert!(!page.body.contains("thing-1") && !page.body.contains("thing-3"), "{}", page.body);
    let older = console.open(&link(&page, "rel=\"next\" href=\"")).await;
    assert!(older.body.contains("thing-1") && !older.body.contains("audit-follow"));

    // What is followed overlaps with what is shown, and goes on where the log has gone.
    let followed = link(&page, "data-follow=\"");
    record(&house, "test.recorded", 4).await;
    let page = console.open(&followed).await;
    assert!(page.body.contains("thing-4") && page.body.contains("thing-2"), "{}", page.body);
}
