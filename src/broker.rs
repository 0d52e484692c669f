//! The broker as a whole: configuration in, a running server out.
//!
//! The one place where rooms are joined: narrow values are made of the configuration here, and no
//! room below sees more of it than it needs.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App as ActixApp, HttpServer, web};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::{self, Config, ConfigProblems, FileConnection};
use crate::jobs;
use crate::op::admin::passwords::{PasswordFault, PasswordHasher};
use crate::op::admin::{Administration, ListedConnection};
use crate::op::master_key::VaultKeeper;
use crate::op::mutual_tls::MutualTls;
use crate::op::registration::{RegistrationMode, RegistrationPolicy};
use crate::op::{Fault, Parts, Policy, Provider};
use crate::protocol::ambient::{Clock, Entropy};
use crate::protocol::id::ConnectionId;
use crate::protocol::jwk::read_set;
use crate::store::{Store, StoreFault};
use crate::upstream::Connector;
use crate::upstream::build::{self, BuildError};
use crate::upstream::http::{Outbound, OutboundSettings};
use crate::web::limits::Limits;
use crate::web::metrics::Metrics;
use crate::web::{self as door, App};

/// How long a stopping broker lets requests in flight finish.
const DRAIN_SECONDS: u64 = 10;
/// How long a client may take to send its request's head.
const REQUEST_HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Where time and chance come from.
#[derive(Clone)]
pub struct World {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// Why a broker does not start. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is unusable.
    #[error(transparent)]
    Config(#[from] ConfigProblems),
    /// The `[apple]` section or a `[[connections]]` entry is unusable.
    #[error("connection {id}: {cause}")]
    Connection {
        /// Which.
        id: ConnectionId,
        /// What is wrong.
        cause: BuildError,
    },
    /// The `[mtls]` section is unusable.
    #[error("[mtls]: {0}")]
    MutualTls(String),
    /// The database cannot be used.
    #[error("database: {0}")]
    Store(#[from] StoreFault),
    /// `database.auto_migrate` is off and the schema is older than this binary.
    #[error("database: migration {name} is pending; run `russet migrate`")]
    Pending {
        /// The first pending migration.
        name: String,
    },
    /// Keys cannot be loaded or made.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Password hashing cannot be set up.
    #[error(transparent)]
    Password(#[from] PasswordFault),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {cause}; change {key} or stop what uses it")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The key it stands under.
        key: &'static str,
        /// What the system said.
        cause: std::io::Error,
    },
}

/// The joined rooms, not yet listening.
pub struct Broker {
    /// The acts of the OpenID Provider.
    pub provider: Arc<Provider>,
    /// The acts of administrators.
    pub administration: Administration,
    /// What is remembered.
    pub store: Store,
}

/// A broker that answers.
pub struct RunningBroker {
    address: SocketAddr,
    handle: ServerHandle,
    server: JoinHandle<std::io::Result<()>>,
    metrics: Option<(SocketAddr, ServerHandle)>,
    mtls_address: Option<SocketAddr>,
    jobs: CancellationToken,
    /// The joined rooms.
    pub broker: Broker,
}

impl Broker {
    /// Joins the rooms: opens the database, migrates it if the configuration says so, makes the
    /// connectors. Loads no keys and opens no socket.
    ///
    /// # Errors
    /// Every [`StartError`] but `Listen`.
    pub async fn open(config: &Config, world: &World) -> Result<Self, StartError> {
        let masters = config.master_keys()?;
        let outbound = outbound(config);
        let connectors = connectors(config, &outbound)?;
        let store = Store::connect(config.database.url.expose()).await?;
        if config.database.auto_migrate {
            store.migrate().await?;
        } else {
            // Refuses a schema that is newer than this binary.
            let status = store.migration_status().await?;
            if let Some(pending) = status.into_iter().find(|migration| !migration.applied) {
                return Err(StartError::Pending { name: pending.name });
            }
        }
        let vault_keeper = Arc::new(
            VaultKeeper::open(
                store.clone(),
                masters,
                Arc::clone(&world.clock),
                Arc::clone(&world.entropy),
            )
            .await?,
        );
        let permits = std::thread::available_parallelism().map_or(1, usize::from);
        let passwords = Arc::new(PasswordHasher::new(permits, Arc::clone(&world.entropy))?);
        let administration = Administration::new(
            store.clone(),
            Arc::clone(vault_keeper.vault()),
            Arc::clone(&world.clock),
            Arc::clone(&world.entropy),
            Arc::clone(&passwords),
        )
        .with_file_connections(listed(config))
        .with_passkeys_of(config.issuer())
        .under(config.security.minimum_profile)
        .with_outbound(outbound.clone());
        let provider = Arc::new(Provider::new(Parts {
            issuer: config.issuer().to_owned(),
            policy: Policy {
                notifications: config.notifications(),
                require_dpop_nonce: config.dpop.require_nonce,
                minimum_profile: config.security.minimum_profile,
                ..Policy::default()
            },
            clock: Arc::clone(&world.clock),
            entropy: Arc::clone(&world.entropy),
            vault_keeper,
            store: store.clone(),
            connectors,
            mutual_tls: mutual_tls(config)?,
            outbound,
            local_passwords: config.local_accounts.enabled.then_some(passwords),
            registration: registration(config),
        }));
        provider.reload_connectors().await?;
        provider.reload_branding().await?;
        Ok(Self { provider, administration, store })
    }

    /// Opens and serves. Answers come as soon as the socket is open; keys that are still missing
    /// are made beside them.
    ///
    /// # Errors
    /// Every [`StartError`].
    pub async fn start(config: &Config, world: &World) -> Result<RunningBroker, StartError> {
        let (listener, address) = listen(config.server.listen, "server.listen")?;
        let metrics = match config.metrics.listen {
            Some(address) => Some(listen(address, "metrics.listen")?),
            None => None,
        };
        let certified = config.mtls.as_ref().and_then(|mtls| mtls.listener.as_ref());
        let certified = match certified {
            Some(settings) => Some((listen(settings.listen, "mtls.listen")?, settings)),
            None => None,
        };
        let broker = Self::open(config, world).await?;
        // Stored keys must open before the first answer; only a first start makes new ones.
        broker.provider.keys().reload().await?;

        let limits = Limits::new(config.rate_limit.enabled, config.server.trusted_proxies.clone());
        let app = web::Data::new(App::new(
            Arc::clone(&broker.provider),
            broker.administration.clone(),
            limits,
            config.apple.as_ref().and_then(|apple| apple.domain_association.clone()),
            metrics.is_some().then(Metrics::default),
            config
                .mtls
                .as_ref()
                .and_then(|mtls| door::mutual_tls::header_name(mtls.header.as_ref()?)),
        ));
        let jobs = CancellationToken::new();
        jobs::spawn(app.clone(), jobs.clone());
        let workers = config
            .server
            .workers
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(2, usize::from));
        let base = app.base.clone();
        let counted = app.clone();
        let mut server = HttpServer::new(move || {
            let base = base.clone();
            ActixApp::new()
                .app_data(app.clone())
                .app_data(web::PayloadConfig::new(door::MAX_BODY))
                .configure(move |routes| door::routes(routes, &base))
                .default_service(web::to(door::html::not_found))
        })
        .on_connect(door::mutual_tls::remember)
        .workers(workers)
        .client_request_timeout(REQUEST_HEAD_TIMEOUT)
        .shutdown_timeout(DRAIN_SECONDS)
        .disable_signals()
        .listen(listener)
        .map_err(|cause| StartError::Listen { address, key: "server.listen", cause })?;
        let mut mtls_address = None;
        if let Some(((listener, address), settings)) = certified {
            let key = settings.private_key.expose().as_bytes();
            let tls = door::mutual_tls::listener(settings.certificate.as_bytes(), key)
                .map_err(StartError::MutualTls)?;
            server = server
                .listen_rustls_0_23(listener, tls)
                .map_err(|cause| StartError::Listen { address, key: "mtls.listen", cause })?;
            mtls_address = Some(address);
        }
        let server = server.run();
        let handle = server.handle();
        let server = tokio::spawn(server);
        let metrics = match metrics {
            None => None,
            Some((listener, address)) => {
                let server = door::metrics::serve(listener, counted).map_err(|cause| {
                    StartError::Listen { address, key: "metrics.listen", cause }
                })?;
                let handle = server.handle();
                tokio::spawn(server);
                Some((address, handle))
            }
        };
        Ok(RunningBroker { address, handle, server, metrics, mtls_address, jobs, broker })
    }
}

impl RunningBroker {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it asks clients for certificates, if it does.
    pub fn mtls_address(&self) -> Option<SocketAddr> {
        self.mtls_address
    }

    /// Where it tells its metrics, if it does.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(|(address, _)| *address)
    }

    /// Stops accepting, lets requests in flight finish, and returns when all is quiet.
    pub async fn stop(self) {
        self.jobs.cancel();
        self.handle.stop(true).await;
        if let Some((_, metrics)) = self.metrics {
            metrics.stop(false).await;
        }
        if let Err(fault) = self.server.await {
            tracing::warn!(%fault, "the server did not end by itself");
        }
    }
}

fn listen(address: SocketAddr, key: &'static str) -> Result<(TcpListener, SocketAddr), StartError> {
    let refused = |cause| StartError::Listen { address, key, cause };
    let listener = TcpListener::bind(address).map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok((listener, address))
}

/// What clients may register themselves for, as configured.
fn registration(config: &Config) -> RegistrationPolicy {
    let configured = &config.registration;
    let set = configured.software_statement_jwks.as_ref();
    RegistrationPolicy {
        mode: match configured.mode {
            config::RegistrationMode::Off => RegistrationMode::Off,
            config::RegistrationMode::Token => RegistrationMode::Token,
            config::RegistrationMode::Open => RegistrationMode::Open,
        },
        grant_types: configured.grant_types.clone(),
        redirect_hosts: configured.redirect_hosts.clone(),
        resources: configured.resources.clone(),
        software_statement_keys: set.and_then(|set| read_set(set).ok()).unwrap_or_default(),
        profile: configured.profile,
        require_software_statement: configured.require_software_statement,
        metadata_documents: configured.client_id_metadata_documents,
        document_hosts: configured.client_id_metadata_hosts.clone(),
    }
}

fn mutual_tls(config: &Config) -> Result<MutualTls, StartError> {
    let Some(mtls) = &config.mtls else { return Ok(MutualTls::default()) };
    MutualTls::new(mtls.base_url.clone(), mtls.ca_pem.as_ref().map(String::as_bytes))
        .map_err(|cause| StartError::MutualTls(format!("mtls.ca_file: {cause}")))
}

/// The one way out.
pub(crate) fn outbound(config: &Config) -> Outbound {
    Outbound::new(OutboundSettings {
        ca_pem: config.outbound.ca_pem.clone(),
        allow_private: config.outbound.allow_private.clone(),
        named: config.apple.iter().map(|apple| apple.issuer.clone()).collect(),
        user_agent: concat!("Russet/", env!("CARGO_PKG_VERSION")).to_owned(),
        timeout: config.outbound.timeout,
    })
}

/// The connections of the file, as administrators see them.
fn listed(config: &Config) -> Vec<ListedConnection> {
    let listed = |FileConnection { connection, secrets }| ListedConnection {
        connection,
        file_managed: true,
        has_client_secret: secrets.client_secret.is_some(),
    };
    config.file_connections().into_iter().map(listed).collect()
}

/// The connectors of the file.
pub(crate) fn connectors(
    config: &Config,
    outbound: &Outbound,
) -> Result<Vec<Arc<dyn Connector>>, StartError> {
    config
        .file_connections()
        .iter()
        .map(|FileConnection { connection, secrets }| {
            build::connector(connection, secrets, outbound)
                .map_err(|cause| StartError::Connection { id: connection.id.clone(), cause })
        })
        .collect()
}
