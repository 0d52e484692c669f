//! From a connection's description to something that speaks.

use std::sync::Arc;

use url::Url;

use super::Connector;
use super::apple::{AppleConfigError, AppleConnector, AppleSettings, NextKey};
use super::github::{GithubConnector, GithubSettings};
use super::http::{Outbound, OutboundSettings, TIMEOUT};
use super::oidc::{OidcConfigError, OidcConnector, OidcSettings};
use crate::protocol::connection::{Connection, ConnectionSecrets, ConnectionSettings};

/// Why a connection cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Apple's settings.
    #[error(transparent)]
    Apple(#[from] AppleConfigError),
    /// An OpenID Provider's.
    #[error(transparent)]
    Oidc(#[from] OidcConfigError),
    /// A secret is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A URL is none.
    #[error("{0} is not a URL")]
    Url(&'static str),
}

impl BuildError {
    /// The member that is to blame.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Apple(AppleConfigError::BadShape { key }) => key,
            Self::Apple(AppleConfigError::BadKey) => "private_key",
            Self::Apple(AppleConfigError::BadNextKey) => "next_private_key",
            Self::Apple(AppleConfigError::NoClient) => "services_id",
            Self::Oidc(OidcConfigError::Issuer { .. }) => "issuer",
            Self::Missing(field) | Self::Url(field) => field,
        }
    }
}

/// Whether a connector could be made.
///
/// # Errors
/// Every [`BuildError`].
pub fn check(connection: &Connection, secrets: &ConnectionSecrets) -> Result<(), BuildError> {
    let nowhere = OutboundSettings {
        ca_pem: None,
        allow_private: Vec::new(),
        named: Vec::new(),
        user_agent: String::new(),
        timeout: TIMEOUT,
    };
    connector(connection, secrets, &Outbound::new(nowhere)).map(|_| ())
}

/// Makes the connector of a connection. Nothing is fetched.
///
/// # Errors
/// Every [`BuildError`].
pub fn connector(
    connection: &Connection,
    secrets: &ConnectionSecrets,
    outbound: &Outbound,
) -> Result<Arc<dyn Connector>, BuildError> {
    let connection_id = connection.id.clone();
    let display_name = connection.display_name.clone();
    let url = |field, text: &str| Url::parse(text).map_err(|_| BuildError::Url(field));
    Ok(match connection.settings.clone() {
        ConnectionSettings::Apple(apple) => {
            let next_key = match (apple.next_key_id, &secrets.next_private_key) {
                (Some(key_id), Some(private_key)) => {
                    Some(NextKey { key_id, private_key: private_key.clone() })
                }
                (None, None) => None,
                (Some(_), None) => return Err(BuildError::Missing("next_private_key")),
                (None, Some(_)) => return Err(BuildError::Missing("next_key_id")),
            };
            let settings = AppleSettings {
                connection_id,
                display_name,
                team_id: apple.team_id,
                key_id: apple.key_id,
                private_key: secrets
                    .private_key
                    .clone()
                    .ok_or(BuildError::Missing("private_key"))?,
                next_key,
                services_id: apple.services_id,
                bundle_ids: apple.bundle_ids,
                primary_app_id: apple.primary_app_id,
                private_key_file: secrets.private_key_file.clone(),
                mail_sender_domain: apple.mail_sender_domain,
                issuer: url("issuer", &apple.issuer)?,
                additional_issuers: apple.additional_issuers,
                pkce: apple.pkce,
                link_by_verified_email: apple.link_by_verified_email,
            };
            Arc::new(AppleConnector::new(settings, outbound.clone())?)
        }
        ConnectionSettings::Oidc(oidc) => {
            let settings = OidcSettings {
                connection_id,
                display_name,
                issuer: oidc.issuer,
                issuer_template: oidc.issuer_template,
                client_id: oidc.client_id,
                client_secret: secrets.client_secret.clone(),
                scopes: oidc.scopes,
                link_by_verified_email: oidc.link_by_verified_email,
                believe_amr: oidc.believe_amr,
                claims: oidc.claims,
            };
            Arc::new(OidcConnector::new(settings, outbound.clone())?)
        }
        ConnectionSettings::Github(github) => {
            let settings = GithubSettings {
                connection_id,
                display_name,
                base_url: url("base_url", &github.base_url)?,
                api_url: url("api_url", &github.api_url)?,
                client_id: github.client_id,
                client_secret: secrets
                    .client_secret
                    .clone()
                    .ok_or(BuildError::Missing("client_secret"))?,
                link_by_verified_email: github.link_by_verified_email,
                claims: github.claims,
            };
            Arc::new(GithubConnector::new(settings, outbound.clone()))
        }
    })
}
