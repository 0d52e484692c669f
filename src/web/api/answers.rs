//! What the admin API answers: things with their `ETag`, pages, and problems (RFC 9457).

use actix_web::error::InternalError;
use actix_web::http::{StatusCode, header};
use actix_web::{Error, HttpResponse};
use serde_json::{Map, Value, json};

use super::query::Asked;
use crate::op::admin::AdminError;
use crate::protocol::ambient::Timestamp;

/// Something new, at this path if it can be asked for again.
pub(super) fn created(location: Option<String>, body: Value) -> HttpResponse {
    begun(StatusCode::CREATED, location, body)
}

/// Something that goes on from here, and where it can be looked at.
pub(super) fn accepted(location: Option<String>, body: Value) -> HttpResponse {
    begun(StatusCode::ACCEPTED, location, body)
}

fn begun(status: StatusCode, location: Option<String>, body: Value) -> HttpResponse {
    let mut builder = HttpResponse::build(status);
    if let Some(location) = location {
        builder.insert_header((header::LOCATION, location));
    }
    tagged(&mut builder, &body).json(body)
}

/// Adds the `ETag` of what has a version.
pub(super) fn tagged<'a>(
    builder: &'a mut actix_web::HttpResponseBuilder,
    body: &Value,
) -> &'a mut actix_web::HttpResponseBuilder {
    if let Some(version) = body.get("version").and_then(Value::as_i64) {
        builder.insert_header((header::ETAG, format!("\"{version}\"")));
    }
    builder
}

pub(super) fn answer(body: Value) -> HttpResponse {
    tagged(&mut HttpResponse::Ok(), &body).json(body)
}

/// Nothing more to tell.
pub(super) fn done() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// A page of a list that is read whole. `key` says where each stands in it, so that the next page
/// begins where this one ends whatever was added or removed meanwhile.
pub(super) fn paged<T>(
    asked: &Asked,
    all: &[T],
    key: impl Fn(&T) -> String,
    described: impl Fn(&T) -> Value,
) -> HttpResponse {
    let after = asked.get("after").unwrap_or_default();
    let mut found: Vec<_> = all.iter().map(|one| (key(one), one)).collect();
    found.retain(|(key, _)| *key > after);
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    let limit = usize::try_from(asked.limit()).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(key, _)| key.clone());
    page(found.into_iter().map(|(_, one)| described(one)).collect(), next)
}

/// Where something stands in a list that begins with the newest.
pub(super) fn newest(at: Timestamp, id: &str) -> String {
    format!("{:016x}.{id}", i64::MAX.saturating_sub(at.millis()))
}

pub(super) fn page(items: Vec<Value>, next: Option<String>) -> HttpResponse {
    let mut body = Map::new();
    body.insert("items".to_owned(), Value::Array(items));
    body.insert("next".to_owned(), next.map_or(Value::Null, Value::String));
    HttpResponse::Ok().json(body)
}

pub(super) fn ended(response: HttpResponse) -> Error {
    InternalError::from_response("answered early", response).into()
}

pub(super) fn refusal(error: AdminError, request_id: Option<String>) -> HttpResponse {
    let text = error.to_string();
    match error {
        AdminError::Forbidden { .. } => problem(
            StatusCode::FORBIDDEN,
            "This API key does not reach so far",
            Some(format!("{text}, and a key has a role that holds all of its scopes")),
            &[],
            request_id,
        ),
        AdminError::NotFound => {
            problem(StatusCode::NOT_FOUND, "There is nothing here", None, &[], request_id)
        }
        AdminError::Conflict => problem(
            StatusCode::PRECONDITION_FAILED,
            "It was changed meanwhile",
            None,
            &[],
            request_id,
        ),
        AdminError::Invalid(problems) => {
            let errors: Vec<Value> = problems
                .iter()
                .map(|problem| json!({ "field": problem.field, "detail": problem.message }))
                .collect();
            let title = "It breaks a rule";
            problem(StatusCode::UNPROCESSABLE_ENTITY, title, None, &errors, request_id)
        }
        AdminError::Store(_) | AdminError::Password(_) | AdminError::Seal(_) => {
            tracing::error!(error = %text, "the admin API failed");
            let title = "Russet failed";
            problem(StatusCode::INTERNAL_SERVER_ERROR, title, None, &[], request_id)
        }
    }
}

/// RFC 9457 §3.
pub(super) fn problem(
    status: StatusCode,
    title: &str,
    detail: Option<String>,
    errors: &[Value],
    request_id: Option<String>,
) -> HttpResponse {
    let mut body = json!({ "type": "about:blank", "title": title, "status": status.as_u16() });
    if let Some(members) = body.as_object_mut() {
        members.extend(detail.map(|detail| ("detail".to_owned(), json!(detail))));
        members.extend(request_id.map(|id| ("request_id".to_owned(), json!(id))));
        if !errors.is_empty() {
            members.insert("errors".to_owned(), json!(errors));
        }
    }
    HttpResponse::build(status).content_type("application/problem+json").body(body.to_string())
}
