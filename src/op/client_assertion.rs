//! A client that proves itself by a JWT — RFC 7523 §2.2, OIDC Core §9.
//!
//! The rules are in `protocol/client_assertion.rs`. An assertion is used up in an act of its own
//! before the request's: of any number of requests with it, on any number of replicas, one goes on.

use std::sync::Arc;

use super::clients::RegisteredClient;
use super::{Failure, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::client::{Client, TokenEndpointAuthMethod};
use crate::protocol::client_assertion::{self as rules, Expected, Seen};
use crate::protocol::error::Refusal;
use crate::protocol::id::ClientId;
use crate::protocol::jws::ForeignJwt;
use crate::protocol::metadata::path;
use crate::store::single_use::SingleUse;

fn refused(detail: impl Into<String>) -> Refusal {
    Refusal::invalid_client("client authentication failed").detail(detail)
}

impl Provider {
    /// The client whose key signed this assertion.
    ///
    /// # Errors
    /// `invalid_client`, whatever is wrong with it.
    pub(super) async fn authenticate_by_assertion(
        &self,
        client_id: &ClientId,
        assertion: &str,
        now: Timestamp,
    ) -> Result<Arc<RegisteredClient>, Failure> {
        let remembered = self.remembered_client(client_id).await;
        let proven = match &remembered {
            Some(registered) => self.check_assertion(&registered.client, assertion, now).await,
            None => Err(refused("unknown client_id").into()),
        };
        let (registered, seen) = match (remembered, proven) {
            (Some(registered), Ok(seen)) => (registered, seen),
            // Not known, or changed within the last second: the row itself decides.
            (_, Err(Failure::Refused(_)) | Ok(_)) => {
                let registered = self
                    .load_client(client_id)
                    .await?
                    .ok_or_else(|| refused("unknown client_id"))?;
                let seen = self.check_assertion(&registered.client, assertion, now).await?;
                (registered, seen)
            }
            (_, Err(fault @ Failure::Fault(_))) => return Err(fault),
        };
        // Two clients may use the same jti.
        let key = self.vault.hash(&format!("assertion:{client_id}:{}", seen.jti)).to_text();
        let first = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let first = tx.claim(SingleUse::Jti, &key, seen.until, now).await?;
                    Ok::<_, Failure>(first)
                })
            })
            .await?;
        if first { Ok(registered) } else { Err(refused("client_assertion: used before").into()) }
    }

    async fn check_assertion(
        &self,
        client: &Client,
        assertion: &str,
        now: Timestamp,
    ) -> Result<Seen, Failure> {
        if client.token_endpoint_auth_method != TokenEndpointAuthMethod::PrivateKeyJwt {
            return Err(refused("the client is not registered for private_key_jwt").into());
        }
        let profile = self.profile_of(client);
        let jwt = ForeignJwt::read(assertion, profile.algorithms())
            .map_err(|error| refused(format!("client_assertion: {error}")))?;
        rules::check_header(&jwt, client)?;
        let claims = self
            .signed_by_client(&jwt, client, now)
            .await?
            .map_err(|error| refused(format!("client_assertion: {error}")))?;
        // The endpoints a library may take for the audience (RFC 7523 §3, RFC 9126 §2).
        let endpoints = [path::TOKEN, path::PUSHED_AUTHORIZATION_REQUEST]
            .map(|endpoint| format!("{}{endpoint}", self.issuer));
        let issuer = &self.issuer;
        let expected = Expected { client, profile, issuer, endpoints: &endpoints, now };
        Ok(rules::check(&claims, &expected)?)
    }
}
