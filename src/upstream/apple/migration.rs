//! Moving people between two teams — apple.md §9, TN3159.

use async_trait::async_trait;
use serde::Deserialize;

use super::AppleConnector;
use super::client_keys::Ask;
use super::token_endpoint::{error_code, refused};
use crate::protocol::ambient::Timestamp;
use crate::protocol::secret::SecretString;
use crate::protocol::upstream_claims::is_address;
use crate::upstream::http::Answer;
use crate::upstream::{TeamTransfer, Transferred, UpstreamError};

const PATH: &str = "/auth/usermigrationinfo";
/// No identifier of Apple's is longer.
const LONGEST_SUB: usize = 255;

#[derive(Deserialize)]
struct ForTarget {
    transfer_sub: String,
}

#[derive(Deserialize)]
struct AtTarget {
    sub: String,
    email: Option<String>,
    #[serde(default)]
    is_private_email: Flag,
}

/// As in identity tokens: a boolean or its name.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Flag {
    Truth(bool),
    Text(String),
    #[default]
    Absent,
}

impl Flag {
    fn is_set(&self) -> bool {
        match self {
            Self::Truth(flag) => *flag,
            Self::Text(text) => text.eq_ignore_ascii_case("true"),
            Self::Absent => false,
        }
    }
}

impl AppleConnector {
    /// Any client of the team will do: what is asked is about the team.
    fn any_client(&self) -> Result<&String, UpstreamError> {
        self.settings.services_id.iter().chain(&self.settings.bundle_ids).next().ok_or_else(|| {
            UpstreamError::Misconfigured("the connection has neither app nor service".to_owned())
        })
    }

    async fn migrate(
        &self,
        token: &SecretString,
        form: &[(&str, &str)],
        now: Timestamp,
    ) -> Result<Answer, UpstreamError> {
        let ask = Ask { path: PATH, client_id: self.any_client()?, form, bearer: Some(token) };
        let answer = self.ask(&ask, now).await?;
        match answer.status {
            200 => Ok(answer),
            400 | 401 => Err(not_migrated(&answer.body)),
            status => {
                Err(UpstreamError::Unavailable(format!("the migration endpoint said {status}")))
            }
        }
    }
}

/// At this endpoint `invalid_request` is about the person: revoked, unknown, or past the time.
fn not_migrated(body: &[u8]) -> UpstreamError {
    match error_code(body).as_deref() {
        Some("invalid_request" | "invalid_grant") => UpstreamError::Rejected {
            reason: "not_transferable",
            detail: "Apple moves this person not: consent revoked, unknown to the team, or the \
                     sixty days are over"
                .to_owned(),
        },
        Some(_) | None => refused(body),
    }
}

fn no_json() -> UpstreamError {
    UpstreamError::Unavailable("the migration endpoint did not answer JSON".to_owned())
}

#[async_trait]
impl TeamTransfer for AppleConnector {
    fn team_id(&self) -> &str {
        &self.settings.team_id
    }

    async fn migration_token(&self, now: Timestamp) -> Result<SecretString, UpstreamError> {
        #[derive(Deserialize)]
        struct Token {
            access_token: SecretString,
        }
        let form = [("grant_type", "client_credentials"), ("scope", "user.migration")];
        let ask =
            Ask { path: "/auth/token", client_id: self.any_client()?, form: &form, bearer: None };
        let answer = self.ask(&ask, now).await?;
        match answer.status {
            200 => serde_json::from_slice::<Token>(&answer.body)
                .map(|token| token.access_token)
                .map_err(|_| no_json()),
            400 | 401 => Err(refused(&answer.body)),
            status => Err(UpstreamError::Unavailable(format!("the token endpoint said {status}"))),
        }
    }

    async fn transfer_sub(
        &self,
        token: &SecretString,
        subject: &str,
        target: &str,
        now: Timestamp,
    ) -> Result<String, UpstreamError> {
        let answer = self.migrate(token, &[("sub", subject), ("target", target)], now).await?;
        let told: ForTarget = serde_json::from_slice(&answer.body).map_err(|_| no_json())?;
        Some(told.transfer_sub).filter(|sub| is_sub(sub)).ok_or_else(no_json)
    }

    async fn exchange(
        &self,
        token: &SecretString,
        transfer_sub: &str,
        now: Timestamp,
    ) -> Result<Transferred, UpstreamError> {
        let answer = self.migrate(token, &[("transfer_sub", transfer_sub)], now).await?;
        let told: AtTarget = serde_json::from_slice(&answer.body).map_err(|_| no_json())?;
        if !is_sub(&told.sub) {
            return Err(no_json());
        }
        Ok(Transferred {
            subject: told.sub,
            is_private_email: told.email.is_some() && told.is_private_email.is_set(),
            email: told.email.filter(|email| is_address(email)),
        })
    }
}

fn is_sub(text: &str) -> bool {
    (1..=LONGEST_SUB).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}
