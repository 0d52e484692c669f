//! Changing the master key while people are signed in: nobody notices, and the old key is of no use
//! afterwards.

use std::sync::Arc;
use std::time::Duration;

use russet::op::master_key::Progress;
use russet::protocol::client::ClientKind;
use russet::protocol::secret::{SecretString, Vault};
use russet::protocol::upstream_grant::UpstreamGrant;
use russet::store::data_keys::SEALED;

use crate::harness::app::claims;
use crate::harness::{House, SystemEntropy, master_key};
use crate::on_each_engine;

/// A new data key is known by now.
const KNOWN: Duration = Duration::from_secs(31);
/// And by now nobody seals with the one before.
const SETTLED: Duration = Duration::from_secs(60);

fn new_key() -> String {
    Vault::generate_master_key(&SystemEntropy).expose().clone()
}

/// The data keys that stored values are sealed with.
async fn numbers(house: &House) -> Vec<i32> {
    let mut numbers = Vec::new();
    for column in SEALED {
        let values = house.store().list_sealed(column, None, 10_000).await.unwrap();
        numbers.extend(values.iter().map(|value| Vault::number_of(&value.sealed)));
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

#[tokio::test]
async fn the_master_key_changes_and_nobody_is_signed_out() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let mut browser = house.browser();
        let tokens = app.tokens(&mut browser, "openid offline_access", "Ada Lovelace").await;
        let (old, new) = (master_key(), new_key());
        let both = [("SECRETS__MASTER_KEY", new.as_str()), ("SECRETS__PREVIOUS_MASTER_KEY", &old)];
        let second = house.replica_with(&both).await;
        let third = house.replica_with(&both).await;
        assert_eq!(numbers(&house).await, [1]);
        let keeper = second.broker.provider.vault_keeper();
        let begun = keeper.rotate("test").await.unwrap();
        assert_eq!((begun.data_key, begun.complete), (2, false));
        assert_eq!(keeper.rotate("test").await.unwrap(), begun, "asked again, it only tells");
        assert_eq!(keeper.reseal("second").await.unwrap(), begun, "not before all replicas know");
        assert_eq!(numbers(&house).await, [1]);

        // The second key seals once every replica knows it; who does not yet use it can open it.
        third.broker.provider.vault_keeper().reload().await.unwrap();
        assert_eq!(third.broker.provider.vault_keeper().vault().current(), 1);
        house.advance(KNOWN);
        keeper.reload().await.unwrap();
        let sealed = keeper.vault().seal("t:1", b"x").unwrap();
        assert_eq!(Vault::number_of(&sealed), 2);
        let laggard = third.broker.provider.vault_keeper();
        assert_eq!(laggard.vault().open("t:1", &sealed).unwrap().expose(), b"x");

        house.advance(SETTLED);
        let done = keeper.reseal("second").await.unwrap();
        assert_eq!(done, Progress { complete: true, ..begun });
        assert_eq!(numbers(&house).await, [2]);
        assert_eq!(house.events("master_key.rotated").await, 1);
        assert_eq!(house.events("master_key.rotation_finished").await, 1);

        // A broker that has never seen the old key knows everybody and opens everything.
        let newest = house.replica_with(&[("SECRETS__MASTER_KEY", &new)]).await;
        let base = format!("http://{}", newest.address());
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", tokens.text("refresh_token"))];
        let refreshed = app.post_at(&base, "/token", &form).await;
        assert_eq!(refreshed.status, 200, "client secret and refresh token: {}", refreshed.json);
        let silent = app.attempt("openid").with("prompt", "none");
        let end = browser.open(&app.authorize_url(&silent)).await;
        assert!(end.query("code").is_some(), "the session");
        house.advance(Duration::from_secs(25 * 3600));
        let round = newest.broker.provider.daily_check("newest").await.unwrap();
        assert_eq!(round.good, 1, "Apple's refresh token");
        for replica in [second, third, newest] {
            replica.stop().await;
        }
    });
}

#[tokio::test]
async fn the_old_master_key_opens_nothing_afterwards() {
    let house = House::new().await;
    let new = new_key();
    let old = master_key();
    let both = [("SECRETS__MASTER_KEY", new.as_str()), ("SECRETS__PREVIOUS_MASTER_KEY", &old)];
    let second = house.replica_with(&both).await;
    second.broker.provider.vault_keeper().rotate("test").await.unwrap();
    let error = house.try_replica_with(&[]).await.err().expect("the old key alone").to_string();
    assert!(error.contains("secrets.previous_master_key_file"), "{error}");
    // The replica that was not told in time goes on with what it has, and says so.
    let keeper = house.broker.broker.provider.vault_keeper();
    assert!(keeper.reload().await.is_err());
    assert_eq!(keeper.vault().current(), 1);
    second.stop().await;
}

#[tokio::test]
async fn killed_anywhere_the_change_goes_on_where_it_was() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let tokens = app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
        let sub = claims(tokens.text("id_token"))["sub"].as_str().unwrap().to_owned();
        let user = house.store().find_user_by_sub(&sub).await.unwrap().unwrap();
        let template = house.store().find_upstream_grants(&user.id).await.unwrap().remove(0);
        // More than one batch.
        let keeper = Arc::clone(house.broker.broker.provider.vault_keeper());
        let mut many = Vec::new();
        for number in 0..700 {
            let mut grant =
                UpstreamGrant { client_id: format!("app.{number:04}"), ..template.clone() };
            let sealed = keeper.vault().seal(&grant.bound_to(), grant.client_id.as_bytes());
            grant.sealed_refresh_token = sealed.unwrap();
            many.push(grant);
        }
        house
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    for grant in &many {
                        tx.put_upstream_grant(grant).await?;
                    }
                    Ok::<_, russet::store::StoreFault>(())
                })
            })
            .await
            .unwrap();
        let (old, new) = (master_key(), new_key());
        let both = [("SECRETS__MASTER_KEY", new.as_str()), ("SECRETS__PREVIOUS_MASTER_KEY", &old)];
        let second = house.replica_with(&both).await;
        let keeper = Arc::clone(second.broker.provider.vault_keeper());
        keeper.rotate("test").await.unwrap();
        house.advance(KNOWN + SETTLED);
        for death in 0..40_u32 {
            let mine = Arc::clone(&keeper);
            let run = tokio::spawn(async move { mine.reseal(&format!("holder {death}")).await });
            for _ in 0..death * 3 {
                tokio::task::yield_now().await;
            }
            run.abort();
            let _ = run.await;
            // Its lease is left behind.
            house.advance(Duration::from_secs(121));
        }
        while !keeper.reseal("last").await.unwrap().complete {
            house.advance(Duration::from_secs(121));
        }
        assert_eq!(numbers(&house).await, [2]);
        let grants = house.store().find_upstream_grants(&user.id).await.unwrap();
        assert_eq!(grants.len(), 701);
        for grant in grants.iter().filter(|grant| grant.client_id.starts_with("app.")) {
            let opened = keeper.vault().open(&grant.bound_to(), &grant.sealed_refresh_token);
            assert_eq!(opened.unwrap().expose(), grant.client_id.as_bytes());
        }
        assert_eq!(house.events("master_key.rotation_finished").await, 1);
        second.stop().await;
    });
}

#[tokio::test]
async fn of_two_who_rotate_at_once_one_does_it() {
    on_each_engine!(house, {
        let (old, new) = (master_key(), new_key());
        let both = [("SECRETS__MASTER_KEY", new.as_str()), ("SECRETS__PREVIOUS_MASTER_KEY", &old)];
        let (second, third) = (house.replica_with(&both).await, house.replica_with(&both).await);
        let (a, b) = tokio::join!(
            second.broker.provider.vault_keeper().rotate("a"),
            third.broker.provider.vault_keeper().rotate("b"),
        );
        assert_eq!(a.unwrap(), b.unwrap());
        assert_eq!(house.store().list_data_keys().await.unwrap().len(), 2);
        assert_eq!(house.events("master_key.rotated").await, 1);
        second.stop().await;
        third.stop().await;
    });
}

#[tokio::test]
async fn a_second_change_follows_the_first() {
    let house = House::new().await;
    let mut before = master_key();
    for number in 2..5 {
        let new = new_key();
        let both =
            [("SECRETS__MASTER_KEY", new.as_str()), ("SECRETS__PREVIOUS_MASTER_KEY", &before)];
        let replica = house.replica_with(&both).await;
        let keeper = replica.broker.provider.vault_keeper();
        keeper.rotate("test").await.unwrap();
        house.advance(KNOWN + SETTLED);
        let progress = keeper.reseal("test").await.unwrap();
        assert_eq!((progress.data_key, progress.complete), (number, true));
        assert_eq!(numbers(&house).await, [number]);
        assert_eq!(
            house.vault.hash("secret"),
            keeper.vault().hash(SecretString::from("secret").expose()),
            "hashes never change"
        );
        replica.stop().await;
        before = new;
    }
}
