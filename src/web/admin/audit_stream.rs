//! Who is told the audit log as it grows, and the views of it that people keep.

use actix_web::{Error, HttpRequest, HttpResponse, web};

use super::audit_words::AREAS;
use super::client_form::status_of;
use super::form::query;
use super::safety::{self, Question};
use super::{Console, Posted, moment, problems, see_other};
use crate::op::admin::AdminError;
use crate::op::audit_stream::{AuditReceiver, Progress};
use crate::protocol::admin::Role;
use crate::web::html;
use crate::web::page::admin::audit::{ReceiverRow, StreamPage};
use crate::web::page::admin::{Choice, Problems};

/// The routes of this room.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/admin/audit/stream")
                .route(web::get().to(show))
                .route(web::post().to(add)),
        )
        .service(
            web::resource("/admin/audit/stream/remove")
                .route(web::get().to(remove_page))
                .route(web::post().to(remove)),
        )
        .service(web::resource("/admin/audit/views").route(web::post().to(keep)))
        .service(web::resource("/admin/audit/views/forget").route(web::post().to(forget)));
}

async fn show(console: Console) -> Result<HttpResponse, Error> {
    page(&console, "", "", "", Problems::default()).await
}

async fn page(
    console: &Console,
    name: &str,
    url: &str,
    area: &str,
    problems: Problems,
) -> Result<HttpResponse, Error> {
    let receivers = console.app.administration.audit_receivers().await;
    let receivers = receivers.map_err(|error| console.refuse(error))?;
    let row = |(receiver, progress): (AuditReceiver, Progress)| ReceiverRow {
        id: receiver.id,
        name: receiver.name,
        url: receiver.url,
        area: receiver.area,
        seq: progress.seq.to_string(),
        taken_at: progress.taken_at.map(moment),
        error: progress.last_error,
        due_at: moment(progress.due_at),
    };
    let choice = |(value, label): (&str, &str)| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        hint: String::new(),
        chosen: value == area,
    };
    let template = StreamPage {
        shell: console.shell(),
        is_owner: console.admin.role >= Role::Owner,
        issuer: console.app.provider.issuer().to_owned(),
        receivers: receivers.into_iter().map(row).collect(),
        name: name.to_owned(),
        url: url.to_owned(),
        areas: std::iter::once(("", "Everything")).chain(AREAS).map(choice).collect(),
        problems: problems.clone(),
    };
    Ok(html::page(status_of(&problems, false), &template, &[]))
}

async fn add(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    let (name, url, area) = (form.text("name"), form.text("url"), form.text("area"));
    let administration = &console.app.administration;
    match administration.add_audit_receiver(&console.actor(), &name, &url, &area).await {
        Ok(_) => Ok(see_other(&console.url("/audit/stream?done=saved"))),
        Err(AdminError::Invalid(found)) => {
            page(&console, &name, &url, &area, problems(found)).await
        }
        Err(error) => Err(console.refuse(error)),
    }
}

async fn find(console: &Console, id: &str) -> Result<(AuditReceiver, Progress), Error> {
    let receivers = console.app.administration.audit_receivers().await;
    let receivers = receivers.map_err(|error| console.refuse(error))?;
    let found = receivers.into_iter().find(|(receiver, _)| receiver.id == id);
    found.ok_or_else(|| console.refuse(AdminError::NotFound))
}

fn ask(
    console: &Console,
    (receiver, progress): (AuditReceiver, Progress),
    wrong: bool,
) -> HttpResponse {
    let question = Question {
        heading: format!("Tell {} no more?", receiver.name),
        consequences: vec![
            format!(
                "{} gets nothing after link {}. Added again, it hears what happens from then on \
                 and never what lies between.",
                receiver.url, progress.seq
            ),
            "What was kept for it beyond the retention goes when the log is next shortened."
                .to_owned(),
        ],
        name: Some(receiver.name),
        button: "Remove it",
        action: console.url("/audit/stream/remove"),
        back: console.url("/audit/stream"),
        carried: vec![("id", receiver.id)],
    };
    safety::ask(console, question, wrong)
}

/// Asks.
async fn remove_page(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    console.must_be(Role::Owner)?;
    let found = find(&console, &query(&request, "id").unwrap_or_default()).await?;
    Ok(ask(&console, found, false))
}

/// Removes a receiver, if its name was typed.
async fn remove(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Owner)?;
    let found = find(&console, &form.text("id")).await?;
    if form.text("confirm") != found.0.name.trim() {
        return Ok(ask(&console, found, true));
    }
    let administration = &console.app.administration;
    let removed = administration.remove_audit_receiver(&console.actor(), &form.text("id")).await;
    removed.map_err(|error| console.refuse(error))?;
    Ok(see_other(&console.url("/audit/stream?done=deleted")))
}

/// Keeps the filter of the list under a name.
async fn keep(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    let query = form.text("query");
    let administration = &console.app.administration;
    let kept = administration.keep_audit_view(&console.actor(), &form.text("name"), &query).await;
    kept.map_err(|error| console.refuse(error))?;
    Ok(see_other(&console.url(&format!("/audit{query}&done=saved"))))
}

async fn forget(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    let administration = &console.app.administration;
    let gone = administration.forget_audit_view(&console.actor(), &form.text("name")).await;
    gone.map_err(|error| console.refuse(error))?;
    Ok(see_other(&console.url("/audit?done=deleted")))
}
