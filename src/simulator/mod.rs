//! A simulated Apple on loopback, strict where Apple is strict: for `russet dev` and for tests.
//!
//! The rules are those of Sign in with Apple's REST API and of the OAuth errors in RFC 6749 §5.2.
//! `russet serve` never starts it.

mod accounts;
mod authorize;
mod control;
mod faults;
mod gate;
mod journal;
mod keys;
mod native;
mod notifications;
mod pages;
mod people;
mod state;
#[cfg(test)]
mod tests;
mod token;
mod transfer;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};

use crate::protocol::ambient::{Clock, Entropy, Timestamp};
pub use accounts::{Account, AppGroup, FlagForm, ServicesId, Team};
pub use keys::{DeveloperPublicKey, KeyFault, developer_key};
use state::State;

/// How long a connection may be quiet.
const KEPT_OPEN: Duration = Duration::from_secs(75);

/// What a simulated Apple is started with.
pub struct Settings {
    /// Where to listen; port 0 takes any free one. On 127.0.0.1 it listens on `[::1]` too.
    pub listen: SocketAddr,
    /// The host name in URLs, `localhost` as a rule: another site than the broker's `127.0.0.1`.
    pub host: String,
    /// The `iss` of ID tokens and the `aud` of client secrets; default `http://{host}:{port}`.
    pub issuer: Option<String>,
    /// Permits `http`, IP literals and `localhost` in redirect URIs, for a broker on loopback.
    pub insecure: bool,
    /// The developer teams.
    pub teams: Vec<Team>,
    /// The test people.
    pub accounts: Vec<Account>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where codes and tokens come from.
    pub entropy: Arc<dyn Entropy>,
}

/// A simulated Apple that answers until it is stopped.
pub struct RunningSimulator {
    issuer: String,
    local_addr: SocketAddr,
    handle: ServerHandle,
}

impl RunningSimulator {
    /// The issuer, which is also the base of every endpoint unless the settings named another.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Stops at once, without waiting for open connections.
    pub async fn stop(self) {
        self.handle.stop(false).await;
    }
}

/// What every request sees.
pub(crate) struct Simulator {
    issuer: String,
    base: String,
    insecure: bool,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// Milliseconds that are added to the clock.
    offset: AtomicI64,
    state: Mutex<State>,
}

impl Simulator {
    fn new(settings: Settings, base: String, keys: keys::SigningKeys) -> Self {
        Self {
            issuer: settings.issuer.unwrap_or_else(|| base.clone()),
            base,
            insecure: settings.insecure,
            clock: settings.clock,
            entropy: settings.entropy,
            offset: AtomicI64::new(0),
            state: Mutex::new(State::new(settings.teams, settings.accounts, keys)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a key that is not Apple's, unless there is one.
    async fn meet_stranger(&self) -> Result<(), KeyFault> {
        if self.state().stranger.is_none() {
            let made = tokio::task::spawn_blocking(|| keys::SigningKeys::generate(1)).await;
            let made = made.map_err(|_| KeyFault::interrupted())??;
            self.state().stranger = Some(made);
        }
        Ok(())
    }

    /// Apple's clock: a test may set it apart from the broker's.
    fn now(&self) -> Timestamp {
        let offset = self.offset.load(Ordering::Relaxed);
        Timestamp::from_millis(self.clock.now().millis().saturating_add(offset))
    }

    fn token(&self) -> String {
        crate::protocol::secret::SecretString::random(&*self.entropy).expose().clone()
    }
}

/// Starts a simulated Apple; it answers once this returns.
///
/// # Errors
///
/// When the address is taken, or signing keys cannot be made.
pub async fn start(settings: Settings) -> std::io::Result<RunningSimulator> {
    let listener = TcpListener::bind(settings.listen)?;
    let local_addr = listener.local_addr()?;
    let base = format!("http://{}:{}", settings.host, local_addr.port());
    let keys = tokio::task::spawn_blocking(|| keys::SigningKeys::generate(2))
        .await
        .map_err(std::io::Error::other)?
        .map_err(std::io::Error::other)?;
    let simulator = web::Data::new(Simulator::new(settings, base, keys));
    let issuer = simulator.issuer.clone();
    let mut server = HttpServer::new(move || {
        App::new().app_data(simulator.clone()).wrap(from_fn(gate::dated)).configure(routes)
    })
    .workers(1)
    // Longer than the broker keeps a connection, however late its timers are on a busy machine: a
    // form that meets the closing is lost.
    .keep_alive(KEPT_OPEN)
    .disable_signals()
    .listen(listener)?;
    if local_addr.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST) {
        // The name `localhost` may resolve to either; a machine without IPv6 has only the one.
        let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, local_addr.port()));
        if let Ok(listener) = TcpListener::bind(v6) {
            server = server.listen(listener)?;
        }
    }
    let server = server.run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(RunningSimulator { issuer, local_addr, handle })
}

fn routes(app: &mut web::ServiceConfig) {
    app.route("/", web::get().to(pages::home))
        .route("/people", web::post().to(people::act))
        .service(
            web::resource("/.well-known/openid-configuration")
                .wrap(from_fn(gate::watch))
                .route(web::get().to(pages::discovery)),
        )
        .service(
            web::scope("/auth")
                .wrap(from_fn(gate::watch))
                .route("/keys", web::get().to(pages::jwks))
                .route("/authorize", web::get().to(authorize::ask))
                .route("/authorize/answer", web::post().to(authorize::answer))
                .route("/token", web::post().to(token::redeem))
                .route("/revoke", web::post().to(token::revoke))
                .route("/usermigrationinfo", web::post().to(transfer::info)),
        )
        .route("/simulator/submit.js", web::get().to(pages::script))
        .route("/simulator/simulator.css", web::get().to(pages::stylesheet))
        .route("/_sim/native", web::post().to(native::sign_in))
        .configure(control::routes);
}
