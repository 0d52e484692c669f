//! The pages of a sign-in: authorization request, chooser, consent.

use actix_web::cookie::Cookie;
use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::cookies::Jar;
use super::endpoints::form;
use super::page::Link;
use super::page::interaction::{
    self as page, ConnectionButton, FormPostPage, PasswordForm, ScopeLine,
};
use super::words::Words;
use super::{App, html, request};
use crate::op::Failure;
use crate::op::authorize::{Next, Unanswerable};
use crate::op::branding::ClientLook;
use crate::op::sign_in_pages::{ChoosePage, ConsentPage};
use crate::protocol::authorization_response::AuthorizationResponse;
use crate::protocol::connection::ConnectionKind;
use crate::protocol::id::{ClientId, ConnectionId, InteractionId};
use crate::protocol::params::Params;
use crate::protocol::redirect_uri::form_action_source;

/// The authorization endpoint by GET and POST (OIDC Core §3.1.2.1). Binds the browser to what it
/// starts here.
pub async fn authorize(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let params = if request.method() == Method::POST {
        form(&request, &body)
    } else {
        Params::parse(request.query_string().as_bytes()).map_err(Failure::from)
    };
    let params = match params {
        Ok(params) => params,
        Err(failure) => return lost(&app, &request, failure).await,
    };
    let (binding, cookie) = binding(&app, &request);
    let session = app.cookies.read(&request, Jar::Session);
    let browser = app.provider.browser(Some(&binding), session.as_deref());
    let browser = browser.under(request::id(&request));
    let mut response = match app.provider.begin(&params, &browser).await {
        Ok(next) => {
            if let Next::Interact(id) = &next {
                request::belongs_to(&request, id);
            }
            // A client that is answered at once is one whose request was found good.
            let posts = matches!(next, Next::Answer(AuthorizationResponse::FormPost { .. }));
            let look = match params.one("client_id") {
                Ok(Some(id)) if posts => app.provider.look_of(&ClientId::new(id)).await,
                Ok(_) | Err(_) => None,
            };
            show(&app, &request, next, look.as_ref())
        }
        Err(Unanswerable(failure)) => return lost(&app, &request, failure).await,
    };
    set(&mut response, cookie);
    response
}

/// The next step of an interaction.
pub async fn advance(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> HttpResponse {
    let id = InteractionId::new(id.into_inner());
    let next = app.provider.advance(&id, &app.browser(&request)).await;
    answer(&app, &request, Some(&id), next).await
}

/// The person agrees.
pub async fn consent(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> HttpResponse {
    let id = InteractionId::new(id.into_inner());
    let next = app.provider.consent(&id, &app.browser(&request)).await;
    answer(&app, &request, Some(&id), next).await
}

/// The person does not go on.
pub async fn cancel(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> HttpResponse {
    let id = InteractionId::new(id.into_inner());
    let next = app.provider.cancel(&id, &app.browser(&request)).await;
    answer(&app, &request, Some(&id), next).await
}

/// The person chose how to sign in.
pub async fn depart(
    app: web::Data<App>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    let (id, connection) = path.into_inner();
    let (id, connection) = (InteractionId::new(id), ConnectionId::new(connection));
    let browser = app.browser(&request);
    let departed = app.provider.depart(&id, &connection, &browser).await.map(Next::Depart);
    answer(&app, &request, Some(&id), departed).await
}

/// The page of a failure of which nothing is known but this request. It is noted under the id that
/// the page shows, as long as this address does not do it all day.
pub(super) async fn lost(app: &App, request: &HttpRequest, failure: Failure) -> HttpResponse {
    if app.limits.may_fail(request) {
        app.provider.note_lost(request::id(request), &failure).await;
    }
    html::error(app, request, failure)
}

/// A step's page, answer or redirect; or the page of its failure. What is not a step of the
/// client's looks like the client all the same, if the interaction is known and this browser's.
pub async fn answer(
    app: &App,
    request: &HttpRequest,
    id: Option<&InteractionId>,
    next: Result<Next, Failure>,
) -> HttpResponse {
    let bare = matches!(next, Err(_) | Ok(Next::Answer(AuthorizationResponse::FormPost { .. })));
    let look = match id.filter(|_| bare) {
        Some(id) => app.provider.look_at_interaction(id, &app.browser(request)).await,
        None => None,
    };
    match next {
        Ok(next) => show(app, request, next, look.as_ref()),
        Err(failure) => html::error_of(app, request, failure, look.as_ref()),
    }
}

fn show(app: &App, request: &HttpRequest, next: Next, look: Option<&ClientLook>) -> HttpResponse {
    match next {
        Next::Interact(id) => see_other(format!("{}/interaction/{id}", app.base)),
        Next::Depart(url) => see_other(url),
        Next::Answer(AuthorizationResponse::Redirect(uri)) => see_other(uri),
        Next::Answer(AuthorizationResponse::FormPost { redirect_uri, fields, ui_locales }) => {
            let sources = form_sources(&redirect_uri);
            let frame = html::frame_of(app, request, ui_locales.as_deref(), look);
            let words = frame.words;
            let template = FormPostPage {
                frame,
                redirect_uri,
                fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            };
            html::in_language(words, html::page(StatusCode::OK, &template, &sources))
        }
        Next::Choose(page) => choose(app, request, page, None, StatusCode::OK),
        Next::Consent(page) => consent_page(app, request, page),
        Next::Device(page) => super::device::confirm(app, request, page),
    }
}

/// The sign-in page; `typed` is the username that stood in its form, and the text that says why it
/// is shown again.
pub fn choose(
    app: &App,
    request: &HttpRequest,
    choices: ChoosePage,
    typed: Option<(String, &str)>,
    status: StatusCode,
) -> HttpResponse {
    let mut sources = form_sources(&choices.redirect_uri);
    sources.extend(app.provider.connectors().iter().map(|c| c.form_action_source()));
    let frame = html::frame_of(app, request, choices.ui_locales.as_deref(), Some(&*choices.look));
    let words = frame.words;
    let name = choices.client_name;
    let template = page::ChoosePage {
        frame,
        interaction: choices.interaction.to_string(),
        client_name: name.clone(),
        away: choices
            .connections
            .iter()
            .filter(|offer| offer.away)
            .map(|offer| offer.display_name.clone())
            .collect(),
        connections: choices
            .connections
            .into_iter()
            .map(|offer| ConnectionButton {
                apple: offer.kind == ConnectionKind::Apple,
                id: offer.id.to_string(),
                name: offer.display_name,
            })
            .collect(),
        signed_in_as: choices.signed_in_as.map(|name| words.person(name)),
        links: client_links(words, &name, *choices.look),
        password_form: choices.local_accounts.then(|| {
            let (username, problem) = match typed {
                Some((username, problem)) => (username, Some(words.get(problem))),
                None => (choices.login_hint.unwrap_or_default(), None),
            };
            PasswordForm { username, problem }
        }),
        // The interaction is bound to a Lax cookie, which no other site's form brings along.
        csrf: None,
    };
    html::in_language(words, html::page(status, &template, &sources))
}

fn consent_page(app: &App, request: &HttpRequest, asked: ConsentPage) -> HttpResponse {
    let sources = form_sources(&asked.redirect_uri);
    let frame = html::frame_of(app, request, asked.ui_locales.as_deref(), Some(&*asked.look));
    let words = frame.words;
    let signed_in_as = words.person(asked.signed_in_as);
    let template = page::ConsentPage {
        frame,
        interaction: asked.interaction.to_string(),
        client_name: asked.client_name.clone(),
        redirect_host: url::Url::parse(&asked.redirect_uri)
            .ok()
            .and_then(|uri| uri.host_str().map(ToOwned::to_owned)),
        initial: page::initial(&signed_in_as),
        signed_in_as,
        scopes: asked
            .scopes
            .iter()
            .map(|(value, description)| ScopeLine::new(words, value, description))
            .collect(),
        links: client_links(words, &asked.client_name, *asked.look),
        switch_url: None,
        csrf: None,
    };
    html::in_language(words, html::page(StatusCode::OK, &template, &sources))
}

/// Where a form may lead in the end: back to the client.
pub(super) fn form_sources(redirect_uri: &str) -> Vec<String> {
    form_action_source(redirect_uri).into_iter().collect()
}

/// Where a client says more about itself.
fn client_links(words: Words, name: &str, look: ClientLook) -> Vec<Link> {
    let link = |label: String, url: Option<String>| url.map(|url| Link { label, url });
    let links = [
        link(words.with("link-client", "client", name), look.client_uri),
        link(words.get("link-policy"), look.policy_uri),
        link(words.get("link-terms"), look.tos_uri),
    ];
    links.into_iter().flatten().collect()
}

/// 303: after a form, the browser goes on by GET (RFC 9700 §4.12).
pub fn see_other(location: String) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, location))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

/// The cookie that binds interactions to this browser: the one it has, or a new one to set.
pub(super) fn binding(app: &App, request: &HttpRequest) -> (String, Option<Cookie<'static>>) {
    if let Some(binding) = app.cookies.read(request, Jar::Binding) {
        return (binding, None);
    }
    let binding = app.provider.random_secret().expose().clone();
    let cookie = app.cookies.make(Jar::Binding, binding.clone(), None);
    (binding, Some(cookie))
}

pub(super) fn set(response: &mut HttpResponse, cookie: Option<Cookie<'static>>) {
    if let Some(cookie) = cookie
        && let Err(error) = response.add_cookie(&cookie)
    {
        tracing::error!(%error, "a cookie could not be set");
    }
}
