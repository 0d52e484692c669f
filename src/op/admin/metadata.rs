//! Clients and APIs as JSON documents — RFC 7591 §2 and §3.2.1, with Russet's own members.

use serde::Serialize;
use serde_json::{Value, json};

use super::RegisteredClient;
use crate::protocol::api::Api;
use crate::protocol::client::{Client, ClientKind, GrantType};

/// A client's metadata under the registered member names. Never holds a secret.
pub fn client_metadata(client: &Client) -> Value {
    let response_types: &[&str] =
        if client.may_use(GrantType::AuthorizationCode) { &["code"] } else { &[] };
    let application_type = if client.kind == ClientKind::Native { "native" } else { "web" };
    let mut metadata = json!({
        "client_id": client.client_id,
        "client_id_issued_at": client.created_at.secs(),
        "client_name": client.client_name,
        "kind": client.kind,
        "application_type": application_type,
        "redirect_uris": client.redirect_uris,
        "post_logout_redirect_uris": client.post_logout_redirect_uris,
        "grant_types": client.grant_types,
        "response_types": response_types,
        "scope": client.scope.join(" "),
        "token_endpoint_auth_method": client.token_endpoint_auth_method,
        "id_token_signed_response_alg": client.id_token_signed_response_alg,
        "require_pkce": client.require_pkce,
        "first_party": client.first_party,
        "resources": client.resources,
        "default_resource": client.default_resource,
        "apple_bundle_ids": client.apple_bundle_ids,
        "require_native_challenge": client.require_native_challenge,
        "refresh_token_idle_ttl": client.refresh_token_idle_ttl,
        "refresh_token_absolute_ttl": client.refresh_token_absolute_ttl,
        "disabled": client.disabled_at.is_some(),
        "updated_at": client.updated_at.secs(),
        "version": client.version,
    });
    add_settings(&mut metadata, &client.settings);
    metadata
}

fn add_settings(metadata: &mut Value, settings: &impl Serialize) {
    if let (Some(members), Ok(Value::Object(settings))) =
        (metadata.as_object_mut(), serde_json::to_value(settings))
    {
        members.extend(settings);
    }
}

impl RegisteredClient {
    /// The metadata with `client_secret` (RFC 7591 §3.2.1), for the one answer that may hold it.
    pub fn metadata(&self) -> Value {
        let mut metadata = client_metadata(&self.client);
        if let (Some(secret), Some(members)) = (&self.client_secret, metadata.as_object_mut()) {
            members.insert("client_secret".to_owned(), json!(secret.expose()));
            members.insert("client_secret_expires_at".to_owned(), json!(0));
        }
        metadata
    }
}

/// An API's description.
pub fn api_metadata(api: &Api) -> Value {
    let mut metadata = json!({
        "identifier": api.identifier,
        "name": api.name,
        "scopes": api.scopes,
        "access_token_ttl": api.access_token_ttl,
        "signing_alg": api.signing_alg,
        "created_at": api.created_at.secs(),
        "updated_at": api.updated_at.secs(),
        "version": api.version,
    });
    add_settings(&mut metadata, &api.settings);
    metadata
}
