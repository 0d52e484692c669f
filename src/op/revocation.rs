//! Token revocation — RFC 7009.

use super::ending::{self, Ending, Reason};
use super::token::authorization_code::client_actor;
use super::{Failure, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::event::Event;
use crate::protocol::params::Params;
use crate::protocol::presented::Presented;
use crate::protocol::refresh_token as family;

impl Provider {
    /// Revokes a token of the calling client: a refresh token with all that its grant gave, an
    /// access token by itself. Unknown and foreign tokens are answered alike (§2.2).
    ///
    /// # Errors
    /// `invalid_client` without the client's proof, `invalid_request` without a token.
    pub async fn revoke(&self, presented: &Presented<'_>, params: &Params) -> Result<(), Failure> {
        let now = self.clock.now();
        let registered = self.authenticate_client(presented, params, now).await?;
        let client_id = registered.client.client_id.clone();
        let token = params.required("token")?;
        if let Some(refresh) = family::read(&self.vault, token) {
            let grant = self.store.find_grant(&refresh.grant_id).await?;
            if grant.is_none_or(|grant| grant.client_id != client_id) {
                return Ok(());
            }
            return self
                .store
                .write(move |tx| {
                    Box::pin(async move {
                        let ending = Ending::Grant(refresh.grant_id.clone());
                        let reason = Reason::ClientRevoked;
                        if ending::end(tx, &ending, reason, now).await?.grants > 0 {
                            let actor = client_actor(&client_id);
                            let event = Event::new(now, "grant.revoked", actor)
                                .target(refresh.grant_id.to_string());
                            tx.record(&event).await?;
                        }
                        Ok::<_, Failure>(())
                    })
                })
                .await;
        }
        if let Some(claims) = self.read_access_token(token).await?
            && claims.client_id == client_id.as_str()
        {
            let expires_at = Timestamp::from_secs(claims.exp);
            if expires_at > now {
                let jti = claims.jti.clone();
                self.store
                    .write(move |tx| {
                        Box::pin(async move {
                            tx.revoke_jti(&jti, expires_at, now).await?;
                            Ok::<_, Failure>(())
                        })
                    })
                    .await?;
            }
        }
        Ok(())
    }
}
