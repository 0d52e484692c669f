//! Leases: one holder at a time, and a successor when it dies.

use std::time::Duration;

use russet_protocol::ambient::Timestamp;
use russet_store::{Store, StoreFault};

use crate::databases::Fresh;

async fn take(store: &Store, holder: &'static str, now: Timestamp) -> bool {
    let until = now.plus(Duration::from_secs(60));
    store
        .write(move |tx| {
            Box::pin(async move { tx.take_lease("daily_check", holder, until, now).await })
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn a_lease_is_renewed_by_its_holder_and_taken_over_when_it_runs_out() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        let now = Timestamp::from_secs(1_800_000_000);
        assert!(take(&store, "one", now).await);
        assert!(!take(&store, "two", now).await);
        let later = now.plus(Duration::from_secs(30));
        assert!(take(&store, "one", later).await);
        assert!(!take(&store, "two", now.plus(Duration::from_secs(61))).await);
        assert!(take(&store, "two", now.plus(Duration::from_secs(90))).await);
        assert!(!take(&store, "one", now.plus(Duration::from_secs(91))).await);
    }
}

#[tokio::test]
async fn a_lease_given_back_is_free_and_only_its_holder_gives_it_back() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        let now = Timestamp::from_secs(1_800_000_000);
        assert!(take(&store, "one", now).await);
        for (holder, free) in [("two", false), ("one", true)] {
            store
                .write(move |tx| {
                    Box::pin(async move {
                        tx.release_lease("daily_check", holder).await?;
                        Ok::<_, StoreFault>(())
                    })
                })
                .await
                .unwrap();
            assert_eq!(take(&store, "three", now).await, free);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_replicas_that_reach_for_a_lease_one_gets_it() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        let now = Timestamp::from_secs(1_800_000_000);
        let holders = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let tries: Vec<_> = holders
            .map(|holder| {
                let store = store.clone();
                tokio::spawn(async move { take(&store, holder, now).await })
            })
            .into();
        let mut won = 0;
        for attempt in tries {
            won += usize::from(attempt.await.unwrap());
        }
        assert_eq!(won, 1);
    }
}
