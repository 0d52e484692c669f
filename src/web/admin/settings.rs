//! Settings, and the keys of the admin API.

use actix_web::{Error, HttpResponse, web};

use super::client_form::status_of;
use super::form::Form;
use super::{Console, Posted, moment, problems, see_other};
use crate::op::admin::AdminError;
use crate::op::admin::reveal::Reveal;
use crate::op::admin::settings::Settings;
use crate::protocol::admin::Role;
use crate::protocol::api_key::{ApiKey, ApiScope};
use crate::web::html;
use crate::web::page::admin::settings::{KeyMadePage, KeyRow, SettingsPage};
use crate::web::page::admin::{Choice, Problems};

/// What was typed for a new key.
#[derive(Default)]
struct Typed {
    name: String,
    scope: Vec<String>,
    days: String,
}

/// The settings as they stand.
pub(super) async fn show(console: Console) -> Result<HttpResponse, Error> {
    let typed = Typed { days: "90".to_owned(), ..Typed::default() };
    page(&console, None, &typed, Problems::default(), false).await
}

async fn page(
    console: &Console,
    form: Option<&Form>,
    typed: &Typed,
    problems: Problems,
    conflict: bool,
) -> Result<HttpResponse, Error> {
    let administration = &console.app.administration;
    let refuse = |error| console.refuse(error);
    let (settings, version) = administration.settings().await.map_err(refuse)?;
    let keys = administration.list_api_keys().await.map_err(refuse)?;
    let now = console.app.provider.now();
    let row = |key: &ApiKey| KeyRow {
        id: key.id.clone(),
        name: key.name.clone(),
        scope: key.scope.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" "),
        created_by: key.created_by.clone(),
        expires_at: moment(key.expires_at),
        last_used_at: key.last_used_at.map(moment),
        alive: key.is_alive(now),
        revoked: key.revoked_at.is_some(),
    };
    let scope = |scope: ApiScope| Choice {
        value: scope.as_str().to_owned(),
        label: scope.as_str().to_owned(),
        hint: String::new(),
        chosen: typed.scope.iter().any(|chosen| chosen == scope.as_str()),
    };
    let opens = form.map_or(settings.console_connections, |form| form.all("console_connections"));
    let status = status_of(&problems, conflict);
    let template = SettingsPage {
        shell: console.shell(),
        is_owner: console.admin.role >= Role::Owner,
        issuer: console.app.provider.issuer().to_owned(),
        audit_retention_days: form.map_or_else(
            || settings.audit_retention_days.to_string(),
            |form| form.text("audit_retention_days"),
        ),
        require_second_factor: form
            .map_or(settings.require_second_factor, |form| form.ticked("require_second_factor")),
        console_connections: console
            .app
            .provider
            .connectors()
            .iter()
            .map(|connector| Choice {
                value: connector.id().to_string(),
                label: connector.display_name().to_owned(),
                hint: String::new(),
                chosen: opens.iter().any(|id| id == connector.id().as_str()),
            })
            .collect(),
        version: version.to_string(),
        conflict,
        keys: keys.iter().map(row).collect(),
        key_name: typed.name.clone(),
        key_scope: ApiScope::ALL.map(scope).into(),
        key_days: typed.days.clone(),
        problems,
    };
    Ok(html::page(status, &template, &[]))
}

/// Saves the settings.
pub(super) async fn save(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Owner)?;
    let administration = &console.app.administration;
    let retention = form.text("audit_retention_days");
    let typed = Typed { days: "90".to_owned(), ..Typed::default() };
    let Ok(days) = retention.parse::<u32>() else {
        let mut problems = Problems::default();
        problems.push("audit_retention_days", "must be a whole number of days");
        return page(&console, Some(&form), &typed, problems, false).await;
    };
    let settings = Settings {
        audit_retention_days: days,
        require_second_factor: form.ticked("require_second_factor"),
        console_connections: form.all("console_connections"),
    };
    let version = form.text("version").parse().unwrap_or(-1);
    match administration.change_settings(&console.actor(), settings, version).await {
        Ok(()) => Ok(see_other(&console.url("/settings?done=saved"))),
        Err(AdminError::Conflict) => {
            page(&console, Some(&form), &typed, Problems::default(), true).await
        }
        Err(AdminError::Invalid(found)) => {
            page(&console, Some(&form), &typed, problems(found), false).await
        }
        Err(error) => Err(console.refuse(error)),
    }
}

/// Makes a key, and goes on to the page that shows it this once.
pub(super) async fn create_key(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Owner)?;
    let typed = Typed {
        name: form.text("key_name"),
        scope: form.all("key_scope"),
        days: form.text("key_days"),
    };
    let scope: Vec<ApiScope> =
        typed.scope.iter().filter_map(|name| ApiScope::parse(name)).collect();
    let days = typed.days.parse().unwrap_or(0);
    let administration = &console.app.administration;
    let made = administration.create_api_key(&console.actor(), &typed.name, scope, days).await;
    match made {
        Ok((key, secret)) => {
            let heading = format!("The key {} is made", key.name);
            let secret = Some(secret.expose().clone());
            let reveal = Reveal { heading, of: "api_keys".to_owned(), secret };
            let kept = administration.keep_reveal(&console.cookie, &reveal).await;
            let handle = kept.map_err(|error| console.refuse(error))?;
            Ok(see_other(&console.url(&format!("/settings/keys/{handle}"))))
        }
        Err(AdminError::Invalid(found)) => {
            page(&console, None, &typed, problems(found), false).await
        }
        Err(error) => Err(console.refuse(error)),
    }
}

/// Shows a new key, the first time that it is asked for.
pub(super) async fn key_page(
    console: Console,
    handle: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let shown = console.app.administration.reveal(&console.cookie, &handle).await;
    let reveal = shown.map_err(|error| console.refuse(error))?;
    let reveal = reveal.filter(|reveal| reveal.of == "api_keys");
    let Some((reveal, secret)) = reveal.and_then(|mut reveal| {
        let secret = reveal.secret.take()?;
        Some((reveal, secret))
    }) else {
        return Ok(see_other(&console.url("/settings?done=already-shown")));
    };
    Ok(console.page(&KeyMadePage {
        shell: console.shell(),
        heading: reveal.heading,
        secret,
        api: format!("{}/admin/api/v1", console.app.provider.issuer()),
    }))
}

/// Revokes a key.
pub(super) async fn revoke_key(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Owner)?;
    let administration = &console.app.administration;
    let done = administration.revoke_api_key(&console.actor(), &form.text("key")).await;
    done.map_err(|error| console.refuse(error))?;
    Ok(see_other(&console.url("/settings?done=revoked")))
}
