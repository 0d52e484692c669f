//! The settings in the admin API.

use actix_web::{Error, HttpResponse, web};
use serde_json::{Value, json};

use super::{Caller, answer};
use crate::op::admin::settings::Settings;
use crate::protocol::client_settings::merge;

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::resource("/settings").route(web::get().to(show)).route(web::patch().to(change)),
    );
}

fn described(settings: &Settings, version: i32) -> Value {
    json!({
        "audit_retention_days": settings.audit_retention_days,
        "require_second_factor": settings.require_second_factor,
        "require_local_second_factor": settings.require_local_second_factor,
        "console_connections": settings.console_connections,
        "version": version,
    })
}

async fn show(caller: Caller) -> Result<HttpResponse, Error> {
    let (settings, version) = caller.got(caller.app.administration.settings().await)?;
    Ok(answer(described(&settings, version)))
}

const MEMBERS: [&str; 4] = [
    "audit_retention_days",
    "require_second_factor",
    "require_local_second_factor",
    "console_connections",
];

async fn change(caller: Caller, body: web::Bytes) -> Result<HttpResponse, Error> {
    let patch = caller.members(&body)?;
    let mut unknown = patch.clone();
    unknown.retain(|name, _| !MEMBERS.contains(&name.as_str()));
    caller.nothing_else(&unknown)?;
    let administration = &caller.app.administration;
    let (stands, version) = caller.got(administration.settings().await)?;
    let seen = caller.seen(version)?;
    let changed = merge(&stands, &patch);
    let changed: Settings =
        changed.map_err(|error| caller.invalid("settings", &error.to_string()))?;
    caller.got(administration.change_settings(&caller.actor(), changed, seen).await)?;
    let (settings, version) = caller.got(administration.settings().await)?;
    Ok(answer(described(&settings, version)))
}
