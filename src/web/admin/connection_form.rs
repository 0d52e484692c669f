//! Making a connection, changing it, and turning Apple's keys.

use actix_web::{Error, HttpResponse, web};
use serde_json::Value;

use super::client_form::status_of;
use super::connection_fields::{fields, key_id_of, patch};
use super::connections::paste;
use super::form::Form;
use super::{Console, Posted, problems, safety, see_other};
use crate::op::admin::{AdminError, ConnectionChange, KeyTurn, ListedConnection, NewConnection};
use crate::protocol::admin::Role;
use crate::protocol::client_settings;
use crate::protocol::connection::{
    ConnectionKind, ConnectionSecrets, ConnectionSettings, Draft, draft,
};
use crate::protocol::secret::SecretString;
use crate::web::html;
use crate::web::page::admin::Problems;
use crate::web::page::admin::connections::{FindingRow, FormPage, KindsPage};
use crate::web::page::admin::safety::Conflict;

/// What do people sign in with?
pub(super) async fn kinds(console: Console) -> Result<HttpResponse, Error> {
    console.must_be(Role::Admin)?;
    Ok(console.page(&KindsPage { shell: console.shell() }))
}

/// An empty form.
pub(super) async fn new_page(
    console: Console,
    kind: web::Path<String>,
) -> Result<HttpResponse, Error> {
    console.must_be(Role::Admin)?;
    let draft = find_draft(&console, &kind)?;
    Ok(show_new(&console, &kind, &draft, None, Problems::default()))
}

fn find_draft(console: &Console, kind: &str) -> Result<Draft, Error> {
    draft(kind, None).ok_or_else(|| console.refuse(AdminError::NotFound))
}

fn show_new(
    console: &Console,
    kind: &str,
    draft: &Draft,
    typed: Option<&Form>,
    problems: Problems,
) -> HttpResponse {
    let id = typed.map_or_else(|| kind.to_owned(), |form| form.text("id"));
    let name =
        typed.map_or_else(|| draft.display_name.to_owned(), |form| form.text("display_name"));
    let template = FormPage {
        shell: console.shell(),
        heading: format!("Connect {}", draft.display_name),
        action: console.url(&format!("/connections/new/{kind}")),
        back: console.url("/connections"),
        is_apple: draft.settings.kind() == ConnectionKind::Apple,
        paste: paste(console, if id.is_empty() { kind } else { &id }, draft.settings.kind()),
        findings: None,
        id,
        display_name: name,
        fields: fields(&draft.settings, typed),
        version: None,
        has_secret: false,
        problems,
        conflict: None,
        touches: Vec::new(),
    };
    html::page(status_of(&template.problems, false), &template, &[])
}

/// The `.p8` that came as a file or was pasted, and the Key ID: as typed, or in the file's name.
fn key_of(form: &Form, field: &str, key_id: &str) -> (Option<SecretString>, Option<String>) {
    let (file_name, content) = form.file(field).unwrap_or_default();
    let pasted = form.text(&format!("{field}_text"));
    let key = if content.trim().is_empty() { pasted } else { content.to_owned() };
    let typed = Some(form.text(key_id)).filter(|id| !id.is_empty());
    let id = typed.or_else(|| key_id_of(file_name).map(ToOwned::to_owned));
    (Some(key).filter(|key| !key.trim().is_empty()).map(|key| key.trim().into()), id)
}

fn client_secret_of(form: &Form) -> Option<SecretString> {
    Some(form.text("client_secret")).filter(|secret| !secret.is_empty()).map(SecretString::from)
}

/// Connects.
pub(super) async fn create(posted: Posted, kind: web::Path<String>) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Admin)?;
    let draft = find_draft(&console, &kind)?;
    let (private_key, key_id) = key_of(&form, "private_key", "key_id");
    let mut change = patch(draft.settings.kind(), &form);
    if draft.settings.kind() == ConnectionKind::Apple {
        change.insert("key_id".to_owned(), key_id.map_or(Value::Null, Value::from));
    }
    let settings = match merged(&draft.settings, &change) {
        Ok(settings) => settings,
        Err(problems) => return Ok(show_new(&console, &kind, &draft, Some(&form), problems)),
    };
    let new = NewConnection {
        id: form.text("id"),
        display_name: Some(form.text("display_name")).filter(|name| !name.is_empty()),
        position: None,
        enabled: true,
        settings,
        secrets: ConnectionSecrets {
            private_key,
            client_secret: client_secret_of(&form),
            ..ConnectionSecrets::default()
        },
    };
    match console.app.administration.create_connection(&console.actor(), new).await {
        Ok(made) => {
            reload(&console).await?;
            let id = made.connection.id;
            Ok(see_other(&console.url(&format!("/connections/{id}?done=connected"))))
        }
        Err(AdminError::Invalid(found)) => {
            Ok(show_new(&console, &kind, &draft, Some(&form), problems(found)))
        }
        Err(error) => Err(console.refuse(error)),
    }
}

/// Members that a form must fill in come as `null` when they are empty; they are said to be
/// missing, by their names.
fn merged(
    settings: &ConnectionSettings,
    change: &serde_json::Map<String, Value>,
) -> Result<ConnectionSettings, Problems> {
    let mut missing = Problems::default();
    let needed: &[&str] = match settings.kind() {
        ConnectionKind::Apple => &["team_id", "key_id"],
        ConnectionKind::Oidc => &["issuer", "client_id"],
        ConnectionKind::Github => &["client_id"],
    };
    for member in needed {
        if change.get(*member).is_some_and(Value::is_null) {
            missing.push(member, "must not be empty");
        }
    }
    if missing.any() {
        return Err(missing);
    }
    client_settings::merge(settings, change).map_err(|error| {
        let mut problems = Problems::default();
        problems.push("main", &error.to_string());
        problems
    })
}

/// Takes up here at once what other replicas take up within seconds.
pub(super) async fn reload(console: &Console) -> Result<(), Error> {
    let reloaded = console.app.provider.reload_connectors().await;
    reloaded.map_err(|fault| console.fail(&fault))
}

pub(super) async fn find(console: &Console, id: &str) -> Result<ListedConnection, Error> {
    let found = console.app.administration.find_connection(id).await;
    found.map_err(|error| console.refuse(error))
}

/// The form of one that is there.
pub(super) async fn edit_page(
    console: Console,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    console.must_be(Role::Admin)?;
    let found = find(&console, &id).await?;
    show_edit(&console, &found, None, Problems::default(), None).await
}

/// The connection as it would stand if what was typed were saved over it.
fn typed_over(
    found: &ListedConnection,
    settings: &serde_json::Map<String, Value>,
    name: &str,
) -> Value {
    let mut typed = found.clone();
    name.clone_into(&mut typed.connection.display_name);
    if let Ok(settings) = merged(&found.connection.settings, settings) {
        typed.connection.settings = settings;
    }
    typed.to_json()
}

pub(super) async fn touched(console: &Console, found: &ListedConnection) -> Result<String, Error> {
    let administration = &console.app.administration;
    let effects = administration.effects_on_connection(&found.connection.id).await;
    effects.map(|effects| safety::touched(&effects)).map_err(|error| console.refuse(error))
}

/// The form as it was typed, with what the doctor found of what is saved beside it.
pub(super) async fn with_findings(
    console: &Console,
    id: &str,
    form: &Form,
    findings: Vec<FindingRow>,
) -> Result<HttpResponse, Error> {
    console.must_be(Role::Admin)?;
    let found = find(console, id).await?;
    let mut page = edit_of(console, &found, Some(form), Problems::default(), None).await?;
    page.version = Some(form.text("version"));
    page.findings = Some(findings);
    Ok(console.page(&page))
}

async fn show_edit(
    console: &Console,
    found: &ListedConnection,
    typed: Option<&Form>,
    problems: Problems,
    conflict: Option<Conflict>,
) -> Result<HttpResponse, Error> {
    let page = edit_of(console, found, typed, problems, conflict).await?;
    Ok(html::page(status_of(&page.problems, page.conflict.is_some()), &page, &[]))
}

async fn edit_of(
    console: &Console,
    found: &ListedConnection,
    typed: Option<&Form>,
    problems: Problems,
    conflict: Option<Conflict>,
) -> Result<FormPage, Error> {
    let connection = &found.connection;
    let own = console.url(&format!("/connections/{}", connection.id));
    let name = typed.map_or(connection.display_name.clone(), |form| form.text("display_name"));
    Ok(FormPage {
        shell: console.shell(),
        heading: format!("Edit {}", connection.display_name),
        action: format!("{own}/edit"),
        back: own,
        is_apple: connection.settings.kind() == ConnectionKind::Apple,
        paste: paste(console, connection.id.as_str(), connection.settings.kind()),
        findings: None,
        id: connection.id.to_string(),
        display_name: name,
        fields: fields(&connection.settings, typed),
        version: Some(connection.version.to_string()),
        has_secret: found.has_client_secret,
        problems,
        touches: vec![touched(console, found).await?],
        conflict,
    })
}

/// Saves, unless somebody else did meanwhile.
pub(super) async fn save(posted: Posted, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Admin)?;
    let found = find(&console, &id).await?;
    let kind = found.connection.settings.kind();
    let (private_key, key_id) = key_of(&form, "private_key", "key_id");
    let mut settings = patch(kind, &form);
    if kind == ConnectionKind::Apple {
        settings.insert("key_id".to_owned(), key_id.map_or(Value::Null, Value::from));
    }
    let mut early = merged(&found.connection.settings, &settings).err().unwrap_or_default();
    let version = form.text("version").parse().ok();
    if version.is_none() {
        early.push("version", "is missing; load the page again");
    }
    if early.any() {
        return show_edit(&console, &found, Some(&form), early, None).await;
    }
    let change = ConnectionChange {
        version,
        display_name: Some(form.text("display_name")),
        position: None,
        enabled: None,
        settings: settings.clone(),
        client_secret: client_secret_of(&form),
        private_key,
    };
    let done = console.app.administration.update_connection(&console.actor(), &id, change).await;
    match done {
        Ok(_) => {
            reload(&console).await?;
            Ok(see_other(&console.url(&format!("/connections/{id}?done=saved"))))
        }
        Err(AdminError::Invalid(list)) => {
            show_edit(&console, &found, Some(&form), problems(list), None).await
        }
        Err(AdminError::Conflict) => {
            let found = find(&console, &id).await?;
            let stands = found.to_json();
            let typed = typed_over(&found, &settings, &form.text("display_name"));
            let kind = "connection.updated";
            let both = safety::conflict(&console, kind, &id, &stands, &typed).await?;
            show_edit(&console, &found, Some(&form), Problems::default(), Some(both)).await
        }
        Err(error) => Err(console.refuse(error)),
    }
}

/// Stages, promotes or discards the key that follows.
pub(super) async fn turn_key(posted: Posted, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Admin)?;
    let found = find(&console, &id).await?;
    let turn = match form.text("turn").as_str() {
        "promote" => KeyTurn::Promote,
        "discard" => KeyTurn::Discard,
        _ => {
            let (Some(private_key), Some(key_id)) =
                key_of(&form, "next_private_key", "next_key_id")
            else {
                let url = console.url(&format!("/connections/{id}?done=key-missing"));
                return Ok(see_other(&url));
            };
            KeyTurn::Stage { key_id, private_key }
        }
    };
    let seen = Some(found.connection.version).filter(|_| !found.file_managed);
    let turned =
        console.app.administration.turn_connection_key(&console.actor(), &id, seen, turn).await;
    turned.map_err(|error| console.refuse(error))?;
    reload(&console).await?;
    Ok(see_other(&console.url(&format!("/connections/{id}?done=key-turned"))))
}
