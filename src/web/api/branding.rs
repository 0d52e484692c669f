//! How the installation looks, in the admin API.

use actix_web::{Error, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{Caller, answer, created};
use crate::op::admin::branding::LARGEST_PICTURE;
use crate::op::admin::{AdminError, FieldProblem};
use crate::protocol::branding::Branding;

/// The longest body with a picture in it.
pub(super) const MAX_UPLOAD: usize = LARGEST_PICTURE / 3 * 4 + 1024;

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/branding").route(web::get().to(show)).route(web::patch().to(change)),
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
