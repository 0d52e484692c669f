//! The methods that a path of the admin API knows — RFC 9110 §9.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, HttpResponse, web};

use super::answers::problem;
use super::caller::all;
use super::{ROUTES, Route};
use crate::web::{App, request};

/// The same answer, or 304 to whoever has it already (RFC 9110 §13.1.2).
fn unless_known(response: ServiceResponse, known: Option<&str>) -> ServiceResponse {
    let tag = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
    let (Some(tag), Some(known)) = (tag, known) else { return response };
    let weak = |known: &str| known.trim().trim_start_matches("W/") == tag;
    if known.trim() != "*" && !known.split(',').any(weak) {
        return response;
    }
    let not_modified = HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish();
    response.into_response(not_modified)
}

/// The lines of the list that a request's path belongs to.
pub(super) fn lines(request: &HttpRequest, base: &str) -> Vec<&'static Route> {
    let pattern = request.match_pattern().unwrap_or_default();
    let pattern = pattern.replace("{identifier:.+}", "{identifier}");
    let path = pattern.strip_prefix(base).and_then(|path| path.strip_prefix("/admin/api/v1"));
    let Some(path) = path else { return Vec::new() };
    ROUTES.iter().filter(|line| line.path == path).collect()
}

/// Answers `OPTIONS`, takes `HEAD` for `GET` without the content, and says which methods there are
/// to whoever comes with another.
pub(super) async fn known(
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let base = request.app_data::<web::Data<App>>().map(|app| app.base.clone());
    let lines = lines(request.request(), &base.unwrap_or_default());
    if lines.is_empty() {
        return next.call(request).await;
    }
    let mut allowed: Vec<&str> = lines.iter().map(|line| line.method).collect();
    if allowed.contains(&"GET") {
        allowed.push("HEAD");
    }
    allowed.push("OPTIONS");
    let asked = request.method().clone();
    let mut answer = if asked == Method::OPTIONS {
        HttpResponse::NoContent().finish()
    } else if allowed.contains(&asked.as_str()) {
        if asked == Method::HEAD {
            // What is sent ends with the header all the same: the connection remembers.
            request.head_mut().method = Method::GET;
        }
        let known = all(request.headers(), &header::IF_NONE_MATCH);
        let looks = request.method() == Method::GET;
        let response = next.call(request).await?;
        return Ok(if looks { unless_known(response, known.as_deref()) } else { response });
    } else {
        let title = "This path does not know the method";
        let detail = Some(format!("It knows {}.", allowed.join(", ")));
        let id = request::id(request.request());
        problem(StatusCode::METHOD_NOT_ALLOWED, title, detail, &[], id)
    };
    if let Ok(allowed) = header::HeaderValue::from_str(&allowed.join(", ")) {
        answer.headers_mut().insert(header::ALLOW, allowed);
    }
    Ok(request.into_response(answer))
}
