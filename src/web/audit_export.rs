//! The way out of the audit log, for the console and for scripts: JSON Lines or CSV, as much as
//! there is, a part at a time.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use futures_util::stream;

use crate::op::admin::event_filter::EventFilter;
use crate::op::admin::{Actor, AdminError, Administration, RecordedEvent};

/// Events read at once.
const PART: u32 = 1000;
const CSV_HEAD: &[u8] = b"id,at,kind,actor,target,request_id,detail\r\n";

/// The events of a filter. That they were taken away is noted first.
///
/// # Errors
/// As [`Administration::note_export`].
pub(super) async fn export(
    administration: &Administration,
    actor: &Actor,
    filter: EventFilter,
    csv: bool,
) -> Result<HttpResponse, AdminError> {
    administration.note_export(actor, if csv { "csv" } else { "jsonl" }).await?;
    let (name, mime) =
        if csv { ("audit.csv", "text/csv") } else { ("audit.jsonl", "application/x-ndjson") };
    let administration = administration.clone();
    let head = csv.then(|| web::Bytes::from_static(CSV_HEAD));
    let parts = stream::unfold(Some((head, None)), move |state| {
        let (administration, filter) = (administration.clone(), filter.clone());
        async move {
            let (head, before) = state?;
            if let Some(head) = head {
                return Some((Ok(head), Some((None, before))));
            }
            match read(&administration, &filter, before).await {
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

async fn read(
    administration: &Administration,
    filter: &EventFilter,
    before: Option<i64>,
) -> Result<Vec<RecordedEvent>, AdminError> {
    let query = filter.query(before, PART);
    match filter.some("q") {
        Some(what) => administration.search_events(&what, &query).await,
        None => administration.list_events(&query).await,
    }
}

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
}
