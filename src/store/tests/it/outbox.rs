//! The outbox: each delivery is claimed by one at a time, and an old claim settles nothing.

use std::time::Duration;

use russet_protocol::ambient::Timestamp;
use russet_protocol::client::ClientKind;
use russet_protocol::delivery::{Delivery, DeliveryState, Message};
use russet_protocol::id::{ClientId, ConnectionId, SessionId, UserId};
use russet_protocol::secret::Vault;
use russet_protocol::session::Session;
use russet_store::outbox::{Attempt, DeliveryQuery};
use russet_store::{Store, StoreFault};
use tokio::task::JoinSet;

use crate::databases::{Fresh, NOW, client, furnish, grant};

const LEASE: Duration = Duration::from_secs(60);

fn message(number: usize) -> Message {
    Message::LogoutToken { sub: format!("sub-{number}"), sid: None }
}

async fn owe(store: &Store, count: usize) {
    store
        .write(move |tx| {
            Box::pin(async move {
                for number in 0..count {
                    tx.owe(&ClientId::new("shop"), &message(number), Some("why"), NOW).await?;
                }
                Ok::<_, StoreFault>(())
            })
        })
        .await
        .unwrap();
}

async fn claim(store: &Store, limit: u32, now: Timestamp) -> Vec<Delivery> {
    store
        .write(move |tx| {
            Box::pin(async move { tx.claim_deliveries(limit, now.plus(LEASE), now).await })
        })
        .await
        .unwrap()
}

async fn settle(store: &Store, claimed: &Delivery, attempt: Attempt, now: Timestamp) -> bool {
    let claimed = claimed.clone();
    store
        .write(move |tx| Box::pin(async move { tx.settle_delivery(&claimed, &attempt, now).await }))
        .await
        .unwrap()
}

async fn all(store: &Store) -> Vec<Delivery> {
    let query = DeliveryQuery { limit: 1000, ..DeliveryQuery::default() };
    store.list_deliveries(&query).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_delivery_is_claimed_once_by_many_on_two_replicas() {
    for fresh in Fresh::each().await {
        let replicas = [fresh.store().await, fresh.store().await];
        furnish(&replicas[0]).await;
        owe(&replicas[0], 40).await;
        let mut tries = JoinSet::new();
        for number in 0..16 {
            let store = replicas[number % 2].clone();
            tries.spawn(async move { claim(&store, 10, NOW).await });
        }
        let mut claimed: Vec<i64> =
            tries.join_all().await.into_iter().flatten().map(|delivery| delivery.id).collect();
        // On PostgreSQL two may have looked at the same rows; then one went away with fewer.
        claimed.extend(claim(&replicas[0], 100, NOW).await.iter().map(|delivery| delivery.id));
        claimed.sort_unstable();
        let before = claimed.len();
        claimed.dedup();
        assert_eq!((before, claimed.len()), (40, 40), "{}", fresh.url);
        assert!(!replicas[1].is_delivery_due(NOW).await.unwrap());
    }
}

#[tokio::test]
async fn what_a_dead_replica_claimed_is_due_again_and_its_late_word_counts_for_nothing() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        furnish(&store).await;
        owe(&store, 1).await;
        let first = claim(&store, 1, NOW).await.remove(0);
        assert_eq!(first.message, Some(message(0)));
        assert!(claim(&store, 1, NOW.plus(Duration::from_secs(59))).await.is_empty());
        let later = NOW.plus(LEASE);
        let second = claim(&store, 1, later).await.remove(0);
        assert_eq!((first.attempts, second.attempts), (1, 2));
        let error = "late".to_owned();
        assert!(!settle(&store, &first, Attempt::Failed { error }, later).await);
        assert!(settle(&store, &second, Attempt::Delivered, later).await);
        assert!(!settle(&store, &second, Attempt::Delivered, later).await, "once");
        let row = all(&store).await.remove(0);
        assert_eq!(row.state, DeliveryState::Delivered);
        assert_eq!((row.message, row.settled_at), (None, Some(later)), "forgotten");
    }
}

#[tokio::test]
async fn a_failed_attempt_waits_and_a_given_up_one_can_be_owed_again() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        furnish(&store).await;
        owe(&store, 1).await;
        let claimed = claim(&store, 1, NOW).await.remove(0);
        let due_at = NOW.plus(Duration::from_secs(5));
        let again = Attempt::Again { due_at, error: "503".to_owned() };
        assert!(settle(&store, &claimed, again, NOW).await);
        assert!(claim(&store, 1, NOW.plus(Duration::from_secs(4))).await.is_empty());
        let claimed = claim(&store, 1, due_at).await.remove(0);
        assert_eq!(claimed.last_error.as_deref(), Some("503"));
        let failed = Attempt::Failed { error: "gone".to_owned() };
        assert!(settle(&store, &claimed, failed, due_at).await);
        assert_eq!(store.count_deliveries("why", DeliveryState::Failed).await.unwrap(), 1);
        let id = claimed.id;
        for expected in [true, false] {
            let owed = store.write(move |tx| {
                Box::pin(async move { tx.owe_again(id, due_at.plus(LEASE), due_at).await })
            });
            let owed: Result<bool, StoreFault> = owed.await;
            assert_eq!(owed.unwrap(), expected);
        }
        assert_eq!(claim(&store, 1, due_at).await.len(), 1);
    }
}

#[tokio::test]
async fn what_is_owed_stands_or_falls_with_its_act_and_is_swept_a_month_after_it_is_settled() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        furnish(&store).await;
        let undone: Result<(), StoreFault> = store
            .write(|tx| {
                Box::pin(async move {
                    tx.owe(&ClientId::new("shop"), &message(0), None, NOW).await?;
                    Err(StoreFault::Interrupted)
                })
            })
            .await;
        assert!(undone.is_err() && all(&store).await.is_empty());
        owe(&store, 2).await;
        let claimed = claim(&store, 1, NOW).await.remove(0);
        settle(&store, &claimed, Attempt::Delivered, NOW).await;
        let month = Duration::from_secs(30 * 24 * 3600);
        store.sweep(NOW.plus(month).minus(Duration::from_secs(1)), 10).await.unwrap();
        assert_eq!(all(&store).await.len(), 2);
        store.sweep(NOW.plus(month), 10).await.unwrap();
        let left = all(&store).await;
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].state, DeliveryState::Owed, "what is owed is not swept");
    }
}

fn session(id: &str, connection: &str) -> Session {
    let vault = Vault::from_bytes(&[1; 32]).unwrap();
    Session {
        id: SessionId::new(id),
        cookie_hash: vault.hash(id),
        user_id: UserId::new("user-1"),
        auth_time: NOW,
        amr: Vec::new(),
        connection_id: ConnectionId::new(connection),
        created_at: NOW,
        expires_at: NOW.plus(LEASE),
        ended_at: None,
    }
}

#[tokio::test]
async fn who_took_part_is_remembered_longer_than_the_grant_and_no_longer_than_the_session() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        furnish(&store).await;
        store
            .write(|tx| {
                Box::pin(async move {
                    tx.insert_client(&client("other", ClientKind::Web), None).await?;
                    tx.insert_session(&session("apple-1", "apple")).await?;
                    tx.insert_session(&session("corp-1", "corp")).await?;
                    for (id, session, client) in [
                        ("grant-2", "apple-1", "shop"),
                        ("grant-3", "apple-1", "shop"),
                        ("grant-4", "corp-1", "other"),
                        ("grant-5", "unknown", "other"),
                    ] {
                        let mut grant = grant(id);
                        grant.client_id = ClientId::new(client);
                        grant.session_id = Some(SessionId::new(session));
                        grant.connection_id = Some(ConnectionId::new("apple"));
                        tx.insert_grant(&grant).await?;
                    }
                    Ok::<_, StoreFault>(())
                })
            })
            .await
            .unwrap();
        let ada = UserId::new("user-1");
        let clients = |found: Vec<russet_store::participants::Participant>| {
            found.into_iter().map(|p| p.client_id.to_string()).collect::<Vec<_>>()
        };
        let of_session = |id: &'static str| {
            let store = store.clone();
            async move { store.participants_of_session(&SessionId::new(id)).await.unwrap() }
        };
        assert_eq!(clients(of_session("apple-1").await), ["shop"]);
        assert_eq!(clients(store.participants_of_user(&ada).await.unwrap()), ["shop", "other"]);
        let apple = [ConnectionId::new("apple")];
        let through = store.participants_of_connections(&ada, &apple).await.unwrap();
        assert_eq!(clients(through), ["shop"]);
        assert!(store.participants_of_connections(&ada, &[]).await.unwrap().is_empty());
        // The browser session of one grant is not there, those of the others go on.
        let without = store.sessionless_links(&ada, &apple).await.unwrap();
        assert_eq!(without.iter().map(|l| l.client_id.as_str()).collect::<Vec<_>>(), ["other"]);
        let ended = store.write(|tx| {
            Box::pin(async move { tx.end_session(&SessionId::new("apple-1"), NOW).await })
        });
        let ended: Result<bool, StoreFault> = ended.await;
        assert!(ended.unwrap());
        assert!(of_session("apple-1").await.is_empty());
        // Grants and sessions are swept; that the clients know her stays known.
        store.sweep(NOW.plus(Duration::from_secs(7 * 24 * 3600)), 10).await.unwrap();
        let links = store.links_of_user(&ada).await.unwrap();
        let links: Vec<_> = links.iter().map(|l| (l.client_id.as_str(), l.sub.as_str())).collect();
        assert_eq!(links, [("other", "sub-1"), ("shop", "sub-1")]);
    }
}
