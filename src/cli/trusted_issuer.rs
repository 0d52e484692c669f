//! `russet trusted-issuer`: whose word stands for a client's secret.

use std::path::PathBuf;

use serde_json::json;

use super::Place;
use super::answer::{Answer, confirm_at_terminal};
use super::failure::CliError;
use crate::op::admin::described::trusted_issuer;
use crate::op::admin::{Actor, NewTrustedIssuer};
use crate::protocol::json;

#[derive(Debug, clap::Subcommand)]
pub(super) enum TrustedIssuerCommand {
    /// Trust an issuer's assertions that meet all conditions to stand for a client.
    #[command(after_help = "Examples:\n  russet trusted-issuer create --client-id deploy \
        --issuer https://token.actions.githubusercontent.com --condition repository=acme/shop \
        --condition ref=refs/heads/main --resource https://api.example.com\n  russet \
        trusted-issuer create --client-id nightly --issuer https://kubernetes.default.svc \
        --condition sub=system:serviceaccount:shop:nightly --allow-reuse")]
    Create(Box<New>),
    /// List the rules.
    List,
    /// Remove a rule.
    Delete {
        /// The rule's id.
        id: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct New {
    /// The iss of its assertions.
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// The client they stand for; needs the grant type jwt-bearer.
    #[arg(long)]
    client_id: String,
    /// claim=value that an assertion must say; a value may end in *, a claim may be a JSON pointer
    /// such as /kubernetes.io/namespace; repeatable.
    #[arg(long, required = true)]
    condition: Vec<String>,
    /// Where its keys are; found by discovery if not given.
    #[arg(long, value_name = "URL", conflicts_with = "jwks_file")]
    jwks_uri: Option<String>,
    /// Its keys in a file, for an issuer that cannot be reached.
    #[arg(long, value_name = "FILE")]
    jwks_file: Option<PathBuf>,
    /// What aud must hold; the broker's issuer if not given.
    #[arg(long)]
    audience: Option<String>,
    /// Scope value the token may carry; repeatable, or several in quotes.
    #[arg(long)]
    scope: Vec<String>,
    /// API the token may be for; repeatable.
    #[arg(long, value_name = "URI")]
    resource: Vec<String>,
    /// Longest life of an assertion that is accepted.
    #[arg(long, value_name = "SECONDS")]
    max_lifetime: Option<u32>,
    /// Accept the same assertion more than once.
    #[arg(long)]
    allow_reuse: bool,
}

pub(super) async fn run(place: &Place, command: TrustedIssuerCommand) -> Result<Answer, CliError> {
    let broker = place.broker().await?;
    let administration = broker.administration;
    let actor = Actor::cli();
    match command {
        TrustedIssuerCommand::Create(new) => {
            let jwks = match &new.jwks_file {
                None => None,
                Some(file) => {
                    let text = std::fs::read_to_string(file).map_err(CliError::failed)?;
                    Some(json::read(text.as_bytes()).map_err(CliError::failed)?)
                }
            };
            let issuer = broker.provider.issuer().to_owned();
            let new = NewTrustedIssuer {
                issuer: new.issuer,
                jwks_uri: new.jwks_uri,
                jwks,
                audience: new.audience.unwrap_or(issuer),
                client_id: new.client_id,
                conditions: new.condition,
                scope: new
                    .scope
                    .iter()
                    .flat_map(|value| value.split_whitespace())
                    .map(str::to_owned)
                    .collect(),
                resources: new.resource,
                max_lifetime: new.max_lifetime,
                allow_reuse: new.allow_reuse,
            };
            let rule = administration.create_trusted_issuer(&actor, new).await?;
            Ok(Answer::thing(trusted_issuer(&rule)))
        }
        TrustedIssuerCommand::List => {
            let rules = administration.list_trusted_issuers().await?;
            let columns = ["id", "issuer", "client_id", "conditions"];
            Ok(Answer::list(rules.iter().map(trusted_issuer).collect(), &columns))
        }
        TrustedIssuerCommand::Delete { id, yes } => {
            confirm_at_terminal(&format!("Trust by the rule {id} no more?"), yes)?;
            administration.delete_trusted_issuer(&actor, &id).await?;
            Ok(Answer::new(format!("{id} is deleted"), json!({ "id": id })))
        }
    }
}
