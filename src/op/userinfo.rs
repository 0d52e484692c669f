//! Userinfo — OIDC Core §5.3, §5.4.

use serde::Serialize;

use super::{Failure, Provider};
use crate::protocol::error::Refusal;

/// What is told about a person; what is unknown is left out (OIDC Core §5.3.2).
#[derive(Serialize)]
pub struct Userinfo {
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    given_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
}

impl Provider {
    /// Tells about the person behind an access token what its scopes release.
    ///
    /// # Errors
    /// `invalid_token` or `insufficient_scope` (RFC 6750 §3.1).
    pub async fn userinfo(&self, token: Option<&str>) -> Result<Userinfo, Failure> {
        let now = self.clock.now();
        let token = self.bearer(token, now).await?;
        if !token.claims.has_scope("openid") {
            return Err(Refusal::insufficient_scope("the access token lacks scope openid").into());
        }
        let person = match &token.grant {
            Some(grant) => self.store.find_user(&grant.user_id).await?,
            None => None,
        };
        let user = person
            .filter(|user| user.disabled_at.is_none())
            .ok_or_else(|| Refusal::invalid_token("the access token belongs to nobody"))?;
        let profile = token.claims.has_scope("profile");
        let email = if token.claims.has_scope("email") { user.email } else { None };
        Ok(Userinfo {
            sub: user.sub,
            name: user.name.filter(|_| profile),
            given_name: user.given_name.filter(|_| profile),
            family_name: user.family_name.filter(|_| profile),
            updated_at: profile.then(|| user.updated_at.secs()),
            email_verified: email.as_ref().map(|_| user.email_verified),
            email,
        })
    }
}
