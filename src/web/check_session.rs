//! The check session iframe — OIDC Session Management 1.0 §3.3.
//!
//! An app embeds it and asks by `postMessage` whether the session is still the one it knows. The
//! answer is worked out in the browser, from a cookie that a script may read and that proves
//! nothing. Browsers that withhold cookies from embedded pages make it answer `changed`.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use askama::Template as _;

use super::App;
use super::page::logout::CheckSessionPage;

/// The page. The only one that others may embed, and it shows nothing.
pub async fn check_session(app: web::Data<App>) -> HttpResponse {
    let template = CheckSessionPage { base: app.base.clone() };
    match template.render() {
        Ok(html) => HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .insert_header((
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; script-src 'self'; frame-ancestors *; base-uri 'none'",
            ))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(html),
        Err(error) => {
            tracing::error!(%error, "the check session page could not be rendered");
            HttpResponse::InternalServerError().finish()
        }
    }
}
