//! Sign-ins replayed: what happened step by step, and why one went no further.

use actix_web::{Error, HttpRequest, HttpResponse};
use serde_json::Value;

use super::form::{query, with_query};
use super::paging::{PAGE, pages};
use super::{Console, moment, see_other};
use crate::op::explanation::explain_step;
use crate::protocol::sign_in::{SignInStep, Step};
use crate::web::page::admin::sign_ins::{ListPage, ReplayPage, SignInRow, StepRow};

/// Sign-ins, the latest first; or the one whose id was typed.
pub(super) async fn list(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let typed = query(&request, "id").unwrap_or_default();
    if !typed.trim().is_empty() {
        return Ok(see_other(&address(&console, typed.trim())));
    }
    let before = query(&request, "before");
    let place = before.as_deref().and_then(|before| before.parse().ok());
    let found = console.app.administration.latest_sign_ins(place, PAGE + 1).await;
    let mut found = found.map_err(|error| console.refuse(error))?;
    let more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let next = found.last().filter(|_| more).map(|(number, _)| number.to_string());
    let cursor = ("before", before.as_deref(), next.as_deref());
    let pages = pages(&console, "/sign-ins", &[], cursor);
    let row = |(_, last): &(i64, SignInStep)| SignInRow {
        url: address(&console, &last.sign_in),
        id: last.sign_in.clone(),
        last: in_words(last.step),
        chip: chip(last.step),
        at: moment(last.at),
    };
    let rows = found.iter().map(row).collect();
    Ok(console.page(&ListPage { shell: console.shell(), rows, pages }))
}

fn address(console: &Console, id: &str) -> String {
    let query = with_query(&[("sign_in", id)]);
    console.url(&format!("/sign-ins/replay{query}"))
}

/// One sign-in, replayed.
pub(super) async fn replay(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let id = query(&request, "sign_in").unwrap_or_default();
    let steps = console.app.administration.sign_in_steps(&id).await;
    let steps = steps.map_err(|error| console.refuse(error))?;
    let begun = steps.first().map(|step| step.at);
    let why = steps.iter().rev().find_map(explain_step);
    let row = |step: &SignInStep| StepRow {
        words: in_words(step.step),
        chip: chip(step.step),
        after: begun.map(|begun| after(step.at.since(begun))).unwrap_or_default(),
        facts: facts(step.detail.as_ref()),
    };
    Ok(console.page(&ReplayPage {
        shell: console.shell(),
        begun: begun.map(moment).unwrap_or_default(),
        cause: why.as_ref().map(|why| why.cause.clone()),
        remedy: why.map(|why| why.remedy),
        events_url: console.url(&format!("/audit{}", with_query(&[("request_id", id.as_str())]))),
        rows: steps.iter().map(row).collect(),
        id,
    }))
}

const fn in_words(step: Step) -> &'static str {
    match step {
        Step::Requested => "An app asked for a sign-in",
        Step::Departed => "The browser was sent to the provider",
        Step::Returned => "The browser came back",
        Step::SignedIn => "The answer was good: somebody is signed in",
        Step::Failed => "The answer was not accepted",
        Step::Consented => "The person agreed",
        Step::CodeIssued => "The app was answered with a code",
        Step::Refused => "The app was answered with an error",
        Step::Redeemed => "The app got its tokens",
        Step::NotRedeemed => "The app was refused its tokens",
        Step::Lost => "A request that belongs to no sign-in failed",
    }
}

const fn chip(step: Step) -> &'static str {
    match step {
        Step::Failed | Step::Refused | Step::NotRedeemed | Step::Lost => "bad",
        Step::SignedIn | Step::Redeemed => "good",
        Step::Requested | Step::Departed | Step::Returned | Step::Consented | Step::CodeIssued => {
            ""
        }
    }
}

/// The time since the first step, such as `+1.25 s`.
fn after(passed: std::time::Duration) -> String {
    format!("+{:.2} s", passed.as_secs_f64())
}

/// The members of a step's detail, as text.
fn facts(detail: Option<&Value>) -> Vec<(String, String)> {
    let Some(members) = detail.and_then(Value::as_object) else { return Vec::new() };
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    };
    let told = members.iter().filter(|(_, value)| !value.is_null());
    told.map(|(name, value)| (name.replace('_', " "), text(value))).collect()
}
