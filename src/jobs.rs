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
    let jobs = Jobs { app, stop };
    jobs.keep_keys();
    jobs.deliver();
    jobs.read_inbox();
    jobs.check_daily();
    jobs.reseal();
    jobs.repeat(DELETE, |app| async move {
        noted("delete", app.provider.continue_deletions().await);
        noted("give back", app.provider.give_left_grants_back().await);
    });
    jobs.repeat(RELOAD_CONNECTORS, |app| async move {
        noted("reload connections", app.provider.reload_connectors().await);
        noted("reload branding", app.provider.reload_branding().await);
        noted("reload outages", app.provider.reload_outages().await);
    });
    jobs.repeat(MOVE, |app| async move {
        noted("move between teams", app.provider.continue_apple_transfer().await);
    });
    jobs.repeat(SWEEP, |app| async move {
        noted("sweep", app.provider.sweep().await);
        app.limits.tidy();
    });
    jobs.repeat(SWEEP_PICTURES, |app| async move {
        noted("sweep pictures", app.provider.sweep_pictures().await);
    });
    jobs.repeat(CHAIN_EVENTS, |app| async move {
        noted("chain events", app.administration.chain_events().await);
    });
    jobs.repeat(OBSERVE, |app| async move {
        let fetchers = app.jwks_fetchers.take();
        noted("observations", app.provider.keep_observations(fetchers).await);
    });
    jobs.repeat(STREAM_EVENTS, |app| async move {
        noted("stream events", app.provider.stream_audit().await);
    });
    jobs.repeat(PRUNE_EVENTS, |app| async move {
        noted("prune events", app.administration.prune_by_retention().await);
    });
    jobs.repeat(ROTATE_KEYS, |app| async move {
        noted("rotate signing keys", app.provider.keys().rotate_by_schedule().await);
    });
}

/// What every job is given.
struct Jobs {
    app: Data<App>,
    stop: CancellationToken,
}

impl Jobs {
    /// A job that is done again and again.
    fn repeat<F: Future<Output = ()> + Send>(
        &self,
        period: Duration,
        job: impl Fn(Data<App>) -> F + Send + 'static,
    ) {
        let (app, stop) = (self.app.clone(), self.stop.clone());
        tokio::spawn(async move { every(period, stop, move || job(app.clone())).await });
    }

    fn keep_keys(&self) {
        let (app, stop) = (self.app.clone(), self.stop.clone());
        tokio::spawn(async move {
            // A first start: keys that are still missing are made while requests are answered.
            if !app.provider.keys().is_complete() {
                noted("make signing keys", app.provider.keys().start().await);
            }
            every(RELOAD_KEYS, stop, || async {
                // First what opens them.
                noted("reload data keys", app.provider.vault_keeper().reload().await);
                noted("reload signing keys", app.provider.keys().reload().await);
            })
            .await;
        });
    }

    /// Several, so that one client that hangs keeps no other waiting. One looks at the clock; the
    /// others are woken when there is much to do.
    fn deliver(&self) {
        for number in 0..DELIVERERS {
            let (app, stop) = (self.app.clone(), self.stop.clone());
            let period = if number == 0 { DELIVER } else { Duration::MAX };
            tokio::spawn(async move {
                let bell = app.provider.doorbell().clone();
                loop {
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = bell.rung() => {}
                        () = tokio::time::sleep(period) => {}
                    }
                    noted("deliver", app.provider.deliver_due().await);
                }
            });
        }
    }

    fn read_inbox(&self) {
        let (app, stop) = (self.app.clone(), self.stop.clone());
        tokio::spawn(async move {
            loop {
                noted("late notifications", app.provider.verify_late_notifications().await);
                // At once: what a dead process left behind waits already.
                noted("notifications", app.provider.work_off_notifications().await);
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = app.provider.notified() => {}
                    () = tokio::time::sleep(READ_INBOX) => {}
                }
            }
        });
    }

    fn check_daily(&self) {
        let (app, stop) = (self.app.clone(), self.stop.clone());
        tokio::spawn(async move {
            let holder = app.provider.request_id();
            // What a dead process left in its middle is gone on with at once.
            if matches!(app.provider.daily_check_was_cut_short().await, Ok(true)) {
                noted("daily check", app.provider.daily_check(&holder).await);
            }
            every(DAILY_CHECK, stop, || async {
                noted("daily check", app.provider.daily_check(&holder).await);
            })
            .await;
        });
    }

    fn reseal(&self) {
        let (app, stop) = (self.app.clone(), self.stop.clone());
        tokio::spawn(async move {
            let holder = app.provider.request_id();
            every(RESEAL, stop, || async {
                noted("reseal", app.provider.vault_keeper().reseal(&holder).await);
            })
            .await;
        });
    }
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

fn noted<T>(job: &str, outcome: Result<T, impl Display>) {
    if let Err(fault) = outcome {
        tracing::error!(job, %fault, "a job failed");
    }
}
