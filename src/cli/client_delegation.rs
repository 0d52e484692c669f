//! `russet client`: the members that say for whom a client may act, and what is told about people.

use clap::ArgAction;
use serde_json::{Map, Value, json};

use crate::protocol::claim_mapping::ClaimRule;
use crate::protocol::json;

#[derive(Debug, Default, clap::Args)]
pub(super) struct Delegation {
    /// A client whose access tokens this one may exchange; repeatable.
    #[arg(long, value_name = "CLIENT_ID")]
    token_exchange_subject_client: Option<Vec<String>>,
    /// An API an exchanged token may be for although the exchanged one was not; repeatable.
    #[arg(long, value_name = "URI")]
    token_exchange_audience: Option<Vec<String>>,
    /// Whether exchanged tokens may say nothing of this client.
    #[arg(long, action = ArgAction::Set, value_name = "true|false")]
    token_exchange_impersonation: Option<bool>,
    /// The client that may act for people with this one's access tokens; "" takes it away.
    #[arg(long, value_name = "CLIENT_ID")]
    may_act: Option<String>,
    /// A claim to add, as a rule in JSON (docs/claims.md); repeatable, "" takes all away.
    #[arg(long, value_name = "JSON", value_parser = claim)]
    claim: Option<Vec<Value>>,
}

impl Delegation {
    /// Adds what was given to a change of settings; "" and empty lists take a member away.
    pub(super) fn add_to(self, settings: &mut Map<String, Value>) {
        let mut set = |member: &str, value: Option<Value>| {
            if let Some(value) = value {
                settings.insert(member.to_owned(), value);
            }
        };
        set("token_exchange_subject_clients", self.token_exchange_subject_client.map(list));
        set("token_exchange_audiences", self.token_exchange_audience.map(list));
        set("token_exchange_impersonation", self.token_exchange_impersonation.map(Value::from));
        set("may_act", self.may_act.map(text));
        set(
            "claims",
            self.claim.map(|rules| {
                let rules: Vec<Value> = rules.into_iter().filter(|r| !r.is_null()).collect();
                if rules.is_empty() { Value::Null } else { Value::Array(rules) }
            }),
        );
    }
}

/// A rule in JSON; what is wrong with it is said at once.
pub(super) fn claim(text: &str) -> Result<Value, String> {
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let rule: ClaimRule = json::read(text.as_bytes()).map_err(|error| error.to_string())?;
    rule.problem()
        .map_or_else(|| serde_json::to_value(&rule).map_err(|error| error.to_string()), Err)
}

/// A list without empty entries; none at all is `null`.
pub(super) fn list(values: Vec<String>) -> Value {
    let values: Vec<String> = values.into_iter().filter(|value| !value.is_empty()).collect();
    if values.is_empty() { Value::Null } else { json!(values) }
}

/// A text; an empty one is `null`.
pub(super) fn text(value: String) -> Value {
    if value.is_empty() { Value::Null } else { Value::String(value) }
}
