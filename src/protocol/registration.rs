//! Client metadata from outside: what is read of it, and what kind of client it makes — RFC 7591
//! §2, OIDC Dynamic Registration §2, Client ID Metadata Documents.
//!
//! Members are taken by name from a list; whatever else is sent has no effect (RFC 7591 §2), so
//! nobody makes a client of their own first-party or gives it an API.

use serde_json::{Map, Value};
use url::Url;

use crate::client::{Client, ClientKind, GrantType, TokenEndpointAuthMethod};
use crate::client_settings;
use crate::error::Refusal;
use crate::jose::Algorithm;
use crate::scope;

/// Members that stand in a client's settings under the same name.
pub const SETTINGS: &[&str] = &[
    "client_uri",
    "logo_uri",
    "tos_uri",
    "policy_uri",
    "contacts",
    "software_id",
    "software_version",
    "initiate_login_uri",
    "jwks",
    "jwks_uri",
    "token_endpoint_auth_signing_alg",
    "request_object_signing_alg",
    "require_pushed_authorization_requests",
    "require_signed_request_object",
    "userinfo_signed_response_alg",
    "subject_type",
    "sector_identifier_uri",
    "default_max_age",
    "backchannel_logout_uri",
    "backchannel_logout_session_required",
    "frontchannel_logout_uri",
    "frontchannel_logout_session_required",
    "dpop_bound_access_tokens",
    "tls_client_certificate_bound_access_tokens",
    "tls_client_auth_subject_dn",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_uri",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_email",
];

/// Members that every client has and that are told to it.
pub const COMMON: &[&str] = &[
    "client_id",
    "client_id_issued_at",
    "client_name",
    "application_type",
    "redirect_uris",
    "post_logout_redirect_uris",
    "grant_types",
    "response_types",
    "scope",
    "token_endpoint_auth_method",
    "id_token_signed_response_alg",
];

/// Longest `client_id` that is the address of a metadata document.
const MAX_DOCUMENT_URL: usize = 500;

fn bad(member: &str, why: &str) -> Refusal {
    Refusal::invalid_client_metadata(format!("{member} {why}"))
}

fn text<'m>(metadata: &'m Map<String, Value>, member: &str) -> Result<Option<&'m str>, Refusal> {
    match metadata.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(bad(member, "must be a string")),
    }
}

fn list(metadata: &Map<String, Value>, member: &str) -> Result<Option<Vec<String>>, Refusal> {
    match metadata.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map(ToOwned::to_owned))
            .collect::<Option<Vec<_>>>()
            .map(Some)
            .ok_or_else(|| bad(member, "must be a list of strings")),
        Some(_) => Err(bad(member, "must be a list of strings")),
    }
}

/// The kind of client that metadata describes. Browsers and apps keep no secret; of those that do
/// not say which they are, one with https or loopback addresses may run in a browser.
///
/// # Errors
/// `invalid_client_metadata` for words that are not registered or not spoken here.
pub fn kind(metadata: &Map<String, Value>) -> Result<ClientKind, Refusal> {
    let grant_types = grant_types(metadata)?;
    if !grant_types.contains(&GrantType::AuthorizationCode) {
        return Ok(if grant_types.contains(&GrantType::DeviceCode) {
            ClientKind::Device
        } else {
            ClientKind::Machine
        });
    }
    let native = match text(metadata, "application_type")? {
        None | Some("web") => false,
        Some("native") => true,
        Some(_) => return Err(bad("application_type", "must be web or native")),
    };
    if auth_method(metadata)? != TokenEndpointAuthMethod::None {
        return Ok(ClientKind::Web);
    }
    let own_scheme = |uri: &String| !uri.starts_with("https:") && !uri.starts_with("http:");
    let uris = list(metadata, "redirect_uris")?.unwrap_or_default();
    Ok(if native || uris.iter().any(own_scheme) { ClientKind::Native } else { ClientKind::Spa })
}

fn auth_method(metadata: &Map<String, Value>) -> Result<TokenEndpointAuthMethod, Refusal> {
    let member = "token_endpoint_auth_method";
    match text(metadata, member)? {
        None => Ok(TokenEndpointAuthMethod::ClientSecretBasic),
        Some(name) => TokenEndpointAuthMethod::ALL
            .into_iter()
            .find(|method| method.as_str() == name)
            .ok_or_else(|| bad(member, "is not supported")),
    }
}

fn grant_types(metadata: &Map<String, Value>) -> Result<Vec<GrantType>, Refusal> {
    match list(metadata, "grant_types")? {
        None => Ok(vec![GrantType::AuthorizationCode]),
        Some(names) => names
            .iter()
            .map(|name| {
                GrantType::parse(name)
                    .ok_or_else(|| bad("grant_types", &format!("'{name}' is not supported")))
            })
            .collect(),
    }
}

/// Puts what metadata says into a client; what it leaves out gets its default (RFC 7592 §2.2: an
/// update replaces). The rules of registration are checked by the caller.
///
/// # Errors
/// `invalid_client_metadata` for members of another type and for words not spoken here.
pub fn apply(client: &mut Client, metadata: &Map<String, Value>) -> Result<(), Refusal> {
    client.grant_types = grant_types(metadata)?;
    let codes = client.may_use(GrantType::AuthorizationCode);
    match list(metadata, "response_types")? {
        None => {}
        Some(types) if codes && types == ["code"] => {}
        Some(types) if !codes && types.is_empty() => {}
        Some(_) => return Err(bad("response_types", "must be code with authorization_code")),
    }
    client.token_endpoint_auth_method = auth_method(metadata)?;
    client.client_name = match text(metadata, "client_name")? {
        Some(name) if !name.trim().is_empty() => name.to_owned(),
        Some(_) | None => "An app without a name".to_owned(),
    };
    client.redirect_uris = list(metadata, "redirect_uris")?.unwrap_or_default();
    client.post_logout_redirect_uris =
        list(metadata, "post_logout_redirect_uris")?.unwrap_or_default();
    // Scopes of the APIs come with the APIs; of the others those that mean something here.
    let person = client.kind != ClientKind::Machine;
    client.scope = match text(metadata, "scope")? {
        Some(wanted) => {
            let known = |value: &String| scope::SUPPORTED.contains(&value.as_str());
            scope::parse(wanted)
                .map_err(|_| bad("scope", "holds a character that is not allowed"))?
                .into_iter()
                .filter(|value| person && known(value))
                .collect()
        }
        None if person => scope::SUPPORTED.iter().map(ToString::to_string).collect(),
        None => Vec::new(),
    };
    client.id_token_signed_response_alg = match text(metadata, "id_token_signed_response_alg")? {
        None => Algorithm::Rs256,
        Some(name) => Algorithm::parse(name)
            .ok_or_else(|| bad("id_token_signed_response_alg", "is not supported"))?,
    };
    // A confidential client of plain OpenID Connect need not know PKCE (conformance C.4.26).
    client.require_pkce = client.is_public();
    let patch: Map<String, Value> = SETTINGS
        .iter()
        .map(|name| {
            let value = metadata.get(*name).cloned().unwrap_or(Value::Null);
            ((*name).to_owned(), value)
        })
        .collect();
    client.settings = client_settings::merge(&client.settings, &patch)
        .map_err(|error| bad("the metadata", &format!("cannot be read: {error}")))?;
    Ok(())
}

/// Whether a `client_id` is the address of a metadata document: https with a path, and nothing
/// that would give one document two names. Plain http is for loopback alone.
pub fn document_url(client_id: &str) -> Option<Url> {
    if client_id.len() > MAX_DOCUMENT_URL || client_id.contains(['#', '\\']) {
        return None;
    }
    let url = Url::parse(client_id).ok()?;
    let secure = match url.scheme() {
        "https" => true,
        "http" => match url.host()? {
            url::Host::Ipv4(address) => address.is_loopback(),
            url::Host::Ipv6(address) => address.is_loopback(),
            url::Host::Domain(name) => name == "localhost",
        },
        _ => false,
    };
    // The parser resolves dot segments, default ports and case: a text it changes has two names.
    let good = secure
        && url.as_str() == client_id
        && url.path().len() > 1
        && url.username().is_empty()
        && url.password().is_none();
    good.then_some(url)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::ambient::Timestamp;
    use crate::id::ClientId;

    fn metadata(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn made(value: &Value) -> Result<Client, Refusal> {
        let metadata = metadata(value);
        let mut client =
            Client::of_kind(ClientId::new("c"), kind(&metadata)?, Timestamp::default());
        apply(&mut client, &metadata)?;
        Ok(client)
    }

    #[test]
    fn defaults_are_those_of_rfc_7591() {
        let client = made(&json!({ "redirect_uris": ["https://a.example/cb"] })).unwrap();
        assert_eq!(client.kind, ClientKind::Web);
        assert_eq!(client.token_endpoint_auth_method, TokenEndpointAuthMethod::ClientSecretBasic);
        assert_eq!(client.grant_types, [GrantType::AuthorizationCode]);
        assert!(!client.first_party && !client.require_pkce);
    }

    #[test]
    fn the_kind_follows_from_what_the_client_can_keep() {
        for (value, expected) in [
            (json!({ "token_endpoint_auth_method": "none" }), ClientKind::Spa),
            (
                json!({ "token_endpoint_auth_method": "none", "application_type": "native" }),
                ClientKind::Native,
            ),
            (
                json!({
                    "token_endpoint_auth_method": "none", "redirect_uris": ["com.example.a:/cb"],
                }),
                ClientKind::Native,
            ),
            (json!({ "grant_types": ["client_credentials"] }), ClientKind::Machine),
            (
                json!({ "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"] }),
                ClientKind::Device,
            ),
            (json!({}), ClientKind::Web),
        ] {
            assert_eq!(kind(&metadata(&value)).unwrap(), expected, "{value}");
        }
    }

    #[test]
    fn what_is_not_in_the_list_has_no_effect() {
        let client = made(&json!({
            "redirect_uris": ["https://a.example/cb"], "first_party": true, "kind": "machine",
            "resources": ["https://api.example"], "client_id": "chosen", "require_pkce": false,
            "token_exchange_impersonation": true, "refresh_token_idle_ttl": 1,
            "may_act": "x", "scope": "openid admin offline_access",
        }))
        .unwrap();
        assert!(!client.first_party && client.resources.is_empty());
        assert_eq!(client.client_id.as_str(), "c");
        assert!(!client.settings.token_exchange_impersonation);
        assert_eq!(client.settings.may_act, None);
        assert_eq!(client.scope, ["openid", "offline_access"]);
        assert_eq!(client.refresh_token_idle_ttl, crate::client::REFRESH_TOKEN_IDLE_TTL);
    }

    #[test]
    fn each_ill_typed_or_unknown_word_is_refused() {
        for value in [
            json!({ "redirect_uris": "https://a.example" }),
            json!({ "redirect_uris": [1] }),
            json!({ "grant_types": ["implicit"] }),
            json!({ "response_types": ["token"] }),
            json!({ "response_types": ["code", "id_token"] }),
            json!({ "token_endpoint_auth_method": "magic" }),
            json!({ "application_type": "desktop" }),
            json!({ "id_token_signed_response_alg": "none" }),
            json!({ "scope": "a\"b" }),
            json!({ "client_name": {} }),
            json!({ "contacts": "a@example.com" }),
        ] {
            let refusal = made(&value).unwrap_err();
            assert_eq!(refusal.code.as_str(), "invalid_client_metadata", "{value}");
        }
    }

    #[test]
    fn a_document_has_one_address() {
        for good in ["https://app.example/client.json", "http://127.0.0.1:9/c", "https://a.b/c?d=e"]
        {
            assert!(document_url(good).is_some(), "{good}");
        }
        for bad in [
            "https://app.example",
            "https://app.example/",
            "http://app.example/c",
            "https://app.example/a/../c",
            "https://app.example/./c",
            "https://APP.example/c",
            "https://app.example:443/c",
            "https://user@app.example/c",
            "https://app.example/c#x",
            "https://app.example\\c",
            "ftp://app.example/c",
            "app",
            "",
        ] {
            assert!(document_url(bad).is_none(), "{bad}");
        }
        assert!(document_url(&format!("https://a.example/{}", "c".repeat(600))).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn an_address_of_a_document_is_its_own_normal_form(text in "(https?://)?[a-zA-Z0-9.:/@#?%\\\\-]{0,40}") {
            if let Some(url) = document_url(&text) {
                prop_assert_eq!(url.as_str(), text.as_str());
                prop_assert!(url.fragment().is_none() && url.username().is_empty());
            }
        }
    }
}
