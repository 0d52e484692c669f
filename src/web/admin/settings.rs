//! Settings, and the keys of the admin API.

use actix_web::{Error, HttpRequest, HttpResponse, web};
use serde_json::json;

use super::client_form::status_of;
use super::form::{Form, query};
use super::paging::{PAGE, pages};
use super::safety::{self, Question, conflict};
use super::{Console, Posted, moment, problems, see_other};
use crate::op::admin::reveal::Reveal;
use crate::op::admin::settings::Settings;
use crate::op::admin::{AdminError, ListQuery};
use crate::protocol::admin::Role;
use crate::protocol::api_key::{ApiKey, ApiScope};
use crate::protocol::digits;
use crate::web::html;
use crate::web::page::admin::safety::Conflict;
use crate::web::page::admin::settings::{KeyMadePage, KeyRow, SettingsPage};
use crate::web::page::admin::{Choice, Problems};

/// What was typed for a new key, and which part of the list of keys is looked at.
#[derive(Default)]
struct Typed {
    q: String,
    after: Option<String>,
    name: String,
    scope: Vec<String>,
    days: String,
}

/// What stands in the way of saving the settings at once.
#[derive(Default)]
struct Safety {
    /// What somebody else saved meanwhile.
    conflict: Option<Conflict>,
    /// What would be lost, counted.
    warned: Option<String>,
    /// The retention for which that was told.
    confirm_days: Option<u32>,
}

/// The settings as they stand.
pub(super) async fn show(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let given = |name: &str| query(&request, name).filter(|value| !value.is_empty());
    let typed = Typed {
        q: given("q").unwrap_or_default().trim().to_owned(),
        after: given("after"),
        days: "90".to_owned(),
        ..Typed::default()
    };
    page(&console, None, &typed, Problems::default(), Safety::default()).await
}

async fn page(
    console: &Console,
    form: Option<&Form>,
    typed: &Typed,
    problems: Problems,
    safety: Safety,
) -> Result<HttpResponse, Error> {
    let administration = &console.app.administration;
    let refuse = |error| console.refuse(error);
    let (settings, version) = administration.settings().await.map_err(refuse)?;
    let part = ListQuery {
        search: Some(typed.q.clone()).filter(|q| !q.is_empty()),
        after: typed.after.clone(),
        limit: PAGE,
        ..ListQuery::default()
    };
    let keys = administration.page_of_api_keys(&part).await.map_err(refuse)?;
    let cursor = ("after", typed.after.as_deref(), keys.next.as_deref());
    let key_pages = pages(console, "/settings", &[("q", &typed.q)], cursor);
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
        hint: scope.words().to_owned(),
        chosen: typed.scope.iter().any(|chosen| chosen == scope.as_str()),
    };
    let opens = form.map_or(settings.console_connections, |form| form.all("console_connections"));
    let status = status_of(&problems, safety.conflict.is_some());
    let bare = administration.bare_admins().await.map_err(refuse)?;
    let mut touches = safety.warned.into_iter().collect::<Vec<_>>();
    touches.push(format!(
        "{} no second factor; where one is required, it is set up before anything else.",
        match bare.len() {
            1 => "1 console account has".to_owned(),
            number => format!("{number} console accounts have"),
        },
    ));
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
        require_local_second_factor: form.map_or(settings.require_local_second_factor, |form| {
            form.ticked("require_local_second_factor")
        }),
        local_accounts: console.app.provider.offers_local_accounts(),
        version: version.to_string(),
        conflict: safety.conflict,
        touches,
        confirm_days: safety.confirm_days,
        q: typed.q.clone(),
        keys: keys.items.iter().map(row).collect(),
        key_pages,
        key_name: typed.name.clone(),
        key_scope: ApiScope::ALL.iter().copied().map(scope).collect(),
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
    let Some(days) = digits::number::<u32>(&retention) else {
        let mut problems = Problems::default();
        problems.push("audit_retention_days", "must be a whole number of days");
        return page(&console, Some(&form), &typed, problems, Safety::default()).await;
    };
    let settings = Settings {
        audit_retention_days: days,
        require_second_factor: form.ticked("require_second_factor"),
        console_connections: form.all("console_connections"),
        require_local_second_factor: form.ticked("require_local_second_factor"),
    };
    let version = form.text("version").parse().unwrap_or(-1);
    if let Some(safety) = warned(&console, &form, days).await? {
        return page(&console, Some(&form), &typed, Problems::default(), safety).await;
    }
    let wanted = json!(settings);
    match administration.change_settings(&console.actor(), settings, version).await {
        Ok(()) => Ok(see_other(&console.url("/settings?done=saved"))),
        Err(AdminError::Conflict) => {
            let stands = administration.settings().await;
            let (stands, _) = stands.map_err(|error| console.refuse(error))?;
            let (kind, target) = ("settings.updated", "console");
            let found = conflict(&console, kind, target, &json!(stands), &wanted).await?;
            let safety = Safety { conflict: Some(found), ..Safety::default() };
            page(&console, Some(&form), &typed, Problems::default(), safety).await
        }
        Err(AdminError::Invalid(found)) => {
            page(&console, Some(&form), &typed, problems(found), Safety::default()).await
        }
        Err(error) => Err(console.refuse(error)),
    }
}

/// Warns once of a retention that lets more events go than the one that stands.
async fn warned(console: &Console, form: &Form, days: u32) -> Result<Option<Safety>, Error> {
    let administration = &console.app.administration;
    let refuse = |error| console.refuse(error);
    let (stands, _) = administration.settings().await.map_err(refuse)?;
    let before = stands.audit_retention_days;
    let shorter = days > 0 && (before == 0 || days < before);
    if !shorter || form.text("confirmed").parse() == Ok(days) {
        return Ok(None);
    }
    let gone = administration.events_older_than(days).await.map_err(refuse)?;
    if gone == 0 {
        return Ok(None);
    }
    let warned = format!(
        "{} older than {days} days and would be let go for good. Save again if that is meant.",
        match gone {
            1 => "1 event is".to_owned(),
            number => format!("{number} events are"),
        },
    );
    Ok(Some(Safety { warned: Some(warned), confirm_days: Some(days), ..Safety::default() }))
}

/// Makes a key, and goes on to the page that shows it this once.
pub(super) async fn create_key(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Owner)?;
    let typed = Typed {
        name: form.text("key_name"),
        scope: form.all("key_scope"),
        days: form.text("key_days"),
        ..Typed::default()
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
            page(&console, None, &typed, problems(found), Safety::default()).await
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
        back: console.url("/settings"),
    }))
}

/// Asks.
pub(super) async fn revoke_page(
    console: Console,
    request: HttpRequest,
) -> Result<HttpResponse, Error> {
    console.must_be(Role::Owner)?;
    let key = find_key(&console, &query(&request, "key").unwrap_or_default()).await?;
    Ok(ask(&console, key, false))
}

async fn find_key(console: &Console, id: &str) -> Result<ApiKey, Error> {
    let key = console.app.administration.living_api_key(id).await;
    key.map_err(|error| console.refuse(error))
}

fn ask(console: &Console, key: ApiKey, wrong: bool) -> HttpResponse {
    let used = match key.last_used_at {
        Some(at) => {
            format!("It was last used {}. Whatever uses it is refused at once.", moment(at))
        }
        None => "It was not used yet.".to_owned(),
    };
    let question = Question {
        heading: format!("Revoke the key {}?", key.name),
        consequences: vec![used, "It cannot be undone; make another key first.".to_owned()],
        name: Some(key.name),
        button: "Revoke",
        action: console.url("/settings/keys/revoke"),
        back: console.url("/settings"),
        carried: vec![("key", key.id)],
    };
    safety::ask(console, question, wrong)
}

/// Revokes a key, if its name was typed.
pub(super) async fn revoke_key(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Owner)?;
    let key = find_key(&console, &form.text("key")).await?;
    if form.text("confirm") != key.name.trim() {
        return Ok(ask(&console, key, true));
    }
    let administration = &console.app.administration;
    let done = administration.revoke_api_key(&console.actor(), &form.text("key")).await;
    done.map_err(|error| console.refuse(error))?;
    Ok(see_other(&console.url("/settings?done=revoked")))
}
