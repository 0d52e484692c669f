//! Who may come without an operator, in the admin API: trusted issuers (RFC 7523) and initial
//! access tokens (RFC 7591).

use std::time::Duration;

use actix_web::{Error, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::apis::searched;
use super::{Asked, Caller, answer, created, done, page};
use crate::op::admin::described::{registration_token, trusted_issuer};
use crate::op::admin::{AdminError, NewTrustedIssuer};

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/trusted-issuers")
                .route(web::get().to(list_issuers))
                .route(web::post().to(create_issuer)),
        )
        .service(
            web::resource("/trusted-issuers/{id}")
                .route(web::get().to(show_issuer))
                .route(web::delete().to(delete_issuer)),
        )
        .service(
            web::resource("/registration-tokens")
                .route(web::get().to(list_tokens))
                .route(web::post().to(create_token)),
        )
        .service(
            web::resource("/registration-tokens/{id}")
                .route(web::get().to(show_token))
                .route(web::delete().to(delete_token)),
        );
}

async fn list_issuers(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let found = caller.app.administration.page_of_trusted_issuers(&searched(&asked)).await;
    let found = caller.got(found)?;
    Ok(page(found.items.iter().map(trusted_issuer).collect(), asked.next(found.next)))
}

async fn show_issuer(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let rules = caller.got(caller.app.administration.list_trusted_issuers().await)?;
    let rule = rules.iter().find(|rule| rule.id == *id);
    Ok(answer(trusted_issuer(rule.ok_or_else(|| caller.refuse(AdminError::NotFound))?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewIssuer {
    issuer: String,
    jwks_uri: Option<String>,
    jwks: Option<Value>,
    audience: Option<String>,
    client_id: String,
    conditions: Vec<String>,
    #[serde(default)]
    scope: Vec<String>,
    #[serde(default)]
    resources: Vec<String>,
    max_lifetime: Option<u32>,
    #[serde(default)]
    allow_reuse: bool,
}

async fn create_issuer(caller: Caller, body: web::Bytes) -> Result<HttpResponse, Error> {
    let new: NewIssuer = caller.read(&body)?;
    let new = NewTrustedIssuer {
        issuer: new.issuer,
        jwks_uri: new.jwks_uri,
        jwks: new.jwks,
        audience: new.audience.unwrap_or_else(|| caller.app.provider.issuer().to_owned()),
        client_id: new.client_id,
        conditions: new.conditions,
        scope: new.scope,
        resources: new.resources,
        max_lifetime: new.max_lifetime,
        allow_reuse: new.allow_reuse,
    };
    let made = caller.app.administration.create_trusted_issuer(&caller.actor(), new).await;
    let made = caller.got(made)?;
    let address = caller.address(&format!("/trusted-issuers/{}", made.id));
    Ok(created(address, trusted_issuer(&made)))
}

async fn delete_issuer(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    caller.unless_seen_otherwise::<i32>(None)?;
    let administration = &caller.app.administration;
    caller.got(administration.delete_trusted_issuer(&caller.actor(), &id).await)?;
    Ok(done())
}

async fn list_tokens(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let found = caller.app.administration.page_of_registration_tokens(&searched(&asked)).await;
    let found = caller.got(found)?;
    Ok(page(found.items.iter().map(registration_token).collect(), asked.next(found.next)))
}

async fn show_token(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let tokens = caller.got(caller.app.administration.list_registration_tokens().await)?;
    let found = tokens.iter().find(|token| token.id == *id);
    Ok(answer(registration_token(found.ok_or_else(|| caller.refuse(AdminError::NotFound))?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewToken {
    name: String,
    uses: Option<i32>,
    /// Seconds.
    expires_in: Option<u32>,
}

async fn create_token(caller: Caller, body: web::Bytes) -> Result<HttpResponse, Error> {
    let NewToken { name, uses, expires_in } = caller.read(&body)?;
    let life = expires_in.map(|seconds| Duration::from_secs(u64::from(seconds)));
    let (administration, actor) = (&caller.app.administration, caller.actor());
    let made = administration.create_registration_token(&actor, name, uses, life).await;
    let (made, secret) = caller.got(made)?;
    let mut body = registration_token(&made);
    if let Some(members) = body.as_object_mut() {
        members.insert("initial_access_token".to_owned(), json!(secret.expose()));
    }
    Ok(created(caller.address(&format!("/registration-tokens/{}", made.id)), body))
}

async fn delete_token(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    caller.unless_seen_otherwise::<i32>(None)?;
    let administration = &caller.app.administration;
    caller.got(administration.delete_registration_token(&caller.actor(), &id).await)?;
    Ok(done())
}
