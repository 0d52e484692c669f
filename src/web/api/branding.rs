//! How the installation looks, in the admin API.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpResponse, web};
use askama::Template as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{Caller, answer, created};
use crate::op::admin::branding::{LARGEST_PICTURE, problems};
use crate::op::admin::{AdminError, FieldProblem};
use crate::op::branding::ClientLook;
use crate::protocol::branding::Branding;
use crate::protocol::colour::ENOUGH;
use crate::protocol::id::ClientId;
use crate::web::brand::{EXAMPLE, sample};
use crate::web::page::interaction::ChoosePage;

/// The longest body with a picture in it.
pub(super) const MAX_UPLOAD: usize = LARGEST_PICTURE / 3 * 4 + 1024;

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/branding").route(web::get().to(show)).route(web::patch().to(change)),
        )
        .service(web::resource("/branding/preview").route(web::post().to(preview)))
        .service(
            web::resource("/clients/{client_id}/branding/preview")
                .route(web::post().to(preview_client)),
        )
        .service(
            web::resource("/pictures")
                .app_data(web::PayloadConfig::new(MAX_UPLOAD))
                .route(web::post().to(keep_picture)),
        );
}

fn described(branding: &Branding, version: i32) -> Value {
    let mut body = json!(branding);
    if let Some(members) = body.as_object_mut() {
        members.insert("version".to_owned(), json!(version));
    }
    body
}

async fn standing(caller: &Caller) -> Result<(Branding, i32), Error> {
    caller.got(caller.app.administration.branding().await)
}

async fn show(caller: Caller) -> Result<HttpResponse, Error> {
    let (branding, version) = standing(&caller).await?;
    Ok(answer(described(&branding, version)))
}

/// A member that is null is taken away, one that is absent stays (RFC 7396).
fn merged(stands: &Branding, members: Map<String, Value>) -> Result<Branding, AdminError> {
    let mut document = json!(stands);
    if let Some(known) = document.as_object_mut() {
        for (name, value) in members {
            if value.is_null() {
                known.remove(&name);
            } else {
                known.insert(name, value);
            }
        }
    }
    let read = serde_json::from_value(document);
    read.map_err(|error| {
        AdminError::Invalid(vec![FieldProblem::new("branding", error.to_string())])
    })
}

async fn change(caller: Caller, body: web::Bytes) -> Result<HttpResponse, Error> {
    let members = caller.members(&body)?;
    let (stands, version) = standing(&caller).await?;
    let seen = caller.seen(version)?;
    let branding = caller.got(merged(&stands, members))?;
    let administration = &caller.app.administration;
    caller.got(administration.change_branding(&caller.actor(), branding, seen).await)?;
    if let Err(fault) = caller.app.provider.reload_branding().await {
        tracing::error!(%fault, "the new branding is not shown yet");
    }
    let (branding, version) = standing(&caller).await?;
    Ok(answer(described(&branding, version)))
}

/// How the installation would look, if what is sent were changed.
async fn preview(caller: Caller, body: web::Bytes) -> Result<HttpResponse, Error> {
    let members = caller.members(&body)?;
    let (stands, _) = standing(&caller).await?;
    let branding = caller.got(merged(&stands, members))?;
    refuse(&caller, branding.problems())?;
    let page = sampled(&caller, &branding, None, EXAMPLE);
    previewed(&caller, &branding.contrasts(), &page)
}

/// How a client would look.
async fn preview_client(
    caller: Caller,
    id: web::Path<String>,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    let members = caller.members(&body)?;
    let id = ClientId::new(id.into_inner());
    let client = caller.got(caller.app.administration.find_client(&id).await)?;
    let stands = client.settings.branding.unwrap_or_default();
    let branding = caller.got(merged(&stands, members))?;
    refuse(&caller, branding.problems_of_client())?;
    let contrasts = branding.contrasts();
    let look = ClientLook { branding, ..ClientLook::default() };
    let installation = caller.app.provider.branding();
    let page = sampled(&caller, &installation, Some(&look), &client.client_name);
    previewed(&caller, &contrasts, &page)
}

fn refuse(caller: &Caller, found: Vec<(&'static str, String)>) -> Result<(), Error> {
    if found.is_empty() {
        return Ok(());
    }
    Err(caller.refuse(AdminError::Invalid(problems(found))))
}

/// Its links are whole addresses: whoever keeps it opens it from elsewhere.
fn sampled(
    caller: &Caller,
    branding: &Branding,
    client: Option<&ClientLook>,
    client_name: &str,
) -> ChoosePage {
    let app = &caller.app;
    sample(app, app.provider.issuer(), branding, client, client_name)
}

/// The page is a member and not the answer: no browser that comes here takes it for a page of ours.
fn previewed(
    caller: &Caller,
    contrasts: &[(&'static str, f64)],
    page: &ChoosePage,
) -> Result<HttpResponse, Error> {
    let html = page.render().map_err(|error| {
        tracing::error!(%error, "a page could not be rendered");
        caller.problem(StatusCode::INTERNAL_SERVER_ERROR, "Russet failed", None)
    })?;
    // To a tenth, as the refusal of one says it, and never up to what would be enough.
    let shown = |ratio: f64| (ratio * 10.0).floor() / 10.0;
    let contrasts: Vec<_> = contrasts
        .iter()
        .map(|(field, ratio)| json!({ "field": field, "ratio": shown(*ratio), "needed": ENOUGH }))
        .collect();
    Ok(answer(json!({ "html": html, "contrasts": contrasts })))
}

async fn keep_picture(caller: Caller, body: web::Bytes) -> Result<HttpResponse, Error> {
    let mut members = caller.members(&body)?;
    let content = members.remove("content");
    caller.nothing_else(&members)?;
    let content = content.as_ref().and_then(Value::as_str);
    let content = content.and_then(|content| STANDARD.decode(content).ok());
    let content = content.ok_or_else(|| caller.invalid("content", "must be a file in base64"))?;
    let administration = &caller.app.administration;
    let kept = administration.keep_picture(&caller.actor(), None, content).await;
    Ok(created(None, json!({ "id": caller.got(kept)? })))
}
