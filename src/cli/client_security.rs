//! `russet client`: the members that say how a client proves itself and sends its requests.

use clap::ArgAction;
use clap::builder::PossibleValuesParser;
use serde_json::{Map, Value, json};

use super::client::ALGORITHMS;

#[derive(Debug, Default, clap::Args)]
pub(super) struct Security {
    /// The security profile it must keep to.
    #[arg(long, value_parser = PossibleValuesParser::new(["oidc", "oauth2.1", "fapi2"]))]
    profile: Option<String>,
    /// Its public keys, a JWK set: JSON, or @FILE; "" takes it away.
    #[arg(long, value_name = "JSON|@FILE", value_parser = key_set)]
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
}

impl Security {
    /// Adds what was given to a change of settings.
    pub(super) fn add_to(self, settings: &mut Map<String, Value>) {
        let uri = self.jwks_uri.map(|uri| if uri.is_empty() { Value::Null } else { json!(uri) });
        for (member, value) in [
            ("profile", self.profile.map(Value::from)),
            ("jwks", self.jwks),
            ("jwks_uri", uri),
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

fn key_set(text: &str) -> Result<Value, String> {
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
    serde_json::from_str(json).map_err(|error| format!("not JSON: {error}"))
}
