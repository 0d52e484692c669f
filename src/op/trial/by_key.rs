//! A client tried out by a script, with a key of the admin API. A script has no browser: it is told
//! a link, and whoever opens that signs in; or the code that a device would show.
//!
//! What came of it waits sealed, under a hash of the key's id and the trial's, for that key alone.
//! The link shows a page first, is followed once, and its answer counts in the browser that
//! followed it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::device::{Asked, WaitingTrial};
use super::{How, Outcome, Tried, WAITS, Wish};
use crate::op::admin::Actor;
use crate::op::authorize::Next;
use crate::op::branding::ClientLook;
use crate::op::interaction::Browser;
use crate::op::{Failure, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::api::Api;
use crate::protocol::api_key::{ApiKey, ApiScope};
use crate::protocol::error::Refusal;
use crate::protocol::id::{ClientId, UserId};
use crate::protocol::params::Params;
use crate::protocol::relying_party::Decoded;
use crate::protocol::scope;
use crate::protocol::secret::SecretString;
use crate::store::single_use::SingleUse;

/// Where links lead and their answers come, below the issuer.
pub const PATH: &str = "/try";
/// How long what came of a trial can be asked for, from its beginning.
const KEPT: Duration = Duration::from_secs(2 * 30 * 60);

/// Who is told what came of a trial.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct ForKey {
    key: String,
    id: String,
}

/// A link that waits to be followed.
#[derive(Serialize, Deserialize)]
struct Linked {
    client_id: ClientId,
    wish: Wish,
    of: ForKey,
}

/// How a trial stands.
#[derive(Clone, Serialize, Deserialize)]
pub enum Standing {
    /// Somebody has to follow the link.
    Link,
    /// Somebody has to confirm the code.
    Device(Box<WaitingTrial>),
    /// With tokens, in their parts.
    Tried(Value),
    /// With an error, as the app would have heard it.
    Refused(Value),
}

/// A trial of a key.
#[derive(Clone, Serialize, Deserialize)]
pub struct KeyTrial {
    /// Its name, for that key.
    pub id: String,
    /// Who is tried.
    pub client_id: ClientId,
    /// Until when it can be asked for.
    pub expires_at: Timestamp,
    /// How it stands.
    pub standing: Standing,
}

/// What the page of a link says.
pub struct TrialPage {
    /// What the client is called.
    pub client_name: String,
    /// How it looks.
    pub look: ClientLook,
}

impl Provider {
    /// Where a link leads.
    pub fn trial_link(&self, id: &str) -> String {
        format!("{}{PATH}/{id}", self.issuer)
    }

    /// Begins a trial for the key that acts; one of a client that acts for itself is over at once.
    ///
    /// # Errors
    /// What the client would be refused.
    pub async fn begin_key_trial(
        &self,
        actor: &Actor,
        key: &ApiKey,
        client_id: &ClientId,
        wish: Wish,
    ) -> Result<KeyTrial, Failure> {
        let now = self.clock.now();
        let id = SecretString::random(self.entropy.as_ref()).expose().clone();
        let of = ForKey { key: key.id.clone(), id: id.clone() };
        let registered = self.tried_client(client_id).await?;
        let mut link = None;
        let standing = match How::of(&registered.client) {
            How::Service => {
                Standing::Tried(told(&self.try_service(actor, client_id, &wish).await?))
            }
            How::Device => {
                Standing::Device(Box::new(self.open_waiting(client_id, wish, now).await?.0))
            }
            How::SignIn => {
                // What would be refused is told now, and not to the person.
                self.begun(client_id, wish.clone(), self.link_redirect_uri()).await?;
                let requested = scope::parse(&wish.scope.join(" "))?;
                let resources = scope::resources(&registered.client, &wish.resources)?;
                let found = self.apis(&resources).await?;
                let apis: Vec<Api> = found.iter().map(|api| api.as_ref().clone()).collect();
                scope::decide(&registered.client, &requested, resources, &apis, true)?;
                let linked = Linked { client_id: client_id.clone(), wish, of: of.clone() };
                let parked = self.link_key(&id);
                let payload = serde_json::to_vec(&linked)?;
                link = Some((parked.clone(), self.vault.seal(&bound_to(&parked), &payload)?));
                Standing::Link
            }
            How::Elsewhere => {
                let text = "this client's flow does not go through a browser of anybody's";
                return Err(Refusal::unauthorized_client(text).into());
            }
        };
        let client_id = client_id.clone();
        let trial = KeyTrial { id, client_id, expires_at: now.plus(KEPT), standing };
        let parked = self.key_trial_key(&of);
        let payload = self.vault.seal(&bound_to(&parked), &serde_json::to_vec(&trial)?)?;
        let until = trial.expires_at;
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.park(SingleUse::Trial, &parked, &payload, until, now).await?;
                    if let Some((key, payload)) = link {
                        tx.park(SingleUse::Trial, &key, &payload, now.plus(WAITS), now).await?;
                    }
                    Ok::<_, Failure>(())
                })
            })
            .await?;
        Ok(trial)
    }

    /// How a trial of this key stands. For a device whose person has answered it asks for the
    /// tokens, once.
    ///
    /// # Errors
    /// Our own faults alone.
    pub async fn key_trial(
        &self,
        actor: &Actor,
        key: &ApiKey,
        client_id: &ClientId,
        id: &str,
    ) -> Result<Option<KeyTrial>, Failure> {
        let of = ForKey { key: key.id.clone(), id: id.to_owned() };
        let Some(trial) = self.find_key_trial(&of).await? else { return Ok(None) };
        if trial.client_id != *client_id {
            return Ok(None);
        }
        let Standing::Device(waiting) = &trial.standing else { return Ok(Some(trial)) };
        if !self.is_answered(waiting).await? {
            return Ok(Some(trial));
        }
        let (now, until) = (self.clock.now(), trial.expires_at);
        let asking = self.vault.hash(&format!("key trial asks:{}:{id}", of.key)).to_text();
        let claim = asking.clone();
        let first = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    Ok::<_, Failure>(tx.claim(SingleUse::Trial, &claim, until, now).await?)
                })
            })
            .await?;
        if !first {
            return self.find_key_trial(&of).await;
        }
        match self.ask_as_device(actor, waiting.as_ref().clone(), now).await {
            Ok(Asked::Ended(outcome)) => self.end_key_trial(&of, outcome).await,
            other => {
                self.store
                    .write(move |tx| {
                        Box::pin(async move {
                            tx.unpark(SingleUse::Trial, &asking).await?;
                            Ok::<_, Failure>(())
                        })
                    })
                    .await?;
                other.map(|_| Some(trial))
            }
        }
    }

    /// What the page of a link says; `None` when it leads nowhere (any more).
    ///
    /// # Errors
    /// Our own faults.
    pub async fn look_at_trial_link(&self, id: &str) -> Result<Option<TrialPage>, Failure> {
        let key = self.link_key(id);
        let now = self.clock.now();
        let parked = self.store.find_parked(SingleUse::Trial, &key).await?;
        let parked = parked.filter(|it| it.spent_at.is_none() && now < it.expires_at);
        let Some(parked) = parked else { return Ok(None) };
        let opened = self.vault.open(&bound_to(&key), &parked.payload)?;
        let linked: Linked = serde_json::from_slice(opened.expose())?;
        let Some(registered) = self.load_client(&linked.client_id).await? else { return Ok(None) };
        let client = &registered.client;
        let page =
            TrialPage { client_name: client.client_name.clone(), look: ClientLook::of(client) };
        Ok(Some(page).filter(|_| client.disabled_at.is_none()))
    }

    /// Somebody goes on from the page of a link, in the browser with this binding; `None` when it
    /// leads nowhere.
    ///
    /// # Errors
    /// What the client would be refused, which the key is told too.
    pub async fn follow_trial_link(
        &self,
        id: &str,
        binding: &str,
        browser: &Browser,
    ) -> Result<Option<Next>, Failure> {
        let now = self.clock.now();
        let key = self.link_key(id);
        let spending = key.clone();
        let spent = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    Ok::<_, Failure>(tx.spend(SingleUse::Trial, &spending, now).await?)
                })
            })
            .await?;
        let Some(sealed) = spent else { return Ok(None) };
        let opened = self.vault.open(&bound_to(&key), &sealed)?;
        let linked: Linked = serde_json::from_slice(opened.expose())?;
        if self.living_key(&linked.of, now).await?.is_none() {
            return Ok(None);
        }
        let begun = self.begun(&linked.client_id, linked.wish, self.link_redirect_uri()).await;
        match begun {
            Ok(mut begun) => {
                begun.trial.for_key = Some(linked.of);
                Ok(Some(self.depart_for_trial(begun, binding, browser).await?))
            }
            Err(Failure::Refused(refusal)) => {
                let outcome = Outcome::Refused(linked.client_id, refusal.clone());
                self.end_key_trial(&linked.of, outcome).await?;
                Err(refusal.into())
            }
            Err(fault @ Failure::Fault(_)) => Err(fault),
        }
    }

    /// Takes the answer to a trial that began in the browser with this binding, and keeps what came
    /// of it for the key; `false` when there is none such.
    ///
    /// # Errors
    /// Our own faults.
    pub async fn finish_key_trial(
        &self,
        binding: &str,
        answer: &Params,
        request_id: Option<String>,
    ) -> Result<bool, Failure> {
        let Some(trial) = self.spend_trial(binding, answer).await? else { return Ok(false) };
        let Some(of) = trial.for_key.clone() else { return Ok(false) };
        let Some(key) = self.living_key(&of, self.clock.now()).await? else { return Ok(false) };
        let actor = Actor::api_key(&key, ApiScope::WriteClients, request_id);
        let outcome = self.outcome(&actor, trial, answer).await?;
        Ok(self.end_key_trial(&of, outcome).await?.is_some())
    }

    async fn living_key(&self, of: &ForKey, now: Timestamp) -> Result<Option<ApiKey>, Failure> {
        let key = self.store.find_api_key_by_id(&of.key).await?;
        Ok(key.filter(|key| key.is_alive(now)))
    }

    async fn find_key_trial(&self, of: &ForKey) -> Result<Option<KeyTrial>, Failure> {
        let key = self.key_trial_key(of);
        let parked = self.store.find_parked(SingleUse::Trial, &key).await?;
        let now = self.clock.now();
        let Some(parked) = parked.filter(|it| now < it.expires_at) else { return Ok(None) };
        let opened = self.vault.open(&bound_to(&key), &parked.payload)?;
        Ok(Some(serde_json::from_slice(opened.expose())?))
    }

    /// Keeps how a trial ended; `None` when nobody can ask for it any more. It goes with the person
    /// whom it is about.
    async fn end_key_trial(
        &self,
        of: &ForKey,
        outcome: Outcome,
    ) -> Result<Option<KeyTrial>, Failure> {
        let Some(mut trial) = self.find_key_trial(of).await? else { return Ok(None) };
        let mut about: Option<UserId> = None;
        trial.standing = match outcome {
            Outcome::Tried(tried) => {
                about.clone_from(&tried.user_id);
                Standing::Tried(told(&tried))
            }
            Outcome::Refused(_, refusal) => Standing::Refused(json!({
                "error": refusal.code.as_str(),
                "error_description": refusal.description,
            })),
        };
        let key = self.key_trial_key(of);
        let payload = self.vault.seal(&bound_to(&key), &serde_json::to_vec(&trial)?)?;
        let now = self.clock.now();
        let kept = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if let Some(user) = about {
                        // Whoever is gone by now is told of no more.
                        if tx.hold_user(&user).await?.is_none() {
                            tx.unpark(SingleUse::Trial, &key).await?;
                            return Ok(false);
                        }
                        tx.park_about(SingleUse::Trial, &key, &user).await?;
                    }
                    Ok::<_, Failure>(tx.repark(SingleUse::Trial, &key, &payload, now).await?)
                })
            })
            .await?;
        Ok(kept.then_some(trial))
    }

    fn link_redirect_uri(&self) -> String {
        format!("{}{PATH}", self.issuer)
    }

    fn link_key(&self, id: &str) -> String {
        self.vault.hash(&format!("trial link:{id}")).to_text()
    }

    fn key_trial_key(&self, of: &ForKey) -> String {
        self.vault.hash(&format!("key trial:{}:{}", of.key, of.id)).to_text()
    }
}

fn bound_to(key: &str) -> String {
    format!("single_use:key_trial:{key}")
}

/// What the console's page shows: tokens in their parts, never as they were issued.
fn told(tried: &Tried) -> Value {
    let parts = |token: &Decoded| json!({ "header": token.header, "claims": token.claims });
    let userinfo = tried.userinfo.as_ref().map(|answer| match answer {
        Ok(userinfo) => json!(userinfo),
        Err(refusal) => json!({ "error": refusal.code.as_str() }),
    });
    let checks: Vec<_> = tried
        .checks
        .iter()
        .map(|check| {
            json!({
                "subject": check.subject,
                "rule": check.rule,
                "holds": check.holds,
                "found": check.found,
            })
        })
        .collect();
    json!({
        "access_token": parts(&tried.access_token),
        "id_token": tried.id_token.as_ref().map(parts),
        "userinfo": userinfo,
        "refresh_token": tried.refresh_token,
        "checks": checks,
    })
}
