//! The second step of a sign-in, and the page that asks for a fresh proof before a dangerous act.

use actix_web::http::{StatusCode, header};
use actix_web::{Error, HttpRequest, HttpResponse, web};

use super::form::{Form, query};
use super::session::{Going, entered, set};
use super::upstream_sign_in::Offer;
use super::{Console, Posted, failed, kept, rights, safe_path, see_other};
use crate::op::admin::{FirstFactor, Proof, SecondStep};
use crate::protocol::admin::Admin;
use crate::protocol::secret::SecretString;
use crate::web::cookies::Jar;
use crate::web::page::admin::profile::{ProvePage, SecondStepPage};
use crate::web::{App, html, request};

const WRONG: &str = "That is not right, or was used before.";
const TOO_MANY: &str = "Too many were wrong. Wait a quarter of an hour.";

/// The form, for somebody whose password was right.
pub(super) async fn form(
    app: &App,
    admin: &Admin,
    cookie: &str,
    status: StatusCode,
    problem: Option<&'static str>,
    going: &Going,
) -> HttpResponse {
    let held = match app.administration.factors_of(&admin.id).await {
        Ok(held) => held,
        Err(error) => return failed(app, None, &error),
    };
    let template = SecondStepPage {
        has_codes: held.totp_added_at.is_some(),
        passkeys: held.passkeys > 0 && app.administration.offers_passkeys(),
        base: app.base.clone(),
        username: admin.username.clone(),
        problem,
        csrf: app.administration.csrf_token(cookie),
        next: safe_path::own(&going.next, &app.base).unwrap_or_default(),
        kept: going.kept.clone(),
    };
    html::page(status, &template, &[])
}

/// The form again, as long as it is waited for.
pub(super) async fn page(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let to_login = || see_other(&format!("{}/admin/login", app.base));
    let Some(cookie) = app.cookies.read(&request, Jar::Console) else { return to_login() };
    match app.administration.second_step_of(&cookie).await {
        Ok(Some(admin)) => {
            form(&app, &admin, &cookie, StatusCode::OK, None, &Going::default()).await
        }
        Ok(None) => to_login(),
        Err(error) => failed(&app, request::id(&request), &error),
    }
}

/// The code.
pub(super) async fn answer(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let typed = Form::parse(&body);
    let going = Going::of_form(&typed);
    let id = request::id(&request);
    let to_login = || see_other(&format!("{}/admin/login", app.base));
    let Some(cookie) = app.cookies.read(&request, Jar::Console) else { return to_login() };
    let admin = match app.administration.second_step_of(&cookie).await {
        Ok(Some(admin)) => admin,
        Ok(None) => return to_login(),
        Err(error) => return failed(&app, id, &error),
    };
    let again =
        async |status, problem| form(&app, &admin, &cookie, status, Some(problem), &going).await;
    if !app.administration.is_csrf_token(&cookie, &typed.text("csrf")) {
        return again(StatusCode::FORBIDDEN, "This page was too old. Try again.").await;
    }
    if !app.limits.may_sign_in(&request) {
        return slowed(again(StatusCode::TOO_MANY_REQUESTS, TOO_MANY).await);
    }
    let (handle, credential) = (typed.text("handle"), typed.text("credential"));
    let finished = if credential.is_empty() {
        app.administration.finish_sign_in(&cookie, &typed.text("totp"), id.clone()).await
    } else {
        let answer = (handle.as_str(), credential.as_str());
        app.administration.finish_sign_in_by_passkey(&cookie, answer, id.clone()).await
    };
    match finished {
        Ok(SecondStep::Open(session)) => entered(&app, &session, &going),
        Ok(SecondStep::Wrong) => again(StatusCode::UNAUTHORIZED, WRONG).await,
        Ok(SecondStep::TooMany) => slowed(again(StatusCode::TOO_MANY_REQUESTS, TOO_MANY).await),
        Ok(SecondStep::Over) => to_login(),
        Err(error) => failed(&app, id, &error),
    }
}

fn slowed(mut response: HttpResponse) -> HttpResponse {
    response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("900"));
    response
}

/// Asks for a fresh proof; what was typed goes along.
pub(super) async fn ask(
    console: &Console,
    status: StatusCode,
    problem: Option<&'static str>,
    going: &Going,
) -> Result<HttpResponse, Error> {
    ask_after(console, status, problem, going, None).await
}

/// The same, after an upstream has given its word.
pub(super) async fn ask_after(
    console: &Console,
    status: StatusCode,
    problem: Option<&'static str>,
    going: &Going,
    word: Option<String>,
) -> Result<HttpResponse, Error> {
    let refuse = |error| console.refuse(error);
    let held = console.app.administration.own_factors(&console.signed_in()).await;
    let held = held.map_err(refuse)?;
    let offer = Offer::of_admin(&console.app, &console.admin).await.map_err(refuse)?;
    let next = going.next_url(&console.app.base);
    let template = ProvePage {
        deed: rights::deed(&next, &console.app.base),
        word,
        connections: offer.buttons,
        shell: console.shell(),
        second_factor: held.any(),
        problem,
        next,
        kept: going.kept.clone(),
        has_codes: held.totp_added_at.is_some(),
        passkeys: held.passkeys > 0 && console.app.administration.offers_passkeys(),
    };
    Ok(html::page(status, &template, &offer.sources))
}

/// The page by itself, on the way to a page of a dangerous act.
pub(super) async fn prove_page(
    console: Console,
    request: HttpRequest,
) -> Result<HttpResponse, Error> {
    let going = Going { next: query(&request, "next").unwrap_or_default(), kept: String::new() };
    ask(&console, StatusCode::OK, None, &going).await
}

/// Password or an upstream's word, and code; or a passkey: then on to where somebody was going,
/// under a new cookie.
pub(super) async fn prove(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    let going = Going::of_form(&form);
    let (signed_in, code, word) = (console.signed_in(), form.text("totp"), form.text("word"));
    let request_id = console.request_id.clone();
    let administration = &console.app.administration;
    let (handle, answer) = (form.text("handle"), form.text("credential"));
    let proof = if answer.is_empty() {
        let first = if word.is_empty() {
            FirstFactor::Password(SecretString::new(form.exact("password")))
        } else {
            FirstFactor::Vouched(word.clone())
        };
        administration.prove_again(&signed_in, first, &code, request_id).await
    } else {
        let answer = (handle.as_str(), answer.as_str());
        administration.prove_by_passkey(&signed_in, &console.cookie, answer, request_id).await
    };
    let word = Some(word).filter(|word| !word.is_empty());
    proven(&console, proof.map_err(|error| console.refuse(error))?, &going, word).await
}

/// Where a proof leads.
pub(super) async fn proven(
    console: &Console,
    proof: Proof,
    going: &Going,
    word: Option<String>,
) -> Result<HttpResponse, Error> {
    match proof {
        Proof::Fresh(cookie) => {
            let app = &console.app;
            let mut response = match safe_path::own(&going.next, &app.base) {
                Some(path) if !going.kept.is_empty() => {
                    kept::page(app, &console.admin, cookie.expose(), &path, &going.kept)
                }
                Some(_) | None => see_other(&going.next_url(&app.base)),
            };
            set(&mut response, &app.cookies.make(Jar::Console, cookie.expose().clone(), None));
            Ok(response)
        }
        Proof::Wrong => {
            ask_after(console, StatusCode::UNAUTHORIZED, Some(WRONG), going, word).await
        }
        Proof::TooMany => {
            let status = StatusCode::TOO_MANY_REQUESTS;
            ask_after(console, status, Some(TOO_MANY), going, word).await.map(slowed)
        }
    }
}
