//! Console accounts: who there is, what they may do, where they are signed in.

use actix_web::{Error, HttpRequest, HttpResponse, web};
use serde_json::json;

use super::client_form::status_of;
use super::form::{Form, lines, query, with_query};
use super::{Console, Posted, browser, identities, moment, problems, safety, see_other};
use crate::op::admin::colleagues::AdminChange;
use crate::op::admin::effects::admin_metadata;
use crate::op::admin::{AdminError, HeldFactors, NewAdmin};
use crate::protocol::admin::{Admin, Role};
use crate::protocol::id::{AdminId, ClientId};
use crate::protocol::secret::SecretString;
use crate::web::html;
use crate::web::page::admin::admins::{AdminRow, EditPage, ListPage, SessionRow};
use crate::web::page::admin::safety::Conflict;
use crate::web::page::admin::{Choice, Problems};

/// Accounts on one page of the list.
const PAGE: u32 = 50;
/// Sessions that the list shows; the newest.
const MOST_SESSIONS: usize = 100;

/// Every account, every session, and the form for a new one.
pub(super) async fn list(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let asked = |name| query(&request, name).unwrap_or_default();
    let wanted = (asked("q").trim().to_owned(), asked("after"));
    show(&console, &wanted, "", Role::Admin, Problems::default()).await
}

async fn show(
    console: &Console,
    (q, after): &(String, String),
    username: &str,
    role: Role,
    problems: Problems,
) -> Result<HttpResponse, Error> {
    let administration = &console.app.administration;
    let refuse = |error| console.refuse(error);
    let admins = administration.list_admins().await.map_err(refuse)?;
    let sessions = administration.list_console_sessions().await.map_err(refuse)?;
    let (shown, more) = administration.page_of_admins(q, after, PAGE).await.map_err(refuse)?;
    let next_url = shown.last().filter(|_| more).map(|last| {
        console.url(&format!("/admins{}", with_query(&[("q", q), ("after", &last.username)])))
    });
    let row = |admin: &Admin| AdminRow {
        url: console.url(&format!("/admins/{}", admin.username)),
        username: admin.username.clone(),
        role: admin.role.as_str(),
        own: admin.id == console.admin.id,
        disabled: admin.disabled_at.is_some(),
        sessions: sessions.iter().filter(|session| session.admin_id == admin.id).count(),
        created_at: moment(admin.created_at),
    };
    let name = |id: &AdminId| {
        let found = admins.iter().find(|admin| admin.id == *id);
        found.map(|admin| admin.username.clone()).unwrap_or_default()
    };
    let status = status_of(&problems, false);
    let template = ListPage {
        shell: console.shell(),
        is_owner: console.admin.role >= Role::Owner,
        q: q.clone(),
        paged: !after.is_empty(),
        next_url,
        rows: shown.iter().map(row).collect(),
        sessions: sessions
            .iter()
            .take(MOST_SESSIONS)
            .map(|session| SessionRow {
                id: session.id.clone(),
                username: name(&session.admin_id),
                agent: browser(session.user_agent.as_deref()),
                through: session
                    .connection_id
                    .as_ref()
                    .map(|connection| console.connection_name(connection)),
                since: moment(session.created_at),
                until: moment(session.idle_expires_at.min(session.expires_at)),
            })
            .collect(),
        further_sessions: sessions.len().saturating_sub(MOST_SESSIONS),
        username: username.to_owned(),
        roles: roles(role),
        problems,
    };
    Ok(html::page(status, &template, &[]))
}

fn roles(chosen: Role) -> Vec<Choice> {
    let words = |role| match role {
        Role::Editor => "Changes the clients given to them, sees nothing else",
        Role::Viewer => "Sees everything, changes nothing",
        Role::Admin => "Changes clients, APIs and people",
        Role::Owner => "Also console accounts, keys and settings",
    };
    Role::ALL
        .map(|role| Choice {
            value: role.as_str().to_owned(),
            label: role.as_str().to_owned(),
            hint: words(role).to_owned(),
            chosen: role == chosen,
        })
        .into()
}

/// Makes an account.
pub(super) async fn create(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Owner)?;
    let role = Role::parse(&form.text("role")).unwrap_or(Role::Viewer);
    let username = form.text("username");
    let new = NewAdmin {
        username: username.clone(),
        role,
        password: Some(SecretString::new(form.exact("new_password"))),
    };
    match console.app.administration.create_admin(&console.actor(), new).await {
        Ok(admin) => {
            let page =
                if role == Role::Editor { format!("/{}", admin.username) } else { String::new() };
            Ok(see_other(&console.url(&format!("/admins{page}?done=account-made"))))
        }
        Err(AdminError::Invalid(found)) => {
            let first = <(String, String)>::default();
            show(&console, &first, &username, role, problems(found)).await
        }
        Err(error) => Err(console.refuse(error)),
    }
}

async fn find(console: &Console, username: &str) -> Result<Admin, Error> {
    let found = console.app.administration.list_admins().await;
    let found = found.map_err(|error| console.refuse(error))?;
    let admin = found.into_iter().find(|admin| admin.username == username);
    admin.ok_or_else(|| console.refuse(AdminError::NotFound))
}

/// One account.
pub(super) async fn edit_page(
    console: Console,
    username: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let admin = find(&console, &username).await?;
    edit(&console, &admin, None, Problems::default(), None).await
}

async fn edit(
    console: &Console,
    admin: &Admin,
    typed: Option<&Form>,
    problems: Problems,
    conflict: Option<Conflict>,
) -> Result<HttpResponse, Error> {
    let held = console.app.administration.factors_of(&admin.id).await;
    let held = held.map_err(|error| console.refuse(error))?;
    let settings = console.app.administration.settings().await;
    let clients: Vec<_> = admin.clients.iter().map(ClientId::as_str).collect();
    let role = typed.and_then(|form| Role::parse(&form.text("role"))).unwrap_or(admin.role);
    let status = status_of(&problems, conflict.is_some());
    let template = EditPage {
        shell: console.shell(),
        is_owner: console.admin.role >= Role::Owner,
        username: admin.username.clone(),
        disabled: typed.map_or(admin.disabled_at.is_some(), |form| form.ticked("disabled")),
        roles: roles(role),
        clients: typed.map_or_else(|| clients.join("\n"), |form| form.exact("clients")),
        version: admin.version.to_string(),
        conflict,
        factors: factors(&held),
        identities: identities::rows(console, admin).await?,
        may_invite: !settings
            .map_err(|error| console.refuse(error))?
            .0
            .console_connections
            .is_empty(),
        protected: held.any(),
        problems,
    };
    Ok(html::page(status, &template, &[]))
}

/// What an account has besides its password, in words.
fn factors(held: &HeldFactors) -> String {
    let mut words = Vec::new();
    if held.totp_added_at.is_some() {
        words.push("codes from an app".to_owned());
    }
    if held.passkeys > 0 {
        words.push(format!("passkeys: {}", held.passkeys));
    }
    if held.any() {
        words.push(format!("recovery codes left: {}", held.recovery_codes));
    }
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

/// Removes every second factor of somebody who has lost them.
pub(super) async fn reset_factors(
    posted: Posted,
    username: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let Posted { console, .. } = posted;
    console.must_be(Role::Owner)?;
    let reset = console.app.administration.reset_factors(&console.actor(), &username).await;
    reset.map_err(|error| console.refuse(error))?;
    Ok(see_other(&console.url("/admins?done=factors-reset")))
}

/// Changes rights, or the password.
pub(super) async fn save(
    posted: Posted,
    username: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Owner)?;
    let admin = find(&console, &username).await?;
    let administration = &console.app.administration;
    let actor = console.actor();
    let change = AdminChange {
        role: Role::parse(&form.text("role")).unwrap_or(admin.role),
        clients: lines(&form.exact("clients")).into_iter().map(ClientId::new).collect(),
        disabled: form.ticked("disabled"),
        version: form.text("version").parse().ok().or(Some(-1)),
    };
    let wanted = json!({
        "role": change.role.as_str(),
        "clients": change.clients,
        "disabled": change.disabled,
    });
    let password = SecretString::new(form.exact("new_password"));
    let changed = async {
        administration.change_admin(&actor, &admin.username, change).await?;
        if !password.expose().is_empty() {
            administration.reset_admin_password(&actor, &admin.username, password).await?;
        }
        Ok::<_, AdminError>(())
    };
    match changed.await {
        Ok(()) => Ok(see_other(&console.url("/admins?done=saved"))),
        Err(AdminError::Conflict) => {
            let stands = find(&console, &username).await?;
            let now = admin_metadata(&stands);
            let kind = "admin.updated";
            let found = safety::conflict(&console, kind, &username, &now, &wanted).await?;
            edit(&console, &stands, Some(&form), Problems::default(), Some(found)).await
        }
        Err(AdminError::Invalid(found)) => {
            edit(&console, &admin, Some(&form), problems(found), None).await
        }
        Err(error) => Err(console.refuse(error)),
    }
}

/// Ends a console session.
pub(super) async fn end_session(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Owner)?;
    let administration = &console.app.administration;
    let ended = administration.end_console_session(&console.actor(), &form.text("session")).await;
    ended.map_err(|error| console.refuse(error))?;
    Ok(see_other(&console.url("/admins?done=signed-out")))
}
