//! Acts stand or fall alone, whatever shares their commit.

use std::sync::Arc;

use russet_protocol::client::ClientKind;
use russet_protocol::event::Event;
use russet_protocol::id::{ClientId, GrantId};
use russet_store::clients::ListQuery;
use russet_store::events::EventQuery;
use russet_store::single_use::SingleUse;
use russet_store::{Store, StoreFault};
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::databases::{Fresh, LATER, NOW, client, furnish};

#[derive(Debug)]
enum Failure {
    Refused,
    Fault(StoreFault),
}

impl From<StoreFault> for Failure {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(fault)
    }
}

/// Writes, then ends as its number says: 0 well, 1 refused, 2 panicking, 3 passing over a fault.
async fn act(store: Store, number: usize) -> Result<bool, Failure> {
    store
        .write(move |tx| {
            Box::pin(async move {
                let key = format!("k{number}");
                assert_eq!(tx.find_parked(SingleUse::Jti, &key).await?, None);
                let first = tx.claim(SingleUse::Jti, &key, LATER, NOW).await?;
                tx.record(&Event::new(NOW, "test.written", "system").target(key.as_str())).await?;
                match number % 4 {
                    1 => return Err(Failure::Refused),
                    2 => panic!("an act that panics"),
                    3 => {
                        let _ = tx.park(SingleUse::Jti, &key, b"", LATER, NOW).await;
                    }
                    _ => {}
                }
                Ok(first)
            })
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_act_that_fails_is_undone_and_its_neighbours_stand() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        let mut acts = JoinSet::new();
        for number in 0..200 {
            let store = store.clone();
            acts.spawn(async move { (number, act(store, number).await) });
        }
        for (number, outcome) in acts.join_all().await {
            let expected = match number % 4 {
                1 => matches!(outcome, Err(Failure::Refused)),
                2 => matches!(outcome, Err(Failure::Fault(StoreFault::Interrupted))),
                3 => matches!(outcome, Err(Failure::Fault(StoreFault::Conflict(_)))),
                _ => matches!(outcome, Ok(true)),
            };
            assert!(expected, "act {number}: {outcome:?} on {}", fresh.url);
            let key = format!("k{number}");
            let written = store.find_parked(SingleUse::Jti, &key).await.unwrap();
            assert_eq!(written.is_some(), number % 4 == 0, "act {number} on {}", fresh.url);
            let query = EventQuery { target: Some(key), limit: 9, ..EventQuery::default() };
            let events = store.list_events(&query).await.unwrap();
            assert_eq!(events.len(), usize::from(number % 4 == 0), "act {number}");
        }
        store.ping().await.unwrap();
    }
}

/// What SQLite does where the disk is full: it gives up the whole transaction.
const FULL: &str = "CREATE TRIGGER full BEFORE INSERT ON single_use WHEN NEW.key LIKE 'x%' \
     BEGIN SELECT RAISE(ROLLBACK, 'full'); END";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_sqlite_gives_up_is_answered_so_and_takes_nothing_later_along() {
    let fresh = Fresh::each().await.swap_remove(0);
    let store = fresh.store().await;
    let beside = Database::connect(&fresh.url).await.unwrap();
    beside.execute_unprepared(FULL).await.unwrap();
    let claim = |key: String| {
        let store = store.clone();
        async move {
            let first = key.clone();
            let act = store.write(move |tx| {
                Box::pin(async move { tx.claim(SingleUse::Jti, &first, LATER, NOW).await })
            });
            (key, act.await.map_err(|fault: StoreFault| fault.to_string()))
        }
    };
    // Alone, and in a group, where neighbours fall with it and must hear so.
    assert!(claim("x".to_owned()).await.1.is_err());
    // An act that is undone in the ordinary way leaves no transaction open behind it either.
    let refused = store.write(|tx| {
        Box::pin(async move {
            tx.claim(SingleUse::Jti, "refused", LATER, NOW).await?;
            Err::<(), _>(Failure::Refused)
        })
    });
    assert!(matches!(refused.await, Err(Failure::Refused)));
    assert_eq!(claim("next".to_owned()).await.1, Ok(true));
    let outside = Store::connect(&fresh.url).await.unwrap();
    assert!(outside.find_parked(SingleUse::Jti, "next").await.unwrap().is_some());
    let mut acts = JoinSet::new();
    for number in 0..64 {
        let prefix = if number % 8 == 7 { "x" } else { "k" };
        acts.spawn(claim(format!("{prefix}{number}")));
    }
    let answers = acts.join_all().await;

    // From outside: only what was committed is seen, and nobody holds the database.
    beside.execute_unprepared("DROP TRIGGER full").await.unwrap();
    for (key, answer) in answers {
        let kept = outside.find_parked(SingleUse::Jti, &key).await.unwrap().is_some();
        assert_eq!(kept, answer == Ok(true), "{key}: {answer:?}");
        assert!(!(kept && key.starts_with('x')), "{key}");
    }
    assert_eq!(claim("later".to_owned()).await.1, Ok(true));
    assert!(outside.find_parked(SingleUse::Jti, "later").await.unwrap().is_some());
}

/// Whoever asks is told to come again: 503, with `Retry-After`.
#[tokio::test]
async fn a_database_without_room_is_unavailable() {
    let mut options = ConnectOptions::new("sqlite::memory:");
    options.max_connections(1);
    let small = Database::connect(options).await.unwrap();
    small.execute_unprepared("CREATE TABLE t (x); PRAGMA max_page_count = 3").await.unwrap();
    let full = small.execute_unprepared("INSERT INTO t VALUES (zeroblob(99999))").await;
    let fault = StoreFault::from(full.unwrap_err());
    assert!(matches!(fault, StoreFault::Unavailable(_)), "{fault:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acts_in_one_group_each_count_their_own_rows() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        furnish(&store).await;
        let mut acts = JoinSet::new();
        for number in 0..64 {
            let store = store.clone();
            acts.spawn(async move {
                let act = store.write(move |tx| {
                    Box::pin(async move {
                        if number % 2 == 0 {
                            tx.claim(SingleUse::Jti, &number.to_string(), LATER, NOW).await?;
                            return Ok(0);
                        }
                        tx.revoke_grants_of_client(&ClientId::new("nobody"), NOW).await
                    })
                });
                act.await.map_err(|fault: StoreFault| fault.to_string())
            });
        }
        for revoked in acts.join_all().await {
            assert_eq!(revoked, Ok(0), "{}", fresh.url);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_act_is_finished_although_its_caller_has_gone() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let caller = tokio::spawn({
            let (store, begun, go_on) = (store.clone(), Arc::clone(&begun), Arc::clone(&go_on));
            async move {
                store
                    .write(move |tx| {
                        Box::pin(async move {
                            tx.claim(SingleUse::Jti, "a", LATER, NOW).await?;
                            begun.notify_one();
                            go_on.notified().await;
                            tx.claim(SingleUse::Jti, "b", LATER, NOW).await
                        })
                    })
                    .await
                    .map_err(|fault: StoreFault| fault)
            }
        });
        begun.notified().await;
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        go_on.notify_one();
        // A claim of the same key waits for the first act to end.
        let again = store
            .write(|tx| {
                Box::pin(async move {
                    let a = tx.claim(SingleUse::Jti, "a", LATER, NOW).await?;
                    Ok::<_, StoreFault>((a, tx.claim(SingleUse::Jti, "b", LATER, NOW).await?))
                })
            })
            .await
            .unwrap();
        assert_eq!(again, (false, false), "{}", fresh.url);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lookup_sees_every_commit_before_it() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        furnish(&store).await;
        let mut askers = JoinSet::new();
        for number in 0..64 {
            let store = store.clone();
            askers.spawn(async move {
                let jti = format!("j{number}");
                assert!(!store.is_jti_revoked(&jti).await.unwrap());
                let revoked = jti.clone();
                store
                    .write(move |tx| {
                        Box::pin(async move { tx.revoke_jti(&revoked, LATER, NOW).await })
                    })
                    .await
                    .map_err(|fault: StoreFault| fault)
                    .unwrap();
                assert!(store.is_jti_revoked(&jti).await.unwrap());
                let grant = store.find_grant(&GrantId::new("grant-1")).await.unwrap();
                assert_eq!(grant, Some(crate::databases::grant("grant-1")));
                assert_eq!(store.find_grant(&GrantId::new(jti)).await.unwrap(), None);
            });
        }
        while let Some(asker) = askers.join_next().await {
            asker.unwrap();
        }
    }
}

#[tokio::test]
async fn two_editors_do_not_overwrite_each_other() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        furnish(&store).await;
        let mut edited = store.find_client(&ClientId::new("shop")).await.unwrap().unwrap();
        assert_eq!(edited, client("shop", ClientKind::Web));
        edited.client_name = "Shop".to_owned();
        let save = || {
            let edited = edited.clone();
            store.write(move |tx| Box::pin(async move { tx.update_client(&edited).await }))
        };
        let (first, second): (Result<_, StoreFault>, Result<_, StoreFault>) =
            (save().await, save().await);
        assert_eq!((first.unwrap(), second.unwrap()), (true, false));
        let stored = store.find_client(&ClientId::new("shop")).await.unwrap().unwrap();
        assert_eq!((stored.version, stored.client_name.as_str()), (2, "Shop"));
    }
}

#[tokio::test]
async fn pages_of_clients_join_without_gap_or_repetition() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        for number in 0..7 {
            let mut client = client(&format!("c{number}"), ClientKind::Spa);
            client.client_name = if number < 4 { "100% Same".into() } else { format!("n{number}") };
            client.redirect_uris = vec!["https://app.example/cb".to_owned()];
            let insert = store
                .write(move |tx| Box::pin(async move { tx.insert_client(&client, None).await }));
            insert.await.map_err(|fault: StoreFault| fault).unwrap();
        }
        let mut query = ListQuery { limit: 3, ..ListQuery::default() };
        let mut seen = Vec::new();
        loop {
            let page = store.list_clients(&query).await.unwrap();
            assert!(page.items.len() <= 3);
            seen.extend(page.items.into_iter().map(|client| client.client_id.to_string()));
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        assert_eq!(seen, ["c0", "c1", "c2", "c3", "c4", "c5", "c6"]);
        let search =
            |text: &str| ListQuery { search: Some(text.into()), limit: 9, ..ListQuery::default() };
        let found = store.list_clients(&search("0% s")).await.unwrap();
        assert_eq!(found.items.len(), 4);
        assert_eq!(store.list_clients(&search("1_0")).await.unwrap().items.len(), 0);
        assert_eq!(store.list_spa_origins().await.unwrap(), ["https://app.example/cb"]);
    }
}

#[tokio::test]
async fn clients_are_named_in_one_question_as_far_as_they_are_there() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        for id in ["one", "two", "three"] {
            let mut client = client(id, ClientKind::Spa);
            client.client_name = format!("Shop {id}");
            let insert = store
                .write(move |tx| Box::pin(async move { tx.insert_client(&client, None).await }));
            insert.await.map_err(|fault: StoreFault| fault).unwrap();
        }
        let ids: Vec<_> = ["one", "gone", "three"].map(ClientId::new).into();
        let names = store.client_names(&ids.iter().collect::<Vec<_>>()).await.unwrap();
        assert_eq!(names.len(), 2);
        assert_eq!(names.get(&ids[0]).map(String::as_str), Some("Shop one"));
        assert_eq!(names.get(&ids[2]).map(String::as_str), Some("Shop three"));
        assert!(store.client_names(&[]).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn sweeping_takes_what_is_over_and_nothing_else() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        furnish(&store).await;
        let fill = store.write(|tx| {
            Box::pin(async move {
                for number in 0..25 {
                    tx.claim(SingleUse::Jti, &number.to_string(), NOW, NOW).await?;
                }
                tx.claim(SingleUse::Jti, "kept", LATER, NOW).await
            })
        });
        fill.await.map_err(|fault: StoreFault| fault).unwrap();
        assert_eq!(store.sweep(NOW, 10).await.unwrap(), 25);
        assert_eq!(store.sweep(NOW, 10).await.unwrap(), 0);
        assert!(store.find_parked(SingleUse::Jti, "kept").await.unwrap().is_some());
        assert!(store.find_grant(&GrantId::new("grant-1")).await.unwrap().is_some());
        assert_eq!(store.sweep(LATER, 10).await.unwrap(), 2);
        assert!(store.find_grant(&GrantId::new("grant-1")).await.unwrap().is_none());
    }
}
