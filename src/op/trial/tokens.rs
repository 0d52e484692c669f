//! The tokens of a trial: asked for as the client asks, looked at as it would look at them, and taken
//! back.

use super::{Tried, Wish};
use crate::op::admin::Actor;
use crate::op::clients::RegisteredClient;
use crate::op::ending::{self, Ending, Reason};
use crate::op::userinfo::Userinfo;
use crate::op::{Failure, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::client::GrantType;
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::{ClientId, UserId};
use crate::protocol::params::Params;
use crate::protocol::presented::Presented;
use crate::protocol::relying_party::{self, Check, Decoded, Expected};

impl Provider {
    /// Tries a client that acts for itself.
    ///
    /// # Errors
    /// What the client would be refused.
    pub async fn try_service(
        &self,
        actor: &Actor,
        client_id: &ClientId,
        wish: &Wish,
    ) -> Result<Tried, Failure> {
        let now = self.clock.now();
        let registered = self.tried_client(client_id).await?;
        if !registered.client.may_use(GrantType::ClientCredentials) {
            let text = "this client is not registered for client_credentials";
            return Err(Refusal::unauthorized_client(text).into());
        }
        let mut pairs = vec![("scope".to_owned(), wish.scope.join(" "))];
        pairs.extend(wish.resources.iter().map(|api| ("resource".to_owned(), api.clone())));
        self.tried(&registered, pairs, &wish.resources, None, actor, now).await
    }

    /// Asks for the tokens, looks at them, and takes back what they stand for.
    pub(super) async fn tried(
        &self,
        registered: &RegisteredClient,
        pairs: Vec<(String, String)>,
        resources: &[String],
        nonce: Option<&str>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Tried, Failure> {
        let client = &registered.client;
        let params = Params::from_pairs(pairs)?;
        let tokens = self.tokens_of_trial(registered, &params, now).await?;
        let default: Vec<String> = client.default_resource.iter().cloned().collect();
        let expected = Expected {
            issuer: &self.issuer,
            client_id: client.client_id.as_str(),
            alg: self.profile_of(client).id_token_algorithm(client),
            nonce,
            resources: if resources.is_empty() { &default } else { resources },
            now,
        };
        let keyring = self.keys.complete().await?;
        let access = &tokens.access_token;
        let mut checks = Vec::new();
        let id_token = tokens.id_token.as_deref();
        if let Some(token) = id_token {
            checks = relying_party::id_token(token, access, &expected, |kid| keyring.find(kid));
        }
        let decoded = Decoded::of(access);
        // An opaque token says nothing that could be checked here.
        let of_access = match access.contains('.') {
            true => relying_party::access_token(access, &expected, |kid| keyring.find(kid)),
            false => Vec::new(),
        };
        checks.extend(
            of_access
                .into_iter()
                .map(|check| Check { subject: of_access_token(check.subject), ..check }),
        );
        let userinfo = match id_token {
            Some(token) => Some(self.tried_userinfo(access, token, &mut checks).await?),
            None => None,
        };
        let user_id = self.take_back(actor, client.client_id.clone(), access, now).await?;
        Ok(Tried {
            client_id: client.client_id.clone(),
            user_id,
            access_token: decoded,
            id_token: id_token.map(Decoded::of),
            userinfo,
            refresh_token: tokens.refresh_token.is_some(),
            checks,
        })
    }

    async fn tried_userinfo(
        &self,
        access_token: &str,
        id_token: &str,
        checks: &mut Vec<Check>,
    ) -> Result<Result<Userinfo, Refusal>, Failure> {
        let authorization = format!("Bearer {access_token}");
        let presented = Presented {
            method: "GET",
            authorization: Some(&authorization),
            ..Presented::default()
        };
        let answer = match self.userinfo(&presented).await {
            Ok(userinfo) => Ok(userinfo),
            Err(Failure::Refused(refusal)) => Err(refusal),
            Err(fault @ Failure::Fault(_)) => return Err(fault),
        };
        let sub = Decoded::of(id_token).claims.get("sub").cloned().unwrap_or_default();
        let (holds, found) = match &answer {
            Ok(userinfo) if sub == userinfo.sub() => (true, "the ID token's"),
            Ok(_) => (false, "another than the ID token's"),
            Err(_) => (false, "userinfo refused"),
        };
        checks.push(Check::new("sub of userinfo", "OIDC Core 5.3.2", holds, found));
        Ok(answer)
    }

    /// Ends the grant, and tells whose it was; or revokes the only token of a client that acts for
    /// itself.
    async fn take_back(
        &self,
        actor: &Actor,
        client_id: ClientId,
        access_token: &str,
        now: Timestamp,
    ) -> Result<Option<UserId>, Failure> {
        let Some(claims) = self.read_access_token(access_token).await? else { return Ok(None) };
        let event = Event::new(now, "client.tried", actor.name.clone())
            .target(client_id.to_string())
            .request_id(actor.request_id.clone());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let mut user_id = None;
                    if let Some(grant) = claims.grant_id() {
                        user_id = tx.find_grant(&grant).await?.map(|grant| grant.user_id);
                        let reason = Reason::Administrative;
                        ending::end(tx, &Ending::Grant(grant), reason, now).await?;
                    } else {
                        let expires_at = Timestamp::from_secs(claims.exp);
                        tx.revoke_jti(&claims.jti, expires_at, now).await?;
                    }
                    tx.record(&event).await?;
                    Ok::<_, Failure>(user_id)
                })
            })
            .await
    }
}

fn of_access_token(subject: &'static str) -> &'static str {
    match subject {
        "signature" => "signature of the access token",
        "iss" => "iss of the access token",
        "aud" => "aud of the access token",
        "exp" => "exp of the access token",
        "client_id" => "client_id of the access token",
        "sub" => "sub of the access token",
        other => other,
    }
}
