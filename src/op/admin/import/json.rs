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

/// The entries of a file; an object with the member `users` stands for that array.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, String> {
    if let Ok(Users { users }) = serde_json::from_str(text) {
        return Ok(values(text, users));
    }
    if let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(text) {
        return Ok(values(text, list));
    }
    let trimmed = text.trim_start();
    if trimmed.starts_with('[') || trimmed.is_empty() {
        return Err("the file is not whole JSON; export it anew".to_owned());
    }
    if !trimmed.starts_with('{') {
        return Err("the file is not JSON".to_owned());
    }
    let lines = text.lines().zip(1_u64..).filter(|(line, _)| !line.trim().is_empty());
    Ok(lines
        .map(|(line, number)| match serde_json::from_str(line) {
            Ok(value) => Ok((number, value)),
            Err(_) => Err(Remark { line: number, message: "is not JSON".to_owned() }),
        })
        .collect())
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
