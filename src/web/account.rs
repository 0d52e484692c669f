//! A person's own page.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::page::Frame;
use super::page::account::{AccountPage, IdentityLine, SessionLine};
use super::page::interaction::{ErrorPage, initial};
use super::words::Words;
use super::{App, html, request};
use crate::op::account::Account;
use crate::protocol::id::ConnectionId;
use crate::protocol::local_account::AUTHORITY;
use crate::protocol::metadata::path;

/// What a signed-in person sees of their own.
pub async fn show(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    match app.provider.account(&app.browser(&request)).await {
        Err(failure) => html::error(&app, &request, failure),
        Ok(None) => signed_out(&app, &request),
        Ok(Some(account)) => {
            let template = page(&app, html::frame(&app, &request, None), account);
            let page = html::page(StatusCode::OK, &template, &[]);
            html::in_language(template.frame.words, page)
        }
    }
}

/// What a connection is called.
pub(super) fn name_of(app: &App, words: Words, connection: &ConnectionId) -> String {
    if connection.as_str() == AUTHORITY {
        return words.get("account-local");
    }
    app.provider
        .connector(connection)
        .map_or_else(|| connection.to_string(), |c| c.display_name().to_owned())
}

fn page(app: &App, frame: Frame, account: Account) -> AccountPage {
    let words = frame.words;
    let called = words.person(account.display_name);
    let identities = account
        .identities
        .iter()
        .map(|identity| IdentityLine {
            connection: name_of(app, words, &identity.connection_id),
            email: identity.email.clone(),
            since: words.day(identity.created_at),
        })
        .collect();
    AccountPage {
        frame,
        initial: initial(&called),
        name: called,
        email: account.user.email,
        email_is_private: account.user.is_private_email,
        identities,
        sessions: vec![SessionLine { current: true, since: words.day(account.session.created_at) }],
        sign_out_action: format!("{}{}", app.base, path::END_SESSION),
        csrf: account.csrf,
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
        retry_url: None,
        code: None,
        description: None,
        request_id: request::id(request),
    };
    html::in_language(words, html::page(StatusCode::UNAUTHORIZED, &template, &[]))
}
