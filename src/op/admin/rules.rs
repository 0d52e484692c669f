//! What may be registered of clients and APIs — RFC 7591 §2, RFC 8707 §2.
//!
//! Rules over whole values, so that creation and change obey the same ones.

use std::collections::HashSet;

use url::Url;

use super::FieldProblem;
use super::certificate_rules::certificate_problems;
use super::redirect_uri_rules::{DANGEROUS, MAX_URI, redirect_uri_problem};
use crate::protocol::api::Api;
use crate::protocol::branding::Branding;
use crate::protocol::claim_mapping::{ClaimRule, MOST_RULES};
use crate::protocol::client::{
    Client, ClientKind, GrantType, TokenEndpointAuthMethod, is_bundle_id,
};

const MAX_LIST: usize = 100;
const MAX_NAME: usize = 100;

/// Whether `text` is a scope value (RFC 6749 §3.3).
pub fn is_scope_token(text: &str) -> bool {
    (1..=200).contains(&text.len())
        && text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

/// Whether `text` may be a `client_id` that somebody chose.
pub fn is_client_id(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'~'))
}

/// Whether `text` can be a console account's name.
pub fn is_username(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@' | b'+'))
}

/// Why this client may not be registered as it stands.
pub fn client_problems(client: &Client) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    let mut say = |field: &'static str, message: String| {
        problems.push(FieldProblem::new(field, message));
    };
    if !is_client_id(client.client_id.as_str()) {
        say("client_id", "must be 1 to 100 of A-Z, a-z, 0-9, '.', '_', '-' and '~'".to_owned());
    }
    if let Some(message) = name_problem(&client.client_name) {
        say("client_name", message);
    }
    uris(client, &mut say);
    grants(client, &mut say);
    for scope in client.scope.iter().filter(|scope| !is_scope_token(scope)) {
        say("scope", format!("{scope:?} is not a scope value (RFC 6749 section 3.3)"));
    }
    for (field, list) in [
        ("redirect_uris", &client.redirect_uris),
        ("post_logout_redirect_uris", &client.post_logout_redirect_uris),
        ("scope", &client.scope),
        ("resources", &client.resources),
        ("apple_bundle_ids", &client.apple_bundle_ids),
    ] {
        if let Some(message) = list_problem(list) {
            say(field, message);
        }
    }
    if let Some(default) = &client.default_resource
        && !client.resources.contains(default)
    {
        say("default_resource", format!("{default:?} is not one of the client's resources"));
    }
    apple(client, &mut say);
    super::notice_rules::problems(client, &mut say);
    exchange(client, &mut say);
    described(client, &mut say);
    claims(&client.settings.claims, &mut say);
    if client.refresh_token_idle_ttl < 60 {
        say("refresh_token_idle_ttl", "must be at least 60 seconds".to_owned());
    }
    if client.refresh_token_absolute_ttl < client.refresh_token_idle_ttl {
        say("refresh_token_absolute_ttl", "must not be below refresh_token_idle_ttl".to_owned());
    }
    problems.extend(certificate_problems(client));
    problems
}

fn uris(client: &Client, say: &mut impl FnMut(&'static str, String)) {
    for (field, list) in [
        ("redirect_uris", &client.redirect_uris),
        ("post_logout_redirect_uris", &client.post_logout_redirect_uris),
    ] {
        for problem in list.iter().filter_map(|uri| redirect_uri_problem(client.kind, uri)) {
            say(field, problem);
        }
    }
    let needs_one = matches!(client.kind, ClientKind::Web | ClientKind::Spa | ClientKind::Mcp)
        && client.may_use(GrantType::AuthorizationCode);
    if needs_one && client.redirect_uris.is_empty() {
        say("redirect_uris", "give at least one: where people return after sign-in".to_owned());
    }
}

fn grants(client: &Client, say: &mut impl FnMut(&'static str, String)) {
    match (client.kind, client.is_public()) {
        (ClientKind::Spa | ClientKind::Native | ClientKind::Device | ClientKind::Mcp, false) => {
            say(
                "token_endpoint_auth_method",
                format!(
                    "must be {}: what runs on people's own devices keeps no secret",
                    TokenEndpointAuthMethod::None.as_str()
                ),
            );
        }
        (ClientKind::Machine, true) => say(
            "token_endpoint_auth_method",
            "must not be none: a machine client has only its secret to show".to_owned(),
        ),
        (ClientKind::Web, _)
        | (ClientKind::Spa | ClientKind::Native | ClientKind::Device | ClientKind::Mcp, true)
        | (ClientKind::Machine, false) => {}
    }
    if client.is_public() && !client.require_pkce {
        say("require_pkce", "must be true for a client without a secret".to_owned());
    }
    if client.grant_types.is_empty() {
        say("grant_types", "give at least one".to_owned());
    }
    for grant_type in &client.grant_types {
        let fits = match grant_type {
            GrantType::AuthorizationCode => client.kind.has_redirects(),
            GrantType::RefreshToken => {
                client.may_use(GrantType::AuthorizationCode)
                    || (client.may_use(GrantType::TokenExchange) && client.kind.has_redirects())
                    || client.may_use(GrantType::DeviceCode)
            }
            GrantType::ClientCredentials => !client.is_public(),
            GrantType::TokenExchange => {
                matches!(client.kind, ClientKind::Native | ClientKind::Web | ClientKind::Machine)
            }
            GrantType::JwtBearer => !client.is_public(),
            GrantType::DeviceCode => {
                matches!(client.kind, ClientKind::Device | ClientKind::Native | ClientKind::Web)
            }
        };
        if !fits {
            say(
                "grant_types",
                format!("{:?} does not fit a {} client", grant_type.as_str(), client.kind.as_str()),
            );
        }
    }
}

fn apple(client: &Client, say: &mut impl FnMut(&'static str, String)) {
    for id in client.apple_bundle_ids.iter().filter(|id| !is_bundle_id(id)) {
        say("apple_bundle_ids", format!("{id:?} is not a bundle ID such as \"com.example.app\""));
    }
    if !client.apple_bundle_ids.is_empty() && !client.may_use(GrantType::TokenExchange) {
        say(
            "apple_bundle_ids",
            format!("need the grant type {}", GrantType::TokenExchange.as_str()),
        );
    }
}

fn claims(rules: &[ClaimRule], say: &mut impl FnMut(&'static str, String)) {
    if rules.len() > MOST_RULES {
        say("claims", format!("holds more than {MOST_RULES} rules"));
    }
    for problem in rules.iter().filter_map(ClaimRule::problem) {
        say("claims", problem);
    }
}

/// What people and others are shown of a client, and where they may be sent.
fn described(client: &Client, say: &mut impl FnMut(&'static str, String)) {
    let settings = &client.settings;
    for (field, uri) in [
        ("client_uri", &settings.client_uri),
        ("logo_uri", &settings.logo_uri),
        ("tos_uri", &settings.tos_uri),
        ("policy_uri", &settings.policy_uri),
        ("initiate_login_uri", &settings.initiate_login_uri),
    ] {
        let Some(uri) = uri else { continue };
        let web = Url::parse(uri).is_ok_and(|url| url.host().is_some() && url.scheme() == "https");
        if !web || uri.len() > MAX_URI || !uri.bytes().all(|b| b.is_ascii_graphic()) {
            say(field, format!("{uri:?} is not an https URL"));
        }
    }
    for (member, problem) in settings.branding.iter().flat_map(Branding::problems_of_client) {
        say(member, problem);
    }
    let contacts = settings.contacts.iter().flatten();
    let texts = contacts.chain(&settings.software_id).chain(&settings.software_version);
    if texts.into_iter().any(|text| text.len() > 200 || text.contains(char::is_control)) {
        say("contacts", "must be 200 characters at most, without control characters".to_owned());
    }
    if settings.contacts.as_ref().is_some_and(|contacts| contacts.len() > MAX_LIST) {
        say("contacts", format!("holds more than {MAX_LIST} values"));
    }
}

fn exchange(client: &Client, say: &mut impl FnMut(&'static str, String)) {
    let settings = &client.settings;
    for id in settings.token_exchange_subject_clients.iter().chain(&settings.may_act) {
        if !is_client_id(id) {
            say("token_exchange_subject_clients", format!("{id:?} is not a client_id"));
        }
    }
    for audience in &settings.token_exchange_audiences {
        if !client.resources.contains(audience) {
            say(
                "token_exchange_audiences",
                format!("{audience:?} is not one of the client's resources"),
            );
        }
    }
    let set = !settings.token_exchange_subject_clients.is_empty()
        || !settings.token_exchange_audiences.is_empty()
        || settings.token_exchange_impersonation;
    if set && (client.is_public() || !client.may_use(GrantType::TokenExchange)) {
        say(
            "token_exchange_subject_clients",
            format!(
                "exchanging access tokens needs a secret and the grant type {}",
                GrantType::TokenExchange.as_str()
            ),
        );
    }
}

/// Why this API may not be registered as it stands.
pub fn api_problems(api: &Api) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    let mut say = |field: &'static str, message: String| {
        problems.push(FieldProblem::new(field, message));
    };
    if let Some(message) = identifier_problem(&api.identifier) {
        say("identifier", message);
    }
    if let Some(message) = name_problem(&api.name) {
        say("name", message);
    }
    for scope in &api.scopes {
        if !is_scope_token(&scope.name) {
            say("scopes", format!("{:?} is not a scope value (RFC 6749 section 3.3)", scope.name));
        }
        if crate::protocol::scope::SUPPORTED.contains(&scope.name.as_str()) {
            say("scopes", format!("{:?} is an OpenID scope; choose another name", scope.name));
        }
        if scope.description.chars().count() > 200 || scope.description.contains(char::is_control) {
            say(
                "scopes",
                format!(
                    "the description of {:?} must be 200 characters at most, \
                                   without control characters",
                    scope.name
                ),
            );
        }
    }
    claims(&api.settings.claims, &mut say);
    let names: Vec<String> = api.scopes.iter().map(|scope| scope.name.clone()).collect();
    if let Some(message) = list_problem(&names) {
        say("scopes", message);
    }
    if !(30..=86_400).contains(&api.access_token_ttl) {
        say("access_token_ttl", "must be between 30 seconds and 86400 (a day)".to_owned());
    }
    problems
}

/// A resource indicator: an absolute URI without fragment (RFC 8707 §2).
fn identifier_problem(identifier: &str) -> Option<String> {
    let good = identifier.len() <= MAX_URI
        && identifier.bytes().all(|b| b.is_ascii_graphic())
        && !identifier.contains('#')
        && Url::parse(identifier).is_ok_and(|url| !DANGEROUS.contains(&url.scheme()));
    (!good).then(|| {
        "must be an absolute URI without fragment, such as \"https://api.example.com\"".to_owned()
    })
}

pub(super) fn name_problem(name: &str) -> Option<String> {
    if name.trim().is_empty() {
        return Some("must not be empty".to_owned());
    }
    (name.chars().count() > MAX_NAME || name.contains(char::is_control))
        .then(|| format!("must be {MAX_NAME} characters at most, without control characters"))
}

fn list_problem(list: &[String]) -> Option<String> {
    if list.len() > MAX_LIST {
        return Some(format!("holds more than {MAX_LIST} values"));
    }
    let mut seen = HashSet::new();
    list.iter().find(|value| !seen.insert(*value)).map(|value| format!("{value:?} is there twice"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scope_values_keep_to_rfc_6749() {
        assert!(is_scope_token("orders:read") && is_scope_token("https://a.example/x"));
        for bad in ["", "a b", "a\"b", "a\\b", "é", "a\n"] {
            assert!(!is_scope_token(bad), "{bad:?}");
        }
    }
}
