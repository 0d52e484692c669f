//! The end-session endpoint — OIDC RP-Initiated Logout §2, by GET and POST.

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};

use super::endpoints::form;
use super::interaction::see_other;
use super::page::Frame;
use super::page::interaction::{LoggedOutPage, LogoutPage};
use super::page::logout::SigningOutPage;
use super::{App, html};
use crate::op::Failure;
use crate::op::logout::LoggedOut;
use crate::protocol::metadata::path;
use crate::protocol::params::Params;
use crate::protocol::redirect_uri::form_action_source;

/// The parameters a confirmation must bring back.
const CARRIED: [&str; 5] =
    ["id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"];

/// Logs out, or asks first.
pub async fn end_session(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let posted = request.method() == Method::POST;
    let params = if posted {
        form(&request, &body)
    } else {
        Params::parse(request.query_string().as_bytes()).map_err(Failure::from)
    };
    let params = match params {
        Ok(params) => params,
        Err(failure) => return html::error_at_logout(&app, &request, failure),
    };
    let wished = params.one("ui_locales").ok().flatten().map(ToOwned::to_owned);
    let browser = app.browser(&request);
    let mut response = match app.provider.end_session(&params, &browser, posted).await {
        Err(failure) => return html::error_at_logout(&app, &request, failure),
        Ok(LoggedOut::Confirm { csrf, redirect_uri, client_name, look }) => {
            let mut carried = Vec::new();
            for name in CARRIED {
                if let Ok(Some(value)) = params.one(name) {
                    carried.push((name.to_owned(), value.to_owned()));
                }
            }
            let sources: Vec<String> =
                redirect_uri.as_deref().and_then(form_action_source).into_iter().collect();
            let frame = html::frame_of(&app, &request, wished.as_deref(), look.as_deref());
            let words = frame.words;
            let template = LogoutPage {
                frame,
                action: format!("{}{}", app.base, path::END_SESSION),
                client_name,
                fields: carried,
                csrf,
            };
            return html::in_language(words, html::page(StatusCode::OK, &template, &sources));
        }
        Ok(LoggedOut::Done { target, frames, look }) => {
            let frame = html::frame_of(&app, &request, wished.as_deref(), look.as_deref());
            signed_out(frame, target, frames)
        }
    };
    app.close_session(&mut response);
    response
}

/// Says that the person is signed out, by way of the apps' own pages, or sends them back.
pub(super) fn signed_out(
    frame: Frame,
    target: Option<String>,
    frames: Vec<String>,
) -> HttpResponse {
    let words = frame.words;
    if !frames.is_empty() {
        let origins: Vec<String> =
            frames.iter().filter_map(|uri| form_action_source(uri)).collect();
        let template = SigningOutPage { frame, target, frames };
        let page = html::page_with_frames(StatusCode::OK, &template, &origins);
        return html::in_language(words, page);
    }
    match target {
        Some(uri) => see_other(uri),
        None => {
            let page = html::page(StatusCode::OK, &LoggedOutPage { frame }, &[]);
            html::in_language(words, page)
        }
    }
}
