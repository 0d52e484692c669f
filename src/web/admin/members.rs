//! Members of settings between their forms and their documents: what is shown of them, and what a
//! form changes.

use serde_json::{Map, Value, json};

use super::form::{Form, lines};
use crate::web::page::admin::members::{FieldShape, MemberField};

/// A member, as a form offers it.
#[derive(Clone, Copy)]
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) hint: &'static str,
    pub(super) shape: FieldShape,
    /// Whether few need it.
    pub(super) seldom: bool,
}

const fn of(
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    shape: FieldShape,
) -> Member {
    Member { name, label, hint, shape, seldom: false }
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
        let value = typed.map_or_else(|| shown(stands), |form| form.exact(member.name));
        let chosen = match typed {
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
        }
    };
    members.iter().map(field).collect()
}

fn shown(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) => {
            list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
        }
        Some(_) | None => String::new(),
    }
}

/// What the form makes of the document: a merge patch. What is empty goes back to its default.
pub(super) fn patch(members: &[Member], form: &Form) -> Map<String, Value> {
    let value = |member: &Member| match member.shape {
        FieldShape::Text => {
            let text = form.text(member.name);
            if text.is_empty() { Value::Null } else { json!(text) }
        }
        FieldShape::Lines => {
            let lines = lines(&form.exact(member.name));
            if lines.is_empty() { Value::Null } else { json!(lines) }
        }
        FieldShape::Tick => json!(form.ticked(member.name)),
    };
    members.iter().map(|member| (member.name.to_owned(), value(member))).collect()
}
