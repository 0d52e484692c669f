//! Introspection — RFC 7662.
//!
//! Works for JWT access tokens as well as for refresh tokens: a signature says what was granted,
//! only we can say whether it still holds. Whatever the caller may not know about is answered
//! `{"active": false}` and nothing more (§2.2).

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Failure, Provider};
use crate::protocol::access_token::{AccessTokenClaims, Actor, Audience};
use crate::protocol::ambient::Timestamp;
use crate::protocol::confirmation::{Confirmation, TokenType};
use crate::protocol::error::Refusal;
use crate::protocol::id::ClientId;
use crate::protocol::params::Params;
use crate::protocol::presented::Presented;
use crate::protocol::refresh_token::{self as family, Verdict};

/// The answer (RFC 7662 §2.2).
#[derive(Default, Serialize)]
pub struct Introspection {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<TokenType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<Audience>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<Actor>,
    #[serde(flatten)]
    more: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation>,
}

impl Provider {
    /// Tells a client about a token: one of its own, or one made for an API that asks as this
    /// client (`introspection_clients` of the API).
    ///
    /// # Errors
    /// `invalid_client` without a confidential client's proof, `invalid_request` without a token.
    pub async fn introspect(
        &self,
        presented: &Presented<'_>,
        params: &Params,
    ) -> Result<Introspection, Failure> {
        let now = self.clock.now();
        let registered = self.authenticate_client(presented, params, now).await?;
        if registered.client.is_public() {
            return Err(Refusal::invalid_client("a public client cannot introspect tokens").into());
        }
        let token = params.required("token")?;
        let caller = &registered.client.client_id;
        if let Some(refresh) = family::read(&self.vault, token) {
            return self.introspect_refresh_token(&refresh, caller, now).await;
        }
        let live = self.live_access_token(token, now).await?;
        let live = match live {
            Some(live) if self.may_know(caller, &live.claims).await? => Some(live),
            Some(_) | None => None,
        };
        Ok(live.map_or_else(Introspection::default, |live| {
            let claims = live.claims.as_ref().clone();
            Introspection {
                active: true,
                token_type: Some(TokenType::of(claims.cnf.as_ref())),
                cnf: claims.cnf,
                scope: Some(claims.scope).filter(|scope| !scope.is_empty()),
                client_id: Some(claims.client_id),
                sub: Some(claims.sub),
                aud: Some(claims.aud),
                iss: Some(claims.iss),
                exp: Some(claims.exp),
                iat: Some(claims.iat),
                jti: Some(claims.jti),
                act: claims.act,
                more: claims.more,
            }
        }))
    }

    async fn introspect_refresh_token(
        &self,
        token: &family::RefreshToken,
        caller: &ClientId,
        now: Timestamp,
    ) -> Result<Introspection, Failure> {
        let Some(grant) = self.store.find_grant(&token.grant_id).await? else {
            return Ok(Introspection::default());
        };
        match family::judge(&grant, token, caller, now) {
            Verdict::First | Verdict::LostAnswer => Ok(Introspection {
                active: true,
                scope: Some(grant.terms.scope.join(" ")),
                client_id: Some(grant.client_id.to_string()),
                sub: Some(grant.terms.sub),
                cnf: grant.terms.cnf,
                iss: Some(self.issuer.clone()),
                exp: Some(grant.refresh_idle_expires_at.min(grant.expires_at).secs()),
                iat: Some(grant.created_at.secs()),
                ..Introspection::default()
            }),
            // To be asked about is not to be used: nothing is revoked here.
            Verdict::Reuse | Verdict::Dead => Ok(Introspection::default()),
        }
    }

    async fn may_know(
        &self,
        caller: &ClientId,
        claims: &AccessTokenClaims,
    ) -> Result<bool, Failure> {
        let of_its_own = claims.client_id == caller.as_str();
        if of_its_own || claims.aud.iter().any(|aud| aud == caller.as_str()) {
            return Ok(true);
        }
        let audience: Vec<String> = claims.aud.iter().map(ToOwned::to_owned).collect();
        let apis = self.apis(&audience).await?;
        Ok(apis.iter().any(|api| api.settings.introspection_clients.contains(caller)))
    }
}
