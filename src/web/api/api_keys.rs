//! Keys of the admin API in the admin API: what one hands out is never more than it has.

use actix_web::{Error, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::apis::searched;
use super::{Asked, Caller, answer, created, done, page};
use crate::op::admin::AdminError;
use crate::protocol::ambient::Timestamp;
use crate::protocol::api_key::{ApiKey, ApiScope};

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/api-keys").route(web::get().to(list)).route(web::post().to(create)),
        )
        .service(
            web::resource("/api-keys/{id}")
                .route(web::get().to(show))
                .route(web::delete().to(revoke)),
        );
}

fn described(key: &ApiKey) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "scope": key.scope,
        "created_by": key.created_by,
        "created_at": key.created_at.secs(),
        "expires_at": key.expires_at.secs(),
        "last_used_at": key.last_used_at.map(Timestamp::secs),
        "revoked_at": key.revoked_at.map(Timestamp::secs),
    })
}

async fn list(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let found = caller.app.administration.page_of_api_keys(&searched(&asked)).await;
    let found = caller.got(found)?;
    Ok(page(found.items.iter().map(described).collect(), asked.next(found.next)))
}

async fn show(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    Ok(answer(described(&caller.got(caller.app.administration.api_key(&id).await)?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    scope: Vec<ApiScope>,
    days: u32,
}

async fn create(caller: Caller, body: web::Bytes) -> Result<HttpResponse, Error> {
    let New { name, scope, days } = caller.read(&body)?;
    let administration = &caller.app.administration;
    let made = administration.create_api_key(&caller.actor(), &name, scope, days).await;
    // The members are called otherwise in the console's form.
    let made = made.map_err(|mut error| {
        if let AdminError::Invalid(problems) = &mut error {
            for problem in problems {
                problem.field = problem.field.strip_prefix("key_").unwrap_or(problem.field);
            }
        }
        error
    });
    let (key, secret) = caller.got(made)?;
    let mut body = described(&key);
    if let Some(members) = body.as_object_mut() {
        members.insert("secret".to_owned(), json!(secret.expose()));
    }
    Ok(created(caller.address(&format!("/api-keys/{}", key.id)), body))
}

async fn revoke(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    caller.unless_seen_otherwise::<i32>(None)?;
    caller.got(caller.app.administration.revoke_api_key(&caller.actor(), &id).await)?;
    Ok(done())
}
