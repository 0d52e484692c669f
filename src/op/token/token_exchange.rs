//! Native Sign in with Apple as a token exchange — RFC 8693 §2, contract §3, apple.md §5.
//!
//! Identity token and authorization code are checked together. Each identity token is good once:
//! it is claimed before the code is redeemed, so two requests never both reach Apple.
//!
//! With an `actor_token` the app says that whoever is signed in to it already wants this identity
//! as a further way in: both are proven, and joined.

use super::native_trace::NativeTrace;
use super::{ACCESS_TOKEN, Giver, Minting, TokenRequest, TokenResponse, may_give};
use crate::op::people::Arrival;
use crate::op::{Failure, Provider, offered};
use crate::protocol::error::Refusal;
use crate::protocol::grant::GrantTerms;
use crate::protocol::id::{ConnectionId, GrantId, UserId};
use crate::protocol::params::Params;
use crate::protocol::scope;
use crate::store::single_use::SingleUse;
use crate::upstream::{NativeCredential, NativeSignIn, UpstreamError, VerifiedNative};

const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

impl Provider {
    pub(super) async fn exchange(
        &self,
        request: &TokenRequest<'_>,
    ) -> Result<TokenResponse, Failure> {
        if request.params.one("subject_token_type")? == Some(ACCESS_TOKEN) {
            return self.delegate(request).await;
        }
        let answer = self.sign_in_natively(request).await;
        if let Err(failure) = &answer {
            self.note_refused_native(request, failure).await;
        }
        answer
    }

    async fn sign_in_natively(&self, request: &TokenRequest<'_>) -> Result<TokenResponse, Failure> {
        let params = request.params;
        let now = request.now;
        let client = request.client();
        check_types(params)?;
        let connection = ConnectionId::new(params.required("subject_issuer")?);
        offered::allowed(client, &connection)?;
        let connector = self
            .connector(&connection)
            .ok_or_else(|| Refusal::invalid_request("subject_issuer is not a connection"))?;
        let native = connector.native().ok_or_else(|| {
            Refusal::invalid_request("subject_issuer does not offer native sign-in")
        })?;

        // Everything that can be refused without using anything up comes first.
        let joins = self.whose_way_in(request).await?;
        let requested = scope::parse(params.one("scope")?.unwrap_or_default())?;
        let mut resources = request.requested_resources();
        resources.extend(params.all("audience").map(ToOwned::to_owned));
        let resources = scope::resources(client, &resources)?;
        let apis: Vec<_> =
            self.apis(&resources).await?.iter().map(|api| api.as_ref().clone()).collect();
        let access = scope::decide(client, &requested, resources, &apis, true)?;
        let authorization_code = params.one("authorization_code")?;
        let nonce = params.required("nonce")?;
        let credential = NativeCredential {
            identity_token: params.required("subject_token")?,
            authorization_code,
            nonce,
            user: params.one("user")?,
            allowed_audiences: &client.apple_bundle_ids,
        };
        let verified = native
            .verify(&credential, now)
            .await
            .map_err(|error| refused(error, "subject_token"))?;

        self.use_challenge(request, nonce).await?;
        self.claim_identity_token(credential.identity_token, &verified, now).await?;
        let mut identity = verified.identity.clone();
        self.keep_profile(&identity, now).await?;
        identity.grant = redeem(native, &verified, authorization_code, now).await?;

        let (authority, subject) = (identity.authority.clone(), identity.subject.clone());
        let arrival = Arrival { connection_id: connection.clone(), identity, joins };
        let user = self.recognise(arrival, now).await?;
        let terms = GrantTerms {
            sub: self.sub_for(client, &user),
            scope: access.scope.clone(),
            resources: access.resources.clone(),
            auth_time: now,
            amr: Vec::new(),
            nonce: Some(nonce.to_owned()),
            claims: crate::protocol::claims_request::NamedClaims::default(),
            cnf: request.cnf_for_refresh(),
        };
        let id = GrantId::random(self.entropy.as_ref());
        let giver = Giver { user_id: user.id, session_id: None, connection_id: Some(connection) };
        let grant = self.new_grant(client, id, giver, terms, now);
        let stored = grant.clone();
        let traced = NativeTrace::of(request);
        let given: Result<(), Refusal> = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let refusal = Refusal::invalid_grant("the person was signed out meanwhile");
                    if let Err(why) = may_give(tx, &stored.user_id, None).await? {
                        return Ok::<_, Failure>(Err(refusal.detail(why)));
                    }
                    let identity = tx.find_identity(&authority, &subject).await?;
                    if identity.is_none_or(|identity| identity.ended_at.is_some()) {
                        return Ok(Err(refusal.detail("the upstream took the consent back")));
                    }
                    tx.insert_grant(&stored).await?;
                    if let Some(traced) = traced {
                        let client_id = stored.client_id.as_str();
                        traced.note_success(tx, &stored.user_id, client_id).await?;
                    }
                    Ok(Ok(()))
                })
            })
            .await?;
        given?;
        let nonce = grant.terms.nonce.clone();
        let minting = Minting { access, generation: 1, nonce, cnf: request.cnf.clone(), now };
        let mut response = self.mint_for_grant(client, &grant, minting).await?;
        response.issued_token_type = Some(ACCESS_TOKEN);
        Ok(response)
    }

    /// Who adds this identity to those they have: the person of an access token that this very
    /// client obtained for them.
    async fn whose_way_in(&self, request: &TokenRequest<'_>) -> Result<Option<UserId>, Failure> {
        let Some(actor_token) = request.params.one("actor_token")? else { return Ok(None) };
        let actor = self.live("actor_token", actor_token, request.now).await?;
        let client_id = &request.client().client_id;
        // A token for an API is seen by that API, and an exchanged one acts for somebody: neither
        // changes how a person signs in.
        let own = actor.claims.client_id == client_id.as_str()
            && actor.claims.act.is_none()
            && actor.claims.aud.iter().all(|audience| audience == self.issuer);
        let shown = request.cnf.as_ref();
        let bound = actor.claims.cnf.as_ref().is_none_or(|cnf| cnf.is_met_by(shown));
        let grant = actor.grant.filter(|grant| own && bound && grant.client_id == *client_id);
        let grant = grant.ok_or_else(|| {
            Refusal::invalid_grant(
                "actor_token must be one for the issuer that this client obtained for its person",
            )
        })?;
        Ok(Some(grant.user_id))
    }

    /// Hands out a nonce that is good once, for this client (contract §3).
    ///
    /// # Errors
    /// `invalid_client` for a client that may not sign in natively.
    pub async fn native_challenge(&self, params: &Params) -> Result<(String, u64), Failure> {
        let now = self.clock.now();
        let client_id = crate::protocol::id::ClientId::new(params.required("client_id")?);
        let client = self.store.find_client(&client_id).await?.filter(|client| {
            client.disabled_at.is_none()
                && client.may_use(crate::protocol::client::GrantType::TokenExchange)
        });
        if client.is_none() {
            return Err(Refusal::invalid_client("this client may not sign in natively").into());
        }
        let nonce = self.random_secret();
        let key = challenge_key(&self.vault.hash(nonce.expose()).to_text(), client_id.as_str());
        let ttl = self.policy.native_challenge_ttl;
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.park(SingleUse::NativeChallenge, &key, b"", now.plus(ttl), now).await?;
                    Ok::<_, Failure>(())
                })
            })
            .await?;
        Ok((nonce.expose().clone(), ttl.as_secs()))
    }

    /// A nonce that we handed out is used up; a client may be set to accept no other.
    async fn use_challenge(&self, request: &TokenRequest<'_>, nonce: &str) -> Result<(), Failure> {
        let client = request.client();
        let now = request.now;
        let key = challenge_key(&self.vault.hash(nonce).to_text(), client.client_id.as_str());
        let known = self.store.find_parked(SingleUse::NativeChallenge, &key).await?.is_some();
        if !known && !client.require_native_challenge {
            return Ok(());
        }
        let spent = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    Ok::<_, Failure>(tx.spend(SingleUse::NativeChallenge, &key, now).await?)
                })
            })
            .await?;
        if spent.is_none() {
            let refusal = Refusal::invalid_grant("the nonce is unknown, expired or already used");
            return Err(refusal.into());
        }
        Ok(())
    }

    async fn claim_identity_token(
        &self,
        identity_token: &str,
        verified: &VerifiedNative,
        now: crate::protocol::ambient::Timestamp,
    ) -> Result<(), Failure> {
        let key = self.vault.hash(identity_token).to_text();
        let expires_at = verified.expires_at;
        let first = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let first = tx.claim(SingleUse::IdentityToken, &key, expires_at, now).await?;
                    Ok::<_, Failure>(first)
                })
            })
            .await?;
        if first {
            Ok(())
        } else {
            Err(Refusal::invalid_grant("the identity token was used before").into())
        }
    }
}

fn challenge_key(nonce_hash: &str, client_id: &str) -> String {
    format!("{nonce_hash}:{client_id}")
}

/// Access tokens are all that is given out.
pub(super) fn check_requested_type(params: &Params) -> Result<(), Refusal> {
    match params.one("requested_token_type")? {
        None | Some(ACCESS_TOKEN) => Ok(()),
        Some(_) => {
            Err(Refusal::invalid_request(format!("requested_token_type must be {ACCESS_TOKEN}")))
        }
    }
}

fn check_types(params: &Params) -> Result<(), Refusal> {
    if params.required("subject_token_type")? != ID_TOKEN {
        return Err(Refusal::invalid_request(format!(
            "subject_token_type must be {ID_TOKEN} or {ACCESS_TOKEN}"
        )));
    }
    check_requested_type(params)?;
    match (params.one("actor_token")?, params.one("actor_token_type")?) {
        (None, None) | (Some(_), Some(ACCESS_TOKEN)) => Ok(()),
        (Some(_), _) => {
            let refusal = format!("actor_token_type must be {ACCESS_TOKEN}");
            Err(Refusal::invalid_request(refusal))
        }
        (None, Some(_)) => {
            Err(Refusal::invalid_request("actor_token_type stands without actor_token"))
        }
    }
}

async fn redeem(
    native: &dyn NativeSignIn,
    verified: &VerifiedNative,
    authorization_code: Option<&str>,
    now: crate::protocol::ambient::Timestamp,
) -> Result<Option<crate::upstream::ObtainedGrant>, Failure> {
    match authorization_code {
        None => Ok(None),
        Some(code) => native.redeem(verified, code, now).await.map_err(|error| match error {
            // The credential is used up: asking again with it will not do.
            UpstreamError::Unavailable(why) => Refusal::temporarily_unavailable(
                "the identity provider does not answer; let the person sign in there again",
            )
            .detail(why)
            .into(),
            other @ (UpstreamError::Cancelled
            | UpstreamError::Rejected { .. }
            | UpstreamError::Misconfigured(_)) => refused(other, "authorization_code"),
        }),
    }
}

/// At the token endpoint a bad proof is `invalid_grant`, and the app's developer is told which.
fn refused(error: UpstreamError, what: &str) -> Failure {
    match error {
        UpstreamError::Rejected { reason, detail } => {
            Refusal::invalid_grant(format!("{what} was not accepted: {reason}"))
                .detail(detail)
                .into()
        }
        UpstreamError::Cancelled
        | UpstreamError::Unavailable(_)
        | UpstreamError::Misconfigured(_) => error.into(),
    }
}
