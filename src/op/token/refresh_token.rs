//! `refresh_token` — RFC 6749 §6, RFC 9700 §4.14, OIDC Core §12.
//!
//! The rule is in `protocol/refresh_token.rs`. The usual refresh is one conditional `UPDATE`; only
//! if it finds nothing to change is the row read and judged.

use std::time::Duration;

use super::authorization_code::client_actor;
use super::{Minting, TokenRequest, TokenResponse};
use crate::op::ending::{self, Ending, Reason};
use crate::op::possession::not_its_key;
use crate::op::{Failure, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::confirmation::Confirmation;
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::grant::Grant;
use crate::protocol::id::ClientId;
use crate::protocol::refresh_token::{self as family, RefreshToken, Verdict};
use crate::protocol::scope;
use crate::store::WriteTx;
use crate::store::grants::Rotation;

impl Provider {
    pub(super) async fn refresh(
        &self,
        request: &TokenRequest<'_>,
    ) -> Result<TokenResponse, Failure> {
        let params = request.params;
        let now = request.now;
        let client = request.client();
        let presented = params.required("refresh_token")?;
        let wanted_scope = params.one("scope")?;
        if let Some(scope) = wanted_scope {
            // A malformed scope must not cost the client its token.
            scope::parse(scope)?;
        }
        let token = family::read(&self.vault, presented)
            .ok_or_else(|| not_good().detail("not a token of ours"))?;
        let idle = Duration::from_secs(u64::from(client.refresh_token_idle_ttl));
        let narrows = wanted_scope.is_some() || params.all("resource").next().is_some();
        if narrows {
            // What cannot be granted is refused before the token is used up.
            let grant = self.store.find_grant(&token.grant_id).await?;
            let grant = grant
                .filter(|grant| grant.client_id == client.client_id)
                .ok_or_else(|| not_good().detail("no such grant for this client"))?;
            let resources = request.requested_resources();
            scope::narrow(&grant.terms.scope, &grant.terms.resources, wanted_scope, &resources)?;
        }

        if !self.profile_of(client).rotates_refresh_tokens() {
            return self.refresh_in_place(request, &token, wanted_scope, idle).await;
        }
        let rotation = Rotation {
            grant_id: token.grant_id.clone(),
            client_id: client.client_id.clone(),
            presented_generation: token.generation,
            presented_hash: token.hash,
            now,
            idle_expires_at: now.plus(idle),
        };
        let generation = token.generation + 1;
        let client_id = client.client_id.clone();
        let cnf = request.cnf.clone();
        let outcome: Result<Grant, Refusal> = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if let Some(grant) = tx.rotate_refresh(&rotation).await? {
                        // Undoes the rotation: whoever lacks the key cannot use the token up.
                        shows_its_key(&grant, cnf.as_ref())?;
                        return Ok::<_, Failure>(Ok(grant));
                    }
                    let Some(grant) = tx.find_grant(&token.grant_id).await? else {
                        return Ok(Err(not_good().detail("no such grant")));
                    };
                    shows_its_key(&grant, cnf.as_ref())?;
                    settle(tx, grant, &token, &client_id, now).await
                })
            })
            .await?;
        let grant = outcome?;

        let resources = request.requested_resources();
        let access = self.narrowed(&grant.terms, wanted_scope, &resources).await?;
        // No nonce: it belongs to the authentication request, and was answered (OIDC Core §12.2).
        let minting = Minting { access, generation, nonce: None, cnf: request.cnf.clone(), now };
        self.mint_for_grant(client, &grant, minting).await
    }
}

impl Provider {
    /// A refresh that leaves its token as it is, for clients whose profile wants it so.
    async fn refresh_in_place(
        &self,
        request: &TokenRequest<'_>,
        token: &RefreshToken,
        wanted_scope: Option<&str>,
        idle: Duration,
    ) -> Result<TokenResponse, Failure> {
        let (client, now) = (request.client(), request.now);
        let grant = self.store.find_grant(&token.grant_id).await?;
        let grant = grant.ok_or_else(|| not_good().detail("no such grant"))?;
        match family::judge(&grant, token, &client.client_id, now) {
            Verdict::First | Verdict::LostAnswer => {}
            // A token of before the client came under this profile, used up then.
            Verdict::Reuse => return Err(not_good().detail("used up").into()),
            Verdict::Dead => {
                return Err(not_good().detail("expired, revoked or another client's").into());
            }
        }
        shows_its_key(&grant, request.cnf.as_ref())?;
        let resources = request.requested_resources();
        let access = self.narrowed(&grant.terms, wanted_scope, &resources).await?;
        let (id, idle_expires_at) = (grant.id.clone(), now.plus(idle).min(grant.expires_at));
        let alive = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let alive = tx.touch_refresh(&id, idle_expires_at, now).await?;
                    Ok::<_, Failure>(alive)
                })
            })
            .await?;
        if !alive {
            return Err(not_good().detail("revoked meanwhile").into());
        }
        let (generation, cnf) = (token.generation, request.cnf.clone());
        let minting = Minting { access, generation, nonce: None, cnf, now };
        let mut response = self.mint_for_grant(client, &grant, minting).await?;
        response.refresh_token = None;
        Ok(response)
    }
}

fn shows_its_key(grant: &Grant, shown: Option<&Confirmation>) -> Result<(), Refusal> {
    match &grant.terms.cnf {
        Some(cnf) if !cnf.is_met_by(shown) => Err(not_its_key("refresh token")),
        Some(_) | None => Ok(()),
    }
}

/// The token was not simply the next one: a lost answer, a copy, or dead.
async fn settle(
    tx: &WriteTx,
    grant: Grant,
    token: &RefreshToken,
    client_id: &ClientId,
    now: Timestamp,
) -> Result<Result<Grant, Refusal>, Failure> {
    match family::judge(&grant, token, client_id, now) {
        Verdict::LostAnswer => Ok(Ok(grant)),
        // The row changed between the statement and the reading: the winner's answer stands, and
        // this request is a second presentation of a token that is spent by now.
        Verdict::First => Ok(Err(not_good().detail("lost a race"))),
        Verdict::Dead => Ok(Err(not_good().detail("expired, revoked or another client's"))),
        Verdict::Reuse => {
            let ending = Ending::Grant(grant.id.clone());
            ending::end(tx, &ending, Reason::Reuse, now).await?;
            let event = Event::new(now, "refresh_token.reused", client_actor(client_id))
                .target(grant.id.to_string());
            tx.record(&event).await?;
            Ok(Err(Refusal::invalid_grant("the refresh token was used before; sign in again")
                .detail("re-use: the grant is revoked")))
        }
    }
}

fn not_good() -> Refusal {
    Refusal::invalid_grant("the refresh token is unknown, expired or revoked")
}
