//! Console accounts in the admin API: a key hands out no role that it does not hold.

use actix_web::{Error, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Asked, Caller, answer, created, done, newest, page, paged};
use crate::op::admin::colleagues::AdminChange;
use crate::op::admin::{NewAdmin, described};
use crate::protocol::admin::{Admin, AdminIdentity, AdminSession, Role};
use crate::protocol::ambient::Timestamp;
use crate::protocol::id::{AdminId, ClientId, ConnectionId};
use crate::protocol::secret::SecretString;

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/admins").route(web::get().to(list)).route(web::post().to(create)))
        .service(
            web::resource("/admins/{username}")
                .route(web::get().to(show))
                .route(web::patch().to(change)),
        )
        .service(web::resource("/admins/{username}/invitations").route(web::post().to(invite)))
        .service(web::resource("/admins/{username}/factors").route(web::delete().to(reset_factors)))
        .service(
            web::resource("/admins/{username}/identities/{connection}")
                .route(web::delete().to(unbind)),
        )
        .service(web::resource("/admin-sessions").route(web::get().to(list_sessions)))
        .service(web::resource("/admin-sessions/{id}").route(web::delete().to(end_session)));
}

async fn list(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let [search, after] = ["q", "after"].map(|name| asked.get(name).unwrap_or_default());
    let administration = &caller.app.administration;
    let found = administration.page_of_admins(&search, &after, asked.limit()).await;
    let (found, more) = caller.got(found)?;
    let next = found.last().filter(|_| more).map(|last| last.username.clone());
    Ok(page(found.iter().map(described::admin).collect(), next))
}

async fn find(caller: &Caller, username: &str) -> Result<Admin, Error> {
    caller.got(caller.app.administration.find_admin(username).await)
}

/// An account with what it is opened by.
async fn whole(caller: &Caller, username: &str) -> Result<Value, Error> {
    let admin = find(caller, username).await?;
    let administration = &caller.app.administration;
    let held = caller.got(administration.factors_of(&admin.id).await)?;
    let identities = caller.got(administration.identities_of(&admin.id).await)?;
    let identity = |one: &AdminIdentity| {
        json!({
            "connection": one.connection_id,
            "email": one.email,
            "created_at": one.created_at.secs(),
            "last_used_at": one.last_used_at.map(Timestamp::secs),
        })
    };
    let mut body = described::admin(&admin);
    if let Some(members) = body.as_object_mut() {
        members.insert("totp".to_owned(), json!(held.totp_added_at.is_some()));
        members.insert("passkeys".to_owned(), json!(held.passkeys));
        members.insert("recovery_codes".to_owned(), json!(held.recovery_codes));
        let identities: Vec<_> = identities.iter().map(identity).collect();
        members.insert("identities".to_owned(), json!(identities));
    }
    Ok(body)
}

async fn show(caller: Caller, username: web::Path<String>) -> Result<HttpResponse, Error> {
    Ok(answer(whole(&caller, &username).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    username: String,
    role: Role,
    password: Option<SecretString>,
}

async fn create(caller: Caller, body: web::Bytes) -> Result<HttpResponse, Error> {
    let New { username, role, password } = caller.read(&body)?;
    let administration = &caller.app.administration;
    let new = NewAdmin { username, role, password };
    let made = caller.got(administration.create_admin(&caller.actor(), new).await)?;
    let address = caller.address(&format!("/admins/{}", made.username));
    Ok(created(address, whole(&caller, &made.username).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    role: Option<Role>,
    clients: Option<Vec<ClientId>>,
    disabled: Option<bool>,
    password: Option<SecretString>,
}

async fn change(
    caller: Caller,
    username: web::Path<String>,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    let change: Change = caller.read(&body)?;
    let stands = find(&caller, &username).await?;
    let seen = caller.seen(stands.version)?;
    let wanted = AdminChange {
        role: change.role.unwrap_or(stands.role),
        clients: change.clients.unwrap_or(stands.clients),
        disabled: change.disabled.unwrap_or(stands.disabled_at.is_some()),
        version: Some(seen),
    };
    let (administration, actor) = (&caller.app.administration, caller.actor());
    caller.got(administration.change_admin(&actor, &username, wanted).await)?;
    if let Some(password) = change.password {
        let reset = administration.reset_admin_password(&actor, &username, password).await;
        caller.got(reset)?;
    }
    Ok(answer(whole(&caller, &username).await?))
}

async fn invite(
    caller: Caller,
    username: web::Path<String>,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    caller.nothing_else(&caller.members(&body)?)?;
    let administration = &caller.app.administration;
    let token = caller.got(administration.invite_admin(&caller.actor(), &username).await)?;
    let issuer = caller.app.provider.issuer();
    let url = format!("{issuer}/admin/invitation/{}", token.expose());
    Ok(created(None, json!({ "url": url })))
}

async fn reset_factors(caller: Caller, username: web::Path<String>) -> Result<HttpResponse, Error> {
    caller.unless_seen_otherwise::<i32>(None)?;
    caller.got(caller.app.administration.reset_factors(&caller.actor(), &username).await)?;
    Ok(done())
}

async fn unbind(caller: Caller, path: web::Path<(String, String)>) -> Result<HttpResponse, Error> {
    let (username, connection) = path.into_inner();
    caller.unless_seen_otherwise::<i32>(None)?;
    let connection = ConnectionId::new(connection);
    let (administration, actor) = (&caller.app.administration, caller.actor());
    let unbound = administration.unbind_identity(&actor, None, &username, &connection).await;
    caller.got(unbound)?;
    Ok(done())
}

async fn list_sessions(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let administration = &caller.app.administration;
    let sessions = caller.got(administration.list_console_sessions().await)?;
    let admins = caller.got(administration.list_admins().await)?;
    let username = |id: &AdminId| {
        admins.iter().find(|admin| admin.id == *id).map(|admin| admin.username.as_str())
    };
    let described = |session: &AdminSession| {
        json!({
            "id": session.id,
            "username": username(&session.admin_id),
            "connection": session.connection_id,
            "user_agent": session.user_agent,
            "second_factor": session.second_factor,
            "created_at": session.created_at.secs(),
            "expires_at": session.idle_expires_at.min(session.expires_at).secs(),
        })
    };
    let place = |session: &AdminSession| newest(session.created_at, &session.id);
    Ok(paged(&asked, &sessions, place, described))
}

async fn end_session(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    caller.unless_seen_otherwise::<i32>(None)?;
    caller.got(caller.app.administration.end_console_session(&caller.actor(), &id).await)?;
    Ok(done())
}
