//! A grant's life after the sign-in: asking whether it stands, giving it back — apple.md §1.2,
//! §1.3, §6, §7.

use async_trait::async_trait;

use super::AppleConnector;
use super::client_keys::{Ask, REVOKE};
use super::identity_token::{Code, Expected, ExpectedNonce};
use super::token_endpoint::{CLIENT_REFUSED, Tokens, check_at_hash, error_code};
use super::user_field::Names;
use crate::protocol::ambient::Timestamp;
use crate::protocol::secret::SecretString;
use crate::upstream::http::Answer;
use crate::upstream::{Lifecycle, Standing, UpstreamError};

impl AppleConnector {
    /// Reads the answer to a refresh. Only Apple's own registered words say anything of a person;
    /// whatever else arrives is Apple, or the way there, being unwell.
    async fn standing(&self, client_id: &str, answer: &Answer, now: Timestamp) -> Standing {
        match answer.status {
            200 => {}
            400 | 401 => return refused(&answer.body),
            status => return Standing::Unwell(format!("the token endpoint said {status}")),
        }
        let tokens: Tokens = match serde_json::from_slice(&answer.body) {
            Ok(tokens) => tokens,
            Err(_) => return Standing::Unwell("the token endpoint did not answer JSON".to_owned()),
        };
        if tokens.access_token.is_none() {
            return Standing::Unwell("200 without an access token".to_owned());
        }
        let Some(id_token) = &tokens.id_token else { return Standing::Good(None) };
        let audience = client_id.to_owned();
        let expected = Expected {
            audiences: std::slice::from_ref(&audience),
            nonce: ExpectedNonce::Any,
            fresh: false,
            code: Code::None,
        };
        let verified = self.verify_token(id_token.expose(), &expected, now).await;
        match verified.and_then(|claims| check_at_hash(&claims, &tokens).map(|()| claims)) {
            Ok(claims) => Standing::Good(Some(Box::new(self.identity(&claims, Names::read(None))))),
            // The grant stands; that its owner's profile cannot be read today is no matter.
            Err(UpstreamError::Unavailable(_)) => Standing::Good(None),
            Err(
                error @ (UpstreamError::Rejected { .. }
                | UpstreamError::Misconfigured(_)
                | UpstreamError::Cancelled),
            ) => Standing::Unwell(format!("an identity token that does not verify: {error}")),
        }
    }
}

/// Sorts Apple's error codes; its descriptions are not read.
fn refused(body: &[u8]) -> Standing {
    match error_code(body).as_deref() {
        Some("invalid_grant") => Standing::Dead,
        Some("invalid_request") => Standing::Ambiguous,
        Some("invalid_client") => Standing::Misconfigured(CLIENT_REFUSED.to_owned()),
        Some(error @ ("unauthorized_client" | "unsupported_grant_type" | "invalid_scope")) => {
            Standing::Misconfigured(format!("Apple says {error}"))
        }
        Some(_) => Standing::Unwell("an unknown error from the token endpoint".to_owned()),
        None => Standing::Unwell("the token endpoint did not answer JSON".to_owned()),
    }
}

fn trouble(error: UpstreamError) -> Standing {
    match error {
        UpstreamError::Misconfigured(cause) => Standing::Misconfigured(cause),
        error @ (UpstreamError::Unavailable(_)
        | UpstreamError::Rejected { .. }
        | UpstreamError::Cancelled) => Standing::Unwell(error.to_string()),
    }
}

#[async_trait]
impl Lifecycle for AppleConnector {
    fn client_ids(&self) -> Vec<String> {
        self.settings.services_id.iter().chain(&self.settings.bundle_ids).cloned().collect()
    }

    async fn check_grant(
        &self,
        client_id: &str,
        refresh_token: &SecretString,
        now: Timestamp,
    ) -> Standing {
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose().as_str())];
        let ask = Ask { path: "/auth/token", client_id, form: &form, bearer: None };
        match self.ask(&ask, now).await {
            Ok(answer) => self.standing(client_id, &answer, now).await,
            Err(error) => trouble(error),
        }
    }

    async fn revoke(
        &self,
        client_id: &str,
        refresh_token: &SecretString,
        now: Timestamp,
    ) -> Result<(), UpstreamError> {
        let form =
            [("token", refresh_token.expose().as_str()), ("token_type_hint", "refresh_token")];
        let ask = Ask { path: REVOKE, client_id, form: &form, bearer: None };
        let answer = self.ask(&ask, now).await?;
        match answer.status {
            200 => Ok(()),
            400 | 401 => Err(match error_code(&answer.body).as_deref() {
                Some("invalid_client") => UpstreamError::Misconfigured(CLIENT_REFUSED.to_owned()),
                Some(error) => UpstreamError::Rejected {
                    reason: "revocation_refused",
                    detail: format!("Apple says {}", known(error)),
                },
                None => UpstreamError::Unavailable(
                    "the revocation endpoint did not answer JSON".to_owned(),
                ),
            }),
            status => {
                Err(UpstreamError::Unavailable(format!("the revocation endpoint said {status}")))
            }
        }
    }
}

/// An error code for the log: only a registered one is repeated.
fn known(error: &str) -> &str {
    match error {
        "invalid_request"
        | "invalid_grant"
        | "unauthorized_client"
        | "invalid_scope"
        | "unsupported_grant_type"
        | "unsupported_token_type" => error,
        _ => "something unknown",
    }
}
