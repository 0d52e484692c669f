//! Clients and APIs from JSON documents: RFC 7591 §2's members, as the admin API takes them.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{AdminError, ApiChange, ClientChange, FieldProblem};
use crate::protocol::client_settings::{self, ApiSettings, ClientSettings};

/// Members that are told and cannot be set.
const READ_ONLY: [&str; 13] = [
    "client_id",
    "client_id_issued_at",
    "client_id_metadata_fetched_at",
    "client_secret",
    "client_secret_expires_at",
    "kind",
    "application_type",
    "response_types",
    "identifier",
    "created_at",
    "updated_at",
    "version",
    "disabled_at",
];

struct Reading {
    members: Map<String, Value>,
    problems: Vec<FieldProblem>,
}

impl Reading {
    fn take<T: DeserializeOwned>(&mut self, field: &'static str, wanted: &str) -> Option<T> {
        let value = self.members.remove(field)?;
        match serde_json::from_value(value) {
            Ok(value) => Some(value),
            Err(_) => {
                self.problems.push(FieldProblem::new(field, format!("must be {wanted}")));
                None
            }
        }
    }

    /// What is left: settings, or nothing that there is.
    fn rest<S: serde::Serialize + DeserializeOwned + Default>(&mut self) -> Map<String, Value> {
        let mut settings = Map::new();
        for (name, value) in std::mem::take(&mut self.members) {
            if READ_ONLY.contains(&name.as_str()) {
                self.problems.push(FieldProblem::new("body", format!("{name} cannot be set")));
                continue;
            }
            let known = client_settings::members::<S>().contains(&name.as_str());
            let one = Map::from_iter([(name.clone(), value.clone())]);
            let of_its_type = client_settings::merge(&S::default(), &one).is_ok();
            if known && of_its_type {
                settings.insert(name, value);
            } else {
                let message = format!("{name} is not a member, or its value is of another type");
                self.problems.push(FieldProblem::new("body", message));
            }
        }
        settings
    }

    fn done(self) -> Result<(), AdminError> {
        super::checked(self.problems)
    }
}

/// What a JSON merge patch (RFC 7396) changes of a client.
///
/// # Errors
/// [`AdminError::Invalid`] names every member that there is not, or of another type.
pub fn client_change(members: Map<String, Value>) -> Result<ClientChange, AdminError> {
    let mut reading = Reading { members, problems: Vec::new() };
    let strings = "a list of strings";
    let default_resource = match reading.members.get("default_resource") {
        None => None,
        Some(Value::Null) => {
            reading.members.remove("default_resource");
            Some(None)
        }
        Some(_) => reading.take("default_resource", "a string or null").map(Some),
    };
    let scope: Option<String> = reading.take("scope", "a string of values with blanks between");
    let mut change = ClientChange {
        client_name: reading.take("client_name", "a string"),
        redirect_uris: reading.take("redirect_uris", strings),
        post_logout_redirect_uris: reading.take("post_logout_redirect_uris", strings),
        grant_types: reading.take("grant_types", "a list of grant types"),
        scope: scope.map(|scope| scope.split_whitespace().map(str::to_owned).collect()),
        token_endpoint_auth_method: reading
            .take("token_endpoint_auth_method", "a client authentication method"),
        id_token_signed_response_alg: reading
            .take("id_token_signed_response_alg", "a signature algorithm"),
        require_pkce: reading.take("require_pkce", "true or false"),
        first_party: reading.take("first_party", "true or false"),
        resources: reading.take("resources", strings),
        default_resource,
        apple_bundle_ids: reading.take("apple_bundle_ids", strings),
        require_native_challenge: reading.take("require_native_challenge", "true or false"),
        refresh_token_idle_ttl: reading.take("refresh_token_idle_ttl", "seconds"),
        refresh_token_absolute_ttl: reading.take("refresh_token_absolute_ttl", "seconds"),
        disabled: reading.take("disabled", "true or false"),
        ..ClientChange::default()
    };
    change.settings = reading.rest::<ClientSettings>();
    reading.done()?;
    Ok(change)
}

/// What a JSON merge patch changes of an API.
///
/// # Errors
/// [`AdminError::Invalid`] names every member that there is not, or of another type.
pub fn api_change(
    members: Map<String, Value>,
    settings: &ApiSettings,
) -> Result<ApiChange, AdminError> {
    let mut reading = Reading { members, problems: Vec::new() };
    let mut change = ApiChange {
        name: reading.take("name", "a string"),
        scopes: reading.take("scopes", "a list of objects with name and description"),
        access_token_ttl: reading.take("access_token_ttl", "seconds"),
        signing_alg: reading.take("signing_alg", "a signature algorithm"),
        ..ApiChange::default()
    };
    let patch = reading.rest::<ApiSettings>();
    if !patch.is_empty() {
        let merged = client_settings::merge(settings, &patch);
        change.settings =
            Some(merged.map_err(|error| AdminError::invalid("body", error.to_string()))?);
    }
    reading.done()?;
    Ok(change)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(patch: &Value) -> Result<ClientChange, AdminError> {
        client_change(patch.as_object().unwrap().clone())
    }

    #[test]
    fn what_is_not_named_is_left() {
        let change = change(&json!({ "client_name": "Shop", "scope": "openid email" })).unwrap();
        assert_eq!(change.client_name.as_deref(), Some("Shop"));
        assert_eq!(change.scope.unwrap(), ["openid", "email"]);
        assert!(change.redirect_uris.is_none() && change.default_resource.is_none());
    }

    #[test]
    fn nothing_else_can_be_set() {
        for patch in [
            json!({ "client_id": "other" }),
            json!({ "version": 9 }),
            json!({ "kind": "web" }),
            json!({ "client_secret": "mine" }),
            json!({ "is_admin": true }),
            json!({ "is_admin": null }),
            json!({ "subject_type": "private" }),
            json!({ "redirect_uris": "https://a.example/" }),
            json!({ "require_pkce": "yes" }),
            json!({ "grant_types": ["password"] }),
            json!({ "client_id_metadata_fetched_at": 1 }),
            json!({ "dpop_bound_access_tokens": "no" }),
        ] {
            assert!(change(&patch).is_err(), "{patch}");
        }
    }

    #[test]
    fn what_is_as_it_is_from_the_start_can_be_said_too() {
        let patch = json!({ "dpop_bound_access_tokens": false, "claims": [], "profile": null });
        assert_eq!(json!(change(&patch).unwrap().settings), patch);
    }

    #[test]
    fn a_member_may_be_set_to_its_default() {
        for (member, value) in [
            ("subject_type", json!("public")),
            ("dpop_bound_access_tokens", json!(false)),
            ("dpop_bound_access_tokens", json!(null)),
            ("sector_identifier_uri", json!(null)),
        ] {
            let patch = Map::from_iter([(member.to_owned(), value.clone())]);
            assert_eq!(client_change(patch.clone()).unwrap().settings, patch);
        }
        let patch = json!({ "access_token_format": "jwt" }).as_object().unwrap().clone();
        assert!(api_change(patch, &ApiSettings::default()).unwrap().settings.is_some());
    }

    #[test]
    fn null_takes_a_default_away() {
        let change = change(&json!({ "default_resource": null })).unwrap();
        assert_eq!(change.default_resource, Some(None));
    }
}
