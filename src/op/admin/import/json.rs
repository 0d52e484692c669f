//! JSON files by their entries: one array, an array in an object, or an object on each line.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Remark;

/// An entry and where it begins.
pub(super) type Entry = Result<(u64, Value), Remark>;

#[derive(Deserialize)]
struct Users<'a> {
    #[serde(borrow)]
    users: Vec<&'a RawValue>,
}

/// The entries of one JSON document: an array, an object whose member `users` is one, or else the
/// document itself.
///
/// # Errors
/// When it is broken: where. Nothing of it is taken, for what is missing cannot be known.
pub(super) fn document(text: &str) -> Result<Vec<Entry>, String> {
    if let Ok(Users { users }) = serde_json::from_str(text) {
        return Ok(values(text, users));
    }
    if let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(text) {
        return Ok(values(text, list));
    }
    match serde_json::from_str::<&RawValue>(text) {
        Ok(alone) => Ok(values(text, vec![alone])),
        Err(_) if !begins_as_json(text) => Err("the file is not JSON".to_owned()),
        Err(error) if error.is_eof() => {
            Err(format!("the file breaks off in line {}; export it anew", error.line()))
        }
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            Err(format!(
                "the file is not JSON from line {line}, column {column} on; export it anew"
            ))
        }
    }
}

/// The entries of a document, or of one on each line; there a broken line costs itself alone.
///
/// # Errors
/// As [`document`].
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, String> {
    let whole = document(text);
    let lines = text.lines().zip(1_u64..).filter(|(line, _)| !line.trim().is_empty());
    // A document over many lines that breaks off begins with a line that does.
    let breaks_off =
        |line| serde_json::from_str::<&RawValue>(line).is_err_and(|error| error.is_eof());
    let first = lines.clone().next().map(|(line, _)| line);
    let by_line = first.is_some_and(|line| line.trim_start().starts_with('{') && !breaks_off(line));
    if whole.is_ok() || !by_line {
        return whole;
    }
    Ok(lines
        .map(|(line, number)| match serde_json::from_str(line) {
            Ok(value) => Ok((number, value)),
            Err(error) if error.is_eof() => {
                Err(Remark { line: number, message: "breaks off; is the file whole?".to_owned() })
            }
            Err(_) => Err(Remark { line: number, message: "is not JSON".to_owned() }),
        })
        .collect())
}

fn begins_as_json(text: &str) -> bool {
    let text = text.trim_start();
    text.is_empty() || text.starts_with(['{', '['])
}

fn values(text: &str, list: Vec<&RawValue>) -> Vec<Entry> {
    let (mut line, mut counted) = (1_u64, 0_usize);
    list.into_iter()
        .map(|raw| {
            // Each value is a part of the text, further on than the one before.
            let begins = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
            let between = text.as_bytes().get(counted..begins).unwrap_or_default();
            line += between.iter().filter(|byte| **byte == b'\n').count() as u64;
            counted = counted.max(begins);
            match serde_json::from_str(raw.get()) {
                Ok(value) => Ok((line, value)),
                Err(_) => Err(Remark { line, message: "is not JSON".to_owned() }),
            }
        })
        .collect()
}

/// A member that is text and not empty.
pub(super) fn text(value: &Value, member: &str) -> Option<String> {
    value.get(member)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A member that says yes, as a boolean or as text.
pub(super) fn flag(value: &Value, member: &str) -> bool {
    match value.get(member) {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) => super::csv::flag(Some(text)),
        Some(Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_)) | None => false,
    }
}

/// A member that is an object, or text that holds one, as a table's cell does.
pub(super) fn object(value: &Value, member: &str) -> Option<Value> {
    match value.get(member)? {
        object @ Value::Object(_) => Some(object.clone()),
        Value::String(text) => serde_json::from_str(text).ok().filter(Value::is_object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}
