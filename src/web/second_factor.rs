//! The second step of local accounts: asked for while somebody signs in, and kept on a page of the
//! person's own.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::account::signed_out;
use super::endpoints::form;
use super::interaction::{choose, form_sources, see_other};
use super::page::Frame;
use super::page::account::{CodesPage, Message, SecondFactorPage, TotpPage};
use super::page::interaction::SecondStepPage;
use super::{App, html, prove, qr};
use crate::op::account::{Enrolled, EnrolmentPage, EnrolmentProblem};
use crate::op::factors::Enrolment;
use crate::op::fresh_proof::ProvenFor;
use crate::op::local_accounts::LocalSignIn;
use crate::op::local_second_step::{SecondStep, SecondStepForm, SecondStepProblem};
use crate::protocol::id::InteractionId;
use crate::protocol::params::Params;
use crate::protocol::secret::SecretString;

/// What a form on the page may have come to.
const DONE: [(&str, bool); 4] = [
    ("account-done-proved", true),
    ("second-done-added", true),
    ("second-done-removed", true),
    ("second-problem-required", false),
];

/// The routes, relative to the issuer's path.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/interaction/{id}/second").route(web::post().to(answer)))
        .service(web::resource("/account/second").route(web::get().to(show)))
        .service(
            web::resource("/account/second/totp")
                .route(web::get().to(enrol))
                .route(web::post().to(confirm)),
        )
        .service(web::resource("/account/second/remove").route(web::post().to(remove)))
        .service(web::resource("/account/second/recovery").route(web::post().to(renew)));
}

/// The page that asks for the code, or sets it up on the way.
pub(super) fn ask(app: &App, request: &HttpRequest, asked: SecondStep) -> HttpResponse {
    let SecondStep { sign_in, username, waiting, enrolment, problem } = asked;
    let look = Some(&*sign_in.look);
    let frame = html::frame_of(app, request, sign_in.ui_locales.as_deref(), look);
    let words = frame.words;
    let (key, status) = match problem {
        None => (None, StatusCode::OK),
        Some(SecondStepProblem::Wrong) => (Some("second-wrong"), StatusCode::UNAUTHORIZED),
        Some(SecondStepProblem::TooMany) => {
            (Some("second-too-many"), StatusCode::TOO_MANY_REQUESTS)
        }
        Some(SecondStepProblem::Late) => (Some("totp-late"), StatusCode::UNPROCESSABLE_ENTITY),
    };
    let problem = key.map(|key| words.get(key));
    let base = &app.base;
    let interaction = sign_in.interaction.to_string();
    let action = format!("{base}/interaction/{interaction}/second");
    let sources = form_sources(&sign_in.redirect_uri);
    let page = match enrolment {
        None => {
            let template = SecondStepPage { frame, action, interaction, waiting, problem };
            html::page(status, &template, &sources)
        }
        Some(enrolment) => {
            let fields = vec![("waiting".to_owned(), waiting)];
            let cancel = format!("{base}/interaction/{interaction}");
            let place = Place { action, fields, cancel, required: true };
            let template = totp_page(app, frame, &enrolment, &username, problem, place);
            html::page(status, &template, &sources)
        }
    };
    let mut page = html::in_language(words, page);
    if status == StatusCode::TOO_MANY_REQUESTS {
        page.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("900"));
    }
    page
}

/// Where a page that sets codes up belongs.
struct Place {
    action: String,
    fields: Vec<(String, String)>,
    cancel: String,
    required: bool,
}

fn totp_page(
    app: &App,
    frame: Frame,
    enrolment: &Enrolment,
    username: &str,
    problem: Option<String>,
    place: Place,
) -> TotpPage {
    let uri = qr::uri(app.provider.issuer(), enrolment, username);
    let Place { action, mut fields, cancel, required } = place;
    fields.push(("enrolment".to_owned(), enrolment.sealed.clone()));
    TotpPage {
        frame,
        action,
        fields,
        cancel,
        required,
        qr: qr::image(&uri).unwrap_or_default(),
        key: enrolment.secret.to_text().expose().clone(),
        uri: uri.expose().clone(),
        problem,
    }
}

/// The code of a sign-in.
async fn answer(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
    body: web::Bytes,
) -> HttpResponse {
    let id = InteractionId::new(id.into_inner());
    let browser = app.browser(&request);
    let finished = async {
        let params = form(&request, &body)?;
        let form = SecondStepForm {
            waiting: params.required("waiting")?,
            enrolment: params.one("enrolment")?,
            totp: params.one("totp")?.unwrap_or_default(),
        };
        app.provider.finish_locally(&id, form, &browser).await
    };
    match finished.await {
        Err(failure) => html::error(&app, &request, failure),
        Ok(outcome) => signed_in(&app, &request, outcome, String::new()),
    }
}

/// What comes of a step of a local sign-in; `username` was typed.
pub(super) fn signed_in(
    app: &App,
    request: &HttpRequest,
    outcome: LocalSignIn,
    username: String,
) -> HttpResponse {
    match outcome {
        LocalSignIn::Welcome(welcome) => {
            let mut response =
                see_other(format!("{}/interaction/{}", app.base, welcome.interaction));
            app.open_session(&mut response, &welcome.session_cookie, welcome.session_ttl);
            response
        }
        LocalSignIn::Enrolled(welcome, codes) => {
            let next = format!("{}/interaction/{}", app.base, welcome.interaction);
            let mut response = show_codes(app, request, &codes, next);
            app.open_session(&mut response, &welcome.session_cookie, welcome.session_ttl);
            response
        }
        LocalSignIn::Second(asked) => ask(app, request, *asked),
        LocalSignIn::Refused(page) => {
            let typed = Some((username, "login-wrong"));
            choose(app, request, page, typed, StatusCode::UNAUTHORIZED)
        }
        LocalSignIn::TooLate(page) => {
            let typed = Some((username, "login-late"));
            choose(app, request, page, typed, StatusCode::UNAUTHORIZED)
        }
    }
}

/// Recovery codes, this once.
fn show_codes(
    app: &App,
    request: &HttpRequest,
    codes: &[SecretString],
    next: String,
) -> HttpResponse {
    let frame = html::frame(app, request, None);
    let words = frame.words;
    let codes: Vec<&str> = codes.iter().map(|code| code.expose().as_str()).collect();
    let template = CodesPage { frame, codes: codes.join("\n"), next };
    html::in_language(words, html::page(StatusCode::OK, &template, &[]))
}

/// What somebody has besides their password.
async fn show(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let account = match app.provider.account(&app.browser(&request)).await {
        Err(failure) => return html::error(&app, &request, failure),
        Ok(None) => return signed_out(&app, &request),
        Ok(Some(account)) => account,
    };
    let Some(held) = account.factors else { return see_other(format!("{}/account", app.base)) };
    if !app.provider.is_fresh(&account.session) {
        return prove::asked(&app, ProvenFor::SecondFactor);
    }
    let frame = html::frame(&app, &request, None);
    let words = frame.words;
    let params = Params::parse(request.query_string().as_bytes()).unwrap_or_default();
    let done = params.one("done").ok().flatten();
    let told = DONE.into_iter().find(|(key, _)| Some(*key) == done);
    let template = SecondFactorPage {
        frame,
        message: told.map(|(key, good)| Message { words: words.get(key), good }),
        since: held.totp_added_at.map(|at| words.day(at)),
        recovery_codes: words
            .count("second-codes-left", usize::try_from(held.recovery_codes).unwrap_or(usize::MAX)),
        csrf: account.csrf,
    };
    html::in_language(words, html::page(StatusCode::OK, &template, &[]))
}

/// A new key.
async fn enrol(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    match app.provider.begin_second_factor(&app.browser(&request)).await {
        Err(failure) => prove::or_error(&app, &request, failure, ProvenFor::SecondFactor),
        Ok(None) => signed_out(&app, &request),
        Ok(Some(page)) => enrolment(&app, &request, page),
    }
}

fn enrolment(app: &App, request: &HttpRequest, page: EnrolmentPage) -> HttpResponse {
    let frame = html::frame(app, request, None);
    let words = frame.words;
    let (status, problem) = match page.problem {
        None => (StatusCode::OK, None),
        Some(EnrolmentProblem::Wrong) => (StatusCode::UNPROCESSABLE_ENTITY, Some("second-wrong")),
        Some(EnrolmentProblem::Late) => (StatusCode::UNPROCESSABLE_ENTITY, Some("totp-late")),
    };
    let place = Place {
        action: format!("{}/account/second/totp", app.base),
        fields: vec![("csrf".to_owned(), page.csrf)],
        cancel: format!("{}/account/second", app.base),
        required: false,
    };
    let problem = problem.map(|key| words.get(key));
    let template = totp_page(app, frame, &page.enrolment, &page.username, problem, place);
    html::in_language(words, html::page(status, &template, &[]))
}

/// The code that proves the app has the key.
async fn confirm(app: web::Data<App>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let added = async {
        let params = form(&request, &body)?;
        let (csrf, sealed) = (params.required("csrf")?, params.required("enrolment")?);
        let typed = params.one("totp")?.unwrap_or_default();
        app.provider.add_second_factor(&app.browser(&request), csrf, sealed, typed).await
    };
    match added.await {
        Err(failure) => prove::or_error(&app, &request, failure, ProvenFor::SecondFactor),
        Ok(Enrolled::Again(page)) => enrolment(&app, &request, *page),
        Ok(Enrolled::Done(codes)) if codes.is_empty() => done(&app, "second-done-added"),
        Ok(Enrolled::Done(codes)) => {
            let next = format!("{}/account/second?done=second-done-added", app.base);
            show_codes(&app, &request, &codes, next)
        }
    }
}

fn done(app: &App, key: &str) -> HttpResponse {
    see_other(format!("{}/account/second?done={key}", app.base))
}

/// Takes the second step away.
async fn remove(app: web::Data<App>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let removed = async {
        let params = form(&request, &body)?;
        let csrf = params.required("csrf")?;
        app.provider.remove_second_factor(&app.browser(&request), csrf).await
    };
    match removed.await {
        Err(failure) => prove::or_error(&app, &request, failure, ProvenFor::SecondFactor),
        Ok(true) => done(&app, "second-done-removed"),
        Ok(false) => done(&app, "second-problem-required"),
    }
}

/// New recovery codes.
async fn renew(app: web::Data<App>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let renewed = async {
        let params = form(&request, &body)?;
        let csrf = params.required("csrf")?;
        app.provider.renew_recovery_codes(&app.browser(&request), csrf).await
    };
    match renewed.await {
        Err(failure) => prove::or_error(&app, &request, failure, ProvenFor::SecondFactor),
        Ok(codes) => show_codes(&app, &request, &codes, format!("{}/account/second", app.base)),
    }
}
