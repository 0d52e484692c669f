//! `russet dev`

use std::path::PathBuf;
use std::sync::Arc;

use super::Place;
use super::answer::Answer;
use super::failure::CliError;
use crate::config::Log;
use crate::dev::{self, DevArgs};
use crate::telemetry;

/// What `russet dev` takes.
#[derive(Debug, clap::Args)]
pub(super) struct DevOptions {
    /// The broker's port; the three after it are used too.
    #[arg(long, default_value_t = 8080, value_name = "N")]
    port: u16,
    /// Where state lives; a fresh temporary directory, removed at exit, when absent.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// Runs everything on loopback until SIGTERM or SIGINT.
pub(super) async fn run(place: &Place, options: DevOptions) -> Result<Answer, CliError> {
    let rust_log = place.surroundings.environment.iter().find(|(name, _)| name == "RUST_LOG");
    telemetry::start(&Log::default(), rust_log.map(|(_, value)| value.as_str()));
    let args = DevArgs { port: options.port, data_dir: options.data_dir, json: place.global.json };
    let world = &place.surroundings.world;
    dev::run(args, Arc::clone(&world.clock), Arc::clone(&world.entropy))
        .await
        .map_err(CliError::failed)?;
    Ok(Answer::silent())
}
