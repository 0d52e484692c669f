//! Clients in the admin API: themselves, their secrets, and what their tokens would hold.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{Error, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::apis::searched;
use super::{Asked, Caller, answer, created, done, newest, page, paged};
use crate::op::Failure;
use crate::op::admin::from_json::client_change;
use crate::op::admin::metadata::client_metadata;
use crate::op::admin::redirect_uri_rules::{redirect_uri_hint, redirect_uri_problem};
use crate::op::admin::{ListQuery, NewClient, SECRET_OVERLAP};
use crate::protocol::ambient::Timestamp;
use crate::protocol::api_key::ApiScope;
use crate::protocol::client::{Client, ClientKind, ClientSecret};
use crate::protocol::id::ClientId;

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/clients").route(web::get().to(list)).route(web::post().to(create)))
        .service(web::resource("/redirect-uris").route(web::get().to(check_redirect_uris)))
        .service(
            web::resource("/clients/{client_id}")
                .route(web::get().to(show))
                .route(web::patch().to(change))
                .route(web::delete().to(delete)),
        )
        .service(
            web::resource("/clients/{client_id}/secrets")
                .route(web::get().to(list_secrets))
                .route(web::post().to(new_secret)),
        )
        .service(
            web::resource("/clients/{client_id}/secrets/{secret}")
                .route(web::delete().to(revoke_secret)),
        )
        .service(web::resource("/clients/{client_id}/observed").route(web::get().to(observed)))
        .service(web::resource("/clients/{client_id}/preview").route(web::get().to(preview)));
}

async fn list(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let administration = &caller.app.administration;
    let (kind, state) = (asked.get("kind"), asked.get("state"));
    let state = state.as_deref();
    let query = ListQuery {
        kind: ClientKind::ALL.into_iter().find(|one| kind.as_deref() == Some(one.as_str())),
        disabled: state.map(|state| state == "disabled"),
        unused_since: (state == Some("unused")).then(|| administration.unused_since()),
        newest_first: asked.get("sort").as_deref() == Some("newest"),
        ..searched(&asked)
    };
    let found = caller.got(administration.list_clients(&query).await)?;
    let ids: Vec<&ClientId> = found.items.iter().map(|client| &client.client_id).collect();
    let tokens = caller.got(administration.last_tokens(&ids).await)?;
    let listed = |client: &Client| {
        let mut metadata = client_metadata(client);
        if let Some(members) = metadata.as_object_mut() {
            let token_at = tokens.get(&client.client_id).map(|at| at.secs());
            members.insert("token_at".to_owned(), json!(token_at));
        }
        metadata
    };
    Ok(page(found.items.iter().map(listed).collect(), asked.next(found.next)))
}

/// Whoever may register clients may not therefore switch them off.
fn may_disable(caller: &Caller, members: &Map<String, Value>) -> Result<(), Error> {
    match members.get("disabled") {
        Some(Value::Bool(true)) => caller.must_hold(ApiScope::CriticalClients),
        Some(_) | None => Ok(()),
    }
}

async fn create(caller: Caller, body: web::Bytes) -> Result<HttpResponse, Error> {
    let mut members = caller.members(&body)?;
    may_disable(&caller, &members)?;
    let kind = members.remove("kind");
    let kind = kind.and_then(|kind| serde_json::from_value::<ClientKind>(kind).ok());
    let kind =
        kind.ok_or_else(|| caller.invalid("kind", "must be one of those that the document lists"))?;
    let change = caller.got(client_change(members))?;
    let name = change.client_name.clone().unwrap_or_default();
    let new = NewClient { change, ..NewClient::of_kind(kind, name) };
    let made = caller.app.administration.create_client(&caller.actor(), new).await;
    let made = caller.got(made)?;
    let address = caller.address(&format!("/clients/{}", made.client.client_id));
    Ok(created(address, made.metadata()))
}

async fn show(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let client = caller.app.administration.find_client(&ClientId::new(id.into_inner())).await;
    Ok(answer(client_metadata(&caller.got(client)?)))
}

async fn change(
    caller: Caller,
    id: web::Path<String>,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    let members = caller.members(&body)?;
    may_disable(&caller, &members)?;
    let mut change = caller.got(client_change(members))?;
    let id = ClientId::new(id.into_inner());
    let administration = &caller.app.administration;
    let stands = caller.got(administration.find_client(&id).await)?;
    change.version = Some(caller.seen(stands.version)?);
    let client = administration.update_client(&caller.actor(), &id, change).await;
    Ok(answer(client_metadata(&caller.got(client)?)))
}

async fn delete(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let id = ClientId::new(id.into_inner());
    let administration = &caller.app.administration;
    let stands = caller.got(administration.find_client(&id).await)?;
    let seen = caller.unless_seen_otherwise(Some(stands.version))?;
    caller.got(administration.delete_client(&caller.actor(), &id, seen).await)?;
    Ok(done())
}

fn described(secret: &ClientSecret) -> Value {
    json!({
        "id": secret.id,
        "name": secret.name,
        "created_at": secret.created_at.secs(),
        "expires_at": secret.expires_at.map(Timestamp::secs),
        "last_used_at": secret.last_used_at.map(Timestamp::secs),
    })
}

async fn list_secrets(
    caller: Caller,
    id: web::Path<String>,
    asked: Asked,
) -> Result<HttpResponse, Error> {
    let id = ClientId::new(id.into_inner());
    let administration = &caller.app.administration;
    caller.got(administration.find_client(&id).await)?;
    let secrets = caller.got(administration.client_secrets(&id).await)?;
    Ok(paged(&asked, &secrets, |one| newest(one.created_at, &one.id), described))
}

/// A secret instead of the others, or with a name beside them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSecret {
    overlap_seconds: Option<u64>,
    name: Option<String>,
    expires_in: Option<u64>,
}

async fn new_secret(
    caller: Caller,
    id: web::Path<String>,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    let new: NewSecret = caller.read(&body)?;
    let id = ClientId::new(id.into_inner());
    let (administration, actor) = (&caller.app.administration, caller.actor());
    let made = match (new.name, new.overlap_seconds, new.expires_in) {
        (Some(name), None, life) => {
            let life = life.map(Duration::from_secs);
            administration.add_client_secret(&actor, &id, &name, life).await
        }
        (None, overlap, None) => {
            let overlap = overlap.map_or(SECRET_OVERLAP, Duration::from_secs);
            administration.rotate_client_secret(&actor, &id, overlap).await
        }
        (Some(_), Some(_), _) | (None, _, Some(_)) => {
            let message = "goes with expires_in; without it, overlap_seconds may be given";
            return Err(caller.invalid("name", message));
        }
    };
    Ok(created(None, caller.got(made)?.metadata()))
}

async fn revoke_secret(
    caller: Caller,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Error> {
    let (id, secret) = path.into_inner();
    let id = ClientId::new(id);
    caller.unless_seen_otherwise::<i32>(None)?;
    let administration = &caller.app.administration;
    let revoked = administration.revoke_client_secret(&caller.actor(), &id, &secret).await;
    caller.app.provider.forget_client(&id).await;
    caller.got(revoked)?;
    Ok(done())
}

/// What the client does, beside what it may.
async fn observed(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let id = ClientId::new(id.into_inner());
    let administration = &caller.app.administration;
    let client = caller.got(administration.find_client(&id).await)?;
    let seen = caller.got(administration.observation(&id).await)?;
    let differs = |method| method != client.token_endpoint_auth_method;
    Ok(answer(json!({
        "token_at": seen.token.map(|(at, _)| at.secs()),
        "token_grant_type": seen.token.map(|(_, grant_type)| grant_type),
        "authenticated_at": seen.authenticated.map(|(at, _)| at.secs()),
        "authenticated_by": seen.authenticated.map(|(_, method)| method),
        "authenticated_as_registered": seen.authenticated.map(|(_, method)| !differs(method)),
        "pkce_at": seen.pkce_at.map(Timestamp::secs),
        "no_pkce_at": seen.no_pkce_at.map(Timestamp::secs),
        "uses_pkce": seen.uses_pkce(),
    })))
}

/// What is wrong with redirect URIs, and what is allowed and often not meant.
async fn check_redirect_uris(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let kind = asked.get("kind").unwrap_or_default();
    let kind = ClientKind::ALL.into_iter().find(|one| one.as_str() == kind);
    let kind = kind.ok_or_else(|| caller.invalid("kind", "must be said"))?;
    let uris = asked.get("uris").unwrap_or_default();
    let uris = || uris.split_whitespace();
    let problems: Vec<_> = uris().filter_map(|uri| redirect_uri_problem(kind, uri)).collect();
    let hints: Vec<_> = uris().filter_map(redirect_uri_hint).collect();
    Ok(answer(json!({ "problems": problems, "hints": hints })))
}

async fn preview(
    caller: Caller,
    id: web::Path<String>,
    asked: Asked,
) -> Result<HttpResponse, Error> {
    let id = ClientId::new(id.into_inner());
    let administration = &caller.app.administration;
    let client = caller.got(administration.find_client(&id).await)?;
    let person = administration.find_person(&asked.get("user").unwrap_or_default()).await;
    let user = caller.got(person)?.user;
    let listed = |name| -> Option<Vec<String>> {
        Some(asked.get(name)?.split_whitespace().map(str::to_owned).collect())
    };
    let scope = listed("scope").unwrap_or(client.scope);
    let resources =
        listed("resource").unwrap_or_else(|| client.default_resource.into_iter().collect());
    let preview = caller.app.provider.preview_tokens(&id, &user.id, &scope, &resources).await;
    match preview {
        Ok(preview) => Ok(answer(json!({
            "access_token": preview.access_token,
            "id_token": preview.id_token,
            "userinfo": preview.userinfo,
        }))),
        Err(Failure::Refused(refusal)) => {
            let detail = format!("{}: {}", refusal.code, refusal.description);
            let title = "No tokens would be issued";
            Err(caller.problem(StatusCode::UNPROCESSABLE_ENTITY, title, Some(detail)))
        }
        Err(Failure::Fault(fault)) => Err(caller.failed(&fault)),
    }
}
