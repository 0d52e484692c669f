//! The page on which somebody adds a way to sign in, or takes one away.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::account::{name_of, signed_out};
use super::cookies::Jar;
use super::endpoints::form;
use super::interaction::{binding, see_other, set};
use super::page::account::{IdentitiesPage, MoreLine, WayInLine};
use super::{App, html, prove, request};
use crate::op::fresh_proof::ProvenFor;
use crate::op::linking::{Linking, WayIn};
use crate::protocol::id::ConnectionId;

/// How whoever is signed in signs in, and could.
pub(super) async fn show(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    match app.provider.linking(&app.browser(&request)).await {
        Err(failure) => html::error(&app, &request, failure),
        Ok(None) => signed_out(&app, &request),
        Ok(Some(linking)) if !linking.fresh => prove::asked(&app, ProvenFor::Identities),
        Ok(Some(linking)) => {
            // A form here leads to an upstream.
            let sources: Vec<String> =
                linking.more.iter().map(|connector| connector.form_action_source()).collect();
            let template = page(&app, &request, linking);
            let page = html::page(StatusCode::OK, &template, &sources);
            html::in_language(template.frame.words, page)
        }
    }
}

/// Where the journey that added one ends.
pub(super) fn done(app: &App) -> String {
    format!("{}/account/identities?done=linked", app.base)
}

fn page(app: &App, request: &HttpRequest, linking: Linking) -> IdentitiesPage {
    let frame = html::frame(app, request, None);
    let words = frame.words;
    let line = |way: WayIn| WayInLine {
        connection: name_of(app, words, &way.identity.connection_id),
        email: way.identity.email,
        since: words.day(way.identity.created_at),
        authority: way.identity.authority,
        subject: way.identity.subject,
        usable: way.usable,
        removable: way.removable,
    };
    IdentitiesPage {
        frame,
        flash: match request.query_string() {
            "done=linked" => Some(words.get("identities-added")),
            "done=removed" => Some(words.get("identities-removed")),
            _ => None,
        },
        ways: linking.ways.into_iter().map(line).collect(),
        away: app.provider.names_of_away(&linking.more),
        more: linking
            .more
            .iter()
            .map(|connector| MoreLine {
                id: connector.id().to_string(),
                name: connector.display_name().to_owned(),
            })
            .collect(),
        csrf: linking.csrf,
    }
}

/// Sends the browser to prove the identity that is to be added.
pub(super) async fn add(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let (binding, cookie) = binding(&app, &request);
    let session = app.cookies.read(&request, Jar::Session);
    let browser = app.provider.browser(Some(&binding), session.as_deref());
    let browser = browser.under(request::id(&request));
    let departed = async {
        let params = form(&request, &body)?;
        let connection = ConnectionId::new(params.required("connection")?);
        app.provider.depart_to_link(&connection, &browser, params.required("csrf")?).await
    };
    let mut response = match departed.await {
        Ok(url) => see_other(url),
        Err(failure) => return prove::or_error(&app, &request, failure, ProvenFor::Identities),
    };
    set(&mut response, cookie);
    response
}

/// Takes one away.
pub(super) async fn remove(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let taken = async {
        let params = form(&request, &body)?;
        let identity = (params.required("authority")?, params.required("subject")?);
        app.provider.unlink(&app.browser(&request), params.required("csrf")?, identity).await
    };
    match taken.await {
        Ok(_) => see_other(format!("{}/account/identities?done=removed", app.base)),
        Err(failure) => prove::or_error(&app, &request, failure, ProvenFor::Identities),
    }
}
