//! What the broker sent, for tests to read: names and flags, never a secret, code or token.

use actix_web::HttpRequest;
use serde::Serialize;
use url::form_urlencoded;

use super::faults::{Endpoint, Fault};
use crate::protocol::ambient::Timestamp;

/// One request to one of Apple's endpoints.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Entry {
    at: Timestamp,
    endpoint: Endpoint,
    method: String,
    client_id: Option<String>,
    grant_type: Option<String>,
    response_type: Option<String>,
    response_mode: Option<String>,
    scope: Option<String>,
    token_type_hint: Option<String>,
    /// The names of all parameters, in order, repeated ones too.
    parameters: Vec<String>,
    has_code_verifier: bool,
    has_code_challenge: bool,
    has_redirect_uri: bool,
    has_nonce: bool,
    has_state: bool,
    has_authorization_header: bool,
    /// Whether a `+` stood in the query; the native sheet of Safari reads it literally.
    has_plus_in_query: bool,
    user_agent: Option<String>,
    fault: Option<Fault>,
    /// None while the request is held.
    pub(super) status: Option<u16>,
}

impl Entry {
    pub(super) fn of(
        endpoint: Endpoint,
        request: &HttpRequest,
        body: &[u8],
        at: Timestamp,
        fault: Option<Fault>,
    ) -> Self {
        let query = request.query_string();
        let sent: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
            .chain(form_urlencoded::parse(body))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let value = |name: &str| {
            sent.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        };
        let has = |name: &str| sent.iter().any(|(known, _)| known == name);
        let header = |name: &str| request.headers().get(name);
        Self {
            at,
            endpoint,
            method: request.method().to_string(),
            client_id: value("client_id"),
            grant_type: value("grant_type"),
            response_type: value("response_type"),
            response_mode: value("response_mode"),
            scope: value("scope"),
            token_type_hint: value("token_type_hint"),
            has_code_verifier: has("code_verifier"),
            has_code_challenge: has("code_challenge"),
            has_redirect_uri: has("redirect_uri"),
            has_nonce: has("nonce"),
            has_state: has("state"),
            has_authorization_header: header("authorization").is_some(),
            has_plus_in_query: query.contains('+'),
            user_agent: header("user-agent").and_then(|it| it.to_str().ok()).map(Into::into),
            parameters: sent.into_iter().map(|(name, _)| name).collect(),
            fault,
            status: None,
        }
    }
}
