//! The endpoints that clients and APIs call: parse, act, reply.

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::reply::{DPOP, is_known, no_store, oauth_error, tell_dpop_nonce, token_error};
use super::{App, cors, mutual_tls, request};
use crate::op::Failure;
use crate::op::userinfo::UserinfoAnswer;
use crate::protocol::error::{ErrorCode, Refusal};
use crate::protocol::params::Params;
use crate::protocol::presented::Presented;

/// Discovery — OIDC Discovery §4, RFC 8414 §3. Rendered once.
pub async fn metadata(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    cached_json(&request, app.metadata.clone(), &app.metadata_etag)
}

/// The JWKS — RFC 7517 §5. Rendered when the keys change.
pub async fn jwks(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    match app.provider.keys().complete().await {
        Ok(keyring) => {
            app.jwks_fetchers.note(&request, app.provider.now());
            cached_json(&request, keyring.jwks().clone(), keyring.etag())
        }
        Err(fault) => oauth_error(fault.into(), false),
    }
}

/// [`crate::protocol::keyring::JWKS_MAX_AGE`] as a header; a test compares the two.
const PUBLIC_FOR_A_WHILE: &str = "public, max-age=300";

fn cached_json(request: &HttpRequest, body: web::Bytes, etag: &str) -> HttpResponse {
    let matches = is_known(request, etag);
    let mut builder =
        HttpResponse::build(if matches { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    builder
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static(PUBLIC_FOR_A_WHILE)))
        .insert_header((header::ETAG, etag))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")));
    if matches {
        return builder.finish();
    }
    builder.insert_header((header::CONTENT_TYPE, HeaderValue::from_static("application/json")));
    builder.body(body)
}

/// The token endpoint — RFC 6749 §3.2.
pub async fn token(app: web::Data<App>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let answer = async {
        let params = form(&request, &body)?;
        let answer = app.provider.token(&presented(&request), &params).await;
        if let Some(metrics) = &app.metrics {
            let grant_type = params.one("grant_type").ok().flatten();
            metrics.token_answered(grant_type, answer.as_ref().err());
        }
        answer
    };
    let (response, refused) = match answer.await {
        Ok(tokens) => (no_store(HttpResponse::Ok()).json(tokens), None),
        Err(failure) => {
            let refused = code(&failure);
            (app.limited(&request, failure, used_basic(&request)), refused)
        }
    };
    let mut response = cors::open_to_apps(&app, &request, response).await;
    tell_dpop_nonce(&app, &request, refused, &mut response);
    response
}

/// Device authorization — RFC 8628 §3.1.
pub async fn device_authorization(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let answer = async {
        let params = form(&request, &body)?;
        app.provider.authorize_device(&presented(&request), &params).await
    };
    match answer.await {
        Ok(waiting) => no_store(HttpResponse::Ok()).json(waiting),
        Err(failure) => app.limited(&request, failure, used_basic(&request)),
    }
}

/// Pushed authorization requests — RFC 9126 §2.
pub async fn push(app: web::Data<App>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let answer = async {
        let params = form(&request, &body)?;
        app.provider.push(&presented(&request), &params).await
    };
    let (response, refused) = match answer.await {
        Ok(pushed) => (no_store(HttpResponse::Created()).json(pushed), None),
        Err(failure) => {
            let refused = code(&failure);
            (app.limited(&request, failure, used_basic(&request)), refused)
        }
    };
    let mut response = cors::open_to_apps(&app, &request, response).await;
    tell_dpop_nonce(&app, &request, refused, &mut response);
    response
}

/// Userinfo — OIDC Core §5.3.1: the token in the header, or in the body of a POST.
pub async fn userinfo(app: web::Data<App>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let in_form = if request.method() == Method::POST && !body.is_empty() {
        form(&request, &body).ok()
    } else {
        None
    };
    let mut presented = presented(&request);
    presented.token_in_form = in_form.as_ref().and_then(|form| form.one("access_token").ok()?);
    let answer = app.provider.answer_userinfo(&presented).await;
    let answer = answer.map(|userinfo| match userinfo {
        UserinfoAnswer::Plain(claims) => no_store(HttpResponse::Ok()).json(claims),
        UserinfoAnswer::Signed(jwt) => {
            no_store(HttpResponse::Ok()).content_type("application/jwt").body(jwt)
        }
    });
    let response = answer_to_token(&app, &request, &presented, answer).await;
    super::registration::name_metadata(&app, response)
}

/// What an endpoint that takes an access token says, with the challenges of RFC 6750 and RFC 9449
/// when it refuses.
pub async fn answer_to_token(
    app: &App,
    request: &HttpRequest,
    presented: &Presented<'_>,
    answer: Result<HttpResponse, Failure>,
) -> HttpResponse {
    let (response, refused) = match answer {
        Ok(response) => (response, None),
        Err(failure) => {
            let refused = code(&failure);
            (token_error(failure, presented.token_type()), refused)
        }
    };
    let mut response = cors::open_to_apps(app, request, response).await;
    tell_dpop_nonce(app, request, refused, &mut response);
    response
}

/// Introspection — RFC 7662 §2.
pub async fn introspect(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let answer = async {
        let params = form(&request, &body)?;
        app.provider.introspect(&presented(&request), &params).await
    };
    match answer.await {
        Ok(introspection) => no_store(HttpResponse::Ok()).json(introspection),
        Err(failure) => app.limited(&request, failure, used_basic(&request)),
    }
}

/// Revocation — RFC 7009 §2. The answer has no body and so no `Content-Type`: some libraries
/// refuse any but JSON.
pub async fn revoke(app: web::Data<App>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let answer = async {
        let params = form(&request, &body)?;
        app.provider.revoke(&presented(&request), &params).await
    };
    let response = match answer.await {
        Ok(()) => no_store(HttpResponse::Ok()).finish(),
        Err(failure) => app.limited(&request, failure, used_basic(&request)),
    };
    cors::open_to_apps(&app, &request, response).await
}

/// A nonce for native sign-in — contract §3.
pub async fn native_challenge(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let answer = async {
        let params = form(&request, &body)?;
        app.provider.native_challenge(&params).await
    };
    match answer.await {
        Ok((nonce, expires_in)) => {
            no_store(HttpResponse::Ok()).json(json!({ "nonce": nonce, "expires_in": expires_in }))
        }
        Err(failure) => oauth_error(failure, false),
    }
}

/// The process is up.
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// The database answers and the keys are loaded.
pub async fn readyz(app: web::Data<App>) -> HttpResponse {
    match app.provider.ready().await {
        Ok(()) => HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready\n"),
        Err(fault) => {
            tracing::warn!(%fault, "not ready");
            HttpResponse::ServiceUnavailable()
                .content_type("text/plain; charset=utf-8")
                .body("not ready\n")
        }
    }
}

/// The parameters of a form (RFC 6749 §3.2: nothing else is accepted).
pub fn form(request: &HttpRequest, body: &web::Bytes) -> Result<Params, Failure> {
    let is_form = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|mime| mime.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"));
    if !is_form {
        return Err(
            Refusal::invalid_request("the body must be application/x-www-form-urlencoded").into()
        );
    }
    Ok(Params::parse(body)?)
}

/// The `Authorization` header. One that is not text counts as malformed, not as absent, and so do
/// two: who sends both would be known by whichever is read.
pub fn authorization(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION);
    let first = values.next()?;
    let only = first.to_str().ok().filter(|_| values.next().is_none());
    Some(only.unwrap_or("malformed"))
}

/// What the request brings besides its parameters.
pub fn presented(request: &HttpRequest) -> Presented<'_> {
    let proofs = request.headers().get_all(DPOP);
    Presented {
        method: request.method().as_str(),
        authorization: authorization(request.headers()),
        dpop: proofs.map(|value| value.to_str().unwrap_or("malformed")).collect(),
        certificate: mutual_tls::certificate(request),
        request_id: request::id(request),
        token_in_form: None,
    }
}

/// The code of a refusal; a fault has none.
pub fn code(failure: &Failure) -> Option<ErrorCode> {
    match failure {
        Failure::Refused(refusal) => Some(refusal.code),
        Failure::Fault(_) => None,
    }
}

fn used_basic(request: &HttpRequest) -> bool {
    request.headers().contains_key(header::AUTHORIZATION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::keyring::JWKS_MAX_AGE;

    #[test]
    fn two_authorizations_are_none() {
        let mut headers = HeaderMap::new();
        assert_eq!(authorization(&headers), None);
        headers.append(header::AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        assert_eq!(authorization(&headers), Some("Bearer a"));
        headers.append(header::AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        assert_eq!(authorization(&headers), Some("malformed"));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_bytes(b"Bearer \xff").unwrap());
        assert_eq!(authorization(&headers), Some("malformed"));
    }

    #[test]
    fn the_cache_life_that_is_announced_is_the_one_that_keys_wait_for() {
        assert_eq!(PUBLIC_FOR_A_WHILE, format!("public, max-age={}", JWKS_MAX_AGE.as_secs()));
    }
}
