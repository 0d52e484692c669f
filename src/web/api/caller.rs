//! Who calls the admin API: a key whose scope reaches the route, what it saw, and that a request is
//! done once (RFC 9110 §13, idempotency keys).

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{Error, FromRequest, HttpRequest, HttpResponse, web};
use futures_util::future::LocalBoxFuture;
use serde_json::{Map, Value};

use super::answers::{Made, ended, problem, refusal};
use super::{REASON, ROUTES, query};
use crate::op::admin::api_keys::{KeptAnswer, Repeated};
use crate::op::admin::{Actor, AdminError, FieldProblem, LONGEST_REASON};
use crate::protocol::admin::Role;
use crate::protocol::api_key::{ApiKey, ApiScope};
use crate::web::{App, request};

/// A request with a good key that holds the scope of its route.
pub(super) struct Caller {
    pub(super) app: web::Data<App>,
    pub(super) key: ApiKey,
    pub(super) request_id: Option<String>,
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
        let given = request.headers().get(REASON).map(|value| value.to_str().ok());
        let reason = match given {
            None => None,
            Some(Some(reason)) if !reason.contains('\t') && reason.len() <= LONGEST_REASON => {
                Some(reason.to_owned())
            }
            Some(_) => {
                let title = "Audit-Reason does not fit";
                let detail = format!("It takes {LONGEST_REASON} printable characters of ASCII.");
                return Err(ended(problem(StatusCode::BAD_REQUEST, title, Some(detail), &[], id)));
            }
        };
        Ok(Self {
            if_match: text(header::IF_MATCH),
            reason,
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
    pub(super) fn actor(&self) -> Actor {
        let owners = [ApiScope::WriteKeys, ApiScope::WriteEvents, ApiScope::WriteSettings];
        let owner = self.key.scope.iter().any(|scope| owners.contains(scope));
        let role = if owner { Role::Owner } else { Role::Admin };
        let mut actor = Actor::named(&format!("api_key:{}", self.key.id), role);
        actor.request_id.clone_from(&self.request_id);
        actor.because(self.reason.as_deref().unwrap_or_default())
    }

    pub(super) fn refuse(&self, error: AdminError) -> Error {
        ended(refusal(error, self.request_id.clone()))
    }

    pub(super) fn problem(&self, status: StatusCode, title: &str, detail: Option<String>) -> Error {
        ended(problem(status, title, detail, &[], self.request_id.clone()))
    }

    /// The version that the caller saw (RFC 9110 §13.1.1).
    ///
    /// # Errors
    /// 428 without one: a change that overwrites whatever stands is not offered.
    pub(super) fn seen(&self) -> Result<i32, Error> {
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
    pub(super) fn members(&self, body: &[u8]) -> Result<Map<String, Value>, Error> {
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
    pub(super) fn nothing_else(&self, left: &Map<String, Value>) -> Result<(), Error> {
        let problems: Vec<FieldProblem> = left
            .keys()
            .map(|name| FieldProblem::new("body", format!("{name} is not a member")))
            .collect();
        if problems.is_empty() { Ok(()) } else { Err(self.refuse(AdminError::Invalid(problems))) }
    }

    /// Does it, or repeats the answer of the request that came before under the same
    /// idempotency key.
    pub(super) async fn once<F>(&self, body: &[u8], act: F) -> Result<HttpResponse, Error>
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

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
