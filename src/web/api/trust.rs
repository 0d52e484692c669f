//! Who may come without an operator, in the admin API: trusted issuers (RFC 7523) and initial
//! access tokens (RFC 7591).

use std::time::Duration;

use actix_web::{Error, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::apis::searched;
use super::{Asked, Caller, Made, answer, done, page, v1};
use crate::op::admin::{AdminError, NewTrustedIssuer};
use crate::protocol::ambient::Timestamp;
use crate::protocol::trusted_issuer::TrustedIssuer;
use crate::store::registrations::RegistrationToken;

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            v1("/trusted-issuers")
                .route(web::get().to(list_issuers))
                .route(web::post().to(create_issuer)),
        )
        .service(
            v1("/trusted-issuers/{id}")
                .route(web::get().to(show_issuer))
                .route(web::delete().to(delete_issuer)),
        )
        .service(
            v1("/registration-tokens")
                .route(web::get().to(list_tokens))
                .route(web::post().to(create_token)),
        )
        .service(
            v1("/registration-tokens/{id}")
                .route(web::get().to(show_token))
                .route(web::delete().to(delete_token)),
        );
}

fn issuer(rule: &TrustedIssuer) -> Value {
    let conditions = rule.conditions.iter().map(|one| format!("{}={}", one.claim, one.value));
    json!({
        "id": rule.id,
        "issuer": rule.issuer,
        "jwks_uri": rule.jwks_uri,
        "jwks": rule.jwks,
        "audience": rule.audience,
        "client_id": rule.client_id,
        "conditions": conditions.collect::<Vec<_>>(),
        "scope": rule.scope,
        "resources": rule.resources,
        "max_lifetime": rule.max_lifetime,
        "allow_reuse": !rule.single_use,
        "created_at": rule.created_at.secs(),
    })
}

async fn list_issuers(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let found = caller.app.administration.page_of_trusted_issuers(&searched(&asked)).await;
    let found = caller.got(found)?;
    Ok(page(found.items.iter().map(issuer).collect(), found.next))
}

async fn show_issuer(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let rules = caller.got(caller.app.administration.list_trusted_issuers().await)?;
    let rule = rules.iter().find(|rule| rule.id == *id);
    Ok(answer(issuer(rule.ok_or_else(|| caller.refuse(AdminError::NotFound))?)))
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
    caller
        .once(&body, async {
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
            Ok(Made::at(address, issuer(&made)))
        })
        .await
}

async fn delete_issuer(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    caller.unless_seen_otherwise::<i32>(None)?;
    let administration = &caller.app.administration;
    caller.got(administration.delete_trusted_issuer(&caller.actor(), &id).await)?;
    Ok(done())
}

fn token(token: &RegistrationToken) -> Value {
    json!({
        "id": token.id,
        "name": token.name,
        "uses_left": token.uses_left,
        "created_at": token.created_at.secs(),
        "expires_at": token.expires_at.map(Timestamp::secs),
    })
}

async fn list_tokens(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let found = caller.app.administration.page_of_registration_tokens(&searched(&asked)).await;
    let found = caller.got(found)?;
    Ok(page(found.items.iter().map(token).collect(), found.next))
}

async fn show_token(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let tokens = caller.got(caller.app.administration.list_registration_tokens().await)?;
    let found = tokens.iter().find(|token| token.id == *id);
    Ok(answer(token(found.ok_or_else(|| caller.refuse(AdminError::NotFound))?)))
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
    caller
        .once(&body, async {
            let (administration, actor) = (&caller.app.administration, caller.actor());
            let made = administration.create_registration_token(&actor, name, uses, life).await;
            let (made, secret) = caller.got(made)?;
            let mut body = token(&made);
            if let Some(members) = body.as_object_mut() {
                members.insert("initial_access_token".to_owned(), json!(secret.expose()));
            }
            Ok(Made::at(caller.address(&format!("/registration-tokens/{}", made.id)), body))
        })
        .await
}

async fn delete_token(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    caller.unless_seen_otherwise::<i32>(None)?;
    let administration = &caller.app.administration;
    caller.got(administration.delete_registration_token(&caller.actor(), &id).await)?;
    Ok(done())
}
