//! The console's first page and its search box, in the admin API.

use std::collections::BTreeMap;

use actix_web::{Error, HttpResponse, web};
use serde_json::{Value, json};

use super::{Asked, Caller, answer};
use crate::op::admin::attention::Tally;
use crate::op::admin::concern::{About, Concern};
use crate::op::admin::{EventQuery, ListQuery};
use crate::op::explanation::in_words;
use crate::protocol::ambient::Timestamp;
use crate::protocol::api_key::ApiScope;
use crate::protocol::id::{ClientId, ConnectionId, SessionId};
use crate::protocol::sign_in_cause::Cause;
use crate::store::sign_in_counts::{GroupedBy, SignInQuery, SignIns};

/// Days that are counted if nothing is said, as the console's chart has them.
const DAYS: i64 = 14;
/// Of each room, at most so many are found.
const FOUND: u32 = 10;

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/attention").route(web::get().to(attention)))
        .service(web::resource("/sign-in-counts").route(web::get().to(counts)))
        .service(web::resource("/search").route(web::get().to(search)));
}

fn about(about: &About) -> Value {
    match about {
        About::Connection(id) => json!({ "connection": id }),
        About::Client(id) => json!({ "client_id": id }),
        About::Job(name) => json!({ "job": name }),
        About::AuditReceiver(id) => json!({ "audit_receiver": id }),
        About::ApiKey(id) => json!({ "api_key": id }),
        About::UnusedClients(number) => json!({ "unused_clients": number }),
        About::Admins(usernames) => json!({ "admins": usernames }),
        About::Deletion(id) => json!({ "deletion": id }),
        About::Deliveries(ids) => {
            json!({ "deliveries": ids.iter().map(ToString::to_string).collect::<Vec<_>>() })
        }
    }
}

async fn attention(caller: Caller) -> Result<HttpResponse, Error> {
    let provider = &caller.app.provider;
    let administration = &caller.app.administration;
    let found = caller.got(administration.attention(provider.connection_troubles()).await)?;
    let described = |concern: &Concern| {
        json!({
            "kind": concern.kind,
            "urgent": concern.urgent,
            "title": concern.title,
            "detail": concern.detail,
            "at": concern.at.map(Timestamp::secs),
            "about": about(&concern.about),
        })
    };
    let concerns: Vec<_> = found.concerns(provider.now()).iter().map(described).collect();
    Ok(answer(json!({ "concerns": concerns })))
}

fn causes(causes: &BTreeMap<Cause, u64>) -> Vec<Value> {
    let one = |(cause, number): (&Cause, &u64)| {
        let (words, remedy) = in_words(*cause);
        let explanation = json!({ "cause": words, "remedy": remedy });
        json!({ "cause": cause.as_str(), "failed": number, "explanation": explanation })
    };
    causes.iter().map(one).collect()
}

/// A day as a calendar has it; anything else as it is.
fn day(number: &str) -> Option<String> {
    let seconds = number.parse::<i64>().ok()?.checked_mul(24 * 3600)?;
    Some(time::OffsetDateTime::from_unix_timestamp(seconds).ok()?.date().to_string())
}

async fn counts(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let by = asked.get("by").unwrap_or_else(|| "day".to_owned());
    let grouped = match by.as_str() {
        "client" => GroupedBy::Client,
        "connection" => GroupedBy::Connection,
        _ => GroupedBy::Day,
    };
    let days = asked.number("days").unwrap_or(DAYS);
    let today = SignIns::day_of(caller.app.provider.now());
    let query = SignInQuery {
        from_day: today.saturating_sub(days).saturating_add(1),
        client_id: asked.get("client_id").map(ClientId::new),
        connection_id: asked.get("connection").map(ConnectionId::new),
    };
    let counted = caller.got(caller.app.administration.count_sign_ins(grouped, &query).await)?;
    let mut tallies = Tally::of(&counted);
    if grouped == GroupedBy::Day {
        for day in query.from_day..=today {
            tallies.entry(day.to_string()).or_default();
        }
    }
    let mut all = Tally::default();
    let mut counts = Vec::new();
    for (of, tally) in &tallies {
        all.succeeded = all.succeeded.saturating_add(tally.succeeded);
        all.failed = all.failed.saturating_add(tally.failed);
        let of = if grouped == GroupedBy::Day { day(of) } else { None }.unwrap_or(of.clone());
        counts.push(json!({
            "of": of,
            "succeeded": tally.succeeded,
            "failed": tally.failed,
            "causes": causes(&tally.causes),
        }));
    }
    Ok(answer(json!({
        "by": by,
        "from": day(&query.from_day.to_string()),
        "succeeded": all.succeeded,
        "failed": all.failed,
        "counts": counts,
    })))
}

/// In every room that this key reads; of the others nothing is said.
async fn search(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let q = asked.get("q").unwrap_or_default();
    let q = q.trim();
    let administration = &caller.app.administration;
    let reads = |scope| caller.key.scope.contains(&scope) && !q.is_empty();
    let wanted = || ListQuery { search: Some(q.to_owned()), limit: FOUND, ..ListQuery::default() };
    let mut found = json!({});
    let mut room = |name: &str, hits: Vec<Value>| {
        if let Some(members) = found.as_object_mut() {
            members.insert(name.to_owned(), Value::Array(hits));
        }
    };
    if reads(ApiScope::ReadClients) {
        let clients = caller.got(administration.list_clients(&wanted()).await)?.items;
        let hit = |one: &crate::protocol::client::Client| json!({ "client_id": one.client_id, "client_name": one.client_name });
        room("clients", clients.iter().map(hit).collect());
    }
    if reads(ApiScope::ReadApis) {
        let apis = caller.got(administration.page_of_apis(&wanted()).await)?.items;
        let hit = |one: &crate::protocol::api::Api| json!({ "identifier": one.identifier, "name": one.name });
        room("apis", apis.iter().map(hit).collect());
    }
    if reads(ApiScope::ReadUsers) {
        let people = caller.got(administration.search_people(q, FOUND).await)?;
        let hit = |one: &crate::protocol::user::User| json!({ "id": one.id, "sub": one.sub, "name": one.name, "email": one.email });
        room("users", people.iter().map(hit).collect());
    }
    if reads(ApiScope::ReadConnections) {
        let connections = caller.got(administration.search_connections(q, "").await)?;
        let hit = |one: &crate::op::admin::ListedConnection| {
            let connection = &one.connection;
            json!({ "id": connection.id, "display_name": connection.display_name })
        };
        room("connections", connections.iter().map(hit).collect());
    }
    if reads(ApiScope::ReadSessions) {
        let session = caller.got(administration.find_session(&SessionId::new(q)).await)?;
        let hit = |one: &crate::protocol::session::Session| {
            let ended = one.ended_at.map(Timestamp::secs);
            json!({ "sid": one.id, "user_id": one.user_id, "ended_at": ended })
        };
        room("sessions", session.iter().map(hit).collect());
    }
    if reads(ApiScope::ReadEvents) {
        let wanted = EventQuery { limit: FOUND, ..EventQuery::default() };
        let events = caller.got(administration.search_events(q, &wanted).await)?;
        room("events", events.iter().map(super::audit::event).collect());
    }
    Ok(answer(found))
}
