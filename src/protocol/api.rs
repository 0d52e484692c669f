//! APIs as resources — RFC 8707, RFC 9068.

use serde::{Deserialize, Serialize};

use crate::ambient::Timestamp;
use crate::client_settings::ApiSettings;
use crate::jose::Algorithm;

/// Default life of an access token: ten minutes.
pub const ACCESS_TOKEN_TTL: u32 = 600;

/// A registered API: an audience with scopes of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Api {
    /// The resource indicator, an absolute URI without fragment; the token's `aud`.
    pub identifier: String,
    /// Shown in the console and on the consent page.
    pub name: String,
    /// The scopes this API understands.
    pub scopes: Vec<ApiScope>,
    /// Seconds an access token for this API is good.
    pub access_token_ttl: u32,
    /// The algorithm its access tokens are signed with.
    pub signing_alg: Algorithm,
    /// Members that few APIs set.
    #[serde(default)]
    pub settings: ApiSettings,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts changes.
    pub version: i32,
}

/// One scope of an API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiScope {
    /// The scope value (RFC 6749 §3.3).
    pub name: String,
    /// What it allows, in words for the consent page; may be empty.
    pub description: String,
}

/// What an API's access tokens look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessTokenFormat {
    /// A JWT that the API verifies by itself (RFC 9068).
    #[default]
    Jwt,
    /// A random text that says nothing; the API asks what it stands for (RFC 7662).
    Opaque,
}

impl AccessTokenFormat {
    /// Both formats.
    pub const ALL: [Self; 2] = [Self::Jwt, Self::Opaque];

    /// The name as it stands in metadata and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::Opaque => "opaque",
        }
    }
}
