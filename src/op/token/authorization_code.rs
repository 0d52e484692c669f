//! `authorization_code` — RFC 6749 §4.1.3, RFC 7636 §4.6, OIDC Core §3.1.3.
//!
//! The code is spent before anything is looked at, in the transaction that opens the grant: of
//! any number of redemptions, on any number of replicas, one succeeds. A code that comes again
//! ends what it gave (RFC 6749 §4.1.2).

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Giver, Minting, TokenRequest, TokenResponse, may_give};
use crate::op::ending::{self, Ending, Reason};
use crate::op::possession::not_its_key;
use crate::op::{Failure, Provider, trace};
use crate::protocol::ambient::Timestamp;
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::grant::{Grant, GrantTerms};
use crate::protocol::id::{ClientId, ConnectionId, GrantId, SessionId, UserId};
use crate::protocol::pkce::{self, CodeChallenge};
use crate::protocol::sign_in::Step;
use crate::store::WriteTx;
use crate::store::single_use::SingleUse;

/// What a code stands for, parked under its hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct IssuedCode {
    /// The sign-in it ends.
    #[serde(default)]
    pub(crate) sign_in: Option<String>,
    /// The grant that redeeming it opens; named now, so that a replay finds what to revoke.
    pub(crate) grant_id: GrantId,
    pub(crate) client_id: ClientId,
    pub(crate) user_id: UserId,
    pub(crate) session_id: SessionId,
    pub(crate) connection_id: ConnectionId,
    /// Present when the authorization request named it; then it must be repeated.
    pub(crate) redirect_uri: Option<String>,
    pub(crate) code_challenge: Option<CodeChallenge>,
    /// The key that must redeem it (RFC 9449 §10).
    #[serde(default)]
    pub(crate) dpop_jkt: Option<String>,
    pub(crate) terms: GrantTerms,
}

impl Provider {
    pub(super) async fn redeem_code(
        &self,
        request: &TokenRequest<'_>,
    ) -> Result<TokenResponse, Failure> {
        let params = request.params;
        let now = request.now;
        let key = self.vault.hash(params.required("code")?).to_text();
        let verifier = params.one("code_verifier")?.map(ToOwned::to_owned);
        let redirect_uri = params.one("redirect_uri")?.map(ToOwned::to_owned);
        let client = request.client();
        // Read ahead only to prepare the row; whether the code is good is decided by `spend`.
        let Some(parked) = self.store.find_parked(SingleUse::AuthorizationCode, &key).await? else {
            return Err(not_good().detail("no such code").into());
        };
        let code: IssuedCode = serde_json::from_slice(&parked.payload)?;
        let giver = Giver {
            user_id: code.user_id.clone(),
            session_id: Some(code.session_id.clone()),
            connection_id: Some(code.connection_id.clone()),
        };
        let terms = GrantTerms { cnf: request.cnf_for_refresh(), ..code.terms.clone() };
        let grant = self.new_grant(client, code.grant_id.clone(), giver, terms, now);
        let shown = request.cnf.as_ref().and_then(|cnf| cnf.jkt.as_ref());
        let checked = check(&code, &client.client_id, verifier.as_deref(), redirect_uri.as_deref())
            .and_then(|()| match &code.dpop_jkt {
                Some(jkt) if shown != Some(jkt) => Err(not_its_key("code")),
                Some(_) | None => Ok(()),
            });

        let client_id = client.client_id.clone();
        let redeemed: Result<Grant, Refusal> = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let outcome =
                        if tx.spend(SingleUse::AuthorizationCode, &key, now).await?.is_none() {
                            if parked.expires_at > now {
                                end_what_it_gave(tx, &code, &client_id, now).await?;
                            }
                            Err(not_good().detail("spent or expired"))
                        } else {
                            open_grant(tx, &code, checked, grant).await?
                        };
                    let (step, detail) = match &outcome {
                        Ok(grant) => (Step::Redeemed, json!({ "client_id": grant.client_id })),
                        Err(refusal) => (Step::NotRedeemed, trace::refusal(refusal)),
                    };
                    trace::note(tx, code.sign_in.as_deref(), step, detail, now).await?;
                    Ok::<_, Failure>(outcome)
                })
            })
            .await?;
        let grant = redeemed?;

        let resources = request.requested_resources();
        let access = self.narrowed(&grant.terms, None, &resources).await?;
        let nonce = grant.terms.nonce.clone();
        let minting = Minting { access, generation: 1, nonce, cnf: request.cnf.clone(), now };
        self.mint_for_grant(client, &grant, minting).await
    }
}

/// A code that comes again ends the grant it opened (RFC 6749 §4.1.2).
async fn end_what_it_gave(
    tx: &WriteTx,
    code: &IssuedCode,
    client_id: &ClientId,
    now: Timestamp,
) -> Result<(), Failure> {
    let ending = Ending::Grant(code.grant_id.clone());
    if ending::end(tx, &ending, Reason::Reuse, now).await?.grants > 0 {
        let event = Event::new(now, "authorization_code.reused", client_actor(client_id))
            .target(code.grant_id.to_string());
        tx.record(&event).await?;
    }
    Ok(())
}

/// Opens the grant of a code that was just spent, if the request is the one it was issued for.
async fn open_grant(
    tx: &WriteTx,
    code: &IssuedCode,
    checked: Result<(), Refusal>,
    grant: Grant,
) -> Result<Result<Grant, Refusal>, Failure> {
    if let Err(refusal) = checked {
        return Ok(Err(refusal));
    }
    // D8: the world may have changed since the code was issued.
    if let Err(why) = may_give(tx, &code.user_id, Some(&code.session_id)).await? {
        return Ok(Err(not_good().detail(why)));
    }
    tx.insert_grant(&grant).await?;
    Ok(Ok(grant))
}

fn not_good() -> Refusal {
    Refusal::invalid_grant("the code is unknown, expired or already used")
}

pub(in crate::op) fn client_actor(client_id: &ClientId) -> String {
    format!("client:{client_id}")
}

/// Whether this request is the one the code was issued for (RFC 6749 §4.1.3).
fn check(
    code: &IssuedCode,
    client_id: &ClientId,
    verifier: Option<&str>,
    redirect_uri: Option<&str>,
) -> Result<(), Refusal> {
    if code.client_id != *client_id {
        return Err(not_good().detail("the code belongs to another client"));
    }
    match (&code.redirect_uri, redirect_uri) {
        (Some(issued_for), Some(given)) if issued_for == given => {}
        (None, None) => {}
        (Some(_), None) => return Err(Refusal::invalid_grant("redirect_uri is missing")),
        (Some(_) | None, Some(_)) => {
            return Err(Refusal::invalid_grant(
                "redirect_uri is not the one of the authorization request",
            ));
        }
    }
    pkce::check(code.code_challenge.as_ref(), verifier)
}
