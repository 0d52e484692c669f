//! A person's own page.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::page::account::{AccountPage, SignedOut};
use super::{App, html};

/// What a signed-in person sees of their own.
pub async fn show(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    match app.provider.account(&app.browser(&request)).await {
        Err(failure) => html::error(&app, &request, failure),
        Ok(None) => {
            html::page(StatusCode::UNAUTHORIZED, &SignedOut { base: app.base.clone() }, &[])
        }
        Ok(Some(account)) => {
            let template = AccountPage {
                base: app.base.clone(),
                display_name: account.display_name,
                email: account.user.email,
                is_private_email: account.user.is_private_email,
                connections: account
                    .identities
                    .into_iter()
                    .map(|identity| identity.connection_id.to_string())
                    .collect(),
                csrf: account.csrf,
            };
            html::page(StatusCode::OK, &template, &[])
        }
    }
}
