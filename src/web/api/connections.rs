//! Connections in the admin API. What is secret of them goes in and never out.

use actix_web::{Error, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Asked, Caller, answer, created, done, paged};
use crate::op::admin::connections::merged;
use crate::op::admin::{
    AdminError, ConnectionChange, ConnectionStatus, KeyTurn, ListedConnection, NewConnection,
    RecordedEvent,
};
use crate::op::explanation::explain;
use crate::protocol::api_key::ApiScope;
use crate::protocol::connection::{ConnectionSecrets, draft};
use crate::protocol::id::ConnectionId;
use crate::protocol::secret::SecretString;
use crate::upstream::{Finding, Verdict};

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/connections").route(web::get().to(list)).route(web::post().to(create)),
        )
        .service(
            web::resource("/connections/{id}")
                .route(web::get().to(show))
                .route(web::patch().to(change))
                .route(web::delete().to(delete)),
        )
        .service(web::resource("/connection-status").route(web::get().to(statuses)))
        .service(web::resource("/connections/{id}/status").route(web::get().to(status)))
        .service(web::resource("/connections/{id}/check").route(web::post().to(check)))
        .service(
            web::resource("/connections/{id}/next-key")
                .route(web::put().to(stage))
                .route(web::delete().to(discard)),
        )
        .service(
            web::resource("/connections/{id}/next-key/promote").route(web::post().to(promote)),
        );
}

async fn find(caller: &Caller, id: &str) -> Result<ListedConnection, Error> {
    caller.got(caller.app.administration.find_connection(id).await)
}

/// Those of the file come first and have no version: the file is changed, not they.
async fn list(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let [q, state] = ["q", "state"].map(|name| asked.get(name).unwrap_or_default());
    let all = caller.got(caller.app.administration.search_connections(q.trim(), &state).await)?;
    let place = |one: &ListedConnection| {
        let connection = &one.connection;
        let position = i64::from(connection.position).saturating_sub(i64::from(i32::MIN));
        format!("{}.{position:010}.{}", u8::from(!one.file_managed), connection.id)
    };
    Ok(paged(&asked, &all, place, ListedConnection::to_json))
}

async fn show(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    Ok(answer(find(&caller, &id).await?.to_json()))
}

async fn statuses(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let all = caller.got(caller.app.administration.list_connections().await)?;
    let all = stand(&caller, &all).await?;
    let place = |one: &Value| one.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(paged(&asked, &all, place, Clone::clone))
}

async fn status(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let found = find(&caller, &id).await?;
    let mut stands = stand(&caller, std::slice::from_ref(&found)).await?;
    Ok(answer(stands.pop().unwrap_or_default()))
}

/// How connections stand: whether they can be used, how the last sign-ins ended, and what their
/// upstreams announced last.
async fn stand(caller: &Caller, all: &[ListedConnection]) -> Result<Vec<Value>, Error> {
    let (administration, provider) = (&caller.app.administration, &caller.app.provider);
    let connections = all.iter().map(|listed| &listed.connection);
    let statuses = caller.got(administration.connection_statuses(connections).await)?;
    let troubles = provider.connection_troubles();
    let heard = caller.unfailing(provider.last_notifications().await)?;
    let event =
        |recorded: &RecordedEvent| json!({ "event": recorded.id, "at": recorded.event.at.secs() });
    let described = |status: &ConnectionStatus| {
        let trouble = troubles.iter().find(|(id, _)| *id == status.id).map(|(_, why)| why);
        let last = heard.iter().find(|heard| heard.connection_id == status.id);
        let why = status.failure.as_ref().map(|recorded| explain(&recorded.event));
        json!({
            "id": status.id,
            "usable": trouble.is_none(),
            "trouble": trouble,
            "failing": status.is_failing(),
            "last_success": status.success.as_ref().map(event),
            "last_failure": status.failure.as_ref().map(event),
            "explanation": why.flatten(),
            "last_notification": last.map(|last| {
                json!({ "kind": last.kind.as_str(), "at": last.at.secs() })
            }),
        })
    };
    Ok(statuses.iter().map(described).collect())
}

/// What a connection is besides the members of its kind.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Outside {
    display_name: Option<String>,
    position: Option<i32>,
    enabled: Option<bool>,
    client_secret: Option<SecretString>,
    private_key: Option<SecretString>,
}

const OUTSIDE: [&str; 5] = ["display_name", "position", "enabled", "client_secret", "private_key"];

/// Parts the two; what is left are members of the kind.
fn outside(caller: &Caller, members: &mut Map<String, Value>) -> Result<Outside, Error> {
    let taken = OUTSIDE.into_iter().filter_map(|name| members.remove_entry(name));
    caller.typed(taken.collect())
}

/// Takes up here at once what other replicas take up within seconds.
async fn taken_up(caller: &Caller) -> Result<(), Error> {
    caller.unfailing(caller.app.provider.reload_connectors().await)
}

fn text(members: &mut Map<String, Value>, name: &str) -> Option<String> {
    members.remove(name).and_then(|value| value.as_str().map(str::to_owned))
}

async fn create(caller: Caller, body: web::Bytes) -> Result<HttpResponse, Error> {
    let mut members = caller.members(&body)?;
    let id = text(&mut members, "id").unwrap_or_default();
    let [kind, preset, tenant] = ["kind", "preset", "tenant"].map(|name| text(&mut members, name));
    let given = outside(&caller, &mut members)?;
    let begin = match (&preset, &kind) {
        (Some(name), None) | (None, Some(name)) => draft(name, tenant.as_deref()),
        (None, None) | (Some(_), Some(_)) => None,
    };
    let begin = begin
        .ok_or_else(|| caller.invalid("kind", "give a kind or a preset that the document lists"))?;
    // A provider that is known by nothing but its issuer is called by its id.
    let known = preset.or(kind).is_some_and(|name| name != "oidc");
    let name = known.then(|| begin.display_name.to_owned());
    let new = NewConnection {
        id,
        display_name: given.display_name.or(name),
        position: given.position,
        enabled: given.enabled.unwrap_or(true),
        settings: caller.got(merged(&begin.settings, &members))?,
        secrets: ConnectionSecrets {
            private_key: given.private_key,
            client_secret: given.client_secret,
            ..ConnectionSecrets::default()
        },
    };
    let administration = &caller.app.administration;
    let made = administration.create_connection(&caller.actor(), new).await;
    let made = caller.got(made)?;
    taken_up(&caller).await?;
    let address = caller.address(&format!("/connections/{}", made.connection.id));
    Ok(created(address, made.to_json()))
}

async fn change(
    caller: Caller,
    id: web::Path<String>,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    let mut members = caller.members(&body)?;
    if members.keys().any(|name| name != "enabled") {
        caller.must_hold(ApiScope::CriticalConnections)?;
    }
    let given = outside(&caller, &mut members)?;
    let seen = caller.seen(find(&caller, &id).await?.connection.version)?;
    let change = ConnectionChange {
        version: Some(seen),
        display_name: given.display_name,
        position: given.position,
        enabled: given.enabled,
        settings: members,
        client_secret: given.client_secret,
        private_key: given.private_key,
    };
    let administration = &caller.app.administration;
    let changed = administration.update_connection(&caller.actor(), &id, change).await;
    let changed = caller.got(changed)?;
    taken_up(&caller).await?;
    Ok(answer(changed.to_json()))
}

async fn delete(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let stands = find(&caller, &id).await?;
    let seen = caller.unless_seen_otherwise(Some(stands.connection.version))?;
    let administration = &caller.app.administration;
    caller.got(administration.delete_connection(&caller.actor(), &id, seen).await)?;
    taken_up(&caller).await?;
    Ok(done())
}

async fn check(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let examined = caller.app.provider.examine(&ConnectionId::new(id.as_str())).await;
    let findings = caller.unfailing(examined)?;
    let findings = findings.ok_or_else(|| caller.refuse(AdminError::NotFound))?;
    let shown = |finding: &Finding| {
        let verdict = match finding.verdict {
            Verdict::Fine => "fine",
            Verdict::Unknown => "unknown",
            Verdict::Wrong => "wrong",
        };
        json!({ "verdict": verdict, "subject": finding.subject, "message": finding.message })
    };
    Ok(answer(json!({ "findings": findings.iter().map(shown).collect::<Vec<_>>() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NextKey {
    key_id: String,
    private_key: SecretString,
}

async fn stage(
    caller: Caller,
    id: web::Path<String>,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    let NextKey { key_id, private_key } = caller.read(&body)?;
    let seen = caller.seen(find(&caller, &id).await?.connection.version)?;
    turn(&caller, &id, Some(seen), KeyTurn::Stage { key_id, private_key }).await
}

async fn promote(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    as_it_stands(&caller, &id, KeyTurn::Promote).await
}

async fn discard(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    as_it_stands(&caller, &id, KeyTurn::Discard).await
}

async fn as_it_stands(caller: &Caller, id: &str, turn: KeyTurn) -> Result<HttpResponse, Error> {
    let stands = find(caller, id).await?;
    let seen = caller.unless_seen_otherwise(Some(stands.connection.version))?;
    self::turn(caller, id, seen, turn).await
}

async fn turn(
    caller: &Caller,
    id: &str,
    seen: Option<i32>,
    turn: KeyTurn,
) -> Result<HttpResponse, Error> {
    let administration = &caller.app.administration;
    let turned = administration.turn_connection_key(&caller.actor(), id, seen, turn).await;
    let turned = caller.got(turned)?;
    taken_up(caller).await?;
    Ok(answer(turned.to_json()))
}
