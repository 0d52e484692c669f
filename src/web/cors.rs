//! CORS, where browser apps need it and nowhere else: token, userinfo, revocation, deletion, for the
//! origins of registered single-page applications; discovery and keys for everybody. Credentials are
//! never allowed, so no cookie of ours rides along.

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use url::Url;

use super::App;

/// Adds the header that lets a registered app read this answer.
pub async fn open_to_apps(
    app: &App,
    request: &HttpRequest,
    mut response: HttpResponse,
) -> HttpResponse {
    let Some(origin) = request.headers().get(header::ORIGIN) else { return response };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if is_an_app(app, origin).await {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("DPoP-Nonce, WWW-Authenticate, X-Request-Id"),
        );
    }
    response
}

/// Answers a preflight request for a public document, which apps of any origin may read.
pub async fn preflight_of_public() -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, "*"))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, "600"))
        .finish()
}

/// Answers a preflight request.
pub async fn preflight(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let mut builder = HttpResponse::NoContent();
    builder.insert_header((header::VARY, "Origin"));
    if let Some(origin) = request.headers().get(header::ORIGIN)
        && is_an_app(&app, origin).await
    {
        builder
            .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()))
            .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE"))
            .insert_header((
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                "Authorization, Content-Type, DPoP",
            ))
            .insert_header((header::ACCESS_CONTROL_MAX_AGE, "600"));
    }
    builder.finish()
}

async fn is_an_app(app: &App, origin: &HeaderValue) -> bool {
    let Ok(origin) = origin.to_str() else { return false };
    let uris = match app.provider.spa_redirect_uris().await {
        Ok(uris) => uris,
        Err(failure) => {
            tracing::error!(%failure, "the origins of apps could not be read");
            return false;
        }
    };
    uris.iter()
        .any(|uri| Url::parse(uri).is_ok_and(|url| url.origin().ascii_serialization() == origin))
}
