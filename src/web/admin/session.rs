//! Signing in to the console and out of it.
//!
//! Before sign-in the console's cookie is a random value that means nothing but lets the login
//! form carry a CSRF token; sign-in always replaces it (OWASP ASVS 5.0 §7.2.4).

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::form::Form;
use super::{Posted, failed, see_other};
use crate::protocol::secret::SecretString;
use crate::web::cookies::Jar;
use crate::web::page::admin::LoginPage;
use crate::web::{App, html, request};

/// The login form; the console itself for somebody who is signed in.
pub(super) async fn login_page(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let Some(cookie) = app.cookies.read(&request, Jar::Console) else {
        return form(&app, None, StatusCode::OK, "", None);
    };
    match app.administration.find_console_session(&cookie).await {
        Ok(Some(_)) => see_other(&format!("{}/admin", app.base)),
        Ok(None) => form(&app, Some(cookie), StatusCode::OK, "", None),
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
    let cookie = app.cookies.read(&request, Jar::Console);
    if !app.limits.may_sign_in(&request) {
        let problem = Some("Too many attempts from your address. Wait a minute.");
        let mut response = form(&app, cookie, StatusCode::TOO_MANY_REQUESTS, &username, problem);
        response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("60"));
        return response;
    }
    let token = typed.text("csrf");
    let ours =
        cookie.as_ref().is_some_and(|cookie| app.administration.is_csrf_token(cookie, &token));
    if !ours {
        let problem = Some("This page was too old, or your browser sends no cookies. Try again.");
        return form(&app, cookie, StatusCode::FORBIDDEN, &username, problem);
    }
    let password = SecretString::new(typed.exact("password"));
    let id = request::id(&request);
    match app.administration.sign_in(&username, password, id.clone()).await {
        Ok(Some(session)) => {
            if let Some(before) = &cookie
                && let Err(error) = app.administration.sign_out(before).await
            {
                return failed(&app, id, &error);
            }
            let mut response = see_other(&format!("{}/admin", app.base));
            let value = session.cookie.expose().clone();
            set(&mut response, &app.cookies.make(Jar::Console, value, None));
            response
        }
        Ok(None) => {
            let problem = Some("Wrong username or password.");
            form(&app, cookie, StatusCode::UNAUTHORIZED, &username, problem)
        }
        Err(error) => failed(&app, id, &error),
    }
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

fn form(
    app: &App,
    cookie: Option<String>,
    status: StatusCode,
    username: &str,
    problem: Option<&'static str>,
) -> HttpResponse {
    let fresh = cookie.is_none();
    let cookie = cookie.unwrap_or_else(|| app.provider.random_secret().expose().clone());
    let template = LoginPage {
        base: app.base.clone(),
        username: username.to_owned(),
        problem,
        csrf: app.administration.csrf_token(&cookie),
    };
    let mut response = html::page(status, &template, &[]);
    if fresh {
        set(&mut response, &app.cookies.make(Jar::Console, cookie, None));
    }
    response
}

fn set(response: &mut HttpResponse, cookie: &actix_web::cookie::Cookie<'_>) {
    if let Err(error) = response.add_cookie(cookie) {
        tracing::error!(%error, "a cookie could not be set");
    }
}
