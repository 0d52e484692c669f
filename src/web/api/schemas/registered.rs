//! What clients and APIs are registered with, each member as the code has it.

use serde_json::{Value, json};

use super::look::branding;
use super::{Members, algorithms, list, name, of, or_null, set, text, words, yes};
use crate::protocol::api::AccessTokenFormat;
use crate::protocol::claim_mapping::{Attribute, Target};
use crate::protocol::client::{GrantType, TokenEndpointAuthMethod};
use crate::protocol::client_settings::{ApiSettings, ClientSettings, members};
use crate::protocol::profile::Profile;
use crate::protocol::subject::SubjectType;

pub(super) fn client_members() -> Members {
    let methods = TokenEndpointAuthMethod::ALL.map(TokenEndpointAuthMethod::as_str);
    let life = || json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX });
    of([
        ("client_name", name()),
        ("redirect_uris", set(text())),
        ("post_logout_redirect_uris", set(text())),
        ("grant_types", list(json!({ "enum": GrantType::ALL.map(GrantType::as_str) }))),
        ("scope", text()),
        ("token_endpoint_auth_method", json!({ "enum": methods })),
        ("id_token_signed_response_alg", algorithms()),
        ("require_pkce", yes()),
        ("first_party", yes()),
        ("resources", set(text())),
        ("default_resource", or_null(text())),
        ("apple_bundle_ids", set(text())),
        ("require_native_challenge", yes()),
        ("refresh_token_idle_ttl", life()),
        ("refresh_token_absolute_ttl", life()),
        ("disabled", yes()),
    ])
}

pub(super) fn api_members() -> Members {
    let scope = json!({
        "type": "object",
        "required": ["name", "description"],
        "properties": {
            "name": { "type": "string", "pattern": r"^[\x21\x23-\x5b\x5d-\x7e]+$" },
            "description": words(0, 200),
        },
    });
    let own = of([
        ("name", name()),
        ("scopes", list(scope)),
        ("access_token_ttl", json!({ "type": "integer", "minimum": 30, "maximum": 86_400 })),
        ("signing_alg", algorithms()),
    ]);
    own.into_iter().chain(settings(members::<ApiSettings>())).collect()
}

pub(super) fn client_settings() -> Members {
    let told_only = ["client_id_metadata_fetched_at"];
    let settings = settings(members::<ClientSettings>());
    settings.into_iter().filter(|(name, _)| !told_only.contains(&name.as_str())).collect()
}

/// Every member of the settings, as the code has it; `null` takes one away.
fn settings(names: &'static [&'static str]) -> Members {
    names.iter().map(|name| ((*name).to_owned(), or_null(setting(name)))).collect()
}

fn setting(name: &str) -> Value {
    match name {
        "dpop_bound_access_tokens"
        | "backchannel_logout_session_required"
        | "frontchannel_logout_session_required"
        | "token_exchange_impersonation"
        | "require_signed_request_object"
        | "require_pushed_authorization_requests"
        | "tls_client_certificate_bound_access_tokens"
        | "self_registered_clients" => yes(),
        "allowed_connections"
        | "security_events_requested"
        | "contacts"
        | "introspection_clients"
        | "token_exchange_subject_clients"
        | "token_exchange_audiences" => set(text()),
        "token_endpoint_auth_signing_alg"
        | "request_object_signing_alg"
        | "userinfo_signed_response_alg" => algorithms(),
        "subject_type" => json!({ "enum": SubjectType::ALL.map(SubjectType::as_str) }),
        "access_token_format" => {
            json!({ "enum": AccessTokenFormat::ALL.map(AccessTokenFormat::as_str) })
        }
        "default_max_age" => json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
        "profile" => json!({ "enum": Profile::ALL.map(Profile::as_str) }),
        "jwks" => json!({ "type": "object", "description": "RFC 7517 section 5" }),
        "claims" => list(claim_rule()),
        "branding" => branding(),
        _ if name.ends_with("_uri") || name.starts_with("tls_client_auth_") => text(),
        "security_events_endpoint" | "software_id" | "software_version" | "may_act" => text(),
        // A newer member: its name is told, and what it takes is found in its error message.
        _ => json!({}),
    }
}

fn claim_rule() -> Value {
    let attribute = json!({ "enum": Attribute::ALL.map(Attribute::as_str) });
    json!({
        "type": "object",
        "required": ["claim"],
        "additionalProperties": false,
        "properties": {
            "claim": text(),
            "from": or_null(attribute),
            "value": {},
            "template": or_null(text()),
            "when": { "type": "object" },
            "scope": or_null(text()),
            "to": list(json!({ "enum": Target::ALL })),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_described() {
        for name in members::<ClientSettings>().iter().chain(members::<ApiSettings>()) {
            let told_only = *name == "client_id_metadata_fetched_at";
            assert!(told_only || setting(name) != json!({}), "{name}: say what it takes");
        }
    }
}
