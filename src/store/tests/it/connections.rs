//! Connections, upstream sessions and moves between teams, on both engines.

use russet_protocol::apple_transfer::{AppleTransfer, TransferState};
use russet_protocol::connection::{Connection, preset};
use russet_protocol::id::{ConnectionId, UserId};
use russet_protocol::user::Identity;
use russet_store::apple_transfers::TransferQuery;
use russet_store::connections::StoredConnection;
use russet_store::{Store, StoreFault};

use crate::databases::{Fresh, LATER, NOW, furnish};

fn google(id: &str, position: i32) -> StoredConnection {
    StoredConnection {
        connection: Connection {
            id: ConnectionId::new(id),
            display_name: "Google".to_owned(),
            position,
            enabled: true,
            settings: preset("google", None).unwrap().settings,
            created_at: NOW,
            updated_at: NOW,
            version: 1,
        },
        sealed_secrets: Some(vec![1, 2, 3]),
    }
}

async fn insert(store: &Store, stored: StoredConnection) -> Result<(), StoreFault> {
    store.write(move |tx| Box::pin(async move { tx.insert_connection(&stored).await })).await
}

/// Nothing listens on port 1.
#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let nobody = Store::connect("postgres://russet:secret@127.0.0.1:1/russet").await;
    let Err(StoreFault::Unavailable(why)) = nobody else { panic!("{:?}", nobody.err()) };
    assert!(why.starts_with("127.0.0.1:1: ") && !why.contains("secret"), "{why}");
}

#[tokio::test]
async fn a_connection_comes_back_and_an_old_version_changes_nothing() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        insert(&store, google("second", 2)).await.unwrap();
        insert(&store, google("first", 1)).await.unwrap();
        let taken = insert(&store, google("first", 3)).await;
        assert!(matches!(taken, Err(StoreFault::Conflict(_))), "{taken:?}");
        let all = store.list_connections().await.unwrap();
        assert_eq!(all, [google("first", 1), google("second", 2)]);

        let mut changed = google("first", 1);
        changed.connection.enabled = false;
        changed.connection.updated_at = LATER;
        for expected in [true, false] {
            let changed = changed.clone();
            let done = store
                .write(move |tx| Box::pin(async move { tx.update_connection(&changed).await }))
                .await
                .unwrap();
            assert_eq!(done, expected, "of two editors one wins");
        }
        let revisions = store.connection_revisions().await.unwrap();
        let seen: Vec<_> = revisions.iter().map(|one| (one.id.as_str(), one.version)).collect();
        assert_eq!(seen, [("first", 2), ("second", 1)]);
    }
}

fn identity(subject: &str) -> Identity {
    Identity {
        authority: "apple:OLD".to_owned(),
        subject: subject.to_owned(),
        user_id: UserId::new("user-1"),
        connection_id: ConnectionId::new("apple"),
        email: None,
        email_proven: false,
        created_at: NOW,
        last_login_at: NOW,
        email_undeliverable_since: None,
        ended_at: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_step_of_a_move_is_taken_once() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        furnish(&store).await;
        let opened = store
            .write(|tx| {
                Box::pin(async move {
                    for subject in ["a", "b", "c"] {
                        tx.insert_identity(&identity(subject)).await?;
                    }
                    let first = tx.open_apple_transfers(("OLD", "NEW"), ("", "b"), NOW).await?;
                    let again = tx.open_apple_transfers(("OLD", "NEW"), ("", "c"), NOW).await?;
                    Ok::<_, StoreFault>((first, again))
                })
            })
            .await
            .unwrap();
        assert_eq!(opened, (2, 1), "nobody is written down twice");

        let query = TransferQuery {
            state: Some(TransferState::Pending),
            after: Some(("OLD".to_owned(), "a".to_owned())),
            limit: 10,
            ..TransferQuery::default()
        };
        let page = store.list_apple_transfers(&query).await.unwrap();
        assert_eq!(page.iter().map(|one| one.subject.as_str()).collect::<Vec<_>>(), ["b", "c"]);
        let collected = AppleTransfer {
            transfer_sub: Some("t".to_owned()),
            state: TransferState::Collected,
            updated_at: LATER,
            ..page[0].clone()
        };
        let tries: Vec<_> = (0..4)
            .map(|_| {
                let (store, collected) = (store.clone(), collected.clone());
                tokio::spawn(async move {
                    store
                        .write(move |tx| {
                            Box::pin(async move {
                                let from = TransferState::Pending;
                                tx.advance_apple_transfer(&collected, from).await
                            })
                        })
                        .await
                        .unwrap()
                })
            })
            .collect();
        let mut won = 0;
        for one in tries {
            won += usize::from(one.await.unwrap());
        }
        assert_eq!(won, 1);
        let found = store.find_apple_transfer_by_transfer_sub("NEW", "t").await.unwrap();
        assert_eq!(found, Some(collected.clone()));
        let elsewhere = store.find_apple_transfer_by_transfer_sub("OTHER", "t").await.unwrap();
        assert_eq!(elsewhere, None);

        // One identifier stands for one person.
        let second = AppleTransfer { transfer_sub: Some("t".to_owned()), ..page[1].clone() };
        let taken = store
            .write(move |tx| {
                Box::pin(
                    async move { tx.advance_apple_transfer(&second, TransferState::Pending).await },
                )
            })
            .await;
        assert!(matches!(taken, Err(StoreFault::Conflict(_))), "{taken:?}");
        let counts = store.count_apple_transfers().await.unwrap();
        let seen: Vec<_> = counts.iter().map(|one| (one.state, one.people)).collect();
        assert_eq!(seen, [(TransferState::Collected, 1), (TransferState::Pending, 2)]);
        assert_eq!(store.list_apple_teams().await.unwrap(), ["OLD"]);
    }
}
