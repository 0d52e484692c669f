//! A client between its form and its record: what was typed, what is shown, what changes.

use super::form::{Form, lines};
use crate::op::admin::ClientChange;
use crate::protocol::api::Api;
use crate::protocol::client::{Client, ClientKind, GrantType, TokenEndpointAuthMethod};
use crate::protocol::digits;
use crate::protocol::jose::Algorithm;
use crate::protocol::scope;
use crate::web::page::admin::clients::ClientForm;
use crate::web::page::admin::{Choice, Problems};

/// The entries of a form, as texts.
pub(super) struct Entries {
    pub(super) client_id: String,
    pub(super) client_name: String,
    pub(super) redirect_uris: String,
    pub(super) post_logout_redirect_uris: String,
    pub(super) apple_bundle_ids: String,
    pub(super) require_native_challenge: bool,
    pub(super) resources: Vec<String>,
    pub(super) default_resource: String,
    pub(super) first_party: bool,
    pub(super) scope: Vec<String>,
    pub(super) grant_types: Vec<String>,
    pub(super) token_endpoint_auth_method: String,
    pub(super) id_token_signed_response_alg: String,
    pub(super) require_pkce: bool,
    pub(super) refresh_token_idle_ttl: String,
    pub(super) refresh_token_absolute_ttl: String,
    pub(super) version: String,
}

impl Entries {
    /// A client as it stands.
    pub(super) fn of(client: &Client) -> Self {
        Self {
            client_id: client.client_id.to_string(),
            client_name: client.client_name.clone(),
            redirect_uris: client.redirect_uris.join("\n"),
            post_logout_redirect_uris: client.post_logout_redirect_uris.join("\n"),
            apple_bundle_ids: client.apple_bundle_ids.join("\n"),
            require_native_challenge: client.require_native_challenge,
            resources: client.resources.clone(),
            default_resource: client.default_resource.clone().unwrap_or_default(),
            first_party: client.first_party,
            scope: client.scope.clone(),
            grant_types: client.grant_types.iter().map(|each| each.as_str().to_owned()).collect(),
            token_endpoint_auth_method: client.token_endpoint_auth_method.as_str().to_owned(),
            id_token_signed_response_alg: client.id_token_signed_response_alg.as_str().to_owned(),
            require_pkce: client.require_pkce,
            refresh_token_idle_ttl: client.refresh_token_idle_ttl.to_string(),
            refresh_token_absolute_ttl: client.refresh_token_absolute_ttl.to_string(),
            version: client.version.to_string(),
        }
    }

    /// What was typed.
    pub(super) fn typed(form: &Form, client_id: String) -> Self {
        Self {
            client_id,
            client_name: form.text("client_name"),
            redirect_uris: form.exact("redirect_uris"),
            post_logout_redirect_uris: form.exact("post_logout_redirect_uris"),
            apple_bundle_ids: form.exact("apple_bundle_ids"),
            require_native_challenge: form.ticked("require_native_challenge"),
            resources: form.all("resources"),
            default_resource: form.text("default_resource"),
            first_party: form.ticked("first_party"),
            scope: form.all("scope"),
            grant_types: form.all("grant_types"),
            token_endpoint_auth_method: form.text("token_endpoint_auth_method"),
            id_token_signed_response_alg: form.text("id_token_signed_response_alg"),
            require_pkce: form.ticked("require_pkce"),
            refresh_token_idle_ttl: form.text("refresh_token_idle_ttl"),
            refresh_token_absolute_ttl: form.text("refresh_token_absolute_ttl"),
            version: form.text("version"),
        }
    }

    /// The form that shows them, among all that could be chosen.
    pub(super) fn shown(&self, apis: &[Api]) -> ClientForm {
        let none = Choice::of("", "None: the issuer itself", &self.default_resource);
        let defaults =
            apis.iter().map(|api| Choice::of(&api.identifier, &api.name, &self.default_resource));
        let resource = |api: &Api| Choice {
            value: api.identifier.clone(),
            label: api.name.clone(),
            hint: api.identifier.clone(),
            chosen: self.resources.contains(&api.identifier),
        };
        ClientForm {
            client_id: self.client_id.clone(),
            client_name: self.client_name.clone(),
            redirect_uris: self.redirect_uris.clone(),
            post_logout_redirect_uris: self.post_logout_redirect_uris.clone(),
            apple_bundle_ids: self.apple_bundle_ids.clone(),
            require_native_challenge: self.require_native_challenge,
            resources: apis.iter().map(resource).collect(),
            default_resource: std::iter::once(none).chain(defaults).collect(),
            first_party: self.first_party,
            scope: self.scopes(),
            grant_types: GrantType::ALL
                .map(|each| ticked(each.as_str(), grant_words(each), &self.grant_types))
                .into(),
            token_endpoint_auth_method: TokenEndpointAuthMethod::ALL
                .map(|each| {
                    Choice::of(each.as_str(), each.as_str(), &self.token_endpoint_auth_method)
                })
                .into(),
            id_token_signed_response_alg: algorithms(&self.id_token_signed_response_alg),
            require_pkce: self.require_pkce,
            refresh_token_idle_ttl: self.refresh_token_idle_ttl.clone(),
            refresh_token_absolute_ttl: self.refresh_token_absolute_ttl.clone(),
            version: self.version.clone(),
        }
    }

    /// The scopes there are, and any other that the client has.
    fn scopes(&self) -> Vec<Choice> {
        let others = self.scope.iter().map(String::as_str);
        let others = others.filter(|value| !scope::SUPPORTED.contains(value));
        let all = scope::SUPPORTED.into_iter().chain(others);
        all.map(|value| ticked(value, scope_words(value), &self.scope)).collect()
    }

    /// The change that makes a client be as typed. A kind's form does not offer every field; what
    /// it does not offer is left.
    ///
    /// # Errors
    /// What cannot be read at all. The rules proper are `op::admin`'s.
    pub(super) fn change(&self, kind: ClientKind) -> Result<ClientChange, Problems> {
        let mut problems = Problems::default();
        let mut seconds = |field: &str, text: &str| {
            let number = digits::number::<u32>(text);
            if number.is_none() {
                problems.push(field, "must be a whole number of seconds");
            }
            number
        };
        let idle = seconds("refresh_token_idle_ttl", &self.refresh_token_idle_ttl);
        let absolute = seconds("refresh_token_absolute_ttl", &self.refresh_token_absolute_ttl);
        let auth_method = TokenEndpointAuthMethod::ALL
            .into_iter()
            .find(|each| each.as_str() == self.token_endpoint_auth_method);
        if auth_method.is_none() {
            problems.push("token_endpoint_auth_method", "must be one of those offered");
        }
        let alg = Algorithm::parse(&self.id_token_signed_response_alg);
        if alg.is_none() {
            problems.push("id_token_signed_response_alg", "must be one of those offered");
        }
        let grant_types: Option<Vec<_>> =
            self.grant_types.iter().map(|name| GrantType::parse(name)).collect();
        if grant_types.is_none() {
            problems.push("grant_types", "must be of those offered");
        }
        let version = self.version.parse().ok();
        if version.is_none() {
            problems.push("version", "is missing; load the page again");
        }
        if problems.any() {
            return Err(problems);
        }
        let people = kind != ClientKind::Machine;
        let apple = matches!(kind, ClientKind::Native | ClientKind::Web);
        Ok(ClientChange {
            version,
            client_name: Some(self.client_name.clone()),
            redirect_uris: kind.has_redirects().then(|| lines(&self.redirect_uris)),
            post_logout_redirect_uris: kind
                .has_redirects()
                .then(|| lines(&self.post_logout_redirect_uris)),
            grant_types,
            scope: people.then(|| self.scope.clone()),
            token_endpoint_auth_method: auth_method,
            id_token_signed_response_alg: alg,
            require_pkce: Some(self.require_pkce),
            first_party: people.then_some(self.first_party),
            resources: Some(self.resources.clone()),
            default_resource: Some(
                Some(self.default_resource.clone()).filter(|identifier| !identifier.is_empty()),
            ),
            apple_bundle_ids: apple.then(|| lines(&self.apple_bundle_ids)),
            require_native_challenge: apple.then_some(self.require_native_challenge),
            refresh_token_idle_ttl: idle,
            refresh_token_absolute_ttl: absolute,
            settings: serde_json::Map::new(),
            disabled: None,
        })
    }

    /// What a new client of this kind starts with besides the defaults of its kind.
    pub(super) fn first_change(&self, kind: ClientKind) -> ClientChange {
        let people = kind != ClientKind::Machine;
        // One API and no choice: its tokens are what the client is for.
        let default_resource = match self.resources.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        };
        ClientChange {
            redirect_uris: kind.has_redirects().then(|| lines(&self.redirect_uris)),
            first_party: people.then_some(self.first_party),
            resources: Some(self.resources.clone()),
            default_resource: Some(default_resource),
            apple_bundle_ids: (kind == ClientKind::Native).then(|| lines(&self.apple_bundle_ids)),
            ..ClientChange::default()
        }
    }
}

/// The algorithms, one of them chosen.
pub(super) fn algorithms(chosen: &str) -> Vec<Choice> {
    Algorithm::ALL.map(|each| Choice::of(each.as_str(), each.as_str(), chosen)).into()
}

fn ticked(value: &str, hint: &str, chosen: &[String]) -> Choice {
    Choice {
        value: value.to_owned(),
        label: value.to_owned(),
        hint: hint.to_owned(),
        chosen: chosen.iter().any(|each| each == value),
    }
}

fn grant_words(grant_type: GrantType) -> &'static str {
    match grant_type {
        GrantType::AuthorizationCode => "Signs people in through the browser.",
        GrantType::RefreshToken => "Stays signed in without asking again.",
        GrantType::ClientCredentials => "Acts for itself, with nobody signed in.",
        GrantType::TokenExchange => {
            "Signs people in natively with Apple, or exchanges access tokens for others."
        }
        GrantType::JwtBearer => "A workload shows what an issuer that you trust says of it.",
        GrantType::DeviceCode => "Shows a code that people confirm in a browser elsewhere.",
    }
}

pub(super) fn scope_words(value: &str) -> &'static str {
    match value {
        "openid" => "Who somebody is: an ID token.",
        "profile" => "Their name.",
        "email" => "Their email address.",
        "address" => "Their postal address.",
        "phone" => "Their telephone number.",
        "offline_access" => "A refresh token.",
        "account:delete" => "To delete their account from the app.",
        _ => "",
    }
}

/// The kind, in words that can stand in a sentence.
pub(super) const fn kind_name(kind: ClientKind) -> &'static str {
    match kind {
        ClientKind::Web => "web app",
        ClientKind::Spa => "single-page app",
        ClientKind::Native => "native app",
        ClientKind::Machine => "service",
        ClientKind::Device => "device",
        ClientKind::Mcp => "client of MCP servers",
    }
}

/// The kind, in words that stand alone.
pub(super) const fn kind_title(kind: ClientKind) -> &'static str {
    match kind {
        ClientKind::Web => "Web app",
        ClientKind::Spa => "Single-page app",
        ClientKind::Native => "Native app",
        ClientKind::Machine => "Service",
        ClientKind::Device => "Device",
        ClientKind::Mcp => "MCP client",
    }
}

/// What may be a redirect URI of this kind.
pub(super) const fn redirect_hint(kind: ClientKind) -> &'static str {
    match kind {
        ClientKind::Web | ClientKind::Spa => {
            "Where people return after signing in, compared exactly. One on each line; https, or \
             http on 127.0.0.1, [::1] and localhost."
        }
        ClientKind::Native => {
            "One on each line: https, a scheme such as com.example.app:/callback, or http on \
             127.0.0.1, [::1] and localhost with any port. May stay empty for native Sign in \
             with Apple alone."
        }
        ClientKind::Mcp => {
            "Where the program listens for the answer, one on each line: http on 127.0.0.1 or \
             [::1] with any port, such as http://127.0.0.1/callback, a scheme of its own, or https."
        }
        ClientKind::Machine | ClientKind::Device => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ambient::Timestamp;
    use crate::protocol::id::ClientId;

    fn client(kind: ClientKind) -> Client {
        Client::of_kind(ClientId::new("c1"), kind, Timestamp::default())
    }

    #[test]
    fn what_a_form_shows_of_a_client_is_what_it_would_save() {
        for kind in ClientKind::ALL {
            let client = client(kind);
            let change = Entries::of(&client).change(kind).ok().unwrap();
            assert_eq!(change.version, Some(1));
            assert_eq!(change.client_name.as_ref(), Some(&client.client_name));
            assert_eq!(change.grant_types.as_ref(), Some(&client.grant_types));
            assert_eq!(change.require_pkce, Some(client.require_pkce));
            assert_eq!(change.default_resource, Some(None));
            assert_eq!(change.refresh_token_idle_ttl, Some(client.refresh_token_idle_ttl));
            assert!(change.disabled.is_none());
            assert_eq!(change.redirect_uris.is_some(), kind.has_redirects());
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_field() {
        let mut entries = Entries::of(&client(ClientKind::Web));
        entries.refresh_token_idle_ttl = "a month".to_owned();
        entries.grant_types = vec!["password".to_owned()];
        entries.version = String::new();
        let problems = entries.change(ClientKind::Web).err().unwrap();
        for field in ["refresh_token_idle_ttl", "grant_types", "version"] {
            assert!(problems.has(field), "{field}");
        }
        assert!(!problems.has("refresh_token_absolute_ttl"));
    }

    #[test]
    fn a_scope_of_the_clients_own_is_still_offered() {
        let mut entries = Entries::of(&client(ClientKind::Web));
        entries.scope.push("legacy".to_owned());
        let shown = entries.shown(&[]);
        assert!(shown.scope.iter().any(|choice| choice.value == "legacy" && choice.chosen));
    }
}
