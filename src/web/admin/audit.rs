//! The audit log: the list, one event, the way out of the console, and the proof.

use actix_web::http::header;
use actix_web::{Error, HttpRequest, HttpResponse, web};
use futures_util::stream;
use serde_json::{Map, Value};

use super::audit_words::{AREAS, explain, is_alarming, title};
use super::form::{query, with_query};
use super::{Console, Posted, moment};
use crate::op::admin::{Administration, AuditView, EventQuery, RecordedEvent};
use crate::protocol::ambient::Timestamp;
use crate::protocol::event::Event;
use crate::web::page::admin::Choice;
use crate::web::page::admin::audit::{Change, EventPage, EventRow, KeptView, ListPage, VerifyPage};

/// Events on one page of the list.
const PAGE: u32 = 50;
/// Events read at once for an export.
const EXPORTED: u32 = 1000;
/// The fields that narrow the list, in the order of their form.
const FILTERS: [&str; 8] = ["q", "area", "kind", "actor", "target", "request_id", "from", "until"];

/// What somebody asked to see.
struct Filter {
    values: Vec<(&'static str, String)>,
}

impl Filter {
    fn of(request: &HttpRequest) -> Self {
        let value = |name| query(request, name).unwrap_or_default().trim().to_owned();
        Self { values: FILTERS.map(|name| (name, value(name))).into() }
    }

    fn get(&self, name: &str) -> &str {
        self.values.iter().find(|(given, _)| *given == name).map_or("", |(_, value)| value)
    }

    fn some(&self, name: &str) -> Option<String> {
        Some(self.get(name).to_owned()).filter(|value| !value.is_empty())
    }

    fn is_set(&self) -> bool {
        self.values.iter().any(|(_, value)| !value.is_empty())
    }

    fn query(&self, before: Option<i64>, limit: u32) -> EventQuery {
        let area = self.some("area").map(|area| format!("{area}."));
        EventQuery {
            kind: self.some("kind").or(area),
            actor: self.some("actor"),
            target: self.some("target"),
            request_id: self.some("request_id"),
            from: day(self.get("from")),
            until: day(self.get("until")).map(|day| day.plus(ONE_DAY)),
            before,
            limit,
        }
    }

    /// The same filter as a query, with something added.
    fn url(&self, added: &[(&str, &str)]) -> String {
        let set = self.values.iter().filter(|(_, value)| !value.is_empty());
        let mut pairs: Vec<(&str, &str)> =
            set.map(|(name, value)| (*name, value.as_str())).collect();
        pairs.extend_from_slice(added);
        with_query(&pairs)
    }
}

const ONE_DAY: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

/// The beginning of a day in UTC, as a date field sends it; anything else narrows nothing.
fn day(text: &str) -> Option<Timestamp> {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    let date = time::Date::parse(text, format).ok()?;
    Some(Timestamp::from_secs(date.midnight().assume_utc().unix_timestamp()))
}

async fn read(
    administration: &Administration,
    filter: &Filter,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<RecordedEvent>, crate::op::admin::AdminError> {
    let query = filter.query(before, limit);
    match filter.some("q") {
        Some(what) => administration.search_events(&what, &query).await,
        None => administration.list_events(&query).await,
    }
}

/// The list, newest first.
pub(super) async fn list(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let filter = Filter::of(&request);
    let before = query(&request, "before").and_then(|before| before.parse().ok());
    let administration = &console.app.administration;
    let page = administration
        .page_of_events(filter.some("q").as_deref(), &filter.query(before, PAGE + 1))
        .await
        .map_err(|error| console.refuse(error))?;
    let mut events = page.found;
    let more = events.len() > PAGE as usize;
    events.truncate(PAGE as usize);
    let last = events.last().map(|recorded| recorded.id).filter(|_| more);
    let next_url = last.or(page.left_off).map(|last| {
        console.url(&format!("/audit{}", filter.url(&[("before", last.to_string().as_str())])))
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
    let view = |view: AuditView| KeptView {
        url: console.url(&format!("/audit{}", view.query)),
        name: view.name,
    };
    let filtered = if filter.is_set() { filter.url(&[]) } else { String::new() };
    let areas = std::iter::once(("", "Everything")).chain(AREAS).map(area).collect();
    Ok(console.page(&ListPage {
        shell: console.shell(),
        q: filter.get("q").to_owned(),
        views: views.into_iter().map(view).collect(),
        filter: filtered,
        areas,
        kind: filter.get("kind").to_owned(),
        actor: filter.get("actor").to_owned(),
        target: filter.get("target").to_owned(),
        request_id: filter.get("request_id").to_owned(),
        from: filter.get("from").to_owned(),
        until: filter.get("until").to_owned(),
        narrowed: filter.is_set(),
        open: ["kind", "actor", "target", "request_id"].iter().any(|n| !filter.get(n).is_empty()),
        rows,
        paged: before.is_some(),
        first_url: console.url(&format!("/audit{}", filter.url(&[]))),
        further: !more && page.left_off.is_some(),
        next_url,
        jsonl_url: console.url(&format!("/audit/export{}", filter.url(&[("format", "jsonl")]))),
        csv_url: console.url(&format!("/audit/export{}", filter.url(&[("format", "csv")]))),
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

/// The events of the filter as JSON Lines or CSV, as many as there are, a part at a time.
pub(super) async fn export(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let csv = query(&request, "format").as_deref() == Some("csv");
    let (name, mime) =
        if csv { ("audit.csv", "text/csv") } else { ("audit.jsonl", "application/x-ndjson") };
    let filter = Filter::of(&request);
    let administration = console.app.administration.clone();
    administration
        .note_export(&console.actor(), if csv { "csv" } else { "jsonl" })
        .await
        .map_err(|error| console.refuse(error))?;
    let head = csv.then(|| web::Bytes::from_static(CSV_HEAD));
    let parts = stream::unfold(Some((head, None)), move |state| {
        let (administration, filter) =
            (administration.clone(), Filter { values: filter.values.clone() });
        async move {
            let (head, before) = state?;
            if let Some(head) = head {
                return Some((Ok(head), Some((None, before))));
            }
            match read(&administration, &filter, before, EXPORTED).await {
                Ok(events) => {
                    let last = events.last().map(|recorded| recorded.id)?;
                    let line = if csv { csv_line } else { json_line };
                    let text: String = events.iter().map(line).collect();
                    Some((Ok(web::Bytes::from(text)), Some((None, Some(last)))))
                }
                Err(error) => {
                    // The connection breaks off, so that nobody takes a part for the whole.
                    tracing::error!(%error, "the audit log could not be exported");
                    Some((Err(std::io::Error::other("the export failed")), None))
                }
            }
        }
    });
    Ok(HttpResponse::Ok()
        .content_type(format!("{mime}; charset=utf-8"))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename={name}")))
        .streaming(parts))
}

const CSV_HEAD: &[u8] = b"id,at,kind,actor,target,request_id,detail\r\n";

fn json_line(recorded: &RecordedEvent) -> String {
    let mut line = serde_json::json!(recorded.event);
    if let Some(members) = line.as_object_mut() {
        members.insert("id".to_owned(), recorded.id.into());
    }
    format!("{line}\n")
}

fn csv_line(recorded: &RecordedEvent) -> String {
    let event = &recorded.event;
    let detail = event.detail.as_ref().map(ToString::to_string).unwrap_or_default();
    let cells = [
        recorded.id.to_string(),
        event.at.millis().to_string(),
        event.kind.clone(),
        event.actor.clone(),
        event.target.clone().unwrap_or_default(),
        event.request_id.clone().unwrap_or_default(),
        detail,
    ];
    format!("{}\r\n", cells.map(|cell| csv_cell(&cell)).join(","))
}

/// A cell of RFC 4180. One that a spreadsheet would take for a formula is made text (CWE-1236).
fn csv_cell(text: &str) -> String {
    let formula =
        text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<i64>().is_err();
    let guard = if formula { "'" } else { "" };
    if formula || text.contains([',', '"', '\n', '\r']) {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula() {
        assert_eq!(csv_cell("=cmd()"), "\"'=cmd()\"");
        assert_eq!(csv_cell("@x,y"), "\"'@x,y\"");
        assert_eq!(csv_cell("a \"b\""), "\"a \"\"b\"\"\"");
        assert_eq!(csv_cell("-5"), "-5");
        assert_eq!(csv_cell("plain"), "plain");
    }

    #[test]
    fn a_day_begins_at_midnight() {
        assert_eq!(day("1970-01-02"), Some(Timestamp::from_secs(86_400)));
        for odd in ["", "yesterday", "2026-13-01", "1970-01-02T00:00"] {
            assert_eq!(day(odd), None);
        }
    }
}
