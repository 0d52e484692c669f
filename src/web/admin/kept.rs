//! What somebody typed into a form of the console while their session ended: kept, and offered
//! again after they have signed in.
//!
//! Only a form that carries the token of the ended session's cookie is kept, so nobody else can
//! put words into it; and nothing is sent until its owner presses the button.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use url::form_urlencoded;

use super::form::Form;
use super::safe_path;
use super::session::{Going, form};
use crate::protocol::admin::Admin;
use crate::web::cookies::Jar;
use crate::web::page::admin::{KeptField, KeptPage};
use crate::web::{App, html};

/// Fields that are never given back.
const FORGOTTEN: [&str; 8] = [
    "csrf",
    "password",
    "new_password",
    "totp",
    "private_key",
    "private_key_text",
    "next_private_key",
    "client_secret",
];
/// Stands among what is kept for each field that held something and is not given back.
const MISSED: &str = "kept.missed";

/// The login page that carries the form, if the session is over and the form was its own.
pub(super) async fn instead_of_losing(request: &HttpRequest, typed: &Form) -> Option<HttpResponse> {
    let app = request.app_data::<web::Data<App>>()?;
    let cookie = app.cookies.read(request, Jar::Console)?;
    if !matches!(app.administration.find_console_session(&cookie).await, Ok(None)) {
        return None;
    }
    if !app.administration.is_csrf_token(&cookie, &typed.text("csrf")) {
        return None;
    }
    let going = going(request, typed, &app.base)?;
    let problem = "Your session had ended. Sign in; what you typed is kept.";
    Some(form(app, Some(cookie), StatusCode::UNAUTHORIZED, "", Some(problem), &going).await)
}

/// Where a form was sent, and what it held, without secrets and files.
pub(super) fn going(request: &HttpRequest, typed: &Form, base: &str) -> Option<Going> {
    let next = safe_path::own(request.uri().path_and_query()?.as_str(), base)?;
    let mut kept = form_urlencoded::Serializer::new(String::new());
    for (name, value) in typed.pairs() {
        if !FORGOTTEN.contains(&name) {
            kept.append_pair(name, value);
        } else if name != "csrf" && !value.is_empty() {
            kept.append_pair(MISSED, name);
        }
    }
    kept.extend_pairs(typed.files().map(|field| (MISSED, field)));
    Some(Going { next, kept: kept.finish() })
}

/// The kept form, ready to be sent by its owner.
pub(super) fn page(
    app: &App,
    admin: &Admin,
    cookie: &str,
    action: &str,
    kept: &str,
) -> HttpResponse {
    let (missed, fields): (Vec<_>, Vec<_>) = form_urlencoded::parse(kept.as_bytes())
        .into_owned()
        .filter(|(name, _)| !FORGOTTEN.contains(&name.as_str()))
        .partition(|(name, _)| name == MISSED);
    let fields = fields.into_iter().map(|(name, value)| KeptField { name, value }).collect();
    let template = KeptPage {
        base: app.base.clone(),
        username: admin.username.clone(),
        action: action.to_owned(),
        csrf: app.administration.csrf_token(cookie),
        fields,
        missed: !missed.is_empty(),
    };
    html::page(StatusCode::OK, &template, &[])
}
