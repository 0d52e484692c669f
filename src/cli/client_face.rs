//! `russet client`: the members that say what a client is to people: who is behind it, and how it
//! looks on the pages of a sign-in (RFC 7591 §2).

use serde_json::{Map, Value};

use super::client_delegation::{list, text};
use super::client_security::from_json_or_file;

#[derive(Debug, Default, clap::Args)]
pub(super) struct Face {
    /// Its own page; "" takes it away.
    #[arg(long, value_name = "URI")]
    client_uri: Option<String>,
    /// Its picture, which is fetched and shown from here; "" takes it away.
    #[arg(long, value_name = "URI")]
    logo_uri: Option<String>,
    /// Its privacy policy; "" takes it away.
    #[arg(long, value_name = "URI")]
    policy_uri: Option<String>,
    /// Its terms of service; "" takes them away.
    #[arg(long, value_name = "URI")]
    tos_uri: Option<String>,
    /// Who answers for it; repeatable, "" takes all away.
    #[arg(long, alias = "contacts", value_name = "ADDRESS")]
    contact: Option<Vec<String>>,
    /// Names the software, whichever instance it is; "" takes it away.
    #[arg(long, value_name = "ID")]
    software_id: Option<String>,
    /// The software's version; "" takes it away.
    #[arg(long, value_name = "VERSION")]
    software_version: Option<String>,
    /// Where a sign-in may be begun for it (OIDC Core §4); "" takes it away.
    #[arg(long, value_name = "URI")]
    initiate_login_uri: Option<String>,
    /// Its colours and pictures on the pages of a sign-in: JSON as the admin API has it, or @FILE;
    /// "" takes them away.
    #[arg(long, value_name = "JSON|@FILE", value_parser = from_json_or_file)]
    branding: Option<Value>,
}

impl Face {
    /// Adds what was given to a change of settings.
    pub(super) fn add_to(self, settings: &mut Map<String, Value>) {
        for (member, value) in [
            ("client_uri", self.client_uri.map(text)),
            ("logo_uri", self.logo_uri.map(text)),
            ("policy_uri", self.policy_uri.map(text)),
            ("tos_uri", self.tos_uri.map(text)),
            ("contacts", self.contact.map(list)),
            ("software_id", self.software_id.map(text)),
            ("software_version", self.software_version.map(text)),
            ("initiate_login_uri", self.initiate_login_uri.map(text)),
            ("branding", self.branding),
        ] {
            settings.extend(value.map(|value| (member.to_owned(), value)));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_given_is_set_what_is_empty_goes_and_the_rest_stays() {
        let face = Face {
            logo_uri: Some("https://a.example/logo.png".to_owned()),
            tos_uri: Some(String::new()),
            contact: Some(vec!["ops@a.example".to_owned(), String::new()]),
            ..Face::default()
        };
        let mut settings = Map::new();
        face.add_to(&mut settings);
        assert_eq!(
            Value::Object(settings),
            json!({
                "logo_uri": "https://a.example/logo.png",
                "tos_uri": null,
                "contacts": ["ops@a.example"],
            })
        );
    }
}
