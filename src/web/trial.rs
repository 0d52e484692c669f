//! The link of a trial that a key of the admin API began: a page that says what it is for, a sign-in,
//! and an end. Nobody here is signed in to the console.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::cookies::Jar;
use super::interaction::{answer, binding, see_other, set};
use super::page::trial::{DonePage, LinkPage};
use super::{App, html, request};
use crate::op::Failure;
use crate::op::trial::by_key::PATH;
use crate::protocol::error::Refusal;
use crate::protocol::params::Params;

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource(PATH).route(web::get().to(arrive)))
        .service(web::resource(format!("{PATH}/done")).route(web::get().to(done)))
        .service(
            web::resource(format!("{PATH}/{{id}}"))
                .route(web::get().to(show))
                .route(web::post().to(follow)),
        );
}

/// A link is only shown by whatever fetches it: programs that look at links ahead of people spend
/// none. The browser is bound here, so that no other site's form can follow the link.
async fn show(app: web::Data<App>, request: HttpRequest, id: web::Path<String>) -> HttpResponse {
    let page = match app.provider.look_at_trial_link(&id).await {
        Ok(Some(page)) => page,
        Ok(None) => return over(&app, &request),
        Err(failure) => return html::error(&app, &request, failure),
    };
    let frame = html::frame_of(&app, &request, None, Some(&page.look));
    let words = frame.words;
    let template = LinkPage { frame, id: id.into_inner(), client_name: page.client_name };
    // The form may lead on to the only upstream at once, and Chromium wants redirects named too.
    let upstreams: Vec<String> =
        app.provider.connectors().iter().map(|c| c.form_action_source()).collect();
    let page = html::page(StatusCode::OK, &template, &upstreams);
    let mut response = html::in_language(words, page);
    set(&mut response, binding(&app, &request).1);
    response
}

/// The person goes on.
async fn follow(app: web::Data<App>, request: HttpRequest, id: web::Path<String>) -> HttpResponse {
    // The cookie is Lax, so a form of another site comes without it.
    let Some(bound) = app.cookies.read(&request, Jar::Binding) else {
        return see_other(format!("{}{PATH}/{id}", app.base));
    };
    let browser = app.browser(&request);
    match app.provider.follow_trial_link(&id, &bound, &browser).await {
        Ok(Some(next)) => answer(&app, &request, None, Ok(next)).await,
        Ok(None) => over(&app, &request),
        Err(failure) => html::error(&app, &request, failure),
    }
}

/// The answer, in the browser that followed the link.
async fn arrive(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let params = match Params::parse(request.query_string().as_bytes()) {
        Ok(params) => params,
        Err(refusal) => return html::error(&app, &request, refusal.into()),
    };
    let bound = app.cookies.read(&request, Jar::Binding).unwrap_or_default();
    let id = request::id(&request);
    match app.provider.finish_key_trial(&bound, &params, id).await {
        Ok(true) => see_other(format!("{}{PATH}/done", app.base)),
        Ok(false) => over(&app, &request),
        Err(failure) => html::error(&app, &request, failure),
    }
}

async fn done(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let frame = html::frame(&app, &request, None);
    let words = frame.words;
    html::in_language(words, html::page(StatusCode::OK, &DonePage { frame }, &[]))
}

fn over(app: &App, request: &HttpRequest) -> HttpResponse {
    let text = "this link was followed already, is too old, or belongs to another browser";
    html::error(app, request, Failure::from(Refusal::invalid_request(text)))
}
