//! Pages, and the documents anyone may read: discovery and the JWKS.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use askama::Template;
use serde_json::json;

use super::Simulator;
use super::accounts::Account;
use super::faults::{Endpoint, Fault};

/// Chooses a test person, or cancels.
#[derive(Template)]
#[template(path = "simulator/authorize.html")]
pub(super) struct AuthorizePage<'a> {
    pub(super) client_id: &'a str,
    pub(super) request: &'a str,
    pub(super) accounts: &'a [Account],
}

/// Posts the answer to `redirect_uri` (OAuth 2.0 Form Post Response Mode).
#[derive(Template)]
#[template(path = "simulator/form_post.html")]
pub(super) struct FormPostPage<'a> {
    pub(super) redirect_uri: &'a str,
    pub(super) fields: &'a [(&'static str, String)],
}

#[derive(Template)]
#[template(path = "simulator/home.html")]
struct HomePage<'a> {
    issuer: &'a str,
    people: Vec<super::people::Shown>,
}

pub(super) fn html(page: &impl Template) -> HttpResponse {
    match page.render() {
        Ok(body) => HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((
                "Content-Security-Policy",
                "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; \
                 frame-ancestors 'none'",
            ))
            .body(body),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

pub(super) async fn home(simulator: web::Data<Simulator>) -> HttpResponse {
    let state = simulator.state();
    html(&HomePage { issuer: &simulator.issuer, people: super::people::shown(&state) })
}

pub(super) async fn discovery(simulator: web::Data<Simulator>) -> HttpResponse {
    let fault = simulator.state().take_fault(Endpoint::Discovery, |fault| !fault.is_of_transport());
    let moved = "https://account.apple.com";
    let (issuer, base) = if fault == Some(Fault::IssuerMoved) {
        (moved, moved)
    } else {
        (simulator.issuer.as_str(), simulator.base.as_str())
    };
    HttpResponse::Ok().json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{base}/auth/authorize"),
        "token_endpoint": format!("{base}/auth/token"),
        "revocation_endpoint": format!("{base}/auth/revoke"),
        "jwks_uri": format!("{base}/auth/keys"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "name"],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "claims_supported": ["aud", "email", "email_verified", "exp", "iat", "is_private_email",
            "iss", "nonce", "nonce_supported", "real_user_status", "sub", "transfer_sub"],
    }))
}

pub(super) async fn jwks(simulator: web::Data<Simulator>) -> HttpResponse {
    let keys = {
        let mut state = simulator.state();
        match state.take_fault(Endpoint::Keys, |fault| !fault.is_of_transport()) {
            Some(Fault::EmptyKeys) => json!({ "keys": [] }),
            Some(Fault::MissingKey) => state.keys.jwks_without_first(),
            Some(Fault::UnknownKid) => state.keys.renamed_jwks(),
            _ => state.keys.jwks(),
        }
    };
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(keys)
}

pub(super) async fn script() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/javascript; charset=utf-8"))
        .body(include_str!("../../static/simulator/submit.js"))
}

pub(super) async fn stylesheet() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/css; charset=utf-8"))
        .body(include_str!("../../static/simulator/simulator.css"))
}
