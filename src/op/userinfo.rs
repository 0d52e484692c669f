//! Userinfo — OIDC Core §5.3, §5.4, §5.5.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use super::clients::RegisteredClient;
use super::{Failure, Provider};
use crate::protocol::claim_mapping::{self, Facts, Target};
use crate::protocol::client::Client;
use crate::protocol::error::Refusal;
use crate::protocol::id::{ClientId, ConnectionId};
use crate::protocol::jose::Typ;
use crate::protocol::metadata::path;
use crate::protocol::presented::Presented;
use crate::protocol::standard_claims;
use crate::protocol::user::User;

/// The answer: as JSON, or as the JWT that the client registered for (OIDC Core §5.3.2).
pub enum UserinfoAnswer {
    /// Claims.
    Plain(Userinfo),
    /// The same, signed for the client.
    Signed(String),
}

/// What is told about a person; what is unknown is left out (OIDC Core §5.3.2).
#[derive(Serialize)]
pub struct Userinfo {
    sub: String,
    #[serde(flatten)]
    claims: Map<String, Value>,
}

#[derive(Serialize)]
struct Signed<'a> {
    iss: &'a str,
    aud: &'a str,
    #[serde(flatten)]
    told: &'a Userinfo,
}

impl Provider {
    /// Tells about the person behind an access token what its scopes release, and what its grant
    /// names.
    ///
    /// # Errors
    /// `invalid_token` or `insufficient_scope` (RFC 6750 §3.1).
    pub async fn userinfo(&self, presented: &Presented<'_>) -> Result<Userinfo, Failure> {
        Ok(self.told(presented).await?.0)
    }

    /// The same, as the client registered to be answered.
    ///
    /// # Errors
    /// As [`Provider::userinfo`].
    pub async fn answer_userinfo(
        &self,
        presented: &Presented<'_>,
    ) -> Result<UserinfoAnswer, Failure> {
        let (told, client) = self.told(presented).await?;
        let Some(client) = &client else { return Ok(UserinfoAnswer::Plain(told)) };
        let profile = self.profile_of(&client.client);
        let Some(alg) = profile.userinfo_algorithm(&client.client) else {
            return Ok(UserinfoAnswer::Plain(told));
        };
        let aud = client.client.client_id.as_str();
        let signed = Signed { iss: &self.issuer, aud, told: &told };
        let jwt = self.keys.signer(alg).await?.sign(Typ::Userinfo, &signed)?;
        Ok(UserinfoAnswer::Signed(jwt))
    }

    async fn told(
        &self,
        presented: &Presented<'_>,
    ) -> Result<(Userinfo, Option<Arc<RegisteredClient>>), Failure> {
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
        let client = self.client(&ClientId::new(token.claims.client_id.clone())).await?;
        let scope: Vec<String> = token.claims.scope.split(' ').map(ToOwned::to_owned).collect();
        let connection = token.grant.as_ref().and_then(|grant| grant.connection_id.as_ref());
        // Called as the token calls them.
        let user = User { sub: token.claims.sub.clone(), ..user };
        let of = client.as_ref().map(|registered| &registered.client);
        let told = Userinfo::of(user, of, &scope, named.unwrap_or_default(), connection);
        Ok((told, client))
    }
}

impl Userinfo {
    /// The person's `sub`.
    pub fn sub(&self) -> &str {
        &self.sub
    }

    /// What these scopes release of a person, what was asked for by name, and what the client's
    /// rules add.
    pub(super) fn of(
        user: User,
        client: Option<&Client>,
        scope: &[String],
        named: &[String],
        connection: Option<&ConnectionId>,
    ) -> Self {
        let holds = |value: &str| scope.iter().any(|granted| granted == value);
        let mut claims = standard_claims::released(standard_claims::known(&user), holds, named);
        if let Some(client) = client {
            let facts = Facts {
                user: Some(&user),
                client,
                scope,
                connection: connection.map(ConnectionId::as_str),
            };
            let rules = &client.settings.claims;
            for (name, value) in claim_mapping::apply(rules, &facts, Target::Userinfo) {
                claims.entry(name).or_insert(value);
            }
        }
        Self { sub: user.sub, claims }
    }
}
