//! The upstream identities that console accounts are bound to: binding one's own, taking it away,
//! and inviting a colleague to bind theirs.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse, web};

use super::form::Form;
use super::session::{Going, set};
use super::upstream_sign_in::{Offer, leave};
use super::{Console, Posted, failed, moment, see_other};
use crate::op::admin::AdminError;
use crate::op::admin::reveal::Reveal;
use crate::op::console_journeys::{ConsoleAct, FromUpstream};
use crate::protocol::admin::{Admin, AdminIdentity};
use crate::protocol::id::ConnectionId;
use crate::web::cookies::Jar;
use crate::web::page::admin::admins::InvitedPage;
use crate::web::page::admin::profile::{IdentityRow, InvitationPage};
use crate::web::reply::shown;
use crate::web::{App, html, request};

/// What a kept invitation is called.
const INVITATION: &str = "invitation";

/// An account's identities, for a page.
pub(super) async fn rows(console: &Console, admin: &Admin) -> Result<Vec<IdentityRow>, Error> {
    let administration = &console.app.administration;
    let refuse = |error| console.refuse(error);
    let found = administration.identities_of(&admin.id).await.map_err(refuse)?;
    let mut rows = Vec::new();
    for identity in found {
        let AdminIdentity { connection_id, email, created_at, last_used_at, .. } = identity;
        let allowed = administration.is_console_connection(&connection_id).await;
        rows.push(IdentityRow {
            allowed: allowed.map_err(refuse)?,
            name: console.connection_name(&connection_id),
            connection: connection_id.to_string(),
            email,
            since: moment(created_at),
            last_used_at: last_used_at.map(moment),
        });
    }
    Ok(rows)
}

/// On the way to an upstream, for somebody who is signed in.
pub(super) async fn to_upstream(
    console: &Console,
    request: &HttpRequest,
    connection: &str,
    act: ConsoleAct,
    going: &Going,
) -> Result<HttpResponse, Error> {
    leave(&console.app, request, connection, act, going).await.map_err(|failure| {
        let why = format!("{}.", shown(failure).description);
        super::ended(console.problem(StatusCode::BAD_REQUEST, "That did not work", why))
    })
}

/// Sends somebody to show the identity that they want to bind.
pub(super) async fn add(posted: Posted, request: HttpRequest) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    let act = ConsoleAct::Bind { session: console.session.id.clone() };
    let going = Going::default();
    to_upstream(&console, &request, &form.text("connection"), act, &going).await
}

/// They are back with it.
pub(super) async fn bound_page(
    console: &Console,
    arrived: &FromUpstream,
) -> Result<HttpResponse, Error> {
    let administration = &console.app.administration;
    let (actor, own) = (console.actor(), console.signed_in());
    let bound = administration.bind_own_identity(&actor, &own, arrived).await;
    bound.map_err(|error| console.refuse(error))?;
    Ok(see_other(&console.url("/profile?done=identity-bound")))
}

/// Takes one's own away.
pub(super) async fn remove(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    let own = console.signed_in();
    unbind(&console, &own.admin.username, &form.text("connection")).await?;
    Ok(see_other(&console.url("/profile?done=identity-unbound")))
}

/// An owner takes somebody's away.
pub(super) async fn remove_of(
    posted: Posted,
    username: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    unbind(&console, &username, &form.text("connection")).await?;
    Ok(see_other(&console.url(&format!("/admins/{username}?done=identity-unbound"))))
}

async fn unbind(console: &Console, username: &str, connection: &str) -> Result<(), Error> {
    let (actor, own) = (console.actor(), console.signed_in());
    let connection = ConnectionId::new(connection);
    let administration = &console.app.administration;
    let gone = administration.unbind_identity(&actor, Some(&own), username, &connection).await;
    gone.map_err(|error| console.refuse(error))
}

/// Makes an invitation, and goes on to the page that shows it this once.
pub(super) async fn invite(
    posted: Posted,
    username: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let console = posted.console;
    let administration = &console.app.administration;
    let refuse = |error| console.refuse(error);
    let token = administration.invite_admin(&console.actor(), &username).await.map_err(refuse)?;
    let link = format!("{}/admin/invitation/{}", console.app.provider.issuer(), token.expose());
    let reveal = Reveal {
        heading: format!("An invitation for {username}"),
        of: INVITATION.to_owned(),
        secret: Some(link),
    };
    let kept = administration.keep_reveal(&console.cookie, &reveal).await;
    let handle = kept.map_err(refuse)?;
    Ok(see_other(&console.url(&format!("/admins/invitations/{handle}"))))
}

/// Shows an invitation, the first time that it is asked for.
pub(super) async fn invited_page(
    console: Console,
    handle: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let shown = console.app.administration.reveal(&console.cookie, &handle).await;
    let reveal = shown.map_err(|error| console.refuse(error))?;
    let reveal = reveal.filter(|reveal| reveal.of == INVITATION);
    let Some((heading, Some(link))) = reveal.map(|reveal| (reveal.heading, reveal.secret)) else {
        return Ok(see_other(&console.url("/admins?done=already-shown")));
    };
    Ok(console.page(&InvitedPage { shell: console.shell(), heading, link }))
}

/// The page that an invitation leads to.
pub(super) async fn invitation_page(
    app: web::Data<App>,
    request: HttpRequest,
    token: web::Path<String>,
) -> HttpResponse {
    invitation(&app, &request, &token, StatusCode::OK, None).await
}

async fn invitation(
    app: &App,
    request: &HttpRequest,
    token: &str,
    status: StatusCode,
    problem: Option<String>,
) -> HttpResponse {
    let found = async {
        let offer = Offer::of_console(app).await?;
        Ok::<_, AdminError>((app.administration.invited(token).await?, offer))
    };
    let (invited, offer) = match found.await {
        Ok(found) => found,
        Err(error) => return failed(app, request::id(request), &error),
    };
    let cookie = app.cookies.read(request, Jar::Console);
    let fresh = cookie.is_none();
    let cookie = cookie.unwrap_or_else(|| app.provider.random_secret().expose().clone());
    let (status, problem) = match &invited {
        Some(_) => (status, problem),
        None => {
            let problem = "This invitation is used, too old or taken back.".to_owned();
            (StatusCode::NOT_FOUND, Some(problem))
        }
    };
    let template = InvitationPage {
        base: app.base.clone(),
        username: invited.map(|(admin, _)| admin.username).unwrap_or_default(),
        problem,
        csrf: app.administration.csrf_token(&cookie),
        action: format!("/admin/invitation/{token}"),
        connections: offer.buttons,
    };
    let mut response = html::page(status, &template, &offer.sources);
    if fresh {
        set(&mut response, &app.cookies.make(Jar::Console, cookie, None));
    }
    response
}

/// Sends whoever was invited to show their identity.
pub(super) async fn accept(
    app: web::Data<App>,
    request: HttpRequest,
    token: web::Path<String>,
    body: web::Bytes,
) -> HttpResponse {
    let typed = Form::parse(&body);
    let again = async |status, problem| invitation(&app, &request, &token, status, problem).await;
    let cookie = app.cookies.read(&request, Jar::Console);
    let csrf = typed.text("csrf");
    if !cookie.is_some_and(|cookie| app.administration.is_csrf_token(&cookie, &csrf)) {
        let problem = "This page was too old, or your browser sends no cookies. Try again.";
        return again(StatusCode::FORBIDDEN, Some(problem.to_owned())).await;
    }
    let invited = match app.administration.invited(&token).await {
        Ok(invited) => invited,
        Err(error) => return failed(&app, request::id(&request), &error),
    };
    let Some((_, invitation)) = invited else { return again(StatusCode::NOT_FOUND, None).await };
    let act = ConsoleAct::Accept { invitation };
    let going = Going::default();
    match leave(&app, &request, &typed.text("connection"), act, &going).await {
        Ok(response) => response,
        Err(failure) => {
            let problem = format!("{}.", shown(failure).description);
            again(StatusCode::BAD_REQUEST, Some(problem)).await
        }
    }
}
