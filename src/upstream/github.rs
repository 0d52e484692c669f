//! GitHub, which signs people in by plain OAuth 2 — RFC 6749 §4.1, RFC 7636, and its REST API.
//!
//! There is no ID token: who somebody is comes from `/user`, asked with a token that this very code
//! gave. The key is the numeric id, which stays when a login is renamed; the address is the primary
//! one of `/user/emails`, and only if GitHub has verified it.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::http::{Answer, Outbound};
use super::{Callback, Connector, Finding, Trip, UpstreamError, UpstreamIdentity, Verdict};
use crate::protocol::ambient::Timestamp;
use crate::protocol::connection::ConnectionKind;
use crate::protocol::id::ConnectionId;
use crate::protocol::pkce::CodeChallenge;
use crate::protocol::secret::SecretString;
use crate::protocol::upstream_claims::ClaimRules;

/// What an operator fills in.
pub struct GithubSettings {
    /// The connection's name in URLs.
    pub connection_id: ConnectionId,
    /// Its name for people.
    pub display_name: String,
    /// Where people sign in.
    pub base_url: Url,
    /// Where the API answers.
    pub api_url: Url,
    /// Our `client_id` there.
    pub client_id: String,
    /// Our secret there.
    pub client_secret: SecretString,
    /// Whether an address that it proves may join people to an account (`address_linking.rs`).
    pub link_by_verified_email: bool,
    /// Which members of `/user` say what, and whom they admit.
    pub claims: ClaimRules,
}

/// The connector.
pub struct GithubConnector {
    settings: GithubSettings,
    /// Who vouches: the address people sign in at, without a closing slash.
    authority: String,
    outbound: Outbound,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: Option<SecretString>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Address {
    email: String,
    primary: bool,
    verified: bool,
}

impl GithubConnector {
    /// A connector with these settings. Nothing is fetched until somebody signs in.
    pub fn new(settings: GithubSettings, outbound: Outbound) -> Self {
        let authority = settings.base_url.as_str().trim_end_matches('/').to_owned();
        Self { settings, authority, outbound }
    }

    /// An endpoint below one of the two addresses.
    fn below(base: &Url, path: &str) -> Result<Url, UpstreamError> {
        Url::parse(&format!("{}{path}", base.as_str().trim_end_matches('/')))
            .map_err(|_| UpstreamError::Misconfigured("the address is not a URL".to_owned()))
    }

    async fn redeem(&self, trip: &Trip, code: &str) -> Result<SecretString, UpstreamError> {
        let url = Self::below(&self.settings.base_url, "/login/oauth/access_token")?;
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", &self.settings.client_id),
            ("client_secret", self.settings.client_secret.expose()),
            ("code", code),
            ("redirect_uri", &trip.redirect_uri),
            ("code_verifier", &trip.code_verifier),
        ];
        let answer = self.outbound.post_form(&url, &form).await?;
        // GitHub says no with 200 and an `error`.
        let tokens: Tokens = match answer.status {
            200 | 400 | 401 => serde_json::from_slice(&answer.body).map_err(|_| {
                UpstreamError::Unavailable("the token endpoint did not answer JSON".to_owned())
            })?,
            status => {
                let cause = format!("the token endpoint said {status}");
                return Err(UpstreamError::Unavailable(cause));
            }
        };
        match (tokens.error.as_deref(), tokens.access_token) {
            (None, Some(token)) => Ok(token),
            (Some("incorrect_client_credentials" | "invalid_client"), _) => {
                Err(UpstreamError::Misconfigured(
                    "the upstream refuses our client_id or client_secret".to_owned(),
                ))
            }
            (Some("redirect_uri_mismatch"), _) => Err(UpstreamError::Misconfigured(
                "the upstream does not know our callback; register it there".to_owned(),
            )),
            (Some(_), _) => Err(rejected("code_refused", "the upstream does not take the code")),
            (None, None) => Err(rejected("token_missing", "the upstream gave no access token")),
        }
    }

    async fn ask(&self, path: &str, token: &SecretString) -> Result<Answer, UpstreamError> {
        let url = Self::below(&self.settings.api_url, path)?;
        let answer = self.outbound.get_with_bearer(&url, token).await?;
        match answer.status {
            200 => Ok(answer),
            401 => Err(rejected("token_refused", "the API does not take the token it gave")),
            status => Err(UpstreamError::Unavailable(format!("{path} said {status}"))),
        }
    }

    /// The one address that is primary and verified. Without leave to ask, none.
    async fn address(&self, token: &SecretString) -> Option<String> {
        let answer = match self.ask("/user/emails", token).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(%error, "the addresses could not be asked for");
                return None;
            }
        };
        let addresses: Vec<Address> = serde_json::from_slice(&answer.body).ok()?;
        let own = addresses.into_iter().find(|address| address.primary && address.verified)?;
        Some(own.email)
    }
}

fn rejected(reason: &'static str, detail: &'static str) -> UpstreamError {
    UpstreamError::Rejected { reason, detail: detail.to_owned() }
}

#[async_trait]
impl Connector for GithubConnector {
    fn id(&self) -> &ConnectionId {
        &self.settings.connection_id
    }

    fn display_name(&self) -> &str {
        &self.settings.display_name
    }

    fn authority(&self) -> String {
        self.authority.clone()
    }

    fn kind(&self) -> ConnectionKind {
        ConnectionKind::Github
    }

    fn link_by_verified_email(&self) -> bool {
        self.settings.link_by_verified_email
    }

    fn form_action_source(&self) -> String {
        self.settings.base_url.origin().ascii_serialization()
    }

    async fn depart(&self, trip: &Trip, _now: Timestamp) -> Result<Url, UpstreamError> {
        let mut url = Self::below(&self.settings.base_url, "/login/oauth/authorize")?;
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("response_type", "code")
                .append_pair("client_id", &self.settings.client_id)
                .append_pair("redirect_uri", &trip.redirect_uri)
                .append_pair("scope", "read:user user:email")
                .append_pair("state", &trip.state)
                .append_pair("code_challenge", CodeChallenge::of(&trip.code_verifier).as_str())
                .append_pair("code_challenge_method", "S256");
            if let Some(hint) = &trip.login_hint {
                query.append_pair("login", hint);
            }
            if trip.reauthenticate {
                query.append_pair("prompt", "select_account");
            }
        }
        Ok(url)
    }

    async fn greet(
        &self,
        _trip: &Trip,
        _callback: &Callback,
        _now: Timestamp,
    ) -> Result<Option<UpstreamIdentity>, UpstreamError> {
        // The code flow's front channel proves nothing.
        Ok(None)
    }

    async fn arrive(
        &self,
        trip: &Trip,
        callback: &Callback,
        _now: Timestamp,
    ) -> Result<UpstreamIdentity, UpstreamError> {
        if let Some(error) = callback.error.as_deref() {
            return Err(match error {
                "access_denied" => UpstreamError::Cancelled,
                _ => UpstreamError::Unavailable("the upstream answered with an error".to_owned()),
            });
        }
        let code = callback
            .code
            .as_deref()
            .ok_or_else(|| rejected("code_missing", "the answer carries no code"))?;
        let token = self.redeem(trip, code).await?;
        let answer = self.ask("/user", &token).await?;
        let mut user: Map<String, Value> = serde_json::from_slice(&answer.body)
            .map_err(|_| UpstreamError::Unavailable("/user did not answer JSON".to_owned()))?;
        let subject = user
            .get("id")
            .and_then(Value::as_u64)
            .filter(|id| *id > 0)
            .ok_or_else(|| rejected("sub_missing", "/user names no numeric id"))?
            .to_string();
        // The address in `/user` is whatever the person wants to be seen.
        user.remove("email");
        user.remove("email_verified");
        if let Some(email) = self.address(&token).await {
            user.insert("email".to_owned(), email.into());
            user.insert("email_verified".to_owned(), true.into());
        }
        let mut profile = self.settings.claims.profile(&user);
        if profile.name.is_none() {
            profile.name = user.get("login").and_then(Value::as_str).map(ToOwned::to_owned);
        }
        if let Err(not) = self.settings.claims.admit(&user, &profile) {
            return Err(rejected(not.as_str(), "the operator admits others only"));
        }
        Ok(UpstreamIdentity {
            authority: self.authority.clone(),
            subject,
            profile,
            auth_time: None,
            amr: Vec::new(),
            grant: None,
            sid: None,
            transfer_sub: None,
        })
    }

    async fn check(&self, _now: Timestamp) -> Vec<Finding> {
        let subject = "API".to_owned();
        let asked = match Self::below(&self.settings.api_url, "/meta") {
            Ok(url) => self.outbound.get(&url).await.map_err(UpstreamError::from),
            Err(error) => Err(error),
        };
        vec![match asked {
            Ok(_) => Finding {
                verdict: Verdict::Fine,
                subject,
                message: format!("{} answers", self.settings.api_url),
            },
            Err(error) => {
                Finding { verdict: Verdict::Unknown, subject, message: error.to_string() }
            }
        }]
    }
}

#[cfg(test)]
#[path = "tests/github.rs"]
mod tests;
