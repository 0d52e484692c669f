//! What is sent and answered, as JSON Schema: a file for each resource.

#![expect(clippy::needless_pass_by_value, reason = "a schema goes into the one that holds it")]

pub(super) mod admins;
pub(super) mod api_keys;
pub(super) mod apis;
pub(super) mod audit;
pub(super) mod clients;
pub(super) mod connections;
pub(super) mod jobs;
pub(super) mod keys;
mod look;
pub(super) mod overview;
pub(super) mod quickstarts;
mod registered;
pub(super) mod settings;
pub(super) mod sign_ins;
pub(super) mod transfers;
pub(super) mod trials;
pub(super) mod trust;
pub(super) mod users;

use serde_json::{Map, Value, json};

use crate::protocol::client::ClientKind;
use crate::protocol::jose::Algorithm;

/// What is sent or answered, under the name that the document gives it.
#[derive(Clone, Copy)]
pub(super) struct Schema {
    pub(super) name: &'static str,
    pub(super) described: fn() -> Value,
}

impl Schema {
    const fn new(name: &'static str, described: fn() -> Value) -> Self {
        Self { name, described }
    }

    /// Where the document describes it.
    pub(super) fn pointed(self) -> Value {
        json!({ "$ref": format!("#/components/schemas/{}", self.name) })
    }
}

type Members = Map<String, Value>;

fn of<const N: usize>(members: [(&str, Value); N]) -> Members {
    members.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

fn told(members: Members) -> Value {
    json!({ "type": "object", "properties": members })
}

/// What is not named is refused.
fn sent(members: Members, required: &[&str], example: &Value) -> Value {
    json!({
        "type": "object",
        "required": required,
        "additionalProperties": false,
        "properties": members,
        "examples": [example],
    })
}

fn page(items: Value) -> Value {
    let next = "Give it as after to read on";
    json!({
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": list(items),
            "next": { "type": ["string", "null"], "description": next },
        },
    })
}

fn text() -> Value {
    json!({ "type": "string" })
}

/// What people read: no control characters.
fn words(least: u32, most: u32) -> Value {
    json!({
        "type": "string",
        "minLength": least,
        "maxLength": most,
        "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$",
    })
}

fn name() -> Value {
    let mut name = words(1, 100);
    if let Some(members) = name.as_object_mut() {
        members.insert("pattern".to_owned(), json!(r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"));
    }
    name
}

fn short_name() -> Value {
    let mut name = name();
    if let Some(members) = name.as_object_mut() {
        members.insert("maxLength".to_owned(), json!(60));
    }
    name
}

fn number() -> Value {
    json!({ "type": "integer" })
}

fn seconds() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn yes() -> Value {
    json!({ "type": "boolean" })
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// A list of at most a hundred, each once.
fn set(items: Value) -> Value {
    json!({ "type": "array", "items": items, "maxItems": 100, "uniqueItems": true })
}

fn or_null(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

fn kinds() -> Value {
    json!({ "enum": ClientKind::ALL.map(ClientKind::as_str) })
}

fn algorithms() -> Value {
    json!({ "enum": Algorithm::ALL.map(Algorithm::as_str) })
}

/// Of another file or table: any text.
fn texts() -> Value {
    list(text())
}

/// Only ever sent.
fn secret() -> Value {
    json!({ "type": "string", "writeOnly": true })
}

/// Only ever answered, and only once.
fn shown_once() -> Value {
    json!({ "type": "string", "readOnly": true, "description": "Told this once" })
}

fn one_of(words: &[&str]) -> Value {
    json!({ "enum": words })
}
