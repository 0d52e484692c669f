//! Signing in to the console through Russet's own upstreams: the buttons, the way there, and what
//! happens to whoever comes back.
//!
//! The way there is bound to the browser by the same cookie as every journey, so that nobody is
//! signed in by an answer that somebody else began; and it begins with a form of ours.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse, web};

use super::form::Form;
use super::identities::{bound_page, to_upstream};
use super::second_step::{ask_after, proven};
use super::session::{Going, agent, form as login_form, further, slowed_down};
use super::{Console, Posted, failed, see_other};
use crate::op::Failure;
use crate::op::admin::AdminError;
use crate::op::admin::upstream_identities::Vouched;
use crate::op::console_journeys::{ConsoleAct, ConsoleErrand, FromUpstream};
use crate::protocol::admin::Admin;
use crate::protocol::id::ConnectionId;
use crate::web::cookies::Jar;
use crate::web::interaction::{self, binding};
use crate::web::page::admin::ConnectionButton;
use crate::web::reply::shown;
use crate::web::{App, request};

/// Upstreams that a page leads to.
#[derive(Default)]
pub(super) struct Offer {
    pub(super) buttons: Vec<ConnectionButton>,
    /// What the page's CSP must allow for them.
    pub(super) sources: Vec<String>,
}

impl Offer {
    /// Those that open the console.
    pub(super) async fn of_console(app: &App) -> Result<Self, AdminError> {
        let allowed = app.administration.settings().await?.0.console_connections;
        Ok(Self::of(app, |id| allowed.iter().any(|one| one == id.as_str())))
    }

    /// Of them those that know this account.
    pub(super) async fn of_admin(app: &App, admin: &Admin) -> Result<Self, AdminError> {
        let allowed = app.administration.settings().await?.0.console_connections;
        let bound = app.administration.identities_of(&admin.id).await?;
        Ok(Self::of(app, |id| {
            allowed.iter().any(|one| one == id.as_str())
                && bound.iter().any(|identity| identity.connection_id == *id)
        }))
    }

    fn of(app: &App, offered: impl Fn(&ConnectionId) -> bool) -> Self {
        let (mut offer, now) = (Self::default(), app.provider.now());
        for connector in app.provider.connectors().iter().filter(|one| offered(one.id())) {
            offer.buttons.push(ConnectionButton {
                id: connector.id().to_string(),
                name: connector.display_name().to_owned(),
                away: app.provider.is_away(connector.as_ref(), now),
            });
            offer.sources.push(connector.form_action_source());
        }
        offer
    }
}

/// Sends somebody to an upstream to sign in.
pub(super) async fn depart(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let typed = Form::parse(&body);
    let going = Going::of_form(&typed);
    let cookie = app.cookies.read(&request, Jar::Console);
    let again = async |status, problem| {
        login_form(&app, cookie.clone(), status, "", Some(problem), &going).await
    };
    let token = typed.text("csrf");
    if !cookie.as_ref().is_some_and(|cookie| app.administration.is_csrf_token(cookie, &token)) {
        let problem = "This page was too old, or your browser sends no cookies. Try again.";
        return again(StatusCode::FORBIDDEN, problem).await;
    }
    if !app.limits.may_sign_in(&request) {
        return slowed_down(again).await;
    }
    match leave(&app, &request, &typed.text("connection"), ConsoleAct::SignIn, &going).await {
        Ok(response) => response,
        Err(failure) => {
            app.provider.note_failed(request::id(&request), &failure).await;
            stranded_at_login(&app, &request, &going, failure).await
        }
    }
}

/// On the way to an upstream, if it is one of the console's.
pub(super) async fn leave(
    app: &App,
    request: &HttpRequest,
    connection: &str,
    act: ConsoleAct,
    going: &Going,
) -> Result<HttpResponse, Failure> {
    let connection = ConnectionId::new(connection);
    let allowed = app.administration.is_console_connection(&connection).await;
    if !matches!(allowed, Ok(true)) {
        let refusal = "this connection does not open the console";
        return Err(crate::protocol::error::Refusal::access_denied(refusal).into());
    }
    let (bound, cookie) = binding(app, request);
    let browser = app.provider.browser(Some(&bound), None).under(request::id(request));
    let errand = ConsoleErrand { act, next: going.next.clone(), kept: going.kept.clone() };
    let url = app.provider.depart_from_console(errand, &connection, &browser).await?;
    let mut response = interaction::see_other(url);
    interaction::set(&mut response, cookie);
    Ok(response)
}

/// Somebody is back.
pub(in crate::web) async fn arrived(
    app: &web::Data<App>,
    request: &HttpRequest,
    arrived: FromUpstream,
) -> HttpResponse {
    let ConsoleErrand { act, next, kept } = arrived.errand.clone();
    let going = Going { next, kept };
    let id = request::id(request);
    let administration = &app.administration;
    let signed = match act {
        ConsoleAct::SignIn => {
            administration.sign_in_by_identity(&arrived, id.clone(), agent(request)).await
        }
        ConsoleAct::Accept { invitation } => {
            let agent = agent(request);
            administration.accept_invitation(&invitation, &arrived, id.clone(), agent).await
        }
        ConsoleAct::Bind { session } => {
            let bound = async {
                let console = again_in(app, request, &session).await?;
                bound_page(&console, &arrived).await
            };
            return answer(bound.await);
        }
        ConsoleAct::Prove { session } => {
            let proof = async {
                let console = again_in(app, request, &session).await?;
                let (own, id) = (console.signed_in(), id.clone());
                let proof = console.app.administration.prove_by_identity(&own, &arrived, id).await;
                match proof.map_err(|error| console.refuse(error))? {
                    Vouched::Proven(proof) => proven(&console, proof, &going, None).await,
                    Vouched::First(word) => {
                        ask_after(&console, StatusCode::OK, None, &going, Some(word)).await
                    }
                }
            };
            return answer(proof.await);
        }
    };
    let before = app.cookies.read(request, Jar::Console);
    let connection = &arrived.connection_id;
    let problem = match signed {
        Ok(signed) => {
            if let Some(response) =
                further(app, signed, before.as_deref(), &going, id.clone()).await
            {
                return response;
            }
            format!("Your sign-in at {connection} worked, but opens no account here")
        }
        Err(AdminError::NotFound) => "This invitation is used, too old or taken back".to_owned(),
        Err(AdminError::Invalid(found)) => {
            let each = found.into_iter().map(|one| format!("{connection} {}", one.message));
            each.collect::<Vec<_>>().join("; ")
        }
        Err(error) => return failed(app, id, &error),
    };
    let refusal = crate::protocol::error::Refusal::access_denied(problem.clone());
    app.provider.note_failed(id, &refusal.into()).await;
    refused(app, request, &going, &problem).await
}

fn answer(result: Result<HttpResponse, Error>) -> HttpResponse {
    result.unwrap_or_else(|error| error.error_response())
}

/// The console again, in the session that the journey began in.
async fn again_in(
    app: &web::Data<App>,
    request: &HttpRequest,
    session: &str,
) -> Result<Console, Error> {
    let to_login = || super::ended(see_other(&format!("{}/admin/login", app.base)));
    let cookie = app.cookies.read(request, Jar::Console).ok_or_else(to_login)?;
    match app.administration.find_console_session(&cookie).await {
        Ok(Some(found)) if found.session.id == session => {
            Ok(Console::resumed(app.clone(), found, cookie, request))
        }
        Ok(_) => Err(to_login()),
        Err(error) => Err(super::ended(failed(app, request::id(request), &error))),
    }
}

/// The journey failed.
pub(in crate::web) async fn stranded(
    app: &web::Data<App>,
    request: &HttpRequest,
    errand: ConsoleErrand,
    failure: Failure,
) -> HttpResponse {
    let going = Going { next: errand.next, kept: errand.kept };
    match errand.act {
        ConsoleAct::SignIn | ConsoleAct::Accept { .. } => {
            stranded_at_login(app, request, &going, failure).await
        }
        ConsoleAct::Bind { session } | ConsoleAct::Prove { session } => {
            match again_in(app, request, &session).await {
                Ok(console) => {
                    let why = format!("{}. Nothing was changed.", shown(failure).description);
                    console.problem(StatusCode::BAD_REQUEST, "That did not work", why)
                }
                Err(error) => error.error_response(),
            }
        }
    }
}

async fn stranded_at_login(
    app: &App,
    request: &HttpRequest,
    going: &Going,
    failure: Failure,
) -> HttpResponse {
    let problem = format!("That did not work: {}", shown(failure).description);
    refused(app, request, going, &problem).await
}

/// The login page with what went wrong, and the id under which the log and whoever reads it know
/// more.
async fn refused(app: &App, request: &HttpRequest, going: &Going, problem: &str) -> HttpResponse {
    let cookie = app.cookies.read(request, Jar::Console);
    let trace = request::id(request).unwrap_or_default();
    let problem = format!("{problem}. Trace id: {trace}");
    login_form(app, cookie, StatusCode::UNAUTHORIZED, "", Some(&problem), going).await
}

/// Sends somebody who is signed in to an upstream, to prove who sits there.
pub(super) async fn prove(posted: Posted, request: HttpRequest) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    let going = Going::of_form(&form);
    let act = ConsoleAct::Prove { session: console.session.id.clone() };
    to_upstream(&console, &request, &form.text("connection"), act, &going).await
}
