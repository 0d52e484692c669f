//! Access tokens that come back to us — RFC 9068 §4, RFC 6750 §2.
//!
//! A signature is checked once and remembered; whether the token is still alive is asked each
//! time, for that can change at any moment.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use moka::sync::Cache;

use super::keys::Keyring;
use super::{Failure, Provider};
use crate::protocol::access_token::AccessTokenClaims;
use crate::protocol::ambient::Timestamp;
use crate::protocol::confirmation::TokenType;
use crate::protocol::error::Refusal;
use crate::protocol::grant::Grant;
use crate::protocol::id::ClientId;
use crate::protocol::jose::{self, Typ};
use crate::protocol::presented::Presented;

/// Tokens whose signature was found good, by SHA-256 of the whole token and the keyring it was
/// checked against.
pub(super) struct VerifiedTokens(Cache<[u8; 32], Verified>);

#[derive(Clone)]
struct Verified {
    kid: Arc<str>,
    claims: Arc<AccessTokenClaims>,
}

impl VerifiedTokens {
    pub(super) fn new() -> Self {
        Self(Cache::new(4_096))
    }
}

/// What a keyring makes of a token.
enum Read {
    Ours(Verified),
    UnknownKey,
    NotGood,
}

fn verify(token: &str, keyring: &Keyring) -> Read {
    let mut signed_by = None;
    let read = jose::verify::<AccessTokenClaims>(token, Typ::AccessToken, |kid| {
        signed_by = Some(Arc::from(kid));
        keyring.find(kid)
    });
    match (read, signed_by) {
        (Ok(claims), Some(kid)) => Read::Ours(Verified { kid, claims: Arc::new(claims) }),
        (Err(_), Some(kid)) if keyring.find(&kid).is_none() => Read::UnknownKey,
        (Ok(_) | Err(_), _) => Read::NotGood,
    }
}

/// An access token that is good now.
pub struct LiveToken {
    /// What it says.
    pub claims: Arc<AccessTokenClaims>,
    /// The grant it was born of; `None` for a client acting for itself.
    pub grant: Option<Grant>,
}

impl Provider {
    /// The claims of an access token that we made, whatever has become of it since. `None` for
    /// anything else.
    pub(super) async fn read_access_token(
        &self,
        token: &str,
    ) -> Result<Option<Arc<AccessTokenClaims>>, Failure> {
        if token.len() > jose::MAX_TOKEN_LENGTH {
            return Ok(None);
        }
        if !token.contains('.') {
            return Ok(self.read_opaque_token(token).await?.map(Arc::new));
        }
        let keyring = self.keys.complete().await?;
        let hash = digest(&SHA256, token.as_bytes());
        let Ok(hash) = <[u8; 32]>::try_from(hash.as_ref()) else { return Ok(None) };
        if let Some(verified) = self.verified.0.get(&hash) {
            // A key that left the JWKS vouches for nothing any more.
            return Ok(keyring.find(&verified.kid).map(|_| verified.claims));
        }
        let mut read = verify(token, &keyring);
        if let Read::UnknownKey = read
            && let Some(keyring) = self.keys.seek().await?
        {
            read = verify(token, &keyring);
        }
        match read {
            Read::Ours(verified) if verified.claims.iss == self.issuer => {
                self.verified.0.insert(hash, verified.clone());
                Ok(Some(verified.claims))
            }
            Read::Ours(_) | Read::UnknownKey | Read::NotGood => Ok(None),
        }
    }

    /// An access token that is good now: ours, in time, neither it nor its grant revoked.
    pub(super) async fn live_access_token(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<LiveToken>, Failure> {
        let Some(claims) = self.read_access_token(token).await? else { return Ok(None) };
        if claims.exp <= now.secs() {
            return Ok(None);
        }
        let grant = match claims.grant_id() {
            // A client that acts for itself is all there is behind its token.
            None if self.acts_no_more(&claims).await? => return Ok(None),
            None => None,
            Some(id) => match self.store.find_grant(&id).await? {
                Some(grant) if grant.revoked_at.is_none() => Some(grant),
                Some(_) | None => return Ok(None),
            },
        };
        if self.store.is_jti_revoked(&claims.jti).await? {
            return Ok(None);
        }
        Ok(Some(LiveToken { claims, grant }))
    }

    async fn acts_no_more(&self, claims: &AccessTokenClaims) -> Result<bool, Failure> {
        let client = self.client(&ClientId::new(claims.client_id.clone())).await?;
        Ok(client.is_none_or(|registered| registered.client.disabled_at.is_some()))
    }

    /// The token a protected endpoint of ours was called with: alive, presented as what it is,
    /// and with the keys it is bound to.
    pub(super) async fn presented_token(
        &self,
        presented: &Presented<'_>,
        endpoint: &str,
        now: Timestamp,
    ) -> Result<LiveToken, Failure> {
        let (scheme, token) = presented
            .token()?
            .ok_or_else(|| Refusal::invalid_token("an access token is required"))?;
        let bad =
            || Refusal::invalid_token("the access token is expired, revoked or not valid here");
        let live = self.live_access_token(token, now).await?.ok_or_else(bad)?;
        if TokenType::of(live.claims.cnf.as_ref()) != scheme {
            return Err(bad().detail("presented as another token_type than it is").into());
        }
        if let Some(cnf) = &live.claims.cnf {
            let client = self.client(&ClientId::new(live.claims.client_id.clone())).await?;
            let client = client.ok_or_else(|| bad().detail("its client is gone"))?;
            self.check_possession(cnf, &client.client, presented, token, endpoint, now).await?;
        }
        Ok(live)
    }
}
