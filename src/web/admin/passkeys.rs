//! Passkeys at the console: the challenges that a script fetches, and the forms that it sends.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse, web};
use serde_json::json;

use super::client_form::status_of;
use super::form::{Form, query};
use super::profile::{added_page, answered};
use super::session::{Going, agent, entered, form as login_form, slowed_down};
use super::{Console, Posted, failed, problems, see_other};
use crate::op::admin::{AdminError, SecondStep};
use crate::op::passkeys::Challenge;
use crate::web::cookies::Jar;
use crate::web::page::admin::Problems;
use crate::web::page::admin::profile::PasskeyPage;
use crate::web::{App, html, request};

const WRONG: &str = "That passkey is not known here, or its answer came too late.";

fn told(challenge: &Challenge) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((actix_web::http::header::CACHE_CONTROL, "no-store"))
        .json(json!({ "handle": challenge.handle, "options": challenge.options }))
}

/// The cookie of a browser whose form is ours, signed in or not.
fn ours(app: &App, request: &HttpRequest, typed: &Form) -> Option<String> {
    let cookie = app.cookies.read(request, Jar::Console)?;
    app.administration.is_csrf_token(&cookie, &typed.text("csrf")).then_some(cookie)
}

/// A challenge for any passkey of ours.
pub(super) async fn ask(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let Some(cookie) = ours(&app, &request, &Form::parse(&body)) else {
        return HttpResponse::Forbidden().finish();
    };
    if !app.limits.may_sign_in(&request) {
        return HttpResponse::TooManyRequests().finish();
    }
    match app.administration.ask_for_passkey(&cookie).await {
        Ok(challenge) => told(&challenge),
        Err(AdminError::NotFound) => HttpResponse::NotFound().finish(),
        Err(error) => failed(&app, request::id(&request), &error),
    }
}

/// Signs in whoever's passkey it is.
pub(super) async fn sign_in(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let typed = Form::parse(&body);
    let going = Going::of_form(&typed);
    let cookie = app.cookies.read(&request, Jar::Console);
    let again = async |status, problem| {
        login_form(&app, cookie.clone(), status, "", Some(problem), &going).await
    };
    let Some(cookie) = ours(&app, &request, &typed) else {
        let problem = "This page was too old, or your browser sends no cookies. Try again.";
        return again(StatusCode::FORBIDDEN, problem).await;
    };
    if !app.limits.may_sign_in(&request) {
        return slowed_down(again).await;
    }
    let id = request::id(&request);
    let (handle, answer) = (typed.text("handle"), typed.text("credential"));
    let signed = app
        .administration
        .sign_in_by_passkey(&cookie, (&handle, &answer), id.clone(), agent(&request))
        .await;
    match signed {
        Ok(SecondStep::Open(session)) => {
            if let Err(error) = app.administration.sign_out(&cookie).await {
                return failed(&app, id, &error);
            }
            entered(&app, &session, &going)
        }
        Ok(SecondStep::Wrong | SecondStep::TooMany | SecondStep::Over) => {
            again(StatusCode::UNAUTHORIZED, WRONG).await
        }
        Err(AdminError::NotFound) => again(StatusCode::NOT_FOUND, WRONG).await,
        Err(error) => failed(&app, id, &error),
    }
}

/// The page where a passkey is made. A script that comes back after a step-up brings the name.
pub(super) async fn new_page(
    console: Console,
    request: HttpRequest,
) -> Result<HttpResponse, Error> {
    let name = query(&request, "passkey_name").unwrap_or_default();
    new(&console, &name, Problems::default())
}

fn new(console: &Console, name: &str, problems: Problems) -> Result<HttpResponse, Error> {
    if !console.app.administration.offers_passkeys() {
        return Err(console.refuse(AdminError::NotFound));
    }
    let status = status_of(&problems, false);
    let template = PasskeyPage { shell: console.shell(), name: name.to_owned(), problems };
    Ok(html::page(status, &template, &[]))
}

/// A challenge for a new one.
pub(super) async fn challenge(posted: Posted) -> Result<HttpResponse, Error> {
    let console = posted.console;
    let administration = &console.app.administration;
    let begun = administration.begin_own_passkey(&console.signed_in(), &console.cookie).await;
    Ok(told(&begun.map_err(|error| console.refuse(error))?))
}

/// Adds it.
pub(super) async fn add(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    let name = form.text("passkey_name");
    let (handle, answer) = (form.text("handle"), form.text("credential"));
    let made = console
        .app
        .administration
        .add_own_passkey(
            &console.actor(),
            &console.signed_in(),
            &console.cookie,
            (&handle, &answer),
            &name,
        )
        .await;
    match made {
        Ok(codes) => added_page(&console, &codes).await,
        Err(AdminError::Invalid(found)) => new(&console, &name, problems(found)),
        Err(error) => Err(console.refuse(error)),
    }
}

/// Removes one.
pub(super) async fn remove(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    let (administration, id) = (&console.app.administration, form.text("passkey"));
    let removed =
        administration.remove_own_passkey(&console.actor(), &console.signed_in(), &id).await;
    answered(&console, removed, async |()| {
        Ok(see_other(&console.url("/profile?done=factor-removed")))
    })
    .await
}
