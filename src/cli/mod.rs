//! The command line. A command's answer goes to stdout, as text or (`--json`) as JSON; logs and
//! what went wrong go to stderr.
//!
//! Exit codes: 0 done, 1 failed, 2 usage, 78 unusable configuration.

mod admin;
mod answer;
mod api;
mod apple;
mod audit;
mod backup;
mod check;
mod client;
mod client_binding;
mod client_delegation;
mod client_face;
mod client_notices;
mod client_security;
mod config;
mod connection;
mod delivery;
mod dev;
mod drawn_name;
mod failure;
mod import;
mod keys;
mod local_user;
mod migrate;
mod registration_token;
mod serve;
#[cfg(test)]
mod tests;
mod trusted_issuer;
mod user;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::answer::Answer;
use self::failure::CliError;
use crate::broker::{Broker, World};
use crate::config::{Config, DEFAULT_FILE};
use crate::telemetry::{self, LogWriter};

/// What the process was given.
pub struct Surroundings {
    /// The environment variables.
    pub environment: Vec<(String, String)>,
    /// Clock and randomness.
    pub world: World,
}

/// A self-hosted OIDC identity broker: Apple in, your own tokens out.
#[derive(Debug, Parser)]
#[command(name = "russet", version, after_help = EXAMPLES, arg_required_else_help = true)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  russet dev
  russet serve --config /etc/russet/russet.toml
  russet client create --kind web --client-name Shop --redirect-uri https://shop.example/callback
  russet check

Every key of the configuration is also a variable, such as RUSSET_SERVER__ISSUER.
Exit codes: 0 done, 1 failed, 2 usage, 78 unusable configuration.";

#[derive(Debug, clap::Args)]
struct Global {
    /// The configuration file; russet.toml if there is one.
    #[arg(long, global = true, value_name = "FILE", env = "RUSSET_CONFIG")]
    config: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything on this machine to try it: broker, simulated Apple, demo app and demo API.
    Dev(dev::DevOptions),
    /// Run the broker.
    Serve,
    /// Bring the database up to date.
    Migrate(migrate::MigrateArgs),
    /// Look for what is wrong with configuration, database and connections.
    Check,
    /// Copy the database of a running broker into a file.
    Backup(backup::BackupArgs),
    /// Put a copy in the place of the database of a stopped broker.
    Restore(backup::RestoreArgs),
    /// Clients, APIs and settings as one file, without secrets.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Console accounts.
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Client apps.
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// Upstreams that people sign in through.
    #[command(subcommand)]
    Connection(connection::ConnectionCommand),
    /// Apple's side of things.
    #[command(subcommand)]
    Apple(apple::AppleCommand),
    /// APIs that tokens are for.
    #[command(subcommand)]
    Api(api::ApiCommand),
    /// Signing keys.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Issuers whose word stands for a client's secret: CI systems, Kubernetes.
    #[command(subcommand)]
    TrustedIssuer(trusted_issuer::TrustedIssuerCommand),
    /// People.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Bring people from elsewhere.
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// The audit log.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Logout tokens and security events on their way to clients.
    #[command(subcommand)]
    Delivery(delivery::DeliveryCommand),
}

/// Performs the command in `args` and says how it went.
pub fn run(args: impl IntoIterator<Item = OsString>, surroundings: Surroundings) -> ExitCode {
    let arguments = match Arguments::try_parse_from(args) {
        Ok(arguments) => arguments,
        Err(usage) => {
            // Help goes to stdout with 0, errors to stderr with 2; a closed pipe is no matter.
            let _ = usage.print();
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2));
        }
    };
    let json = arguments.global.json;
    match perform(arguments, surroundings).and_then(|answer| answer.print(json)) {
        Ok(code) => code,
        Err(error) => error.report(),
    }
}

fn perform(arguments: Arguments, surroundings: Surroundings) -> Result<Answer, CliError> {
    // Commands other than `serve` do one thing; a thread for each core would only cost memory.
    let threads = match arguments.command {
        Command::Dev(_) | Command::Serve => None,
        Command::Migrate(_)
        | Command::Check
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Config(_)
        | Command::TrustedIssuer(_)
        | Command::Admin(_)
        | Command::Client(_)
        | Command::Connection(_)
        | Command::Apple(_)
        | Command::Api(_)
        | Command::Keys(_)
        | Command::User(_)
        | Command::Import(_)
        | Command::Audit(_)
        | Command::Delivery(_) => Some(1),
    };
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = threads {
        runtime.worker_threads(threads);
    }
    let runtime = runtime.enable_all().build().map_err(CliError::failed)?;
    let place = Place { global: arguments.global, surroundings };
    let missing = missing(&arguments.command);
    let performed = runtime.block_on(async {
        match arguments.command {
            Command::Dev(options) => dev::run(&place, options).await,
            Command::Serve => serve::run(&place).await,
            Command::Migrate(args) => migrate::run(&place, &args).await,
            Command::Check => check::run(&place).await,
            Command::Backup(args) => backup::backup(&place, &args).await,
            Command::Config(command) => config::run(&place, command).await,
            Command::Restore(args) => backup::restore(&place, &args).await,
            Command::Admin(command) => admin::run(&place, command).await,
            Command::Client(command) => client::run(&place, command).await,
            Command::Connection(command) => connection::run(&place, command).await,
            Command::Apple(command) => apple::run(&place, command).await,
            Command::Api(command) => api::run(&place, command).await,
            Command::Keys(command) => keys::run(&place, command).await,
            Command::TrustedIssuer(command) => trusted_issuer::run(&place, command).await,
            Command::User(command) => user::run(&place, command).await,
            Command::Import(command) => import::run(&place, command).await,
            Command::Audit(command) => audit::run(&place, command).await,
            Command::Delivery(command) => delivery::run(&place, command).await,
        }
    });
    performed.map_err(|error| error.or_missing(missing))
}

/// What to say when what a command names is not there.
const fn missing(command: &Command) -> &'static str {
    match command {
        Command::Admin(_) => "there is no such account; `russet admin list` names them",
        Command::Client(_) => {
            "there is no such client or registration token; `russet client list` and \
             `russet client registration-token list` name them"
        }
        Command::Connection(_) | Command::Apple(_) => {
            "there is no such connection; `russet connection list` names them"
        }
        Command::Api(_) => "there is no such API; `russet api list` names them",
        Command::TrustedIssuer(_) => {
            "there is no such trusted issuer; `russet trusted-issuer list` names them"
        }
        Command::User(_) => {
            "there is nobody like that; give the sub that clients see, the id, or the username \
             of a local account: the console's list of people has them"
        }
        Command::Delivery(_) => {
            "there is no delivery of that number that was given up; `russet delivery list` has them"
        }
        Command::Dev(_)
        | Command::Serve
        | Command::Migrate(_)
        | Command::Check
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Config(_)
        | Command::Keys(_)
        | Command::Import(_)
        | Command::Audit(_) => "what it names is not there",
    }
}

fn warn(config: &Config) {
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
}

/// Where a command runs: its global options, environment, clock and randomness.
struct Place {
    global: Global,
    surroundings: Surroundings,
}

impl Place {
    /// The configuration, with logging started as it says.
    fn config(&self) -> Result<Config, CliError> {
        let config = self.read_config()?;
        telemetry::start(&config.log, self.rust_log());
        warn(&config);
        Ok(config)
    }

    /// The same for a server, which does not wait for whoever reads its log.
    fn config_of_server(&self) -> Result<(Config, LogWriter), CliError> {
        let config = self.read_config()?;
        let writer = telemetry::start_aside(&config.log, self.rust_log());
        warn(&config);
        Ok((config, writer))
    }

    fn read_config(&self) -> Result<Config, CliError> {
        let (file, required) = match &self.global.config {
            Some(file) => (file.clone(), true),
            None => (PathBuf::from(DEFAULT_FILE), false),
        };
        let environment = &self.surroundings.environment;
        Ok(Config::load(&file, required, environment.iter().cloned())?)
    }

    fn rust_log(&self) -> Option<&str> {
        let environment = &self.surroundings.environment;
        let found = environment.iter().find(|(name, _)| name == "RUST_LOG");
        found.map(|(_, value)| value.as_str())
    }

    /// The broker's rooms, for commands that act on what is stored.
    async fn broker(&self) -> Result<Broker, CliError> {
        Ok(Broker::open(&self.config()?, &self.surroundings.world).await?)
    }
}
