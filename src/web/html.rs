//! Pages: a template, a status, and a content security policy that allows nothing inline.

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::brand::{brand, registered_logo};
use super::page::Frame;
use super::page::interaction::ErrorPage;
use super::reply::{shown, status};
use super::words::Words;
use super::{App, request};
use crate::op::Failure;
use crate::op::branding::ClientLook;
use crate::protocol::error::{ErrorCode, Refusal};
use crate::protocol::metadata::path;

/// Renders a page. `form_action` names where a form on it may lead besides ourselves: Chromium
/// applies `form-action` to the redirect that answers a form, so a page whose form ends at a client
/// must name that client.
pub fn page<T: Template>(code: StatusCode, template: &T, form_action: &[String]) -> HttpResponse {
    render(code, template, policy(form_action))
}

/// The same for a page with frames of these origins.
pub fn page_with_frames<T: Template>(
    code: StatusCode,
    template: &T,
    origins: &[String],
) -> HttpResponse {
    render(code, template, format!("{}; frame-src {}", policy(&[]), listed(origins)))
}

fn render<T: Template>(code: StatusCode, template: &T, policy: String) -> HttpResponse {
    match template.render() {
        Ok(html) => HttpResponse::build(code)
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CONTENT_SECURITY_POLICY, policy))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::X_FRAME_OPTIONS, "DENY"))
            .body(html),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// What surrounds a page that answers this request, in the language its reader is taken to read;
/// `wished` are the `ui_locales` of the request that the page belongs to.
pub fn frame(app: &App, request: &HttpRequest, wished: Option<&str>) -> Frame {
    frame_of(app, request, wished, None)
}

/// The same, for a page on which a client asks.
pub fn frame_of(
    app: &App,
    request: &HttpRequest,
    wished: Option<&str>,
    client: Option<&ClientLook>,
) -> Frame {
    let branding = app.provider.branding();
    let own = branding.default_locale.as_deref().and_then(Words::tagged).unwrap_or_default();
    let words = Words::of(request, wished, own);
    let mut brand = brand(&app.base, &branding, client, words);
    brand.client_logo = client.and_then(|client| registered_logo(app, client));
    Frame { base: app.base.clone(), words, brand }
}

/// Says in which language a page is, and that others get it in others.
pub fn in_language(words: Words, mut response: HttpResponse) -> HttpResponse {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LANGUAGE, header::HeaderValue::from_static(words.tag()));
    headers.append(header::VARY, header::HeaderValue::from_static("accept-language"));
    response
}

fn policy(form_action: &[String]) -> String {
    let sources = format!("'self' {}", listed(form_action));
    let sources = sources.trim_end();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; form-action {sources}; frame-ancestors 'none'; \
         base-uri 'none'"
    )
}

/// A source comes from a parsed URL; anything that could end the directive is left out.
fn listed(sources: &[String]) -> String {
    let harmless = |source: &&String| !source.contains([';', ',', ' ', '\'', '"']);
    sources.iter().filter(harmless).map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// The page for a failure that no client can be told: a sentence for the person, the cause for
/// whoever helps them, the request's id for both.
pub fn error(app: &App, request: &HttpRequest, failure: Failure) -> HttpResponse {
    error_in(app, request, failure, None, false)
}

/// The same where it is known for which client the person came.
pub fn error_of(
    app: &App,
    request: &HttpRequest,
    failure: Failure,
    client: Option<&ClientLook>,
) -> HttpResponse {
    error_in(app, request, failure, client, false)
}

/// The same for somebody whom an app sent here to sign out: they still can.
pub fn error_at_logout(app: &App, request: &HttpRequest, failure: Failure) -> HttpResponse {
    error_in(app, request, failure, None, true)
}

fn error_in(
    app: &App,
    request: &HttpRequest,
    failure: Failure,
    client: Option<&ClientLook>,
    at_logout: bool,
) -> HttpResponse {
    let refusal = shown(failure);
    // Nobody is asked to authenticate by HTTP on a page.
    let code = if refusal.code == ErrorCode::InvalidClient {
        StatusCode::BAD_REQUEST
    } else {
        status(refusal.code)
    };
    let frame = frame_of(app, request, None, client);
    let words = frame.words;
    let [heading, message, advice] = in_words(&refusal, at_logout).map(|key| words.get(key));
    let template = ErrorPage {
        frame,
        heading,
        message,
        advice: Some(advice),
        sign_out_url: at_logout.then(|| format!("{}{}", app.base, path::END_SESSION)),
        code: Some(refusal.code.as_str().to_owned()),
        description: Some(refusal.description),
        request_id: request::id(request),
    };
    in_language(words, page(code, &template, &[]))
}

fn in_words(refusal: &Refusal, at_logout: bool) -> [&'static str; 3] {
    match refusal.code {
        ErrorCode::TemporarilyUnavailable => {
            ["error-unavailable-title", "error-unavailable-message", "error-unavailable-advice"]
        }
        ErrorCode::ServerError => {
            ["error-fault-title", "error-fault-message", "error-fault-advice"]
        }
        ErrorCode::AccessDenied => {
            ["error-denied-title", "error-denied-message", "error-denied-advice"]
        }
        ErrorCode::InvalidRequest
        | ErrorCode::InvalidClient
        | ErrorCode::InvalidGrant
        | ErrorCode::InvalidDpopProof
        | ErrorCode::UseDpopNonce
        | ErrorCode::UnauthorizedClient
        | ErrorCode::UnsupportedGrantType
        | ErrorCode::UnsupportedResponseType
        | ErrorCode::InvalidScope
        | ErrorCode::InvalidTarget
        | ErrorCode::LoginRequired
        | ErrorCode::ConsentRequired
        | ErrorCode::InteractionRequired
        | ErrorCode::UnmetAuthenticationRequirements
        | ErrorCode::InvalidRequestObject
        | ErrorCode::InvalidRequestUri
        | ErrorCode::RequestNotSupported
        | ErrorCode::RequestUriNotSupported
        | ErrorCode::RegistrationNotSupported
        | ErrorCode::AuthorizationPending
        | ErrorCode::SlowDown
        | ErrorCode::ExpiredToken
        | ErrorCode::InvalidRedirectUri
        | ErrorCode::InvalidClientMetadata
        | ErrorCode::InvalidSoftwareStatement
        | ErrorCode::UnapprovedSoftwareStatement
        | ErrorCode::InvalidToken
        | ErrorCode::InsufficientScope
        | ErrorCode::UnsupportedTokenType => {
            if at_logout {
                ["error-logout-title", "error-logout-message", "error-logout-advice"]
            } else {
                ["error-invalid-title", "error-invalid-message", "error-invalid-advice"]
            }
        }
    }
}

/// The page for a path that does not exist.
pub async fn not_found(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let frame = frame(&app, &request, None);
    let words = frame.words;
    let template = ErrorPage {
        frame,
        heading: words.get("error-missing-title"),
        message: words.get("error-missing-message"),
        advice: None,
        sign_out_url: None,
        code: None,
        description: None,
        request_id: request::id(&request),
    };
    in_language(words, page(StatusCode::NOT_FOUND, &template, &[]))
}
