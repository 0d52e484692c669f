//! Refusals and faults become HTTP here, and nowhere else — RFC 6749 §5.2, RFC 6750 §3.
//!
//! The match is exhaustive: a new code must be given its status.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, EntityTag, Header as _, HeaderName, HeaderValue, IfNoneMatch};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde_json::json;

use super::App;
use crate::op::Failure;
use crate::protocol::confirmation::TokenType;
use crate::protocol::dpop;
use crate::protocol::error::{ErrorCode, Refusal};
use crate::protocol::jose::Algorithm;

/// RFC 9449 §4.1.
pub const DPOP: HeaderName = HeaderName::from_static("dpop");
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The status of an error code.
pub fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::InvalidClient | ErrorCode::InvalidToken => StatusCode::UNAUTHORIZED,
        ErrorCode::InsufficientScope => StatusCode::FORBIDDEN,
        ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::InvalidRequest
        | ErrorCode::InvalidGrant
        | ErrorCode::UnauthorizedClient
        | ErrorCode::UnsupportedGrantType
        | ErrorCode::UnsupportedResponseType
        | ErrorCode::InvalidScope
        | ErrorCode::InvalidTarget
        | ErrorCode::AccessDenied
        | ErrorCode::AuthorizationPending
        | ErrorCode::SlowDown
        | ErrorCode::ExpiredToken
        | ErrorCode::InvalidRedirectUri
        | ErrorCode::InvalidClientMetadata
        | ErrorCode::InvalidSoftwareStatement
        | ErrorCode::UnapprovedSoftwareStatement
        | ErrorCode::LoginRequired
        | ErrorCode::ConsentRequired
        | ErrorCode::InteractionRequired
        | ErrorCode::UnmetAuthenticationRequirements
        | ErrorCode::InvalidRequestObject
        | ErrorCode::InvalidRequestUri
        | ErrorCode::RequestNotSupported
        | ErrorCode::RequestUriNotSupported
        | ErrorCode::RegistrationNotSupported
        | ErrorCode::UnsupportedTokenType
        | ErrorCode::InvalidDpopProof
        | ErrorCode::UseDpopNonce => StatusCode::BAD_REQUEST,
    }
}

/// The refusal a failure is shown as; a fault is logged and shown as `server_error`, or as
/// `temporarily_unavailable` when trying again may help.
pub fn shown(failure: Failure) -> Refusal {
    match failure {
        Failure::Refused(refusal) => {
            tracing::info!(
                error = %refusal.code,
                description = refusal.description,
                detail = refusal.detail,
                "refused"
            );
            refusal
        }
        Failure::Fault(fault) => {
            tracing::error!(%fault, "failed");
            if fault.may_pass() {
                Refusal::temporarily_unavailable("the provider is busy; try again")
            } else {
                Refusal::server_error("the provider failed; the operator's log knows more")
            }
        }
    }
}

/// Whether the one who asks says that they have it, under this entity tag: a weak comparison, for
/// a proxy that compresses makes tags weak (RFC 9110 §13.1.2).
pub fn is_known(request: &HttpRequest, etag: &str) -> bool {
    if !request.headers().contains_key(header::IF_NONE_MATCH) {
        return false;
    }
    match (IfNoneMatch::parse(request), etag.parse::<EntityTag>()) {
        (Ok(IfNoneMatch::Any), _) => true,
        (Ok(IfNoneMatch::Items(tags)), Ok(ours)) => tags.iter().any(|tag| tag.weak_eq(&ours)),
        (Ok(IfNoneMatch::Items(_)), Err(_)) | (Err(_), _) => false,
    }
}

/// The JSON answer of the endpoints that clients call (RFC 6749 §5.2).
/// A challenge is for those who tried that way: client libraries take any for the whole answer and
/// read no `error` beside it.
pub fn oauth_error(failure: Failure, basic_was_used: bool) -> HttpResponse {
    let refusal = shown(failure);
    let mut builder = no_store(HttpResponse::build(status(refusal.code)));
    if refusal.code == ErrorCode::InvalidClient && basic_was_used {
        builder.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"russet\""));
    }
    if refusal.code == ErrorCode::TemporarilyUnavailable {
        builder.insert_header((header::RETRY_AFTER, "1"));
    }
    builder.json(json!({
        "error": refusal.code.as_str(),
        "error_description": refusal.description,
    }))
}

/// The answer of an endpoint that takes an access token (RFC 6750 §3, RFC 9449 §7.1): one
/// challenge for each way to present one. The challenge of the way that was tried says why it
/// failed, but nothing at all when no token came.
pub fn token_error(failure: Failure, tried: Option<TokenType>) -> HttpResponse {
    let refusal = shown(failure);
    let about_the_proof = [ErrorCode::InvalidDpopProof, ErrorCode::UseDpopNonce];
    let status = if about_the_proof.contains(&refusal.code) {
        StatusCode::UNAUTHORIZED
    } else {
        status(refusal.code)
    };
    let mut builder = no_store(HttpResponse::build(status));
    // The way that was tried comes first: some clients read no further.
    let ways = match tried {
        Some(TokenType::Dpop) => [TokenType::Dpop, TokenType::Bearer],
        Some(TokenType::Bearer) | None => [TokenType::Bearer, TokenType::Dpop],
    };
    for scheme in ways {
        let mut challenge = match scheme {
            TokenType::Bearer => "Bearer realm=\"russet\"".to_owned(),
            TokenType::Dpop => {
                format!("DPoP algs=\"{}\"", dpop::ALGORITHMS.map(Algorithm::as_str).join(" "))
            }
        };
        if tried == Some(scheme) {
            challenge = format!(
                "{challenge}, error=\"{}\", error_description=\"{}\"",
                refusal.code, refusal.description
            );
        }
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            builder.append_header((header::WWW_AUTHENTICATE, challenge));
        }
    }
    builder.json(json!({
        "error": refusal.code.as_str(),
        "error_description": refusal.description,
    }))
}

/// Tells the nonce that the next DPoP proof must hold (RFC 9449 §8.1, §8.2): when one is demanded
/// with every answer to a proof, and always with `use_dpop_nonce`.
pub fn tell_dpop_nonce(
    app: &App,
    request: &HttpRequest,
    refused: Option<ErrorCode>,
    response: &mut HttpResponse,
) {
    let nonce = if refused == Some(ErrorCode::UseDpopNonce) {
        Some(app.provider.dpop_nonce())
    } else if request.headers().contains_key(DPOP) {
        app.provider.demanded_dpop_nonce()
    } else {
        None
    };
    if let Some(nonce) = nonce.and_then(|nonce| HeaderValue::from_str(&nonce).ok()) {
        response.headers_mut().insert(DPOP_NONCE, nonce);
    }
}

/// An answer that nobody may keep (RFC 6749 §5.1).
pub fn no_store(mut builder: HttpResponseBuilder) -> HttpResponseBuilder {
    builder.insert_header((header::CACHE_CONTROL, "no-store"));
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_statuses() {
        let table: Vec<String> = ErrorCode::ALL
            .iter()
            .map(|code| format!("{} {}", status(*code).as_u16(), code.as_str()))
            .filter(|line| !line.starts_with("400"))
            .collect();
        assert_eq!(
            table,
            [
                "401 invalid_client",
                "401 invalid_token",
                "403 insufficient_scope",
                "503 temporarily_unavailable",
                "500 server_error",
            ]
        );
    }
}
