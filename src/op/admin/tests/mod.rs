//! The acts of administrators, on SQLite and (with `RUSSET_TEST_POSTGRES`) on PostgreSQL.

mod accounts;
mod clients;

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::protocol::ambient::{SeededEntropy, TestClock};
use crate::protocol::api::ApiScope;
use crate::protocol::client::{ClientKind, GrantType, TokenEndpointAuthMethod};
use crate::protocol::id::{ClientId, UserId};
use crate::protocol::secret::SecretString;
use crate::protocol::user::User;
use crate::store::clients::ListQuery;
use crate::store::events::EventQuery;

struct House {
    admin: Administration,
    clock: Arc<TestClock>,
    _directory: tempfile::TempDir,
}

impl House {
    async fn on(url: Option<&str>) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let sqlite = format!("sqlite://{}/russet.db", directory.path().display());
        let store = Store::connect(url.unwrap_or(&sqlite)).await.expect("a store");
        store.migrate().await.expect("migrating");
        let clock = Arc::new(TestClock::at(Timestamp::from_secs(1_700_000_000)));
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(1));
        let admin = Administration::new(
            store,
            Arc::new(Vault::from_bytes(&[7; 32]).expect("a vault")),
            Arc::clone(&clock) as Arc<dyn Clock>,
            Arc::clone(&entropy),
            Arc::new(PasswordHasher::new(1, entropy).expect("a hasher")),
        );
        Self { admin, clock, _directory: directory }
    }

    fn name(&self, stem: &str) -> String {
        format!("{stem}-{}", ClientId::random(self.admin.entropy.as_ref()))
    }

    async fn events(&self, target: &str) -> Vec<String> {
        let query = EventQuery { target: Some(target.to_owned()), limit: 50, ..<_>::default() };
        let events = self.admin.store.list_events(&query).await.expect("events");
        events.into_iter().rev().map(|recorded| recorded.event.kind).collect()
    }

    async fn web_client(&self) -> RegisteredClient {
        let mut new = NewClient::of_kind(ClientKind::Web, "Shop");
        new.change.redirect_uris = Some(vec!["https://shop.example/cb".to_owned()]);
        self.admin.create_client(&Actor::cli(), new).await.expect("a client")
    }
}

/// A database of its own on the server that `RUSSET_TEST_POSTGRES` names.
async fn fresh_postgres() -> Option<String> {
    use sea_orm::ConnectionTrait as _;
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let server = std::env::var("RUSSET_TEST_POSTGRES").ok()?;
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = format!("russet_admin_{}_{number}", std::process::id());
    let connection = sea_orm::Database::connect(&server).await.expect("the server");
    for statement in ["DROP DATABASE IF EXISTS", "CREATE DATABASE"] {
        connection.execute_unprepared(&format!("{statement} {name}")).await.expect("a database");
    }
    connection.close().await.expect("closing");
    let mut url = url::Url::parse(&server).expect("a URL");
    url.set_path(&name);
    Some(url.into())
}

async fn on_both<F: AsyncFn(House)>(test: F) {
    test(House::on(None).await).await;
    match fresh_postgres().await {
        Some(url) => test(House::on(Some(&url)).await).await,
        None => eprintln!("SKIPPED on PostgreSQL: RUSSET_TEST_POSTGRES is not set"),
    }
}

fn viewer() -> Actor {
    Actor::named("admin:eve", Role::Viewer)
}

fn fields(error: AdminError) -> Vec<&'static str> {
    match error {
        AdminError::Invalid(problems) => problems.into_iter().map(|p| p.field).collect(),
        other @ (AdminError::Forbidden { .. }
        | AdminError::NotFound
        | AdminError::Conflict
        | AdminError::Store(_)
        | AdminError::Password(_)
        | AdminError::Seal(_)) => panic!("not about a field: {other}"),
    }
}
