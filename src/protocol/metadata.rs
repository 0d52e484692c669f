//! Discovery — OIDC Discovery §3, RFC 8414 §2, RFC 9207 §3.
//!
//! Says nothing that is not implemented, nor anything that the installation's minimum profile
//! refuses: tests exercise each value, under each minimum.

use serde::Serialize;

use crate::acr;
use crate::authorization_request::PROMPT_VALUES;
use crate::authorization_response::RESPONSE_MODES;
use crate::client::{GrantType, TokenEndpointAuthMethod};
use crate::dpop;
use crate::jose::Algorithm;
use crate::profile::Profile;
use crate::scope;
use crate::standard_claims;
use crate::subject::SubjectType;

/// Paths of the endpoints, under the issuer's own path.
pub mod path {
    /// RFC 6749 §3.1.
    pub const AUTHORIZATION: &str = "/authorize";
    /// RFC 6749 §3.2.
    pub const TOKEN: &str = "/token";
    /// RFC 8628 §3.1.
    pub const DEVICE_AUTHORIZATION: &str = "/device_authorization";
    /// RFC 7591 §3.
    pub const REGISTRATION: &str = "/register";
    /// RFC 8628 §3.3: where a person enters the code.
    pub const DEVICE: &str = "/device";
    /// OIDC Core §5.3.
    pub const USERINFO: &str = "/userinfo";
    /// RFC 7517 §5.
    pub const JWKS: &str = "/jwks";
    /// RFC 7662 §2.
    pub const INTROSPECTION: &str = "/introspect";
    /// RFC 7009 §2.
    pub const REVOCATION: &str = "/revoke";
    /// Where a client deletes the account of its user.
    pub const ACCOUNT_ME: &str = "/account/me";
    /// RFC 9126 §2.
    pub const PUSHED_AUTHORIZATION_REQUEST: &str = "/par";
    /// OIDC RP-Initiated Logout §2.
    pub const END_SESSION: &str = "/logout";
    /// OIDC Session Management §3.3.
    pub const CHECK_SESSION: &str = "/session/check";
}

/// The languages of the pages (BCP 47), as `locales/` has them.
pub const UI_LOCALES: [&str; 8] = ["en", "de", "fr", "es", "ja", "zh-Hans", "ko", "ar"];

/// The discovery document.
#[derive(Debug, Serialize)]
pub struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    device_authorization_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id_metadata_document_supported: Option<bool>,
    userinfo_endpoint: String,
    jwks_uri: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    end_session_endpoint: String,
    check_session_iframe: String,
    scopes_supported: Vec<&'static str>,
    response_types_supported: Vec<&'static str>,
    response_modes_supported: Vec<&'static str>,
    grant_types_supported: Vec<&'static str>,
    subject_types_supported: Vec<&'static str>,
    id_token_signing_alg_values_supported: Vec<&'static str>,
    userinfo_signing_alg_values_supported: Vec<&'static str>,
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    code_challenge_methods_supported: Vec<&'static str>,
    dpop_signing_alg_values_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mtls_endpoint_aliases: Option<Aliases>,
    tls_client_certificate_bound_access_tokens: bool,
    claims_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    acr_values_supported: Vec<&'static str>,
    display_values_supported: Vec<&'static str>,
    ui_locales_supported: Vec<&'static str>,
    prompt_values_supported: Vec<&'static str>,
    claims_parameter_supported: bool,
    pushed_authorization_request_endpoint: String,
    require_pushed_authorization_requests: bool,
    token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    introspection_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    request_object_signing_alg_values_supported: Vec<&'static str>,
    require_signed_request_object: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    authorization_response_iss_parameter_supported: bool,
    backchannel_logout_supported: bool,
    backchannel_logout_session_supported: bool,
    frontchannel_logout_supported: bool,
    frontchannel_logout_session_supported: bool,
}

/// What an installation offers beyond what all do.
#[derive(Clone, Debug, Default)]
pub struct Offered {
    /// Sign-in by a password kept here.
    pub local_accounts: bool,
    /// The profile that nobody is laxer than.
    pub minimum_profile: Profile,
    /// How clients may prove themselves by a certificate; empty where none reaches us.
    pub certificate_methods: Vec<TokenEndpointAuthMethod>,
    /// Where the endpoints are that ask for a certificate (RFC 8705 §5).
    pub mtls_base_url: Option<String>,
}

/// `mtls_endpoint_aliases` (RFC 8705 §5).
#[derive(Debug, Serialize)]
struct Aliases {
    token_endpoint: String,
    pushed_authorization_request_endpoint: String,
    userinfo_endpoint: String,
    device_authorization_endpoint: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
}

impl Aliases {
    fn at(base: &str) -> Self {
        let url = |path: &str| format!("{base}{path}");
        Self {
            token_endpoint: url(path::TOKEN),
            pushed_authorization_request_endpoint: url(path::PUSHED_AUTHORIZATION_REQUEST),
            userinfo_endpoint: url(path::USERINFO),
            device_authorization_endpoint: url(path::DEVICE_AUTHORIZATION),
            introspection_endpoint: url(path::INTROSPECTION),
            revocation_endpoint: url(path::REVOCATION),
        }
    }
}

/// The claims of ID tokens and userinfo.
fn claims() -> Vec<&'static str> {
    let of_tokens =
        ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "amr", "acr", "sid"];
    let of_people = standard_claims::OF_SCOPE.iter().flat_map(|(_, claims)| claims.iter().copied());
    of_tokens.into_iter().chain(of_people).collect()
}

impl Metadata {
    /// The document of `issuer`, which has no trailing slash.
    pub fn of(issuer: &str, offered: &Offered) -> Self {
        let url = |path: &str| format!("{issuer}{path}");
        let profile = offered.minimum_profile;
        let algorithms = || profile.algorithms().iter().map(|alg| alg.as_str()).collect();
        let offered_methods: Vec<_> = TokenEndpointAuthMethod::ALL
            .into_iter()
            .filter(|method| {
                let works =
                    !method.uses_certificate() || offered.certificate_methods.contains(method);
                works && profile.takes(*method)
            })
            .collect();
        let methods = || offered_methods.iter().map(|method| method.as_str()).collect();
        let confidential = || {
            let all = offered_methods.iter();
            all.filter(|method| **method != TokenEndpointAuthMethod::None)
                .map(|method| method.as_str())
                .collect()
        };
        Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: url(path::AUTHORIZATION),
            token_endpoint: url(path::TOKEN),
            device_authorization_endpoint: url(path::DEVICE_AUTHORIZATION),
            registration_endpoint: None,
            client_id_metadata_document_supported: None,
            userinfo_endpoint: url(path::USERINFO),
            jwks_uri: url(path::JWKS),
            introspection_endpoint: url(path::INTROSPECTION),
            revocation_endpoint: url(path::REVOCATION),
            end_session_endpoint: url(path::END_SESSION),
            check_session_iframe: url(path::CHECK_SESSION),
            scopes_supported: scope::SUPPORTED.to_vec(),
            response_types_supported: vec!["code"],
            response_modes_supported: RESPONSE_MODES.to_vec(),
            grant_types_supported: GrantType::ALL.iter().map(|g| g.as_str()).collect(),
            subject_types_supported: SubjectType::ALL.map(SubjectType::as_str).to_vec(),
            id_token_signing_alg_values_supported: algorithms(),
            userinfo_signing_alg_values_supported: algorithms(),
            token_endpoint_auth_methods_supported: methods(),
            introspection_endpoint_auth_methods_supported: confidential(),
            revocation_endpoint_auth_methods_supported: methods(),
            code_challenge_methods_supported: vec!["S256"],
            dpop_signing_alg_values_supported: dpop::ALGORITHMS
                .into_iter()
                .filter(|alg| profile.algorithms().contains(alg))
                .map(Algorithm::as_str)
                .collect(),
            mtls_endpoint_aliases: offered.mtls_base_url.as_deref().map(Aliases::at),
            tls_client_certificate_bound_access_tokens: !offered.certificate_methods.is_empty(),
            claims_supported: claims(),
            acr_values_supported: match offered.local_accounts {
                true => acr::SUPPORTED.to_vec(),
                false => Vec::new(),
            },
            display_values_supported: vec!["page"],
            ui_locales_supported: UI_LOCALES.to_vec(),
            prompt_values_supported: PROMPT_VALUES.to_vec(),
            claims_parameter_supported: true,
            pushed_authorization_request_endpoint: url(path::PUSHED_AUTHORIZATION_REQUEST),
            require_pushed_authorization_requests: profile == Profile::Fapi2,
            token_endpoint_auth_signing_alg_values_supported: algorithms(),
            introspection_endpoint_auth_signing_alg_values_supported: algorithms(),
            revocation_endpoint_auth_signing_alg_values_supported: algorithms(),
            request_object_signing_alg_values_supported: algorithms(),
            require_signed_request_object: false,
            request_parameter_supported: true,
            request_uri_parameter_supported: false,
            authorization_response_iss_parameter_supported: true,
            backchannel_logout_supported: true,
            backchannel_logout_session_supported: true,
            frontchannel_logout_supported: true,
            frontchannel_logout_session_supported: true,
        }
    }

    /// The same, where clients may register themselves or be named by their document.
    #[must_use]
    pub fn with_clients_by_themselves(mut self, registration: bool, documents: bool) -> Self {
        let endpoint = || format!("{}{}", self.issuer, path::REGISTRATION);
        self.registration_endpoint = registration.then(endpoint);
        // A member that suites need not know stands only where it is true.
        self.client_id_metadata_document_supported = documents.then_some(true);
        self
    }
}
