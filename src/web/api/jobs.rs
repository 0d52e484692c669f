//! What goes on by itself, in the admin API: jobs, and what clients are told.

use actix_web::{Error, HttpResponse, web};
use serde_json::{Value, json};

use super::{Asked, Caller, done, page, paged};
use crate::op::admin::AdminError;
use crate::op::admin::described::delivery;
use crate::op::daily_check::is_check;
use crate::protocol::ambient::Timestamp;
use crate::protocol::delivery::DeliveryState;
use crate::protocol::id::ClientId;
use crate::protocol::job::JobState;
use crate::store::outbox::DeliveryQuery;

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/jobs").route(web::get().to(list)))
        .service(web::resource("/jobs/{name}/hold").route(web::post().to(hold)))
        .service(web::resource("/jobs/{name}/resume").route(web::post().to(resume)))
        .service(web::resource("/deliveries").route(web::get().to(list_deliveries)))
        .service(web::resource("/deliveries/{id}/retry").route(web::post().to(retry)));
}

fn described(job: &JobState) -> Value {
    json!({
        "name": job.name,
        "condition": job.condition,
        "since": job.since.secs(),
        "last_run_at": job.last_run_at.map(Timestamp::secs),
        "last_ok_at": job.last_ok_at.map(Timestamp::secs),
        "resume_at": job.resume_at.map(Timestamp::secs),
        "failures": job.failures,
        "detail": job.detail,
    })
}

async fn list(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let jobs = caller.got(caller.app.administration.jobs().await)?;
    Ok(paged(&asked, &jobs, |job| job.name.clone(), described))
}

async fn hold(caller: Caller, name: web::Path<String>) -> Result<HttpResponse, Error> {
    turn(&caller, &name, true).await
}

async fn resume(caller: Caller, name: web::Path<String>) -> Result<HttpResponse, Error> {
    turn(&caller, &name, false).await
}

async fn turn(caller: &Caller, name: &str, held: bool) -> Result<HttpResponse, Error> {
    let (administration, actor) = (&caller.app.administration, caller.actor());
    let turned = match held {
        _ if !is_check(name) => Err(AdminError::NotFound),
        true => administration.hold_job(&actor, name).await,
        false => administration.resume_job(&actor, name).await,
    };
    caller.got(turned)?;
    Ok(done())
}

async fn list_deliveries(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let limit = asked.limit();
    let state = asked.get("state").and_then(|word| DeliveryState::parse(&word));
    let query = DeliveryQuery {
        client_id: asked.get("client_id").map(ClientId::new),
        state,
        before: asked.number("after"),
        limit: limit.saturating_add(1),
        ..DeliveryQuery::default()
    };
    let mut found = caller.got(caller.app.administration.deliveries(&query).await)?;
    let next = asked.rest(&mut found, |last| last.id.to_string());
    Ok(page(found.iter().map(delivery).collect(), next))
}

async fn retry(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let id = id.parse().map_err(|_| caller.refuse(AdminError::NotFound))?;
    caller.got(caller.app.administration.redeliver(&caller.actor(), id).await)?;
    caller.app.provider.doorbell().ring();
    Ok(done())
}
