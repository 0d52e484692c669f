//! What every request passes: its id, its log line, the headers every answer carries.

use std::time::Instant;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, web};
use tracing::Instrument;

use super::reply::oauth_error;
use super::{App, api, html};
use crate::protocol::error::Refusal;
use crate::protocol::id::InteractionId;
use crate::protocol::metadata::path;

/// The name under which a request is found in logs, pages and the audit log.
#[derive(Clone)]
pub struct RequestId(pub String);

/// What an id of a sign-in may be as long as; what is longer is none.
const LONGEST: usize = 64;

/// What is said of a body beyond the limit.
pub(super) const TOO_LONG: &str = "The body is longer than is read here";

/// The sign-in that this path belongs to, if it names one: it is shown in place of the request's
/// own id, so that all its pages and log lines are found together.
fn sign_in<'a>(path: &'a str, base: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(base)?.strip_prefix("/interaction/")?;
    let id = rest.split('/').next()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    ((1..=LONGEST).contains(&id.len()) && id.bytes().all(plain)).then_some(id)
}

/// The request turned out to belong to this sign-in.
pub(super) fn belongs_to(request: &HttpRequest, sign_in: &InteractionId) {
    tracing::Span::current().record("sign_in", sign_in.as_str());
    request.extensions_mut().insert(RequestId(sign_in.to_string()));
}

/// The id of this request, or of the sign-in it belongs to.
pub fn id(request: &HttpRequest) -> Option<String> {
    request.extensions().get::<RequestId>().map(|id| id.0.clone())
}

/// Gives the request an id and a span. The span holds the route, never the path's values or the
/// query, for codes, states and tokens travel there.
pub async fn envelope<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let id = match request.app_data::<web::Data<App>>() {
        Some(app) => app.provider.request_id(),
        None => String::new(),
    };
    // Evaluated only where the span is wanted.
    let span = tracing::info_span!(
        "request",
        id,
        sign_in = tracing::field::Empty,
        method = %request.method(),
        route = request.match_pattern().unwrap_or_default(),
    );
    // HEAD is GET without the body, which the connection leaves out by itself (RFC 9110 §9.3.2).
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    let app = request.app_data::<web::Data<App>>();
    let shown = match app.and_then(|app| sign_in(request.path(), &app.base)) {
        Some(sign_in) => {
            span.record("sign_in", sign_in);
            sign_in.to_owned()
        }
        None => id,
    };
    request.extensions_mut().insert(RequestId(shown));
    async move {
        // Time is told only to those who count it.
        let counted = request
            .app_data::<web::Data<App>>()
            .filter(|app| app.metrics.is_some())
            .map(|app| (app.clone(), Instant::now()));
        let mut response = next.call(request).await?;
        let status = response.status();
        if let Some((app, begun)) = counted
            && let Some(metrics) = &app.metrics
        {
            let request = response.request();
            let route = request.match_pattern().unwrap_or_default();
            metrics.answered(request.method().as_str(), &route, status.as_u16(), begun.elapsed());
        }
        if status.is_server_error() {
            tracing::warn!(status = status.as_u16(), "answered");
        } else if status.is_client_error() {
            tracing::info!(status = status.as_u16(), "answered");
        } else {
            tracing::debug!(status = status.as_u16(), "answered");
        }
        let id = self::id(response.request()).unwrap_or_default();
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::from_str(&id) {
            headers.insert(HeaderName::from_static("x-request-id"), id);
        }
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        // An answer that says nothing about frames and scripts allows neither.
        if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
            headers.insert(
                header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
            );
        }
        if status != StatusCode::NOT_MODIFIED && !headers.contains_key(header::CACHE_CONTROL) {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        Ok(response)
    }
    .instrument(span)
    .await
}

/// Says in each door's own way what actix says in plain text: that a body is too long.
pub async fn in_our_words<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let response = next.call(request).await?;
    if response.status() != StatusCode::PAYLOAD_TOO_LARGE {
        return Ok(response.map_into_left_body());
    }
    let request = response.request().clone();
    let Some(app) = request.app_data::<web::Data<App>>() else {
        return Ok(response.map_into_left_body());
    };
    let path = request.path().strip_prefix(app.base.as_str()).unwrap_or_default();
    let pages = ["/authorize", "/interaction/", "/upstream/", "/account", "/admin", "/device"];
    let said = if path.starts_with("/admin/api/") {
        api::too_long(&request)
    } else if pages.iter().any(|page| path.starts_with(page)) && path != path::DEVICE_AUTHORIZATION
    {
        html::error(app, &request, Refusal::invalid_request(TOO_LONG).into())
    } else {
        oauth_error(Refusal::invalid_request(TOO_LONG).into(), false)
    };
    let (_, mut said) = response.into_response(said).into_parts();
    *said.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    Ok(ServiceResponse::new(request, said.map_into_right_body()))
}

/// Refuses an address that holds a NUL: nothing is called so, and PostgreSQL takes none in a text.
pub async fn without_nul<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    if !request.uri().to_string().contains("%00") {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let response = match request.app_data::<web::Data<App>>() {
        Some(app) if request.path().starts_with(&format!("{}/admin/api/", app.base)) => {
            api::unreadable(request.request())
        }
        Some(app) => {
            let refusal = Refusal::invalid_request("the address holds a NUL");
            html::error(app, request.request(), refusal.into())
        }
        None => HttpResponse::BadRequest().finish(),
    };
    Ok(request.into_response(response).map_into_right_body())
}
