//! Signing keys in the admin API.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::{Asked, Caller, answer, created, done, newest, paged};
use crate::op::Failure;
use crate::op::admin::AdminError;
use crate::op::admin::described::signing_key;
use crate::protocol::jose::Algorithm;
use crate::protocol::keyring::{StoredKey, newest_published};
use crate::store::observations::Fetcher;

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/keys").route(web::get().to(list)).route(web::post().to(rotate)))
        .service(web::resource("/key-set-fetchers").route(web::get().to(list_fetchers)))
        .service(
            web::resource("/keys/{kid}").route(web::get().to(show)).route(web::delete().to(retire)),
        );
}

async fn list(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let now = caller.app.provider.now();
    let keys = caller.unfailing(caller.app.provider.keys().list().await)?;
    let place = |key: &StoredKey| newest(key.created_at, &key.kid);
    Ok(paged(&asked, &keys, place, |key| signing_key(key, now)))
}

async fn show(caller: Caller, kid: web::Path<String>) -> Result<HttpResponse, Error> {
    let keys = caller.unfailing(caller.app.provider.keys().list().await)?;
    let key = keys.iter().find(|key| key.kid == *kid);
    let key = key.ok_or_else(|| caller.refuse(AdminError::NotFound))?;
    Ok(answer(signing_key(key, caller.app.provider.now())))
}

/// Who fetched the key set, as far as they told.
async fn list_fetchers(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let provider = &caller.app.provider;
    let keys = caller.unfailing(provider.keys().list().await)?;
    let published = newest_published(&keys, provider.now());
    let kept = caller.got(caller.app.administration.key_set_fetchers().await)?;
    let described = |seen: &Fetcher| {
        json!({
            "user_agent": seen.agent,
            "times": seen.times,
            "last_at": seen.last_at.secs(),
            "behind": published.is_some_and(|published| seen.last_at < published),
        })
    };
    let place = |seen: &Fetcher| newest(seen.last_at, &seen.agent);
    Ok(paged(&asked, &caller.app.jwks_fetchers.with(kept), place, described))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    alg: Algorithm,
}

async fn rotate(caller: Caller, body: web::Bytes) -> Result<HttpResponse, Error> {
    let New { alg } = caller.read(&body)?;
    match caller.app.provider.keys().rotate(alg, &caller.actor()).await {
        Ok(key) => {
            let address = caller.address(&format!("/keys/{}", key.kid));
            Ok(created(address, signing_key(&key, caller.app.provider.now())))
        }
        Err(Failure::Refused(refusal)) => {
            let title = "The next key is made already";
            Err(caller.problem(StatusCode::CONFLICT, title, Some(refusal.description)))
        }
        Err(Failure::Fault(fault)) => Err(caller.failed(&fault)),
    }
}

async fn retire(caller: Caller, kid: web::Path<String>) -> Result<HttpResponse, Error> {
    caller.unless_seen_otherwise::<i32>(None)?;
    match caller.app.provider.keys().retire(&kid, &caller.actor()).await {
        Ok(()) => Ok(done()),
        Err(Failure::Refused(_)) => Err(caller.refuse(AdminError::NotFound)),
        Err(Failure::Fault(fault)) => Err(caller.failed(&fault)),
    }
}
