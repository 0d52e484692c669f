//! Userinfo — OIDC Core §5.3, §5.4, §5.5.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Failure, Provider};
use crate::protocol::error::Refusal;
use crate::protocol::metadata::path;
use crate::protocol::presented::Presented;
use crate::protocol::standard_claims;

/// What is told about a person; what is unknown is left out (OIDC Core §5.3.2).
#[derive(Serialize)]
pub struct Userinfo {
    sub: String,
    #[serde(flatten)]
    claims: Map<String, Value>,
}

impl Provider {
    /// Tells about the person behind an access token what its scopes release, and what its grant
    /// names.
    ///
    /// # Errors
    /// `invalid_token` or `insufficient_scope` (RFC 6750 §3.1).
    pub async fn userinfo(&self, presented: &Presented<'_>) -> Result<Userinfo, Failure> {
        let now = self.clock.now();
        let token = self.presented_token(presented, path::USERINFO, now).await?;
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
        let named = token.grant.as_ref().map(|grant| grant.terms.claims.userinfo.as_slice());
        let claims = standard_claims::released(
            standard_claims::known(&user),
            |scope| token.claims.has_scope(scope),
            named.unwrap_or_default(),
        );
        Ok(Userinfo { sub: user.sub, claims })
    }
}
