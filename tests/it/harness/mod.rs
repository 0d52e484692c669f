//! A house to live in for one test: broker, simulated Apple and database, on free ports.
//!
//! The clock stands still until a test turns it. With `RUSSET_TEST_POSTGRES` set, every story is
//! told twice: on SQLite and on a PostgreSQL database of its own.

pub mod app;
mod apple;
pub mod authenticator;
pub mod browser;
pub mod holder;
mod native;
pub mod receiver;
pub mod signer;
mod upstream;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use russet::broker::{Broker, RunningBroker, StartError, World};
use russet::config::Config;
use russet::protocol::ambient::{Clock, Entropy, TestClock, Timestamp, random};
use russet::protocol::api::{Api, ApiScope};
use russet::protocol::client::{Client, ClientKind, ClientSecret};
use russet::protocol::id::ClientId;
use russet::protocol::jose::Algorithm;
use russet::protocol::secret::{SecretString, Vault};
use russet::protocol::user::User;
use russet::simulator::{RunningSimulator, developer_key};
use russet::store::{Store, StoreFault};
use tempfile::TempDir;

use app::App;
use apple::start_apple;
use browser::Browser;

pub use apple::{BUNDLE_ID, NEW_TEAM, SECOND_BUNDLE_ID, SERVICES_ID, TEAM};

/// Where the clock stands at first: 24 November 2026, noon.
pub const NOON: Timestamp = Timestamp::from_secs(1_795_521_600);
const MASTER_KEY: [u8; 32] = [42; 32];

/// The master key as it is configured.
pub fn master_key() -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(MASTER_KEY)
}

/// The system's randomness: two houses on one database must not draw the same names.
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        #[expect(clippy::disallowed_methods, reason = "the world comes in through the harness")]
        aws_lc_rs::rand::fill(buffer).expect("randomness");
    }
}

/// Where a house keeps its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// SQLite, and PostgreSQL where the environment names a server.
    pub fn all() -> Vec<Self> {
        match std::env::var("RUSSET_TEST_POSTGRES") {
            Ok(_) => vec![Self::Sqlite, Self::Postgres],
            Err(_) => vec![Self::Sqlite],
        }
    }

    /// A new database, in `directory` if it is a file.
    async fn database(self, directory: &TempDir) -> String {
        match self {
            Self::Sqlite => format!("sqlite://{}", directory.path().join("russet.db").display()),
            Self::Postgres => new_postgres_database().await,
        }
    }
}

pub struct House {
    pub issuer: String,
    pub clock: Arc<TestClock>,
    pub broker: RunningBroker,
    pub apple: RunningSimulator,
    pub vault: Vault,
    world: World,
    config: Vec<(String, String)>,
    directory: Arc<TempDir>,
    http: reqwest::Client,
}

impl House {
    /// A new house on SQLite.
    pub async fn new() -> Self {
        Self::on(Engine::Sqlite).await
    }

    /// A new house whose clock stands at `now`.
    pub async fn at(now: Timestamp, engine: Engine) -> Self {
        let directory = Arc::new(TempDir::new().expect("a directory"));
        let url = engine.database(&directory).await;
        Self::furnished(&url, directory, &[], now).await
    }

    /// The configuration, as a process finds it in its environment.
    pub fn environment(&self) -> &[(String, String)] {
        &self.config
    }

    /// A new house on this engine.
    pub async fn on(engine: Engine) -> Self {
        let directory = Arc::new(TempDir::new().expect("a directory"));
        let url = engine.database(&directory).await;
        Self::with_database(&url, directory, &[]).await
    }

    /// A new house on SQLite with further settings.
    pub async fn configured(settings: &[(&str, &str)]) -> Self {
        Self::configured_on(Engine::Sqlite, settings).await
    }

    /// A new house on this engine with further settings.
    pub async fn configured_on(engine: Engine, settings: &[(&str, &str)]) -> Self {
        let directory = Arc::new(TempDir::new().expect("a directory"));
        let url = engine.database(&directory).await;
        Self::with_database(&url, directory, settings).await
    }

    async fn with_database(url: &str, directory: Arc<TempDir>, more: &[(&str, &str)]) -> Self {
        Self::furnished(url, directory, more, NOON).await
    }

    async fn furnished(
        url: &str,
        directory: Arc<TempDir>,
        more: &[(&str, &str)],
        now: Timestamp,
    ) -> Self {
        let clock = Arc::new(TestClock::at(now));
        let world =
            World { clock: Arc::clone(&clock) as Arc<dyn Clock>, entropy: Arc::new(SystemEntropy) };
        let (p8, public) = developer_key().expect("a developer key");
        let port = free_port();
        let issuer = format!("http://127.0.0.1:{port}");
        let apple = start_apple(&world, public, &issuer).await;
        let config: Vec<(String, String)> = [
            ("SERVER__LISTEN", format!("127.0.0.1:{port}")),
            ("SERVER__ISSUER", issuer.clone()),
            ("SERVER__WORKERS", "2".to_owned()),
            ("DATABASE__URL", url.to_owned()),
            ("SECRETS__MASTER_KEY", master_key()),
            ("APPLE__TEAM_ID", TEAM.to_owned()),
            ("APPLE__KEY_ID", "KEY1234567".to_owned()),
            ("APPLE__PRIVATE_KEY", p8.expose().clone()),
            ("APPLE__SERVICES_ID", SERVICES_ID.to_owned()),
            ("APPLE__BUNDLE_IDS", BUNDLE_ID.to_owned()),
            ("APPLE__ISSUER", apple.issuer().to_owned()),
            ("OUTBOUND__ALLOW_PRIVATE", "127.0.0.0/8,::1/128".to_owned()),
            // A busy machine is not away: how long an answer takes decides no story.
            ("OUTBOUND__TIMEOUT_SECONDS", "120".to_owned()),
            ("RATE_LIMIT__ENABLED", "false".to_owned()),
        ]
        .into_iter()
        .map(|(name, value)| (format!("RUSSET_{name}"), value))
        .chain(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
        .collect();
        let broker = start_broker(&config, &world).await;
        await_keys(&broker).await;
        Self {
            issuer,
            clock,
            broker,
            apple,
            vault: Vault::from_bytes(&MASTER_KEY).expect("a key"),
            world,
            config,
            directory,
            http: plain_client(),
        }
    }

    /// A new house on SQLite with these settings changed or added (`SECTION__KEY`, value).
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        Self::new().await.reopened(settings).await
    }

    /// The same house after its broker was stopped and started with other settings.
    pub async fn reopened(mut self, settings: &[(&str, &str)]) -> Self {
        for (key, value) in settings {
            let name = format!("RUSSET_{key}");
            self.config.retain(|(known, _)| *known != name);
            self.config.push((name, (*value).to_owned()));
        }
        self.broker.stop().await;
        self.broker = start_broker(&self.config, &self.world).await;
        self
    }

    /// A second replica, with these settings changed or added (`SECTION__KEY`, value).
    pub async fn replica_with(&self, settings: &[(&str, &str)]) -> RunningBroker {
        let mut config = self.config.clone();
        config.retain(|(name, _)| settings.iter().all(|(key, _)| *name != format!("RUSSET_{key}")));
        config.extend(
            settings.iter().map(|(key, value)| (format!("RUSSET_{key}"), (*value).to_owned())),
        );
        config.retain(|(name, _)| name != "RUSSET_SERVER__LISTEN");
        config.push(("RUSSET_SERVER__LISTEN".to_owned(), "127.0.0.1:0".to_owned()));
        let broker = start_broker(&config, &self.world).await;
        await_keys(&broker).await;
        broker
    }

    /// A second replica with these settings, if it starts.
    pub async fn try_replica_with(
        &self,
        settings: &[(&str, &str)],
    ) -> Result<RunningBroker, StartError> {
        let listen = format!("127.0.0.1:{}", free_port());
        let mut config = self.config.clone();
        for (name, value) in settings.iter().chain(&[("SERVER__LISTEN", listen.as_str())]) {
            let name = format!("RUSSET_{name}");
            config.retain(|(known, _)| *known != name);
            config.push((name, (*value).to_owned()));
        }
        let none = std::path::Path::new("/nonexistent/russet.toml");
        let config = Config::load(none, false, config).expect("a configuration");
        Broker::start(&config, &self.world).await
    }

    /// A second replica on the same database, under the same issuer, on a port of its own.
    pub async fn replica(&self) -> RunningBroker {
        let port = free_port();
        let mut config = self.config.clone();
        for (name, value) in &mut config {
            if name == "RUSSET_SERVER__LISTEN" {
                *value = format!("127.0.0.1:{port}");
            }
        }
        let broker = start_broker(&config, &self.world).await;
        await_keys(&broker).await;
        broker
    }

    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn store(&self) -> &Store {
        &self.broker.broker.store
    }

    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub fn database_url(&self) -> &str {
        let url = self.config.iter().find(|(name, _)| name == "RUSSET_DATABASE__URL");
        url.map(|(_, url)| url.as_str()).expect("a database")
    }

    pub fn database_directory(&self) -> PathBuf {
        self.directory.path().to_owned()
    }

    pub fn browser(&self) -> Browser {
        Browser::new()
    }

    /// Registers an API whose tokens are signed with `alg`.
    pub async fn api(&self, identifier: &str, alg: Algorithm, scopes: &[&str]) -> Api {
        let now = self.now();
        let api = Api {
            identifier: identifier.to_owned(),
            name: identifier.to_owned(),
            scopes: scopes
                .iter()
                .map(|name| ApiScope { name: (*name).to_owned(), description: String::new() })
                .collect(),
            access_token_ttl: 600,
            signing_alg: alg,
            settings: russet::protocol::client_settings::ApiSettings::default(),
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let stored = api.clone();
        self.store()
            .write(move |tx| Box::pin(async move { tx.insert_api(&stored).await }))
            .await
            .expect("an API");
        api
    }

    /// Registers a client of this kind, changed by `change`.
    pub async fn client(&self, kind: ClientKind, change: impl FnOnce(&mut Client)) -> App {
        let now = self.now();
        let name = format!("{}-{}", kind.as_str(), free_name());
        let mut client = Client::of_kind(ClientId::new(name), kind, now);
        client.first_party = true;
        if kind != ClientKind::Machine {
            client.redirect_uris = vec!["http://127.0.0.1:9/callback".to_owned()];
            client.post_logout_redirect_uris = vec!["http://127.0.0.1:9/bye".to_owned()];
        }
        if kind == ClientKind::Native {
            client.apple_bundle_ids = vec![BUNDLE_ID.to_owned()];
        }
        change(&mut client);
        let secret =
            (!client.is_public()).then(|| SecretString::random(&SystemEntropy).expose().clone());
        let stored = secret
            .as_ref()
            .map(|secret| ClientSecret::new("first".to_owned(), self.vault.hash(secret), now));
        let row = client.clone();
        self.store()
            .write(move |tx| Box::pin(async move { tx.insert_client(&row, stored.as_ref()).await }))
            .await
            .expect("a client");
        App::new(self, client, secret)
    }

    /// Makes a person with a local account.
    pub async fn local_user(&self, new: russet::op::admin::NewLocalUser) -> User {
        let password = crate::local_accounts::PASSWORD.into();
        let administration = &self.broker.broker.administration;
        let actor = russet::op::admin::Actor::cli();
        administration.create_local_user(&actor, new, password).await.expect("a person")
    }

    /// The discovery document.
    pub async fn metadata(&self) -> serde_json::Value {
        let url = format!("{}/.well-known/openid-configuration", self.issuer);
        self.http.get(url).send().await.expect("an answer").json().await.expect("JSON")
    }

    /// How many events of this kind were recorded.
    pub async fn events(&self, kind: &str) -> usize {
        let query = russet::store::events::EventQuery {
            kind: Some(kind.to_owned()),
            limit: 100,
            ..Default::default()
        };
        self.store().list_events(&query).await.expect("events").len()
    }
}

/// Waits for the signing keys, however long a busy machine takes to make them.
async fn await_keys(broker: &RunningBroker) {
    while broker.broker.provider.keys().complete().await.is_err() {}
}

async fn start_broker(config: &[(String, String)], world: &World) -> RunningBroker {
    let none = std::path::Path::new("/nonexistent/russet.toml");
    let config = Config::load(none, false, config.to_vec()).expect("a configuration");
    // A database of a machine that is very busy may have no room for two seconds.
    for _ in 0..30 {
        match Broker::start(&config, world).await {
            Err(StartError::Store(StoreFault::Busy(_))) => {}
            started => return started.expect("a broker"),
        }
    }
    panic!("the database has no room");
}

/// Opens a connection for each request: on a busy machine a kept one may be closed by the server in
/// the moment in which the next request goes out on it.
#[expect(clippy::disallowed_methods, reason = "tests are outsiders")]
pub fn plain_client() -> reqwest::Client {
    reqwest::Client::builder()
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        // A server closes a kept connection after five seconds, and a machine may be so busy that
        // the next request meets the closing and is lost.
        .pool_max_idle_per_host(0)
        .build()
        .expect("a client")
}

/// A port that nobody has, below those that the system gives out by itself: to whoever listens on
/// port 0, and to every connection that goes out. Whoever leaves it for a moment finds it free.
fn free_port() -> u16 {
    static NEXT: OnceLock<AtomicU16> = OnceLock::new();
    // Another process with these tests begins elsewhere.
    let next = NEXT.get_or_init(|| AtomicU16::new(u16::from_be_bytes(random(&SystemEntropy))));
    loop {
        let port = 10_000 + next.fetch_add(1, Ordering::Relaxed) % 22_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

pub fn free_name() -> String {
    SecretString::random(&SystemEntropy).expose().chars().take(12).collect()
}

async fn new_postgres_database() -> String {
    use sea_orm::ConnectionTrait as _;
    let server = std::env::var("RUSSET_TEST_POSTGRES").expect("a server");
    let name = format!("it_{}", free_name().to_lowercase().replace(['-', '_'], "x"));
    let connection = sea_orm::Database::connect(&server).await.expect("the server");
    connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database");
    let mut url = url::Url::parse(&server).expect("a URL");
    url.set_path(&name);
    url.into()
}

/// Tells a story on each engine.
#[macro_export]
macro_rules! on_each_engine {
    ($house:ident, $story:block) => {
        for engine in $crate::harness::Engine::all() {
            let $house = $crate::harness::House::on(engine).await;
            $story
        }
    };
}
