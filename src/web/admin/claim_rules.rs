//! Rules of further claims as rows of a form: what stands in them, what they say as JSON, and how
//! rows come, move and go by buttons of the form, without a script.

use serde_json::{Map, Value};

use super::form::Form;
use crate::protocol::claim_mapping::{Attribute, ClaimRule, Target};
use crate::web::page::admin::claim_rules::{ConditionRow, RuleRow, RulesField};
use crate::web::page::admin::{Choice, Problems};

/// The member, and the name that begins its fields.
pub(super) const NAME: &str = "claims";
/// What the buttons between the rows send.
const ACT: &str = "claims.act";
/// How many rows were shown.
const ROWS: &str = "claims.rows";
const VALUE: &str = "value";
const TEMPLATE: &str = "template";
/// Most rows and conditions that are read of a form.
const MOST: usize = 60;

/// A rule as it is typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Typed {
    claim: String,
    source: String,
    text: String,
    conditions: Vec<(String, String)>,
    scope: String,
    to: Vec<String>,
}

/// Whether the form was sent to change its rows or to look at them, and not to be saved.
pub(super) fn is_act(form: &Form) -> bool {
    form.ticked(ACT)
}

/// The rules as the form shows them: what stands, or what was typed over it.
pub(super) fn field(stands: Option<&Value>, typed: Option<&Form>, of_api: bool) -> RulesField {
    let Some(form) = typed else {
        let rules = stands.map(read).unwrap_or_default();
        return shown(&rules, of_api, RulesField::default());
    };
    let act = form.text(ACT);
    let mut rules = rows(form);
    let json = form.text(NAME);
    let mut kept = RulesField {
        typed: form.exact(NAME),
        person: form.text("claims.person"),
        ..RulesField::default()
    };
    if act == "read"
        && let Ok(Value::Array(all)) = serde_json::from_str(&json)
    {
        rules = read(&Value::Array(all));
        kept.typed.clear();
    }
    let of_row = |name: &str| act.strip_prefix(name).and_then(|row| row.parse::<usize>().ok());
    if act == "add" && rules.len() < MOST {
        rules.push(Typed { source: VALUE.to_owned(), ..Typed::default() });
    }
    if let Some(row) = of_row("remove:").filter(|row| *row < rules.len()) {
        rules.remove(row);
    }
    if let Some(row) = of_row("up:").filter(|row| (1..rules.len()).contains(row)) {
        rules.swap(row, row.saturating_sub(1));
    }
    if let Some(rule) = of_row("condition:").and_then(|row| rules.get_mut(row)) {
        rule.conditions.push(Default::default());
    }
    shown(&rules, of_api, kept)
}

/// What the form makes of the member: a list of rules, or nothing.
pub(super) fn value(form: &Form) -> Value {
    let json = form.text(NAME);
    if !json.is_empty() {
        return serde_json::from_str(&json).unwrap_or_default();
    }
    let rules: Vec<Value> = rows(form).iter().filter(|rule| rule.says()).map(Typed::json).collect();
    if rules.is_empty() { Value::Null } else { Value::Array(rules) }
}

/// What of it cannot be read at all.
pub(super) fn unreadable(form: &Form, problems: &mut Problems) {
    let json = form.text(NAME);
    if !json.is_empty() && serde_json::from_str::<Value>(&json).is_err() {
        problems.push(NAME, "is not JSON");
    }
    for (number, rule) in rows(form).iter().enumerate().filter(|(_, rule)| rule.says()) {
        let number = number.saturating_add(1);
        let mut seen: Vec<&str> = Vec::new();
        for (attribute, _) in rule.conditions.iter().filter(|(attribute, _)| !attribute.is_empty())
        {
            if seen.contains(&attribute.as_str()) {
                let message = format!(
                    "rule {number} looks at {attribute} twice; name all values in one condition"
                );
                problems.push(NAME, &message);
            }
            seen.push(attribute);
        }
    }
}

/// The rules that the form holds, for a look at what they do.
///
/// # Errors
/// Why they are none.
pub(super) fn rules(form: &Form) -> Result<Vec<ClaimRule>, String> {
    let all = value(form);
    if all.is_null() {
        return Ok(Vec::new());
    }
    serde_json::from_value(all).map_err(|error| error.to_string())
}

impl Typed {
    /// Whether anything was filled in.
    fn says(&self) -> bool {
        !self.claim.is_empty() || !self.text.is_empty()
    }

    fn json(&self) -> Value {
        let mut rule = Map::new();
        let text = |text: &str| Value::String(text.to_owned());
        rule.insert("claim".to_owned(), text(&self.claim));
        match self.source.as_str() {
            VALUE => rule.insert(VALUE.to_owned(), read_value(&self.text)),
            TEMPLATE => rule.insert(TEMPLATE.to_owned(), text(&self.text)),
            attribute => rule.insert("from".to_owned(), text(attribute)),
        };
        let conditions = self.conditions.iter().filter(|(attribute, _)| !attribute.is_empty());
        let when: Map<_, _> =
            conditions.map(|(attribute, is)| (attribute.clone(), read_any(is))).collect();
        if !when.is_empty() {
            rule.insert("when".to_owned(), Value::Object(when));
        }
        if !self.scope.is_empty() {
            rule.insert("scope".to_owned(), text(&self.scope));
        }
        // Ticked everywhere is the same as nowhere: no limit.
        if !self.to.is_empty() && self.to.len() < Target::ALL.len() {
            rule.insert("to".to_owned(), self.to.iter().map(|target| text(target)).collect());
        }
        Value::Object(rule)
    }
}

/// The rules of the document, as they would be typed.
fn read(stands: &Value) -> Vec<Typed> {
    let one = |rule: &Value| {
        let text = |name: &str| rule.get(name).and_then(Value::as_str).unwrap_or_default();
        let (source, typed) = match (rule.get(VALUE), rule.get(TEMPLATE)) {
            (Some(value), _) => (VALUE, write_value(value)),
            (None, Some(_)) => (TEMPLATE, text(TEMPLATE).to_owned()),
            (None, None) => (text("from"), String::new()),
        };
        let when = rule.get("when").and_then(Value::as_object);
        let to = rule.get("to").and_then(Value::as_array);
        Typed {
            claim: text("claim").to_owned(),
            source: source.to_owned(),
            text: typed,
            conditions: when
                .into_iter()
                .flatten()
                .map(|(attribute, is)| (attribute.clone(), write_any(is)))
                .collect(),
            scope: text("scope").to_owned(),
            to: to.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        }
    };
    stands.as_array().into_iter().flatten().map(one).collect()
}

/// The rules of the form, as they were typed.
fn rows(form: &Form) -> Vec<Typed> {
    let shown = form.text(ROWS).parse::<usize>().unwrap_or(0).min(MOST);
    let one = |row: usize| {
        let field = |name: &str| format!("{NAME}.{row}.{name}");
        let condition = |number: usize| {
            let attribute = form.text(&field(&format!("when.{number}")));
            let is = form.text(&field(&format!("is.{number}")));
            (attribute, is)
        };
        let sent = |number: &usize| form.ticked(&field(&format!("when.{number}")));
        let mut conditions: Vec<_> = (0..MOST).take_while(sent).map(condition).collect();
        conditions.retain(|(attribute, is)| !attribute.is_empty() || !is.is_empty());
        Typed {
            claim: form.text(&field("claim")),
            source: form.text(&field("source")),
            text: form.text(&field("text")),
            conditions,
            scope: form.text(&field("scope")),
            to: form.all(&field("to")),
        }
    };
    (0..shown).map(one).collect()
}

fn shown(rules: &[Typed], of_api: bool, kept: RulesField) -> RulesField {
    let row = |rule: &Typed| {
        let mut conditions: Vec<_> = rule.conditions.iter().map(condition).collect();
        if conditions.is_empty() {
            conditions.push(condition(&<(String, String)>::default()));
        }
        RuleRow {
            claim: rule.claim.clone(),
            sources: sources(&rule.source),
            text: rule.text.clone(),
            conditions,
            scope: rule.scope.clone(),
            to: Target::ALL.map(|target| place(target, &rule.to)).into(),
        }
    };
    let json: Vec<Value> = rules.iter().filter(|rule| rule.says()).map(Typed::json).collect();
    let json = match json.as_slice() {
        [] => String::new(),
        all => serde_json::to_string_pretty(all).unwrap_or_default(),
    };
    RulesField { rows: rules.iter().map(row).collect(), json, of_api, ..kept }
}

fn condition((attribute, is): &(String, String)) -> ConditionRow {
    let none = Choice::of("", "Always", attribute);
    let all = Attribute::ALL.map(|one| Choice::of(one.as_str(), words(one), attribute));
    ConditionRow { attributes: std::iter::once(none).chain(all).collect(), is: is.clone() }
}

fn sources(chosen: &str) -> Vec<Choice> {
    let fixed = [
        Choice::of(VALUE, "This value", chosen),
        Choice::of(TEMPLATE, "This text, filled in", chosen),
    ];
    let all = Attribute::ALL.map(|one| Choice::of(one.as_str(), words(one), chosen));
    fixed.into_iter().chain(all).collect()
}

fn place(target: Target, to: &[String]) -> Choice {
    let (value, label) = match target {
        Target::IdToken => ("id_token", "ID token"),
        Target::Userinfo => ("userinfo", "Userinfo"),
        Target::AccessToken => ("access_token", "Access token"),
    };
    let chosen = to.is_empty() || to.iter().any(|one| one == value);
    Choice { value: value.to_owned(), label: label.to_owned(), hint: String::new(), chosen }
}

/// An attribute in words.
const fn words(attribute: Attribute) -> &'static str {
    match attribute {
        Attribute::Sub => "The person's sub",
        Attribute::Name => "Their name",
        Attribute::GivenName => "Their given name",
        Attribute::FamilyName => "Their family name",
        Attribute::Email => "Their proven address",
        Attribute::EmailLocalPart => "What stands before @ in it",
        Attribute::EmailDomain => "What stands after @ in it",
        Attribute::EmailVerified => "Whether it is proven",
        Attribute::IsPrivateEmail => "Whether it is a relay",
        Attribute::Connection => "The connection they came by",
        Attribute::ClientId => "The client_id",
        Attribute::ClientName => "The client's name",
    }
}

/// A value as it is typed: JSON is JSON, anything else is text.
fn read_value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn write_value(value: &Value) -> String {
    match value.as_str() {
        Some(text) if read_value(text) == *value && text.trim() == text => text.to_owned(),
        Some(_) | None => value.to_string(),
    }
}

/// What an attribute is compared with: one value, or several with commas between them.
fn read_any(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value) => value,
        Err(_) if text.contains(',') => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            items.map(read_value).collect()
        }
        Err(_) => Value::String(text.to_owned()),
    }
}

fn write_any(value: &Value) -> String {
    let plain = match value.as_array() {
        Some(items) => items.iter().map(write_value).collect::<Vec<_>>().join(", "),
        None => write_value(value),
    };
    if read_any(&plain) == *value { plain } else { value.to_string() }
}

#[cfg(test)]
mod tests;
