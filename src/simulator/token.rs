//! The token and revocation endpoints, client secrets (ES256), and ID token claims.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, web};
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::Simulator;
use super::accounts::{FlagForm, known_client};
use super::faults::Endpoint;
use super::state::{Grant, State, TokenKind};
use super::transfer::migration_token;

const ID_TOKEN_LIFETIME: i64 = 86_400;
const LONGEST_CLIENT_SECRET: i64 = 15_777_000;

type Refused = (&'static str, &'static str);

/// Form parameters, each at most once.
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// Nothing when a parameter is repeated.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(bytes).into_owned() {
            if pairs.iter().any(|(known, _)| *known == name) {
                return None;
            }
            pairs.push((name, value));
        }
        Some(Self(pairs))
    }

    pub(super) fn of(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn need(&self, name: &str) -> Result<&str, Refused> {
        self.of(name)
            .filter(|value| !value.is_empty())
            .ok_or(("invalid_request", "A parameter is missing."))
    }
}

pub(super) fn refuse(error: &str, description: &str) -> HttpResponse {
    HttpResponse::BadRequest()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(json!({ "error": error, "error_description": description }))
}

pub(super) async fn redeem(
    simulator: web::Data<Simulator>,
    http: actix_web::HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    match exchange(&simulator, &http, &body) {
        Ok(answer) => HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(answer),
        Err((error, text)) => refuse(error, text),
    }
}

fn exchange(
    simulator: &Simulator,
    http: &actix_web::HttpRequest,
    body: &[u8],
) -> Result<Value, Refused> {
    let params = form(http, body)?;
    let mut state = simulator.state();
    if params.of("grant_type") == Some("client_credentials") {
        return migration_token(simulator, &mut state, &params);
    }
    let client_id = authenticated(simulator, &state, &params)?.to_owned();
    match params.need("grant_type")? {
        "authorization_code" => {
            let grant = spend(simulator, &mut state, &params, &client_id)?;
            let refresh_token = simulator.token();
            state.tokens.insert(refresh_token.clone(), grant.clone());
            let mut answer = access(simulator, &mut state, grant)?;
            if let Some(members) = answer.as_object_mut() {
                members.insert("refresh_token".into(), json!(refresh_token));
            }
            Ok(answer)
        }
        "refresh_token" => {
            let token = params.need("refresh_token")?;
            if state.unclear.contains(token) {
                return Err(("invalid_request", "The user has revoked the app."));
            }
            let grant = state
                .tokens
                .get(token)
                .filter(|grant| grant.kind == TokenKind::Refresh && grant.client_id == client_id)
                .cloned()
                .ok_or(("invalid_grant", "The token has expired or has been revoked."))?;
            access(simulator, &mut state, Grant { nonce: None, ..grant })
        }
        _ => Err(("unsupported_grant_type", "Unsupported grant type.")),
    }
}

fn form(http: &actix_web::HttpRequest, body: &[u8]) -> Result<Params, Refused> {
    if actix_web::HttpMessage::content_type(http) != "application/x-www-form-urlencoded" {
        return Err(("invalid_request", "Wrong content type."));
    }
    if http.headers().contains_key("authorization") {
        return Err(("invalid_request", "Only client_secret_post is supported."));
    }
    Params::parse(body).ok_or(("invalid_request", "A parameter is repeated."))
}

fn spend(
    simulator: &Simulator,
    state: &mut State,
    params: &Params,
    client_id: &str,
) -> Result<Grant, Refused> {
    let code = state
        .codes
        .get_mut(params.need("code")?)
        .ok_or(("invalid_grant", "The code has expired or has been revoked."))?;
    if code.spent {
        return Err(("invalid_grant", "The code has already been used."));
    }
    if code.expires_at <= simulator.now() {
        return Err(("invalid_grant", "The code has expired or has been revoked."));
    }
    if code.grant.client_id != client_id {
        return Err(("invalid_grant", "The code was not issued to this client."));
    }
    if code.redirect_uri.as_deref() != params.of("redirect_uri") {
        return Err(("invalid_grant", "The redirect URI does not match."));
    }
    let paired = match (&code.code_challenge, params.of("code_verifier")) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => {
            let digest = digest::digest(&digest::SHA256, verifier.as_bytes());
            *challenge == URL_SAFE_NO_PAD.encode(digest)
        }
        (Some(_), None) | (None, Some(_)) => false,
    };
    if !paired {
        return Err(("invalid_grant", "The code verifier does not match."));
    }
    code.spent = true;
    Ok(code.grant.clone())
}

fn access(simulator: &Simulator, state: &mut State, grant: Grant) -> Result<Value, Refused> {
    let access_token = simulator.token();
    let extra = vec![("at_hash", json!(half_hash(&access_token)))];
    let id_token = id_token(simulator, state, &grant, Endpoint::Token, extra)
        .ok_or(("invalid_grant", "The account is gone."))?;
    state.tokens.insert(access_token.clone(), Grant { kind: TokenKind::Access, ..grant });
    Ok(json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": 3600,
        "id_token": id_token,
    }))
}

/// Answers 200 with an empty body for any token, once the client is authenticated.
pub(super) async fn revoke(
    simulator: web::Data<Simulator>,
    http: actix_web::HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    match forget(&simulator, &http, &body) {
        Ok(()) => HttpResponse::Ok().finish(),
        Err((error, text)) => refuse(error, text),
    }
}

fn forget(
    simulator: &Simulator,
    http: &actix_web::HttpRequest,
    body: &[u8],
) -> Result<(), Refused> {
    let params = form(http, body)?;
    let mut state = simulator.state();
    let client_id = authenticated(simulator, &state, &params)?.to_owned();
    let token = params.need("token")?;
    let hint = match params.of("token_type_hint") {
        None => None,
        Some("access_token") => Some(TokenKind::Access),
        Some("refresh_token") => Some(TokenKind::Refresh),
        Some(_) => return Err(("invalid_request", "Unknown token type.")),
    };
    let held = state.tokens.get(token).filter(|grant| grant.client_id == client_id);
    let Some((kind, family)) = held.map(|grant| (grant.kind, grant.family.clone())) else {
        return Ok(());
    };
    if hint.is_some_and(|hint| hint != kind) {
        return Err(("invalid_request", "The token is of another type."));
    }
    state.tokens.retain(|_, grant| grant.family != family);
    Ok(())
}

/// Checks the client secret in full and returns the `client_id` it speaks for.
fn authenticated<'a>(
    simulator: &Simulator,
    state: &State,
    params: &'a Params,
) -> Result<&'a str, Refused> {
    let client_id = params.need("client_id")?;
    let secret = params.need("client_secret")?;
    let owner = known_client(&state.teams, client_id).map(|known| known.team.team_id.as_str());
    let valid = |owner: &str| secret_is_valid(simulator, state, owner, client_id, secret).is_some();
    if owner.is_some_and(valid) {
        Ok(client_id)
    } else {
        Err(("invalid_client", "The client secret is not valid."))
    }
}

pub(super) fn secret_is_valid(
    simulator: &Simulator,
    state: &State,
    team_id: &str,
    client_id: &str,
    secret: &str,
) -> Option<()> {
    let team = state.teams.iter().find(|team| team.team_id == team_id)?;
    let (message, signature) = secret.rsplit_once('.')?;
    let (header, claims) = message.split_once('.')?;
    let (header, claims) = (segment(header)?, segment(claims)?);
    let kid = header.get("kid")?.as_str()?;
    let (_, key) = team.keys.iter().find(|(key_id, _)| key_id == kid)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let now = simulator.now().secs();
    let (iat, exp) = (claims.get("iat")?.as_i64()?, claims.get("exp")?.as_i64()?);
    let says = |name: &str, value: &str| claims.get(name).and_then(Value::as_str) == Some(value);
    let valid = header.get("alg")?.as_str()? == "ES256"
        && key.verifies(message.as_bytes(), &signature)
        && says("iss", &team.team_id)
        && says("sub", client_id)
        && says("aud", &simulator.issuer)
        && iat <= now + 60
        && exp > now
        && exp <= now + LONGEST_CLIENT_SECRET;
    valid.then_some(())
}

fn segment(text: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// The left half of a SHA-256, as `c_hash` and `at_hash` carry it (OIDC Core §3.3.2.11).
pub(super) fn half_hash(value: &str) -> String {
    let digest = digest::digest(&digest::SHA256, value.as_bytes());
    let half: Vec<u8> = digest.as_ref().iter().copied().take(16).collect();
    URL_SAFE_NO_PAD.encode(half)
}

/// An ID token for a grant; nothing when the account or client is gone.
pub(super) fn id_token(
    simulator: &Simulator,
    state: &mut State,
    grant: &Grant,
    given_by: Endpoint,
    extra: Vec<(&'static str, Value)>,
) -> Option<String> {
    let account = state.account(&grant.account)?;
    let known = known_client(&state.teams, &grant.client_id)?;
    let consent =
        state.consents.get(&(account.id.clone(), known.group.primary_bundle_id.clone()))?;
    let now = simulator.now().secs();
    let mut claims = json!({
        "iss": simulator.issuer,
        "aud": grant.client_id,
        "sub": account.sub(&known.team.team_id),
        "iat": now,
        "exp": now + ID_TOKEN_LIFETIME,
        "auth_time": now,
        "nonce_supported": true,
    });
    let members = claims.as_object_mut()?;
    if let Some(nonce) = &grant.nonce {
        members.insert("nonce".into(), json!(nonce));
    }
    if let Some(org_id) = &account.org_id {
        members.insert("org_id".into(), json!(org_id));
    }
    if let Some(transfer_sub) =
        state.transfer_claim(&account, &grant.client_id, simulator.clock.now())
    {
        members.insert("transfer_sub".into(), json!(transfer_sub));
    }
    let address = account.address_for(&known.team.team_id, consent.hide_email);
    if let Some(email) = address.filter(|_| consent.email) {
        members.insert("email".into(), json!(email));
        let text = |flag: bool| json!(flag.to_string());
        let flags = match account.flags {
            FlagForm::String => Some((text(account.email_verified), text(consent.hide_email))),
            FlagForm::Bool => Some((json!(account.email_verified), json!(consent.hide_email))),
            FlagForm::Mixed => Some((text(account.email_verified), json!(consent.hide_email))),
            FlagForm::Absent => None,
        };
        if let Some((verified, private)) = flags {
            members.insert("email_verified".into(), verified);
            members.insert("is_private_email".into(), private);
        }
    }
    members.extend(extra.into_iter().map(|(name, value)| (name.to_owned(), value)));
    state.sign_for(given_by, claims, now)
}
