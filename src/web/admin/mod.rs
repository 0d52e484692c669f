//! The console: `/admin`. Who may enter, and what every room shares.
//!
//! A handler that takes a [`Console`] runs for somebody who is signed in; one that takes a
//! [`Posted`] also for a form that was made for their session. What the role allows is asked in
//! each handler and again by each act.

mod account_routes;
mod admins;
mod apis;
mod apple;
mod audit;
mod audit_stream;
mod audit_words;
mod branding;
mod claim_preview;
mod claim_rules;
mod client_fields;
mod client_form;
mod client_members;
mod client_routes;
mod client_secrets;
mod clients;
mod connection_acts;
mod connection_fields;
mod connection_form;
mod connection_routes;
mod connections;
mod deletions;
mod deliveries;
mod form;
mod gate;
mod identities;
mod kept;
mod keys;
mod members;
mod nowhere;
mod overview;
mod paging;
mod passkeys;
mod people;
mod person_acts;
mod profile;
mod redirect_uris;
mod refusals;
pub mod rights;
mod safe_path;
mod safety;
mod said;
mod search;
mod second_step;
mod section;
mod session;
mod sessions;
mod settings;
mod sign_ins;
mod trials;
mod trust;
mod upkeep;
pub(super) mod upstream_sign_in;

use std::collections::{HashMap, HashSet};

use actix_web::dev::Payload;
use actix_web::error::InternalError;
use actix_web::http::{StatusCode, header};
use actix_web::{Error, FromRequest, HttpRequest, HttpResponse, web};
use futures_util::future::LocalBoxFuture;

use super::page::admin::{Problem, Problems, Shell};
use super::{App, html};
use crate::op::Fault;
use crate::op::admin::{Actor, FieldProblem};
use crate::protocol::admin::{Admin, AdminSession, Role};
use crate::protocol::client::ClientKind;
use crate::protocol::id::{ClientId, ConnectionId};
use crate::protocol::local_account;
use form::Form;
use refusals::failed;
use said::{browser, day, moment, span, words_of};

/// The console's routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .configure(upkeep::routes)
        .configure(client_routes::routes)
        .configure(connection_routes::routes)
        .configure(account_routes::routes)
        .configure(profile::routes)
        .service(web::resource(["/admin", "/admin/"]).route(web::get().to(overview::show)))
        .service(web::resource("/admin/redirect-uris").route(web::get().to(redirect_uris::check)))
        .service(web::resource("/admin/search").route(web::get().to(search::find)))
        .service(web::resource("/admin/people").route(web::get().to(people::list)))
        .service(web::resource("/admin/people/{id}").route(web::get().to(people::show)))
        .service(
            web::resource("/admin/people/{id}/{act}")
                .route(web::get().to(person_acts::ask_page))
                .route(web::post().to(person_acts::act)),
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
        .service(
            web::resource("/admin/settings")
                .route(web::get().to(settings::show))
                .route(web::post().to(settings::save)),
        )
        .service(web::resource("/admin/settings/keys").route(web::post().to(settings::create_key)))
        .service(
            web::resource("/admin/settings/keys/revoke")
                .route(web::get().to(settings::revoke_page))
                .route(web::post().to(settings::revoke_key)),
        )
        .service(
            web::resource("/admin/settings/keys/{handle}").route(web::get().to(settings::key_page)),
        )
        .service(web::resource("/admin/trust").route(web::get().to(trust::show)))
        .service(web::resource("/admin/trust/tokens").route(web::post().to(trust::create_token)))
        .service(
            web::resource("/admin/trust/tokens/delete")
                .route(web::get().to(trust::token_delete_page))
                .route(web::post().to(trust::delete_token)),
        )
        .service(
            web::resource("/admin/trust/tokens/{handle}").route(web::get().to(trust::token_page)),
        )
        .service(web::resource("/admin/trust/issuers").route(web::post().to(trust::create_issuer)))
        .service(
            web::resource("/admin/trust/issuers/delete")
                .route(web::get().to(trust::issuer_delete_page))
                .route(web::post().to(trust::delete_issuer)),
        )
        .configure(audit_stream::routes)
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
        )
        .configure(branding::routes)
        // The last: what none of the others is.
        .service(
            web::resource(rights::NOWHERE)
                .route(web::get().to(nowhere::page))
                .route(web::post().to(nowhere::form))
                .default_service(web::to(html::not_found)),
        );
}

/// Somebody signed in to the console, making one request.
pub struct Console {
    app: web::Data<App>,
    admin: Admin,
    session: AdminSession,
    cookie: String,
    request_id: Option<String>,
    flash: Option<&'static str>,
    section: &'static str,
    /// Why they do it, if their form says so.
    reason: String,
}

/// A form of theirs, whose CSRF token is right.
pub struct Posted {
    console: Console,
    form: Form,
}

impl Console {
    /// What a connection is called, also when it is offered no more.
    fn connection_name(&self, id: &ConnectionId) -> String {
        if id.as_str() == local_account::AUTHORITY {
            return "Password kept here".to_owned();
        }
        let connector = self.app.provider.connector(id);
        connector.map_or_else(|| id.to_string(), |found| found.display_name().to_owned())
    }

    /// Whether a client of this kind is of no use, since nobody can sign in at all.
    fn no_way_in(&self, kind: ClientKind) -> bool {
        let provider = &self.app.provider;
        kind != ClientKind::Machine
            && provider.connectors().is_empty()
            && !provider.offers_local_accounts()
    }

    /// The names of clients, as far as they are still there.
    async fn client_names<'a>(
        &self,
        ids: impl Iterator<Item = &'a ClientId>,
    ) -> Result<HashMap<ClientId, String>, Error> {
        let ids: HashSet<&ClientId> = ids.collect();
        let ids: Vec<&ClientId> = ids.into_iter().collect();
        let names = self.app.administration.client_names(&ids).await;
        names.map_err(|error| self.refuse(error))
    }

    /// The page for a fault of the provider's.
    fn fail(&self, fault: &Fault) -> Error {
        ended(failed(&self.app, self.request_id.clone(), fault))
    }

    fn actor(&self) -> Actor {
        Actor::console(&self.admin, self.request_id.clone()).because(&self.reason)
    }

    fn shell(&self) -> Shell {
        Shell {
            base: self.app.base.clone(),
            username: self.admin.username.clone(),
            role: self.admin.role.as_str().to_owned(),
            section: self.section,
            csrf: self.app.administration.csrf_token(&self.cookie),
            flash: self.flash,
            find: String::new(),
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
            let content_type = request.headers().get(header::CONTENT_TYPE);
            let content_type = content_type.and_then(|value| value.to_str().ok());
            let form = Form::read(content_type.unwrap_or_default(), body).await;
            if let Some(page) = kept::instead_of_losing(&request, &form).await {
                return Err(ended(page));
            }
            let mut console = Console::enter(&request).await?;
            let token = form.text("csrf");
            if !console.app.administration.is_csrf_token(&console.cookie, &token) {
                return Err(ended(console.problem(
                    StatusCode::FORBIDDEN,
                    "This form is not yours or too old",
                    "Nothing was changed. Go back, load the page again and repeat it.".to_owned(),
                )));
            }
            if console.wants_proof(&request) {
                let going = kept::going(&request, &form, &console.app.base).unwrap_or_default();
                let asked = second_step::ask(&console, StatusCode::FORBIDDEN, None, &going).await?;
                return Err(ended(asked));
            }
            console.reason = form.text("reason");
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

fn problems(found: Vec<FieldProblem>) -> Problems {
    let each = |problem: FieldProblem| Problem {
        field: problem.field.to_owned(),
        message: problem.message,
    };
    Problems::new(found.into_iter().map(each).collect())
}
