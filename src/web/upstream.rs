//! What upstreams send — apple.md §10.
//!
//! Apple answers with a cross-site POST, on which the browser withholds Lax cookies. The first
//! arrival is therefore answered with a page that posts the same fields to the same address; that
//! second POST is same-origin and brings the cookies. Nothing enters a URL, and every cookie stays
//! Lax. What binds the answer to the browser is the cookie-bound `state` alone.

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};

use super::admin::upstream_sign_in;
use super::cookies::Jar;
use super::endpoints::form;
use super::interaction::{answer, lost, see_other};
use super::page::interaction::RepostPage;
use super::reply::{no_store, oauth_error};
use super::{App, html, linking, prove, request};
use crate::op::Failure;
use crate::op::login::{Arrived, Stranded};
use crate::protocol::error::Refusal;
use crate::protocol::id::ConnectionId;
use crate::protocol::params::Params;
use crate::protocol::redirect_uri::form_action_source;
use crate::upstream::Callback;

/// The fields an upstream may send; nothing else is echoed.
const FIELDS: [&str; 6] = ["code", "id_token", "state", "user", "error", "iss"];
/// Marks the second arrival, so that there is no third.
const MARKER: &str = "reposted";

/// A connection's callback.
pub async fn callback(
    app: web::Data<App>,
    request: HttpRequest,
    connection: web::Path<String>,
    body: web::Bytes,
) -> HttpResponse {
    let connection = ConnectionId::new(connection.into_inner());
    if app.provider.connector(&connection).is_none() {
        return html::not_found(app, request).await;
    }
    let params = if request.method() == Method::POST {
        form(&request, &body)
    } else {
        Params::parse(request.query_string().as_bytes()).map_err(Failure::from)
    };
    let read = params.and_then(|params| Ok((read(&params)?, params)));
    let (callback, params) = match read {
        Ok(read) => read,
        Err(failure) => return lost(&app, &request, failure).await,
    };
    let first_arrival = request.method() == Method::POST && params.all(MARKER).next().is_none();
    if first_arrival && app.cookies.read(&request, Jar::Binding).is_none() {
        return repost(&app, &request, &connection, &params).await;
    }
    let browser = app.browser(&request);
    let arrived = app.provider.arrive(&connection, &callback, &browser).await;
    if let Some(metrics) = &app.metrics {
        metrics.login(&connection, arrived.as_ref().err().map(Stranded::failure));
    }
    match arrived {
        Ok(Arrived::Console(back)) => upstream_sign_in::arrived(&app, &request, *back).await,
        Ok(Arrived::Linked) => see_other(linking::done(&app)),
        Ok(Arrived::Proven(proven)) => prove::returned(&app, &proven),
        Ok(Arrived::SignedIn(welcome)) => {
            request::belongs_to(&request, &welcome.interaction);
            let mut response =
                see_other(format!("{}/interaction/{}", app.base, welcome.interaction));
            app.open_session(&mut response, &welcome.session_cookie, welcome.session_ttl);
            response
        }
        Err(Stranded::AtInteraction(id, failure)) => {
            request::belongs_to(&request, &id);
            let next = app.provider.strand(&id, &browser, failure).await;
            answer(&app, &request, Some(&id), next).await
        }
        Err(Stranded::Elsewhere(id, failure)) => {
            request::belongs_to(&request, &id);
            html::error(&app, &request, failure)
        }
        Err(Stranded::AtConsole(errand, failure)) => {
            upstream_sign_in::stranded(&app, &request, errand, failure).await
        }
        Err(Stranded::Noted(failure)) => html::error(&app, &request, failure),
        Err(Stranded::Nowhere(failure)) => lost(&app, &request, failure).await,
    }
}

fn read(params: &Params) -> Result<Callback, Refusal> {
    let text = |name| Ok::<_, Refusal>(params.one(name)?.map(ToOwned::to_owned));
    Ok(Callback {
        code: text("code")?,
        id_token: text("id_token")?,
        state: text("state")?,
        user: text("user")?,
        error: text("error")?,
        iss: text("iss")?,
    })
}

async fn repost(
    app: &App,
    request: &HttpRequest,
    connection: &ConnectionId,
    params: &Params,
) -> HttpResponse {
    // The second POST may end in a redirect to the client, which `form-action` must allow.
    let waiting = match params.one("state") {
        Ok(Some(state)) => app.provider.waiting_request(state).await,
        Ok(None) | Err(_) => Ok(None),
    };
    let waiting = match waiting {
        Ok(waiting) => waiting,
        Err(failure) => return html::error(app, request, failure),
    };
    let look = waiting.as_ref().and_then(|waiting| waiting.look.clone());
    let (redirect_uri, ui_locales) =
        waiting.map(|waiting| (waiting.redirect_uri, waiting.ui_locales)).unzip();
    let sources: Vec<String> =
        redirect_uri.as_deref().and_then(form_action_source).into_iter().collect();
    let mut fields = Vec::new();
    for name in FIELDS {
        if let Ok(Some(value)) = params.one(name) {
            fields.push((name.to_owned(), value.to_owned()));
        }
    }
    fields.push((MARKER.to_owned(), "1".to_owned()));
    let wished = ui_locales.flatten();
    let frame = html::frame_of(app, request, wished.as_deref(), look.as_ref());
    let words = frame.words;
    let template = RepostPage {
        frame,
        action: format!("{}/upstream/{connection}/callback", app.base),
        fields,
    };
    html::in_language(words, html::page(StatusCode::OK, &template, &sources))
}

/// An upstream signs somebody out (OIDC Back-Channel Logout §2.5).
pub async fn backchannel_logout(
    app: web::Data<App>,
    request: HttpRequest,
    connection: web::Path<String>,
    body: web::Bytes,
) -> HttpResponse {
    let connection = ConnectionId::new(connection.into_inner());
    let ended = async {
        let params = form(&request, &body)?;
        app.provider.upstream_logout(&connection, params.required("logout_token")?).await
    };
    match ended.await {
        Ok(()) => no_store(HttpResponse::Ok()).finish(),
        Err(failure) => oauth_error(failure, false),
    }
}

/// Apple's domain association file, when the operator configured one.
pub async fn domain_association(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    match &app.domain_association {
        Some(content) => {
            HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(content.clone())
        }
        None => html::not_found(app, request).await,
    }
}
