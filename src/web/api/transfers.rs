//! Moves between Apple teams, in the admin API.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Asked, Caller, accepted, answer, page};
use crate::op::admin::AdminError;
use crate::op::apple_transfer::{Begun, Collect, Exchange, Run, TransferError};
use crate::protocol::ambient::Timestamp;
use crate::protocol::apple_transfer::{AppleTransfer, TransferState};
use crate::store::apple_transfers::{TransferCount, TransferQuery};
use crate::store::transfer_runs::TransferRun;

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/apple-transfers").route(web::get().to(show)).route(web::post().to(run)),
        )
        .service(web::resource("/apple-transfers/retry").route(web::post().to(retry)))
        .service(web::resource("/apple-transfers/people").route(web::get().to(people)));
}

async fn show(caller: Caller) -> Result<HttpResponse, Error> {
    let counts = caller.got(caller.app.administration.apple_transfers().await)?;
    let provider = &caller.app.provider;
    let running = caller.unfailing(provider.is_apple_transfer_running().await)?;
    let last = caller.unfailing(provider.apple_transfer_run().await)?;
    let count = |one: &TransferCount| {
        json!({
            "from_team": one.from_team,
            "to_team": one.to_team,
            "state": one.state,
            "people": one.people,
        })
    };
    let run = |run: TransferRun| {
        json!({
            "requested_by": run.requested_by,
            "attempts": run.attempts,
            "begun_at": run.begun_at.secs(),
            "due_at": run.due_at.secs(),
            "ended_at": run.ended_at.map(Timestamp::secs),
            "trouble": run.trouble,
        })
    };
    Ok(answer(json!({
        "running": running,
        "run": last.map(run),
        "counts": counts.iter().map(count).collect::<Vec<_>>(),
    })))
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    Collect,
    Exchange,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    act: Act,
    connection: Option<String>,
    to_team: Option<String>,
    #[serde(default)]
    dry_run: bool,
}

async fn run(caller: Caller, body: web::Bytes) -> Result<HttpResponse, Error> {
    let New { act, connection, to_team, dry_run } = caller.read(&body)?;
    let run = match (act, to_team) {
        (Act::Collect, target) => Run::Collect(Collect { connection, target, dry_run }),
        (Act::Exchange, None) => Run::Exchange(Exchange { connection, dry_run }),
        (Act::Exchange, Some(_)) => {
            return Err(caller.invalid("to_team", "is the connection's own for an exchange"));
        }
    };
    let (goes_on, people) =
        match caller.app.provider.begin_apple_transfer(&caller.actor(), run).await {
            Ok(Begun::Looked(people)) => (false, people),
            Ok(Begun::GoesOn(people)) => (true, people),
            Err(error) => return Err(refused(&caller, error)),
        };
    let body = json!({ "begun": goes_on, "people": people });
    Ok(accepted(None, body))
}

fn refused(caller: &Caller, error: TransferError) -> Error {
    let detail = Some(error.to_string());
    match error {
        TransferError::Admin(AdminError::Conflict) | TransferError::Busy => {
            let title = "Another move between Apple teams is at work";
            caller.problem(StatusCode::CONFLICT, title, None)
        }
        TransferError::Admin(error) => caller.refuse(error),
        TransferError::Upstream(_) => {
            caller.problem(StatusCode::BAD_GATEWAY, "Apple did not go along", detail)
        }
        TransferError::Fault(fault) => caller.failed(&fault),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Retry {
    to_team: String,
}

async fn retry(caller: Caller, body: web::Bytes) -> Result<HttpResponse, Error> {
    let Retry { to_team } = caller.read(&body)?;
    let administration = &caller.app.administration;
    let people = administration.retry_apple_transfers(&caller.actor(), &to_team).await;
    Ok(answer(json!({ "people": caller.got(people)? })))
}

fn described(one: &AppleTransfer) -> Value {
    json!({
        "user_id": one.user_id,
        "from_team": one.from_team,
        "to_team": one.to_team,
        "subject": one.subject,
        "new_subject": one.new_subject,
        "state": one.state,
        "reason": one.reason,
        "updated_at": one.updated_at.secs(),
    })
}

async fn people(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    // Team and sub: neither holds a colon.
    let place = |after: String| {
        after.split_once(':').map(|(team, subject)| (team.to_owned(), subject.to_owned()))
    };
    let after = caller.place(&asked, place)?;
    let query = TransferQuery {
        to_team: asked.get("to_team"),
        state: asked.get("state").and_then(|word| TransferState::parse(&word)),
        after,
        limit: u64::from(asked.limit()).saturating_add(1),
        ..TransferQuery::default()
    };
    let mut found = caller.unfailing(caller.app.provider.apple_transfers(&query).await)?;
    let next = asked.rest(&mut found, |last| format!("{}:{}", last.from_team, last.subject));
    Ok(page(found.iter().map(described).collect(), next))
}
