//! The authorization endpoint: checks, the page, and the answer to `redirect_uri`.
//!
//! Apple answers a bad request itself, with 400 and JSON, and never sends it to the client.

use std::time::Duration;

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use url::{Url, form_urlencoded};

use super::Simulator;
use super::accounts::known_client;
use super::faults::Endpoint;
use super::pages::{AuthorizePage, FormPostPage, html};
use super::state::{Code, Consent, Grant, Request, ResponseMode, State, TokenKind};
use super::token::{Params, id_token, refuse};

const CODE_LIFETIME: Duration = Duration::from_secs(300);

type Refused = (&'static str, &'static str);

/// What the person chose on the page.
pub(super) struct Choice {
    pub(super) account: String,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) hide_email: Option<bool>,
}

/// What a sign-in gives: the code, the token beside it, and the one-time `user`.
pub(super) struct SignedIn {
    pub(super) code: String,
    pub(super) id_token: String,
    pub(super) first: bool,
}

pub(super) async fn ask(simulator: web::Data<Simulator>, http: HttpRequest) -> HttpResponse {
    let checked = Params::parse(http.query_string().as_bytes())
        .ok_or(("invalid_request", "A parameter is repeated."))
        .and_then(|params| check(&simulator, &params));
    let request = match checked {
        Ok(request) => request,
        Err((error, text)) => return refuse(error, text),
    };
    let mut state = simulator.state();
    if let Some(account) = state.next_account.take() {
        let choice = Choice { account, first_name: None, last_name: None, hide_email: None };
        return conclude(&simulator, &mut state, &request, &choice);
    }
    let id = simulator.token();
    let page = html(&AuthorizePage {
        client_id: &request.client_id,
        request: &id,
        accounts: &state.accounts,
    });
    state.parked.insert(id, request);
    page
}

fn check(simulator: &Simulator, params: &Params) -> Result<Request, Refused> {
    let client_id = params.need("client_id")?;
    let state = simulator.state();
    let services_id = known_client(&state.teams, client_id)
        .and_then(|known| known.services_id)
        .ok_or(("invalid_client", "Unknown Services ID."))?;
    let redirect_uri = params.need("redirect_uri")?;
    if !services_id.return_urls.iter().any(|url| url == redirect_uri)
        || !acceptable(redirect_uri, simulator.insecure)
    {
        return Err(("unauthorized_client", "Invalid redirect URI."));
    }
    let with_id_token = match params.need("response_type")? {
        "code" => false,
        "code id_token" => true,
        _ => return Err(("invalid_request", "Invalid response type.")),
    };
    let (mut name, mut email) = (false, false);
    for scope in params.of("scope").unwrap_or_default().split(' ').filter(|s| !s.is_empty()) {
        match scope {
            "name" => name = true,
            "email" => email = true,
            "openid" => {}
            _ => return Err(("invalid_scope", "Invalid client scope.")),
        }
    }
    let mode = match params.of("response_mode") {
        None if with_id_token => ResponseMode::Fragment,
        None | Some("query") => ResponseMode::Query,
        Some("fragment") => ResponseMode::Fragment,
        Some("form_post") => ResponseMode::FormPost,
        Some(_) => return Err(("invalid_request", "Invalid response mode.")),
    };
    if (name || email) && mode != ResponseMode::FormPost {
        return Err((
            "invalid_request",
            "response_mode must be form_post when name or email scope is requested.",
        ));
    }
    if with_id_token && mode == ResponseMode::Query {
        return Err(("invalid_request", "Invalid response mode."));
    }
    let code_challenge = params.of("code_challenge").map(ToOwned::to_owned);
    match (&code_challenge, params.of("code_challenge_method")) {
        (Some(_), Some("S256")) | (None, None) => {}
        _ => return Err(("invalid_request", "Only S256 is supported.")),
    }
    Ok(Request {
        client_id: client_id.to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        with_id_token,
        mode,
        name,
        email,
        state: params.of("state").map(ToOwned::to_owned),
        nonce: params.of("nonce").map(ToOwned::to_owned),
        code_challenge,
    })
}

/// Apple wants https, a DNS name other than `localhost`, and no fragment.
fn acceptable(redirect_uri: &str, insecure: bool) -> bool {
    let Ok(url) = Url::parse(redirect_uri) else { return false };
    let named = url.domain().is_some_and(|name| name != "localhost");
    url.fragment().is_none() && (insecure || (url.scheme() == "https" && named))
}

pub(super) async fn answer(simulator: web::Data<Simulator>, body: web::Bytes) -> HttpResponse {
    let Some(params) = Params::parse(&body) else {
        return refuse("invalid_request", "A parameter is repeated.");
    };
    let mut state = simulator.state();
    let parked = params.of("request").and_then(|id| state.parked.remove(id));
    let Some(request) = parked else {
        return refuse("invalid_request", "This page was answered already. Start again.");
    };
    if params.of("cancel").is_some() {
        return deliver(&request, vec![("error", "user_cancelled_authorize".to_owned())]);
    }
    let choice = Choice {
        account: params.of("account").unwrap_or_default().to_owned(),
        first_name: params.of("first_name").map(ToOwned::to_owned),
        last_name: params.of("last_name").map(ToOwned::to_owned),
        hide_email: params.of("hide_email").map(|hide| hide == "true"),
    };
    conclude(&simulator, &mut state, &request, &choice)
}

fn conclude(
    simulator: &Simulator,
    state: &mut State,
    request: &Request,
    choice: &Choice,
) -> HttpResponse {
    let Some(signed_in) = sign_in(simulator, state, request, choice, false) else {
        return refuse("invalid_request", "There is no such test person.");
    };
    let mut fields = vec![("code", signed_in.code)];
    if request.with_id_token {
        fields.push(("id_token", signed_in.id_token));
    }
    if signed_in.first && (request.name || request.email) {
        fields.push(("user", user_field(state, request, choice)));
    }
    deliver(request, fields)
}

/// Records consent and mints a code and the ID token beside it; nothing for an unknown account.
pub(super) fn sign_in(
    simulator: &Simulator,
    state: &mut State,
    request: &Request,
    choice: &Choice,
    native: bool,
) -> Option<SignedIn> {
    let account = state.account(&choice.account)?;
    let group = known_client(&state.teams, &request.client_id)?.group.primary_bundle_id.clone();
    let key = (account.id.clone(), group);
    let first = !state.consents.contains_key(&key);
    state.consents.entry(key).or_insert(Consent {
        email: request.email,
        hide_email: choice.hide_email.unwrap_or(account.hide_email),
    });
    let grant = Grant {
        account: account.id,
        client_id: request.client_id.clone(),
        nonce: request.nonce.clone(),
        kind: TokenKind::Refresh,
        family: simulator.token(),
    };
    let code = simulator.token();
    let mut extra = vec![("c_hash", json!(super::token::half_hash(&code)))];
    if native && first {
        extra.push(("real_user_status", json!(2)));
    }
    let given_by = if native { Endpoint::Native } else { Endpoint::Authorize };
    let id_token = id_token(simulator, state, &grant, given_by, extra)?;
    state.codes.insert(
        code.clone(),
        Code {
            grant,
            redirect_uri: (!native).then(|| request.redirect_uri.clone()),
            code_challenge: request.code_challenge.clone(),
            expires_at: simulator.now().plus(CODE_LIFETIME),
            spent: false,
        },
    );
    Some(SignedIn { code, id_token, first })
}

/// The unsigned JSON of the first authorization, with what was asked for.
fn user_field(state: &State, request: &Request, choice: &Choice) -> String {
    let Some(account) = state.account(&choice.account) else { return String::new() };
    let mut user = serde_json::Map::new();
    if request.name {
        user.insert(
            "name".into(),
            json!({
                "firstName": choice.first_name.as_ref().unwrap_or(&account.first_name),
                "lastName": choice.last_name.as_ref().unwrap_or(&account.last_name),
            }),
        );
    }
    if let Some(known) = known_client(&state.teams, &request.client_id)
        && request.email
    {
        let hidden = choice.hide_email.unwrap_or(account.hide_email);
        if let Some(email) = account.address_for(&known.team.team_id, hidden) {
            user.insert("email".into(), json!(email));
        }
    }
    serde_json::Value::Object(user).to_string()
}

fn deliver(request: &Request, mut fields: Vec<(&'static str, String)>) -> HttpResponse {
    if let Some(state) = &request.state {
        fields.push(("state", state.clone()));
    }
    let separator = match request.mode {
        ResponseMode::FormPost => {
            return html(&FormPostPage { redirect_uri: &request.redirect_uri, fields: &fields });
        }
        ResponseMode::Query if request.redirect_uri.contains('?') => '&',
        ResponseMode::Query => '?',
        ResponseMode::Fragment => '#',
    };
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    HttpResponse::SeeOther()
        .insert_header((LOCATION, format!("{}{separator}{query}", request.redirect_uri)))
        .finish()
}
