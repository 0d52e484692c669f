//! Client metadata — RFC 6749 §2, RFC 7591 §2, OIDC Dynamic Registration §2.

use serde::{Deserialize, Serialize};

use crate::ambient::Timestamp;
use crate::client_settings::ClientSettings;
use crate::id::ClientId;
use crate::jose::Algorithm;
use crate::scope;
use crate::secret::SecretHash;

/// What is being built; decides the defaults a client is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientKind {
    /// A web application with a server of its own, which can keep a secret.
    Web,
    /// A single-page application: runs in the browser, keeps no secret, needs CORS.
    Spa,
    /// An app on a device: keeps no secret, may sign in natively with Apple.
    Native,
    /// A service that acts for itself, with no person present.
    Machine,
    /// A device without a browser or a keyboard: people confirm it elsewhere.
    Device,
    /// A client of MCP servers: an installed program that keeps no secret, without Apple's own
    /// sign-in.
    Mcp,
}

impl ClientKind {
    /// The kind as it is written on the command line, in the database and in URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Spa => "spa",
            Self::Native => "native",
            Self::Machine => "machine",
            Self::Device => "device",
            Self::Mcp => "mcp",
        }
    }

    /// Every kind, in the order the console offers them.
    pub const ALL: [Self; 6] =
        [Self::Web, Self::Spa, Self::Native, Self::Machine, Self::Device, Self::Mcp];

    /// Whether browsers are sent back to clients of this kind.
    pub const fn has_redirects(self) -> bool {
        match self {
            Self::Web | Self::Spa | Self::Native | Self::Mcp => true,
            Self::Machine | Self::Device => false,
        }
    }

    /// Whether clients of this kind are programs on people's own machines, which listen on any
    /// loopback port or own a scheme (RFC 8252 §7).
    pub const fn is_installed(self) -> bool {
        match self {
            Self::Native | Self::Mcp => true,
            Self::Web | Self::Spa | Self::Machine | Self::Device => false,
        }
    }
}

/// How a client proves who it is at the token endpoint (RFC 7591 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenEndpointAuthMethod {
    /// HTTP Basic with the secret (RFC 6749 §2.3.1).
    ClientSecretBasic,
    /// The secret in the form (RFC 6749 §2.3.1).
    ClientSecretPost,
    /// A JWT signed with a key of the client's own (RFC 7523, OIDC Core §9).
    PrivateKeyJwt,
    /// A certificate by an authority of ours (RFC 8705 §2.1).
    TlsClientAuth,
    /// A certificate that is registered itself (RFC 8705 §2.2).
    SelfSignedTlsClientAuth,
    /// No proof: a public client.
    None,
}

impl TokenEndpointAuthMethod {
    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::TlsClientAuth => "tls_client_auth",
            Self::SelfSignedTlsClientAuth => "self_signed_tls_client_auth",
            Self::None => "none",
        }
    }

    /// Whether a certificate is what proves it.
    pub const fn uses_certificate(self) -> bool {
        matches!(self, Self::TlsClientAuth | Self::SelfSignedTlsClientAuth)
    }

    /// Whether a secret is what proves it.
    pub const fn uses_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
    }

    /// Every method Russet speaks. Discovery lists those that work in an installation.
    pub const ALL: [Self; 6] = [
        Self::ClientSecretBasic,
        Self::ClientSecretPost,
        Self::PrivateKeyJwt,
        Self::TlsClientAuth,
        Self::SelfSignedTlsClientAuth,
        Self::None,
    ];
}

/// What a client may present at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GrantType {
    /// RFC 6749 §4.1.3.
    #[serde(rename = "authorization_code")]
    AuthorizationCode,
    /// RFC 6749 §6.
    #[serde(rename = "refresh_token")]
    RefreshToken,
    /// RFC 6749 §4.4.
    #[serde(rename = "client_credentials")]
    ClientCredentials,
    /// RFC 8693: native sign-in with Apple.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:token-exchange")]
    TokenExchange,
    /// RFC 8628.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
    /// RFC 7523: a workload shows what a trusted issuer says of it.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:jwt-bearer")]
    JwtBearer,
}

impl GrantType {
    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
        }
    }

    /// The grant type with this registered name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant_type| grant_type.as_str() == name)
    }

    /// Every grant type Russet speaks, as discovery lists them.
    pub const ALL: [Self; 6] = [
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::ClientCredentials,
        Self::TokenExchange,
        Self::DeviceCode,
        Self::JwtBearer,
    ];
}

/// A registered client. Everything but `client_id` and `kind` may be changed later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// `client_id`.
    pub client_id: ClientId,
    /// `client_name`: shown to people on the consent page.
    pub client_name: String,
    /// What is being built.
    pub kind: ClientKind,
    /// `token_endpoint_auth_method`.
    pub token_endpoint_auth_method: TokenEndpointAuthMethod,
    /// `redirect_uris`, compared as exact strings (RFC 9700 §2.1).
    pub redirect_uris: Vec<String>,
    /// `post_logout_redirect_uris` (OIDC RP-Initiated Logout §3).
    pub post_logout_redirect_uris: Vec<String>,
    /// `grant_types`.
    pub grant_types: Vec<GrantType>,
    /// `scope`: the OIDC scopes this client may ask for. An API's own scopes are allowed by
    /// [`Client::resources`].
    pub scope: Vec<String>,
    /// Identifiers of the APIs this client may ask tokens for (RFC 8707).
    pub resources: Vec<String>,
    /// The API whose audience a token gets when the request names no `resource`; one of
    /// [`Client::resources`].
    pub default_resource: Option<String>,
    /// `id_token_signed_response_alg`.
    pub id_token_signed_response_alg: Algorithm,
    /// Whether an authorization request without PKCE is refused. Always true for public clients.
    pub require_pkce: bool,
    /// The operator's own app: people are not asked for consent.
    pub first_party: bool,
    /// Bundle IDs whose native Apple identity tokens this client may exchange.
    pub apple_bundle_ids: Vec<String>,
    /// Whether a native exchange must carry a nonce from the challenge endpoint.
    pub require_native_challenge: bool,
    /// Seconds an unused refresh token stays good.
    pub refresh_token_idle_ttl: u32,
    /// Seconds after which a refresh family ends however much it is used.
    pub refresh_token_absolute_ttl: u32,
    /// Members that few clients set.
    #[serde(default)]
    pub settings: ClientSettings,
    /// Set while the client is switched off.
    pub disabled_at: Option<Timestamp>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts changes, so that two editors never overwrite each other unseen.
    pub version: i32,
}

/// Default life of an unused refresh token: 30 days.
pub const REFRESH_TOKEN_IDLE_TTL: u32 = 30 * 24 * 3600;
/// Default life of a refresh family: one year.
pub const REFRESH_TOKEN_ABSOLUTE_TTL: u32 = 365 * 24 * 3600;

impl Client {
    /// A client of this kind with the defaults of its kind, no redirect URI and no API yet.
    pub fn of_kind(client_id: ClientId, kind: ClientKind, now: Timestamp) -> Self {
        let (token_endpoint_auth_method, grant_types, scope): (_, &[GrantType], &[&str]) =
            match kind {
                ClientKind::Web => (
                    TokenEndpointAuthMethod::ClientSecretBasic,
                    &[GrantType::AuthorizationCode, GrantType::RefreshToken],
                    &scope::USUAL,
                ),
                ClientKind::Spa => (
                    TokenEndpointAuthMethod::None,
                    &[GrantType::AuthorizationCode, GrantType::RefreshToken],
                    &scope::USUAL,
                ),
                ClientKind::Native => (
                    TokenEndpointAuthMethod::None,
                    &[
                        GrantType::AuthorizationCode,
                        GrantType::RefreshToken,
                        GrantType::TokenExchange,
                    ],
                    &scope::USUAL,
                ),
                ClientKind::Machine => (
                    TokenEndpointAuthMethod::ClientSecretBasic,
                    &[GrantType::ClientCredentials],
                    &[],
                ),
                ClientKind::Device => (
                    TokenEndpointAuthMethod::None,
                    &[GrantType::DeviceCode, GrantType::RefreshToken],
                    &["openid", "profile", "email", "offline_access"],
                ),
                ClientKind::Mcp => (
                    TokenEndpointAuthMethod::None,
                    &[GrantType::AuthorizationCode, GrantType::RefreshToken],
                    &["openid", "profile", "email", "offline_access"],
                ),
            };
        Self {
            client_name: client_id.to_string(),
            client_id,
            kind,
            token_endpoint_auth_method,
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            grant_types: grant_types.to_vec(),
            scope: scope.iter().map(ToString::to_string).collect(),
            resources: Vec::new(),
            default_resource: None,
            id_token_signed_response_alg: Algorithm::Rs256,
            require_pkce: true,
            first_party: false,
            apple_bundle_ids: Vec::new(),
            require_native_challenge: false,
            refresh_token_idle_ttl: REFRESH_TOKEN_IDLE_TTL,
            refresh_token_absolute_ttl: REFRESH_TOKEN_ABSOLUTE_TTL,
            settings: ClientSettings::default(),
            disabled_at: None,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    /// Whether this client keeps no secret (RFC 6749 §2.1).
    pub fn is_public(&self) -> bool {
        self.token_endpoint_auth_method == TokenEndpointAuthMethod::None
    }

    /// Whether this client may present `grant_type`.
    pub fn may_use(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }
}

/// One of a client's secrets. Several may be good at once, so that rotation has an overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSecret {
    /// Names the secret in the console; proves nothing.
    pub id: String,
    /// Its name for people.
    pub name: Option<String>,
    /// The keyed hash of the secret.
    pub hash: SecretHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops being accepted; `None` means never.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, as far as has been written down yet.
    pub last_used_at: Option<Timestamp>,
}

impl ClientSecret {
    /// A secret without a name that never ends.
    pub const fn new(id: String, hash: SecretHash, created_at: Timestamp) -> Self {
        Self { id, name: None, hash, created_at, expires_at: None, last_used_at: None }
    }

    /// Whether it is accepted now.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| at > now)
    }
}

/// Whether `text` has the shape of an Apple bundle ID or Services ID: labels of letters, digits and
/// hyphens, at least two, joined by dots.
pub fn is_bundle_id(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    text.len() <= 155 && text.contains('.') && text.split('.').all(label)
}
