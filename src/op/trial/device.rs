//! A device tried out from the console (RFC 8628): the console shows the code as the device would,
//! somebody confirms it in a browser, and the console asks for the tokens as the device would.
//!
//! The device code waits sealed under a hash of the console session's cookie. It is spent by the
//! first answer that is final; until then it may be asked for again.

use serde::{Deserialize, Serialize};

use super::{Outcome, Wish};
use crate::op::admin::Actor;
use crate::op::{Failure, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::client::GrantType;
use crate::protocol::error::{ErrorCode, Refusal};
use crate::protocol::id::ClientId;
use crate::protocol::scope;
use crate::protocol::secret::SecretString;
use crate::store::single_use::SingleUse;

/// A device that waits for its person.
#[derive(Clone, Serialize, Deserialize)]
pub struct WaitingTrial {
    client_id: ClientId,
    wish: Wish,
    device_code: String,
    /// What the device shows.
    pub user_code: String,
    /// Where it is entered.
    pub verification_uri: String,
    /// The same with the code in it.
    pub verification_uri_complete: String,
}

/// What the console hears when it asks for the tokens.
pub enum Asked {
    /// Not yet; what the device would be told.
    Waiting(Box<WaitingTrial>, Refusal),
    /// The end.
    Ended(Outcome),
}

impl Provider {
    /// Begins a trial of a device for the console session with this cookie; what names it there.
    ///
    /// # Errors
    /// What the device would be refused.
    pub async fn begin_device_trial(
        &self,
        client_id: &ClientId,
        wish: Wish,
        cookie: &str,
    ) -> Result<String, Failure> {
        let now = self.clock.now();
        let (trial, expires_at) = self.open_waiting(client_id, wish, now).await?;
        let handle = SecretString::random(self.entropy.as_ref()).expose().clone();
        let key = self.device_trial_key(cookie, &handle);
        let payload = self.vault.seal(&bound_to(&key), &serde_json::to_vec(&trial)?)?;
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.park(SingleUse::Trial, &key, &payload, expires_at, now).await?;
                    Ok::<_, Failure>(())
                })
            })
            .await?;
        Ok(handle)
    }

    /// A device with its two codes, and until when they are good.
    pub(super) async fn open_waiting(
        &self,
        client_id: &ClientId,
        wish: Wish,
        now: Timestamp,
    ) -> Result<(WaitingTrial, Timestamp), Failure> {
        let registered = self.tried_client(client_id).await?;
        let client = &registered.client;
        if !client.may_use(GrantType::DeviceCode) {
            let text = "this client is not registered for device authorization";
            return Err(Refusal::unauthorized_client(text).into());
        }
        let requested = scope::parse(&wish.scope.join(" "))?;
        let opened = self.open_device(client, &requested, &wish.resources, None, now).await?;
        let expires_at = now.plus(opened.lifetime());
        let trial = WaitingTrial {
            client_id: client_id.clone(),
            wish,
            device_code: opened.device_code,
            user_code: opened.user_code,
            verification_uri: opened.verification_uri,
            verification_uri_complete: opened.verification_uri_complete,
        };
        Ok((trial, expires_at))
    }

    /// The device that waits under this name in this session, and whether its person has answered.
    ///
    /// # Errors
    /// Our own faults.
    pub async fn waiting_trial(
        &self,
        client_id: &ClientId,
        cookie: &str,
        handle: &str,
    ) -> Result<Option<(WaitingTrial, bool)>, Failure> {
        let key = self.device_trial_key(cookie, handle);
        let parked = self.store.find_parked(SingleUse::Trial, &key).await?;
        let now = self.clock.now();
        let parked = parked.filter(|it| it.spent_at.is_none() && now < it.expires_at);
        let Some(parked) = parked else { return Ok(None) };
        let opened = self.vault.open(&bound_to(&key), &parked.payload)?;
        let trial: WaitingTrial = serde_json::from_slice(opened.expose())?;
        if trial.client_id != *client_id {
            return Ok(None);
        }
        let answered = self.is_answered(&trial).await?;
        Ok(Some((trial, answered)))
    }

    /// Whether the person has said yes or no.
    pub(super) async fn is_answered(&self, trial: &WaitingTrial) -> Result<bool, Failure> {
        let device = self.store.find_device(&self.vault.hash(&trial.device_code)).await?;
        Ok(device.is_some_and(|device| device.decided_at.is_some()))
    }

    /// Asks for the tokens as the device would; `None` without such a trial in this session.
    ///
    /// # Errors
    /// Our own faults alone; what the device would be refused is an answer.
    pub async fn ask_device_trial(
        &self,
        actor: &Actor,
        client_id: &ClientId,
        cookie: &str,
        handle: &str,
    ) -> Result<Option<Asked>, Failure> {
        let now = self.clock.now();
        let Some((trial, _)) = self.waiting_trial(client_id, cookie, handle).await? else {
            return Ok(None);
        };
        let outcome = match self.ask_as_device(actor, trial, now).await? {
            Asked::Ended(outcome) => outcome,
            waits @ Asked::Waiting(..) => return Ok(Some(waits)),
        };
        let key = self.device_trial_key(cookie, handle);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.spend(SingleUse::Trial, &key, now).await?;
                    Ok::<_, Failure>(())
                })
            })
            .await?;
        Ok(Some(Asked::Ended(outcome)))
    }

    /// Asks at the token endpoint.
    pub(super) async fn ask_as_device(
        &self,
        actor: &Actor,
        trial: WaitingTrial,
        now: Timestamp,
    ) -> Result<Asked, Failure> {
        let registered = self.tried_client(&trial.client_id).await?;
        let resources = trial.wish.resources.clone();
        let mut pairs = vec![("device_code".to_owned(), trial.device_code.clone())];
        pairs.extend(resources.iter().map(|api| ("resource".to_owned(), api.clone())));
        match self.tried(&registered, pairs, &resources, None, actor, now).await {
            Ok(tried) => Ok(Asked::Ended(Outcome::Tried(Box::new(tried)))),
            Err(Failure::Refused(refusal))
                if matches!(
                    refusal.code,
                    ErrorCode::AuthorizationPending | ErrorCode::SlowDown
                ) =>
            {
                Ok(Asked::Waiting(Box::new(trial), refusal))
            }
            Err(Failure::Refused(refusal)) => {
                Ok(Asked::Ended(Outcome::Refused(trial.client_id, refusal)))
            }
            Err(fault @ Failure::Fault(_)) => Err(fault),
        }
    }

    fn device_trial_key(&self, cookie: &str, handle: &str) -> String {
        self.vault.hash(&format!("device trial:{cookie}:{handle}")).to_text()
    }
}

fn bound_to(key: &str) -> String {
    format!("single_use:device_trial:{key}")
}
