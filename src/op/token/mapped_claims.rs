//! Claims that an operator's rules add to tokens; the rules are in `protocol/claim_mapping.rs`.
//!
//! What the request named and what the protocols say comes first; a rule never replaces it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Subject;
use crate::op::{Failure, Provider};
use crate::protocol::api::Api;
use crate::protocol::claim_mapping::{self, Facts, Target};
use crate::protocol::client::Client;
use crate::protocol::grant::Grant;
use crate::protocol::id::ConnectionId;
use crate::protocol::scope::Access;
use crate::protocol::standard_claims;

impl Provider {
    /// The claims about the person for the ID token: those that the request named, and those that
    /// the client's rules add.
    pub(super) async fn claims_in_id_token(
        &self,
        client: &Client,
        grant: &Grant,
        access: &Access,
    ) -> Result<Map<String, Value>, Failure> {
        let named = grant.terms.claims.id_token.as_slice();
        let rules = &client.settings.claims;
        if named.is_empty() && !rules.iter().any(|rule| rule.tells(Target::IdToken)) {
            return Ok(Map::new());
        }
        let user = self.store.find_user(&grant.user_id).await?;
        let user = user.map(|user| self.seen_by(client, user));
        let known = user.as_ref().map(standard_claims::known).unwrap_or_default();
        let mut claims = standard_claims::released(known, |_| false, named);
        let facts = Facts {
            user: user.as_ref(),
            client,
            scope: &access.scope,
            connection: grant.connection_id.as_ref().map(ConnectionId::as_str),
        };
        for (name, value) in claim_mapping::apply(rules, &facts, Target::IdToken) {
            claims.entry(name).or_insert(value);
        }
        Ok(claims)
    }

    /// The claims that the rules of the client and of the APIs add to an access token. An API's
    /// rule comes before a client's: the token is made for the API.
    pub(super) async fn claims_in_access_token(
        &self,
        subject: &Subject<'_>,
        access: &Access,
        apis: &[Arc<Api>],
    ) -> Result<Map<String, Value>, Failure> {
        let of_apis = apis.iter().flat_map(|api| &api.settings.claims);
        let rules: Vec<_> = of_apis
            .chain(&subject.client.settings.claims)
            .filter(|rule| rule.tells(Target::AccessToken))
            .cloned()
            .collect();
        if rules.is_empty() {
            return Ok(Map::new());
        }
        let user = match subject.person {
            Some((id, _)) => self.store.find_user(id).await?,
            None => None,
        };
        let user = user.map(|user| self.seen_by(subject.client, user));
        let facts = Facts {
            user: user.as_ref(),
            client: subject.client,
            scope: &access.scope,
            connection: subject.person.and_then(|(_, id)| id).map(ConnectionId::as_str),
        };
        Ok(claim_mapping::apply(&rules, &facts, Target::AccessToken))
    }
}
