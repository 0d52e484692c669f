//! A person's own page.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::page::account::{AccountPage, IdentityLine, SessionLine};
use super::page::interaction::{ErrorPage, initial};
use super::{App, html, request};
use crate::op::account::Account;
use crate::protocol::ambient::Timestamp;
use crate::protocol::local_account::AUTHORITY;
use crate::protocol::metadata::path;

/// What a signed-in person sees of their own.
pub async fn show(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    match app.provider.account(&app.browser(&request)).await {
        Err(failure) => html::error(&app, &request, failure),
        Ok(None) => signed_out(&app, &request),
        Ok(Some(account)) => html::page(StatusCode::OK, &page(&app, account), &[]),
    }
}

fn page(app: &App, account: Account) -> AccountPage {
    let name = |connection: &crate::protocol::id::ConnectionId| {
        if connection.as_str() == AUTHORITY {
            return "Username and password".to_owned();
        }
        app.provider
            .connector(connection)
            .map_or_else(|| connection.to_string(), |c| c.display_name().to_owned())
    };
    let identities = account
        .identities
        .iter()
        .map(|identity| IdentityLine {
            connection: name(&identity.connection_id),
            email: identity.email.clone(),
            since: day(identity.created_at),
        })
        .collect();
    AccountPage {
        base: app.base.clone(),
        initial: initial(&account.display_name),
        name: account.display_name,
        email: account.user.email,
        email_is_private: account.user.is_private_email,
        identities,
        sessions: vec![SessionLine { current: true, since: day(account.session.created_at) }],
        sign_out_action: format!("{}{}", app.base, path::END_SESSION),
        csrf: account.csrf,
    }
}

pub(super) fn signed_out(app: &App, request: &HttpRequest) -> HttpResponse {
    let template = ErrorPage {
        base: app.base.clone(),
        heading: "You are not signed in".to_owned(),
        message: "Sign in through one of your apps, then come back to this page.".to_owned(),
        advice: None,
        retry_url: None,
        code: None,
        description: None,
        request_id: request::id(request),
    };
    html::page(StatusCode::UNAUTHORIZED, &template, &[])
}

/// A day in words that every reader understands, such as `24 November 2026`.
fn day(at: Timestamp) -> String {
    let format = time::macros::format_description!("[day padding:none] [month repr:long] [year]");
    time::OffsetDateTime::from_unix_timestamp(at.secs())
        .ok()
        .and_then(|moment| moment.format(format).ok())
        .unwrap_or_default()
}

/// A moment in words, such as `24 November 2026, 12:00 UTC`.
pub(super) fn moment(at: Timestamp) -> String {
    let format = time::macros::format_description!(
        "[day padding:none] [month repr:long] [year], [hour]:[minute] UTC"
    );
    time::OffsetDateTime::from_unix_timestamp(at.secs())
        .ok()
        .and_then(|moment| moment.format(format).ok())
        .unwrap_or_default()
}
