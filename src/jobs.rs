//! What happens by itself: plain acts of the provider, on timers.
//!
//! Each may run on every replica at once; what must happen once is settled in the database.

use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

use actix_web::web::Data;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::web::App;

/// How soon a key made or retired on another replica is known here.
const RELOAD_KEYS: Duration = Duration::from_secs(5);
/// How soon sealed values follow a change of the master key.
const RESEAL: Duration = Duration::from_secs(60);
/// How soon a delivery whose time has come is tried; what is new is sent at once.
const DELIVER: Duration = Duration::from_secs(1);
const DELIVERERS: usize = 4;
const DELETE: Duration = Duration::from_secs(1);
/// How soon what another replica left undone is taken up here; one's own is taken up at once.
const READ_INBOX: Duration = Duration::from_secs(5);
/// How soon a connection changed on another replica is taken up here.
const RELOAD_CONNECTORS: Duration = Duration::from_secs(2);
/// How soon a move between Apple teams goes on that a dead process left.
const MOVE: Duration = Duration::from_secs(5);
const SWEEP: Duration = Duration::from_secs(60);
/// How often it is looked for pictures that nothing names: that reads what clients look like.
const SWEEP_PICTURES: Duration = Duration::from_secs(3600);
const CHAIN_EVENTS: Duration = Duration::from_secs(1);
/// How soon receivers of the audit log are told what was linked.
const STREAM_EVENTS: Duration = Duration::from_secs(1);
/// How soon what was observed is written.
const OBSERVE: Duration = Duration::from_secs(10);
const PRUNE_EVENTS: Duration = Duration::from_secs(3600);
const ROTATE_KEYS: Duration = Duration::from_secs(3600);
/// How soon a check that falls due is begun.
const DAILY_CHECK: Duration = Duration::from_secs(60);

/// Starts the jobs; they end when `stop` is cancelled.
pub fn spawn(app: Data<App>, stop: CancellationToken) {
    let first = app.clone();
    let stopped = stop.clone();
    tokio::spawn(async move {
        // A first start: keys that are still missing are made while requests are answered.
        if !first.provider.keys().is_complete() {
            noted("make signing keys", first.provider.keys().start().await);
        }
        every(RELOAD_KEYS, stopped, || async {
            // First what opens them.
            noted("reload data keys", first.provider.vault_keeper().reload().await);
            noted("reload signing keys", first.provider.keys().reload().await);
        })
        .await;
    });
    // Several, so that one client that hangs keeps no other waiting.
    // One looks at the clock; the others are woken when there is much to do.
    for number in 0..DELIVERERS {
        let deliverer = app.clone();
        let stopped = stop.clone();
        let period = if number == 0 { DELIVER } else { Duration::MAX };
        tokio::spawn(async move {
            let bell = deliverer.provider.doorbell().clone();
            loop {
                tokio::select! {
                    () = stopped.cancelled() => return,
                    () = bell.rung() => {}
                    () = tokio::time::sleep(period) => {}
                }
                noted("deliver", deliverer.provider.deliver_due().await.map(|_| ()));
            }
        });
    }
    let eraser = app.clone();
    let stopped = stop.clone();
    tokio::spawn(async move {
        every(DELETE, stopped, || async {
            noted("delete", eraser.provider.continue_deletions().await);
            noted("give back", eraser.provider.give_left_grants_back().await);
        })
        .await;
    });
    let reader = app.clone();
    let stopped = stop.clone();
    tokio::spawn(async move {
        loop {
            noted("late notifications", reader.provider.verify_late_notifications().await);
            // At once: what a dead process left behind waits already.
            noted("notifications", reader.provider.work_off_notifications().await.map(|_| ()));
            tokio::select! {
                () = stopped.cancelled() => return,
                () = reader.provider.notified() => {}
                () = tokio::time::sleep(READ_INBOX) => {}
            }
        }
    });
    let renewer = app.clone();
    let stopped = stop.clone();
    tokio::spawn(async move {
        every(RELOAD_CONNECTORS, stopped, || async {
            noted("reload connections", renewer.provider.reload_connectors().await);
            noted("reload branding", renewer.provider.reload_branding().await);
            noted("reload outages", renewer.provider.reload_outages().await);
        })
        .await;
    });
    let mover = app.clone();
    let stopped = stop.clone();
    tokio::spawn(async move {
        every(MOVE, stopped, || async {
            noted("move between teams", mover.provider.continue_apple_transfer().await);
        })
        .await;
    });
    let sweeper = app.clone();
    let stopped = stop.clone();
    tokio::spawn(async move {
        every(SWEEP, stopped, || async {
            noted("sweep", sweeper.provider.sweep().await.map(|_| ()));
            sweeper.limits.tidy();
        })
        .await;
    });
    let tidier = app.clone();
    let stopped = stop.clone();
    tokio::spawn(async move {
        every(SWEEP_PICTURES, stopped, || async {
            noted("sweep pictures", tidier.provider.sweep_pictures().await.map(|_| ()));
        })
        .await;
    });
    let chainer = app.clone();
    let stopped = stop.clone();
    tokio::spawn(async move {
        every(CHAIN_EVENTS, stopped, || async {
            noted("chain events", chainer.administration.chain_events().await.map(|_| ()));
        })
        .await;
    });
    let observer = app.clone();
    let stopped = stop.clone();
    tokio::spawn(async move {
        every(OBSERVE, stopped, || async {
            let fetchers = observer.jwks_fetchers.take();
            noted("observations", observer.provider.keep_observations(fetchers).await);
        })
        .await;
    });
    let teller = app.clone();
    let stopped = stop.clone();
    tokio::spawn(async move {
        every(STREAM_EVENTS, stopped, || async {
            noted("stream events", teller.provider.stream_audit().await.map(|_| ()));
        })
        .await;
    });
    let pruner = app.clone();
    let stopped = stop.clone();
    tokio::spawn(async move {
        every(PRUNE_EVENTS, stopped, || async {
            noted("prune events", pruner.administration.prune_by_retention().await.map(|_| ()));
        })
        .await;
    });
    let resealer = app.clone();
    let stopped = stop.clone();
    tokio::spawn(async move {
        let holder = resealer.provider.request_id();
        every(RESEAL, stopped, || async {
            let keeper = resealer.provider.vault_keeper();
            noted("reseal", keeper.reseal(&holder).await.map(|_| ()));
        })
        .await;
    });
    let checker = app.clone();
    let stopped = stop.clone();
    tokio::spawn(async move {
        let holder = checker.provider.request_id();
        // What a dead process left in its middle is gone on with at once.
        if matches!(checker.provider.daily_check_was_cut_short().await, Ok(true)) {
            noted("daily check", checker.provider.daily_check(&holder).await.map(|_| ()));
        }
        every(DAILY_CHECK, stopped, || async {
            noted("daily check", checker.provider.daily_check(&holder).await.map(|_| ()));
        })
        .await;
    });
    tokio::spawn(async move {
        every(ROTATE_KEYS, stop, || async {
            noted("rotate signing keys", app.provider.keys().rotate_by_schedule().await);
        })
        .await;
    });
}

async fn every<F: Future<Output = ()>>(
    period: Duration,
    stop: CancellationToken,
    mut job: impl FnMut() -> F,
) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once; the start has done that work already.
    ticks.tick().await;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => job().await,
        }
    }
}

fn noted(job: &str, outcome: Result<(), impl Display>) {
    if let Err(fault) = outcome {
        tracing::error!(job, %fault, "a job failed");
    }
}
