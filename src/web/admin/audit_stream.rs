//! Who is told the audit log as it grows, and the views of it that people keep.

use actix_web::{Error, HttpResponse, web};

use super::audit_words::AREAS;
use super::client_form::status_of;
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
        .service(web::resource("/admin/audit/stream/remove").route(web::post().to(remove)))
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

async fn remove(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
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
