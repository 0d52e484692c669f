//! A move between Apple teams that was begun at the console: it survives the process that began it,
//! waits while Apple is away, and Apple is asked by one at a time.

use std::time::Duration;

use russet::op::admin::{Actor, AdminError};
use russet::op::apple_transfer::{Collect, Run, TransferError};
use russet::protocol::apple_transfer::TransferState;
use russet::protocol::client::ClientKind;
use russet::store::transfer_runs::TransferRun;
use serde_json::json;

use crate::apple_transfer::{DAY, TURN, collect, count, sub_of};
use crate::harness::{House, NEW_TEAM};
use crate::on_each_engine;

async fn run_under_way(house: &House) -> TransferRun {
    house.broker.broker.provider.apple_transfer_run().await.unwrap().expect("a run")
}

/// Turns the clock until the run that goes on by itself has ended; the jobs may be at it as well.
async fn ends(house: &House, step: Duration) -> TransferRun {
    loop {
        house.broker.broker.provider.continue_apple_transfer().await.expect("going on");
        let run = run_under_way(house).await;
        if run.ended_at.is_some() {
            return run;
        }
        house.advance(step);
    }
}

fn to_new_team() -> Run {
    let (connection, target) = (Some("apple".to_owned()), Some(NEW_TEAM.to_owned()));
    Run::Collect(Collect { connection, target, dry_run: false })
}

#[tokio::test]
async fn a_run_whose_process_died_is_taken_on_by_whoever_is_alive() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        sub_of(&house, &app, "apple", "Ada Lovelace").await;
        sub_of(&house, &app, "apple", "Grace Hopper").await;
        // What a process leaves that began a run at the console, and died with it in its hands.
        let now = house.now();
        let row = TransferRun {
            run: serde_json::to_string(&to_new_team()).unwrap(),
            requested_by: "admin:ada".to_owned(),
            request_id: None,
            attempts: 0,
            begun_at: now,
            due_at: now,
            ended_at: None,
            trouble: None,
        };
        let left = house.store().write(move |tx| {
            Box::pin(async move {
                assert!(tx.take_lease(TURN, "the dead", now.plus(DAY), now).await?);
                tx.begin_transfer_run(&row).await
            })
        });
        assert!(left.await.unwrap());
        let provider = &house.broker.broker.provider;
        provider.continue_apple_transfer().await.expect("not its turn");
        assert_eq!(house.apple_asked("usermigrationinfo").await, 0, "it might be alive");
        assert!(provider.is_apple_transfer_running().await.unwrap());
        // Nor does the command line ask beside it.
        assert!(matches!(collect(&house, false).await, Err(TransferError::Busy)));
        house.advance(DAY);
        let run = ends(&house, Duration::ZERO).await;
        assert_eq!((run.trouble, run.requested_by.as_str()), (None, "admin:ada"));
        assert_eq!(count(&house, TransferState::Collected).await, 2);
        assert_eq!(house.apple_asked("usermigrationinfo").await, 2);
        assert!(!provider.is_apple_transfer_running().await.unwrap());
    });
}

#[tokio::test]
async fn a_run_waits_while_apple_is_away_and_nobody_begins_another() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        sub_of(&house, &app, "apple", "Ada Lovelace").await;
        let away = json!({ "endpoint": "usermigrationinfo", "fault": "status_503", "times": 999 });
        house.simulate("faults", &away).await;
        let provider = &house.broker.broker.provider;
        let actor = Actor::cli();
        provider.begin_apple_transfer(&actor, to_new_team()).await.expect("begun");
        while run_under_way(&house).await.trouble.is_none() {
            provider.continue_apple_transfer().await.expect("going on");
        }
        let second = provider.begin_apple_transfer(&actor, to_new_team()).await;
        assert!(matches!(second, Err(TransferError::Admin(AdminError::Conflict))));
        house.simulate("faults/clear", &json!({})).await;
        let run = ends(&house, Duration::from_secs(600)).await;
        assert_eq!(run.trouble, None);
        assert_eq!(count(&house, TransferState::Collected).await, 1);
        assert_eq!(house.events("apple_transfer.failed").await, 0);
    });
}
