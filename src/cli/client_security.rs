//! `russet client`: the members that say how a client proves itself and sends its requests.

use clap::ArgAction;
use clap::builder::PossibleValuesParser;
use serde_json::{Map, Value, json};

use super::client::ALGORITHMS;
use super::client_delegation::text;
use crate::protocol::digits;
use crate::protocol::json as strict;

#[derive(Debug, Default, clap::Args)]
pub(super) struct Security {
    /// The security profile it must keep to.
    #[arg(long, value_parser = PossibleValuesParser::new(["oidc", "oauth2.1", "fapi2"]))]
    profile: Option<String>,
    /// Its public keys, a JWK set: JSON, or @FILE; "" takes it away.
    #[arg(long, value_name = "JSON|@FILE", value_parser = from_json_or_file)]
    jwks: Option<Value>,
    /// Where its public keys are fetched; "" takes it away.
    #[arg(long, value_name = "URI")]
    jwks_uri: Option<String>,
    /// What it signs its client assertions with; any if not given, "" for any again.
    #[arg(long, value_parser = algorithm)]
    token_endpoint_auth_signing_alg: Option<Value>,
    /// What it signs its request objects with; any if not given, "" for any again.
    #[arg(long, value_parser = algorithm)]
    request_object_signing_alg: Option<Value>,
    /// Whether its authorization requests must be signed.
    #[arg(long, action = ArgAction::Set, value_name = "true|false")]
    require_signed_request_object: Option<bool>,
    /// Whether its authorization requests must be pushed.
    #[arg(long, action = ArgAction::Set, value_name = "true|false")]
    require_pushed_authorization_requests: Option<bool>,
    /// Whether it sees people under names that no other sector has.
    #[arg(long, value_parser = PossibleValuesParser::new(["public", "pairwise"]))]
    subject_type: Option<String>,
    /// The document that lists the redirect URIs of its sector; "" takes it away.
    #[arg(long, value_name = "URI")]
    sector_identifier_uri: Option<String>,
    /// How old a sign-in may be where a request does not say, in seconds; "" for any age.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    default_max_age: Option<Value>,
    /// What userinfo is signed with; plain JSON if not given, "" for plain JSON again.
    #[arg(long, value_parser = algorithm)]
    userinfo_signed_response_alg: Option<Value>,
}

impl Security {
    /// Adds what was given to a change of settings.
    pub(super) fn add_to(self, settings: &mut Map<String, Value>) {
        for (member, value) in [
            ("profile", self.profile.map(Value::from)),
            ("jwks", self.jwks),
            ("jwks_uri", self.jwks_uri.map(text)),
            ("subject_type", self.subject_type.map(Value::from)),
            ("sector_identifier_uri", self.sector_identifier_uri.map(text)),
            ("default_max_age", self.default_max_age),
            ("userinfo_signed_response_alg", self.userinfo_signed_response_alg),
            ("token_endpoint_auth_signing_alg", self.token_endpoint_auth_signing_alg),
            ("request_object_signing_alg", self.request_object_signing_alg),
            ("require_signed_request_object", self.require_signed_request_object.map(Value::from)),
            (
                "require_pushed_authorization_requests",
                self.require_pushed_authorization_requests.map(Value::from),
            ),
        ] {
            if let Some(value) = value {
                settings.insert(member.to_owned(), value);
            }
        }
    }
}

fn algorithm(name: &str) -> Result<Value, String> {
    match name {
        "" => Ok(Value::Null),
        known if ALGORITHMS.contains(&known) => Ok(json!(known)),
        _ => Err(format!("must be one of {}", ALGORITHMS.join(", "))),
    }
}

fn seconds(text: &str) -> Result<Value, String> {
    match text {
        "" => Ok(Value::Null),
        text => digits::number::<u32>(text)
            .map(Value::from)
            .ok_or_else(|| "must be a whole number of seconds".to_owned()),
    }
}

/// JSON, or what stands in `@FILE`; nothing is `null`.
pub(super) fn from_json_or_file(text: &str) -> Result<Value, String> {
    let read;
    let json = match text.strip_prefix('@') {
        None => text,
        Some(file) => {
            read = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
            read.as_str()
        }
    };
    if json.trim().is_empty() {
        return Ok(Value::Null);
    }
    strict::read(json.as_bytes()).map_err(|error| format!("not JSON: {error}"))
}
