//! Why a token is refused, in stable words.

use openidconnect::{ClaimsVerificationError, SignatureVerificationError};
use serde_json::{Map, Value};

use crate::upstream::UpstreamError;

/// Holds the issuer of a tenant's token against the form that the operator trusts.
pub(super) fn check_tenant(
    template: &str,
    issuer: &str,
    claims: &Map<String, Value>,
) -> Result<(), UpstreamError> {
    let tenant = claims.get("tid").and_then(Value::as_str).unwrap_or_default();
    let plain =
        !tenant.is_empty() && tenant.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if plain && issuer == template.replace("{tenantid}", tenant) {
        return Ok(());
    }
    Err(rejected("iss_mismatch", "the issuer is not of the form that its tenants have"))
}

pub(super) fn rejected(reason: &'static str, detail: &'static str) -> UpstreamError {
    UpstreamError::Rejected { reason, detail: detail.to_owned() }
}

pub(super) const UNKNOWN_KEY: &str = "unknown_key";

/// The stable word for what is wrong with an ID token. The library's text quotes values, so it is
/// not passed on.
pub(super) fn unverified(error: &ClaimsVerificationError) -> UpstreamError {
    use SignatureVerificationError as Signature;
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library may add errors at any time")]
    let reason = match error {
        ClaimsVerificationError::Expired(_) => "id_token_expired",
        ClaimsVerificationError::InvalidAudience(_) => "aud_mismatch",
        ClaimsVerificationError::InvalidIssuer(_) => "iss_mismatch",
        ClaimsVerificationError::InvalidNonce(_) => "nonce_mismatch",
        ClaimsVerificationError::SignatureVerification(Signature::NoMatchingKey) => UNKNOWN_KEY,
        ClaimsVerificationError::SignatureVerification(
            Signature::DisallowedAlg(_) | Signature::UnsupportedAlg(_) | Signature::NoSignature,
        ) => "alg_not_allowed",
        ClaimsVerificationError::SignatureVerification(_) => "signature_invalid",
        ClaimsVerificationError::Unsupported(_) => "header_not_allowed",
        _ => "id_token_invalid",
    };
    rejected(reason, "the ID token does not verify")
}
