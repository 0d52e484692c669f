//! To an upstream and back — apple.md §10, security.md §1H.
//!
//! `depart` parks a journey; `arrive` spends it before anything else, so a callback that comes
//! twice succeeds once. No transaction is open while the upstream is asked.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ending::{self, Ending, Reason};
use super::interaction::{Browser, Interaction};
use super::offered;
use super::people::{self, Arrival};
use super::{Failure, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::{ConnectionId, InteractionId, SessionId};
use crate::protocol::secret::{SecretHash, SecretString};
use crate::protocol::session::Session;
use crate::protocol::user::User;
use crate::store::sessions::Reauthentication;
use crate::store::single_use::SingleUse;
use crate::store::{StoreFault, WriteTx};
use crate::upstream::{Callback, Trip, UpstreamIdentity};

/// A journey that was parked, sealed: `nonce` and verifier are in it.
#[derive(Serialize, Deserialize)]
struct Departure {
    interaction: InteractionId,
    connection: ConnectionId,
    browser: String,
    trip: Trip,
}

/// Somebody came back and is signed in.
pub struct Welcome {
    /// The request that waits for them.
    pub interaction: InteractionId,
    /// The new session cookie.
    pub session_cookie: SecretString,
    /// How long it lives.
    pub session_ttl: Duration,
}

/// What a page on the way back has to know of the request that waits.
pub struct Waiting {
    /// Where the browser may be sent in the end.
    pub redirect_uri: String,
    /// The languages the client wishes for.
    pub ui_locales: Option<String>,
}

/// Where a failed journey leads.
pub enum Stranded {
    /// The request it belonged to is known and this browser's: it gets the error.
    AtInteraction(InteractionId, Failure),
    /// Nothing is known: a page.
    Nowhere(Failure),
}

impl Stranded {
    /// What went wrong.
    pub const fn failure(&self) -> &Failure {
        match self {
            Self::AtInteraction(_, failure) | Self::Nowhere(failure) => failure,
        }
    }
}

impl<F: Into<Failure>> From<F> for Stranded {
    fn from(failure: F) -> Self {
        Self::Nowhere(failure.into())
    }
}

impl Provider {
    /// Sends the browser of an interaction to an upstream.
    ///
    /// # Errors
    /// `invalid_request` for an unknown connection; what the connector says.
    pub async fn depart(
        &self,
        interaction_id: &InteractionId,
        connection: &ConnectionId,
        browser: &Browser,
    ) -> Result<String, Failure> {
        let now = self.clock.now();
        let interaction = self.open_interaction(interaction_id, browser, now).await?;
        let reauthenticate = self.signed_in(browser, now).await?.is_some();
        self.depart_for(interaction_id, &interaction, connection, reauthenticate).await
    }

    pub(super) async fn depart_for(
        &self,
        interaction_id: &InteractionId,
        interaction: &Interaction,
        connection: &ConnectionId,
        reauthenticate: bool,
    ) -> Result<String, Failure> {
        let now = self.clock.now();
        let connector = self
            .connector(connection)
            .ok_or_else(|| Refusal::invalid_request("this connection does not exist"))?;
        self.may_come_through(interaction, connection).await?;
        let trip = Trip {
            state: SecretString::random(self.entropy.as_ref()).expose().clone(),
            nonce: SecretString::random(self.entropy.as_ref()).expose().clone(),
            code_verifier: SecretString::random(self.entropy.as_ref()).expose().clone(),
            redirect_uri: self.callback_uri(connection),
            login_hint: interaction.request.login_hint.clone(),
            reauthenticate,
        };
        let url = connector.depart(&trip, now).await?;
        let key = self.vault.hash(&trip.state).to_text();
        let departure = Departure {
            interaction: interaction_id.clone(),
            connection: connection.clone(),
            browser: interaction.browser.clone(),
            trip,
        };
        let sealed = self.vault.seal(&bound_to(&key), &serde_json::to_vec(&departure)?)?;
        let expires_at = now.plus(self.policy.departure_ttl);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.park(SingleUse::Departure, &key, &sealed, expires_at, now).await?;
                    Ok::<_, Failure>(())
                })
            })
            .await?;
        Ok(url.into())
    }

    async fn may_come_through(
        &self,
        interaction: &Interaction,
        connection: &ConnectionId,
    ) -> Result<(), Failure> {
        let client = self.store.find_client(&interaction.client_id).await?;
        let client = client.ok_or_else(|| Refusal::access_denied("this client is gone"))?;
        Ok(offered::allowed(&client, connection)?)
    }

    /// This connection's callback at the broker: one path each, against mix-up (RFC 9700 §4.4).
    pub fn callback_uri(&self, connection: &ConnectionId) -> String {
        format!("{}/upstream/{connection}/callback", self.issuer)
    }

    /// Receives the browser back. The departure is spent first, also by an error answer and by a
    /// browser that did not start it.
    ///
    /// # Errors
    /// [`Stranded`]: what to show, and whether a client is still to be told.
    pub async fn arrive(
        &self,
        connection: &ConnectionId,
        callback: &Callback,
        browser: &Browser,
    ) -> Result<Welcome, Stranded> {
        let now = self.clock.now();
        let state = callback
            .state
            .as_deref()
            .ok_or_else(|| Refusal::invalid_request("the answer carries no state"))?;
        let key = self.vault.hash(state).to_text();
        let departure = self.spend_departure(key, now).await?;
        if departure.connection != *connection || browser.binding_hash() != Some(&departure.browser)
        {
            let refusal = Refusal::invalid_request(
                "this sign-in was started in another browser, or cookies are disabled",
            );
            return Err(refusal.into());
        }
        let interaction = departure.interaction.clone();
        match self.complete(departure, callback, browser, now).await {
            Ok(session_cookie) => {
                let session_ttl = self.policy.session_ttl;
                Ok(Welcome { interaction, session_cookie, session_ttl })
            }
            Err(failure) => {
                self.note_failed_login(connection, &failure, browser.request_id(), now).await;
                Err(Stranded::AtInteraction(interaction, failure))
            }
        }
    }

    /// The request that waits for this journey: read, not spent, so that a page can allow the
    /// redirect that will follow.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn waiting_request(&self, state: &str) -> Result<Option<Waiting>, Failure> {
        let key = self.vault.hash(state).to_text();
        let Some(parked) = self.store.find_parked(SingleUse::Departure, &key).await? else {
            return Ok(None);
        };
        let opened = self.vault.open(&bound_to(&key), &parked.payload)?;
        let departure: Departure = serde_json::from_slice(opened.expose())?;
        let id = departure.interaction.to_string();
        let Some(parked) = self.store.find_parked(SingleUse::Interaction, &id).await? else {
            return Ok(None);
        };
        let interaction: Interaction = serde_json::from_slice(&parked.payload)?;
        Ok(Some(Waiting {
            redirect_uri: interaction.request.return_to.redirect_uri,
            ui_locales: interaction.request.ui_locales,
        }))
    }

    async fn spend_departure(&self, key: String, now: Timestamp) -> Result<Departure, Failure> {
        let binding = bound_to(&key);
        let spent = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    Ok::<_, Failure>(tx.spend(SingleUse::Departure, &key, now).await?)
                })
            })
            .await?
            .ok_or_else(|| {
                Refusal::invalid_request("this sign-in is unknown, expired or already finished")
            })?;
        let opened = self.vault.open(&binding, &spent)?;
        Ok(serde_json::from_slice(opened.expose())?)
    }

    async fn complete(
        &self,
        departure: Departure,
        callback: &Callback,
        browser: &Browser,
        now: Timestamp,
    ) -> Result<SecretString, Failure> {
        // The world may have changed while the browser was away (A14).
        let interaction = self.open_interaction(&departure.interaction, browser, now).await?;
        self.may_come_through(&interaction, &departure.connection).await?;
        let connector = self
            .connector(&departure.connection)
            .ok_or_else(|| Refusal::access_denied("this connection is not offered any more"))?;
        if let Some(greeted) = connector.greet(&departure.trip, callback, now).await? {
            self.keep_profile(&greeted, now).await?;
        }
        let identity = connector.arrive(&departure.trip, callback, now).await?;
        let now = self.clock.now();
        let auth_time = auth_time(&departure, &identity, now);
        let connection_id = departure.connection;
        let upstream_sid = identity.sid.clone().filter(|sid| (1..=255).contains(&sid.len()));
        let arrival = Arrival { connection_id: connection_id.clone(), identity };
        let cookie = SecretString::random(self.entropy.as_ref());
        let session = NewSession {
            id: SessionId::random(self.entropy.as_ref()),
            cookie_hash: self.vault.hash(cookie.expose()),
            replaces: browser.session_hash(&self.vault),
            auth_time,
            // How the upstream knew them is the upstream's to say.
            amr: Vec::new(),
            connection_id,
            upstream_sid,
            expires_at: now.plus(self.policy.session_ttl),
            request_id: browser.request_id(),
        };
        let prepared = self.prepare(arrival.clone(), now).await?;
        let opening = session.clone();
        let first = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let user = people::settle(tx, &prepared, now).await?;
                    open_session(tx, &opening, &user, now).await
                })
            })
            .await;
        match first {
            Err(Failure::Fault(super::Fault::Store(StoreFault::Conflict(_)))) => {
                let prepared = self.prepare(arrival, now).await?;
                self.store
                    .write(move |tx| {
                        Box::pin(async move {
                            let user = people::settle(tx, &prepared, now).await?;
                            open_session(tx, &session, &user, now).await
                        })
                    })
                    .await?;
            }
            settled => settled?,
        }
        Ok(cookie)
    }

    async fn note_failed_login(
        &self,
        connection: &ConnectionId,
        failure: &Failure,
        request_id: Option<String>,
        now: Timestamp,
    ) {
        let detail = match failure {
            Failure::Refused(refusal) => serde_json::json!({
                "error": refusal.code.as_str(),
                "description": refusal.description,
                "detail": refusal.detail,
            }),
            Failure::Fault(_) => serde_json::json!({ "error": "server_error" }),
        };
        let event = Event::new(now, "login.failed", "system")
            .target(connection.to_string())
            .request_id(request_id)
            .detail(detail);
        let noted = self
            .store
            .write(move |tx| Box::pin(async move { Ok::<_, Failure>(tx.record(&event).await?) }))
            .await;
        if let Err(fault) = noted {
            tracing::error!(%fault, "a failed login could not be recorded");
        }
    }
}

fn bound_to(key: &str) -> String {
    format!("single_use:departure:{key}")
}

/// When the person proved who they are: what the upstream says if it asked them anew, else now.
/// Never in the future, and never a moment that the upstream merely remembers after we demanded a
/// fresh proof.
fn auth_time(departure: &Departure, identity: &UpstreamIdentity, now: Timestamp) -> Timestamp {
    match identity.auth_time {
        Some(told) if departure.trip.reauthenticate && identity_is_oidc(identity) => told.min(now),
        Some(_) | None => now,
    }
}

/// Apple shows its own page for every web sign-in but dates `auth_time` by the account session;
/// an OpenID Provider that honours `prompt=login` dates it truly.
fn identity_is_oidc(identity: &UpstreamIdentity) -> bool {
    !identity.authority.starts_with("apple:")
}

#[derive(Clone)]
pub(super) struct NewSession {
    pub(super) id: SessionId,
    pub(super) cookie_hash: SecretHash,
    pub(super) replaces: Option<SecretHash>,
    pub(super) auth_time: Timestamp,
    pub(super) amr: Vec<String>,
    pub(super) connection_id: ConnectionId,
    pub(super) upstream_sid: Option<String>,
    pub(super) expires_at: Timestamp,
    pub(super) request_id: Option<String>,
}

/// Opens a session under a new cookie (M2). The same person's session goes on under its `sid`;
/// anybody else's in this browser ends.
pub(super) async fn open_session(
    tx: &WriteTx,
    new: &NewSession,
    user: &User,
    now: Timestamp,
) -> Result<(), Failure> {
    let before = match &new.replaces {
        Some(hash) => tx.find_session_by_cookie(hash).await?,
        None => None,
    };
    let id = match before {
        Some(session)
            if session.user_id == user.id
                && session.ended_at.is_none()
                && session.expires_at > now =>
        {
            tx.reauthenticate_session(&Reauthentication {
                session_id: session.id.clone(),
                cookie_hash: new.cookie_hash,
                user_id: user.id.clone(),
                auth_time: new.auth_time,
                amr: new.amr.clone(),
                connection_id: new.connection_id.clone(),
                expires_at: new.expires_at,
            })
            .await?;
            session.id
        }
        other => {
            if let Some(session) = other {
                let ending = Ending::Session(session.id);
                ending::end(tx, &ending, Reason::Replaced, now).await?;
            }
            let session = Session {
                id: new.id.clone(),
                cookie_hash: new.cookie_hash,
                user_id: user.id.clone(),
                auth_time: new.auth_time,
                amr: new.amr.clone(),
                connection_id: new.connection_id.clone(),
                created_at: now,
                expires_at: new.expires_at,
                ended_at: None,
            };
            tx.insert_session(&session).await?;
            session.id
        }
    };
    match &new.upstream_sid {
        Some(sid) => tx.put_upstream_sid(&id, &new.connection_id, sid).await?,
        None => tx.delete_upstream_sid(&id).await?,
    }
    let event = Event::new(now, "login.succeeded", format!("user:{}", user.id))
        .target(new.connection_id.to_string())
        .request_id(new.request_id.clone())
        .detail(serde_json::json!({ "sid": id.as_str() }));
    tx.record(&event).await?;
    Ok(())
}
