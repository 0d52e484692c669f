//! The console: `/admin`. Who may enter, and what every room shares.
//!
//! A handler that takes a [`Console`] runs for somebody who is signed in; one that takes a
//! [`Posted`] also for a form that was made for their session. What the role allows is asked in
//! each handler and again by each act.

mod admins;
mod apis;
mod audit;
mod audit_words;
mod client_fields;
mod client_form;
mod clients;
mod connections;
mod form;
mod kept;
mod keys;
mod overview;
mod people;
pub mod rights;
mod safe_path;
mod session;
mod sessions;
mod settings;

use std::collections::HashMap;
use std::fmt::Display;

use actix_web::dev::Payload;
use actix_web::error::InternalError;
use actix_web::http::{StatusCode, header};
use actix_web::{Error, FromRequest, HttpRequest, HttpResponse, web};
use futures_util::future::LocalBoxFuture;

use super::cookies::Jar;
use super::page::admin::{Problem, ProblemPage, Problems, Shell};
use super::page::interaction::ErrorPage;
use super::{App, html, request};
use crate::op::Fault;
use crate::op::admin::{Actor, AdminError, FieldProblem};
use crate::protocol::admin::{Admin, Role};
use crate::protocol::ambient::Timestamp;
use crate::protocol::id::{ClientId, ConnectionId};
use form::Form;

/// The console's routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/admin/login")
                .route(web::get().to(session::login_page))
                .route(web::post().to(session::login)),
        )
        .service(web::resource("/admin/logout").route(web::post().to(session::logout)))
        .service(web::resource(["/admin", "/admin/"]).route(web::get().to(overview::show)))
        .service(web::resource("/admin/clients").route(web::get().to(clients::list)))
        .service(web::resource("/admin/clients/new").route(web::get().to(client_form::kinds)))
        .service(
            web::resource("/admin/clients/new/{kind}")
                .route(web::get().to(client_form::new_page))
                .route(web::post().to(client_form::create)),
        )
        .service(web::resource("/admin/clients/{client_id}").route(web::get().to(clients::show)))
        .service(
            web::resource("/admin/clients/{client_id}/edit")
                .route(web::get().to(client_form::edit_page))
                .route(web::post().to(client_form::save)),
        )
        .service(
            web::resource("/admin/clients/{client_id}/disable")
                .route(web::post().to(clients::disable)),
        )
        .service(
            web::resource("/admin/clients/{client_id}/enable")
                .route(web::post().to(clients::enable)),
        )
        .service(
            web::resource("/admin/clients/{client_id}/secret")
                .route(web::post().to(clients::rotate_secret)),
        )
        .service(
            web::resource("/admin/clients/{client_id}/delete")
                .route(web::get().to(clients::delete_page))
                .route(web::post().to(clients::delete)),
        )
        .service(
            web::resource("/admin/clients/{client_id}/secret/{handle}")
                .route(web::get().to(client_form::secret_page)),
        )
        .service(web::resource("/admin/people").route(web::get().to(people::list)))
        .service(web::resource("/admin/people/{id}").route(web::get().to(people::show)))
        .service(
            web::resource("/admin/people/{id}/{act}")
                .route(web::get().to(people::ask_page))
                .route(web::post().to(people::act)),
        )
        .service(web::resource("/admin/deletions/{id}").route(web::get().to(people::deletion)))
        .service(web::resource("/admin/sessions").route(web::get().to(sessions::list)))
        .service(web::resource("/admin/keys").route(web::get().to(keys::show)))
        .service(web::resource("/admin/keys/rotate/{alg}").route(web::post().to(keys::rotate)))
        .service(
            web::resource("/admin/keys/retire/{kid}")
                .route(web::get().to(keys::retire_page))
                .route(web::post().to(keys::retire)),
        )
        .service(web::resource("/admin/connections").route(web::get().to(connections::list)))
        .service(web::resource("/admin/connections/{id}").route(web::get().to(connections::show)))
        .service(
            web::resource("/admin/connections/{id}/check")
                .route(web::post().to(connections::check)),
        )
        .service(
            web::resource("/admin/admins")
                .route(web::get().to(admins::list))
                .route(web::post().to(admins::create)),
        )
        .service(
            web::resource("/admin/admins/sessions/end").route(web::post().to(admins::end_session)),
        )
        .service(
            web::resource("/admin/admins/{username}")
                .route(web::get().to(admins::edit_page))
                .route(web::post().to(admins::save)),
        )
        .service(
            web::resource("/admin/settings")
                .route(web::get().to(settings::show))
                .route(web::post().to(settings::save)),
        )
        .service(web::resource("/admin/settings/keys").route(web::post().to(settings::create_key)))
        .service(
            web::resource("/admin/settings/keys/revoke")
                .route(web::post().to(settings::revoke_key)),
        )
        .service(
            web::resource("/admin/settings/keys/{handle}").route(web::get().to(settings::key_page)),
        )
        .service(web::resource("/admin/audit").route(web::get().to(audit::list)))
        .service(web::resource("/admin/audit/export").route(web::get().to(audit::export)))
        .service(web::resource("/admin/audit/verify").route(web::post().to(audit::verify)))
        .service(web::resource("/admin/audit/{id}").route(web::get().to(audit::show)))
        .service(web::resource("/admin/apis").route(web::get().to(apis::list)))
        .service(
            web::resource("/admin/apis/new")
                .route(web::get().to(apis::new_page))
                .route(web::post().to(apis::create)),
        )
        .service(
            web::resource("/admin/apis/edit")
                .route(web::get().to(apis::edit_page))
                .route(web::post().to(apis::save)),
        )
        .service(
            web::resource("/admin/apis/delete")
                .route(web::get().to(apis::delete_page))
                .route(web::post().to(apis::delete)),
        );
}

/// Somebody signed in to the console, making one request.
pub struct Console {
    app: web::Data<App>,
    admin: Admin,
    cookie: String,
    request_id: Option<String>,
    flash: Option<&'static str>,
    section: &'static str,
}

/// A form of theirs, whose CSRF token is right.
pub struct Posted {
    console: Console,
    form: Form,
}

impl Console {
    async fn enter(request: &HttpRequest) -> Result<Self, Error> {
        let Some(app) = request.app_data::<web::Data<App>>().cloned() else {
            return Err(ended(HttpResponse::InternalServerError().finish()));
        };
        let to_login = || ended(see_other(&session::login_url(&app.base, request)));
        let cookie = app.cookies.read(request, Jar::Console).ok_or_else(to_login)?;
        match app.administration.find_console_session(&cookie).await {
            Ok(Some(admin)) => {
                let console = Self {
                    admin,
                    cookie,
                    request_id: request::id(request),
                    flash: form::query(request, "done").and_then(|done| words_of(&done)),
                    section: section(request.path(), &app.base),
                    app,
                };
                console.admit(request)?;
                Ok(console)
            }
            Ok(None) => Err(to_login()),
            Err(error) => Err(ended(failed(&app, request::id(request), &error))),
        }
    }

    /// Asks the table of rights whether this account may come here.
    fn admit(&self, request: &HttpRequest) -> Result<(), Error> {
        let pattern = request.match_pattern().unwrap_or_default();
        let pattern = pattern.strip_prefix(&self.app.base).unwrap_or(&pattern);
        let Some(need) = rights::need(request.method(), pattern) else {
            tracing::error!(pattern, "a route of the console has no line in the table of rights");
            return Err(self.refuse(AdminError::NotFound));
        };
        if need.allows(&self.admin, request.match_info().get("client_id")) {
            return Ok(());
        }
        Err(self.refuse(AdminError::Forbidden { needed: need.role() }))
    }

    /// What a connection is called, also when it is offered no more.
    fn connection_name(&self, id: &ConnectionId) -> String {
        let connector = self.app.provider.connector(id);
        connector.map_or_else(|| id.to_string(), |found| found.display_name().to_owned())
    }

    /// The names of clients, as far as they are still there.
    async fn client_names<'a>(
        &self,
        ids: impl Iterator<Item = &'a ClientId>,
    ) -> Result<HashMap<ClientId, String>, Error> {
        let mut names = HashMap::new();
        for id in ids {
            if names.contains_key(id) {
                continue;
            }
            match self.app.administration.find_client(id).await {
                Ok(client) => {
                    names.insert(id.clone(), client.client_name);
                }
                Err(AdminError::NotFound) => {}
                Err(error) => return Err(self.refuse(error)),
            }
        }
        Ok(names)
    }

    /// The page for a fault of the provider's.
    fn fail(&self, fault: &Fault) -> Error {
        ended(failed(&self.app, self.request_id.clone(), fault))
    }

    fn actor(&self) -> Actor {
        Actor::console(&self.admin, self.request_id.clone())
    }

    fn shell(&self) -> Shell {
        Shell {
            base: self.app.base.clone(),
            username: self.admin.username.clone(),
            role: self.admin.role.as_str().to_owned(),
            section: self.section,
            csrf: self.app.administration.csrf_token(&self.cookie),
            flash: self.flash,
            may_change: self.admin.role >= Role::Admin,
            is_editor: self.admin.role == Role::Editor,
        }
    }

    /// # Errors
    /// The page that says which role is needed.
    fn must_be(&self, needed: Role) -> Result<(), Error> {
        self.actor().must_be(needed).map_err(|error| self.refuse(error))
    }

    /// Whether they may change this client.
    fn may_edit(&self, client: &ClientId) -> bool {
        self.actor().must_edit(client).is_ok()
    }

    /// # Errors
    /// The page that says which role is needed to change this client.
    fn must_edit(&self, client: &str) -> Result<(), Error> {
        self.actor().must_edit(&ClientId::new(client)).map_err(|error| self.refuse(error))
    }

    /// An address in the console.
    fn url(&self, path: &str) -> String {
        format!("{}/admin{path}", self.app.base)
    }

    /// Where apps find everything else.
    fn discovery(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.app.provider.issuer())
    }

    fn page<T: askama::Template>(&self, template: &T) -> HttpResponse {
        html::page(StatusCode::OK, template, &[])
    }

    /// The page for an act that did not happen and has no form to go back to.
    fn refuse(&self, error: AdminError) -> Error {
        let (status, heading, message) = match error {
            AdminError::Forbidden { needed } => (
                StatusCode::FORBIDDEN,
                "Your role does not allow this",
                format!("It needs the role {}; yours is {}.", needed.as_str(), self.role()),
            ),
            AdminError::NotFound => (
                StatusCode::NOT_FOUND,
                "There is nothing here",
                "It was deleted, or the address is wrong.".to_owned(),
            ),
            AdminError::Conflict => (
                StatusCode::CONFLICT,
                "Somebody else was faster",
                "It was changed meanwhile. Look at it again.".to_owned(),
            ),
            AdminError::Invalid(problems) => (
                StatusCode::BAD_REQUEST,
                "This cannot be done",
                problems
                    .iter()
                    .map(|problem| format!("{} {}.", problem.field, problem.message))
                    .collect::<Vec<_>>()
                    .join(" "),
            ),
            fault @ (AdminError::Store(_) | AdminError::Password(_) | AdminError::Seal(_)) => {
                return ended(failed(&self.app, self.request_id.clone(), &fault));
            }
        };
        ended(self.problem(status, heading, message))
    }

    fn role(&self) -> &'static str {
        self.admin.role.as_str()
    }

    fn problem(&self, status: StatusCode, heading: &str, message: String) -> HttpResponse {
        let back = match self.section {
            "overview" => self.url(""),
            section => self.url(&format!("/{section}")),
        };
        let template = ProblemPage {
            shell: self.shell(),
            heading: heading.to_owned(),
            message,
            back,
            request_id: self.request_id.clone(),
        };
        html::page(status, &template, &[])
    }
}

impl FromRequest for Console {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Self::enter(&request).await })
    }
}

impl FromRequest for Posted {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let body = web::Bytes::from_request(&request, payload);
        Box::pin(async move {
            let body = body.await?;
            if let Some(page) = kept::instead_of_losing(&request, &body).await {
                return Err(ended(page));
            }
            let console = Console::enter(&request).await?;
            let form = Form::parse(&body);
            let token = form.text("csrf");
            if !console.app.administration.is_csrf_token(&console.cookie, &token) {
                return Err(ended(console.problem(
                    StatusCode::FORBIDDEN,
                    "This form is not yours or too old",
                    "Nothing was changed. Go back, load the page again and repeat it.".to_owned(),
                )));
            }
            Ok(Self { console, form })
        })
    }
}

/// An answer that ends a request early.
fn ended(response: HttpResponse) -> Error {
    InternalError::from_response("answered early", response).into()
}

/// On to another page, by GET.
fn see_other(location: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, location)).finish()
}

/// The page for a fault. Its cause is in the log and nowhere else.
fn failed(app: &App, request_id: Option<String>, fault: &dyn Display) -> HttpResponse {
    tracing::error!(%fault, "the console failed");
    let template = ErrorPage {
        base: app.base.clone(),
        heading: "The console failed".to_owned(),
        message: "Nothing was changed, or not all of it. The log says why.".to_owned(),
        advice: None,
        retry_url: None,
        code: None,
        description: None,
        request_id,
    };
    html::page(StatusCode::INTERNAL_SERVER_ERROR, &template, &[])
}

/// What was done, told on the page after it. The address names it; the words are ours.
fn words_of(done: &str) -> Option<&'static str> {
    Some(match done {
        "saved" => "Saved.",
        "disabled" => "Disabled.",
        "enabled" => "Enabled.",
        "deleted" => "Deleted.",
        "created" => "Registered.",
        "already-registered" => {
            "This form was sent before, and registered this client then. A secret is shown only \
             once; if you missed it, rotate it."
        }
        "signed-out" => "Signed out.",
        "account-made" => "The account is made. For an editor, name the clients.",
        "revoked" => "The key is revoked.",
        "unlinked" => "Unlinked.",
        "rotated" => "The next key is made. It signs when every cache has it.",
        "already-next" => "The next key was made already.",
        "retired" => "The key is out of service; its successor signs.",
        "already-shown" => {
            "The secret was shown once, and cannot be shown again. If you missed it, rotate it."
        }
        "already-rotated" => "This form was sent before; no further secret was made.",
        _ => return None,
    })
}

fn section(path: &str, base: &str) -> &'static str {
    let path = path.strip_prefix(base).unwrap_or(path);
    if path.starts_with("/admin/clients") {
        "clients"
    } else if path.starts_with("/admin/apis") {
        "apis"
    } else if path.starts_with("/admin/audit") {
        "audit"
    } else if path.starts_with("/admin/people") || path.starts_with("/admin/deletions") {
        "people"
    } else if path.starts_with("/admin/settings") {
        "settings"
    } else if path.starts_with("/admin/admins") {
        "admins"
    } else if path.starts_with("/admin/sessions") {
        "sessions"
    } else if path.starts_with("/admin/keys") {
        "keys"
    } else if path.starts_with("/admin/connections") {
        "connections"
    } else {
        "overview"
    }
}

fn problems(found: Vec<FieldProblem>) -> Problems {
    let each = |problem: FieldProblem| Problem {
        field: problem.field.to_owned(),
        message: problem.message,
    };
    Problems::new(found.into_iter().map(each).collect())
}

/// A moment as the console writes it: `24 Nov 2026, 12:30 UTC`.
fn moment(at: Timestamp) -> String {
    let format = time::macros::format_description!(
        "[day padding:none] [month repr:short] [year], [hour]:[minute] UTC"
    );
    time::OffsetDateTime::from_unix_timestamp(at.secs())
        .ok()
        .and_then(|moment| moment.format(format).ok())
        .unwrap_or_default()
}
