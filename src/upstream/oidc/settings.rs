//! What an operator says of an OpenID Provider.

use crate::protocol::id::ConnectionId;
use crate::protocol::secret::SecretString;
use crate::protocol::upstream_claims::ClaimRules;

/// What an operator fills in.
pub struct OidcSettings {
    /// The connection's name in URLs.
    pub connection_id: ConnectionId,
    /// Its name for people.
    pub display_name: String,
    /// The upstream's issuer, byte for byte.
    pub issuer: String,
    /// What its tokens call it when it has many tenants: `{tenantid}` stands for the token's `tid`.
    pub issuer_template: Option<String>,
    /// Our `client_id` there.
    pub client_id: String,
    /// Our secret there, unless we are a public client.
    pub client_secret: Option<SecretString>,
    /// Scopes besides `openid`.
    pub scopes: Vec<String>,
    /// Whether an address that it proves may join people to an account (`address_linking.rs`).
    pub link_by_verified_email: bool,
    /// Whether its word is taken for how people authenticated.
    pub believe_amr: bool,
    /// Which claims say what, and whom they admit.
    pub claims: ClaimRules,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OidcConfigError {
    /// The issuer is not an issuer.
    #[error("issuer of connection {connection}: {cause}")]
    Issuer {
        /// Which connection.
        connection: String,
        /// What is wrong.
        cause: String,
    },
}
