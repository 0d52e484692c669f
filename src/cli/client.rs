//! `russet client`: flags are RFC 7591's member names.

use std::time::Duration;

use clap::ArgAction;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use serde_json::json;

use super::Place;
use super::answer::{Answer, confirm_at_terminal, password_from_stdin};
use super::client_binding::Binding;
use super::client_delegation::Delegation;
use super::client_face::Face;
use super::client_notices::Notices;
use super::client_security::Security;
use super::drawn_name::drawn_name;
use super::failure::CliError;
use super::registration_token::RegistrationTokenCommand;
use crate::op::admin::metadata::client_metadata;
use crate::op::admin::{Actor, Administration, ClientChange, NewClient};
use crate::protocol::client::{ClientKind, GrantType, TokenEndpointAuthMethod};
use crate::protocol::id::ClientId;
use crate::protocol::jose::Algorithm;
use crate::store::clients::ListQuery;

#[derive(Debug, clap::Subcommand)]
pub(super) enum ClientCommand {
    /// Register a client; prints its secret, once.
    #[command(after_help = "Examples:\n  russet client create --kind web --client-name Shop \
        --redirect-uri https://shop.example/callback\n  russet client create --kind native \
        --client-name App --apple-bundle-id com.example.app\n  russet client create --kind \
        machine --client-name Nightly --resource https://api.example.com --json")]
    Create {
        /// What is being built.
        #[arg(long, value_parser = named(&KINDS, ClientKind::ALL))]
        kind: ClientKind,
        /// A client_id of your choice; drawn if not given.
        #[arg(long)]
        client_id: Option<String>,
        #[command(flatten)]
        members: Box<Members>,
    },
    /// List the clients.
    List {
        /// Only those whose name or client_id holds this.
        #[arg(long)]
        search: Option<String>,
    },
    /// Show one client.
    Show(Which),
    /// Change a client; what is not given stays, a list is replaced, "" empties it.
    #[command(after_help = "Example:\n  russet client update Qm0… --redirect-uri \
        https://shop.example/callback --redirect-uri https://shop.example/other")]
    Update {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        members: Box<Members>,
        /// Switch the client off (true) or on (false).
        #[arg(long, action = ArgAction::Set, value_name = "true|false")]
        disabled: Option<bool>,
    },
    /// Give a client a new secret; prints it, once.
    RotateSecret {
        #[command(flatten)]
        which: Which,
        /// Seconds for which the old secret stays good; a day if not given.
        #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
        overlap: u64,
    },
    /// Set the bearer token that a client's receiver of security events wants to see, from stdin.
    EventBearer {
        #[command(flatten)]
        which: Which,
        /// Take it away instead.
        #[arg(long)]
        remove: bool,
    },
    /// Initial access tokens, with which clients register themselves.
    #[command(subcommand)]
    RegistrationToken(RegistrationTokenCommand),
    /// Remove a client with its secrets, consents and grants.
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
    /// The client's client_id.
    #[arg(
        value_name = "CLIENT_ID",
        id = "which_client",
        allow_hyphen_values = true,
        value_parser = drawn_name
    )]
    positional: Option<String>,
    /// The same, as a flag.
    #[arg(long = "client-id", value_name = "CLIENT_ID", allow_hyphen_values = true)]
    flag: Option<String>,
}

impl Which {
    fn id(self) -> ClientId {
        ClientId::new(self.positional.or(self.flag).unwrap_or_default())
    }
}

#[derive(Debug, Default, clap::Args)]
pub(super) struct Members {
    /// Its name for people.
    #[arg(long)]
    client_name: Option<String>,
    /// Where people return after sign-in; repeatable.
    #[arg(long, alias = "redirect-uris", value_name = "URI")]
    redirect_uri: Option<Vec<String>>,
    /// Where people return after sign-out; repeatable.
    #[arg(long, alias = "post-logout-redirect-uris", value_name = "URI")]
    post_logout_redirect_uri: Option<Vec<String>>,
    /// What it may present at the token endpoint; repeatable.
    #[arg(long, alias = "grant-types", value_parser = grant_type)]
    grant_type: Option<Vec<GrantType>>,
    /// OpenID scopes it may ask for; repeatable, or several in quotes.
    #[arg(long)]
    scope: Option<Vec<String>>,
    /// How it proves who it is.
    #[arg(long, value_parser = named(&AUTH_METHODS, TokenEndpointAuthMethod::ALL))]
    token_endpoint_auth_method: Option<TokenEndpointAuthMethod>,
    /// What its ID tokens are signed with.
    #[arg(long, value_parser = named(&ALGORITHMS, Algorithm::ALL))]
    id_token_signed_response_alg: Option<Algorithm>,
    /// A connection its people may come through; repeatable, "" allows all.
    #[arg(long, alias = "allowed-connections", value_name = "CONNECTION")]
    allowed_connection: Option<Vec<String>>,
    /// Whether requests without PKCE are refused.
    #[arg(long, action = ArgAction::Set, value_name = "true|false")]
    require_pkce: Option<bool>,
    /// Whether it is your own app, so that people are not asked for consent.
    #[arg(long, action = ArgAction::Set, value_name = "true|false")]
    first_party: Option<bool>,
    /// Identifier of an API it may ask tokens for; repeatable.
    #[arg(long, alias = "resources", value_name = "URI")]
    resource: Option<Vec<String>>,
    /// The API a token is for when the request names none.
    #[arg(long, value_name = "URI")]
    default_resource: Option<String>,
    /// Bundle ID whose native Apple sign-ins it may bring; repeatable.
    #[arg(long, alias = "apple-bundle-ids", value_name = "BUNDLE_ID")]
    apple_bundle_id: Option<Vec<String>>,
    /// Whether native sign-ins need a nonce from the challenge endpoint.
    #[arg(long, action = ArgAction::Set, value_name = "true|false")]
    require_native_challenge: Option<bool>,
    /// Seconds an unused refresh token stays good.
    #[arg(long, value_name = "SECONDS")]
    refresh_token_idle_ttl: Option<u32>,
    /// Seconds after which a refresh family ends.
    #[arg(long, value_name = "SECONDS")]
    refresh_token_absolute_ttl: Option<u32>,
    #[command(flatten)]
    notices: Notices,
    #[command(flatten)]
    binding: Binding,
    #[command(flatten)]
    security: Security,
    #[command(flatten)]
    delegation: Delegation,
    #[command(flatten)]
    face: Face,
}

const KINDS: [&str; 6] = ["web", "spa", "native", "machine", "device", "mcp"];
const AUTH_METHODS: [&str; 6] = [
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
    "none",
];
pub(super) const ALGORITHMS: [&str; 4] = ["RS256", "ES256", "EdDSA", "PS256"];

/// A flag that takes one of `names`, which stand for the `values` in the same places.
pub(super) fn named<T, const N: usize>(
    names: &'static [&'static str; N],
    values: [T; N],
) -> impl clap::builder::TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(move |name| {
        let found = names.iter().zip(values).find(|(known, _)| **known == name);
        found.map(|(_, value)| value).ok_or("unknown value")
    })
}

fn grant_type(name: &str) -> Result<GrantType, String> {
    match name {
        "token-exchange" => Ok(GrantType::TokenExchange),
        "device-code" | "device_code" => Ok(GrantType::DeviceCode),
        "jwt-bearer" => Ok(GrantType::JwtBearer),
        _ => GrantType::parse(name).ok_or_else(|| {
            let known = GrantType::ALL.map(GrantType::as_str).join(", ");
            format!("must be one of {known}")
        }),
    }
}

impl Members {
    fn change(self) -> ClientChange {
        let mut settings = serde_json::Map::new();
        self.binding.add_to(&mut settings);
        if let Some(allowed) = self.allowed_connection {
            let allowed = without_empty(allowed);
            let value = if allowed.is_empty() { json!(null) } else { json!(allowed) };
            settings.insert("allowed_connections".to_owned(), value);
        }
        self.notices.add_to(&mut settings);
        self.security.add_to(&mut settings);
        self.delegation.add_to(&mut settings);
        self.face.add_to(&mut settings);
        ClientChange {
            version: None,
            client_name: self.client_name,
            redirect_uris: self.redirect_uri.map(without_empty),
            post_logout_redirect_uris: self.post_logout_redirect_uri.map(without_empty),
            grant_types: self.grant_type,
            scope: self.scope.map(|values| {
                values.iter().flat_map(|v| v.split_whitespace()).map(str::to_owned).collect()
            }),
            token_endpoint_auth_method: self.token_endpoint_auth_method,
            id_token_signed_response_alg: self.id_token_signed_response_alg,
            require_pkce: self.require_pkce,
            first_party: self.first_party,
            resources: self.resource.map(without_empty),
            default_resource: self
                .default_resource
                .map(|resource| Some(resource).filter(|text| !text.is_empty())),
            apple_bundle_ids: self.apple_bundle_id.map(without_empty),
            require_native_challenge: self.require_native_challenge,
            refresh_token_idle_ttl: self.refresh_token_idle_ttl,
            refresh_token_absolute_ttl: self.refresh_token_absolute_ttl,
            settings,
            disabled: None,
        }
    }
}

fn without_empty(values: Vec<String>) -> Vec<String> {
    values.into_iter().filter(|value| !value.is_empty()).collect()
}

pub(super) async fn run(place: &Place, command: ClientCommand) -> Result<Answer, CliError> {
    let administration = place.broker().await?.administration;
    let actor = Actor::cli();
    match command {
        ClientCommand::Create { kind, client_id, mut members } => {
            let client_name =
                members.client_name.take().unwrap_or_else(|| format!("A {} client", kind.as_str()));
            let new = NewClient { kind, client_name, client_id, change: members.change() };
            Ok(Answer::thing(administration.create_client(&actor, new).await?.metadata()))
        }
        ClientCommand::List { search } => list(&administration, search).await,
        ClientCommand::Show(which) => {
            let client = administration.find_client(&which.id()).await?;
            Ok(Answer::thing(client_metadata(&client)))
        }
        ClientCommand::Update { which, members, disabled } => {
            let change = ClientChange { disabled, ..members.change() };
            let client = administration.update_client(&actor, &which.id(), change).await?;
            Ok(Answer::thing(client_metadata(&client)))
        }
        ClientCommand::RotateSecret { which, overlap } => {
            let overlap = Duration::from_secs(overlap);
            let rotated = administration.rotate_client_secret(&actor, &which.id(), overlap).await?;
            Ok(Answer::thing(rotated.metadata()))
        }
        ClientCommand::EventBearer { which, remove } => {
            let id = which.id();
            let bearer = if remove { None } else { Some(password_from_stdin()?) };
            administration.set_event_bearer(&actor, &id, bearer.as_ref()).await?;
            let state = if remove { "taken away" } else { "set" };
            let text = format!("the bearer token of {id} is {state}");
            Ok(Answer::new(text, json!({ "client_id": id, "event_bearer": !remove })))
        }
        ClientCommand::RegistrationToken(command) => {
            super::registration_token::run(&administration, command).await
        }
        ClientCommand::Delete { which, yes } => {
            let client = administration.find_client(&which.id()).await?;
            let (id, name) = (&client.client_id, &client.client_name);
            confirm_at_terminal(&format!("Delete the client {name:?} ({id})?"), yes)?;
            administration.delete_client(&actor, id, None).await?;
            Ok(Answer::new(format!("{id} is deleted"), json!({ "client_id": id })))
        }
    }
}

async fn list(administration: &Administration, search: Option<String>) -> Result<Answer, CliError> {
    let mut query = ListQuery { search, limit: 200, ..ListQuery::default() };
    let mut clients = Vec::new();
    loop {
        let page = administration.list_clients(&query).await?;
        clients.extend(page.items.iter().map(client_metadata));
        if page.next.is_none() {
            return Ok(Answer::list(clients, &["client_id", "client_name", "kind", "disabled"]));
        }
        query.after = page.next;
    }
}
