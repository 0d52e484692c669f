//! One's own console account: password, second factors, sessions.

use actix_web::http::header;
use actix_web::{Error, HttpRequest, HttpResponse, web};
use qrcodegen::{QrCode, QrCodeEcc};

use super::client_form::status_of;
use super::form::query;
use super::session::set;
use super::upstream_sign_in::Offer;
use super::{Console, Posted, browser, identities, moment, passkeys, problems, see_other};
use crate::op::admin::reveal::Reveal;
use crate::op::admin::{AdminError, NewCodes};
use crate::op::factors::Enrolment;
use crate::protocol::admin::AdminSession;
use crate::protocol::secret::SecretString;
use crate::web::cookies::Jar;
use crate::web::page::admin::Problems;
use crate::web::page::admin::profile::{CodesPage, OwnSession, PasskeyRow, ProfilePage, TotpPage};
use crate::web::{html, qr};

/// What a kept secret of this page is called.
const RECOVERY: &str = "recovery_codes";

/// The routes of one's own account.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/admin/profile").route(web::get().to(show)))
        .service(web::resource("/admin/profile/password").route(web::post().to(change_password)))
        .service(
            web::resource("/admin/profile/totp")
                .route(web::get().to(totp_page))
                .route(web::post().to(totp_confirm)),
        )
        .service(web::resource("/admin/profile/totp/qr").route(web::get().to(qr_code)))
        .service(web::resource("/admin/profile/totp/remove").route(web::post().to(totp_remove)))
        .service(web::resource("/admin/profile/identities").route(web::post().to(identities::add)))
        .service(
            web::resource("/admin/profile/identities/remove")
                .route(web::post().to(identities::remove)),
        )
        .service(
            web::resource("/admin/profile/passkeys/new").route(web::get().to(passkeys::new_page)),
        )
        .service(
            web::resource("/admin/profile/passkeys/challenge")
                .route(web::post().to(passkeys::challenge)),
        )
        .service(web::resource("/admin/profile/passkeys").route(web::post().to(passkeys::add)))
        .service(
            web::resource("/admin/profile/passkeys/remove").route(web::post().to(passkeys::remove)),
        )
        .service(web::resource("/admin/profile/recovery").route(web::post().to(renew_codes)))
        .service(web::resource("/admin/profile/recovery/{handle}").route(web::get().to(codes_page)))
        .service(web::resource("/admin/profile/sessions/end").route(web::post().to(end_sessions)));
}

/// The account.
async fn show(console: Console) -> Result<HttpResponse, Error> {
    page(&console, Problems::default()).await
}

async fn page(console: &Console, problems: Problems) -> Result<HttpResponse, Error> {
    let administration = &console.app.administration;
    let refuse = |error| console.refuse(error);
    let signed_in = console.signed_in();
    let held = administration.own_factors(&signed_in).await.map_err(refuse)?;
    let own_passkeys = administration.own_passkeys(&signed_in).await.map_err(refuse)?;
    let sessions = administration.own_sessions(&signed_in).await.map_err(refuse)?;
    let required = administration.settings().await.map_err(refuse)?.0.require_second_factor;
    let session = |session: &AdminSession| OwnSession {
        id: session.id.clone(),
        agent: browser(session.user_agent.as_deref()),
        since: moment(session.created_at),
        until: moment(session.idle_expires_at.min(session.expires_at)),
        current: session.cookie_hash == console.session.cookie_hash,
        second_factor: session.second_factor,
    };
    let mut offer = Offer::of_console(&console.app).await.map_err(refuse)?;
    let identities = identities::rows(console, &console.admin).await?;
    let bound = |id: &str| identities.iter().any(|identity| identity.connection == id);
    offer.buttons.retain(|button| !bound(&button.id));
    let template = ProfilePage {
        identities,
        connections: offer.buttons,
        shell: console.shell(),
        since: moment(console.admin.created_at),
        protected: held.any(),
        required,
        totp_since: held.totp_added_at.map(moment),
        recovery_codes: held.recovery_codes,
        passkeys: own_passkeys
            .into_iter()
            .map(|passkey| PasskeyRow {
                id: passkey.id,
                name: passkey.name,
                since: moment(passkey.created_at),
                last_used_at: passkey.last_used_at.map(moment),
            })
            .collect(),
        offers_passkeys: administration.offers_passkeys(),
        sessions: sessions.iter().map(session).collect(),
        problems: problems.clone(),
    };
    Ok(html::page(status_of(&problems, false), &template, &offer.sources))
}

/// What an act answers: the page again with what is wrong, or the next one.
pub(super) async fn answered<T>(
    console: &Console,
    outcome: Result<T, AdminError>,
    next: impl AsyncFnOnce(T) -> Result<HttpResponse, Error>,
) -> Result<HttpResponse, Error> {
    match outcome {
        Ok(value) => next(value).await,
        Err(AdminError::Invalid(found)) => page(console, problems(found)).await,
        Err(error) => Err(console.refuse(error)),
    }
}

/// Sets the password.
async fn change_password(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    let changed = console
        .app
        .administration
        .change_own_password(
            &console.actor(),
            &console.signed_in(),
            SecretString::new(form.exact("password")),
            SecretString::new(form.exact("new_password")),
        )
        .await;
    answered(&console, changed, async |cookie| {
        Ok(renewed(&console, "/profile?done=password-changed", &cookie))
    })
    .await
}

/// On to a page, under another cookie.
fn renewed(console: &Console, path: &str, cookie: &SecretString) -> HttpResponse {
    let mut response = see_other(&console.url(path));
    let value = cookie.expose().clone();
    set(&mut response, &console.app.cookies.make(Jar::Console, value, None));
    response
}

/// A new key for one-time codes.
async fn totp_page(console: Console) -> Result<HttpResponse, Error> {
    let begun = console.app.administration.begin_own_totp(&console.signed_in(), &console.cookie);
    let enrolment = begun.map_err(|error| console.refuse(error))?;
    enrol(&console, &enrolment, Problems::default()).await
}

async fn enrol(
    console: &Console,
    enrolment: &Enrolment,
    problems: Problems,
) -> Result<HttpResponse, Error> {
    let settings = console.app.administration.settings().await;
    let settings = settings.map_err(|error| console.refuse(error))?.0;
    let template = TotpPage {
        shell: console.shell(),
        required: settings.require_second_factor,
        enrolment: enrolment.sealed.clone(),
        key: enrolment.secret.to_text().expose().clone(),
        uri: uri(console, enrolment).expose().clone(),
        problems: problems.clone(),
    };
    Ok(html::page(status_of(&problems, false), &template, &[]))
}

fn uri(console: &Console, enrolment: &Enrolment) -> SecretString {
    qr::uri(console.app.provider.issuer(), enrolment, &console.admin.username)
}

/// The QR code of an enrolment.
async fn qr_code(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let sealed = query(&request, "of").unwrap_or_default();
    let enrolment =
        console.app.administration.own_enrolment(&console.signed_in(), &console.cookie, &sealed);
    let code = enrolment.and_then(|enrolment| {
        QrCode::encode_text(uri(&console, &enrolment).expose(), QrCodeEcc::Medium).ok()
    });
    let Some(code) = code else { return Err(console.refuse(AdminError::NotFound)) };
    Ok(HttpResponse::Ok()
        .content_type("image/svg+xml")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'"))
        .body(qr::svg(&code)))
}

/// Takes the code that proves the app has the key.
async fn totp_confirm(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    let administration = &console.app.administration;
    let signed_in = console.signed_in();
    let sealed = form.text("enrolment");
    let Some(enrolment) = administration.own_enrolment(&signed_in, &console.cookie, &sealed) else {
        let begun = administration.begin_own_totp(&signed_in, &console.cookie);
        let enrolment = begun.map_err(|error| console.refuse(error))?;
        let mut problems = Problems::default();
        problems.push("totp", "came too late: scan this new key");
        return enrol(&console, &enrolment, problems).await;
    };
    let code = form.text("totp");
    let added = administration.add_own_totp(&console.actor(), &signed_in, &enrolment, &code).await;
    match added {
        Ok(new) => added_page(&console, &new).await,
        Err(AdminError::Invalid(found)) => enrol(&console, &enrolment, problems(found)).await,
        Err(error) => Err(console.refuse(error)),
    }
}

/// On to the recovery codes, if there are new ones.
pub(super) async fn added_page(console: &Console, new: &NewCodes) -> Result<HttpResponse, Error> {
    let path = if new.recovery_codes.is_empty() {
        "/profile?done=factor-added".to_owned()
    } else {
        keep_codes(console, new.cookie.expose(), &new.recovery_codes).await?
    };
    Ok(renewed(console, &path, &new.cookie))
}

/// Keeps codes for the page that shows them once; returns its path.
async fn keep_codes(
    console: &Console,
    cookie: &str,
    codes: &[SecretString],
) -> Result<String, Error> {
    let lines: Vec<&str> = codes.iter().map(|code| code.expose().as_str()).collect();
    let heading = "Your recovery codes".to_owned();
    let reveal = Reveal { heading, of: RECOVERY.to_owned(), secret: Some(lines.join("\n")) };
    let kept = console.app.administration.keep_reveal(cookie, &reveal).await;
    let handle = kept.map_err(|error| console.refuse(error))?;
    Ok(format!("/profile/recovery/{handle}"))
}

/// Shows recovery codes, the first time that they are asked for.
async fn codes_page(console: Console, handle: web::Path<String>) -> Result<HttpResponse, Error> {
    let shown = console.app.administration.reveal(&console.cookie, &handle).await;
    let reveal = shown.map_err(|error| console.refuse(error))?;
    let codes = reveal.filter(|reveal| reveal.of == RECOVERY).and_then(|reveal| reveal.secret);
    match codes {
        Some(codes) => Ok(console.page(&CodesPage { shell: console.shell(), codes })),
        None => Ok(see_other(&console.url("/profile?done=codes-already-shown"))),
    }
}

/// Removes one-time codes.
async fn totp_remove(posted: Posted) -> Result<HttpResponse, Error> {
    let console = posted.console;
    let administration = &console.app.administration;
    let removed = administration.remove_own_totp(&console.actor(), &console.signed_in()).await;
    answered(&console, removed, async |()| {
        Ok(see_other(&console.url("/profile?done=factor-removed")))
    })
    .await
}

/// Makes new recovery codes.
async fn renew_codes(posted: Posted) -> Result<HttpResponse, Error> {
    let console = posted.console;
    let administration = &console.app.administration;
    let signed_in = console.signed_in();
    let made = administration.renew_own_recovery_codes(&console.actor(), &signed_in).await;
    answered(&console, made, async |codes: Vec<SecretString>| {
        let path = keep_codes(&console, &console.cookie, &codes).await?;
        Ok(see_other(&console.url(&path)))
    })
    .await
}

/// Ends one session, or all others.
async fn end_sessions(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    let which = form.text("session");
    let which = (!which.is_empty()).then_some(which);
    let administration = &console.app.administration;
    let (actor, signed_in) = (console.actor(), console.signed_in());
    let ended = administration.end_own_sessions(&actor, &signed_in, which.as_deref()).await;
    ended.map_err(|error| console.refuse(error))?;
    Ok(see_other(&console.url("/profile?done=signed-out")))
}
