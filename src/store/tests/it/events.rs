//! A page of what must be two things at once: never more work than a window, and nothing missed.

use russet_store::events::{EventQuery, RecordedEvent};
use sea_orm::{ConnectionTrait as _, Database};

use crate::databases::Fresh;

/// Three windows and a half. Every second event is a failed login by the system; one in 8,000 is a
/// change by an admin; what the rest are is one thing, done by one person.
const SEED: &str = "INSERT INTO events (at, kind, area, actor, target) \
    WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < 35000) \
    SELECT i * 1000, CASE WHEN i % 2 = 0 THEN 'login.failed' \
                   WHEN i % 8000 = 1 THEN 'client.updated' ELSE 'login.succeeded' END, \
           CASE WHEN i % 8000 = 1 THEN 'client' ELSE 'login' END, \
           CASE WHEN i % 2 = 0 THEN 'system' WHEN i % 8000 = 1 THEN 'admin:ada' \
                ELSE 'user:grace' END, 'apple' FROM numbers";

fn query(kind: &str, actor: &str) -> EventQuery {
    EventQuery {
        kind: Some(kind.to_owned()),
        actor: Some(actor.to_owned()),
        limit: 50,
        ..EventQuery::default()
    }
}

#[tokio::test]
async fn pages_of_two_conditions_are_short_of_nothing_and_end() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        let database = Database::connect(&fresh.url).await.unwrap();
        database.execute_unprepared(SEED).await.unwrap();
        for (query, most) in [
            (query("login.failed", "system"), 400),
            (query("client.", "admin:ada"), 1),
            (query("login.succeeded", "admin:ada"), 1),
            (query("login.succeeded", "system"), 3),
            (
                EventQuery { target: Some("apple".into()), ..query("client.updated", "admin:ada") },
                1,
            ),
        ] {
            let all = EventQuery { limit: 100_000, ..query.clone() };
            let all = store.list_events(&all).await.unwrap();
            let mut found: Vec<RecordedEvent> = Vec::new();
            let (mut before, mut pages) = (None, 0);
            loop {
                let page = EventQuery { before, ..query.clone() };
                let page = store.page_of_events(&page).await.unwrap();
                pages += 1;
                let full = page.found.len() == 50;
                let last = page.found.last().map(|recorded| recorded.id);
                found.extend(page.found);
                before = if full { last } else { page.left_off };
                if before.is_none() {
                    break;
                }
            }
            assert_eq!(found, all, "{query:?}");
            assert!(pages <= most, "{query:?}: {pages} pages");
        }
    }
}

#[tokio::test]
async fn a_page_keeps_to_its_time_and_does_not_look_beyond_it() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        let database = Database::connect(&fresh.url).await.unwrap();
        database.execute_unprepared(SEED).await.unwrap();
        let second = russet_protocol::ambient::Timestamp::from_secs;
        let narrowed = EventQuery {
            from: Some(second(20_000)),
            until: Some(second(20_010)),
            ..query("login.failed", "system")
        };
        let page = store.page_of_events(&narrowed).await.unwrap();
        let at: Vec<i64> = page.found.iter().map(|recorded| recorded.event.at.secs()).collect();
        assert_eq!(at, [20_008, 20_006, 20_004, 20_002, 20_000]);
        assert_eq!(page.left_off, None, "what is older is not wanted");
    }
}
