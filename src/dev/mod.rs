//! `russet dev`: everything on loopback, nothing to configure.
//!
//! The broker at port N, a simulated Apple at N+1 under the name `localhost` (another site than
//! the broker's `127.0.0.1`, so that cookies behave as in life), a demo app at N+2 and a demo API
//! at N+3.

mod banner;
mod directory;
mod seed;
#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use self::banner::Banner;
use self::directory::{Directory, DirectoryError};
use self::seed::Seeded;
use crate::broker::{Broker, RunningBroker, StartError, World};
use crate::config::{Config, ConfigProblems};
use crate::demo;
use crate::op::admin::AdminError;
use crate::protocol::ambient::{Clock, Entropy};
use crate::simulator::{
    self, Account, AppGroup, DeveloperPublicKey, RunningSimulator, ServicesId, Team,
};

/// Apple's Team ID for the simulated developer.
const TEAM_ID: &str = "RUSSETTEAM";
/// The Key ID of the simulated developer's `.p8`.
const KEY_ID: &str = "RUSSETKEY1";
/// The Services ID for web sign-in.
const SERVICES_ID: &str = "com.example.demo.web";
/// The bundle ID of the demo's native app.
const BUNDLE_ID: &str = "com.example.demo";
/// The demo API's resource identifier; does not depend on the port.
const API_IDENTIFIER: &str = "https://api.demo.example";

/// How often, and how long after one another, a server is asked whether it answers.
const ATTEMPTS: u32 = 300;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(50);

/// What `russet dev` was asked for.
#[derive(Clone, Debug)]
pub struct DevArgs {
    /// N; the three ports after it are used too.
    pub port: u16,
    /// Where state lives; a fresh temporary directory, removed at exit, when absent.
    pub data_dir: Option<PathBuf>,
    /// Whether to print one JSON object in place of the text.
    pub json: bool,
    /// The environment: `RUSSET_SECTION__KEY` counts as everywhere, but for [`OWN_VARIABLES`].
    pub environment: Vec<(String, String)>,
}

/// What follows from `--port`, and is passed over in the environment.
const OWN_VARIABLES: [&str; 3] =
    ["RUSSET_SERVER__LISTEN", "RUSSET_SERVER__ISSUER", "RUSSET_APPLE__ISSUER"];

/// Why `russet dev` does not start. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// There are no four ports from here.
    #[error("port {0} leaves no room for four ports; choose --port between 1 and 65532")]
    PortRange(u16),
    /// Somebody else listens there.
    #[error(
        "port {port} is taken ({cause}); `russet dev` uses the ports {first} to {last}, \
         choose others with --port"
    )]
    PortTaken {
        /// The port that is taken.
        port: u16,
        /// The first of the four.
        first: u16,
        /// The last of the four.
        last: u16,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The data directory cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The configuration in it cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigProblems),
    /// The broker does not start.
    #[error(transparent)]
    Broker(#[from] StartError),
    /// Clients, API or account cannot be made.
    #[error("the demo's clients cannot be registered: {0}")]
    Seed(#[from] AdminError),
    /// One of the servers beside the broker does not start.
    #[error("{what} does not start: {cause}")]
    Start {
        /// Which one.
        what: &'static str,
        /// What the system said.
        cause: std::io::Error,
    },
    /// One of the servers started and does not answer.
    #[error("{0} does not answer")]
    NoAnswer(String),
    /// Standard output is closed, or signals cannot be waited for.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Where everything is.
#[derive(Clone, Debug)]
struct Places {
    port: u16,
}

impl Places {
    fn at(port: u16) -> Result<Self, DevError> {
        if port == 0 || port.checked_add(3).is_none() {
            return Err(DevError::PortRange(port));
        }
        Ok(Self { port })
    }

    /// The address of the server `offset` ports after the first: always loopback.
    fn address(&self, offset: u16) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port.saturating_add(offset)))
    }

    fn issuer(&self) -> String {
        format!("http://{}", self.address(0))
    }

    fn apple(&self) -> String {
        format!("http://localhost:{}", self.address(1).port())
    }

    fn app(&self) -> String {
        format!("http://{}", self.address(2))
    }

    fn api(&self) -> String {
        format!("http://{}", self.address(3))
    }

    /// Fails before anything is written if a port is taken.
    fn are_free(&self) -> Result<(), DevError> {
        for offset in 0..4 {
            let address = self.address(offset);
            TcpListener::bind(address).map_err(|cause| DevError::PortTaken {
                port: address.port(),
                first: self.address(0).port(),
                last: self.address(3).port(),
                cause,
            })?;
        }
        Ok(())
    }
}

/// Starts everything, prints where it is, and runs until SIGINT or SIGTERM.
///
/// # Errors
/// [`DevError`] when something does not start. What was started ends with the process; a temporary
/// directory is removed.
pub async fn run(
    args: DevArgs,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> Result<(), DevError> {
    // Listened for before anything starts: a stop that comes early must still tidy up.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    tokio::pin!(stop);
    let started = tokio::select! {
        started = Neighbourhood::start(&args, World { clock, entropy }) => started?,
        () = &mut stop => return Ok(()),
    };
    {
        let mut out = std::io::stdout().lock();
        let text = if args.json { started.banner.json() } else { started.banner.text() };
        writeln!(out, "{text}")?;
        out.flush()?;
    }
    stop.await;
    started.stop().await;
    Ok(())
}

/// All that runs, and the directory it lives in.
struct Neighbourhood {
    banner: Banner,
    app: demo::Running,
    api: demo::Running,
    broker: RunningBroker,
    apple: RunningSimulator,
    directory: Directory,
}

impl Neighbourhood {
    async fn start(args: &DevArgs, world: World) -> Result<Self, DevError> {
        let places = Places::at(args.port)?;
        places.are_free()?;
        let mut directory = Directory::open(args.data_dir.as_deref())?;
        let developer_key = directory.furnish(&places, world.entropy.as_ref())?;
        let config = configuration(&directory, &args.environment)?;

        let apple = simulator::start(apple(&places, developer_key, &world))
            .await
            .map_err(|cause| DevError::Start { what: "the simulated Apple", cause })?;
        let broker = Broker::start(&config, &world).await?;
        let administration = &broker.broker.administration;
        let seeded = seed::seed(administration, &mut directory, &places, &world).await?;
        let api = demo::api::start(demo::api::Settings {
            listen: places.address(3),
            issuer: places.issuer(),
            identifier: API_IDENTIFIER.to_owned(),
            clock: Arc::clone(&world.clock),
        })
        .map_err(|cause| DevError::Start { what: "the demo API", cause })?;
        let app = demo::app::start(demo_app(&places, &seeded, &world))
            .map_err(|cause| DevError::Start { what: "the demo app", cause })?;

        // Asking for readiness before there are keys would only fill the log with refusals.
        for _ in 0..ATTEMPTS {
            if broker.broker.provider.keys().is_complete() {
                break;
            }
            tokio::time::sleep(BETWEEN_ATTEMPTS).await;
        }
        for url in [
            format!("{}/readyz", places.issuer()),
            format!("{}/", places.apple()),
            format!("{}/", places.app()),
            format!("{}/", places.api()),
        ] {
            answers(&url).await?;
        }
        let banner = Banner::new(&places, &directory, seeded);
        Ok(Self { banner, app, api, broker, apple, directory })
    }

    /// Stops all, the broker after those who need it, and removes a temporary directory.
    async fn stop(self) {
        self.app.stop().await;
        self.api.stop().await;
        self.broker.stop().await;
        self.apple.stop().await;
        self.directory.close();
    }
}

/// What stands in the directory, under what stands in the environment.
fn configuration(
    directory: &Directory,
    environment: &[(String, String)],
) -> Result<Config, DevError> {
    let (own, others): (Vec<_>, Vec<_>) =
        environment.iter().cloned().partition(|(name, _)| OWN_VARIABLES.contains(&name.as_str()));
    for (name, value) in own {
        let elsewhere = |it: SocketAddr| !it.ip().is_loopback();
        if name == "RUSSET_SERVER__LISTEN" && value.parse().is_ok_and(elsewhere) {
            return Err(DirectoryError::NotLoopback { key: name, listen: value }.into());
        }
        tracing::warn!(
            variable = name,
            "passed over: `russet dev` takes its addresses from --port"
        );
    }
    let config = Config::load(&directory.config_file(), true, others)?;
    for (key, listen) in [
        ("metrics.listen", config.metrics.listen),
        (
            "mtls.listen",
            config.mtls.as_ref().and_then(|it| it.listener.as_ref()).map(|it| it.listen),
        ),
    ] {
        if let Some(listen) = listen.filter(|it| !it.ip().is_loopback()) {
            let (key, listen) = (key.to_owned(), listen.to_string());
            return Err(DirectoryError::NotLoopback { key, listen }.into());
        }
    }
    Ok(config)
}

/// Waits until somebody answers, whatever the answer is but a fault.
async fn answers(url: &str) -> Result<(), DevError> {
    for _ in 0..ATTEMPTS {
        if demo::answers(url).await {
            return Ok(());
        }
        tokio::time::sleep(BETWEEN_ATTEMPTS).await;
    }
    Err(DevError::NoAnswer(url.to_owned()))
}

fn apple(places: &Places, key: DeveloperPublicKey, world: &World) -> simulator::Settings {
    let callback = format!("{}/upstream/apple/callback", places.issuer());
    simulator::Settings {
        listen: places.address(1),
        host: "localhost".to_owned(),
        issuer: None,
        insecure: true,
        teams: vec![Team {
            team_id: TEAM_ID.to_owned(),
            keys: vec![(KEY_ID.to_owned(), key)],
            groups: vec![AppGroup {
                primary_bundle_id: BUNDLE_ID.to_owned(),
                bundle_ids: vec![BUNDLE_ID.to_owned()],
                services_ids: vec![ServicesId {
                    services_id: SERVICES_ID.to_owned(),
                    return_urls: vec![callback],
                }],
                notification_url: Some(format!("{}/upstream/apple/notifications", places.issuer())),
            }],
        }],
        accounts: Account::samples(),
        clock: Arc::clone(&world.clock),
        entropy: Arc::clone(&world.entropy),
    }
}

fn demo_app(places: &Places, seeded: &Seeded, world: &World) -> demo::app::Settings {
    demo::app::Settings {
        listen: places.address(2),
        url: places.app(),
        issuer: places.issuer(),
        client_id: seeded.web.client_id.clone(),
        client_secret: seeded.web.client_secret.clone().unwrap_or_default(),
        api_url: places.api(),
        api_identifier: API_IDENTIFIER.to_owned(),
        api_scopes: vec![demo::api::ORDERS_READ.to_owned()],
        apple_url: places.apple(),
        clock: Arc::clone(&world.clock),
        entropy: Arc::clone(&world.entropy),
    }
}
