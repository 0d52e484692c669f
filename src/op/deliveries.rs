//! Delivering what is owed — OIDC Back-Channel Logout 1.0 §2.5, RFC 8935 §2.
//!
//! The outbox says what and to whom; where and how is the client's metadata of this moment, and
//! the token is signed now. An attempt that nobody sees the end of is made again, so a client may
//! hear the same thing twice: a Security Event Token keeps its `jti` and is counted once.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use serde::Serialize;
use tokio::sync::Notify;
use url::Url;

use super::{Fault, Provider};
use crate::protocol::client::Client;
use crate::protocol::delivery::{Delivery, Message, pause};
use crate::protocol::id::ClientId;
use crate::protocol::jose::Typ;
use crate::protocol::logout_token::LogoutTokenClaims;
use crate::protocol::secret::SecretString;
use crate::protocol::security_event::{self, SecurityEventToken, SetError};
use crate::store::outbox::Attempt;
use crate::upstream::http::{OutboundError, Posting};

/// Longer than an attempt can take; after it the delivery is due again.
const LEASE: Duration = Duration::from_secs(60);
/// How many a replica takes at a time.
const BATCH: u32 = 8;
/// How many attempts are under way at once.
const AT_ONCE: usize = 8;
/// Even in a world whose time stands still there is an end.
const MOST_ATTEMPTS: i32 = 250;

/// Wakes whoever delivers.
#[derive(Clone, Default)]
pub struct Doorbell(Arc<Notify>);

impl Doorbell {
    /// Something may be owed.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Returns once it was rung since the last time.
    pub async fn rung(&self) {
        self.0.notified().await;
    }
}

/// Why an attempt did not succeed.
enum Trouble {
    /// It may succeed later.
    Passing(String),
    /// It never will.
    Final(String),
}

impl Provider {
    /// What is rung when something new is owed, so that it is sent at once.
    pub fn doorbell(&self) -> &Doorbell {
        &self.doorbell
    }

    /// Sends everything that is due. Several replicas may do so at once: each delivery is one's.
    /// Returns how many attempts were made.
    ///
    /// # Errors
    /// The store's fault; a receiver's trouble is noted in its row.
    pub async fn deliver_due(&self) -> Result<usize, Fault> {
        let mut attempts = 0;
        loop {
            let now = self.clock.now();
            if !self.store.is_delivery_due(now).await? {
                return Ok(attempts);
            }
            let claimed = self
                .store
                .write(move |tx| {
                    Box::pin(async move {
                        Ok::<_, Fault>(tx.claim_deliveries(BATCH, now.plus(LEASE), now).await?)
                    })
                })
                .await?;
            if claimed.is_empty() {
                // Another replica was faster.
                return Ok(attempts);
            }
            attempts += claimed.len();
            if claimed.len() >= AT_ONCE {
                // There may be more than one can do.
                self.doorbell.ring();
            }
            let mut under_way = futures_util::stream::iter(claimed)
                .map(|delivery| self.attempt(delivery))
                .buffer_unordered(AT_ONCE);
            while let Some(outcome) = under_way.next().await {
                outcome?;
            }
        }
    }

    async fn attempt(&self, delivery: Delivery) -> Result<(), Fault> {
        let outcome = match self.store.find_client(&delivery.client_id).await? {
            None => Err(Trouble::Final("the client is gone".to_owned())),
            Some(client) => self.send(&client, &delivery).await?,
        };
        let now = self.clock.now();
        let (id, attempts) = (delivery.id, delivery.attempts);
        let (kind, client_id) = (delivery.kind.clone(), delivery.client_id.clone());
        let attempt = match outcome {
            Ok(()) => Attempt::Delivered,
            Err(Trouble::Final(error)) => Attempt::Failed { error },
            Err(Trouble::Passing(error)) => {
                let due_at = now.plus(pause(attempts, self.entropy.as_ref()));
                if due_at > delivery.give_up_at || attempts >= MOST_ATTEMPTS {
                    Attempt::Failed { error: format!("{error} (given up)") }
                } else {
                    Attempt::Again { due_at, error }
                }
            }
        };
        let again = matches!(attempt, Attempt::Again { .. });
        let has_cause = delivery.cause.is_some();
        match &attempt {
            Attempt::Delivered => tracing::debug!(id, kind, %client_id, "delivered"),
            Attempt::Again { error, .. } => {
                tracing::info!(id, kind, %client_id, attempts, error, "not delivered yet");
            }
            Attempt::Failed { error } => {
                tracing::warn!(id, kind, %client_id, attempts, error, "a delivery is given up");
            }
        }
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.settle_delivery(&delivery, &attempt, now).await?;
                    if let (Some(cause), false) = (&delivery.cause, again) {
                        tx.hasten_deletion(cause, now).await?;
                    }
                    Ok::<_, Fault>(())
                })
            })
            .await?;
        if has_cause && !again {
            self.doorbell.ring();
        }
        Ok(())
    }

    async fn send(
        &self,
        client: &Client,
        delivery: &Delivery,
    ) -> Result<Result<(), Trouble>, Fault> {
        let now = self.clock.now();
        let Some(message) = &delivery.message else {
            return Ok(Err(Trouble::Final("there is nothing left to tell".to_owned())));
        };
        match message {
            Message::LogoutToken { sub, sid } => {
                let uri = client.settings.backchannel_logout_uri.as_deref();
                let claims = LogoutTokenClaims::new(
                    &self.issuer,
                    client.client_id.as_str(),
                    sub,
                    sid.as_deref(),
                    // A receiver that failed half-way may refuse a `jti` it has seen.
                    self.jti(delivery, delivery.attempts),
                    now,
                );
                let token = self.sign_for(client, Typ::LogoutToken, &claims).await?;
                Ok(self.post_logout_token(uri, &token).await)
            }
            Message::SecurityEvent { sub, event } => {
                let uri = client.settings.security_events_endpoint.as_deref();
                let token = SecurityEventToken::new(
                    &self.issuer,
                    client.client_id.as_str(),
                    sub,
                    event,
                    self.jti(delivery, 0),
                    delivery.created_at,
                );
                let token = self.sign_for(client, Typ::SecurityEvent, &token).await?;
                let bearer = self.event_bearer(&client.client_id).await?;
                Ok(self.push_security_event(uri, token, bearer.as_ref()).await)
            }
        }
    }

    /// Receivers look for the key that the client's ID tokens are signed with.
    async fn sign_for(
        &self,
        client: &Client,
        typ: Typ,
        claims: &impl Serialize,
    ) -> Result<String, Fault> {
        let signer = self.keys.signer(client.id_token_signed_response_alg).await?;
        Ok(signer.sign(typ, claims)?)
    }

    /// A `jti` that a row can be asked for again, and nobody can guess.
    fn jti(&self, delivery: &Delivery, attempt: i32) -> String {
        let named = format!("jti:{}:{}:{attempt}", delivery.id, delivery.created_at.millis());
        self.vault.hash(&named).to_text()
    }

    /// Back-channel logout §2.5: 200 means done, and some frameworks say 204.
    async fn post_logout_token(&self, uri: Option<&str>, token: &str) -> Result<(), Trouble> {
        let url = destination(uri, "backchannel_logout_uri")?;
        let answer = self.outbound.tell_form(&url, &[("logout_token", token)]).await;
        match answer.map_err(|error| unreachable(&error))?.status {
            200 | 204 => Ok(()),
            status => Err(Trouble::Passing(format!("the client answered {status}"))),
        }
    }

    /// RFC 8935 §2.2–§2.4: 202 means taken; 400 says in JSON why not.
    async fn push_security_event(
        &self,
        uri: Option<&str>,
        token: String,
        bearer: Option<&SecretString>,
    ) -> Result<(), Trouble> {
        let url = destination(uri, "security_events_endpoint")?;
        let posting = Posting {
            content_type: security_event::MEDIA_TYPE,
            accept: "application/json",
            bearer,
            body: token,
        };
        let answer =
            self.outbound.tell(&url, posting).await.map_err(|error| unreachable(&error))?;
        match answer.status {
            200 | 202 | 204 => Ok(()),
            400 => Err(match serde_json::from_slice::<SetError>(&answer.body) {
                Ok(error) if error.is_final() => {
                    Trouble::Final(format!("refused: {}", printable(&error.err)))
                }
                Ok(error) => Trouble::Passing(format!("refused: {}", printable(&error.err))),
                Err(_) => Trouble::Passing("the receiver answered 400".to_owned()),
            }),
            status => Err(Trouble::Passing(format!("the receiver answered {status}"))),
        }
    }

    async fn event_bearer(&self, id: &ClientId) -> Result<Option<SecretString>, Fault> {
        let Some(sealed) = self.store.find_event_bearer(id).await? else { return Ok(None) };
        let opened = self.vault.open(&event_bearer_bound_to(id), &sealed)?;
        Ok(Some(SecretString::new(String::from_utf8_lossy(opened.expose()).into_owned())))
    }
}

/// What the sealed bearer token of a client's receiver is bound to.
pub(in crate::op) fn event_bearer_bound_to(id: &ClientId) -> String {
    format!("event_receivers:{id}")
}

fn destination(uri: Option<&str>, member: &str) -> Result<Url, Trouble> {
    let uri = uri.ok_or_else(|| Trouble::Final(format!("the client has no {member} any more")))?;
    Url::parse(uri).map_err(|_| Trouble::Final(format!("{member} is not a URL")))
}

/// What the guard refuses an operator can mend, so nothing is final.
fn unreachable(error: &OutboundError) -> Trouble {
    Trouble::Passing(error.to_string())
}

/// A word from outside, fit for a log and a page.
fn printable(word: &str) -> String {
    word.chars().filter(|c| c.is_ascii_graphic()).take(64).collect()
}
