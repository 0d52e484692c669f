//! `russet apple transfer`: moving everyone to another Apple team.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use serde_json::json;

use super::Place;
use super::answer::Answer;
use super::failure::CliError;
use crate::op::Provider;
use crate::op::admin::Actor;
use crate::op::apple_transfer::{Collect, Exchange, Import, Progress, TransferError};
use crate::protocol::apple_transfer::{AppleTransfer, TransferState, read_csv, write_csv};
use crate::store::apple_transfers::TransferQuery;

#[derive(Debug, clap::Subcommand)]
pub(super) enum AppleCommand {
    /// Move everyone to another team.
    #[command(subcommand)]
    Transfer(TransferCommand),
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum TransferCommand {
    /// Before the move, or in its sixty days: ask the old team for everyone's transfer identifier.
    #[command(after_help = "Example:\n  russet apple transfer collect people.csv --target \
        NEWTEAM123\n\nWhat was collected stays known here, so the file is only for another \
        installation. Stopped at any moment, the same command goes on from there.")]
    Collect {
        /// Where to write sub,transfer_sub.
        file: Option<PathBuf>,
        /// The old team's connection.
        #[arg(long)]
        connection: Option<String>,
        /// The new team's Team ID.
        #[arg(long, value_name = "TEAM_ID")]
        target: Option<String>,
        /// Change nothing and ask for nobody.
        #[arg(long)]
        dry_run: bool,
    },
    /// Take over a file of sub,transfer_sub, so that people are known when they come.
    Import {
        /// The file.
        file: PathBuf,
        /// The old team's Team ID.
        #[arg(long, value_name = "TEAM_ID")]
        from: Option<String>,
        /// The new team's Team ID.
        #[arg(long, value_name = "TEAM_ID")]
        target: Option<String>,
        /// Look, and change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// After the move, in its sixty days: ask the new team who everyone is now, and link them.
    Exchange {
        /// A file to take over first.
        file: Option<PathBuf>,
        /// The new team's connection.
        #[arg(long)]
        connection: Option<String>,
        /// Change nothing and ask for nobody.
        #[arg(long)]
        dry_run: bool,
    },
    /// How far everyone has come, person by person.
    Status {
        /// Only those that have come so far.
        #[arg(long, value_parser = PossibleValuesParser::new(STATES))]
        state: Option<String>,
        /// Only those who move to this team.
        #[arg(long, value_name = "TEAM_ID")]
        target: Option<String>,
    },
}

const STATES: [&str; 6] = ["pending", "collected", "exchanged", "attached", "refused", "conflict"];
const PAGE: u64 = 500;
/// How soon the command looks whether it is its turn.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

pub(super) async fn run(place: &Place, command: AppleCommand) -> Result<Answer, CliError> {
    let AppleCommand::Transfer(command) = command;
    let provider = place.broker().await?.provider;
    let actor = Actor::cli();
    match command {
        TransferCommand::Collect { file, connection, target, dry_run } => {
            let collect = Collect { connection, target, dry_run };
            let attempt = || provider.collect_apple_transfer(&actor, &collect, &show);
            let ((from, to), progress) = in_turn(attempt).await?;
            if let (Some(file), false) = (&file, dry_run) {
                write_file(&provider, file, &from, &to).await?;
            }
            let json = json!({ "from_team": from, "to_team": to, "dry_run": dry_run,
                "total": progress.total, "collected": progress.done,
                "refused": progress.refused, "left": progress.left });
            let answer = Answer::thing(json);
            Ok(Answer { good: dry_run || progress.left == 0, ..answer })
        }
        TransferCommand::Import { file, from, target, dry_run } => {
            import(&provider, &actor, &file, (from, target), dry_run).await
        }
        TransferCommand::Exchange { file, connection, dry_run } => {
            if let Some(file) = file {
                import(&provider, &actor, &file, (None, None), dry_run).await?;
            }
            let exchange = Exchange { connection, dry_run };
            let attempt = || provider.exchange_apple_transfer(&actor, &exchange, &show);
            let (to, progress) = in_turn(attempt).await?;
            let json = json!({ "to_team": to, "dry_run": dry_run, "total": progress.total,
                "exchanged": progress.done, "refused": progress.refused,
                "conflicts": progress.conflicts, "left": progress.left });
            let answer = Answer::thing(json);
            Ok(Answer { good: dry_run || progress.left == 0, ..answer })
        }
        TransferCommand::Status { state, target } => status(&provider, state, target).await,
    }
}

/// Waits while another run is at work: the console's, or one that was killed a moment ago.
async fn in_turn<T, F: Future<Output = Result<T, TransferError>>>(
    attempt: impl Fn() -> F,
) -> Result<T, TransferError> {
    let mut waiting = false;
    loop {
        match attempt().await {
            Err(TransferError::Busy) if !waiting => {
                waiting = true;
                let _ = writeln!(std::io::stderr(), "waiting: another run is at work");
            }
            Err(TransferError::Busy) => tokio::time::sleep(LOOK_AGAIN).await,
            done => return done,
        }
    }
}

async fn import(
    provider: &Provider,
    actor: &Actor,
    file: &Path,
    (from, target): (Option<String>, Option<String>),
    dry_run: bool,
) -> Result<Answer, CliError> {
    let named = |cause: String| CliError::failed(format!("{}: {cause}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| named(error.to_string()))?;
    let rows = read_csv(&text).map_err(named)?;
    let import = Import { rows, from, target, dry_run };
    let report = provider.import_apple_transfer(actor, import).await?;
    let good = report.unknown.is_empty() && report.conflicts.is_empty();
    let json = json!({ "to_team": report.to_team, "dry_run": dry_run, "total": report.total,
        "imported": report.imported, "unchanged": report.unchanged,
        "unknown": report.unknown, "conflicts": report.conflicts });
    Ok(Answer { good, ..Answer::thing(json) })
}

async fn write_file(
    provider: &Provider,
    file: &Path,
    from: &str,
    to: &str,
) -> Result<(), CliError> {
    let query = TransferQuery {
        from_team: Some(from.to_owned()),
        to_team: Some(to.to_owned()),
        ..TransferQuery::default()
    };
    let people = every_transfer(provider, query).await?;
    let rows: Vec<_> =
        people.into_iter().filter_map(|one| Some((one.subject, one.transfer_sub?))).collect();
    let text = write_csv(rows.iter().map(|(sub, transfer)| (sub.as_str(), transfer.as_str())));
    std::fs::write(file, text)
        .map_err(|error| CliError::failed(format!("{}: {error}", file.display())))
}

/// Everybody that `query` finds, page by page.
async fn every_transfer(
    provider: &Provider,
    query: TransferQuery,
) -> Result<Vec<AppleTransfer>, CliError> {
    let mut query = TransferQuery { limit: PAGE, ..query };
    let mut people = Vec::new();
    loop {
        let page = provider.apple_transfers(&query).await?;
        let Some(last) = page.last() else { return Ok(people) };
        query.after = Some((last.from_team.clone(), last.subject.clone()));
        people.extend(page);
    }
}

async fn status(
    provider: &Provider,
    state: Option<String>,
    target: Option<String>,
) -> Result<Answer, CliError> {
    let counts = provider.apple_transfer_counts().await?;
    let counts: Vec<_> = counts
        .iter()
        .filter(|count| target.as_ref().is_none_or(|team| *team == count.to_team))
        .map(|count| {
            json!({ "from_team": count.from_team, "to_team": count.to_team,
                "state": count.state, "people": count.people })
        })
        .collect();
    let query = TransferQuery {
        to_team: target,
        state: state.as_deref().and_then(TransferState::parse),
        ..TransferQuery::default()
    };
    let people = every_transfer(provider, query).await?;
    let people: Vec<_> = people.iter().map(|one| json!(one)).collect();
    let table = Answer::list(counts.clone(), &["from_team", "to_team", "state", "people"]);
    let list = Answer::list(people.clone(), &["subject", "state", "new_subject", "reason"]);
    let text = if state.is_some() { list.text } else { table.text };
    Ok(Answer::new(text, json!({ "counts": counts, "people": people })))
}

/// One line that is written over, where somebody looks; else one for each page of people.
fn show(progress: Progress) {
    let mut err = std::io::stderr().lock();
    let worked = progress.done + progress.refused + progress.conflicts + progress.left;
    let line = format!("{worked} of {}", progress.total);
    let _ = if err.is_terminal() { write!(err, "\r{line} ") } else { writeln!(err, "{line}") };
}

impl From<TransferError> for CliError {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::Admin(error) => error.into(),
            TransferError::Fault(fault) => fault.into(),
            TransferError::Upstream(_) | TransferError::Busy => Self::failed(error),
        }
    }
}
