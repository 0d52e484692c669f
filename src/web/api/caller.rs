//! Who calls the admin API: a key whose scope reaches the route, and what it saw (RFC 9110 §13).

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{Error, FromRequest, HttpMessage as _, HttpRequest, HttpResponse, web};
use futures_util::future::LocalBoxFuture;

use super::answers::{ended, problem, refusal};
use super::matching::Seen;
use super::{REASON, methods, once, query};
use crate::op::Fault;
use crate::op::admin::{Actor, AdminError, LONGEST_REASON};
use crate::protocol::api_key::{ApiKey, ApiScope};
use crate::web::endpoints::authorization;
use crate::web::{App, request};

/// A request with a good key that holds the scope of its route.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) app: web::Data<App>,
    pub(super) key: ApiKey,
    pub(super) request_id: Option<String>,
    if_match: Option<String>,
    /// Its idempotency key, where it does something.
    pub(super) once: Option<String>,
    reason: Option<String>,
    line: String,
    /// The longest body that its route takes.
    pub(super) longest: usize,
    scope: ApiScope,
    pub(super) needs_body: bool,
    pub(super) is_json: bool,
}

impl Caller {
    pub(super) async fn enter(request: &HttpRequest) -> Result<Self, Error> {
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
        let lines = methods::lines(request, &app.base);
        let Some(line) = lines.into_iter().find(|line| line.method == request.method().as_str())
        else {
            let title = "There is nothing here";
            return Err(ended(problem(StatusCode::NOT_FOUND, title, None, &[], id)));
        };
        if !key.scope.contains(&line.scope) {
            return Err(ended(lacking(line.scope, id)));
        }
        let problems = query::problems(request.query_string(), line.query);
        if !problems.is_empty() {
            return Err(ended(refusal(AdminError::Invalid(problems), id)));
        }
        let text = |name: HeaderName| {
            request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let once = match request.headers().get(once::NAME).map(HeaderValue::to_str) {
            None => None,
            Some(Ok(key)) if (1..=255).contains(&key.len()) && !key.contains('\t') => {
                Some(key.to_owned())
            }
            Some(_) => {
                let title = "An idempotency key has 1 to 255 printable characters of ASCII";
                return Err(ended(problem(StatusCode::BAD_REQUEST, title, None, &[], id)));
            }
        };
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
        let if_match = all(request.headers(), &header::IF_MATCH);
        // A change that overwrites whatever stands is not offered (RFC 6585 §3).
        if line.changes() && if_match.is_none() {
            let detail = "Send the ETag of the answer that you read in If-Match.".to_owned();
            let title = "Which version did you see?";
            let status = StatusCode::PRECONDITION_REQUIRED;
            return Err(ended(problem(status, title, Some(detail), &[], id)));
        }
        Ok(Self {
            if_match,
            reason,
            once: once.filter(|_| line.once()),
            line: format!("{} {}", line.method, request.uri()),
            scope: line.scope,
            longest: line.longest,
            needs_body: line.needs_body(),
            is_json: text(header::CONTENT_TYPE).is_some_and(|given| is_json(&given)),
            app,
            key,
            request_id: id,
        })
    }

    /// Who acts: the key, in the role that its scope stands for. The console's roles are asked
    /// again by each act.
    pub(super) fn actor(&self) -> Actor {
        let actor = Actor::api_key(&self.key, self.scope, self.request_id.clone());
        actor.because(self.reason.as_deref().unwrap_or_default())
    }

    /// Refuses a key without a scope that this request needs besides that of its route.
    ///
    /// # Errors
    /// 403 that names it.
    pub(super) fn must_hold(&self, scope: ApiScope) -> Result<(), Error> {
        if self.key.scope.contains(&scope) {
            return Ok(());
        }
        Err(ended(lacking(scope, self.request_id.clone())))
    }

    /// Where something of the API is.
    pub(super) fn address(&self, path: &str) -> Option<String> {
        Some(format!("{}/admin/api/v1{path}", self.app.base))
    }

    /// What an act brought, or its refusal.
    pub(super) fn got<T>(&self, result: Result<T, AdminError>) -> Result<T, Error> {
        result.map_err(|error| self.refuse(error))
    }

    /// What the provider brought; a fault is ours.
    pub(super) fn unfailing<T>(&self, result: Result<T, Fault>) -> Result<T, Error> {
        result.map_err(|fault| self.failed(&fault))
    }

    pub(super) fn failed(&self, fault: &Fault) -> Error {
        tracing::error!(%fault, "the admin API failed");
        self.problem(StatusCode::INTERNAL_SERVER_ERROR, "Russet failed", None)
    }

    pub(super) fn refuse(&self, error: AdminError) -> Error {
        ended(refusal(error, self.request_id.clone()))
    }

    pub(super) fn problem(&self, status: StatusCode, title: &str, detail: Option<String>) -> Error {
        ended(problem(status, title, detail, &[], self.request_id.clone()))
    }

    /// Compares what stands with what the caller saw (RFC 9110 §13.1.1), and gives it back for the
    /// act to compare again.
    ///
    /// # Errors
    /// 412 when something else was seen.
    pub(super) fn seen<V: Copy + Into<i64>>(&self, stands: V) -> Result<V, Error> {
        self.unless_seen_otherwise(Some(stands)).map(|_| stands)
    }

    /// The same where `If-Match` may be left out: what is removed is removed as it stands. What has
    /// no version has no tag either, so that `*` alone matches it.
    ///
    /// # Errors
    /// 412 when something else was seen.
    pub(super) fn unless_seen_otherwise<V: Copy + Into<i64>>(
        &self,
        stands: Option<V>,
    ) -> Result<Option<V>, Error> {
        let Some(header) = &self.if_match else { return Ok(None) };
        let seen = Seen::parse(header);
        let matches = match stands {
            Some(version) => seen.matches(version.into()),
            None => seen == Seen::Anything,
        };
        if matches {
            return Ok(stands);
        }
        Err(self.refuse(AdminError::Conflict))
    }

    /// What tells this request from another under the same idempotency key.
    pub(super) fn fingerprint(&self, body: &[u8]) -> String {
        let seen = self.if_match.as_deref().unwrap_or_default();
        format!("{}\n{seen}\n{}", self.line, String::from_utf8_lossy(body))
    }
}

impl FromRequest for Caller {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            // Whoever asks that something be done once has come in already.
            let entered = request.extensions_mut().remove::<Self>();
            match entered {
                Some(caller) => Ok(caller),
                None => Self::enter(&request).await,
            }
        })
    }
}

/// The values of a header that may come in parts. What is not text matches nothing, and is not as
/// if it had not been said.
pub(super) fn all(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let given: Vec<_> = headers
        .get_all(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect();
    (!given.is_empty()).then(|| given.join(", "))
}

fn lacking(scope: ApiScope, request_id: Option<String>) -> HttpResponse {
    let detail = Some(format!("It needs the scope {}.", scope.as_str()));
    let title = "This API key does not reach so far";
    problem(StatusCode::FORBIDDEN, title, detail, &[], request_id)
}

/// `application/json`, and what is built on it (RFC 6839 §3.1).
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = authorization(headers)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
