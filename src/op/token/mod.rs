//! The token endpoint: who asks, for which grant, and what is minted — RFC 6749 §3.2, §5.1.

pub mod authorization_code;
pub mod client_credentials;
mod delegation;
mod device_code;
mod jwt_bearer;
mod mapped_claims;
mod narrowing;
mod native_trace;
mod opaque;
pub mod preview;
pub mod refresh_token;
mod subject;
pub mod token_exchange;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use self::subject::Subject;
use super::clients::RegisteredClient;
use super::{Failure, Provider};
use crate::protocol::access_token::{AccessTokenClaims, Audience, jti};
use crate::protocol::acr;
use crate::protocol::ambient::Timestamp;
use crate::protocol::api::{AccessTokenFormat, Api};
use crate::protocol::client::{Client, GrantType};
use crate::protocol::confirmation::{Confirmation, TokenType};
use crate::protocol::error::Refusal;
use crate::protocol::grant::{Grant, GrantTerms};
use crate::protocol::id::{ConnectionId, GrantId, SessionId, UserId};
use crate::protocol::id_token::IdTokenClaims;
use crate::protocol::jose::{Algorithm, Typ};
use crate::protocol::params::Params;
use crate::protocol::presented::Presented;
use crate::protocol::refresh_token as family;
use crate::protocol::scope::Access;
use crate::store::{StoreFault, WriteTx};

/// `issued_token_type` and its like (RFC 8693 §3).
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// The longest life an API may give its access tokens, seconds.
const LONGEST_ACCESS_TOKEN: u32 = 24 * 3600;

/// What the token endpoint answers (RFC 6749 §5.1, OIDC Core §3.1.3.3, RFC 8693 §2.2.1).
#[derive(Serialize)]
pub struct TokenResponse {
    pub(super) access_token: String,
    token_type: TokenType,
    expires_in: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
}

impl TokenResponse {
    /// An answer that holds an access token and nothing else.
    fn of_access_token(
        access_token: String,
        ttl: Duration,
        access: &Access,
        cnf: Option<&Confirmation>,
        issued_token_type: Option<&'static str>,
    ) -> Self {
        Self {
            access_token,
            token_type: TokenType::of(cnf),
            expires_in: ttl.as_secs(),
            scope: access.scope.join(" "),
            refresh_token: None,
            id_token: None,
            issued_token_type,
        }
    }
}

/// Whether this person may be given a grant now, in this session if it hangs on one; if not, why.
/// They are held, so that an ending which comes second finds the grant.
async fn may_give(
    tx: &WriteTx,
    user_id: &UserId,
    session_id: Option<&SessionId>,
) -> Result<Result<(), &'static str>, StoreFault> {
    let user = tx.hold_user(user_id).await?;
    if let Some(id) = session_id {
        let session = tx.hold_session(id).await?;
        if session.is_none_or(|session| session.ended_at.is_some()) {
            return Ok(Err("the session has ended"));
        }
    }
    Ok(match user {
        Some(user) if user.disabled_at.is_none() => Ok(()),
        Some(_) | None => Err("the person is disabled"),
    })
}

/// One request at the token endpoint, its client proven.
pub(super) struct TokenRequest<'a> {
    /// The provider's own resource, which is what a token is for when it names none.
    pub(super) own: &'a str,
    pub(super) registered: &'a RegisteredClient,
    pub(super) params: &'a Params,
    /// The keys that were shown: what is minted will be bound to them.
    pub(super) cnf: Option<Confirmation>,
    /// The request's id: that of the sign-in, if it is one.
    pub(super) sign_in: Option<String>,
    pub(super) now: Timestamp,
}

impl TokenRequest<'_> {
    fn client(&self) -> &Client {
        &self.registered.client
    }

    /// What must be shown again to refresh: a public client has nothing else to prove itself by.
    fn cnf_for_refresh(&self) -> Option<Confirmation> {
        self.cnf.clone().filter(|_| self.client().is_public())
    }

    fn requested_resources(&self) -> Vec<String> {
        let resources = self.params.all("resource").filter(|resource| *resource != self.own);
        resources.map(ToOwned::to_owned).collect()
    }
}

impl Provider {
    /// Answers a token request: finds the grant type, proves the client, and lets the grant's own
    /// file decide.
    ///
    /// # Errors
    /// The refusals of RFC 6749 §5.2 and of each grant.
    pub async fn token(
        &self,
        presented: &Presented<'_>,
        params: &Params,
    ) -> Result<TokenResponse, Failure> {
        let now = self.clock.now();
        let name = params.required("grant_type")?;
        let grant_type = GrantType::parse(name)
            .ok_or_else(|| Refusal::unsupported_grant_type("this grant_type is not supported"))?;
        if grant_type == GrantType::JwtBearer {
            // The assertion itself says for which client it is.
            return self.jwt_bearer(presented, params, now).await;
        }
        let registered = self.authenticate_client(presented, params, now).await?;
        if !registered.client.may_use(grant_type) {
            return Err(Refusal::unauthorized_client(
                "this client is not registered for this grant_type",
            )
            .into());
        }
        let own = self.own_resource();
        let cnf = self.keys_for_tokens(&registered.client, presented, now).await?;
        let sign_in = presented.request_id.clone();
        let request =
            TokenRequest { own: &own, registered: &registered, params, cnf, sign_in, now };
        let answer = match grant_type {
            GrantType::AuthorizationCode => self.redeem_code(&request).await,
            GrantType::RefreshToken => self.refresh(&request).await,
            GrantType::ClientCredentials => self.client_credentials(&request).await,
            GrantType::TokenExchange => self.exchange(&request).await,
            GrantType::JwtBearer => self.jwt_bearer(presented, params, now).await,
            GrantType::DeviceCode => self.redeem_device_code(&request).await,
        };
        if grant_type == GrantType::TokenExchange {
            self.observe_native(&registered.client.client_id, params, &answer, now);
        }
        let answer = answer?;
        self.observations.token(&registered.client.client_id, grant_type, now);
        Ok(answer)
    }

    /// The tokens of a trial at the console: the grant's own act, on an admin's word in place of
    /// the client's proof.
    pub(super) async fn tokens_of_trial(
        &self,
        registered: &RegisteredClient,
        params: &Params,
        now: Timestamp,
    ) -> Result<TokenResponse, Failure> {
        let own = self.own_resource();
        let request = TokenRequest { own: &own, registered, params, cnf: None, sign_in: None, now };
        if params.one("code")?.is_some() {
            self.redeem_code(&request).await
        } else if params.one("device_code")?.is_some() {
            self.redeem_device_code(&request).await
        } else {
            self.client_credentials(&request).await
        }
    }

    /// Mints what a grant gives: an access token, an ID token with `openid`, and a refresh token
    /// of `generation` with `offline_access`.
    pub(super) async fn mint_for_grant(
        &self,
        client: &Client,
        grant: &Grant,
        minting: Minting,
    ) -> Result<TokenResponse, Failure> {
        let Minting { access, generation, nonce, cnf, now } = minting;
        let terms = &grant.terms;
        let subject = Subject::of_grant(client, grant, cnf.as_ref());
        let (access_token, ttl) = self.mint_access_token(&subject, &access, now).await?;
        let openid = access.scope.iter().any(|value| value == "openid");
        let id_token = if openid {
            let alg = self.profile_of(client).id_token_algorithm(client);
            let at_hash = Some(alg.half_hash(&access_token));
            let claims = self.id_token_claims(client, grant, &access, now).await?;
            let claims = IdTokenClaims { nonce, at_hash, ..claims };
            Some(self.keys.signer(alg).await?.sign(Typ::IdToken, &claims)?)
        } else {
            None
        };
        let refresh_token = terms
            .is_offline()
            .then(|| {
                family::mint(&self.vault, self.entropy.as_ref(), &grant.id, generation)
                    .map(|token| token.expose().clone())
            })
            .flatten();
        Ok(TokenResponse {
            access_token,
            token_type: TokenType::of(cnf.as_ref()),
            expires_in: ttl.as_secs(),
            scope: access.scope.join(" "),
            refresh_token,
            id_token,
            issued_token_type: None,
        })
    }

    /// What an ID token says of this grant, but for the request's `nonce` and the access token's
    /// hash.
    async fn id_token_claims(
        &self,
        client: &Client,
        grant: &Grant,
        access: &Access,
        now: Timestamp,
    ) -> Result<IdTokenClaims, Failure> {
        let terms = &grant.terms;
        Ok(IdTokenClaims {
            iss: self.issuer.clone(),
            sub: terms.sub.clone(),
            aud: grant.client_id.to_string(),
            exp: now.plus(self.policy.id_token_ttl).secs(),
            iat: now.secs(),
            auth_time: terms.auth_time.secs(),
            nonce: None,
            at_hash: None,
            amr: terms.amr.clone(),
            acr: acr::of(&terms.amr).map(ToOwned::to_owned),
            sid: grant.session_id.as_ref().map(ToString::to_string),
            claims: self.claims_in_id_token(client, grant, access).await?,
        })
    }

    /// Makes an access token for these resources, in the format that the API wants.
    async fn mint_access_token(
        &self,
        subject: &Subject<'_>,
        access: &Access,
        now: Timestamp,
    ) -> Result<(String, Duration), Failure> {
        let (claims, alg, ttl) = self.access_token_claims(subject, access, now).await?;
        let apis = self.apis(&access.resources).await?;
        let opaque =
            apis.iter().any(|api| api.settings.access_token_format == AccessTokenFormat::Opaque);
        let token = if opaque {
            self.store_opaque_token(claims).await?
        } else {
            self.keys.signer(alg).await?.sign(Typ::AccessToken, &claims)?
        };
        Ok((token, ttl))
    }

    /// What an access token for these resources says, and what signs it; the API decides algorithm
    /// and life, and of several the shortest life counts.
    async fn access_token_claims(
        &self,
        subject: &Subject<'_>,
        access: &Access,
        now: Timestamp,
    ) -> Result<(AccessTokenClaims, Algorithm, Duration), Failure> {
        let apis = self.apis(&access.resources).await?;
        let (alg, mut ttl) = self.alg_and_ttl(&apis);
        if let Some(not_after) = subject.not_after {
            ttl = ttl.min(Duration::from_secs(not_after.since(now).as_secs()));
        }
        let claims = AccessTokenClaims {
            iss: self.issuer.clone(),
            sub: subject.sub.to_owned(),
            aud: Audience::of(&access.resources, &self.issuer),
            exp: now.plus(ttl).secs(),
            iat: now.secs(),
            jti: jti(self.entropy.as_ref(), subject.grant_id),
            client_id: subject.client_id.to_string(),
            scope: access.scope.join(" "),
            auth_time: subject.auth_time.map(Timestamp::secs),
            amr: subject.amr.to_vec(),
            sid: subject.session_id.map(ToString::to_string),
            cnf: subject.cnf.cloned(),
            act: subject.act.clone(),
            may_act: subject.may_act.clone(),
            more: self.claims_in_access_token(subject, access, &apis).await?,
        };
        Ok((claims, alg, ttl))
    }

    fn alg_and_ttl(&self, apis: &[Arc<Api>]) -> (Algorithm, Duration) {
        let ttl = apis.iter().map(|api| u64::from(api.access_token_ttl)).min();
        (
            apis.first().map_or(Algorithm::Rs256, |api| api.signing_alg),
            ttl.map_or(self.policy.access_token_ttl, Duration::from_secs),
        )
    }

    /// A new grant, with its limits set from the client.
    pub(super) fn new_grant(
        &self,
        client: &Client,
        id: GrantId,
        giver: Giver,
        terms: GrantTerms,
        now: Timestamp,
    ) -> Grant {
        let seconds = |ttl: u32| Duration::from_secs(u64::from(ttl));
        // Without a refresh family nothing outlives the longest access token.
        let life = if terms.is_offline() {
            client.refresh_token_absolute_ttl
        } else {
            LONGEST_ACCESS_TOKEN
        };
        let expires_at = now.plus(seconds(life));
        Grant {
            id,
            client_id: client.client_id.clone(),
            user_id: giver.user_id,
            terms,
            session_id: giver.session_id,
            connection_id: giver.connection_id,
            created_at: now,
            refresh_generation: 0,
            refresh_spent_hash: None,
            refresh_idle_expires_at: now
                .plus(seconds(client.refresh_token_idle_ttl))
                .min(expires_at),
            expires_at,
            revoked_at: None,
        }
    }
}

/// Who gives a grant, and how they had signed in.
pub(super) struct Giver {
    pub(super) user_id: UserId,
    pub(super) session_id: Option<SessionId>,
    pub(super) connection_id: Option<ConnectionId>,
}

/// What to mint from a grant.
pub(super) struct Minting {
    pub(super) access: Access,
    pub(super) generation: i32,
    pub(super) nonce: Option<String>,
    pub(super) cnf: Option<Confirmation>,
    pub(super) now: Timestamp,
}
