//! Browser sessions and grants in the admin API.

use actix_web::{Error, HttpResponse, web};
use serde_json::{Value, json};

use super::users::counted;
use super::{Asked, Caller, page};
use crate::protocol::id::{GrantId, SessionId};
use crate::protocol::session::Session;
use crate::protocol::user::User;
use crate::store::living::SessionsQuery;

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/sessions").route(web::get().to(list)))
        .service(web::resource("/sessions/{sid}").route(web::delete().to(end)))
        .service(web::resource("/grants/{id}").route(web::delete().to(revoke)));
}

pub(super) fn session(session: &Session, user: &User) -> Value {
    json!({
        "sid": session.id,
        "user_id": user.id,
        "sub": user.sub,
        "connection": session.connection_id,
        "auth_time": session.auth_time.secs(),
        "created_at": session.created_at.secs(),
        "expires_at": session.expires_at.secs(),
    })
}

async fn list(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let query = SessionsQuery {
        after: asked.place(),
        oldest_first: asked.get("sort").as_deref() == Some("oldest"),
        limit: asked.limit(),
    };
    let administration = &caller.app.administration;
    let (items, next) = if let Some(q) = asked.get("q").filter(|q| !q.trim().is_empty()) {
        (caller.got(administration.search_sessions(&q, &query).await)?.0, None)
    } else {
        let found = caller.got(administration.list_sessions(&query).await)?;
        (found.items, asked.next(found.next))
    };
    let items = items.iter().map(|(one, user)| session(one, user));
    Ok(page(items.collect(), next))
}

async fn end(caller: Caller, sid: web::Path<String>) -> Result<HttpResponse, Error> {
    caller.unless_seen_otherwise::<i32>(None)?;
    let id = SessionId::new(sid.into_inner());
    let ended = caller.app.administration.end_session(&caller.actor(), &id).await;
    Ok(counted(caller.got(ended)?))
}

async fn revoke(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    caller.unless_seen_otherwise::<i32>(None)?;
    let id = GrantId::new(id.into_inner());
    let ended = caller.app.administration.revoke_grant(&caller.actor(), &id).await;
    Ok(counted(caller.got(ended)?))
}
