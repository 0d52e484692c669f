//! Our own access tokens exchanged for others — RFC 8693; the rules are in
//! `protocol/token_exchange.rs`.
//!
//! The new token hangs on the old one's grant, so whatever ends that ends both; it has no refresh
//! token and never outlives the token it was made from. Refused in RFC 8693's own words: a token
//! that is no good is `invalid_request` (§2.2.2).

use std::sync::Arc;

use serde_json::json;

use super::authorization_code::client_actor;
use super::{ACCESS_TOKEN, Subject, TokenRequest, TokenResponse};
use crate::op::access_token::LiveToken;
use crate::op::{Failure, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::api::Api;
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::SessionId;
use crate::protocol::token_exchange::Exchange;

impl Provider {
    pub(super) async fn delegate(
        &self,
        request: &TokenRequest<'_>,
    ) -> Result<TokenResponse, Failure> {
        let params = request.params;
        let now = request.now;
        let client = request.client();
        super::token_exchange::check_requested_type(params)?;
        let subject = self.live("subject_token", params.required("subject_token")?, now).await?;
        let actor = match (params.one("actor_token")?, params.one("actor_token_type")?) {
            (None, None) => None,
            (Some(token), Some(ACCESS_TOKEN)) => Some(self.live("actor_token", token, now).await?),
            (Some(_), _) => {
                let refusal = format!("actor_token_type must be {ACCESS_TOKEN}");
                return Err(Refusal::invalid_request(refusal).into());
            }
            (None, Some(_)) => {
                let refusal = "actor_token_type stands without actor_token";
                return Err(Refusal::invalid_request(refusal).into());
            }
        };
        let exchange = Exchange {
            client,
            issuer: &self.issuer,
            subject: &subject.claims,
            actor: actor.as_ref().map(|actor| actor.claims.as_ref()),
            shown: request.cnf.as_ref(),
        };
        let delegation = exchange.delegation()?;
        let mut wanted = request.requested_resources();
        wanted.extend(params.all("audience").map(ToOwned::to_owned));
        let resources = exchange.resources(&wanted)?;
        let apis: Vec<Arc<Api>> = self.apis(&resources).await?;
        let apis: Vec<Api> = apis.iter().map(|api| api.as_ref().clone()).collect();
        let access = exchange.access(params.one("scope")?, resources, &apis)?;

        let claims = Arc::clone(&subject.claims);
        // Each client has its own name for the person: the new token is the caller's.
        let user = match &subject.grant {
            Some(grant) => self.store.find_user(&grant.user_id).await?,
            None => None,
        };
        let sub = user.map_or_else(|| claims.sub.clone(), |user| self.sub_for(client, &user));
        let session_id = claims.sid.as_ref().map(SessionId::new);
        let person = subject.grant.as_ref();
        let speaks_of = Subject {
            client,
            person: person.map(|grant| (&grant.user_id, grant.connection_id.as_ref())),
            sub: &sub,
            client_id: &client.client_id,
            grant_id: subject.grant.as_ref().map(|grant| &grant.id),
            auth_time: claims.auth_time.map(Timestamp::from_secs),
            amr: &claims.amr,
            session_id: session_id.as_ref(),
            cnf: request.cnf.as_ref(),
            act: delegation.act.clone(),
            may_act: None,
            not_after: Some(Timestamp::from_secs(delegation.not_after)),
        };
        let (access_token, ttl) = self.mint_access_token(&speaks_of, &access, now).await?;
        let event = Event::new(now, "token.exchanged", client_actor(&client.client_id))
            .target(claims.sub.clone())
            .detail(json!({
                "subject_client_id": claims.client_id,
                "act": delegation.act,
                "resources": access.resources,
                "scope": access.scope,
            }));
        self.store
            .write(move |tx| Box::pin(async move { Ok::<_, Failure>(tx.record(&event).await?) }))
            .await?;
        Ok(TokenResponse::of_access_token(
            access_token,
            ttl,
            &access,
            request.cnf.as_ref(),
            Some(ACCESS_TOKEN),
        ))
    }

    pub(super) async fn live(
        &self,
        name: &str,
        token: &str,
        now: Timestamp,
    ) -> Result<LiveToken, Failure> {
        self.live_access_token(token, now).await?.ok_or_else(|| {
            let refusal = format!("{name} is not an access token of ours that is good now");
            Refusal::invalid_request(refusal).into()
        })
    }
}
