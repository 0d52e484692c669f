//! `urn:ietf:params:oauth:grant-type:device_code` — RFC 8628 §3.4, §3.5.
//!
//! Each question is one statement that keeps the pace, and its mark stays whatever the answer is.
//! The answer itself is used up in the transaction that opens the grant.

use serde_json::json;

use super::authorization_code::client_actor;
use super::{Giver, Minting, TokenRequest, TokenResponse, may_give};
use crate::op::{Failure, Provider, trace};
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::grant::{Grant, GrantTerms};
use crate::protocol::id::GrantId;
use crate::protocol::sign_in::Step;
use crate::store::devices::DeviceAuthorization;
use crate::store::{StoreFault, WriteTx};

impl Provider {
    pub(super) async fn redeem_device_code(
        &self,
        request: &TokenRequest<'_>,
    ) -> Result<TokenResponse, Failure> {
        let now = request.now;
        let hash = self.vault.hash(request.params.required("device_code")?);
        let client_id = request.client().client_id.clone();
        let polled: Result<DeviceAuthorization, Refusal> = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let Some(device) = tx.poll_device(&hash, &client_id, now).await? else {
                        let found = tx.find_device(&hash).await?;
                        let late = found.is_some_and(|device| {
                            device.client_id == client_id
                                && device.spent_at.is_none()
                                && device.expires_at <= now
                        });
                        return Ok::<_, Failure>(Err(if late { expired() } else { not_good() }));
                    };
                    if device.hurried {
                        let seconds = device.poll_interval / 1000;
                        return Ok(Err(Refusal::slow_down(format!(
                            "wait {seconds} seconds between two questions"
                        ))));
                    }
                    if device.decided_at.is_none() {
                        return Ok(Err(Refusal::authorization_pending(
                            "the person has not answered yet",
                        )));
                    }
                    if device.given.is_none() {
                        tx.spend_device(&hash, now).await?;
                        return Ok(Err(Refusal::access_denied("the person said no")));
                    }
                    Ok(Ok(device))
                })
            })
            .await?;
        let device = polled?;
        let Some(given) = device.given else { return Err(not_good().into()) };

        let resources = request.requested_resources();
        let access = self.narrowed(&given.terms, None, &resources).await?;
        // The grant outlives the browser it was given in: a television stays signed in when the
        // telephone signs out. What ends the person's grants ends it too.
        let giver = Giver {
            user_id: given.user_id,
            session_id: None,
            connection_id: Some(given.connection_id),
        };
        let terms = GrantTerms { cnf: request.cnf_for_refresh(), ..given.terms };
        let id = GrantId::random(self.entropy.as_ref());
        let grant = self.new_grant(request.client(), id, giver, terms, now);
        let (session_id, sign_in) = (given.session_id, given.sign_in);
        let stored = grant.clone();
        let opened: Result<(), Refusal> = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    // The world may have changed since the person said yes.
                    let may = may_give(tx, &stored.user_id, Some(&session_id)).await?;
                    if !tx.spend_device(&hash, now).await? {
                        return Ok::<_, Failure>(Err(not_good().detail("fetched before")));
                    }
                    let sign_in = sign_in.as_deref();
                    if let Err(why) = may {
                        let refusal = not_good().detail(why);
                        let told = trace::refusal(&refusal);
                        trace::note(tx, sign_in, Step::NotRedeemed, told, now).await?;
                        return Ok(Err(refusal));
                    }
                    open(tx, &stored).await?;
                    let client = json!({ "client_id": stored.client_id });
                    trace::note(tx, sign_in, Step::Redeemed, client, now).await?;
                    Ok(Ok(()))
                })
            })
            .await?;
        opened?;
        let minting = Minting { access, generation: 1, nonce: None, cnf: request.cnf.clone(), now };
        self.mint_for_grant(request.client(), &grant, minting).await
    }
}

async fn open(tx: &WriteTx, grant: &Grant) -> Result<(), StoreFault> {
    tx.insert_grant(grant).await?;
    let actor = client_actor(&grant.client_id);
    let event = Event::new(grant.created_at, "device_code.redeemed", actor);
    tx.record(&event.target(grant.id.to_string())).await
}

fn not_good() -> Refusal {
    Refusal::invalid_grant("the device code is unknown or already used")
}

fn expired() -> Refusal {
    Refusal::expired_token("the device code has expired; begin again")
}
