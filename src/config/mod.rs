//! Configuration: `russet.toml`, overlaid by `RUSSET_SECTION__KEY` variables, read once into types.
//!
//! Every value is also an environment variable: upper case, `__` between section and key
//! (`RUSSET_SERVER__ISSUER`), lists separated by commas. Every secret `x` is also `x_file`, a path
//! to a file that holds it; both at once is an error. Relative paths, that of the SQLite database
//! included, start at the directory of the configuration file; those from the environment start
//! at the working directory. All problems are reported at once.

mod connections;
mod problem;
mod read;
mod rules;
#[cfg(test)]
mod tests;
mod values;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

pub use self::problem::{ConfigProblems, Problem};
use crate::protocol::client::GrantType;
use crate::protocol::connection::{Connection, ConnectionSecrets};
use crate::protocol::master_key::MasterKeys;
use crate::protocol::notification::NotificationPolicy;
use crate::protocol::profile::Profile;
use crate::protocol::secret::SecretString;

/// The whole configuration, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[database]`
    pub database: Database,
    /// `[secrets]`
    pub secrets: Secrets,
    /// `[apple]`; absent when the broker has no Apple connection.
    pub apple: Option<Apple>,
    /// `[[connections]]`: upstreams besides the first Apple.
    pub connections: Vec<FileConnection>,
    /// `[local_accounts]`
    pub local_accounts: LocalAccounts,
    /// `[security]`
    pub security: Security,
    /// `[outbound]`
    pub outbound: Outbound,
    /// `[mtls]`; absent where no client certificates are taken.
    pub mtls: Option<Mtls>,
    /// `[dpop]`
    pub dpop: Dpop,
    /// `[registration]`
    pub registration: Registration,
    /// `[rate_limit]`
    pub rate_limit: RateLimit,
    /// `[metrics]`
    pub metrics: Metrics,
    /// `[log]`
    pub log: Log,
    /// What works but should be mended, such as a key file that everybody may read.
    pub warnings: Vec<Problem>,
    file: String,
}

/// `[server]`
#[derive(Clone, Debug)]
pub struct Server {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The issuer identifier, exactly as it stands in tokens: no trailing slash.
    pub issuer: String,
    /// Proxies whose `X-Forwarded-*` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Worker threads; one per core when absent.
    pub workers: Option<usize>,
}

/// `[database]`
#[derive(Clone, Debug)]
pub struct Database {
    /// `sqlite://PATH` (resolved) or `postgres://…`; may hold a password.
    pub url: SecretString,
    /// Whether `serve` applies pending migrations.
    pub auto_migrate: bool,
}

/// `[secrets]`
#[derive(Clone, Debug)]
pub struct Secrets {
    /// 32 random bytes in base64, already known to be well-formed.
    pub master_key: Option<SecretString>,
    /// The master keys it replaced: they open what they wrapped until `russet keys rotate
    /// --master` has run.
    pub previous_master_keys: Vec<SecretString>,
}

/// `[apple]`
#[derive(Clone, Debug)]
pub struct Apple {
    /// The ten-character Team ID.
    pub team_id: String,
    /// The ten-character Key ID of the private key.
    pub key_id: String,
    /// Content of the `.p8` file.
    pub private_key: SecretString,
    /// Key ID and content of the `.p8` file that is to follow.
    pub next_key: Option<(String, SecretString)>,
    /// Web sign-in: the Services ID.
    pub services_id: Option<String>,
    /// Native sign-in: the apps' bundle IDs.
    pub bundle_ids: Vec<String>,
    /// The primary App ID, where notifications are addressed to one that is no app of ours.
    pub primary_app_id: Option<String>,
    /// The name of the file that `private_key` came from.
    pub private_key_file: Option<String>,
    /// The domain that the operator's mail comes from.
    pub mail_sender_domain: Option<String>,
    /// `[apple.notifications]`: what becomes of people whom Apple gives up.
    pub notifications: NotificationPolicy,
    /// Apple, or a simulation of it.
    pub issuer: Url,
    /// Issuers that tokens may carry besides.
    pub additional_issuers: Vec<String>,
    /// Whether to send PKCE: `"s256"` (default) or `"off"`.
    pub pkce: bool,
    /// Whether a verified address may join people (`protocol/address_linking.rs`).
    pub link_by_verified_email: bool,
    /// Content of Apple's domain association file.
    pub domain_association: Option<String>,
}

/// A connection of the file: `[apple]`, or one of `[[connections]]`.
#[derive(Clone, Debug)]
pub struct FileConnection {
    /// The connection.
    pub connection: Connection,
    /// What is secret of it.
    pub secrets: ConnectionSecrets,
}

/// `[local_accounts]`: people who sign in with a password kept here.
#[derive(Clone, Copy, Debug)]
pub struct LocalAccounts {
    /// Whether they are offered to sign in. Off unless said otherwise.
    pub enabled: bool,
}

/// `[security]`
#[derive(Clone, Copy, Debug)]
pub struct Security {
    /// The profile that no client is laxer than: `"oidc"` (default), `"oauth2.1"` or `"fapi2"`.
    pub minimum_profile: Profile,
}

/// `[outbound]`
#[derive(Clone, Debug)]
pub struct Outbound {
    /// Further trusted authorities, PEM.
    pub ca_pem: Option<Vec<u8>>,
    /// Private networks the broker may fetch from.
    pub allow_private: Vec<IpNet>,
    /// How long an answer to the broker may take.
    pub timeout: Duration,
}

/// `[mtls]`: certificates of clients (RFC 8705).
#[derive(Clone, Debug)]
pub struct Mtls {
    /// A TLS listener of our own that asks for certificates.
    pub listener: Option<MtlsListener>,
    /// Authorities that vouch for clients with `tls_client_auth`, PEM.
    pub ca_pem: Option<String>,
    /// Where clients reach the endpoints that ask for certificates; the issuer when absent.
    pub base_url: Option<String>,
    /// The header in which a trusted proxy passes the certificate on.
    pub header: Option<String>,
}

/// The listener of `[mtls]`.
#[derive(Clone, Debug)]
pub struct MtlsListener {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The server's certificate with its chain, PEM.
    pub certificate: String,
    /// Its key, PEM.
    pub private_key: SecretString,
}

/// `[dpop]`
#[derive(Clone, Copy, Debug)]
pub struct Dpop {
    /// Whether proofs must hold a nonce of ours (RFC 9449 §8).
    pub require_nonce: bool,
}

/// `[registration]`: clients that register themselves.
#[derive(Clone, Debug, Default)]
pub struct Registration {
    /// `"off"` (default), `"token"` for holders of an initial access token, `"open"`.
    pub mode: RegistrationMode,
    /// The grant types they may use; those of sign-in when empty.
    pub grant_types: Vec<GrantType>,
    /// Hosts their redirect URIs may have; all when empty.
    pub redirect_hosts: Vec<String>,
    /// The APIs they may ask tokens for.
    pub resources: Vec<String>,
    /// A JWKS whose keys sign software statements that are believed.
    pub software_statement_jwks: Option<serde_json::Value>,
    /// The profile that they are given.
    pub profile: Profile,
    /// Whether nobody registers without one.
    pub require_software_statement: bool,
    /// Whether a `client_id` may be the address of its metadata document.
    pub client_id_metadata_documents: bool,
    /// Hosts such documents may have; all when empty.
    pub client_id_metadata_hosts: Vec<String>,
}

/// `registration.mode`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RegistrationMode {
    /// Operators alone register clients.
    #[default]
    Off,
    /// Whoever holds an initial access token.
    Token,
    /// Everybody.
    Open,
}

/// `[rate_limit]`
#[derive(Clone, Copy, Debug)]
pub struct RateLimit {
    /// Whether sign-in and token endpoints are throttled.
    pub enabled: bool,
}

/// `[metrics]`
#[derive(Clone, Copy, Debug)]
pub struct Metrics {
    /// Where to serve `/metrics`; off when absent.
    pub listen: Option<SocketAddr>,
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// How lines look.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug`, `trace`, or a `tracing` filter such as
    /// `info,russet::upstream=debug`.
    pub level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Auto, level: "info".to_owned() }
    }
}

/// `log.format`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Human on a terminal, JSON otherwise.
    Auto,
    /// For eyes.
    Human,
    /// For machines: one object a line.
    Json,
}

/// The configuration file's name when none is given.
pub const DEFAULT_FILE: &str = "russet.toml";

impl Config {
    /// Reads `file` and overlays `environment` (all variables; others than `RUSSET_*__*` are
    /// passed over). A missing file is an error only when `required`.
    ///
    /// # Errors
    /// Everything that is wrong, each with file or variable, key and remedy.
    pub fn load(
        file: &Path,
        required: bool,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigProblems> {
        read::config(&mut values::Values::gather(file, required, environment)?)
    }

    /// The issuer identifier, exactly as it stands in tokens.
    pub fn issuer(&self) -> &str {
        &self.server.issuer
    }

    /// What becomes of people whom an upstream gives up.
    pub fn notifications(&self) -> NotificationPolicy {
        self.apple.as_ref().map(|apple| apple.notifications).unwrap_or_default()
    }

    /// The master key, and those it replaced.
    ///
    /// # Errors
    /// When no master key is configured.
    pub fn master_keys(&self) -> Result<MasterKeys, ConfigProblems> {
        let previous = &self.secrets.previous_master_keys;
        self.secrets
            .master_key
            .as_ref()
            .and_then(|key| MasterKeys::from_base64(key, previous).ok())
            .ok_or_else(|| {
                Problem::new(
                    &self.file,
                    "secrets.master_key_file",
                    "is missing; make a key with `openssl rand -base64 32 > master.key`, keep it \
                     safe beside (not in) the database's backups, and name the file here or in \
                     RUSSET_SECRETS__MASTER_KEY_FILE",
                )
                .into()
            })
    }
}
