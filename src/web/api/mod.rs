//! The admin API, `/admin/api/v1`: the console's own acts for scripts — RFC 9457 for what goes
//! wrong, RFC 9110 §13 against lost updates.
//!
//! [`ROUTES`] is the one list of what there is: a request is let in by its line, and the OpenAPI
//! document is made of it.

mod audit;
mod clients;
mod openapi;
mod others;
mod query;
mod schemas;

use actix_web::dev::Payload;
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{Error, FromRequest, HttpRequest, HttpResponse, web};
use futures_util::future::LocalBoxFuture;
use serde_json::{Map, Value, json};

use super::{App, request};
use crate::op::admin::api_keys::{KeptAnswer, Repeated};
use crate::op::admin::{Actor, AdminError, FieldProblem};
use crate::protocol::admin::Role;
use crate::protocol::api_key::{ApiKey, ApiScope};
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
    route("GET", "/deletions/{id}", S::ReadUsers, "How a deletion stands", None, Some(Schema::Deletion), 200),
    route("GET", "/sessions", S::ReadSessions, "List browser sessions", None, Some(Schema::Sessions), 200),
    route("DELETE", "/sessions/{sid}", S::WriteSessions, "End a browser session", None, Some(Schema::Ended), 200),
    route("DELETE", "/grants/{id}", S::WriteSessions, "Revoke a grant", None, Some(Schema::Ended), 200),
    route("GET", "/keys", S::ReadKeys, "List signing keys", None, Some(Schema::Keys), 200),
    route("POST", "/keys", S::WriteKeys, "Make the next signing key", Some(Schema::NewKey), Some(Schema::Key), 201),
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
        .service(v1("/deletions/{id}").route(web::get().to(others::deletion)))
        .service(v1("/sessions").route(web::get().to(others::list_sessions)))
        .service(v1("/sessions/{sid}").route(web::delete().to(others::end_session)))
        .service(v1("/grants/{id}").route(web::delete().to(others::revoke_grant)))
        .service(
            v1("/keys")
                .route(web::get().to(others::list_keys))
                .route(web::post().to(others::rotate_key)),
        )
        .service(v1("/events").route(web::get().to(others::list_events)))
        .configure(audit::routes)
        .service(web::resource("/admin/api/{rest:.*}").route(web::to(nothing)));
}

async fn nothing(request: HttpRequest) -> HttpResponse {
    problem(StatusCode::NOT_FOUND, "There is nothing here", None, &[], request::id(&request))
}

/// A request with a good key that holds the scope of its route.
pub struct Caller {
    app: web::Data<App>,
    key: ApiKey,
    request_id: Option<String>,
    if_match: Option<String>,
    once: Option<String>,
    reason: Option<String>,
    line: String,
    needs_body: bool,
    is_json: bool,
}

impl Caller {
    async fn enter(request: &HttpRequest) -> Result<Self, Error> {
        let id = request::id(request);
        let Some(app) = request.app_data::<web::Data<App>>().cloned() else {
            return Err(ended(HttpResponse::InternalServerError().finish()));
        };
        let unauthorized = |title: &str, challenge: &'static str| {
            let mut response = problem(StatusCode::UNAUTHORIZED, title, None, &[], id.clone());
            let challenge = HeaderValue::from_static(challenge);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            ended(response)
        };
        let secret = bearer(request.headers())
            .ok_or_else(|| unauthorized("An API key is needed", "Bearer"))?;
        let found = app.administration.find_api_key(secret).await;
        let key = found.map_err(|error| ended(refusal(error, id.clone())))?;
        let Some(key) = key else {
            if !app.limits.may_fail(request) {
                let title = "Too many attempts from your address";
                let mut response = problem(StatusCode::TOO_MANY_REQUESTS, title, None, &[], id);
                let wait = HeaderValue::from_static("60");
                response.headers_mut().insert(header::RETRY_AFTER, wait);
                return Err(ended(response));
            }
            let challenge = "Bearer error=\"invalid_token\"";
            return Err(unauthorized("This API key is unknown, revoked or has ended", challenge));
        };
        let pattern =
            request.match_pattern().unwrap_or_default().replace("{identifier:.+}", "{identifier}");
        let prefix = format!("{}/admin/api/v1", app.base);
        let path = pattern.strip_prefix(&prefix).unwrap_or_default();
        let method =
            if *request.method() == Method::HEAD { "GET" } else { request.method().as_str() };
        let line = ROUTES.iter().find(|route| route.method == method && route.path == path);
        let Some(line) = line else {
            let title = "There is nothing here";
            return Err(ended(problem(StatusCode::NOT_FOUND, title, None, &[], id)));
        };
        if !key.scope.contains(&line.scope) {
            let detail = format!("It needs the scope {}.", line.scope.as_str());
            let title = "This API key does not reach so far";
            return Err(ended(problem(StatusCode::FORBIDDEN, title, Some(detail), &[], id)));
        }
        let problems = query::problems(request.query_string(), query::of(method, path));
        if !problems.is_empty() {
            return Err(ended(refusal(AdminError::Invalid(problems), id)));
        }
        let text = |name: HeaderName| {
            request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let once = text(HeaderName::from_static("idempotency-key"));
        if once.as_ref().is_some_and(|key| !(1..=255).contains(&key.len())) {
            let title = "An idempotency key has 1 to 255 characters";
            return Err(ended(problem(StatusCode::BAD_REQUEST, title, None, &[], id)));
        }
        Ok(Self {
            if_match: text(header::IF_MATCH),
            reason: text(HeaderName::from_static(REASON)),
            once,
            line: format!("{method} {}", request.path()),
            needs_body: line.needs_body(),
            is_json: text(header::CONTENT_TYPE).is_some_and(|given| is_json(&given)),
            app,
            key,
            request_id: id,
        })
    }

    /// Who acts: the key, with the rights that its scopes give. The console's roles are asked
    /// again by each act.
    fn actor(&self) -> Actor {
        let owners = [ApiScope::WriteKeys, ApiScope::WriteEvents];
        let owner = self.key.scope.iter().any(|scope| owners.contains(scope));
        let role = if owner { Role::Owner } else { Role::Admin };
        let mut actor = Actor::named(&format!("api_key:{}", self.key.id), role);
        actor.request_id.clone_from(&self.request_id);
        actor.because(self.reason.as_deref().unwrap_or_default())
    }

    fn refuse(&self, error: AdminError) -> Error {
        ended(refusal(error, self.request_id.clone()))
    }

    fn problem(&self, status: StatusCode, title: &str, detail: Option<String>) -> Error {
        ended(problem(status, title, detail, &[], self.request_id.clone()))
    }

    /// The version that the caller saw (RFC 9110 §13.1.1).
    ///
    /// # Errors
    /// 428 without one: a change that overwrites whatever stands is not offered.
    fn seen(&self) -> Result<i32, Error> {
        let Some(tag) = &self.if_match else {
            let detail = "Send the ETag of the answer that you read in If-Match.".to_owned();
            let title = "Which version did you see?";
            return Err(self.problem(StatusCode::PRECONDITION_REQUIRED, title, Some(detail)));
        };
        let number = tag.trim().trim_matches('"').parse();
        number.map_err(|_| {
            let title = "It was changed meanwhile";
            self.problem(StatusCode::PRECONDITION_FAILED, title, None)
        })
    }

    /// The members of a JSON body.
    ///
    /// # Errors
    /// 400 for anything that is not a JSON object, 415 for what does not say that it is JSON.
    fn members(&self, body: &[u8]) -> Result<Map<String, Value>, Error> {
        if body.is_empty() && !self.needs_body {
            return Ok(Map::new());
        }
        if !self.is_json {
            let detail = "Send the body as application/json.".to_owned();
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(self.problem(status, "The body is not said to be JSON", Some(detail)));
        }
        serde_json::from_slice(body).map_err(|error| {
            let title = "The body is not a JSON object";
            self.problem(StatusCode::BAD_REQUEST, title, Some(error.to_string()))
        })
    }

    /// Refuses what is left of a body after its members were taken out.
    ///
    /// # Errors
    /// 422 that names each.
    fn nothing_else(&self, left: &Map<String, Value>) -> Result<(), Error> {
        let problems: Vec<FieldProblem> = left
            .keys()
            .map(|name| FieldProblem::new("body", format!("{name} is not a member")))
            .collect();
        if problems.is_empty() { Ok(()) } else { Err(self.refuse(AdminError::Invalid(problems))) }
    }

    /// Does it, or repeats the answer of the request that came before under the same
    /// idempotency key.
    async fn once<F>(&self, body: &[u8], act: F) -> Result<HttpResponse, Error>
    where
        F: Future<Output = Result<Made, Error>>,
    {
        let Some(key) = &self.once else { return Ok(act.await?.response()) };
        let administration = &self.app.administration;
        let request = format!("{}\n{}", self.line, String::from_utf8_lossy(body));
        let refuse = |error| self.refuse(error);
        match administration.begin_once(&self.key.id, key, &request).await.map_err(refuse)? {
            Repeated::First => {}
            Repeated::UnderWay => {
                let title = "The same request is under way, or did not come to an end";
                return Err(self.problem(StatusCode::CONFLICT, title, None));
            }
            Repeated::Other => {
                let title = "This idempotency key was used for another request";
                return Err(self.problem(StatusCode::UNPROCESSABLE_ENTITY, title, None));
            }
            Repeated::Answered(answer) => {
                let mut response = Made::of(answer).response();
                let name = HeaderName::from_static("idempotency-replayed");
                response.headers_mut().insert(name, HeaderValue::from_static("true"));
                return Ok(response);
            }
        }
        let made = act.await?;
        let answer = KeptAnswer {
            status: made.status.as_u16(),
            location: made.location.clone(),
            body: made.body.to_string(),
        };
        administration.keep_answer(&self.key.id, key, &request, answer).await.map_err(refuse)?;
        Ok(made.response())
    }
}

/// Something new.
struct Made {
    status: StatusCode,
    location: Option<String>,
    body: Value,
}

impl Made {
    fn of(answer: KeptAnswer) -> Self {
        Self {
            status: StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK),
            location: answer.location,
            body: serde_json::from_str(&answer.body).unwrap_or(Value::Null),
        }
    }

    fn response(self) -> HttpResponse {
        let mut builder = HttpResponse::build(self.status);
        if let Some(location) = self.location {
            builder.insert_header((header::LOCATION, location));
        }
        tagged(&mut builder, &self.body).json(self.body)
    }
}

impl FromRequest for Caller {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Self::enter(&request).await })
    }
}

/// `application/json`, and what is built on it (RFC 6839 §3.1).
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// The answer to an address that nothing can have.
pub(super) fn unreadable(request: &HttpRequest) -> HttpResponse {
    let title = "The address holds a NUL";
    problem(StatusCode::BAD_REQUEST, title, None, &[], request::id(request))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Adds the `ETag` of what has a version.
fn tagged<'a>(
    builder: &'a mut actix_web::HttpResponseBuilder,
    body: &Value,
) -> &'a mut actix_web::HttpResponseBuilder {
    if let Some(version) = body.get("version").and_then(Value::as_i64) {
        builder.insert_header((header::ETAG, format!("\"{version}\"")));
    }
    builder
}

fn answer(body: Value) -> HttpResponse {
    tagged(&mut HttpResponse::Ok(), &body).json(body)
}

fn page(items: Vec<Value>, next: Option<String>) -> HttpResponse {
    let mut body = Map::new();
    body.insert("items".to_owned(), Value::Array(items));
    body.insert("next".to_owned(), next.map_or(Value::Null, Value::String));
    HttpResponse::Ok().json(body)
}

fn ended(response: HttpResponse) -> Error {
    InternalError::from_response("answered early", response).into()
}

fn refusal(error: AdminError, request_id: Option<String>) -> HttpResponse {
    let text = error.to_string();
    match error {
        AdminError::Forbidden { .. } => problem(
            StatusCode::FORBIDDEN,
            "This API key does not reach so far",
            Some(text),
            &[],
            request_id,
        ),
        AdminError::NotFound => {
            problem(StatusCode::NOT_FOUND, "There is nothing here", None, &[], request_id)
        }
        AdminError::Conflict => problem(
            StatusCode::PRECONDITION_FAILED,
            "It was changed meanwhile",
            None,
            &[],
            request_id,
        ),
        AdminError::Invalid(problems) => {
            let errors: Vec<Value> = problems
                .iter()
                .map(|problem| json!({ "field": problem.field, "detail": problem.message }))
                .collect();
            let title = "It breaks a rule";
            problem(StatusCode::UNPROCESSABLE_ENTITY, title, None, &errors, request_id)
        }
        AdminError::Store(_) | AdminError::Password(_) | AdminError::Seal(_) => {
            tracing::error!(error = %text, "the admin API failed");
            let title = "Russet failed";
            problem(StatusCode::INTERNAL_SERVER_ERROR, title, None, &[], request_id)
        }
    }
}

/// RFC 9457 §3.
fn problem(
    status: StatusCode,
    title: &str,
    detail: Option<String>,
    errors: &[Value],
    request_id: Option<String>,
) -> HttpResponse {
    let mut body = json!({ "type": "about:blank", "title": title, "status": status.as_u16() });
    if let Some(members) = body.as_object_mut() {
        members.extend(detail.map(|detail| ("detail".to_owned(), json!(detail))));
        members.extend(request_id.map(|id| ("request_id".to_owned(), json!(id))));
        if !errors.is_empty() {
            members.insert("errors".to_owned(), json!(errors));
        }
    }
    HttpResponse::build(status).content_type("application/problem+json").body(body.to_string())
}
