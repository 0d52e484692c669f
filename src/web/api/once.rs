//! A request is done once, however often it is sent: `Idempotency-Key` (draft-ietf-httpapi-
//! idempotency-key-header). Whoever did not hear the answer sends the request again and hears it.

use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpResponse, web};
use futures_util::stream;
use tracing::Instrument as _;

use super::answers::{ended, tagged};
use super::caller::Caller;
use crate::op::admin::api_keys::{KeptAnswer, Repeated};
use crate::protocol::id::UserId;

/// Lets a request through the first time, and repeats its answer ever after.
pub(super) async fn once(
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    if !request.headers().contains_key(NAME) {
        return next.call(request).await;
    }
    let caller = match Caller::enter(request.request()).await {
        Ok(caller) => caller,
        Err(error) => return Ok(request.error_response(error)),
    };
    let Some(key) = caller.once.clone() else {
        request.extensions_mut().insert(caller);
        return next.call(request).await;
    };
    let given = match request.extract::<web::Payload>().await {
        Ok(given) => given,
        Err(error) => return Ok(request.error_response(error)),
    };
    let body = match given.to_bytes_limited(caller.longest).await {
        Ok(Ok(body)) => body,
        Ok(Err(error)) => return Ok(request.error_response(error)),
        Err(_) => return Ok(request.into_response(HttpResponse::PayloadTooLarge().finish())),
    };
    let fingerprint = caller.fingerprint(&body);
    let about = person(&caller, &request).await;
    match answered(&caller, &key, &fingerprint).await {
        Ok(None) => {}
        Ok(Some(answer)) => return Ok(request.into_response(answer)),
        Err(error) => return Ok(request.error_response(error)),
    }
    let given = stream::once(async move { Ok(body) });
    request.set_payload(Payload::Stream { payload: Box::pin(given) });
    request.extensions_mut().insert(caller.clone());
    // Whoever hangs up meanwhile is who will ask again: what was begun comes to its end, and its
    // answer is kept.
    let act = async move {
        let response = next.call(request).await?;
        keep(&caller, (&key, &fingerprint), about.as_ref(), response).await
    };
    let done = actix_web::rt::spawn(act.in_current_span()).await;
    done.map_err(|_| ended(HttpResponse::InternalServerError().finish()))?
}

/// The header.
pub(super) const NAME: HeaderName = HeaderName::from_static("idempotency-key");

/// What is to be answered to a request that is not the first under its key.
async fn answered(
    caller: &Caller,
    key: &str,
    fingerprint: &str,
) -> Result<Option<HttpResponse>, Error> {
    let administration = &caller.app.administration;
    let found = administration.begin_once(&caller.key.id, key, fingerprint).await;
    match caller.got(found)? {
        Repeated::First => Ok(None),
        Repeated::UnderWay => {
            let title = "The same request is under way, or did not come to an end";
            let detail = "Ask again in a moment. If it stays so, look at what stands, and use \
                          another key.";
            Err(caller.problem(StatusCode::CONFLICT, title, Some(detail.to_owned())))
        }
        Repeated::Other => {
            let title = "This idempotency key was used for another request";
            Err(caller.problem(StatusCode::UNPROCESSABLE_ENTITY, title, None))
        }
        Repeated::Answered(answer) => Ok(Some(repeated(answer))),
    }
}

/// Whom the answer will be about: the person that the address names.
async fn person(caller: &Caller, request: &ServiceRequest) -> Option<UserId> {
    let pattern = request.match_pattern()?;
    if !pattern.contains("/users/{id}") {
        return None;
    }
    // The address is not taken apart yet.
    let (_, rest) = request.path().rsplit_once("/users/")?;
    let id = rest.split('/').next().unwrap_or_default();
    let found = caller.app.administration.find_person(id).await;
    Some(found.ok()?.user.id)
}

fn repeated(answer: KeptAnswer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut builder = HttpResponse::build(status);
    builder.insert_header(("Idempotency-Replayed", "true"));
    if let Some(location) = answer.location {
        builder.insert_header((header::LOCATION, location));
    }
    match serde_json::from_str(&answer.body) {
        Ok(body) => tagged(&mut builder, &body).json(body),
        Err(_) => builder.finish(),
    }
}

/// Keeps the answer of what was done. What was refused did nothing, so that its key is free again;
/// after a fault nobody knows, and it is not.
async fn keep(
    caller: &Caller,
    (key, fingerprint): (&str, &str),
    about: Option<&UserId>,
    response: ServiceResponse,
) -> Result<ServiceResponse, Error> {
    let (request, response) = response.into_parts();
    let status = response.status();
    let administration = &caller.app.administration;
    let (response, body) = response.into_parts();
    let Ok(body) = to_bytes(body).await else {
        return Err(ended(HttpResponse::InternalServerError().finish()));
    };
    let kept = if status.is_server_error() {
        Ok(())
    } else if status.is_client_error() {
        administration.forget_once(&caller.key.id, key).await
    } else {
        let location = response.headers().get(header::LOCATION).map(HeaderValue::to_str);
        let answer = KeptAnswer {
            status: status.as_u16(),
            location: location.and_then(Result::ok).map(str::to_owned),
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        administration.keep_answer(&caller.key.id, key, fingerprint, answer, about).await
    };
    if let Err(error) = kept {
        // What was done is done; whoever asks again is told that nobody knows.
        tracing::error!(%error, "an answer could not be kept for its idempotency key");
    }
    Ok(ServiceResponse::new(request, response.set_body(BoxBody::new(body))))
}
