//! The admin API, `/admin/api/v1`: the console's own acts for scripts — RFC 9457 for what goes
//! wrong, RFC 9110 §13 against lost updates.
//!
//! [`ROUTES`] is the one list of what there is: a request is let in by its line, and the OpenAPI
//! document is made of it. Each resource has a file of its own.

mod admins;
mod answers;
mod api_keys;
mod apis;
mod audit;
mod body;
mod branding;
mod caller;
mod clients;
mod connections;
mod effects;
mod jobs;
mod keys;
mod matching;
mod methods;
mod once;
mod openapi;
mod overview;
mod query;
mod quickstarts;
mod route;
mod routes;
mod schemas;
mod sessions;
mod settings;
mod sign_ins;
mod transfers;
mod trials;
mod trust;
mod users;

use actix_web::http::StatusCode;
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, web};

pub use route::Route;
pub use routes::ROUTES;

use super::request;
use answers::{accepted, answer, created, done, newest, page, paged, problem};
use caller::Caller;
use query::Asked;

/// The header that says why; it stands in the audit log.
const REASON: &str = "audit-reason";

/// The routes.
pub fn routes(config: &mut web::ServiceConfig) {
    let v1 = web::scope("/admin/api/v1")
        .wrap(from_fn(once::once))
        .wrap(from_fn(methods::known))
        .configure(overview::routes)
        .configure(effects::routes)
        .configure(clients::routes)
        .configure(quickstarts::routes)
        .configure(trials::routes)
        .configure(users::routes)
        .configure(sessions::routes)
        .configure(connections::routes)
        .configure(trust::routes)
        .configure(jobs::routes)
        .configure(transfers::routes)
        .configure(keys::routes)
        .configure(settings::routes)
        .configure(branding::routes)
        .configure(admins::routes)
        .configure(api_keys::routes)
        .configure(audit::routes)
        .configure(sign_ins::routes)
        .configure(apis::routes)
        .default_service(web::to(nothing));
    config
        .service(web::resource("/admin/api/openapi.json").route(web::get().to(openapi::document)))
        .service(v1)
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
