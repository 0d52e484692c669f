//! A person's own page, and the forms on it.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::endpoints::form;
use super::interaction::see_other;
use super::page::Frame;
use super::page::account::{AccountPage, AppLine, IdentityLine, Message, SessionLine};
use super::page::interaction::{ErrorPage, ScopeLine, initial};
use super::words::Words;
use super::{App, html, prove, request, user_agent};
use crate::op::Failure;
use crate::op::account::{Account, SeenSession};
use crate::op::fresh_proof::ProvenFor;
use crate::protocol::id::{ClientId, ConnectionId, SessionId};
use crate::protocol::local_account::AUTHORITY;
use crate::protocol::metadata::path;
use crate::protocol::params::Params;

/// What a form on the page may have come to: told on the page after it, in words of ours.
const DONE: [(&str, bool); 5] = [
    ("account-done-proved", true),
    ("account-done-renamed", true),
    ("account-done-ended", true),
    ("account-done-revoked", true),
    ("account-problem-name", false),
];

/// The routes, relative to the issuer's path.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/account").route(web::get().to(show)))
        .service(web::resource("/account/name").route(web::post().to(rename)))
        .service(web::resource("/account/sessions/end").route(web::post().to(end_session)))
        .service(web::resource("/account/apps/revoke").route(web::post().to(revoke_app)))
        .service(web::resource("/account/export").route(web::post().to(export)));
}

/// What a signed-in person sees of their own.
pub async fn show(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let account = match app.provider.account(&app.browser(&request)).await {
        Err(failure) => return html::error(&app, &request, failure),
        Ok(None) => return signed_out(&app, &request),
        Ok(Some(account)) => account,
    };
    let frame = html::frame(&app, &request, None);
    let done = Params::parse(request.query_string().as_bytes())
        .ok()
        .and_then(|params| params.one("done").ok().flatten().map(ToOwned::to_owned));
    let told = DONE.into_iter().find(|(key, _)| Some(*key) == done.as_deref());
    let mut template = page(&app, frame, account);
    let words = template.frame.words;
    template.message = told.map(|(key, good)| Message { words: words.get(key), good });
    html::in_language(words, html::page(StatusCode::OK, &template, &[]))
}

fn page(app: &App, frame: Frame, account: Account) -> AccountPage {
    let words = frame.words;
    let called = words.person(account.display_name);
    let session = &account.session;
    let identities: Vec<IdentityLine> = account
        .identities
        .iter()
        .map(|identity| IdentityLine {
            connection: name_of(app, words, &identity.connection_id),
            email: identity.email.clone(),
            since: words.day(identity.created_at),
        })
        .collect();
    AccountPage {
        initial: initial(&called),
        chosen_name: account.user.name.clone().unwrap_or_default(),
        name: called,
        email: account.user.email,
        email_is_private: account.user.is_private_email,
        identities,
        second: account.factors.map(|held| match held.totp_added_at {
            Some(at) => words.with("second-on", "day", &words.day(at)),
            None => words.get("second-off"),
        }),
        sessions: account.sessions.iter().map(|seen| session_line(words, seen, session)).collect(),
        apps: account
            .apps
            .into_iter()
            .map(|app| AppLine {
                client_id: app.client_id.to_string(),
                name: app.client_name,
                since: words.day(app.since),
                scopes: app.scope.iter().map(|value| ScopeLine::new(words, value, value)).collect(),
            })
            .collect(),
        sign_out_action: format!("{}{}", frame.base, path::END_SESSION),
        csrf: account.csrf,
        message: None,
        frame,
    }
}

fn session_line(
    words: Words,
    seen: &SeenSession,
    current: &crate::protocol::session::Session,
) -> SessionLine {
    let (browser, system) = user_agent::summary(seen.user_agent.as_deref().unwrap_or_default());
    let browser = browser.map_or_else(|| words.get("account-browser-unknown"), ToOwned::to_owned);
    SessionLine {
        id: seen.session.id.to_string(),
        current: seen.session.id == current.id,
        browser: match system {
            Some(system) => {
                words.with_both("account-browser-on", "browser", &browser, "system", system)
            }
            None => browser,
        },
        since: words.day(seen.session.created_at),
        seen: words.moment(seen.seen_at),
    }
}

/// What a connection is called.
pub(super) fn name_of(app: &App, words: Words, connection: &ConnectionId) -> String {
    if connection.as_str() == AUTHORITY {
        return words.get("account-local");
    }
    let connector = app.provider.connector(connection);
    connector.map_or_else(|| connection.to_string(), |found| found.display_name().to_owned())
}

/// The person changes what they are called.
pub async fn rename(app: web::Data<App>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let renamed = async {
        let params = form(&request, &body)?;
        let name = params.one("name")?.unwrap_or_default();
        app.provider.rename_account(&app.browser(&request), params.required("csrf")?, name).await
    };
    let told = |done| if done { "account-done-renamed" } else { "account-problem-name" };
    after(&app, &request, renamed.await.map(told))
}

/// The person signs another browser out.
pub async fn end_session(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let ended = async {
        let params = form(&request, &body)?;
        let id = SessionId::new(params.required("sid")?);
        app.provider.end_own_session(&app.browser(&request), params.required("csrf")?, &id).await
    };
    after(&app, &request, ended.await.map(|()| "account-done-ended"))
}

/// The person takes an app's access away.
pub async fn revoke_app(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let revoked = async {
        let params = form(&request, &body)?;
        let id = ClientId::new(params.required("client_id")?);
        app.provider.revoke_own_app(&app.browser(&request), params.required("csrf")?, &id).await
    };
    after(&app, &request, revoked.await.map(|()| "account-done-revoked"))
}

/// Everything that is kept about the person, as a file.
pub async fn export(app: web::Data<App>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let exported = async {
        let params = form(&request, &body)?;
        app.provider.export_account(&app.browser(&request), params.required("csrf")?).await
    };
    match exported.await {
        Err(failure) => prove::or_error(&app, &request, failure, ProvenFor::Account),
        Ok(all) => HttpResponse::Ok()
            .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"account.json\""))
            .content_type("application/json")
            .body(serde_json::to_string_pretty(&all).unwrap_or_default()),
    }
}

/// Back to the page, which tells what was done.
fn after(app: &App, request: &HttpRequest, done: Result<&str, Failure>) -> HttpResponse {
    match done {
        Ok(done) => see_other(format!("{}/account?done={done}", app.base)),
        Err(failure) => html::error(app, request, failure),
    }
}

pub(super) fn signed_out(app: &App, request: &HttpRequest) -> HttpResponse {
    let frame = html::frame(app, request, None);
    let words = frame.words;
    let template = ErrorPage {
        frame,
        heading: words.get("error-signed-out-title"),
        message: words.get("error-signed-out-message"),
        advice: None,
        sign_out_url: None,
        code: None,
        description: None,
        request_id: request::id(request),
    };
    html::in_language(words, html::page(StatusCode::UNAUTHORIZED, &template, &[]))
}
