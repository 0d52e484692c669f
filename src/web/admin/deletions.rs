//! Deletions under way, and the receipts of those that are done.

use actix_web::{Error, HttpRequest, HttpResponse, web};
use serde_json::json;

use super::form::query;
use super::paging::{PAGE, pages};
use super::{Console, Posted, moment, see_other};
use crate::protocol::deletion::{Deletion, DeletionState};
use crate::protocol::id::DeletionId;
use crate::web::page::admin::upkeep::{DeletionRow, DeletionsPage};

/// The list, newest first.
pub(super) async fn list(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let under_way = query(&request, "state").is_some_and(|state| state == "under_way");
    let before = query(&request, "before");
    let place: Option<(i64, String)> =
        before.as_deref().and_then(|before| serde_json::from_str(before).ok());
    let found = console.app.administration.deletions(under_way, place.as_ref(), PAGE + 1).await;
    let mut found = found.map_err(|error| console.refuse(error))?;
    let more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let next = found.last().filter(|_| more);
    let next = next.map(|last| json!([last.requested_at.millis(), last.id]).to_string());
    let state = if under_way { "under_way" } else { "" };
    let cursor = ("before", before.as_deref(), next.as_deref());
    let pages = pages(&console, "/deletions", &[("state", state)], cursor);
    let row = |one: &Deletion| DeletionRow {
        id: one.id.to_string(),
        requested_by: one.requested_by.clone(),
        requested_at: moment(one.requested_at),
        words: in_words(one.state),
        done: one.state == DeletionState::Completed,
        attempts: one.attempts,
        next: (one.state != DeletionState::Completed).then(|| moment(one.due_at)),
        completed_at: one.completed_at.map(moment),
    };
    Ok(console.page(&DeletionsPage {
        shell: console.shell(),
        under_way,
        rows: found.iter().map(row).collect(),
        pages,
    }))
}

const fn in_words(state: DeletionState) -> &'static str {
    match state {
        DeletionState::Revoking => "gives back what upstreams granted",
        DeletionState::Erasing => "erases the person",
        DeletionState::Telling => "waits until the clients were told",
        DeletionState::Completed => "done",
    }
}

/// Has one that waits go on at once.
pub(super) async fn retry(posted: Posted, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let console = posted.console;
    let id = DeletionId::new(id.into_inner());
    let hastened = console.app.administration.hasten_deletion(&console.actor(), &id).await;
    hastened.map_err(|error| console.refuse(error))?;
    Ok(see_other(&console.url(&format!("/deletions/{id}?done=hastened"))))
}
