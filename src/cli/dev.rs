//! `russet dev`

use std::path::PathBuf;
use std::sync::Arc;

use super::Place;
use super::answer::Answer;
use super::failure::CliError;
use crate::config::Log;
use crate::dev::{self, DevArgs, DevError};
use crate::telemetry;

#[derive(Debug, clap::Args)]
pub(super) struct DevOptions {
    /// The broker's port; the three after it are used too.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Where state lives; a fresh temporary directory, removed at exit, if not given.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// Runs everything on loopback until SIGTERM or SIGINT; prints where it is by itself, since it
/// must say so while it runs.
pub(super) async fn run(place: &Place, options: DevOptions) -> Result<Answer, CliError> {
    // Quiet, so that the banner stays in sight; RUST_LOG says otherwise.
    let quiet = Log { level: "warn".to_owned(), ..Log::default() };
    let _writer = telemetry::start_aside(&quiet, place.rust_log());
    let args = DevArgs {
        port: options.port,
        data_dir: options.data_dir,
        json: place.global.json,
        environment: place.surroundings.environment.clone(),
    };
    let world = &place.surroundings.world;
    dev::run(args, Arc::clone(&world.clock), Arc::clone(&world.entropy)).await?;
    Ok(Answer::silent())
}

impl From<DevError> for CliError {
    fn from(error: DevError) -> Self {
        match error {
            DevError::Config(problems) => problems.into(),
            DevError::Broker(error) => error.into(),
            DevError::Seed(error) => error.into(),
            DevError::PortRange(_)
            | DevError::PortTaken { .. }
            | DevError::Directory(_)
            | DevError::Start { .. }
            | DevError::NoAnswer(_)
            | DevError::Io(_) => Self::failed(error),
        }
    }
}
