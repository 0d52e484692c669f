//! Clients and APIs as JSON documents — RFC 7591 §2 and §3.2.1, with Russet's own members.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::RegisteredClient;
use crate::protocol::api::Api;
use crate::protocol::client::{Client, GrantType};

/// A client's metadata under the registered member names. Never holds a secret.
pub fn client_metadata(client: &Client) -> Value {
    let response_types: &[&str] =
        if client.may_use(GrantType::AuthorizationCode) { &["code"] } else { &[] };
    let application_type = if client.kind.is_installed() { "native" } else { "web" };
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

/// Members that change with every change and say nothing.
const BOOKKEEPING: [&str; 3] = ["version", "updated_at", "client_id_issued_at"];
/// Words in a member's name whose value is never written down.
const SECRET: [&str; 5] = ["secret", "password", "private_key", "refresh_token_value", "sealed"];

/// What differs between two states of a thing: `{member: {"before": …, "after": …}}`, secrets
/// redacted.
pub fn difference(before: &Value, after: &Value) -> Map<String, Value> {
    let none = Map::new();
    let (before, after) = (before.as_object().unwrap_or(&none), after.as_object().unwrap_or(&none));
    let members = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    let mut changed = Map::new();
    for name in members {
        let (old, new) = (before.get(name), after.get(name));
        if old == new || BOOKKEEPING.contains(&name.as_str()) {
            continue;
        }
        let shown = |value: Option<&Value>| match value {
            None => Value::Null,
            Some(_) if SECRET.iter().any(|word| name.contains(word)) => json!("[redacted]"),
            Some(value) => value.clone(),
        };
        changed.insert(name.clone(), json!({ "before": shown(old), "after": shown(new) }));
    }
    changed
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_what_changed_and_no_secret() {
        let before = json!({ "name": "a", "version": 1, "same": [1], "client_secret": "old" });
        let after = json!({ "name": "b", "version": 2, "same": [1], "client_secret": "new" });
        let changed = difference(&before, &after);
        assert_eq!(changed.keys().collect::<Vec<_>>(), ["client_secret", "name"]);
        assert_eq!(changed["name"], json!({ "before": "a", "after": "b" }));
        assert!(!json!(changed).to_string().contains("new"));
    }

    #[test]
    fn what_appears_or_goes_is_a_difference_too() {
        let changed = difference(&json!({ "gone": 1 }), &json!({ "new": 2 }));
        assert_eq!(changed["gone"], json!({ "before": 1, "after": null }));
        assert_eq!(changed["new"], json!({ "before": null, "after": 2 }));
    }
}
