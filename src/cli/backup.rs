//! `russet backup` and `russet restore`

use std::path::PathBuf;

use serde_json::json;
use url::Url;

use super::Place;
use super::answer::{Answer, confirm};
use super::failure::CliError;
use crate::store::backup::{self, sqlite_file};

#[derive(Debug, clap::Args)]
pub(super) struct BackupArgs {
    /// The file to make; it must not be there yet.
    file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct RestoreArgs {
    /// A file made by `russet backup`.
    file: PathBuf,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// The master key is not in the copy, and must not be.
const KEY_APART: &str = "the master key is not in it: keep that elsewhere";

pub(super) async fn backup(place: &Place, args: &BackupArgs) -> Result<Answer, CliError> {
    let config = place.config()?;
    let url = config.database.url.expose();
    let file = args.file.display().to_string();
    if sqlite_file(url).is_none() {
        let line = postgres_line("pg_dump --format=custom --file", &file, url);
        return Ok(Answer::new(line.clone(), json!({ "run": line })));
    }
    backup::backup(url, &args.file).await.map_err(CliError::failed)?;
    let bytes = std::fs::metadata(&args.file).map(|file| file.len()).map_err(CliError::failed)?;
    let text = format!("{file}: {bytes} bytes; {KEY_APART}");
    Ok(Answer::new(text, json!({ "file": file, "bytes": bytes })))
}

pub(super) async fn restore(place: &Place, args: &RestoreArgs) -> Result<Answer, CliError> {
    let config = place.config()?;
    let url = config.database.url.expose();
    let file = args.file.display().to_string();
    let Some(target) = sqlite_file(url) else {
        let line = postgres_line("pg_restore --clean --if-exists --dbname", url, &file);
        return Ok(Answer::new(line.clone(), json!({ "run": line })));
    };
    // Nobody is asked for leave to do what cannot be done.
    backup::may_restore(url, &args.file).await.map_err(CliError::failed)?;
    if target.exists() {
        let question =
            format!("Replace {} by {file}? What is in it now is lost.", target.display());
        confirm(&question, args.yes)?;
    }
    backup::restore(url, &args.file).await.map_err(CliError::failed)?;
    let text = format!("{} is restored from {file}", target.display());
    Ok(Answer::new(text, json!({ "database": target.display().to_string(), "file": file })))
}

/// A line to run. A password is left out: PostgreSQL's tools read `PGPASSWORD` or `~/.pgpass`.
fn postgres_line(command: &str, first: &str, second: &str) -> String {
    let quoted = |text: &str| {
        let shown = match Url::parse(text) {
            Ok(mut url) if url.password().is_some() => {
                // Refused only by URLs without a host, which have no password either.
                let _ = url.set_password(None);
                url.to_string()
            }
            Ok(_) | Err(_) => text.to_owned(),
        };
        format!("'{}'", shown.replace('\'', "'\\''"))
    };
    format!("{command} {} {}", quoted(first), quoted(second))
}

#[cfg(test)]
mod tests {
    use super::postgres_line;

    #[test]
    fn a_password_is_not_printed() {
        let line = postgres_line("pg_dump --file", "a b", "postgres://russet:secret@db/russet");
        assert_eq!(line, "pg_dump --file 'a b' 'postgres://russet@db/russet'");
    }
}
