//! What clients are told, and what became of it: the outbox.

use actix_web::{Error, HttpRequest, HttpResponse};

use super::form::{query, with_query};
use super::{Console, Posted, moment, see_other};
use crate::op::admin::AdminError;
use crate::protocol::delivery::{Delivery, DeliveryState, Message};
use crate::protocol::id::ClientId;
use crate::store::outbox::DeliveryQuery;
use crate::web::page::admin::Choice;
use crate::web::page::admin::upkeep::{DeliveriesPage, DeliveryRow};

const PAGE: u32 = 50;
const STATES: [(&str, &str, Option<DeliveryState>); 4] = [
    ("", "All", None),
    ("owed", "Pending", Some(DeliveryState::Owed)),
    ("failed", "Given up", Some(DeliveryState::Failed)),
    ("delivered", "Taken", Some(DeliveryState::Delivered)),
];

/// The list, newest first.
pub(super) async fn list(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let asked = |name| query(&request, name).unwrap_or_default();
    let (client_id, chosen) = (asked("client_id"), asked("state"));
    let state = STATES.iter().find(|(value, ..)| *value == chosen).and_then(|(.., state)| *state);
    let before = asked("before").parse().ok();
    let outbox = DeliveryQuery {
        client_id: Some(&client_id).filter(|id| !id.is_empty()).map(ClientId::new),
        state,
        before,
        limit: PAGE + 1,
        ..DeliveryQuery::default()
    };
    let administration = &console.app.administration;
    let found = administration.deliveries(&outbox).await;
    let mut found = found.map_err(|error| console.refuse(error))?;
    let more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let names = console.client_names(found.iter().map(|one| &one.client_id)).await?;
    let narrowed = |before: Option<String>| {
        let pairs = [
            ("client_id", client_id.as_str()),
            ("state", chosen.as_str()),
            ("before", before.as_deref().unwrap_or_default()),
        ];
        let set: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        console.url(&format!("/deliveries{}", with_query(&set)))
    };
    let next_url = found.last().filter(|_| more).map(|last| narrowed(Some(last.id.to_string())));
    let row = |one: &Delivery| DeliveryRow {
        id: one.id,
        client: names.get(&one.client_id).cloned().unwrap_or_else(|| one.client_id.to_string()),
        client_id: one.client_id.to_string(),
        what: what(one),
        word: word(one.state),
        chip: chip(one.state),
        attempts: one.attempts,
        trouble: one.last_error.clone().filter(|_| one.state != DeliveryState::Delivered),
        since: moment(one.created_at),
        next: (one.state == DeliveryState::Owed).then(|| moment(one.due_at)),
        failed: one.state == DeliveryState::Failed && one.message.is_some(),
    };
    let choice = |(value, label, _): &(&str, &str, Option<DeliveryState>)| Choice {
        value: (*value).to_owned(),
        label: (*label).to_owned(),
        hint: String::new(),
        chosen: *value == chosen,
    };
    Ok(console.page(&DeliveriesPage {
        shell: console.shell(),
        states: STATES.iter().map(choice).collect(),
        rows: found.iter().map(row).collect(),
        paged: before.is_some(),
        first_url: narrowed(None),
        next_url,
        client_id,
    }))
}

fn what(delivery: &Delivery) -> String {
    match &delivery.message {
        Some(Message::LogoutToken { .. }) => "Logout token".to_owned(),
        Some(Message::SecurityEvent { event, .. }) => {
            let uri = event.event_type().uri();
            uri.rsplit('/').next().unwrap_or_default().replace('-', " ")
        }
        None => delivery.kind.replace('_', " "),
    }
}

const fn word(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Owed => "pending",
        DeliveryState::Delivered => "taken",
        DeliveryState::Failed => "given up",
    }
}

const fn chip(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Owed => "warn",
        DeliveryState::Delivered => "good",
        DeliveryState::Failed => "bad",
    }
}

/// Tries one again that was given up.
pub(super) async fn retry(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    let id = form.text("id").parse().map_err(|_| console.refuse(AdminError::NotFound))?;
    let again = console.app.administration.redeliver(&console.actor(), id).await;
    again.map_err(|error| console.refuse(error))?;
    console.app.provider.doorbell().ring();
    let client_id = form.text("client_id");
    let narrowed: Vec<_> =
        [("client_id", client_id.as_str())].into_iter().filter(|(_, id)| !id.is_empty()).collect();
    let mut pairs = narrowed;
    pairs.push(("done", "owed-again"));
    Ok(see_other(&console.url(&format!("/deliveries{}", with_query(&pairs)))))
}
