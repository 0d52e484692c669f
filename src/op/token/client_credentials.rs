//! `client_credentials` — RFC 6749 §4.4. Writes nothing but a DPoP proof's
//! use: the signature is the record.

use super::{Subject, TokenRequest, TokenResponse};
use crate::op::{Failure, Provider};
use crate::protocol::api::Api;
use crate::protocol::error::Refusal;
use crate::protocol::scope;

impl Provider {
    pub(super) async fn client_credentials(
        &self,
        request: &TokenRequest<'_>,
    ) -> Result<TokenResponse, Failure> {
        let client = request.client();
        if client.is_public() {
            return Err(Refusal::unauthorized_client(
                "a public client cannot act for itself (RFC 6749 section 4.4)",
            )
            .into());
        }
        let requested = scope::parse(request.params.one("scope")?.unwrap_or_default())?;
        let resources = scope::resources(client, &request.requested_resources())?;
        let apis = self.apis(&resources).await?;
        let apis: Vec<Api> = apis.iter().map(|api| api.as_ref().clone()).collect();
        let access = scope::decide(client, &requested, resources, &apis, false)?;
        let subject = Subject::of_client(client, request.cnf.as_ref());
        let (access_token, ttl) = self.mint_access_token(&subject, &access, request.now).await?;
        Ok(TokenResponse::of_access_token(access_token, ttl, &access, request.cnf.as_ref(), None))
    }
}
