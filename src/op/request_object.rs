//! Opening request objects — RFC 9101, OIDC Core §6.1. The rules are in
//! `protocol/request_object.rs`.

use serde_json::{Map, Value};

use super::{Failure, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::client::Client;
use crate::protocol::error::{ErrorCode, Refusal};
use crate::protocol::jws::ForeignJwt;
use crate::protocol::params::Params;
use crate::protocol::request_object::{self as rules, Expected};

impl Provider {
    /// The parameters of a request: those inside its request object if it has one, else `params`
    /// themselves.
    ///
    /// # Errors
    /// `request_not_supported` for a client without keys, `invalid_request_object` for an object
    /// that is no good, `invalid_request` when the client must sign and did not.
    pub(super) async fn opened(
        &self,
        client: &Client,
        params: &Params,
        now: Timestamp,
    ) -> Result<Params, Failure> {
        let Some(object) = params.one("request")? else {
            if client.settings.require_signed_request_object {
                let refusal = Refusal::invalid_request("this client must sign its requests");
                return Err(refusal.into());
            }
            return Ok(params.clone());
        };
        let settings = &client.settings;
        if settings.jwks.is_none() && settings.jwks_uri.is_none() {
            // Nothing could ever be a good object of this client: it has no keys here.
            let text = "this client has registered no keys, so it cannot send a request object";
            return Err(Refusal::new(ErrorCode::RequestNotSupported, text).into());
        }
        let profile = self.profile_of(client);
        let refused = |error| {
            Refusal::invalid_request_object("the request object is not validly signed")
                .detail(format!("{error}"))
        };
        let jwt = ForeignJwt::read(object, profile.algorithms()).map_err(refused)?;
        rules::check_header(&jwt, client)?;
        let claims: Map<String, Value> =
            self.signed_by_client(&jwt, client, now).await?.map_err(refused)?;
        let expected = Expected { client, profile, issuer: &self.issuer, now };
        Ok(rules::open(claims, &expected)?)
    }
}
