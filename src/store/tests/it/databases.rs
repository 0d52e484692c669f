//! A fresh database for each test, on each engine.

use std::sync::atomic::{AtomicU32, Ordering};

use russet_protocol::ambient::Timestamp;
use russet_protocol::client::{Client, ClientKind};
use russet_protocol::grant::{Grant, GrantTerms};
use russet_protocol::id::{ClientId, GrantId, UserId};
use russet_protocol::user::User;
use russet_store::{Store, StoreFault};
use sea_orm::{ConnectionTrait as _, Database};

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
pub(crate) const LATER: Timestamp = Timestamp::from_secs(1_800_000_600);

/// A database that goes when this is dropped (a PostgreSQL one goes with its server).
pub(crate) struct Fresh {
    pub(crate) url: String,
    _directory: Option<tempfile::TempDir>,
}

impl Fresh {
    fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/russet.db", directory.path().display());
        Self { url, _directory: Some(directory) }
    }

    async fn postgres() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let Ok(server) = std::env::var("RUSSET_TEST_POSTGRES") else {
            eprintln!("SKIPPED on PostgreSQL: RUSSET_TEST_POSTGRES is not set");
            return None;
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("russet_store_{}_{number}", std::process::id());
        let admin = Database::connect(&server).await.unwrap();
        admin.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name}")).await.unwrap();
        admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        admin.close().await.unwrap();
        let (base, _) = server.rsplit_once('/').unwrap();
        Some(Self { url: format!("{base}/{name}"), _directory: None })
    }

    pub(crate) async fn each() -> Vec<Self> {
        let mut all = vec![Self::sqlite()];
        all.extend(Self::postgres().await);
        all
    }

    pub(crate) async fn store(&self) -> Store {
        let store = Store::connect(&self.url).await.unwrap();
        store.migrate().await.unwrap();
        store
    }
}

pub(crate) fn user() -> User {
    User {
        name: Some("Alice".to_owned()),
        email: Some("alice@example.com".to_owned()),
        email_verified: true,
        ..User::new(UserId::new("user-1"), "sub-1".to_owned(), NOW)
    }
}

pub(crate) fn client(id: &str, kind: ClientKind) -> Client {
    Client::of_kind(ClientId::new(id), kind, NOW)
}

pub(crate) fn grant(id: &str) -> Grant {
    Grant {
        id: GrantId::new(id),
        client_id: ClientId::new("shop"),
        user_id: UserId::new("user-1"),
        terms: GrantTerms {
            sub: "sub-1".to_owned(),
            scope: vec!["openid".to_owned()],
            resources: Vec::new(),
            auth_time: NOW,
            amr: vec!["fed".to_owned()],
            nonce: None,
            claims: russet_protocol::claims_request::NamedClaims::default(),
            cnf: None,
        },
        session_id: None,
        connection_id: None,
        created_at: NOW,
        refresh_generation: 0,
        refresh_spent_hash: None,
        refresh_idle_expires_at: LATER,
        expires_at: LATER,
        revoked_at: None,
    }
}

/// Alice, the client `shop` and a grant between them.
pub(crate) async fn furnish(store: &Store) {
    store
        .write(|tx| {
            Box::pin(async move {
                tx.insert_user(&user()).await?;
                tx.insert_client(&client("shop", ClientKind::Web), None).await?;
                tx.insert_grant(&grant("grant-1")).await?;
                Ok::<_, StoreFault>(())
            })
        })
        .await
        .unwrap();
}
