//! Signing in to the console and out of it.
//!
//! Before sign-in the console's cookie is a random value that means nothing but lets the login
//! form carry a CSRF token; sign-in always replaces it (OWASP ASVS 5.0 §7.2.4). Where somebody was
//! going, and what they had typed, goes with the form.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::form::{Form, query, with_query};
use super::upstream_sign_in::Offer;
use super::{Posted, failed, kept, safe_path, second_step, see_other};
use crate::op::admin::{ConsoleSession, SignIn};
use crate::protocol::secret::SecretString;
use crate::web::cookies::Jar;
use crate::web::page::admin::LoginPage;
use crate::web::{App, html, request};

/// Where somebody goes after signing in.
#[derive(Clone, Default)]
pub(super) struct Going {
    /// The page they asked for, or sent a form to.
    pub(super) next: String,
    /// The form that they sent there, without secrets; empty if none.
    pub(super) kept: String,
}

impl Going {
    pub(super) fn of_form(form: &Form) -> Self {
        Self { next: form.text("next"), kept: form.exact("kept") }
    }

    pub(super) fn next_url(&self, base: &str) -> String {
        safe_path::own(&self.next, base).unwrap_or_else(|| format!("{base}/admin"))
    }
}

/// The login page, with the page that was asked for.
pub(super) fn login_url(base: &str, request: &HttpRequest) -> String {
    let here = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let front = format!("{base}/admin");
    match safe_path::own(&here, base) {
        Some(path) if request.method() == actix_web::http::Method::GET && path != front => {
            format!("{base}/admin/login{}", with_query(&[("next", path.as_str())]))
        }
        Some(_) | None => format!("{base}/admin/login"),
    }
}

/// The login form; the console itself for somebody who is signed in.
pub(super) async fn login_page(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let going = Going { next: query(&request, "next").unwrap_or_default(), kept: String::new() };
    let Some(cookie) = app.cookies.read(&request, Jar::Console) else {
        return form(&app, None, StatusCode::OK, "", None, &going).await;
    };
    match app.administration.find_console_session(&cookie).await {
        Ok(Some(_)) => see_other(&going.next_url(&app.base)),
        Ok(None) => form(&app, Some(cookie), StatusCode::OK, "", None, &going).await,
        Err(error) => failed(&app, request::id(&request), &error),
    }
}

/// Username and password.
pub(super) async fn login(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let typed = Form::parse(&body);
    let username = typed.exact("username");
    let going = Going::of_form(&typed);
    let cookie = app.cookies.read(&request, Jar::Console);
    let again = async |status, problem| {
        form(&app, cookie.clone(), status, &username, Some(problem), &going).await
    };
    if !app.limits.may_sign_in(&request) {
        return slowed_down(again).await;
    }
    let token = typed.text("csrf");
    let ours =
        cookie.as_ref().is_some_and(|cookie| app.administration.is_csrf_token(cookie, &token));
    if !ours {
        let problem = "This page was too old, or your browser sends no cookies. Try again.";
        return again(StatusCode::FORBIDDEN, problem).await;
    }
    let password = SecretString::new(typed.exact("password"));
    let id = request::id(&request);
    match app.administration.sign_in(&username, password, id.clone(), agent(&request)).await {
        Ok(signed) => match further(&app, signed, cookie.as_deref(), &going, id).await {
            Some(response) => response,
            None => again(StatusCode::UNAUTHORIZED, "Wrong username or password.").await,
        },
        Err(error) => failed(&app, id, &error),
    }
}

/// Where a first factor leads: into the console, or on to the second step. `None` if nowhere. The
/// cookie from before ends.
pub(super) async fn further(
    app: &App,
    signed: SignIn,
    before: Option<&str>,
    going: &Going,
    id: Option<String>,
) -> Option<HttpResponse> {
    match signed {
        SignIn::Open(session) => {
            if let Some(before) = before
                && let Err(error) = app.administration.sign_out(before).await
            {
                return Some(failed(app, id, &error));
            }
            Some(entered(app, &session, going))
        }
        SignIn::SecondStep(waiting) => {
            let value = waiting.expose().clone();
            match app.administration.second_step_of(&value).await {
                Ok(admin) => {
                    let admin = admin?;
                    let asked = second_step::form(app, &admin, &value, StatusCode::OK, None, going);
                    let mut response = asked.await;
                    set(&mut response, &app.cookies.make(Jar::Console, value, None));
                    Some(response)
                }
                Err(error) => Some(failed(app, id, &error)),
            }
        }
        SignIn::Refused => None,
    }
}

/// The first page of a new session: the one that was asked for, or the form that was kept.
pub(super) fn entered(app: &App, session: &ConsoleSession, going: &Going) -> HttpResponse {
    let value = session.cookie.expose().clone();
    let mut response = match safe_path::own(&going.next, &app.base) {
        Some(path) if !going.kept.is_empty() => {
            kept::page(app, &session.admin, &value, &path, &going.kept)
        }
        Some(_) | None => see_other(&going.next_url(&app.base)),
    };
    set(&mut response, &app.cookies.make(Jar::Console, value, None));
    response
}

/// What the browser calls itself.
pub(super) fn agent(request: &HttpRequest) -> Option<String> {
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    agent.map(|agent| agent.chars().take(200).collect())
}

/// The page for somebody who tries too often.
pub(super) async fn slowed_down(
    page: impl AsyncFnOnce(StatusCode, &'static str) -> HttpResponse,
) -> HttpResponse {
    let problem = "Too many attempts from your address. Wait a minute.";
    let mut response = page(StatusCode::TOO_MANY_REQUESTS, problem).await;
    response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("60"));
    response
}

/// Ends the session.
pub(super) async fn logout(posted: Posted) -> Result<HttpResponse, actix_web::Error> {
    let console = posted.console;
    let ended = console.app.administration.sign_out(&console.cookie).await;
    ended.map_err(|error| console.refuse(error))?;
    let mut response = see_other(&console.url("/login"));
    set(&mut response, &console.app.cookies.remove(Jar::Console));
    Ok(response)
}

/// The login form.
pub(super) async fn form(
    app: &App,
    cookie: Option<String>,
    status: StatusCode,
    username: &str,
    problem: Option<&str>,
    going: &Going,
) -> HttpResponse {
    let offer = match Offer::of_console(app).await {
        Ok(offer) => offer,
        Err(error) => return failed(app, None, &error),
    };
    let nobody = match app.administration.page_of_admins("", "", 1).await {
        Ok((found, _)) => found.is_empty(),
        Err(error) => return failed(app, None, &error),
    };
    let fresh = cookie.is_none();
    let cookie = cookie.unwrap_or_else(|| app.provider.random_secret().expose().clone());
    let template = LoginPage {
        base: app.base.clone(),
        username: username.to_owned(),
        problem: problem.map(str::to_owned),
        connections: offer.buttons,
        csrf: app.administration.csrf_token(&cookie),
        next: safe_path::own(&going.next, &app.base).unwrap_or_default(),
        kept: going.kept.clone(),
        passkeys: app.administration.offers_passkeys(),
        nobody,
    };
    let mut response = html::page(status, &template, &offer.sources);
    if fresh {
        set(&mut response, &app.cookies.make(Jar::Console, cookie, None));
    }
    response
}

pub(super) fn set(response: &mut HttpResponse, cookie: &actix_web::cookie::Cookie<'_>) {
    if let Err(error) = response.add_cookie(cookie) {
        tracing::error!(%error, "a cookie could not be set");
    }
}
