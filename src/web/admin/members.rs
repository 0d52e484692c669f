//! Members of settings between their forms and their documents: what is shown of them, and what a
//! form changes.

use serde_json::{Map, Value, json};

use super::claim_rules;
use super::form::{Form, lines};
use crate::protocol::digits;
use crate::protocol::json;
use crate::web::page::admin::members::{FieldShape, MemberField};
use crate::web::page::admin::{Choice, Problems};

/// A member, as a form offers it.
#[derive(Clone, Copy)]
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) hint: &'static str,
    pub(super) shape: FieldShape,
    /// Whether few need it.
    pub(super) seldom: bool,
    /// What can be chosen: the value and what people read.
    options: fn() -> Vec<(&'static str, &'static str)>,
}

fn none() -> Vec<(&'static str, &'static str)> {
    Vec::new()
}

const fn of(
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    shape: FieldShape,
) -> Member {
    Member { name, label, hint, shape, seldom: false, options: none }
}

/// One line.
pub(super) const fn text(name: &'static str, label: &'static str, hint: &'static str) -> Member {
    of(name, label, hint, FieldShape::Text)
}

/// A value on each line.
pub(super) const fn list(name: &'static str, label: &'static str, hint: &'static str) -> Member {
    of(name, label, hint, FieldShape::Lines)
}

/// Yes or no.
pub(super) const fn tick(name: &'static str, label: &'static str, hint: &'static str) -> Member {
    of(name, label, hint, FieldShape::Tick)
}

/// A whole number.
pub(super) const fn number(name: &'static str, label: &'static str, hint: &'static str) -> Member {
    of(name, label, hint, FieldShape::Number)
}

/// A JSON document.
pub(super) const fn document(
    name: &'static str,
    label: &'static str,
    hint: &'static str,
) -> Member {
    of(name, label, hint, FieldShape::Json)
}

/// Rules of further claims.
pub(super) const fn rules(name: &'static str, label: &'static str, hint: &'static str) -> Member {
    of(name, label, hint, FieldShape::Rules)
}

/// One of several words; the empty one is the default.
pub(super) const fn choice(
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    options: fn() -> Vec<(&'static str, &'static str)>,
) -> Member {
    Member { options, ..of(name, label, hint, FieldShape::Choice) }
}

/// One that few need.
pub(super) const fn seldom(member: Member) -> Member {
    Member { seldom: true, ..member }
}

/// The fields of a form that shows this document, or what was typed over it.
pub(super) fn fields(
    members: &[Member],
    document: &Value,
    typed: Option<&Form>,
) -> Vec<MemberField> {
    let field = |member: &Member| {
        let stands = document.get(member.name);
        let rules =
            (member.shape == FieldShape::Rules).then(|| claim_rules::field(stands, typed, false));
        let value = match &rules {
            Some(rules) => rules.json.clone(),
            None => typed.map_or_else(|| shown(stands), |form| form.exact(member.name)),
        };
        let option = |(word, label): (&str, &str)| Choice {
            value: word.to_owned(),
            label: label.to_owned(),
            hint: String::new(),
            chosen: word == value,
        };
        let choices = (member.options)().into_iter().map(option).collect();
        // A form sends every other field, also an empty one.
        let chosen = member.shape == FieldShape::Tick
            && match typed {
                Some(form) => form.ticked(member.name),
                None => stands.and_then(Value::as_bool).unwrap_or_default(),
            };
        MemberField {
            name: member.name,
            label: member.label,
            hint: member.hint,
            shape: member.shape,
            seldom: member.seldom,
            value,
            chosen,
            choices,
            rules,
        }
    };
    members.iter().map(field).collect()
}

fn shown(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) if list.iter().all(Value::is_string) => {
            list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
        }
        Some(Value::Number(number)) => number.to_string(),
        Some(document @ (Value::Array(_) | Value::Object(_))) => {
            serde_json::to_string_pretty(document).unwrap_or_default()
        }
        Some(Value::Null | Value::Bool(_)) | None => String::new(),
    }
}

/// What the form makes of the document: a merge patch. What is empty goes back to its default.
pub(super) fn patch(members: &[Member], form: &Form) -> Map<String, Value> {
    let value = |member: &Member| match member.shape {
        FieldShape::Number | FieldShape::Json => {
            serde_json::from_str(&form.text(member.name)).unwrap_or(Value::Null)
        }
        FieldShape::Text | FieldShape::Choice => {
            let text = form.text(member.name);
            if text.is_empty() { Value::Null } else { json!(text) }
        }
        FieldShape::Lines => {
            let lines = lines(&form.exact(member.name));
            if lines.is_empty() { Value::Null } else { json!(lines) }
        }
        FieldShape::Tick => json!(form.ticked(member.name)),
        FieldShape::Rules => claim_rules::value(form),
    };
    members.iter().map(|member| (member.name.to_owned(), value(member))).collect()
}

/// What of the form cannot be read at all, and so would be taken for nothing.
pub(super) fn unreadable(members: &[Member], form: &Form, problems: &mut Problems) {
    for member in members {
        if member.shape == FieldShape::Rules {
            claim_rules::unreadable(form, problems);
            continue;
        }
        let text = form.text(member.name);
        let why = match member.shape {
            FieldShape::Number if digits::number::<u32>(&text).is_none() => {
                "must be a whole number"
            }
            FieldShape::Json if json::read::<Value>(text.as_bytes()).is_err() => "is not JSON",
            FieldShape::Text
            | FieldShape::Lines
            | FieldShape::Tick
            | FieldShape::Choice
            | FieldShape::Number
            | FieldShape::Json
            | FieldShape::Rules => continue,
        };
        if !text.is_empty() {
            problems.push(member.name, why);
        }
    }
}
