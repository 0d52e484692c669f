//! The audit log's receivers and kept views in the admin API.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::{Caller, Made, page, v1};
use crate::op::admin::AuditView;
use crate::op::audit_stream::{AuditReceiver, Progress};

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            v1("/audit-receivers")
                .route(web::get().to(list_receivers))
                .route(web::post().to(add_receiver)),
        )
        .service(v1("/audit-receivers/{id}").route(web::delete().to(remove_receiver)))
        .service(
            v1("/audit-views").route(web::get().to(list_views)).route(web::post().to(keep_view)),
        )
        .service(v1("/audit-views/{name}").route(web::delete().to(forget_view)));
}

fn described(receiver: &AuditReceiver, progress: &Progress) -> Value {
    json!({
        "id": receiver.id,
        "name": receiver.name,
        "url": receiver.url,
        "area": receiver.area,
        "seq": progress.seq,
        "attempts": progress.attempts,
        "taken_at": progress.taken_at.map(|at| at.secs()),
        "last_error": progress.last_error,
    })
}

fn text(members: &mut Map<String, Value>, name: &str) -> String {
    let value = members.remove(name);
    value.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
}

async fn list_receivers(caller: Caller) -> Result<HttpResponse, Error> {
    let all = caller.app.administration.audit_receivers().await;
    let all = all.map_err(|error| caller.refuse(error))?;
    Ok(page(all.iter().map(|(receiver, progress)| described(receiver, progress)).collect(), None))
}

async fn add_receiver(caller: Caller, body: web::Bytes) -> Result<HttpResponse, Error> {
    let mut members = caller.members(&body)?;
    let [name, url, area] = ["name", "url", "area"].map(|member| text(&mut members, member));
    caller.nothing_else(&members)?;
    caller
        .once(&body, async {
            let administration = &caller.app.administration;
            let actor = caller.actor();
            let added = administration.add_audit_receiver(&actor, &name, &url, &area).await;
            let receiver = added.map_err(|error| caller.refuse(error))?;
            let body = described(&receiver, &Progress::default());
            Ok(Made { status: StatusCode::CREATED, location: None, body })
        })
        .await
}

async fn remove_receiver(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let removed = caller.app.administration.remove_audit_receiver(&caller.actor(), &id).await;
    removed.map_err(|error| caller.refuse(error))?;
    Ok(HttpResponse::NoContent().finish())
}

fn shown(view: &AuditView) -> Value {
    json!({ "name": view.name, "query": view.query })
}

async fn list_views(caller: Caller) -> Result<HttpResponse, Error> {
    let views = caller.app.administration.audit_views().await;
    let views = views.map_err(|error| caller.refuse(error))?;
    Ok(page(views.iter().map(shown).collect(), None))
}

async fn keep_view(caller: Caller, body: web::Bytes) -> Result<HttpResponse, Error> {
    let mut members = caller.members(&body)?;
    let [name, query] = ["name", "query"].map(|member| text(&mut members, member));
    caller.nothing_else(&members)?;
    caller
        .once(&body, async {
            let administration = &caller.app.administration;
            let kept = administration.keep_audit_view(&caller.actor(), &name, &query).await;
            kept.map_err(|error| caller.refuse(error))?;
            let body = shown(&AuditView { name: name.clone(), query: query.clone() });
            Ok(Made { status: StatusCode::CREATED, location: None, body })
        })
        .await
}

async fn forget_view(caller: Caller, name: web::Path<String>) -> Result<HttpResponse, Error> {
    let gone = caller.app.administration.forget_audit_view(&caller.actor(), &name).await;
    gone.map_err(|error| caller.refuse(error))?;
    Ok(HttpResponse::NoContent().finish())
}
