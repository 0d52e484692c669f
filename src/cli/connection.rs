//! `russet connection`: upstreams that people sign in through.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use clap::ArgAction;
use clap::builder::PossibleValuesParser;
use serde_json::{Map, Value, json};

use super::Place;
use super::answer::{Answer, confirm_at_terminal};
use super::client::named;
use super::failure::CliError;
use crate::op::admin::{Actor, Administration, ConnectionChange, KeyTurn, NewConnection};
use crate::protocol::connection::{
    ConnectionKind, ConnectionSecrets, ConnectionSettings, PRESETS, draft,
};
use crate::protocol::secret::SecretString;

#[derive(Debug, clap::Subcommand)]
pub(super) enum ConnectionCommand {
    /// Make a connection; every replica offers it within seconds.
    #[command(after_help = "Examples:\n  russet connection create second --kind apple \
        --team-id ABCDE12345 --key-id KEY1234567 --private-key-file AuthKey_KEY1234567.p8 \
        --services-id com.example.second\n  russet connection create google --preset google \
        --client-id … --client-secret-file google.secret\n  russet connection create github \
        --preset github --client-id … --client-secret-file github.secret")]
    Create {
        /// A short name for URLs.
        id: String,
        /// What it speaks.
        #[arg(long, value_parser = named(&KINDS, ConnectionKind::ALL))]
        kind: Option<ConnectionKind>,
        /// Known settings to begin with.
        #[arg(long, conflicts_with = "kind", value_parser = PossibleValuesParser::new(PRESETS))]
        preset: Option<String>,
        /// With --preset microsoft: a directory's id, or common, organizations or consumers.
        #[arg(long, requires = "preset")]
        tenant: Option<String>,
        #[command(flatten)]
        members: Box<Members>,
    },
    /// List the connections, those of the file included.
    List,
    /// Show one connection.
    Show {
        /// Its name in URLs.
        id: String,
    },
    /// Change a connection; what is not given stays, a list is replaced, "" empties it.
    Update {
        /// Its name in URLs.
        id: String,
        #[command(flatten)]
        members: Box<Members>,
    },
    /// Remove a connection; people who came through it stay.
    Delete {
        /// Its name in URLs.
        id: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Let one Apple key follow another without an outage.
    #[command(after_help = "In this order:\n  russet connection rotate-key second --key-id \
        NEWKEY1234 --private-key-file AuthKey_NEWKEY1234.p8\n  russet check\n  russet connection \
        rotate-key second --promote\n  and then revoke the old key at Apple.\n\nThe next key is \
        used by itself as soon as Apple takes the active one no more.")]
    RotateKey {
        /// The connection.
        id: String,
        /// The next key's Key ID.
        #[arg(long, requires = "private_key_file")]
        key_id: Option<String>,
        /// The next key's .p8 file.
        #[arg(long, requires = "key_id", value_name = "FILE")]
        private_key_file: Option<PathBuf>,
        /// The next key becomes the active one.
        #[arg(long, conflicts_with_all = ["key_id", "discard"])]
        promote: bool,
        /// Forget the next key.
        #[arg(long, conflicts_with = "key_id")]
        discard: bool,
    },
}

const KINDS: [&str; 3] = ["apple", "oidc", "github"];

#[derive(Debug, Default, clap::Args)]
pub(super) struct Members {
    /// Its name for people.
    #[arg(long)]
    display_name: Option<String>,
    /// Where it stands among the others; lower comes first.
    #[arg(long)]
    position: Option<i32>,
    /// Whether people may sign in through it.
    #[arg(long, action = ArgAction::Set, value_name = "true|false")]
    enabled: Option<bool>,
    /// Apple: the Team ID.
    #[arg(long)]
    team_id: Option<String>,
    /// Apple: the Key ID of the private key.
    #[arg(long)]
    key_id: Option<String>,
    /// Apple: the AuthKey_….p8 file.
    #[arg(long, value_name = "FILE")]
    private_key_file: Option<PathBuf>,
    /// Apple: the Services ID, for web sign-in.
    #[arg(long)]
    services_id: Option<String>,
    /// Apple: a bundle ID, for native sign-in; repeatable.
    #[arg(long, value_name = "BUNDLE_ID")]
    bundle_id: Option<Vec<String>>,
    /// Apple: the primary App ID, if notifications name one that is no app here.
    #[arg(long, value_name = "BUNDLE_ID")]
    primary_app_id: Option<String>,
    /// Apple: a further issuer that tokens may carry; repeatable.
    #[arg(long, value_name = "URL")]
    additional_issuer: Option<Vec<String>>,
    /// Apple: whether web sign-in sends a PKCE challenge.
    #[arg(long, action = ArgAction::Set, value_name = "true|false")]
    pkce: Option<bool>,
    /// Dangerous: join somebody new to the account that has their address, if this is on at both
    /// connections and both upstreams have verified it.
    #[arg(long, action = ArgAction::Set, value_name = "true|false")]
    link_by_verified_email: Option<bool>,
    /// Whether an OpenID Provider's word is taken for how people authenticated (amr): only then has
    /// a sign-in there an acr.
    #[arg(long, action = ArgAction::Set, value_name = "true|false")]
    believe_amr: Option<bool>,
    /// The upstream's issuer.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The form of the issuer in tokens of many tenants, with {tenantid}.
    #[arg(long, value_name = "URL")]
    issuer_template: Option<String>,
    /// What the upstream calls this broker.
    #[arg(long)]
    client_id: Option<String>,
    /// A file with the secret that the upstream gave.
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// Read that secret from stdin.
    #[arg(long, conflicts_with = "client_secret_file")]
    client_secret_stdin: bool,
    /// A scope to ask for; repeatable.
    #[arg(long)]
    scope: Option<Vec<String>>,
    /// GitHub: where people sign in, for an Enterprise Server.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// GitHub: where the API answers.
    #[arg(long, value_name = "URL")]
    api_url: Option<String>,
    /// Which claim is the name.
    #[arg(long, value_name = "CLAIM")]
    name_claim: Option<String>,
    /// Which claim is the given name.
    #[arg(long, value_name = "CLAIM")]
    given_name_claim: Option<String>,
    /// Which claim is the family name.
    #[arg(long, value_name = "CLAIM")]
    family_name_claim: Option<String>,
    /// Which claim is the address.
    #[arg(long, value_name = "CLAIM")]
    email_claim: Option<String>,
    /// Which claim says that the address is verified.
    #[arg(long, value_name = "CLAIM")]
    email_verified_claim: Option<String>,
    /// Admit only verified addresses of this domain; repeatable.
    #[arg(long, value_name = "DOMAIN")]
    allowed_email_domain: Option<Vec<String>>,
    /// Admit only people with this claim, such as hd=example.com; repeatable.
    #[arg(long, value_name = "CLAIM=VALUE")]
    required_claim: Option<Vec<String>>,
}

impl Members {
    /// The settings that were given, as a merge patch; an empty text takes one away.
    fn patch(&self) -> Result<Map<String, Value>, CliError> {
        let mut patch = Map::new();
        for (member, text) in [
            ("team_id", &self.team_id),
            ("key_id", &self.key_id),
            ("services_id", &self.services_id),
            ("primary_app_id", &self.primary_app_id),
            ("issuer", &self.issuer),
            ("issuer_template", &self.issuer_template),
            ("client_id", &self.client_id),
            ("base_url", &self.base_url),
            ("api_url", &self.api_url),
            ("name_claim", &self.name_claim),
            ("given_name_claim", &self.given_name_claim),
            ("family_name_claim", &self.family_name_claim),
            ("email_claim", &self.email_claim),
            ("email_verified_claim", &self.email_verified_claim),
        ] {
            if let Some(text) = text {
                let value = if text.is_empty() { Value::Null } else { json!(text) };
                patch.insert(member.to_owned(), value);
            }
        }
        for (member, list) in [
            ("bundle_ids", &self.bundle_id),
            ("additional_issuers", &self.additional_issuer),
            ("scopes", &self.scope),
            ("allowed_email_domains", &self.allowed_email_domain),
        ] {
            if let Some(list) = list {
                let list: Vec<_> = list.iter().filter(|text| !text.is_empty()).collect();
                patch.insert(member.to_owned(), json!(list));
            }
        }
        for (member, switch) in [
            ("pkce", self.pkce),
            ("link_by_verified_email", self.link_by_verified_email),
            ("believe_amr", self.believe_amr),
        ] {
            if let Some(switch) = switch {
                patch.insert(member.to_owned(), json!(switch));
            }
        }
        if let Some(claims) = &self.required_claim {
            patch.insert("required_claims".to_owned(), required(claims)?);
        }
        Ok(patch)
    }

    fn client_secret(&self) -> Result<Option<SecretString>, CliError> {
        if self.client_secret_stdin {
            let text = std::io::read_to_string(std::io::stdin().lock());
            let text = text.map_err(CliError::failed)?;
            return Ok(Some(text.trim_end_matches(['\r', '\n']).into()));
        }
        self.client_secret_file.as_deref().map(secret_of).transpose()
    }
}

fn required(claims: &[String]) -> Result<Value, CliError> {
    let mut all: Map<String, Value> = Map::new();
    for claim in claims.iter().filter(|claim| !claim.is_empty()) {
        let (name, value) = claim
            .split_once('=')
            .ok_or_else(|| CliError::failed(format!("--required-claim {claim}: CLAIM=VALUE")))?;
        let values = all.entry(name).or_insert_with(|| json!([]));
        if let Some(values) = values.as_array_mut() {
            values.push(json!(value));
        }
    }
    Ok(Value::Object(all))
}

pub(super) fn secret_of(path: &Path) -> Result<SecretString, CliError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| CliError::failed(format!("{}: {error}", path.display())))?;
    Ok(text.trim_end_matches(['\r', '\n']).into())
}

pub(super) async fn run(place: &Place, command: ConnectionCommand) -> Result<Answer, CliError> {
    let administration = place.broker().await?.administration;
    let actor = Actor::cli();
    match command {
        ConnectionCommand::Create { id, kind, preset, tenant, members } => {
            let new = new_connection(id, kind, (preset, tenant), &members)?;
            Ok(Answer::thing(administration.create_connection(&actor, new).await?.to_json()))
        }
        ConnectionCommand::List => {
            let all = administration.list_connections().await?;
            Ok(Answer::list(
                all.iter().map(|one| one.to_json()).collect(),
                &["id", "display_name", "kind", "enabled", "managed_by"],
            ))
        }
        ConnectionCommand::Show { id } => {
            Ok(Answer::thing(administration.find_connection(&id).await?.to_json()))
        }
        ConnectionCommand::Update { id, members } => {
            let change = ConnectionChange {
                version: None,
                display_name: members.display_name.clone(),
                position: members.position,
                enabled: members.enabled,
                settings: members.patch()?,
                client_secret: members.client_secret()?,
                private_key: members.private_key_file.as_deref().map(secret_of).transpose()?,
            };
            Ok(Answer::thing(
                administration.update_connection(&actor, &id, change).await?.to_json(),
            ))
        }
        ConnectionCommand::Delete { id, yes } => delete(&administration, &actor, &id, yes).await,
        ConnectionCommand::RotateKey { id, key_id, private_key_file, promote, discard } => {
            let turn = match (key_id.zip(private_key_file), promote, discard) {
                (Some((key_id, file)), ..) => {
                    KeyTurn::Stage { key_id, private_key: secret_of(&file)? }
                }
                (None, true, _) => KeyTurn::Promote,
                (None, false, true) => KeyTurn::Discard,
                (None, false, false) => {
                    let message = "give --key-id and --private-key-file, --promote or --discard";
                    return Err(CliError::failed(message));
                }
            };
            let turned = administration.turn_connection_key(&actor, &id, None, turn).await?;
            Ok(Answer::thing(turned.to_json()))
        }
    }
}

fn new_connection(
    id: String,
    kind: Option<ConnectionKind>,
    (preset_name, tenant): (Option<String>, Option<String>),
    members: &Members,
) -> Result<NewConnection, CliError> {
    let begin = preset_name.as_deref().or(kind.map(ConnectionKind::as_str));
    let draft = begin.and_then(|name| draft(name, tenant.as_deref()));
    let draft = draft.ok_or_else(|| CliError::failed("give --kind or --preset"))?;
    // A provider that is known by nothing but its issuer is called by its id.
    let name = (begin != Some("oidc")).then_some(draft.display_name);
    let mut settings = json!(draft.settings);
    if let Some(document) = settings.as_object_mut() {
        document.extend(members.patch()?);
    }
    let settings: ConnectionSettings =
        serde_json::from_value(settings).map_err(CliError::failed)?;
    Ok(NewConnection {
        id,
        display_name: members.display_name.clone().or(name.map(str::to_owned)),
        position: members.position,
        enabled: members.enabled.unwrap_or(true),
        settings,
        secrets: ConnectionSecrets {
            private_key: members.private_key_file.as_deref().map(secret_of).transpose()?,
            private_key_file: members
                .private_key_file
                .as_deref()
                .and_then(|path| path.file_name())
                .map(|name| name.to_string_lossy().into_owned()),
            next_private_key: None,
            client_secret: members.client_secret()?,
        },
    })
}

async fn delete(
    administration: &Administration,
    actor: &Actor,
    id: &str,
    yes: bool,
) -> Result<Answer, CliError> {
    let found = administration.find_connection(id).await?;
    let name = &found.connection.display_name;
    let yes = yes || !std::io::stdin().is_terminal();
    confirm_at_terminal(&format!("Delete the connection {name:?} ({id})?"), yes)?;
    administration.delete_connection(actor, id, None).await?;
    Ok(Answer::new(format!("{id} is deleted"), json!({ "id": id })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_text_takes_a_member_away_and_claims_are_gathered() {
        let members = Members {
            services_id: Some(String::new()),
            scope: Some(vec!["openid".into(), String::new()]),
            required_claim: Some(vec!["hd=a.example".into(), "hd=b.example".into()]),
            ..Members::default()
        };
        let patch = members.patch().unwrap();
        assert_eq!(patch["services_id"], Value::Null);
        assert_eq!(patch["scopes"], json!(["openid"]));
        assert_eq!(patch["required_claims"], json!({ "hd": ["a.example", "b.example"] }));
        assert!(required(&["hd".into()]).is_err());
    }
}
