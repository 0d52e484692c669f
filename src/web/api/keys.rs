//! Signing keys in the admin API.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Asked, Caller, Made, answer, done, newest, paged, v1};
use crate::op::Failure;
use crate::op::admin::AdminError;
use crate::protocol::ambient::Timestamp;
use crate::protocol::jose::Algorithm;
use crate::protocol::keyring::StoredKey;

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(v1("/keys").route(web::get().to(list)).route(web::post().to(rotate)))
        .service(v1("/keys/{kid}").route(web::get().to(show)).route(web::delete().to(retire)));
}

fn described(key: &StoredKey, now: Timestamp) -> Value {
    json!({
        "kid": key.kid,
        "alg": key.alg,
        "state": key.state(now),
        "created_at": key.created_at.secs(),
        "active_at": key.active_at.secs(),
        "retiring_at": key.retiring_at.map(Timestamp::secs),
        "gone_at": key.gone_at.map(Timestamp::secs),
    })
}

async fn list(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let now = caller.app.provider.now();
    let keys = caller.unfailing(caller.app.provider.keys().list().await)?;
    let place = |key: &StoredKey| newest(key.created_at, &key.kid);
    Ok(paged(&asked, &keys, place, |key| described(key, now)))
}

async fn show(caller: Caller, kid: web::Path<String>) -> Result<HttpResponse, Error> {
    let keys = caller.unfailing(caller.app.provider.keys().list().await)?;
    let key = keys.iter().find(|key| key.kid == *kid);
    let key = key.ok_or_else(|| caller.refuse(AdminError::NotFound))?;
    Ok(answer(described(key, caller.app.provider.now())))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    alg: Algorithm,
}

async fn rotate(caller: Caller, body: web::Bytes) -> Result<HttpResponse, Error> {
    let New { alg } = caller.read(&body)?;
    caller
        .once(&body, async {
            match caller.app.provider.keys().rotate(alg, &caller.actor().name).await {
                Ok(key) => {
                    let address = caller.address(&format!("/keys/{}", key.kid));
                    Ok(Made::at(address, described(&key, caller.app.provider.now())))
                }
                Err(Failure::Refused(refusal)) => {
                    let title = "The next key is made already";
                    Err(caller.problem(StatusCode::CONFLICT, title, Some(refusal.description)))
                }
                Err(Failure::Fault(fault)) => Err(caller.failed(&fault)),
            }
        })
        .await
}

async fn retire(caller: Caller, kid: web::Path<String>) -> Result<HttpResponse, Error> {
    caller.unless_seen_otherwise::<i32>(None)?;
    let actor = caller.actor();
    let keys = caller.app.provider.keys();
    match keys.retire(&kid, &actor.name, actor.reason.as_deref()).await {
        Ok(()) => Ok(done()),
        Err(Failure::Refused(_)) => Err(caller.refuse(AdminError::NotFound)),
        Err(Failure::Fault(fault)) => Err(caller.failed(&fault)),
    }
}
