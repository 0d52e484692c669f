//! The protocol's no: error codes of the IANA OAuth registry and the refusal that carries one.
//!
//! RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 8707 §2, OIDC Core §3.1.2.6. A [`Refusal`] is
//! what a caller did wrong; it is shown. What *we* did wrong is a fault and is never shown.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $make:ident;)*) => {
        /// A registered error code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $($(#[$doc])* $name,)* }

        impl ErrorCode {
            /// The code as it stands on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Every code, for tests and tables.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }

        impl Refusal {
            $(
                $(#[$doc])*
                pub fn $make(description: impl Into<String>) -> Self {
                    Self::new(ErrorCode::$name, description)
                }
            )*
        }
    };
}

codes! {
    /// A parameter is missing, repeated or malformed.
    InvalidRequest = "invalid_request", invalid_request;
    /// Client authentication failed (RFC 6749 §5.2).
    InvalidClient = "invalid_client", invalid_client;
    /// The code, token or proof presented is not good (any more).
    InvalidGrant = "invalid_grant", invalid_grant;
    /// This client may not use this grant or response type.
    UnauthorizedClient = "unauthorized_client", unauthorized_client;
    /// The token endpoint does not know the `grant_type`.
    UnsupportedGrantType = "unsupported_grant_type", unsupported_grant_type;
    /// The authorization endpoint does not know the `response_type`.
    UnsupportedResponseType = "unsupported_response_type", unsupported_response_type;
    /// A scope is unknown or not allowed to the client.
    InvalidScope = "invalid_scope", invalid_scope;
    /// A `resource` is unknown or not allowed to the client (RFC 8707 §2).
    InvalidTarget = "invalid_target", invalid_target;
    /// The person (or the provider's rules) said no.
    AccessDenied = "access_denied", access_denied;
    /// `prompt=none`, but nobody is signed in (OIDC Core §3.1.2.6).
    LoginRequired = "login_required", login_required;
    /// `prompt=none`, but consent is wanted (OIDC Core §3.1.2.6).
    ConsentRequired = "consent_required", consent_required;
    /// `prompt=none`, but some page is wanted (OIDC Core §3.1.2.6).
    InteractionRequired = "interaction_required", interaction_required;
    /// An essential authentication class cannot be reached (OIDC Core Unmet Authentication
    /// Requirements §2).
    UnmetAuthenticationRequirements = "unmet_authentication_requirements",
        unmet_authentication_requirements;
    /// The request object is no good (RFC 9101 §7).
    InvalidRequestObject = "invalid_request_object", invalid_request_object;
    /// The request that `request_uri` refers to is unknown or expired (RFC 9101 §7).
    InvalidRequestUri = "invalid_request_uri", invalid_request_uri;
    /// Request objects by value are not supported (OIDC Core §3.1.2.6).
    RequestNotSupported = "request_not_supported", request_not_supported;
    /// Request objects by reference are not supported (OIDC Core §3.1.2.6).
    RequestUriNotSupported = "request_uri_not_supported", request_uri_not_supported;
    /// Registration in the request is not supported (OIDC Core §3.1.2.6).
    RegistrationNotSupported = "registration_not_supported", registration_not_supported;
    /// The access token is missing, expired, revoked or not ours (RFC 6750 §3.1).
    InvalidToken = "invalid_token", invalid_token;
    /// The access token does not carry the scope (RFC 6750 §3.1).
    InsufficientScope = "insufficient_scope", insufficient_scope;
    /// The DPoP proof is missing or not good (RFC 9449 §12.2).
    InvalidDpopProof = "invalid_dpop_proof", invalid_dpop_proof;
    /// The DPoP proof must hold a nonce of ours (RFC 9449 §8).
    UseDpopNonce = "use_dpop_nonce", use_dpop_nonce;
    /// The token type hint is not supported (RFC 7009 §2.2.1).
    UnsupportedTokenType = "unsupported_token_type", unsupported_token_type;
    /// Try again later (RFC 6749 §4.1.2.1).
    TemporarilyUnavailable = "temporarily_unavailable", temporarily_unavailable;
    /// The person has not answered yet (RFC 8628 §3.5).
    AuthorizationPending = "authorization_pending", authorization_pending;
    /// The device asks too often (RFC 8628 §3.5).
    SlowDown = "slow_down", slow_down;
    /// The device code has expired (RFC 8628 §3.5).
    ExpiredToken = "expired_token", expired_token;
    /// A redirect URI may not be registered (RFC 7591 §3.2.2).
    InvalidRedirectUri = "invalid_redirect_uri", invalid_redirect_uri;
    /// Another member may not be registered so (RFC 7591 §3.2.2).
    InvalidClientMetadata = "invalid_client_metadata", invalid_client_metadata;
    /// The software statement is no good (RFC 7591 §3.2.2).
    InvalidSoftwareStatement = "invalid_software_statement", invalid_software_statement;
    /// The software statement is nobody's we trust (RFC 7591 §3.2.2).
    UnapprovedSoftwareStatement = "unapproved_software_statement", unapproved_software_statement;
    /// We failed (RFC 6749 §4.1.2.1).
    ServerError = "server_error", server_error;
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal: what the caller is told, and what only the log learns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The code on the wire.
    pub code: ErrorCode,
    /// One sentence for the developer of the client; ASCII without `"` and `\` (RFC 6749 §5.2).
    pub description: String,
    /// For the log and tests only: the exact cause. Never holds a secret.
    pub detail: Option<String>,
}

impl Refusal {
    /// A refusal with this code. Characters that RFC 6749 §5.2 forbids in `error_description` are
    /// replaced.
    pub fn new(code: ErrorCode, description: impl Into<String>) -> Self {
        let description = description
            .into()
            .chars()
            .map(|c| match c {
                '"' | '\\' => '\'',
                ' '..='~' => c,
                _ => '?',
            })
            .collect();
        Self { code, description, detail: None }
    }

    /// Adds what only the log may learn.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.description)
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_holds_only_what_rfc_6749_allows() {
        let refusal = Refusal::invalid_request("the \"scope\" C:\\ is\nnot é");
        assert_eq!(refusal.description, "the 'scope' C:' is?not ?");
    }
}
