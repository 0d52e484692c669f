//! Refusals and faults become HTTP here, and nowhere else — RFC 6749 §5.2, RFC 6750 §3.
//!
//! The match is exhaustive: a new code must be given its status.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde_json::json;

use crate::op::Failure;
use crate::protocol::error::{ErrorCode, Refusal};

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
        | ErrorCode::LoginRequired
        | ErrorCode::ConsentRequired
        | ErrorCode::InteractionRequired
        | ErrorCode::UnmetAuthenticationRequirements
        | ErrorCode::RequestNotSupported
        | ErrorCode::RequestUriNotSupported
        | ErrorCode::RegistrationNotSupported
        | ErrorCode::UnsupportedTokenType => StatusCode::BAD_REQUEST,
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

/// The JSON answer of the endpoints that clients call (RFC 6749 §5.2).
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

/// The answer of an endpoint that takes an access token (RFC 6750 §3): the challenge says why,
/// but nothing at all when no token came.
pub fn bearer_error(failure: Failure, token_was_sent: bool) -> HttpResponse {
    let refusal = shown(failure);
    let mut builder = no_store(HttpResponse::build(status(refusal.code)));
    let challenge = if refusal.code == ErrorCode::InvalidToken && !token_was_sent {
        "Bearer realm=\"russet\"".to_owned()
    } else {
        format!(
            "Bearer realm=\"russet\", error=\"{}\", error_description=\"{}\"",
            refusal.code, refusal.description
        )
    };
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        builder.insert_header((header::WWW_AUTHENTICATE, challenge));
    }
    builder.json(json!({
        "error": refusal.code.as_str(),
        "error_description": refusal.description,
    }))
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
