//! Before Apple's endpoints: notes each request in the journal and plays the faults of transport.

use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_TYPE, DATE, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, error, web};
use futures_util::stream;
use tokio::sync::oneshot;

use super::Simulator;
use super::faults::{Endpoint, Fault};
use super::journal::Entry;
use super::token::refuse;

pub(super) async fn watch(
    simulator: web::Data<Simulator>,
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(endpoint) = Endpoint::of(request.path()) else { return next.call(request).await };
    let body = request.extract::<web::Bytes>().await?;
    let (number, fault, released) = {
        let mut state = simulator.state();
        let fault = state.take_fault(endpoint, Fault::is_of_transport);
        let number = state.journal.len();
        let at = simulator.now();
        state.journal.push(Entry::of(endpoint, request.request(), &body, at, fault));
        let released = (fault == Some(Fault::Hang)).then(|| {
            let (release, released) = oneshot::channel();
            state.held.push(release);
            released
        });
        (number, fault, released)
    };
    let whole = stream::once(std::future::ready(Ok(body)));
    request.set_payload(Payload::Stream { payload: Box::pin(whole) });
    if let Some(released) = released {
        // An error means that the simulator was reset: the request goes on all the same.
        let _ = released.await;
    }
    let response = match fault.and_then(refusal) {
        Some(refusal) => request.into_response(refusal),
        None => spoiled(next.call(request).await?, fault).await?,
    };
    if let Some(entry) = simulator.state().journal.get_mut(number) {
        entry.status = Some(response.status().as_u16());
    }
    Ok(response)
}

/// Dates each answer by Apple's clock and not by this machine's.
pub(super) async fn dated(
    simulator: web::Data<Simulator>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let mut response = next.call(request).await?;
    let now = chrono::DateTime::from_timestamp_millis(simulator.now().millis());
    let text = now.map(|now| now.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    if let Some(date) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
        response.headers_mut().insert(DATE, date);
    }
    Ok(response)
}

/// The answer of a fault that keeps the request from its endpoint.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other faults let the request through")]
fn refusal(fault: Fault) -> Option<HttpResponse> {
    match fault {
        Fault::Status403Html => Some(
            HttpResponse::Forbidden()
                .content_type("text/html")
                .body("<html><head><title>403 Forbidden</title></head><body></body></html>"),
        ),
        Fault::Status429 => Some(HttpResponse::TooManyRequests().finish()),
        Fault::Status500 => Some(HttpResponse::InternalServerError().finish()),
        Fault::Status503 => Some(HttpResponse::ServiceUnavailable().finish()),
        Fault::InvalidRequest => Some(refuse("invalid_request", "A fault was ordered.")),
        Fault::InvalidClient => Some(refuse("invalid_client", "A fault was ordered.")),
        _ => None,
    }
}

/// The endpoint's own answer, damaged on its way.
async fn spoiled(
    mut response: ServiceResponse<BoxBody>,
    fault: Option<Fault>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match fault {
        Some(Fault::WrongContentType) => {
            let html = HeaderValue::from_static("text/html");
            response.headers_mut().insert(CONTENT_TYPE, html);
            Ok(response)
        }
        Some(Fault::TruncatedJson) => {
            let (request, response) = response.into_parts();
            let (head, body) = response.into_parts();
            let body = to_bytes(body).await.map_err(error::ErrorInternalServerError)?;
            let half = body.slice(..body.len() / 2);
            Ok(ServiceResponse::new(request, head.set_body(BoxBody::new(half))))
        }
        _ => Ok(response),
    }
}
