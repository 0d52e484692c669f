//! `russet import`

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::Place;
use super::answer::Answer;
use super::failure::CliError;
use crate::op::admin::Actor;
use crate::op::admin::import::{Contents, Remark, Report, Source};
use crate::protocol::id::ConnectionId;

/// So many remarks are shown as text; `--json` has them all.
const SHOWN: usize = 20;

#[derive(Debug, clap::Subcommand)]
pub(super) enum ImportCommand {
    /// Bring people with their Apple sub, so that their first sign-in here makes no second account.
    ///
    /// What is there already is left as it is; the import may be repeated.
    Apple(ImportArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    /// Where the file comes from.
    #[arg(long, value_enum)]
    from: From,
    /// The file; - reads standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// The Apple connection, where there are several.
    #[arg(long, default_value = "apple", value_name = "ID")]
    connection: String,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum From {
    /// `firebase auth:export users.json --format=json`
    Firebase,
    /// Auth0's export of users: a JSON object on each line
    Auth0,
    /// Supabase's auth.identities or auth.users, as CSV or JSON
    Supabase,
    /// A table with the header sub,email,email_verified,name,given_name,family_name
    Csv,
}

impl From {
    fn source(self) -> Source {
        match self {
            Self::Firebase => Source::Firebase,
            Self::Auth0 => Source::Auth0,
            Self::Supabase => Source::Supabase,
            Self::Csv => Source::Csv,
        }
    }
}

pub(super) async fn run(place: &Place, command: ImportCommand) -> Result<Answer, CliError> {
    let ImportCommand::Apple(ImportArgs { from, file, dry_run, connection }) = command;
    let text = read(&file)?;
    let contents = Contents::read(from.source(), &text)
        .map_err(|problem| CliError::failed(format!("{}: {problem}", file.display())))?;
    let broker = place.broker().await?;
    let connection = ConnectionId::new(connection);
    let authority = broker
        .provider
        .connector(&connection)
        .map(|connector| connector.authority())
        .filter(|authority| authority.starts_with("apple:"))
        .ok_or_else(|| {
            CliError::failed(format!(
                "{connection} is no Apple connection; fill in [apple], or name one with --connection"
            ))
        })?;
    let report = broker
        .administration
        .import_people(&Actor::cli(), &authority, &connection, contents, dry_run)
        .await?;
    let answer = Answer::new(told(&report), report.to_json());
    Ok(Answer { good: report.brings_anybody(), ..answer })
}

fn read(file: &Path) -> Result<String, CliError> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().read_to_string(&mut text).map(|_| ())
    } else {
        std::fs::read_to_string(file).map(|content| text = content)
    };
    read.map_err(|error| CliError::failed(format!("{}: {error}", file.display())))?;
    Ok(text)
}

fn told(report: &Report) -> String {
    let Report { dry_run, new, already_there, others, conflicting, unusable } = report;
    let mut text = format!(
        "{}\n\
         {new:8} new\n\
         {already_there:8} already there\n\
         {:8} conflicting\n\
         {:8} unusable\n\
         {others:8} without an Apple identity\n",
        if *dry_run { "Would bring (nothing was written):" } else { "Brought:" },
        conflicting.len(),
        unusable.len(),
    );
    for remark in conflicting.iter().chain(unusable).take(SHOWN) {
        let Remark { line, message } = remark;
        text.push_str(&format!("line {line}: {message}\n"));
    }
    let more = (conflicting.len() + unusable.len()).saturating_sub(SHOWN);
    if more > 0 {
        text.push_str(&format!("and {more} more; --json lists them all\n"));
    }
    if !report.brings_anybody() {
        text.push_str("Nobody in the file can be brought; is it whole, and what --from says?\n");
    }
    text
}
