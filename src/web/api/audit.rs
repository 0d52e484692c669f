//! The audit log in the admin API: its events and its chain, receivers and kept views.

use actix_web::{Error, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::{Asked, Caller, Made, answer, done, page, paged, v1};
use crate::op::admin::{AdminError, AuditView, EventQuery, RecordedEvent};
use crate::op::audit_stream::{AuditReceiver, Progress};
use crate::protocol::ambient::Timestamp;
use crate::protocol::audit::Link;

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(v1("/events").route(web::get().to(list_events)))
        .service(v1("/events/verify").route(web::post().to(verify)))
        .service(v1("/events/{id}").route(web::get().to(show_event)))
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

fn event(recorded: &RecordedEvent) -> Value {
    let mut event = json!(recorded.event);
    if let Some(members) = event.as_object_mut() {
        members.insert("id".to_owned(), json!(recorded.id));
    }
    event
}

async fn list_events(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let moment = |name| asked.number(name).map(Timestamp::from_secs);
    let query = EventQuery {
        kind: asked.get("kind"),
        actor: asked.get("actor"),
        target: asked.get("target"),
        request_id: asked.get("request_id"),
        from: moment("from"),
        until: moment("until"),
        before: asked.number("after"),
        limit: asked.limit().saturating_add(1),
    };
    let mut found = caller.got(caller.app.administration.list_events(&query).await)?;
    let next = asked.rest(&mut found, |last| last.id.to_string());
    Ok(page(found.iter().map(event).collect(), next))
}

fn place(link: &Link) -> Value {
    json!({ "seq": link.seq, "hash": link.hash.to_text() })
}

async fn show_event(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let id = id.parse().map_err(|_| caller.refuse(AdminError::NotFound))?;
    let (found, link) = caller.got(caller.app.administration.find_event(id).await)?;
    let mut body = event(&found);
    if let Some(members) = body.as_object_mut() {
        members.insert("link".to_owned(), link.as_ref().map_or(Value::Null, place));
    }
    Ok(answer(body))
}

async fn verify(caller: Caller) -> Result<HttpResponse, Error> {
    let found = caller.got(caller.app.administration.verify_audit(None).await)?;
    Ok(answer(json!({
        "checked": found.checked,
        "from": found.from,
        "unchained": found.unchained,
        "head": found.head.as_ref().map(place),
        "faults": found.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })))
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

async fn list_receivers(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let all = caller.got(caller.app.administration.audit_receivers().await)?;
    let place = |(receiver, _): &(AuditReceiver, Progress)| receiver.id.clone();
    Ok(paged(&asked, &all, place, |(receiver, progress)| described(receiver, progress)))
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
            let receiver = caller.got(added)?;
            Ok(Made::at(None, described(&receiver, &Progress::default())))
        })
        .await
}

async fn remove_receiver(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    caller.unless_seen_otherwise::<i32>(None)?;
    caller.got(caller.app.administration.remove_audit_receiver(&caller.actor(), &id).await)?;
    Ok(done())
}

fn shown(view: &AuditView) -> Value {
    json!({ "name": view.name, "query": view.query })
}

async fn list_views(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let views = caller.got(caller.app.administration.audit_views().await)?;
    Ok(paged(&asked, &views, |view| view.name.clone(), shown))
}

async fn keep_view(caller: Caller, body: web::Bytes) -> Result<HttpResponse, Error> {
    let mut members = caller.members(&body)?;
    let [name, query] = ["name", "query"].map(|member| text(&mut members, member));
    caller.nothing_else(&members)?;
    caller
        .once(&body, async {
            let administration = &caller.app.administration;
            let kept = administration.keep_audit_view(&caller.actor(), &name, &query).await;
            caller.got(kept)?;
            Ok(Made::at(None, shown(&AuditView { name: name.clone(), query: query.clone() })))
        })
        .await
}

async fn forget_view(caller: Caller, name: web::Path<String>) -> Result<HttpResponse, Error> {
    caller.unless_seen_otherwise::<i32>(None)?;
    caller.got(caller.app.administration.forget_audit_view(&caller.actor(), &name).await)?;
    Ok(done())
}
