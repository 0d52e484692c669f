//! Client registration and its management — RFC 7591 §3, RFC 7592 §2; protected resource metadata —
//! RFC 9728.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::endpoints::authorization;
use super::reply::{no_store, oauth_error};
use super::{App, html};
use crate::op::Failure;
use crate::op::registration::RegistrationMode;
use crate::protocol::error::{ErrorCode, Refusal};
use crate::protocol::id::ClientId;
use crate::protocol::json;

/// Registers a client.
pub async fn register(app: web::Data<App>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    if app.provider.registration_mode() == RegistrationMode::Off {
        return html::not_found(app, request).await;
    }
    if !app.limits.may_register(&request) {
        return no_store(HttpResponse::TooManyRequests())
            .insert_header((header::RETRY_AFTER, "60"))
            .json(json!({
                "error": "temporarily_unavailable",
                "error_description": "too many clients were registered from here; wait a minute",
            }));
    }
    let token = bearer(&request);
    let answer = async { app.provider.register(token, document(&request, &body)?).await };
    match answer.await {
        Ok(registration) => no_store(HttpResponse::Created()).json(registration),
        Err(failure) => refused(failure, token.is_some()),
    }
}

/// Shows a client what is registered.
pub async fn show(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> HttpResponse {
    let token = bearer(&request);
    match app.provider.registration(&ClientId::new(id.into_inner()), token).await {
        Ok(registration) => no_store(HttpResponse::Ok()).json(registration),
        Err(failure) => refused(failure, token.is_some()),
    }
}

/// Replaces what is registered.
pub async fn update(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
    body: web::Bytes,
) -> HttpResponse {
    let token = bearer(&request);
    let id = ClientId::new(id.into_inner());
    let answer =
        async { app.provider.update_registration(&id, token, document(&request, &body)?).await };
    match answer.await {
        Ok(registration) => no_store(HttpResponse::Ok()).json(registration),
        Err(failure) => refused(failure, token.is_some()),
    }
}

/// Removes the client.
pub async fn delete(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> HttpResponse {
    let token = bearer(&request);
    match app.provider.delete_registration(&ClientId::new(id.into_inner()), token).await {
        Ok(()) => no_store(HttpResponse::build(StatusCode::NO_CONTENT)).finish(),
        Err(failure) => refused(failure, token.is_some()),
    }
}

/// What userinfo wants, for clients that ask at the resource first (RFC 9728 §3).
pub async fn protected_resource(app: web::Data<App>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .json(json!({
            "resource": app.provider.own_resource(),
            "resource_name": "Russet userinfo",
            "authorization_servers": [app.provider.issuer()],
            "scopes_supported": crate::protocol::scope::SUPPORTED
                .into_iter()
                .filter(|scope| *scope != "offline_access")
                .collect::<Vec<_>>(),
            "bearer_methods_supported": ["header", "body"],
        }))
}

/// Adds to each challenge where its resource is described (RFC 9728 §5.1).
pub fn name_metadata(app: &App, mut response: HttpResponse) -> HttpResponse {
    let Ok(mut place) = url::Url::parse(&app.provider.own_resource()) else { return response };
    place.set_path(&format!("/.well-known/oauth-protected-resource{}", place.path()));
    let named: Vec<HeaderValue> = response
        .headers()
        .get_all(header::WWW_AUTHENTICATE)
        .filter_map(|challenge| {
            let challenge = challenge.to_str().ok()?;
            HeaderValue::from_str(&format!("{challenge}, resource_metadata=\"{place}\"")).ok()
        })
        .collect();
    response.headers_mut().remove(header::WWW_AUTHENTICATE);
    for challenge in named {
        response.headers_mut().append(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// These tokens are plain bearer tokens, so a refusal of one is RFC 6750's alone.
fn refused(failure: Failure, token_was_sent: bool) -> HttpResponse {
    let about_the_token = matches!(
        &failure,
        Failure::Refused(refusal) if refusal.code == ErrorCode::InvalidToken
    );
    let mut response = oauth_error(failure, false);
    if about_the_token {
        let error = if token_was_sent { ", error=\"invalid_token\"" } else { "" };
        let challenge = format!("Bearer realm=\"russet\"{error}");
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
    }
    response
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    authorization(request.headers())
        .and_then(|header| header.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token)
}

fn document(request: &HttpRequest, body: &web::Bytes) -> Result<Map<String, Value>, Failure> {
    let is_json = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|mime| mime.trim().eq_ignore_ascii_case("application/json"));
    if !is_json {
        return Err(Refusal::invalid_request("the body must be application/json").into());
    }
    json::object(body).map_err(|error| {
        let text = "the body is not a JSON object in which each member stands once";
        Refusal::invalid_client_metadata(text).detail(error.to_string()).into()
    })
}
