//! `russet api`

use serde_json::json;

use super::Place;
use super::answer::{Answer, confirm_at_terminal};
use super::client::{ALGORITHMS, named};
use super::failure::CliError;
use crate::op::admin::metadata::api_metadata;
use crate::op::admin::{Actor, ApiChange, NewApi};
use crate::protocol::api::{AccessTokenFormat, ApiScope};
use crate::protocol::client_settings::ApiSettings;
use crate::protocol::id::ClientId;
use crate::protocol::jose::Algorithm;

const FORMATS: [&str; 2] = ["jwt", "opaque"];

#[derive(Debug, clap::Subcommand)]
pub(super) enum ApiCommand {
    /// Register an API.
    #[command(after_help = "Example:\n  russet api create --identifier https://api.example.com \
        --name Orders --scope orders:read --scope \"orders:write=Change your orders\"")]
    Create {
        /// Its resource indicator: the aud of its tokens.
        #[arg(long, value_name = "URI")]
        identifier: String,
        #[command(flatten)]
        members: Members,
    },
    /// List the APIs.
    List,
    /// Show one API.
    Show(Which),
    /// Change an API; what is not given stays, the scopes are replaced, "" empties them.
    Update {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        members: Members,
    },
    /// Remove an API that no client uses any more.
    Delete {
        #[command(flatten)]
        which: Which,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, clap::Args)]
#[group(id = "which", required = true, multiple = false)]
pub(super) struct Which {
    /// The API's identifier.
    #[arg(value_name = "IDENTIFIER", id = "which_api")]
    positional: Option<String>,
    /// The same, as a flag.
    #[arg(long = "identifier", value_name = "URI")]
    flag: Option<String>,
}

impl Which {
    fn identifier(self) -> String {
        self.positional.or(self.flag).unwrap_or_default()
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Members {
    /// Its name for people.
    #[arg(long)]
    name: Option<String>,
    /// A scope it understands, or SCOPE=what it allows in words; repeatable.
    #[arg(long, alias = "scopes", value_name = "SCOPE")]
    scope: Option<Vec<String>>,
    /// Seconds its access tokens are good.
    #[arg(long, value_name = "SECONDS")]
    access_token_ttl: Option<u32>,
    /// What its access tokens are signed with.
    #[arg(long, value_parser = named(&ALGORITHMS, Algorithm::ALL))]
    signing_alg: Option<Algorithm>,
    /// Whether its access tokens are JWTs, or random texts that it asks about.
    #[arg(long, value_parser = named(&FORMATS, AccessTokenFormat::ALL))]
    access_token_format: Option<AccessTokenFormat>,
    /// Whether clients that register themselves may ask tokens for it.
    #[arg(long, action = clap::ArgAction::Set, value_name = "true|false")]
    self_registered_clients: Option<bool>,
    /// The client_id of a client as which it introspects tokens made for it (RFC 7662); repeatable,
    /// "" takes all away.
    #[arg(long, alias = "introspection-clients", value_name = "CLIENT_ID")]
    introspection_client: Option<Vec<String>>,
    /// A claim to add to its access tokens, as a rule in JSON (docs/claims.md); repeatable, ""
    /// takes all away.
    #[arg(long, value_name = "JSON", value_parser = super::client_delegation::claim)]
    claim: Option<Vec<serde_json::Value>>,
}

impl Members {
    /// The settings as they shall be: `before`, changed by what was given.
    fn settings(&self, mut before: ApiSettings) -> ApiSettings {
        if let Some(open) = self.self_registered_clients {
            before.self_registered_clients = open;
        }
        if let Some(format) = self.access_token_format {
            before.access_token_format = format;
        }
        if let Some(clients) = &self.introspection_client {
            let clients = clients.iter().filter(|client| !client.is_empty());
            before.introspection_clients =
                clients.map(|client| ClientId::new(client.clone())).collect();
        }
        if let Some(rules) = &self.claim {
            let rules = rules.iter().filter(|rule| !rule.is_null());
            before.claims = rules.filter_map(|r| serde_json::from_value(r.clone()).ok()).collect();
        }
        before
    }
}

/// `orders:read`, `orders:read=See your orders`, or several without words: `a b`.
fn scopes(values: &[String]) -> Vec<ApiScope> {
    let scope = |name: &str, description: &str| ApiScope {
        name: name.trim().to_owned(),
        description: description.trim().to_owned(),
    };
    values
        .iter()
        .flat_map(|value| match value.split_once('=') {
            Some((name, description)) => vec![scope(name, description)],
            None => value.split_whitespace().map(|name| scope(name, "")).collect(),
        })
        .collect()
}

pub(super) async fn run(place: &Place, command: ApiCommand) -> Result<Answer, CliError> {
    let administration = place.broker().await?.administration;
    let actor = Actor::cli();
    match command {
        ApiCommand::Create { identifier, members } => {
            let settings = members.settings(ApiSettings::default());
            let new = NewApi {
                name: members.name.unwrap_or_else(|| identifier.clone()),
                identifier,
                scopes: scopes(&members.scope.unwrap_or_default()),
                access_token_ttl: members.access_token_ttl,
                signing_alg: members.signing_alg,
                settings,
            };
            Ok(Answer::thing(api_metadata(&administration.create_api(&actor, new).await?)))
        }
        ApiCommand::List => {
            let apis = administration.list_apis().await?;
            Ok(Answer::list(
                apis.iter().map(api_metadata).collect(),
                &["identifier", "name", "access_token_ttl", "signing_alg"],
            ))
        }
        ApiCommand::Show(which) => {
            Ok(Answer::thing(api_metadata(&administration.find_api(&which.identifier()).await?)))
        }
        ApiCommand::Update { which, members } => {
            let identifier = which.identifier();
            let before = administration.find_api(&identifier).await?;
            let settings = members.settings(before.settings);
            let change = ApiChange {
                version: None,
                name: members.name,
                scopes: members.scope.as_deref().map(scopes),
                access_token_ttl: members.access_token_ttl,
                signing_alg: members.signing_alg,
                settings: Some(settings),
            };
            let api = administration.update_api(&actor, &identifier, change).await?;
            Ok(Answer::thing(api_metadata(&api)))
        }
        ApiCommand::Delete { which, yes } => {
            let identifier = which.identifier();
            administration.find_api(&identifier).await?;
            confirm_at_terminal(&format!("Delete the API {identifier}?"), yes)?;
            administration.delete_api(&actor, &identifier, None).await?;
            Ok(Answer::new(format!("{identifier} is deleted"), json!({ "identifier": identifier })))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_may_come_with_words() {
        let made = scopes(&["a:read b".to_owned(), "c=See your orders".to_owned()]);
        let names: Vec<_> = made.iter().map(|scope| scope.name.as_str()).collect();
        assert_eq!(names, ["a:read", "b", "c"]);
        assert_eq!(made[2].description, "See your orders");
    }
}
