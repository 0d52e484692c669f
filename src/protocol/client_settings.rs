//! Client metadata that few clients set — the members of RFC 7591 and of the extensions that each
//! names. Stored as one JSON document, so that a new member needs no new column.

use serde::de::{DeserializeOwned, Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::api::AccessTokenFormat;
use crate::branding::Branding;
use crate::claim_mapping::ClaimRule;
use crate::id::ClientId;
use crate::jose::Algorithm;
use crate::profile::Profile;
use crate::subject::SubjectType;

/// Members beyond those that every client has. Each is absent until somebody sets it, and is then
/// part of the client's metadata under its registered name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientSettings {
    /// Whether a token request without a DPoP proof is refused (RFC 9449 §5.2).
    #[serde(skip_serializing_if = "is_unset")]
    pub dpop_bound_access_tokens: bool,
    /// The subject its certificates have, as RFC 4514 writes it (RFC 8705 §2.1.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_subject_dn: Option<String>,
    /// A DNS name its certificates have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_dns: Option<String>,
    /// A URI its certificates have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_uri: Option<String>,
    /// An IP address its certificates have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_ip: Option<String>,
    /// An email address its certificates have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_email: Option<String>,
    /// The connections its people may come through; all of them when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_connections: Option<Vec<String>>,
    /// `backchannel_logout_uri` (OIDC Back-Channel Logout §2.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// `backchannel_logout_session_required`: a logout token without `sid` is of no use to it.
    #[serde(skip_serializing_if = "is_unset")]
    pub backchannel_logout_session_required: bool,
    /// `frontchannel_logout_uri` (OIDC Front-Channel Logout §2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<String>,
    /// `frontchannel_logout_session_required`: `iss` and `sid` are sent in any case.
    #[serde(skip_serializing_if = "is_unset")]
    pub frontchannel_logout_session_required: bool,
    /// Where Security Event Tokens are pushed (RFC 8935).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_events_endpoint: Option<String>,
    /// The event types it wants to hear of, by URI; all of them when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_events_requested: Option<Vec<String>>,
    /// The client's own page (RFC 7591 §2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// Its picture (RFC 7591 §2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// Its terms of service (RFC 7591 §2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// Its privacy policy (RFC 7591 §2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// Its colours and its picture on the pages of a sign-in; Russet's own member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branding: Option<Branding>,
    /// Who answers for it (RFC 7591 §2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacts: Option<Vec<String>>,
    /// Names the software, whichever instance registers (RFC 7591 §2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    /// Its version (RFC 7591 §2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
    /// Where a sign-in may be begun for it (OIDC Core §4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,
    /// When its metadata document was fetched, seconds; absent for every other client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id_metadata_fetched_at: Option<i64>,
    /// Claims that an operator adds to its tokens and at userinfo.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<ClaimRule>,
    /// Clients whose access tokens this one may exchange (RFC 8693).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token_exchange_subject_clients: Vec<String>,
    /// APIs an exchanged token may be for although the exchanged one was not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token_exchange_audiences: Vec<String>,
    /// Whether an exchanged token may say nothing of this client (impersonation, RFC 8693 §1.1).
    #[serde(skip_serializing_if = "is_unset")]
    pub token_exchange_impersonation: bool,
    /// The security profile that rules it, unless the installation's own is stricter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// `jwks`: the keys it signs with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// `jwks_uri`: where they are fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// `token_endpoint_auth_signing_alg`; any when absent (OIDC Dynamic Registration §2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<Algorithm>,
    /// `request_object_signing_alg`; any when absent, and never `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_object_signing_alg: Option<Algorithm>,
    /// `require_signed_request_object` (RFC 9101 §10.5).
    #[serde(skip_serializing_if = "is_unset")]
    pub require_signed_request_object: bool,
    /// `require_pushed_authorization_requests` (RFC 9126 §6).
    #[serde(skip_serializing_if = "is_unset")]
    pub require_pushed_authorization_requests: bool,
    /// `tls_client_certificate_bound_access_tokens` (RFC 8705 §3.4).
    #[serde(skip_serializing_if = "is_unset")]
    pub tls_client_certificate_bound_access_tokens: bool,
    /// `subject_type`: whether it knows people by names that no other sector has (OIDC Core §8).
    #[serde(skip_serializing_if = "is_public")]
    pub subject_type: SubjectType,
    /// `sector_identifier_uri`: the document that lists its sector's redirect URIs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<String>,
    /// `default_max_age`: how old a sign-in may be, seconds, where a request does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u32>,
    /// `userinfo_signed_response_alg`: userinfo comes as a JWT signed with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<Algorithm>,
    /// The client that may act for people with the access tokens of this one (RFC 8693 §4.4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub may_act: Option<String>,
}

impl ClientSettings {
    /// Whether its people may come through this connection.
    pub fn allows_connection(&self, id: &str) -> bool {
        self.allowed_connections
            .as_ref()
            .is_none_or(|allowed| allowed.iter().any(|allowed| allowed == id))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_unset(flag: &bool) -> bool {
    !*flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_jwt(format: &AccessTokenFormat) -> bool {
    *format == AccessTokenFormat::Jwt
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_public(subject_type: &SubjectType) -> bool {
    *subject_type == SubjectType::Public
}

/// The same for an API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ApiSettings {
    /// Whether clients that register themselves may ask tokens for it.
    #[serde(skip_serializing_if = "is_unset")]
    pub self_registered_clients: bool,
    /// What its access tokens look like.
    #[serde(skip_serializing_if = "is_jwt")]
    pub access_token_format: AccessTokenFormat,
    /// Claims that an operator adds to its access tokens.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<ClaimRule>,
    /// The clients as which it asks the introspection endpoint about tokens made for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub introspection_clients: Vec<ClientId>,
}

/// The names of the members that `S` has.
pub fn members<'de, S: Deserialize<'de>>() -> &'static [&'static str] {
    let mut names = Names(&[]);
    match S::deserialize(&mut names) {
        Ok(_) | Err(_) => names.0,
    }
}

/// Asks a struct for its members and gives it none.
struct Names(&'static [&'static str]);

impl<'de> Deserializer<'de> for &mut Names {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(Self::Error::custom("only its members were asked for"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0 = fields;
        self.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Changes the members that `patch` names, and leaves the others; `null` takes a member away
/// (RFC 7396).
///
/// # Errors
/// A value that is not of its member's type; the message names it.
pub fn merge<S: Serialize + DeserializeOwned>(
    settings: &S,
    patch: &Map<String, Value>,
) -> Result<S, serde_json::Error> {
    let mut document = serde_json::to_value(settings)?;
    if let Some(members) = document.as_object_mut() {
        for (member, value) in patch {
            if value.is_null() {
                members.remove(member);
            } else {
                members.insert(member.clone(), value.clone());
            }
        }
    }
    serde_json::from_value(document)
}
