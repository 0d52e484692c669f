//! The pages of device authorization: enter the code, confirm, done — RFC 8628 §3.3.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::endpoints::form;
use super::interaction::{binding, see_other, set};
use super::page::device::{CodePage, ConfirmPage, DonePage};
use super::page::interaction::{ScopeLine, initial};
use super::{App, html};
use crate::op::device_authorization::DevicePage;
use crate::protocol::device_code::UserCode;
use crate::protocol::params::Params;

/// Where the code is entered. A link may bring it along, but never sends it: the person looks at
/// it first (§3.3.1).
pub async fn show(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let brought = Params::parse(request.query_string().as_bytes())
        .ok()
        .and_then(|params| params.one("user_code").ok().flatten().and_then(UserCode::parse));
    let wished = wished(&Params::parse(request.query_string().as_bytes()).unwrap_or_default());
    let brought = brought.map(|code| code.to_string());
    code_page(&app, &request, StatusCode::OK, wished, brought, None)
}

/// The languages that the device wished for.
fn wished(params: &Params) -> Option<String> {
    params.one("ui_locales").ok().flatten().map(ToOwned::to_owned)
}

/// The code was entered.
pub async fn enter(app: web::Data<App>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let params = match form(&request, &body) {
        Ok(params) => params,
        Err(failure) => return html::error(&app, &request, failure),
    };
    let tags = wished(&params);
    if !app.limits.may_enter_code(&request) {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let mut page = code_page(&app, &request, status, tags, None, Some("device-too-many"));
        page.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("60"));
        return page;
    }
    let entry = match params.one("user_code") {
        Ok(entry) => entry.unwrap_or_default(),
        Err(refusal) => return html::error(&app, &request, refusal.into()),
    };
    let (bound, cookie) = binding(&app, &request);
    let browser = app.provider.browser(Some(&bound), None);
    let mut response = match app.provider.enter_user_code(entry, tags.as_deref(), &browser).await {
        Ok(Some(id)) => see_other(format!("{}/interaction/{id}", app.base)),
        Ok(None) => {
            let shown: String = entry.chars().take(20).collect();
            let status = StatusCode::BAD_REQUEST;
            return code_page(&app, &request, status, tags, Some(shown), Some("device-unknown"));
        }
        Err(failure) => return html::error(&app, &request, failure),
    };
    set(&mut response, cookie);
    response
}

/// May this device be connected?
pub(super) fn confirm(app: &App, request: &HttpRequest, asked: DevicePage) -> HttpResponse {
    let frame = html::frame_of(app, request, asked.ui_locales.as_deref(), Some(&*asked.look));
    let words = frame.words;
    let signed_in_as = words.person(asked.signed_in_as);
    let template = ConfirmPage {
        frame,
        interaction: asked.interaction.to_string(),
        client_name: asked.client_name,
        user_code: asked.user_code,
        initial: initial(&signed_in_as),
        signed_in_as,
        scopes: asked
            .scopes
            .iter()
            .map(|(value, description)| ScopeLine::new(words, value, description))
            .collect(),
    };
    html::in_language(words, html::page(StatusCode::OK, &template, &[]))
}

/// The person answered, or could not.
pub async fn done(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let refused = Params::parse(request.query_string().as_bytes())
        .ok()
        .is_some_and(|params| params.all("error").next().is_some());
    let frame = html::frame(&app, &request, None);
    let words = frame.words;
    let template = DonePage { frame, connected: !refused };
    html::in_language(words, html::page(StatusCode::OK, &template, &[]))
}

/// `problem` names the text that says what was wrong.
fn code_page(
    app: &App,
    request: &HttpRequest,
    status: StatusCode,
    ui_locales: Option<String>,
    user_code: Option<String>,
    problem: Option<&'static str>,
) -> HttpResponse {
    let frame = html::frame(app, request, ui_locales.as_deref());
    let words = frame.words;
    let template = CodePage {
        frame,
        brought: user_code.is_some() && problem.is_none(),
        user_code: user_code.unwrap_or_default(),
        problem: problem.map(|key| words.get(key)),
        ui_locales: ui_locales.unwrap_or_default(),
    };
    // The form may lead on to the only upstream at once, and Chromium wants redirects named too.
    let upstreams: Vec<String> =
        app.provider.connectors().iter().map(|c| c.form_action_source()).collect();
    html::in_language(words, html::page(status, &template, &upstreams))
}
