//! What may happen once happens once, however many try.

use russet_protocol::grant::Grant;
use russet_protocol::id::{ClientId, ConnectionId, GrantId, SessionId, UserId};
use russet_protocol::secret::SecretHash;
use russet_protocol::session::Session;
use russet_store::grants::{Reach, Rotation};
use russet_store::single_use::SingleUse;
use russet_store::{Store, StoreFault};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::databases::{Fresh, LATER, NOW, furnish, grant};

async fn spend(store: Store) -> Option<Vec<u8>> {
    let act = store.write(|tx| Box::pin(tx.spend(SingleUse::AuthorizationCode, "c", NOW)));
    act.await.unwrap()
}

async fn park(store: &Store) {
    store
        .write(|tx| Box::pin(tx.park(SingleUse::AuthorizationCode, "c", b"p", LATER, NOW)))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_spent_once_by_many_on_two_replicas() {
    for fresh in Fresh::each().await {
        let replicas = [fresh.store().await, fresh.store().await];
        park(&replicas[0]).await;
        let mut tries = JoinSet::new();
        for number in 0..32 {
            tries.spawn(spend(replicas[number % 2].clone()));
        }
        let won: Vec<_> = tries.join_all().await.into_iter().flatten().collect();
        assert_eq!(won, [b"p".to_vec()], "{}", fresh.url);
        let parked = replicas[1].find_parked(SingleUse::AuthorizationCode, "c").await.unwrap();
        assert_eq!(parked.unwrap().spent_at, Some(NOW));
    }
}

#[tokio::test]
async fn an_expired_code_is_not_spent() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        park(&store).await;
        let late: Result<_, StoreFault> =
            store.write(|tx| Box::pin(tx.spend(SingleUse::AuthorizationCode, "c", LATER))).await;
        assert_eq!(late.unwrap(), None);
        let other: Result<_, StoreFault> =
            store.write(|tx| Box::pin(tx.spend(SingleUse::Interaction, "c", NOW))).await;
        assert_eq!(other.unwrap(), None, "another kind is another key");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_token_is_claimed_once() {
    for fresh in Fresh::each().await {
        let replicas = [fresh.store().await, fresh.store().await];
        let mut tries = JoinSet::new();
        for number in 0..32 {
            let store = replicas[number % 2].clone();
            tries.spawn(async move {
                let claim =
                    store.write(|tx| Box::pin(tx.claim(SingleUse::IdentityToken, "t", LATER, NOW)));
                claim.await.unwrap()
            });
        }
        let first = tries.join_all().await.into_iter().filter(|first| *first).count();
        assert_eq!(first, 1, "{}", fresh.url);
    }
}

fn rotation(generation: i32) -> Rotation {
    Rotation {
        grant_id: GrantId::new("grant-1"),
        client_id: ClientId::new("shop"),
        presented_generation: generation,
        presented_hash: SecretHash::from_bytes(&[7; 32]).unwrap(),
        now: NOW,
        idle_expires_at: LATER,
    }
}

async fn rotate(store: &Store, rotation: Rotation) -> Option<russet_protocol::grant::Grant> {
    let act = store.write(move |tx| Box::pin(async move { tx.rotate_refresh(&rotation).await }));
    act.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_is_first_used_once() {
    for fresh in Fresh::each().await {
        let replicas = [fresh.store().await, fresh.store().await];
        furnish(&replicas[0]).await;
        let mut tries = JoinSet::new();
        for number in 0..32 {
            let store = replicas[number % 2].clone();
            tries.spawn(async move { rotate(&store, rotation(1)).await });
        }
        let won: Vec<_> = tries.join_all().await.into_iter().flatten().collect();
        assert_eq!(won.len(), 1, "{}", fresh.url);
        assert_eq!(won[0].refresh_generation, 1);
        assert_eq!(won[0].refresh_spent_hash, SecretHash::from_bytes(&[7; 32]));
        assert_eq!(won[0].terms, grant("grant-1").terms);
        assert_eq!(rotate(&replicas[0], rotation(3)).await, None, "a generation was skipped");
    }
}

#[tokio::test]
async fn a_family_that_is_over_does_not_rotate() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        furnish(&store).await;
        let foreign = Rotation { client_id: ClientId::new("other"), ..rotation(1) };
        assert_eq!(rotate(&store, foreign).await, None);
        let idle = Rotation { now: LATER, ..rotation(1) };
        assert_eq!(rotate(&store, idle).await, None);
        let revoke = || {
            store.write(|tx| {
                Box::pin(async move { tx.revoke_grant(&GrantId::new("grant-1"), NOW).await })
            })
        };
        assert!(revoke().await.unwrap());
        assert!(!revoke().await.unwrap(), "it was revoked before");
        assert_eq!(rotate(&store, rotation(1)).await, None);
    }
}

fn session() -> Session {
    Session {
        id: SessionId::new("sid-1"),
        cookie_hash: SecretHash::from_bytes(&[9; 32]).unwrap(),
        user_id: UserId::new("user-1"),
        auth_time: NOW,
        amr: Vec::new(),
        connection_id: ConnectionId::new("apple"),
        created_at: NOW,
        expires_at: LATER,
        ended_at: None,
    }
}

/// Gives a grant in the session if it has not ended; slowly, with the ending begun in between.
async fn give(store: Store, held: oneshot::Sender<()>, hold_session: bool) -> bool {
    let given = store.write(move |tx| {
        Box::pin(async move {
            let user_id = UserId::new("user-1");
            let id = SessionId::new("sid-1");
            tx.hold_user(&user_id).await?;
            if hold_session && tx.hold_session(&id).await?.is_none_or(|it| it.ended_at.is_some()) {
                return Ok::<_, StoreFault>(false);
            }
            let _ = held.send(());
            for _ in 0..50 {
                tx.find_grant(&GrantId::new("nobody's")).await?;
            }
            let name = if hold_session { "in-session" } else { "without" };
            let row = Grant { session_id: hold_session.then_some(id), ..grant(name) };
            tx.insert_grant(&row).await?;
            Ok(true)
        })
    });
    given.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_ends_waits_for_what_is_being_given_and_ends_it_too() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        furnish(&store).await;
        let opened = store.write(|tx| Box::pin(async move { tx.insert_session(&session()).await }));
        opened.await.unwrap();
        // Once what hangs on the session, once what hangs on the person alone.
        for hold_session in [true, false] {
            let (held, is_held) = oneshot::channel();
            let giving = tokio::spawn(give(store.clone(), held, hold_session));
            is_held.await.unwrap();
            let ended = store.write(move |tx| {
                Box::pin(async move {
                    if hold_session {
                        let id = SessionId::new("sid-1");
                        tx.hold_session(&id).await?;
                        tx.end_session(&id, NOW).await?;
                        return tx.revoke_grants_of_session(&id, Reach::All, NOW).await;
                    }
                    let id = UserId::new("user-1");
                    tx.hold_user(&id).await?;
                    tx.revoke_grants_of_user(&id, NOW).await
                })
            });
            assert!(ended.await.unwrap() > 0, "{}", fresh.url);
            assert!(giving.await.unwrap());
            let name = if hold_session { "in-session" } else { "without" };
            let late = store.find_grant(&GrantId::new(name)).await.unwrap().unwrap();
            assert_eq!(late.revoked_at, Some(NOW), "{}", fresh.url);
        }
        // The other way round nothing is given.
        let (held, _) = oneshot::channel();
        assert!(!give(store.clone(), held, true).await);
    }
}
