//! `russet client`: the members that say where a client is told things.

use clap::ArgAction;
use serde_json::{Map, Value, json};

use super::client_delegation::{list, text};
use crate::protocol::security_event::EventType;

#[derive(Debug, Default, clap::Args)]
pub(super) struct Notices {
    /// Where logout tokens are posted when somebody signs out; "" takes it away.
    #[arg(long, value_name = "URI")]
    backchannel_logout_uri: Option<String>,
    /// Whether a logout token without sid is of no use to it.
    #[arg(long, action = ArgAction::Set, value_name = "true|false")]
    backchannel_logout_session_required: Option<bool>,
    /// A page that signs out the browser that loads it; "" takes it away.
    #[arg(long, value_name = "URI")]
    frontchannel_logout_uri: Option<String>,
    /// Whether that page needs iss and sid.
    #[arg(long, action = ArgAction::Set, value_name = "true|false")]
    frontchannel_logout_session_required: Option<bool>,
    /// Where Security Event Tokens are pushed (RFC 8935); "" takes it away.
    #[arg(long, value_name = "URI")]
    security_events_endpoint: Option<String>,
    /// An event type it wants to hear of, by URI or by the URI's last word; repeatable, all of
    /// them if not given, "" for all again.
    #[arg(long, value_name = "TYPE")]
    security_events_requested: Option<Vec<String>>,
}

impl Notices {
    /// Adds what was given to a change of settings.
    pub(super) fn add_to(self, settings: &mut Map<String, Value>) {
        let mut set = |member: &str, value: Value| {
            settings.insert(member.to_owned(), value);
        };
        if let Some(uri) = self.backchannel_logout_uri {
            set("backchannel_logout_uri", text(uri));
        }
        if let Some(required) = self.backchannel_logout_session_required {
            set("backchannel_logout_session_required", json!(required));
        }
        if let Some(uri) = self.frontchannel_logout_uri {
            set("frontchannel_logout_uri", text(uri));
        }
        if let Some(required) = self.frontchannel_logout_session_required {
            set("frontchannel_logout_session_required", json!(required));
        }
        if let Some(uri) = self.security_events_endpoint {
            set("security_events_endpoint", text(uri));
        }
        if let Some(types) = self.security_events_requested {
            let types =
                types.into_iter().map(|word| if word.is_empty() { word } else { uri(word) });
            set("security_events_requested", list(types.collect()));
        }
    }
}

/// The URI of an event type; what is unknown stays for the rules to refuse.
fn uri(word: String) -> String {
    let known = EventType::ALL.map(EventType::uri);
    let found = known.iter().find(|uri| uri.rsplit('/').next() == Some(word.as_str()));
    found.map_or(word, |uri| (*uri).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_text_takes_a_member_away_and_a_short_word_stands_for_its_uri() {
        let notices = Notices {
            backchannel_logout_uri: Some(String::new()),
            backchannel_logout_session_required: None,
            frontchannel_logout_uri: None,
            frontchannel_logout_session_required: Some(true),
            security_events_endpoint: Some("https://a.example/".to_owned()),
            security_events_requested: Some(vec!["account-purged".to_owned(), "else".to_owned()]),
        };
        let mut settings = Map::new();
        notices.add_to(&mut settings);
        assert_eq!(
            Value::Object(settings),
            json!({
                "backchannel_logout_uri": null,
                "frontchannel_logout_session_required": true,
                "security_events_endpoint": "https://a.example/",
                "security_events_requested": [EventType::AccountPurged.uri(), "else"],
            })
        );
    }
}
