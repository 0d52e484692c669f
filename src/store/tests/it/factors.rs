//! A code counts once, however many send it at once.

use russet_protocol::ambient::Timestamp;
use russet_protocol::id::{AdminId, Holder};
use russet_protocol::passkey::Passkey;
use russet_protocol::secret::SecretHash;
use russet_store::{Store, StoreFault, WriteTx};
use tokio::task::JoinSet;

use crate::databases::{Fresh, LATER, NOW};

const SEALED: &[u8] = b"sealed";

fn holder() -> Holder {
    Holder::admin(&AdminId::new("ada"))
}

fn hash(byte: u8) -> SecretHash {
    SecretHash::from_bytes(&[byte; 32]).unwrap()
}

async fn furnish(store: &Store) {
    store
        .write(|tx| {
            Box::pin(async move {
                tx.put_totp(&holder(), SEALED, 5, NOW).await?;
                tx.put_recovery_codes(&holder(), &[hash(1), hash(2)]).await
            })
        })
        .await
        .unwrap();
}

/// How many of 32 on two replicas succeed.
async fn race<F>(fresh: &Fresh, act: F) -> usize
where
    F: for<'t> Fn(&'t WriteTx) -> russet_store::ActFuture<'t, bool, StoreFault>
        + Copy
        + Send
        + 'static,
{
    let replicas = [fresh.store().await, fresh.store().await];
    let mut tries = JoinSet::new();
    for number in 0..32 {
        let store = replicas.get(number % 2).unwrap().clone();
        tries.spawn(async move { store.write(act).await.unwrap() });
    }
    tries.join_all().await.into_iter().filter(|won| *won).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_one_time_code_is_taken_once_by_many_on_two_replicas() {
    for fresh in Fresh::each().await {
        furnish(&fresh.store().await).await;
        let won = race(&fresh, |tx| {
            Box::pin(async move { tx.use_totp_step(&holder(), SEALED, 6).await })
        });
        assert_eq!(won.await, 1, "{}", fresh.url);
        let again = race(&fresh, |tx| {
            Box::pin(async move { tx.use_totp_step(&holder(), SEALED, 5).await })
        });
        assert_eq!(again.await, 0, "nor one of an earlier step");
        let other = race(&fresh, |tx| {
            Box::pin(async move { tx.use_totp_step(&holder(), b"other", 9).await })
        });
        assert_eq!(other.await, 0, "nor one of another secret");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recovery_code_is_taken_once_by_many_on_two_replicas() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        furnish(&store).await;
        let won = race(&fresh, |tx| {
            Box::pin(async move { tx.spend_recovery_code(&holder(), &hash(1)).await })
        });
        assert_eq!(won.await, 1, "{}", fresh.url);
        assert_eq!(store.held_factors(&holder()).await.unwrap().recovery_codes, 1);
        let foreign = Holder::admin(&AdminId::new("eve"));
        let stolen = store.write(move |tx| {
            Box::pin(async move { tx.spend_recovery_code(&foreign, &hash(2)).await })
        });
        let stolen: Result<bool, StoreFault> = stolen.await;
        assert!(!stolen.unwrap(), "somebody else's");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tries_are_counted_however_many_come_at_once_and_forgotten_with_time() {
    for fresh in Fresh::each().await {
        let allowed = race(&fresh, |tx| {
            Box::pin(async move { tx.take_factor_try(&holder(), NOW, EARLIER, 5).await })
        });
        assert_eq!(allowed.await, 5, "{}", fresh.url);
        let later = race(&fresh, |tx| {
            Box::pin(async move { tx.take_factor_try(&holder(), LATER, NOW, 5).await })
        });
        assert_eq!(later.await, 5, "a new window");
        let forgotten = race(&fresh, |tx| {
            Box::pin(async move {
                tx.forget_factor_tries(&holder()).await?;
                tx.take_factor_try(&holder(), LATER, NOW, 1).await
            })
        });
        assert!(forgotten.await >= 1);
    }
}

const EARLIER: Timestamp = Timestamp::from_secs(1_700_000_000);

#[tokio::test]
async fn what_is_removed_is_gone() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        furnish(&store).await;
        let held = store.held_factors(&holder()).await.unwrap();
        assert!(held.any() && held.totp_added_at == Some(NOW) && held.recovery_codes == 2);
        let removed: Result<u64, StoreFault> =
            store.write(|tx| Box::pin(async move { tx.remove_factors(&holder()).await })).await;
        assert_eq!(removed.unwrap(), 3);
        assert!(!store.held_factors(&holder()).await.unwrap().any());
        assert_eq!(store.find_totp(&holder()).await.unwrap(), None);
    }
}

fn passkey(id: &str, counter: u32) -> Passkey {
    Passkey {
        id: id.to_owned(),
        holder: holder(),
        name: "This machine".to_owned(),
        credential: "{}".to_owned(),
        counter,
        created_at: NOW,
        last_used_at: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passkeys_count_is_taken_once_and_never_goes_back() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        store
            .write(|tx| {
                Box::pin(async move {
                    tx.insert_passkey(&passkey("counts", 3)).await?;
                    tx.insert_passkey(&passkey("does-not", 0)).await
                })
            })
            .await
            .unwrap();
        let race_to = |to: u32| {
            race(&fresh, move |tx| {
                Box::pin(async move { tx.use_passkey("counts", to, "{}", LATER).await })
            })
        };
        assert_eq!(race_to(4).await, 1, "{}", fresh.url);
        assert_eq!(race_to(4).await + race_to(2).await + race_to(0).await, 0, "nor further back");
        let uncounted = race(&fresh, |tx| {
            Box::pin(async move { tx.use_passkey("does-not", 0, "{}", LATER).await })
        });
        assert_eq!(uncounted.await, 32, "one that does not count is as good as its challenge");
        let all = store.list_passkeys(&holder()).await.unwrap();
        assert_eq!(all.iter().map(|each| each.counter).collect::<Vec<_>>(), [4, 0]);
        assert!(all.iter().all(|each| each.last_used_at == Some(LATER)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passkey_is_its_holders_and_known_once() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        let insert = || {
            store.write(|tx| Box::pin(async move { tx.insert_passkey(&passkey("known", 0)).await }))
        };
        insert().await.unwrap();
        let twice: Result<(), StoreFault> = insert().await;
        assert!(matches!(twice, Err(StoreFault::Conflict(_))), "{}", fresh.url);
        let remove = |holder: Holder| {
            store
                .write(move |tx| Box::pin(async move { tx.delete_passkey(&holder, "known").await }))
        };
        let another = Holder::admin(&AdminId::new("eve"));
        assert_eq!(remove(another).await.unwrap(), None, "it is not theirs");
        assert_eq!(remove(holder()).await.unwrap().as_deref(), Some("This machine"));
        assert_eq!(remove(holder()).await.unwrap(), None);
    }
}
