//! The audit log in the admin API: its events and its chain, receivers and kept views.

use actix_web::{Error, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::{Asked, Caller, answer, created, done, page, paged};
use crate::op::admin::event_filter::EventFilter;
use crate::op::admin::{AdminError, AuditView, RecordedEvent, described};
use crate::op::audit_stream::{AuditReceiver, Progress};
use crate::op::explanation::explain;
use crate::store::events::Events;
use crate::web::audit_export;

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/events").route(web::get().to(list_events)))
        .service(web::resource("/events/verify").route(web::post().to(verify)))
        .service(web::resource("/events/export").route(web::get().to(export)))
        .service(web::resource("/events/{id}").route(web::get().to(show_event)))
        .service(
            web::resource("/audit-receivers")
                .route(web::get().to(list_receivers))
                .route(web::post().to(add_receiver)),
        )
        .service(web::resource("/audit-receivers/{id}").route(web::delete().to(remove_receiver)))
        .service(
            web::resource("/audit-views")
                .route(web::get().to(list_views))
                .route(web::post().to(keep_view)),
        )
        .service(web::resource("/audit-views/{name}").route(web::delete().to(forget_view)));
}

pub(super) fn event(recorded: &RecordedEvent) -> Value {
    let mut event = json!(recorded.event);
    if let Some(members) = event.as_object_mut() {
        members.insert("id".to_owned(), json!(recorded.id));
    }
    event
}

/// What is asked for; what is not said is as the view has it that is named, if one is.
async fn filter(caller: &Caller, asked: &Asked) -> Result<EventFilter, Error> {
    let view = match asked.get("view") {
        None => EventFilter::default(),
        Some(name) => {
            let views = caller.got(caller.app.administration.audit_views().await)?;
            let view = views.iter().find(|view| view.name == name);
            let view = view.ok_or_else(|| caller.invalid("view", "is not the name of one"))?;
            EventFilter::of_view(view)
        }
    };
    Ok(EventFilter::of(|name| asked.get(name).or_else(|| view.some(name))))
}

async fn list_events(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let filter = filter(&caller, &asked).await?;
    let query = filter.query(asked.number("after"), asked.limit().saturating_add(1));
    let administration = &caller.app.administration;
    let found = administration.page_of_events(filter.some("q").as_deref(), &query).await;
    let Events { mut found, left_off } = caller.got(found)?;
    let next = asked.rest(&mut found, |last| last.id.to_string());
    // A search that was left off goes on there, with an empty page if it must be.
    let next = next.or(left_off.map(|left_off| left_off.to_string()));
    Ok(page(found.iter().map(event).collect(), next))
}

async fn export(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let filter = filter(&caller, &asked).await?;
    let csv = asked.get("format").as_deref() == Some("csv");
    let administration = &caller.app.administration;
    let exported = audit_export::export(administration, &caller.actor(), filter, csv).await;
    caller.got(exported)
}

async fn show_event(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let id = id.parse().map_err(|_| caller.refuse(AdminError::NotFound))?;
    let (found, link) = caller.got(caller.app.administration.find_event(id).await)?;
    let mut body = event(&found);
    if let Some(members) = body.as_object_mut() {
        members.insert("explanation".to_owned(), json!(explain(&found.event)));
        members.insert("link".to_owned(), link.as_ref().map_or(Value::Null, described::link));
    }
    Ok(answer(body))
}

async fn verify(caller: Caller) -> Result<HttpResponse, Error> {
    let found = caller.got(caller.app.administration.verify_audit(None).await)?;
    Ok(answer(described::verification(&found)))
}

fn listener(receiver: &AuditReceiver, progress: &Progress) -> Value {
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
    Ok(paged(&asked, &all, place, |(receiver, progress)| listener(receiver, progress)))
}

async fn add_receiver(caller: Caller, body: web::Bytes) -> Result<HttpResponse, Error> {
    let mut members = caller.members(&body)?;
    let [name, url, area] = ["name", "url", "area"].map(|member| text(&mut members, member));
    caller.nothing_else(&members)?;
    let administration = &caller.app.administration;
    let actor = caller.actor();
    let added = administration.add_audit_receiver(&actor, &name, &url, &area).await;
    let receiver = caller.got(added)?;
    Ok(created(None, listener(&receiver, &Progress::default())))
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
    let administration = &caller.app.administration;
    let kept = administration.keep_audit_view(&caller.actor(), &name, &query).await;
    caller.got(kept)?;
    Ok(created(None, shown(&AuditView { name: name.clone(), query: query.clone() })))
}

async fn forget_view(caller: Caller, name: web::Path<String>) -> Result<HttpResponse, Error> {
    caller.unless_seen_otherwise::<i32>(None)?;
    caller.got(caller.app.administration.forget_audit_view(&caller.actor(), &name).await)?;
    Ok(done())
}
