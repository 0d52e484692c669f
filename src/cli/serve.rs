//! `russet serve`

use tokio::signal::unix::{SignalKind, signal};

use super::Place;
use super::answer::Answer;
use super::failure::CliError;
use crate::broker::Broker;

/// Serves until SIGTERM or SIGINT, then lets what is in flight finish.
pub(super) async fn run(place: &Place) -> Result<Answer, CliError> {
    // Dropped last: what a stop has to say is written before the process ends.
    let (config, mut log) = place.config_of_server()?;
    // Listened for before the socket opens: a stop that comes early must not kill.
    let mut terminate = signal(SignalKind::terminate()).map_err(CliError::failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(CliError::failed)?;
    let running = Broker::start(&config, &place.surroundings.world).await?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        address = %running.address(),
        issuer = config.issuer(),
        "serving"
    );
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = log.watch() => {}
    }
    tracing::info!("stopping");
    running.stop().await;
    log.tell_dropped();
    tracing::info!("stopped");
    Ok(Answer::silent())
}
