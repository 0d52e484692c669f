//! What a command answers, as text for people and as JSON for scripts.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;

use serde_json::Value;

use super::failure::CliError;
use crate::protocol::secret::SecretString;

/// A command's answer on stdout.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) json: Value,
    /// Whether all is well: exit 0, else 1.
    pub(super) good: bool,
}

impl Answer {
    pub(super) fn new(text: impl Into<String>, json: Value) -> Self {
        Self { text: text.into(), json, good: true }
    }

    /// Nothing to say.
    pub(super) fn silent() -> Self {
        Self::new("", Value::Null)
    }

    /// One thing: a line for each of its members.
    pub(super) fn thing(json: Value) -> Self {
        Self::new(lines(&json), json)
    }

    /// Many things: a table of the members in `columns`.
    pub(super) fn list(json: Vec<Value>, columns: &[&str]) -> Self {
        Self::new(table(&json, columns), Value::Array(json))
    }

    pub(super) fn print(&self, json: bool) -> Result<ExitCode, CliError> {
        let mut out = io::stdout().lock();
        let printed = if json && !self.json.is_null() {
            serde_json::to_string_pretty(&self.json)
                .map_err(io::Error::from)
                .and_then(|text| writeln!(out, "{text}"))
        } else if !json && !self.text.is_empty() {
            writeln!(out, "{}", self.text.trim_end())
        } else {
            Ok(())
        };
        match printed.and_then(|()| out.flush()) {
            Ok(()) => {}
            // The reader had enough, as `head` does.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Err(error) => return Err(CliError::failed(error)),
        }
        Ok(if self.good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// A value on one line, safe for a terminal: control characters cannot move the cursor.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Object(members) => members
            .iter()
            .filter(|(_, value)| !value.is_null() && *value != "")
            .map(|(name, value)| format!("{name}={}", member(name, value)))
            .collect::<Vec<_>>()
            .join(" "),
    };
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A member as people read it: a moment by the calendar, where scripts get seconds.
fn member(name: &str, value: &Value) -> String {
    let seconds = value.as_i64().filter(|_| name.ends_with("_at"));
    match seconds {
        // RFC 7591 §3.2.1: a secret that expires never.
        Some(0) => "never".to_owned(),
        Some(seconds) => calendar(seconds).unwrap_or_else(|| shown(value)),
        None => shown(value),
    }
}

/// Seconds since the epoch as RFC 3339 writes them, in UTC.
fn calendar(seconds: i64) -> Option<String> {
    let format =
        time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    time::OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(format).ok()
}

fn lines(thing: &Value) -> String {
    let Some(members) = thing.as_object() else { return shown(thing) };
    let width = members.keys().map(String::len).max().unwrap_or(0);
    members
        .iter()
        .map(|(name, value)| format!("{name:width$}  {}\n", member(name, value)))
        .collect()
}

fn table(things: &[Value], columns: &[&str]) -> String {
    if things.is_empty() {
        return "none".to_owned();
    }
    let header = columns.iter().map(|column| column.to_uppercase()).collect::<Vec<_>>();
    let rows = things.iter().map(|thing| {
        columns
            .iter()
            .map(|column| thing.get(*column).map_or("-".to_owned(), |value| member(column, value)))
            .collect()
    });
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
    let width_of = |index: usize| {
        rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns.len()).map(|index| width_of(index).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// Asks before something that cannot be undone. Without an answer it is a no.
pub(super) fn confirm(question: &str, yes: bool) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    let _ = write!(io::stderr().lock(), "{question} [y/N] ");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(CliError::failed)?;
    if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(CliError::failed("not done; answer y, or give --yes"))
}

/// Tells on stderr how a command gets on.
pub(super) fn progress(line: &str) {
    // Nobody may be listening.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// As [`confirm`], but only where somebody is there to be asked.
pub(super) fn confirm_at_terminal(question: &str, yes: bool) -> Result<(), CliError> {
    confirm(question, yes || !io::stdin().is_terminal())
}

/// A password from stdin: everything but the last line break.
pub(super) fn password_from_stdin() -> Result<SecretString, CliError> {
    let text = io::read_to_string(io::stdin().lock()).map_err(CliError::failed)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(SecretString::from(text.strip_suffix('\r').unwrap_or(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_thing_is_a_line_for_each_member() {
        let text = lines(&json!({ "name": "Shop", "uris": ["a", "b"], "none": null }));
        assert_eq!(text, "name  Shop\nnone  -\nuris  a, b\n");
    }

    #[test]
    fn people_read_the_calendar() {
        let text = lines(&json!({
            "client_secret_expires_at": 0,
            "created_at": 1_700_000_000,
            "gone_at": null,
            "nested": { "used_at": 1 },
        }));
        assert!(text.contains("expires_at  never\n") && text.contains("2023-11-14T22:13:20Z"));
        assert!(text.contains("used_at=1970-01-01T00:00:01Z"), "{text}");
        assert!(table(&[json!({ "expires_at": null })], &["expires_at"]).ends_with("-\n"));
    }

    #[test]
    fn a_table_keeps_its_columns() {
        let text = table(
            &[json!({ "id": "a", "name": "Shop" }), json!({ "id": "long" })],
            &["id", "name"],
        );
        assert_eq!(text, "ID    NAME\na     Shop\nlong  -\n");
    }

    #[test]
    fn a_name_cannot_write_to_the_terminal() {
        assert_eq!(shown(&json!("a\u{1b}[2Jb")), "a\u{fffd}[2Jb");
    }
}
