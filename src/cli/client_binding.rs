//! `russet client`: the members that say which keys a client must show.

use clap::ArgAction;
use serde_json::{Map, Value, json};

#[derive(Debug, Default, clap::Args)]
pub(super) struct Binding {
    /// Whether its token requests must carry a DPoP proof.
    #[arg(long, action = ArgAction::Set, value_name = "true|false")]
    dpop_bound_access_tokens: Option<bool>,
}

impl Binding {
    /// Adds what was given to a change of settings.
    pub(super) fn add_to(self, settings: &mut Map<String, Value>) {
        if let Some(required) = self.dpop_bound_access_tokens {
            settings.insert("dpop_bound_access_tokens".to_owned(), json!(required));
        }
    }
}
