//! Connections: the upstreams people sign in through, as an operator describes them.
//!
//! A connection is a row or a part of the configuration file; both are this type, and both obey the
//! same rules. What is secret of it travels apart, in [`ConnectionSecrets`].

mod presets;
mod problems;

pub use presets::{Draft, PRESETS, Preset, draft, preset};
pub use problems::{id_problem, problems};

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::ambient::Timestamp;
use crate::id::ConnectionId;
use crate::secret::{Secret, SecretString};
use crate::upstream_claims::ClaimRules;

/// Apple's issuer, unless a connection names another.
pub const APPLE_ISSUER: &str = "https://appleid.apple.com";

/// Which protocol a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionKind {
    /// Sign in with Apple.
    Apple,
    /// An OpenID Provider.
    Oidc,
    /// GitHub's plain OAuth 2.
    Github,
}

impl ConnectionKind {
    /// The kind as it is written everywhere.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apple => "apple",
            Self::Oidc => "oidc",
            Self::Github => "github",
        }
    }

    /// Every kind, in the order the console offers them.
    pub const ALL: [Self; 3] = [Self::Apple, Self::Oidc, Self::Github];
}

/// A connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its name in URLs and rows, such as `apple`.
    pub id: ConnectionId,
    /// Its name for people, such as `Apple`.
    pub display_name: String,
    /// Where it stands among the others; lower comes first.
    pub position: i32,
    /// Whether people may sign in through it.
    pub enabled: bool,
    /// What its kind needs.
    pub settings: ConnectionSettings,
    /// When it was made.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// Counts changes.
    pub version: i32,
}

/// What each kind needs, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ConnectionSettings {
    /// Sign in with Apple.
    Apple(AppleMembers),
    /// An OpenID Provider.
    Oidc(OidcMembers),
    /// GitHub.
    Github(GithubMembers),
}

impl ConnectionSettings {
    /// The kind these settings are for.
    pub const fn kind(&self) -> ConnectionKind {
        match self {
            Self::Apple(_) => ConnectionKind::Apple,
            Self::Oidc(_) => ConnectionKind::Oidc,
            Self::Github(_) => ConnectionKind::Github,
        }
    }

    /// Whether an address joins people who come through here (`address_linking.rs`).
    pub const fn joins_by_verified_email(&self) -> bool {
        match self {
            Self::Apple(apple) => apple.link_by_verified_email,
            Self::Oidc(oidc) => oidc.link_by_verified_email,
            Self::Github(github) => github.link_by_verified_email,
        }
    }

    /// The switch for that.
    pub const fn link_by_verified_email(&mut self) -> &mut bool {
        match self {
            Self::Apple(apple) => &mut apple.link_by_verified_email,
            Self::Oidc(oidc) => &mut oidc.link_by_verified_email,
            Self::Github(github) => &mut github.link_by_verified_email,
        }
    }
}

/// One Apple team and the apps of it that share consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppleMembers {
    /// The ten-character Team ID.
    pub team_id: String,
    /// Key ID of the private key that signs.
    pub key_id: String,
    /// Key ID of the key that is to follow it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_key_id: Option<String>,
    /// Web sign-in: the Services ID.
    #[serde(default)]
    pub services_id: Option<String>,
    /// Native sign-in: the apps' bundle IDs.
    #[serde(default)]
    pub bundle_ids: Vec<String>,
    /// The primary App ID, where Apple addresses notifications to one that is no app of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_app_id: Option<String>,
    /// The domain that the operator's mail comes from, for the connection doctor: mail to relay
    /// addresses needs its SPF record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail_sender_domain: Option<String>,
    /// Apple, or a simulation of it.
    #[serde(default = "apple_issuer")]
    pub issuer: String,
    /// Issuers that tokens may carry besides `issuer` (apple.md §1.6).
    #[serde(default)]
    pub additional_issuers: Vec<String>,
    /// Whether web sign-in sends a PKCE challenge.
    #[serde(default = "yes")]
    pub pkce: bool,
    /// Whether an address that both sides have verified may join people who come through here to
    /// an account of another such connection: the strict rule (`address_linking.rs`).
    #[serde(default, skip_serializing_if = "is_off")]
    pub link_by_verified_email: bool,
}

/// An OpenID Provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OidcMembers {
    /// The upstream's issuer, byte for byte.
    pub issuer: String,
    /// For an issuer of many tenants: the form of the issuer in its tokens, with `{tenantid}` where
    /// the token's `tid` belongs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_template: Option<String>,
    /// Our `client_id` there.
    pub client_id: String,
    /// What to ask for; holds `openid`.
    #[serde(default = "oidc_scopes")]
    pub scopes: Vec<String>,
    /// Whether an address that both sides have verified may join people who come through here to
    /// an account of another such connection: the strict rule (`address_linking.rs`).
    #[serde(default, skip_serializing_if = "is_off")]
    pub link_by_verified_email: bool,
    /// Whether its word is taken for how people authenticated (`amr`): only then has a sign-in
    /// there a class (`acr`).
    #[serde(default, skip_serializing_if = "is_off")]
    pub believe_amr: bool,
    /// Which claims say what, and whom they admit.
    #[serde(flatten)]
    pub claims: ClaimRules,
}

/// GitHub, or a GitHub Enterprise Server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GithubMembers {
    /// Our `client_id` there.
    pub client_id: String,
    /// Where people sign in.
    #[serde(default = "github_base")]
    pub base_url: String,
    /// Where the API answers.
    #[serde(default = "github_api")]
    pub api_url: String,
    /// Whether an address that both sides have verified may join people who come through here to
    /// an account of another such connection: the strict rule (`address_linking.rs`).
    #[serde(default, skip_serializing_if = "is_off")]
    pub link_by_verified_email: bool,
    /// Which claims say what, and whom they admit.
    #[serde(flatten)]
    pub claims: ClaimRules,
}

fn apple_issuer() -> String {
    APPLE_ISSUER.to_owned()
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
fn is_off(switch: &bool) -> bool {
    !switch
}

fn oidc_scopes() -> Vec<String> {
    ["openid", "profile", "email"].map(str::to_owned).to_vec()
}

fn github_base() -> String {
    "https://github.com".to_owned()
}

fn github_api() -> String {
    "https://api.github.com".to_owned()
}

/// Whether a Team ID or Key ID has the shape of Apple's: ten capital letters and digits. A
/// simulated Apple (not `exact`) may give out others.
pub fn is_apple_identifier(text: &str, exact: bool) -> bool {
    if exact {
        return text.len() == 10
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    }
    (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// What is secret of a connection. Stored sealed, as one value bound to the row.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ConnectionSecrets {
    /// Apple: the `.p8` text of `key_id`.
    pub private_key: Option<SecretString>,
    /// The name of the file it came from, which tells its Key ID. Not stored.
    #[serde(skip)]
    pub private_key_file: Option<String>,
    /// Apple: the `.p8` text of `next_key_id`.
    pub next_private_key: Option<SecretString>,
    /// Our `client_secret` at the upstream.
    pub client_secret: Option<SecretString>,
}

impl ConnectionSecrets {
    /// The value to seal.
    pub fn to_bytes(&self) -> Secret<Vec<u8>> {
        let text = |secret: &Option<SecretString>| secret.as_ref().map(|s| s.expose().clone());
        let members = json!({
            "private_key": text(&self.private_key),
            "next_private_key": text(&self.next_private_key),
            "client_secret": text(&self.client_secret),
        });
        Secret::new(members.to_string().into_bytes())
    }

    /// What a row's sealed secrets are bound to.
    pub fn bound_to(id: &ConnectionId) -> String {
        format!("connections:{id}")
    }
}

#[cfg(test)]
mod tests;
