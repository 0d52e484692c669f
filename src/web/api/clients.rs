//! Clients in the admin API.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{Error, HttpResponse, web};
use serde_json::Value;

use super::{Asked, Caller, Made, answer, page};
use crate::op::admin::from_json::client_change;
use crate::op::admin::metadata::client_metadata;
use crate::op::admin::{ListQuery, NewClient, SECRET_OVERLAP};
use crate::protocol::client::ClientKind;
use crate::protocol::id::ClientId;

pub(super) async fn list(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let query = ListQuery {
        search: asked.get("q"),
        after: asked.get("after"),
        limit: asked.limit(),
        ..ListQuery::default()
    };
    let found = caller.app.administration.list_clients(&query).await;
    let found = found.map_err(|error| caller.refuse(error))?;
    Ok(page(found.items.iter().map(client_metadata).collect(), found.next))
}

pub(super) async fn create(caller: Caller, body: web::Bytes) -> Result<HttpResponse, Error> {
    let mut members = caller.members(&body)?;
    caller
        .once(&body, async {
            let kind = members.remove("kind");
            let kind: ClientKind =
                kind.and_then(|kind| serde_json::from_value(kind).ok()).ok_or_else(|| {
                    let detail = "kind must be one of those that the document lists".to_owned();
                    let title = "It breaks a rule";
                    caller.problem(StatusCode::UNPROCESSABLE_ENTITY, title, Some(detail))
                })?;
            let change = client_change(members).map_err(|error| caller.refuse(error))?;
            let name = change.client_name.clone().unwrap_or_default();
            let new = NewClient { change, ..NewClient::of_kind(kind, name) };
            let made = caller.app.administration.create_client(&caller.actor(), new).await;
            let made = made.map_err(|error| caller.refuse(error))?;
            let base = &caller.app.base;
            let location = format!("{base}/admin/api/v1/clients/{}", made.client.client_id);
            Ok(Made {
                status: StatusCode::CREATED,
                location: Some(location),
                body: made.metadata(),
            })
        })
        .await
}

pub(super) async fn show(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let client = caller.app.administration.find_client(&ClientId::new(id.into_inner())).await;
    Ok(answer(client_metadata(&client.map_err(|error| caller.refuse(error))?)))
}

pub(super) async fn change(
    caller: Caller,
    id: web::Path<String>,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    let mut change = client_change(caller.members(&body)?).map_err(|error| caller.refuse(error))?;
    change.version = Some(caller.seen()?);
    let id = ClientId::new(id.into_inner());
    let client = caller.app.administration.update_client(&caller.actor(), &id, change).await;
    Ok(answer(client_metadata(&client.map_err(|error| caller.refuse(error))?)))
}

pub(super) async fn delete(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let id = ClientId::new(id.into_inner());
    let done = caller.app.administration.delete_client(&caller.actor(), &id).await;
    done.map_err(|error| caller.refuse(error))?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn new_secret(
    caller: Caller,
    id: web::Path<String>,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    let mut members = caller.members(&body)?;
    let overlap = match members.remove("overlap_seconds") {
        None => SECRET_OVERLAP,
        Some(value) => Duration::from_secs(value.as_u64().unwrap_or(u64::MAX)),
    };
    caller.nothing_else(&members)?;
    let id = ClientId::new(id.into_inner());
    caller
        .once(&body, async {
            let administration = &caller.app.administration;
            let made = administration.rotate_client_secret(&caller.actor(), &id, overlap).await;
            let body: Value = made.map_err(|error| caller.refuse(error))?.metadata();
            Ok(Made { status: StatusCode::CREATED, location: None, body })
        })
        .await
}
