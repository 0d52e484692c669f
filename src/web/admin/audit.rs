//! The audit log: the list, one event, the way out of the console, and the proof.

use actix_web::{Error, HttpRequest, HttpResponse, web};
use serde_json::{Map, Value};

use super::audit_words::{AREAS, is_alarming, title};
use super::form::{query, with_query};
use super::{Console, Posted, moment};
use crate::op::admin::event_filter::EventFilter;
use crate::op::admin::{AuditView, EventQuery, RecordedEvent};
use crate::op::explanation::explain;
use crate::protocol::event::Event;
use crate::web::audit_export;
use crate::web::page::admin::Choice;
use crate::web::page::admin::audit::{Change, EventPage, EventRow, KeptView, ListPage, VerifyPage};

/// Events on one page of the list.
const PAGE: u32 = 50;
/// Whoever follows the log asks again for so many numbers: of two transactions at once, that with
/// the lower number may be the later to commit.
const OVERLAP: i64 = 20;

fn filter(request: &HttpRequest) -> EventFilter {
    EventFilter::of(|name| query(request, name))
}

/// A filter as a query, with something added.
fn address(filter: &EventFilter, added: &[(&str, &str)]) -> String {
    let set = filter.fields().iter().map(|(name, value)| (*name, value.as_str()));
    with_query(&set.chain(added.iter().copied()).collect::<Vec<_>>())
}

/// The list, newest first.
pub(super) async fn list(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let filter = filter(&request);
    let number = |name| query(&request, name).and_then(|number| number.parse::<i64>().ok());
    let (before, after) = (number("before"), number("after"));
    let administration = &console.app.administration;
    let wanted = EventQuery { after, ..filter.query(before, PAGE + 1) };
    let page = administration
        .page_of_events(filter.some("q").as_deref(), &wanted)
        .await
        .map_err(|error| console.refuse(error))?;
    let mut events = page.found;
    let more = events.len() > PAGE as usize;
    // The one too many is the farthest from where the page begins.
    if after.is_some() && more {
        events.remove(0);
    }
    events.truncate(PAGE as usize);
    let last = events.last().map(|recorded| recorded.id).filter(|_| more || after.is_some());
    let newest = events.first().map(|recorded| recorded.id);
    let from = |number: i64| {
        console.url(&format!("/audit{}", address(&filter, &[("after", &number.to_string())])))
    };
    let floor = after.unwrap_or(0);
    let followed = newest.map_or(floor, |newest| newest.saturating_sub(OVERLAP).max(floor));
    let next_url = last.or(page.left_off).map(|last| {
        console
            .url(&format!("/audit{}", address(&filter, &[("before", last.to_string().as_str())])))
    });
    let rows = events.iter().map(|recorded| row(&console, recorded)).collect();
    let chosen = filter.get("area");
    let area = |(value, label): (&str, &str)| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        hint: String::new(),
        chosen: value == chosen,
    };
    let views = administration.audit_views().await.map_err(|error| console.refuse(error))?;
    let filtered = if !filter.fields().is_empty() { address(&filter, &[]) } else { String::new() };
    let view = |view: AuditView| KeptView {
        url: console.url(&format!("/audit{}", view.query)),
        current: view.query == filtered,
        name: view.name,
    };
    let views = views.into_iter().map(view).collect();
    let areas = std::iter::once(("", "Everything")).chain(AREAS).map(area).collect();
    Ok(console.page(&ListPage {
        shell: console.shell(),
        q: filter.get("q").to_owned(),
        views,
        filter: filtered,
        areas,
        kind: filter.get("kind").to_owned(),
        actor: filter.get("actor").to_owned(),
        target: filter.get("target").to_owned(),
        request_id: filter.get("request_id").to_owned(),
        from: filter.get("from").to_owned(),
        until: filter.get("until").to_owned(),
        narrowed: !filter.fields().is_empty(),
        open: ["kind", "actor", "target", "request_id"].iter().any(|n| !filter.get(n).is_empty()),
        rows,
        paged: before.is_some() || after.is_some(),
        newer: after.is_some(),
        newer_url: newest.map(from),
        follow_url: before.is_none().then(|| from(followed)),
        first_url: console.url(&format!("/audit{}", address(&filter, &[]))),
        further: !more && page.left_off.is_some(),
        next_url,
        jsonl_url: console
            .url(&format!("/audit/export{}", address(&filter, &[("format", "jsonl")]))),
        csv_url: console.url(&format!("/audit/export{}", address(&filter, &[("format", "csv")]))),
    }))
}

/// An event as a line of a list.
pub(super) fn row(console: &Console, recorded: &RecordedEvent) -> EventRow {
    let event = &recorded.event;
    EventRow {
        url: console.url(&format!("/audit/{}", recorded.id)),
        title: title(&event.kind),
        kind: event.kind.clone(),
        alarming: is_alarming(&event.kind),
        actor: event.actor.clone(),
        target: event.target.clone().unwrap_or_default(),
        at: moment(event.at),
    }
}

/// One event: what is known about it, what else happened under its request, and its link.
pub(super) async fn show(console: Console, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let administration = &console.app.administration;
    let number = id.parse().unwrap_or(0);
    let (recorded, link) =
        administration.find_event(number).await.map_err(|error| console.refuse(error))?;
    let event = &recorded.event;
    let related = match &event.request_id {
        None => Vec::new(),
        Some(request_id) => administration
            .list_events(&EventQuery {
                request_id: Some(request_id.clone()),
                limit: 20,
                ..EventQuery::default()
            })
            .await
            .map_err(|error| console.refuse(error))?,
    };
    let explanation = explain(event);
    let others = related.iter().filter(|other| other.id != recorded.id);
    Ok(console.page(&EventPage {
        shell: console.shell(),
        title: title(&event.kind),
        kind: event.kind.clone(),
        at: moment(event.at),
        reason: reason(event),
        actor: event.actor.clone(),
        actor_url: about(&console, &event.actor, true),
        target: event.target.clone(),
        target_url: target_url(&console, event),
        request_id: event.request_id.clone(),
        cause: explanation.as_ref().map(|it| it.cause.clone()),
        remedy: explanation.map(|it| it.remedy),
        changes: changes(event),
        detail: event.detail.as_ref().map(pretty),
        link: link.map(|link| format!("{}:{}", link.seq, link.hash.to_text())),
        related: others.map(|other| row(&console, other)).collect(),
    }))
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// Why it was done, as whoever did it said.
fn reason(event: &Event) -> Option<String> {
    event.detail.as_ref()?.get("reason")?.as_str().map(str::to_owned)
}

/// What the event says was changed, member by member.
fn changes(event: &Event) -> Vec<Change> {
    let changed = event.detail.as_ref().and_then(|detail| detail.get("changed"));
    changed.and_then(Value::as_object).map(changes_of).unwrap_or_default()
}

/// Members before and after, as a page shows them.
pub(super) fn changes_of(members: &Map<String, Value>) -> Vec<Change> {
    let shown = |value: Option<&Value>| match value {
        None | Some(Value::Null) => "–".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join("\n"),
        Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Object(_))) => other.to_string(),
    };
    let change = |(member, change): (&String, &Value)| Change {
        member: member.clone(),
        before: shown(change.get("before")),
        after: shown(change.get("after")),
    };
    members.iter().map(change).collect()
}

/// The page about somebody or something that an event names.
fn about(console: &Console, name: &str, actor: bool) -> Option<String> {
    let (kind, id) = name.split_once(':')?;
    let path = match kind {
        "client" => format!("/clients/{id}"),
        "user" => format!("/people/{id}"),
        _ => return actor.then(|| console.url(&format!("/audit{}", with_query(&[("q", name)])))),
    };
    Some(console.url(&path))
}

fn target_url(console: &Console, event: &Event) -> Option<String> {
    let target = event.target.as_deref()?;
    let path = match event.kind.split_once('.')?.0 {
        "client" => format!("/clients/{target}"),
        "user" if event.kind != "user.deleted" => format!("/people/{target}"),
        "login" => format!("/connections/{target}"),
        "signing_key" => "/keys".to_owned(),
        "api" => format!("/apis/edit{}", with_query(&[("identifier", target)])),
        _ => format!("/audit{}", with_query(&[("q", target)])),
    };
    Some(console.url(&path))
}

/// The events of the filter as JSON Lines or CSV, as many as there are.
pub(super) async fn export(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let csv = query(&request, "format").as_deref() == Some("csv");
    let (administration, actor) = (&console.app.administration, console.actor());
    let exported = audit_export::export(administration, &actor, filter(&request), csv).await;
    exported.map_err(|error| console.refuse(error))
}

/// Walks along the chain and tells what was found.
pub(super) async fn verify(posted: Posted) -> Result<HttpResponse, Error> {
    let console = posted.console;
    let found = console
        .app
        .administration
        .verify_audit(None)
        .await
        .map_err(|error| console.refuse(error))?;
    Ok(console.page(&VerifyPage {
        shell: console.shell(),
        checked: found.checked,
        from: found.from,
        unchained: found.unchained,
        head: found.head.map(|link| format!("{}:{}", link.seq, link.hash.to_text())),
        faults: found.faults.iter().map(ToString::to_string).collect(),
    }))
}
