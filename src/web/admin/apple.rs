//! Apple over time: the daily checks, and moving everyone to another team.

use actix_web::{Error, HttpRequest, HttpResponse, web};

use super::form::{query, with_query};
use super::{Console, Posted, ended, moment, see_other};
use crate::op::admin::AdminError;
use crate::op::apple_transfer::{Begun, Collect, Exchange, Run, TransferError};
use crate::op::daily_check::{is_check, job_name};
use crate::protocol::apple_transfer::{AppleTransfer, TransferState};
use crate::protocol::job::{JobCondition, JobState};
use crate::store::apple_transfers::{TransferCount, TransferQuery};
use crate::store::transfer_runs::TransferRun;
use crate::web::page::admin::Choice;
use crate::web::page::admin::upkeep::{
    ApplePage, CheckRow, MoveRow, MovedPage, MovedRow, RunRow, StateCount,
};

const PAGE: u64 = 50;

/// The daily checks and the moves.
pub(super) async fn show(console: Console) -> Result<HttpResponse, Error> {
    page(&console, None).await
}

async fn page(console: &Console, told: Option<String>) -> Result<HttpResponse, Error> {
    let administration = &console.app.administration;
    let prefix = job_name("apple:");
    let jobs = administration.jobs().await.map_err(|error| console.refuse(error))?;
    let checks = jobs.iter().filter_map(|job| Some((job, job.name.strip_prefix(&prefix)?)));
    let counts = administration.apple_transfers().await.map_err(|error| console.refuse(error))?;
    let running = console.app.provider.is_apple_transfer_running().await;
    let running = running.map_err(|fault| console.fail(&fault))?;
    let run = console.app.provider.apple_transfer_run().await;
    let run = run.map_err(|fault| console.fail(&fault))?;
    let teams = console.app.provider.apple_teams();
    let choice = |(id, team): &(crate::protocol::id::ConnectionId, String)| Choice {
        value: id.to_string(),
        label: format!("{} ({team})", console.connection_name(id)),
        hint: String::new(),
        chosen: false,
    };
    Ok(console.page(&ApplePage {
        shell: console.shell(),
        told,
        checks: checks.map(|(job, team)| check_row(job, team)).collect(),
        moves: moves(console, &counts),
        running,
        run: run.map(run_row),
        connections: teams.iter().map(choice).collect(),
    }))
}

fn run_row(run: TransferRun) -> RunRow {
    let waits = run.ended_at.is_none() && run.trouble.is_some();
    RunRow {
        by: run.requested_by,
        begun: moment(run.begun_at),
        ended: run.ended_at.map(moment),
        again: waits.then(|| moment(run.due_at)),
        trouble: run.trouble,
    }
}

fn check_row(job: &JobState, team: &str) -> CheckRow {
    let (word, chip) = match job.condition {
        JobCondition::Running => ("runs", "good"),
        JobCondition::Paused => ("waits for Apple", "warn"),
        JobCondition::Stopped => ("stopped", "bad"),
        JobCondition::Held => ("held", "warn"),
    };
    CheckRow {
        job: job.name.clone(),
        team: team.to_owned(),
        word,
        chip,
        since: moment(job.since),
        last_run: job.last_run_at.map(moment),
        last_good: job.last_ok_at.map(moment),
        again: job.resume_at.map(moment),
        cause: job.detail.clone(),
        held: job.condition == JobCondition::Held,
        goes: job.condition == JobCondition::Running,
    }
}

/// One row for each pair of teams, in the order in which they were found.
fn moves(console: &Console, counts: &[TransferCount]) -> Vec<MoveRow> {
    let mut rows: Vec<MoveRow> = Vec::new();
    for count in counts {
        let same = |row: &MoveRow| row.from == count.from_team && row.to == count.to_team;
        if !rows.last().is_some_and(same) {
            rows.push(MoveRow {
                from: count.from_team.clone(),
                to: count.to_team.clone(),
                total: 0,
                there: 0,
                refused: 0,
                states: Vec::new(),
            });
        }
        let Some(row) = rows.last_mut() else { continue };
        row.total += count.people;
        match count.state {
            TransferState::Exchanged | TransferState::Attached => row.there += count.people,
            TransferState::Refused => row.refused += count.people,
            TransferState::Pending | TransferState::Collected | TransferState::Conflict => {}
        }
        let narrowed = [("to", count.to_team.as_str()), ("state", count.state.as_str())];
        row.states.push(StateCount {
            word: in_words(count.state),
            people: count.people,
            url: console.url(&format!("/apple/people{}", with_query(&narrowed))),
        });
    }
    rows
}

const fn in_words(state: TransferState) -> &'static str {
    match state {
        TransferState::Pending => "no identifier yet",
        TransferState::Collected => "identifier known, not exchanged",
        TransferState::Exchanged => "moved by exchange",
        TransferState::Attached => "moved by signing in",
        TransferState::Refused => "refused by Apple",
        TransferState::Conflict => "the new sub is somebody else's",
    }
}

/// Puts a check on hold, or lets it go on.
pub(super) async fn turn_check(
    posted: Posted,
    act: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    let (administration, actor) = (&console.app.administration, console.actor());
    let name = form.exact("job");
    let turned = match act.as_str() {
        _ if !is_check(&name) => Err(AdminError::NotFound),
        "hold" => administration.hold_job(&actor, &name).await,
        "resume" => administration.resume_job(&actor, &name).await,
        _ => Err(AdminError::NotFound),
    };
    turned.map_err(|error| console.refuse(error))?;
    Ok(see_other(&console.url("/apple?done=saved")))
}

/// Begins a run of a move, tries one out, or has those asked for again who were refused.
pub(super) async fn transfer(
    posted: Posted,
    act: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    let actor = console.actor();
    let some = |name| Some(form.text(name)).filter(|text| !text.is_empty());
    let (connection, dry_run) = (some("connection"), form.ticked("dry_run"));
    let run = match act.as_str() {
        "collect" => Run::Collect(Collect { connection, target: some("target"), dry_run }),
        "exchange" => Run::Exchange(Exchange { connection, dry_run }),
        "retry" => {
            let administration = &console.app.administration;
            let people = administration.retry_apple_transfers(&actor, &form.text("target")).await;
            let people = people.map_err(|error| console.refuse(error))?;
            let told = format!("{people} people who were refused will be asked for again.");
            return page(&console, Some(told)).await;
        }
        _ => return Err(console.refuse(AdminError::NotFound)),
    };
    let told = match console.app.provider.begin_apple_transfer(&actor, run).await {
        Ok(Begun::Looked(people)) => {
            format!("Apple takes the credentials. {people} people would be asked for.")
        }
        Ok(Begun::GoesOn(people)) => {
            format!("Begun, for {people} people. Load this page again to see how far it has come.")
        }
        Err(TransferError::Admin(error)) => return Err(console.refuse(error)),
        Err(TransferError::Busy) => return Err(console.refuse(AdminError::Conflict)),
        Err(TransferError::Fault(fault)) => return Err(console.fail(&fault)),
        Err(error @ TransferError::Upstream(_)) => {
            let status = actix_web::http::StatusCode::BAD_GATEWAY;
            let heading = "Apple did not go along";
            return Err(ended(console.problem(status, heading, format!("{error}."))));
        }
    };
    page(&console, Some(told)).await
}

/// The report, person by person.
pub(super) async fn people(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let some = |name| query(&request, name).filter(|text| !text.is_empty());
    let (to, state) = (some("to"), some("state").and_then(|word| TransferState::parse(&word)));
    let asked = TransferQuery {
        to_team: to.clone(),
        state,
        after: some("from").zip(some("after")),
        limit: PAGE + 1,
        ..TransferQuery::default()
    };
    let found = console.app.provider.apple_transfers(&asked).await;
    let mut found = found.map_err(|fault| console.fail(&fault))?;
    let more = found.len() as u64 > PAGE;
    found.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
    let next_url = found.last().filter(|_| more).map(|last| {
        let mut pairs = vec![("from", last.from_team.as_str()), ("after", last.subject.as_str())];
        pairs.extend(to.as_deref().map(|to| ("to", to)));
        pairs.extend(state.map(|state| ("state", state.as_str())));
        console.url(&format!("/apple/people{}", with_query(&pairs)))
    });
    let row = |one: &AppleTransfer| MovedRow {
        person_url: console.url(&format!("/people/{}", one.user_id)),
        subject: one.subject.clone(),
        new_subject: one.new_subject.clone(),
        teams: format!("{} → {}", one.from_team, one.to_team),
        word: in_words(one.state),
        reason: one.reason.clone(),
        at: moment(one.updated_at),
    };
    Ok(console.page(&MovedPage {
        shell: console.shell(),
        narrowed: state.map(in_words),
        rows: found.iter().map(row).collect(),
        next_url,
    }))
}
