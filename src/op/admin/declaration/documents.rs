//! How an API and a client stand in the document: the members of RFC 7591 and Russet's own, under
//! the names that `client show --json` prints.

use std::collections::HashSet;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Declaration, Step};
use crate::op::admin::{AdminError, ClientChange, FieldProblem, checked};
use crate::protocol::ambient::Timestamp;
use crate::protocol::api::{ACCESS_TOKEN_TTL, Api, ApiScope};
use crate::protocol::client::{Client, ClientKind, GrantType, TokenEndpointAuthMethod};
use crate::protocol::id::ClientId;
use crate::protocol::jose::Algorithm;

/// An API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiDocument {
    pub identifier: String,
    pub name: String,
    #[serde(default = "default_ttl")]
    pub access_token_ttl: u32,
    #[serde(default = "default_alg")]
    pub signing_alg: Algorithm,
    #[serde(default)]
    pub scopes: Vec<ApiScope>,
    /// Members that few APIs set.
    #[serde(flatten)]
    pub settings: Map<String, Value>,
}

/// A client. What is absent has the default of its kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientDocument {
    pub client_id: String,
    pub kind: ClientKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_method: Option<TokenEndpointAuthMethod>,
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_types: Option<Vec<GrantType>>,
    /// Blank-separated, as RFC 7591 has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    #[serde(default)]
    pub resources: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_signed_response_alg: Option<Algorithm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_pkce: Option<bool>,
    #[serde(default)]
    pub first_party: bool,
    #[serde(default)]
    pub apple_bundle_ids: Vec<String>,
    #[serde(default)]
    pub require_native_challenge: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_idle_ttl: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_absolute_ttl: Option<u32>,
    #[serde(default)]
    pub disabled: bool,
    /// Members that few clients set.
    #[serde(flatten)]
    pub settings: Map<String, Value>,
}

const fn default_ttl() -> u32 {
    ACCESS_TOKEN_TTL
}

const fn default_alg() -> Algorithm {
    Algorithm::Rs256
}

impl ApiDocument {
    pub(super) fn of(api: &Api) -> Self {
        Self {
            identifier: api.identifier.clone(),
            name: api.name.clone(),
            access_token_ttl: api.access_token_ttl,
            signing_alg: api.signing_alg,
            scopes: api.scopes.clone(),
            settings: members(&api.settings),
        }
    }

    pub(super) fn step(self, stands: Option<&Api>, now: Timestamp) -> Result<Step, AdminError> {
        let wanted = Api {
            settings: settings(&self.identifier, self.settings)?,
            identifier: self.identifier,
            name: self.name,
            scopes: self.scopes,
            access_token_ttl: self.access_token_ttl,
            signing_alg: self.signing_alg,
            created_at: stands.map_or(now, |api| api.created_at),
            updated_at: now,
            version: stands.map_or(1, |api| api.version),
        };
        Ok(Step::api(stands, &wanted))
    }
}

impl ClientDocument {
    pub(super) fn of(client: &Client) -> Self {
        Self {
            client_id: client.client_id.to_string(),
            kind: client.kind,
            client_name: Some(client.client_name.clone()),
            token_endpoint_auth_method: Some(client.token_endpoint_auth_method),
            redirect_uris: client.redirect_uris.clone(),
            post_logout_redirect_uris: client.post_logout_redirect_uris.clone(),
            grant_types: Some(client.grant_types.clone()),
            scope: Some(client.scope.join(" ")),
            resources: client.resources.clone(),
            default_resource: client.default_resource.clone(),
            id_token_signed_response_alg: Some(client.id_token_signed_response_alg),
            require_pkce: Some(client.require_pkce),
            first_party: client.first_party,
            apple_bundle_ids: client.apple_bundle_ids.clone(),
            require_native_challenge: client.require_native_challenge,
            refresh_token_idle_ttl: Some(client.refresh_token_idle_ttl),
            refresh_token_absolute_ttl: Some(client.refresh_token_absolute_ttl),
            disabled: client.disabled_at.is_some(),
            settings: members(&client.settings),
        }
    }

    pub(super) fn step(self, stands: Option<&Client>, now: Timestamp) -> Result<Step, AdminError> {
        let id = ClientId::new(self.client_id.clone());
        if let Some(stands) = stands
            && stands.kind != self.kind
        {
            let message = format!("{id}: the kind of a client cannot be changed");
            return Err(AdminError::Invalid(vec![FieldProblem::new("kind", message)]));
        }
        let default = Client::of_kind(id, self.kind, now);
        // A member that stands and is not in the document is taken away.
        let mut patch: Map<String, Value> = stands
            .map(|stands| members(&stands.settings))
            .unwrap_or_default()
            .into_iter()
            .map(|(member, _)| (member, Value::Null))
            .collect();
        patch.extend(self.settings.clone());
        let words = |text: &str| text.split_whitespace().map(ToOwned::to_owned).collect();
        let change = ClientChange {
            version: None,
            client_name: Some(self.client_name.unwrap_or(default.client_name)),
            redirect_uris: Some(self.redirect_uris),
            post_logout_redirect_uris: Some(self.post_logout_redirect_uris),
            grant_types: Some(self.grant_types.unwrap_or(default.grant_types)),
            scope: Some(self.scope.as_deref().map_or(default.scope, words)),
            token_endpoint_auth_method: Some(
                self.token_endpoint_auth_method.unwrap_or(default.token_endpoint_auth_method),
            ),
            id_token_signed_response_alg: Some(
                self.id_token_signed_response_alg.unwrap_or(default.id_token_signed_response_alg),
            ),
            require_pkce: Some(self.require_pkce.unwrap_or(default.require_pkce)),
            first_party: Some(self.first_party),
            resources: Some(self.resources),
            default_resource: Some(self.default_resource),
            apple_bundle_ids: Some(self.apple_bundle_ids),
            require_native_challenge: Some(self.require_native_challenge),
            refresh_token_idle_ttl: Some(
                self.refresh_token_idle_ttl.unwrap_or(default.refresh_token_idle_ttl),
            ),
            refresh_token_absolute_ttl: Some(
                self.refresh_token_absolute_ttl.unwrap_or(default.refresh_token_absolute_ttl),
            ),
            settings: patch,
            disabled: Some(self.disabled),
        };
        let mut wanted = stands.cloned().unwrap_or_else(|| {
            Client::of_kind(ClientId::new(self.client_id.clone()), self.kind, now)
        });
        wanted.settings = settings(&self.client_id, self.settings)?;
        change.clone().apply(&mut wanted, now)?;
        Ok(Step::client(stands, &wanted, change))
    }
}

pub(super) fn members(settings: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(members)) => members,
        Ok(_) | Err(_) => Map::new(),
    }
}

/// Reads the members that few set; one that nobody knows is a mistake, not a wish.
pub(super) fn settings<S: DeserializeOwned>(
    name: &str,
    members: Map<String, Value>,
) -> Result<S, AdminError> {
    let mut problems = Vec::new();
    let read = serde_ignored::deserialize(Value::Object(members), |path| {
        problems.push(FieldProblem::new("settings", format!("{name}: {path} is not a member")));
    });
    let read: S = read.map_err(|error| {
        AdminError::Invalid(vec![FieldProblem::new("settings", format!("{name}: {error}"))])
    })?;
    checked(problems)?;
    Ok(read)
}

/// A thing that is named twice shall be two things at once.
pub(super) fn refuse_duplicates(declaration: &Declaration) -> Result<(), AdminError> {
    let mut problems = Vec::new();
    let mut seen = HashSet::new();
    for client in &declaration.clients {
        if !seen.insert(("client", client.client_id.as_str())) {
            let message = format!("{} stands twice in the document", client.client_id);
            problems.push(FieldProblem::new("client_id", message));
        }
    }
    for connection in &declaration.connections {
        if !seen.insert(("connection", connection.id.as_str())) {
            let message = format!("{} stands twice in the document", connection.id);
            problems.push(FieldProblem::new("id", message));
        }
    }
    for api in &declaration.apis {
        if !seen.insert(("api", api.identifier.as_str())) {
            let message = format!("{} stands twice in the document", api.identifier);
            problems.push(FieldProblem::new("identifier", message));
        }
    }
    checked(problems)
}
