//! What a person's tokens would hold: the claims of real ones, neither signed nor kept.

use super::{Giver, Subject};
use crate::op::userinfo::Userinfo;
use crate::op::{Failure, Fault, Provider};
use crate::protocol::access_token::AccessTokenClaims;
use crate::protocol::claim_mapping::{self, ClaimRule, Facts, Preview};
use crate::protocol::claims_request::NamedClaims;
use crate::protocol::client::Client;
use crate::protocol::error::Refusal;
use crate::protocol::grant::GrantTerms;
use crate::protocol::id::{ClientId, ConnectionId, GrantId, UserId};
use crate::protocol::id_token::IdTokenClaims;
use crate::protocol::scope;
use crate::protocol::user::User;

/// The claims, token by token.
pub struct TokenPreview {
    /// Of the access token.
    pub access_token: AccessTokenClaims,
    /// Of the ID token; `None` without `openid`.
    pub id_token: Option<IdTokenClaims>,
    /// What userinfo would answer; `None` without `openid`.
    pub userinfo: Option<Userinfo>,
}

impl Provider {
    /// What rules of a client, and those of an API, would tell of a person to whom every one of
    /// these scope values was granted.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn preview_rules(
        &self,
        client: &Client,
        (of_client, of_api): (&[ClaimRule], &[ClaimRule]),
        user: User,
        scope: &[String],
    ) -> Result<Preview, Fault> {
        let newest = self.store.list_identities(&user.id).await?.into_iter().next();
        let connection = newest.map(|identity| identity.connection_id);
        let user = self.seen_by(client, user);
        let facts = Facts {
            user: Some(&user),
            client,
            scope,
            connection: connection.as_ref().map(ConnectionId::as_str),
        };
        Ok(claim_mapping::preview(of_client, of_api, &facts))
    }

    /// Decides and gathers as if this person had just signed in to this client.
    ///
    /// # Errors
    /// The refusal that the client would get for such a request.
    pub async fn preview_tokens(
        &self,
        client_id: &ClientId,
        user_id: &UserId,
        requested: &[String],
        resources: &[String],
    ) -> Result<TokenPreview, Failure> {
        let now = self.clock.now();
        let unknown = || Refusal::invalid_client("there is no such client");
        let registered = self.load_client(client_id).await?.ok_or_else(unknown)?;
        let client = &registered.client;
        let nobody = || Refusal::invalid_request("there is no such person");
        let user = self.store.find_user(user_id).await?.ok_or_else(nobody)?;
        let user = self.seen_by(client, user);
        let resources = scope::resources(client, resources)?;
        let apis = self.store.find_apis(&resources).await?;
        let access = scope::decide(client, requested, resources, &apis, true)?;
        let newest = self.store.list_identities(user_id).await?.into_iter().next();
        let giver = Giver {
            user_id: user.id.clone(),
            session_id: None,
            connection_id: newest.map(|identity| identity.connection_id),
        };
        let terms = GrantTerms {
            sub: user.sub.clone(),
            scope: access.scope.clone(),
            resources: access.resources.clone(),
            auth_time: now,
            amr: Vec::new(),
            nonce: None,
            claims: NamedClaims::default(),
            cnf: None,
        };
        let id = GrantId::random(self.entropy.as_ref());
        let grant = self.new_grant(client, id, giver, terms, now);
        let subject = Subject::of_grant(client, &grant, None);
        let (access_token, _, _) = self.access_token_claims(&subject, &access, now).await?;
        if !access_token.has_scope("openid") {
            return Ok(TokenPreview { access_token, id_token: None, userinfo: None });
        }
        let id_token = self.id_token_claims(client, &grant, &access, now).await?;
        let connection = grant.connection_id.as_ref();
        let userinfo = Userinfo::of(user, Some(client), &access.scope, &[], connection);
        Ok(TokenPreview { access_token, id_token: Some(id_token), userinfo: Some(userinfo) })
    }
}
