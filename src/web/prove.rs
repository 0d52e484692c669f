//! The page on which whoever is signed in proves once more who they are.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::account::signed_out;
use super::cookies::Jar;
use super::endpoints::form;
use super::interaction::{binding, see_other, set};
use super::page::account::{MoreLine, ProvePage};
use super::{App, html, request};
use crate::op::Failure;
use crate::op::fresh_proof::{LocalProof, Proven, ProvenFor, WaysToProve};
use crate::protocol::error::ErrorCode;
use crate::protocol::id::ConnectionId;
use crate::protocol::local_account::canonical;
use crate::protocol::params::Params;
use crate::protocol::secret::SecretString;

/// The routes, relative to the issuer's path.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/account/prove")
                .route(web::get().to(show))
                .route(web::post().to(locally)),
        )
        .service(web::resource("/account/prove/{connection}").route(web::post().to(depart)));
}

/// The page of a failure; whose proof was too old is led to give another.
pub(super) fn or_error(
    app: &App,
    request: &HttpRequest,
    failure: Failure,
    page: ProvenFor,
) -> HttpResponse {
    match failure {
        Failure::Refused(refusal) if refusal.code == ErrorCode::LoginRequired => asked(app, page),
        failure @ (Failure::Refused(_) | Failure::Fault(_)) => html::error(app, request, failure),
    }
}

/// On to this page.
pub(super) fn asked(app: &App, page: ProvenFor) -> HttpResponse {
    see_other(format!("{}/account/prove?next={}", app.base, page.as_str()))
}

/// Where somebody goes on who has proved who they are.
fn onwards(app: &App, page: ProvenFor) -> HttpResponse {
    let path = match page {
        ProvenFor::Account => "/account?done=account-done-proved",
        ProvenFor::Identities => "/account/identities",
        ProvenFor::SecondFactor => "/account/second?done=account-done-proved",
        ProvenFor::Delete => "/account/delete",
    };
    see_other(format!("{}{path}", app.base))
}

/// Back from an upstream with the proof.
pub(super) fn returned(app: &App, proven: &Proven) -> HttpResponse {
    let mut response = onwards(app, proven.page);
    app.open_session(&mut response, &proven.session_cookie, proven.session_ttl);
    response
}

fn wanted(params: &Params) -> ProvenFor {
    let named = params.one("next").ok().flatten();
    named.and_then(ProvenFor::parse).unwrap_or_default()
}

/// The ways there are.
async fn show(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let params = Params::parse(request.query_string().as_bytes()).unwrap_or_default();
    page(&app, &request, wanted(&params), None, StatusCode::OK).await
}

async fn page(
    app: &App,
    request: &HttpRequest,
    next: ProvenFor,
    problem: Option<&str>,
    status: StatusCode,
) -> HttpResponse {
    let ways = match app.provider.ways_to_prove(&app.browser(request)).await {
        Err(failure) => return html::error(app, request, failure),
        Ok(None) => return signed_out(app, request),
        Ok(Some(ways)) => ways,
    };
    let frame = html::frame(app, request, None);
    let words = frame.words;
    let WaysToProve { connections, username, second_factor, csrf } = ways;
    // A form here leads to an upstream.
    let sources: Vec<String> = connections.iter().map(|one| one.form_action_source()).collect();
    let way = |connector: &std::sync::Arc<dyn crate::upstream::Connector>| MoreLine {
        id: connector.id().to_string(),
        name: connector.display_name().to_owned(),
    };
    let template = ProvePage {
        frame,
        ways: connections.iter().map(way).collect(),
        away: app.provider.names_of_away(&connections),
        username,
        second_factor,
        problem: problem.map(|key| words.get(key)),
        next: next.as_str(),
        csrf,
    };
    html::in_language(words, html::page(status, &template, &sources))
}

/// Off to an upstream.
async fn depart(
    app: web::Data<App>,
    request: HttpRequest,
    connection: web::Path<String>,
    body: web::Bytes,
) -> HttpResponse {
    // A session may outlive the cookie that binds journeys to this browser.
    let (bound, cookie) = binding(&app, &request);
    let session = app.cookies.read(&request, Jar::Session);
    let browser = app.provider.browser(Some(&bound), session.as_deref());
    let browser = browser.under(request::id(&request));
    let departed = async {
        let params = form(&request, &body)?;
        let (id, csrf) = (ConnectionId::new(connection.as_str()), params.required("csrf")?);
        app.provider.depart_to_prove(&id, &browser, csrf, wanted(&params)).await
    };
    match departed.await {
        Err(failure) => html::error(&app, &request, failure),
        Ok(url) => {
            let mut response = see_other(url);
            set(&mut response, cookie);
            response
        }
    }
}

/// Password, and code.
async fn locally(app: web::Data<App>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let params = match form(&request, &body) {
        Ok(params) => params,
        Err(failure) => return html::error(&app, &request, failure),
    };
    let next = wanted(&params);
    let browser = app.browser(&request);
    let username = match app.provider.ways_to_prove(&browser).await {
        Err(failure) => return html::error(&app, &request, failure),
        Ok(None) => return signed_out(&app, &request),
        Ok(Some(ways)) => canonical(&ways.username.unwrap_or_default()),
    };
    let Some(guess) = app.guesses.begin(&username, app.limits.address(&request)) else {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let mut slowed = page(&app, &request, next, Some("login-too-many"), status).await;
        slowed.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("60"));
        return slowed;
    };
    let proved = async {
        let text = |name| Ok::<_, Failure>(params.one(name)?.unwrap_or_default());
        let password = SecretString::from(text("password")?);
        app.provider
            .prove_locally(&browser, params.required("csrf")?, password, text("totp")?)
            .await
    };
    match proved.await {
        Ok(LocalProof::Fresh(cookie)) => {
            guess.forgive();
            let mut response = onwards(&app, next);
            app.open_session(&mut response, &cookie, app.provider.session_ttl());
            response
        }
        Ok(LocalProof::Wrong) => {
            page(&app, &request, next, Some("prove-wrong"), StatusCode::UNAUTHORIZED).await
        }
        Ok(LocalProof::TooMany) => {
            let status = StatusCode::TOO_MANY_REQUESTS;
            page(&app, &request, next, Some("second-too-many"), status).await
        }
        Err(failure) => {
            guess.forgive();
            html::error(&app, &request, failure)
        }
    }
}
