//! The admin API, `/admin/api/v1`: the console's own acts for scripts — RFC 9457 for what goes
//! wrong, RFC 9110 §13 against lost updates.
//!
//! [`ROUTES`] is the one list of what there is: a request is let in by its line, and the OpenAPI
//! document is made of it.

mod answers;
mod audit;
mod branding;
mod caller;
mod clients;
mod openapi;
mod others;
mod query;
mod schemas;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::request;
use crate::protocol::api_key::ApiScope;
use answers::{Made, answer, page, problem};
use caller::Caller;
use query::Asked;
use schemas::Schema;

/// A line of the list of routes.
pub struct Route {
    /// The method, upper case.
    pub method: &'static str,
    /// The path below `/admin/api/v1`.
    pub path: &'static str,
    /// What a key must hold.
    pub scope: ApiScope,
    /// What it does.
    pub summary: &'static str,
    /// What is sent.
    pub body: Option<Schema>,
    /// What is answered.
    pub answer: Option<Schema>,
    /// The status of that.
    pub status: u16,
}

const fn route(
    method: &'static str,
    path: &'static str,
    scope: ApiScope,
    summary: &'static str,
    body: Option<Schema>,
    answer: Option<Schema>,
    status: u16,
) -> Route {
    Route { method, path, scope, summary, body, answer, status }
}

/// The header that says why; it stands in the audit log.
const REASON: &str = "audit-reason";

use ApiScope as S;

impl Route {
    /// Whether it can do nothing without a body.
    fn needs_body(&self) -> bool {
        self.body.is_some_and(|schema| schema != Schema::NewSecret)
    }
}

/// Everything there is.
#[rustfmt::skip]
pub const ROUTES: &[Route] = &[
    route("GET", "/clients", S::ReadClients, "List clients", None, Some(Schema::Clients), 200),
    route("POST", "/clients", S::WriteClients, "Register a client", Some(Schema::NewClient), Some(Schema::Client), 201),
    route("GET", "/clients/{client_id}", S::ReadClients, "One client", None, Some(Schema::Client), 200),
    route("PATCH", "/clients/{client_id}", S::WriteClients, "Change a client", Some(Schema::ClientChange), Some(Schema::Client), 200),
    route("DELETE", "/clients/{client_id}", S::WriteClients, "Delete a client", None, None, 204),
    route("POST", "/clients/{client_id}/secrets", S::WriteClients, "Give a client a new secret", Some(Schema::NewSecret), Some(Schema::Client), 201),
    route("GET", "/apis", S::ReadApis, "List APIs", None, Some(Schema::Apis), 200),
    route("POST", "/apis", S::WriteApis, "Register an API", Some(Schema::NewApi), Some(Schema::Api), 201),
    route("GET", "/apis/{identifier}", S::ReadApis, "One API", None, Some(Schema::Api), 200),
    route("PATCH", "/apis/{identifier}", S::WriteApis, "Change an API", Some(Schema::ApiChange), Some(Schema::Api), 200),
    route("DELETE", "/apis/{identifier}", S::WriteApis, "Delete an API", None, None, 204),
    route("GET", "/users", S::ReadUsers, "List people", None, Some(Schema::Users), 200),
    route("GET", "/users/{id}", S::ReadUsers, "One person, by sub or id", None, Some(Schema::User), 200),
    route("PATCH", "/users/{id}", S::WriteUsers, "Disable or enable a person", Some(Schema::UserChange), Some(Schema::User), 200),
    route("DELETE", "/users/{id}", S::WriteUsers, "Begin the deletion of a person", None, Some(Schema::Deletion), 202),
    route("POST", "/users/{id}/sign-out", S::WriteUsers, "Sign a person out everywhere", None, Some(Schema::Ended), 200),
    route("DELETE", "/users/{id}/factors", S::WriteUsers, "Remove a person's second factors", None, None, 204),
    route("GET", "/deletions/{id}", S::ReadUsers, "How a deletion stands", None, Some(Schema::Deletion), 200),
    route("GET", "/sessions", S::ReadSessions, "List browser sessions", None, Some(Schema::Sessions), 200),
    route("DELETE", "/sessions/{sid}", S::WriteSessions, "End a browser session", None, Some(Schema::Ended), 200),
    route("DELETE", "/grants/{id}", S::WriteSessions, "Revoke a grant", None, Some(Schema::Ended), 200),
    route("GET", "/keys", S::ReadKeys, "List signing keys", None, Some(Schema::Keys), 200),
    route("POST", "/keys", S::WriteKeys, "Make the next signing key", Some(Schema::NewKey), Some(Schema::Key), 201),
    route("GET", "/branding", S::ReadSettings, "How the installation looks", None, Some(Schema::Branding), 200),
    route("PATCH", "/branding", S::WriteSettings, "Change how the installation looks", Some(Schema::BrandingChange), Some(Schema::Branding), 200),
    route("POST", "/pictures", S::WriteSettings, "Keep a picture, to be named as a logo", Some(Schema::NewPicture), Some(Schema::Picture), 201),
    route("GET", "/events", S::ReadEvents, "Read the audit log, newest first", None, Some(Schema::Events), 200),
    route("GET", "/audit-receivers", S::ReadEvents, "List who is told the audit log, and how far", None, Some(Schema::AuditReceivers), 200),
    route("POST", "/audit-receivers", S::WriteEvents, "Tell somebody the audit log from now on", Some(Schema::NewAuditReceiver), Some(Schema::AuditReceiver), 201),
    route("DELETE", "/audit-receivers/{id}", S::WriteEvents, "Tell a receiver nothing any more", None, None, 204),
    route("GET", "/audit-views", S::ReadEvents, "List the kept views of the audit log", None, Some(Schema::AuditViews), 200),
    route("POST", "/audit-views", S::WriteEvents, "Keep a view of the audit log", Some(Schema::NewAuditView), Some(Schema::AuditView), 201),
    route("DELETE", "/audit-views/{name}", S::WriteEvents, "Forget a view", None, None, 204),
];

fn v1(path: &str) -> actix_web::Resource {
    web::resource(format!("/admin/api/v1{path}"))
}

/// The routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/admin/api/openapi.json").route(web::get().to(openapi::document)))
        .service(
            v1("/clients")
                .route(web::get().to(clients::list))
                .route(web::post().to(clients::create)),
        )
        .service(
            v1("/clients/{client_id}")
                .route(web::get().to(clients::show))
                .route(web::patch().to(clients::change))
                .route(web::delete().to(clients::delete)),
        )
        .service(v1("/clients/{client_id}/secrets").route(web::post().to(clients::new_secret)))
        .service(
            v1("/apis")
                .route(web::get().to(others::list_apis))
                .route(web::post().to(others::create_api)),
        )
        // An identifier is a URL: the rest of the path is all of it.
        .service(
            v1("/apis/{identifier:.+}")
                .route(web::get().to(others::show_api))
                .route(web::patch().to(others::change_api))
                .route(web::delete().to(others::delete_api)),
        )
        .service(v1("/users").route(web::get().to(others::list_users)))
        .service(
            v1("/users/{id}")
                .route(web::get().to(others::show_user))
                .route(web::patch().to(others::change_user))
                .route(web::delete().to(others::delete_user)),
        )
        .service(v1("/users/{id}/sign-out").route(web::post().to(others::sign_out_user)))
        .service(v1("/users/{id}/factors").route(web::delete().to(others::reset_factors)))
        .service(v1("/deletions/{id}").route(web::get().to(others::deletion)))
        .service(v1("/sessions").route(web::get().to(others::list_sessions)))
        .service(v1("/sessions/{sid}").route(web::delete().to(others::end_session)))
        .service(v1("/grants/{id}").route(web::delete().to(others::revoke_grant)))
        .service(
            v1("/keys")
                .route(web::get().to(others::list_keys))
                .route(web::post().to(others::rotate_key)),
        )
        .service(
            v1("/branding")
                .route(web::get().to(branding::show))
                .route(web::patch().to(branding::change)),
        )
        .service(
            v1("/pictures")
                .app_data(web::PayloadConfig::new(branding::MAX_UPLOAD))
                .route(web::post().to(branding::keep_picture)),
        )
        .service(v1("/events").route(web::get().to(others::list_events)))
        .configure(audit::routes)
        .service(web::resource("/admin/api/{rest:.*}").route(web::to(nothing)));
}

async fn nothing(request: HttpRequest) -> HttpResponse {
    problem(StatusCode::NOT_FOUND, "There is nothing here", None, &[], request::id(&request))
}

/// The answer to a body that is not read to its end.
pub(in crate::web) fn too_long(request: &HttpRequest) -> HttpResponse {
    problem(StatusCode::PAYLOAD_TOO_LARGE, request::TOO_LONG, None, &[], request::id(request))
}

/// The answer to an address that nothing can have.
pub(in crate::web) fn unreadable(request: &HttpRequest) -> HttpResponse {
    let title = "The address holds a NUL";
    problem(StatusCode::BAD_REQUEST, title, None, &[], request::id(request))
}
