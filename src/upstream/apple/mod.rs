//! Sign in with Apple, web and native — apple.md §1–§5, §10.
//!
//! Issuer, endpoints and algorithm are pinned: nothing that Apple's discovery document says one
//! day (apple.md §1.6) or that a token says of itself can move them.

mod client_keys;
mod client_secret;
mod connector;
mod doctor;
mod identity_token;
mod jwks;
mod lifecycle;
mod migration;
mod native;
mod notification;
mod token_endpoint;
mod user_field;

use std::sync::Arc;

use url::Url;

use crate::protocol::connection::is_apple_identifier;
use crate::protocol::id::ConnectionId;
use crate::protocol::secret::SecretString;

use super::health::Health;
use super::http::Outbound;
use client_keys::ClientKeys;
use jwks::AppleJwks;

/// What an operator fills in.
pub struct AppleSettings {
    /// The connection's name, `apple` unless there are several.
    pub connection_id: ConnectionId,
    /// Its name for people, `Apple` unless there are several.
    pub display_name: String,
    /// Team ID: ten capital letters and digits at Apple.
    pub team_id: String,
    /// Key ID, of the same shape; it belongs to the private key.
    pub key_id: String,
    /// The `.p8` file's text: PKCS#8 PEM of a P-256 key.
    pub private_key: SecretString,
    /// The key that is to follow, used as soon as Apple takes the first one no more.
    pub next_key: Option<NextKey>,
    /// Services ID: the `client_id` of web sign-in.
    pub services_id: Option<String>,
    /// Bundle IDs: the `client_id`s of native sign-in.
    pub bundle_ids: Vec<String>,
    /// The primary App ID, if it is none of `bundle_ids`: notifications are addressed to it.
    pub primary_app_id: Option<String>,
    /// The name of the file the key came from, which tells its Key ID.
    pub private_key_file: Option<String>,
    /// The domain the operator's mail comes from.
    pub mail_sender_domain: Option<String>,
    /// `https://appleid.apple.com`, or a simulated Apple.
    pub issuer: Url,
    /// Issuers that tokens may carry besides `issuer`: for the day Apple changes its own
    /// (apple.md §1.6).
    pub additional_issuers: Vec<String>,
    /// Whether web sign-in sends a PKCE challenge (apple.md §1.1).
    pub pkce: bool,
    /// Whether an address that it proves may join people to an account (`address_linking.rs`).
    pub link_by_verified_email: bool,
}

/// A key that waits for its turn.
pub struct NextKey {
    /// Key ID.
    pub key_id: String,
    /// The `.p8` file's text.
    pub private_key: SecretString,
}

/// Why the settings cannot be used; names the key and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum AppleConfigError {
    /// Not ten capital letters and digits.
    #[error("{key} must be ten capital letters and digits, as shown in Apple's developer portal")]
    BadShape {
        /// Which key.
        key: &'static str,
    },
    /// The key is not the `.p8` that Apple hands out.
    #[error(
        "private_key is not an unencrypted PKCS#8 P-256 key; use the AuthKey_….p8 file as Apple \
         offers it for download"
    )]
    BadKey,
    /// The next key is not one either.
    #[error(
        "next_private_key is not an unencrypted PKCS#8 P-256 key; use the AuthKey_….p8 file as \
         Apple offers it for download"
    )]
    BadNextKey,
    /// Nothing to sign in with.
    #[error("set services_id for web sign-in, bundle_ids for native sign-in, or both")]
    NoClient,
}

/// The connector.
pub struct AppleConnector {
    settings: AppleSettings,
    /// The issuer as tokens carry it: no trailing slash.
    issuer: String,
    /// That one, and the additional ones.
    issuers: Vec<String>,
    outbound: Outbound,
    keys: ClientKeys,
    jwks: AppleJwks,
    health: Arc<Health>,
}

impl AppleConnector {
    /// A connector with these settings; signs one secret and verifies it, so that a bad key is
    /// noticed at the start.
    ///
    /// # Errors
    /// Every [`AppleConfigError`].
    pub fn new(settings: AppleSettings, outbound: Outbound) -> Result<Self, AppleConfigError> {
        let exact = settings.issuer.host_str() == Some("appleid.apple.com");
        let identifiers = [("team_id", &settings.team_id), ("key_id", &settings.key_id)]
            .into_iter()
            .chain(settings.next_key.as_ref().map(|next| ("next_key_id", &next.key_id)));
        for (key, value) in identifiers {
            if !is_apple_identifier(value, exact) {
                return Err(AppleConfigError::BadShape { key });
            }
        }
        if settings.services_id.is_none() && settings.bundle_ids.is_empty() {
            return Err(AppleConfigError::NoClient);
        }
        let issuer = settings.issuer.as_str().trim_end_matches('/').to_owned();
        let mut issuers = vec![issuer.clone()];
        issuers.extend(settings.additional_issuers.iter().cloned());
        let keys = ClientKeys::new(&settings, &issuer)?;
        let health = Arc::<Health>::default();
        let jwks =
            AppleJwks::new(endpoint(&issuer, "/auth/keys"), outbound.clone(), Arc::clone(&health));
        Ok(Self { settings, issuer, issuers, outbound, keys, jwks, health })
    }

    /// Who vouches for an identity: the team, for `sub` is the same in all its apps.
    fn team_authority(&self) -> String {
        format!("apple:{}", self.settings.team_id)
    }

    fn endpoint(&self, path: &str) -> Url {
        endpoint(&self.issuer, path)
    }
}

/// An endpoint under the issuer. The issuer was parsed before, so joining a path cannot fail.
fn endpoint(issuer: &str, path: &str) -> Url {
    Url::parse(&format!("{issuer}{path}")).unwrap_or_else(|_| fallback())
}

/// Safari's native sheet does not read `+` as a space (apple.md §1.1); a plus that is meant is
/// `%2B` already.
fn with_percent_20(mut url: Url) -> Url {
    let encoded = url.query().unwrap_or_default().replace('+', "%20");
    url.set_query(Some(&encoded));
    url
}

fn fallback() -> Url {
    #[expect(clippy::expect_used, reason = "a constant")]
    Url::parse("https://appleid.apple.com/").expect("a URL")
}

#[cfg(test)]
#[path = "tests/mod.rs"]
mod tests;
