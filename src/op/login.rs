//! To an upstream and back — apple.md §10, security.md §1H.
//!
//! `depart` parks a journey; `arrive` spends it before anything else, so a callback that comes
//! twice succeeds once, and one in a browser that did not start it never (security.md A9). No
//! transaction is open while the upstream is asked. Most journeys sign somebody in; some add an
//! identity to somebody who is signed in (`linking.rs`).

mod journey;

pub use journey::{Arrived, Stranded, Waiting, Welcome};
pub(super) use journey::{Errand, Journey};

use journey::Departure;

use super::fresh_proof::Proven;
use super::interaction::{Browser, Interaction};
use super::observations::cause_of;
use super::offered;
use super::people::Arrival;
use super::{Failure, Provider, trace};
use crate::protocol::ambient::Timestamp;
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::{ConnectionId, InteractionId};
use crate::protocol::secret::SecretString;
use crate::protocol::sign_in::{SignInStep, Step};
use crate::store::single_use::SingleUse;
use crate::upstream::{Callback, Trip, UpstreamIdentity};

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
        self.may_come_through(interaction, connection).await?;
        let errand = Errand::SignIn(interaction_id.clone());
        let journey = Journey {
            errand,
            browser: interaction.browser.clone(),
            login_hint: interaction.request.login_hint.clone(),
            reauthenticate,
        };
        self.send_off(journey, connection).await
    }

    /// Parks a journey and says where the browser goes.
    pub(super) async fn send_off(
        &self,
        journey: Journey,
        connection: &ConnectionId,
    ) -> Result<String, Failure> {
        let now = self.clock.now();
        let connector = self
            .connector(connection)
            .ok_or_else(|| Refusal::invalid_request("this connection does not exist"))?;
        let Journey { errand, browser, login_hint, reauthenticate } = journey;
        let trip = Trip {
            state: SecretString::random(self.entropy.as_ref()).expose().clone(),
            nonce: SecretString::random(self.entropy.as_ref()).expose().clone(),
            code_verifier: SecretString::random(self.entropy.as_ref()).expose().clone(),
            redirect_uri: self.callback_uri(connection),
            login_hint,
            reauthenticate,
        };
        let url = connector.depart(&trip, now).await?;
        let key = self.vault.hash(&trip.state).to_text();
        let through = serde_json::json!({ "connection": connection });
        let departure = Departure { errand, connection: connection.clone(), browser, trip };
        let sign_in = departure.sign_in().map(ToString::to_string);
        let sealed = self.vault.seal(&bound_to(&key), &serde_json::to_vec(&departure)?)?;
        let expires_at = now.plus(self.policy.departure_ttl);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.park(SingleUse::Departure, &key, &sealed, expires_at, now).await?;
                    trace::note(tx, sign_in.as_deref(), Step::Departed, through, now).await?;
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
    ) -> Result<Arrived, Stranded> {
        let now = self.clock.now();
        let state = callback
            .state
            .as_deref()
            .ok_or_else(|| Refusal::invalid_request("the answer carries no state"))?;
        let key = self.vault.hash(state).to_text();
        let departure = self.parked_departure(&key).await?.ok_or_else(over)?;
        let own = departure.connection == *connection
            && browser.binding_hash() == Some(&departure.browser);
        let first = self.spend_departure(key, now).await?;
        let refusal = if !own {
            Some(Refusal::invalid_request(
                "this sign-in was started in another browser, or cookies are disabled",
            ))
        } else if first {
            None
        } else {
            Some(over())
        };
        if let Some(refusal) = refusal {
            let failure = Failure::from(refusal);
            return Err(match departure.sign_in() {
                Some(sign_in) => {
                    self.note_failed(Some(sign_in.to_string()), &failure).await;
                    Stranded::Elsewhere(sign_in.clone(), failure)
                }
                None => Stranded::Nowhere(failure),
            });
        }
        let Departure { errand, connection, trip, .. } = departure;
        let (sign_in, returned) = match &errand {
            Errand::SignIn(id) => {
                (Some(id.to_string()), Some(trace::returned(id.as_str(), callback, now)))
            }
            Errand::Link(_) | Errand::Prove(..) | Errand::Console(_) => {
                (browser.request_id(), None)
            }
        };
        let arrived = match &errand {
            Errand::SignIn(interaction) => {
                let journey = (connection.clone(), trip, returned.clone());
                let session = self.complete(interaction, journey, callback, browser, now).await;
                let cause = session.as_ref().err().map(cause_of);
                self.count_sign_in(interaction, &connection, cause, now).await;
                session.map(|session_cookie| {
                    let session_ttl = self.policy.session_ttl;
                    let interaction = interaction.clone();
                    Arrived::SignedIn(Welcome { interaction, session_cookie, session_ttl })
                })
            }
            Errand::Link(session) => {
                let linked = self.link_what_came(session, &connection, &trip, callback, browser);
                linked.await.map(|()| Arrived::Linked)
            }
            Errand::Prove(session, page) => {
                let proof = self.take_proof(session, &connection, &trip, callback, browser).await;
                proof.map(|session_cookie| {
                    let session_ttl = self.policy.session_ttl;
                    Arrived::Proven(Proven { session_cookie, session_ttl, page: *page })
                })
            }
            Errand::Console(errand) => {
                let met = self.meet_for_console(errand, &connection, &trip, callback).await;
                met.map(|met| Arrived::Console(Box::new(met)))
            }
        };
        let failure = match arrived {
            Ok(arrived) => return Ok(arrived),
            Err(failure) => failure,
        };
        self.note_failed_login(&connection, &failure, (sign_in, returned), now).await;
        Err(match errand {
            Errand::SignIn(interaction) => Stranded::AtInteraction(interaction, failure),
            Errand::Link(_) | Errand::Prove(..) => Stranded::Noted(failure),
            Errand::Console(errand) => Stranded::AtConsole(errand, failure),
        })
    }

    /// The request that waits for this journey: read, not spent, so that a page can allow the
    /// redirect that will follow.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn waiting_request(&self, state: &str) -> Result<Option<Waiting>, Failure> {
        let key = self.vault.hash(state).to_text();
        let Some(departure) = self.parked_departure(&key).await? else { return Ok(None) };
        let Some(id) = departure.sign_in().map(ToString::to_string) else { return Ok(None) };
        let Some(parked) = self.store.find_parked(SingleUse::Interaction, &id).await? else {
            return Ok(None);
        };
        let interaction: Interaction = serde_json::from_slice(&parked.payload)?;
        Ok(Some(Waiting {
            redirect_uri: interaction.request.return_to.redirect_uri,
            ui_locales: interaction.request.return_to.ui_locales,
            look: self.look_of(&interaction.client_id).await,
        }))
    }

    /// A journey as it was parked, over or not.
    async fn parked_departure(&self, key: &str) -> Result<Option<Departure>, Failure> {
        let Some(parked) = self.store.find_parked(SingleUse::Departure, key).await? else {
            return Ok(None);
        };
        let opened = self.vault.open(&bound_to(key), &parked.payload)?;
        Ok(Some(serde_json::from_slice(opened.expose())?))
    }

    async fn spend_departure(&self, key: String, now: Timestamp) -> Result<bool, Failure> {
        let spent = self.store.write(move |tx| {
            Box::pin(async move { tx.spend(SingleUse::Departure, &key, now).await })
        });
        Ok(spent.await?.is_some())
    }

    async fn complete(
        &self,
        interaction: &InteractionId,
        (connection_id, trip, returned): (ConnectionId, Trip, Option<SignInStep>),
        callback: &Callback,
        browser: &Browser,
        now: Timestamp,
    ) -> Result<SecretString, Failure> {
        // The world may have changed while the browser was away (A14).
        let id = interaction;
        let interaction = self.open_interaction(id, browser, now).await?;
        self.may_come_through(&interaction, &connection_id).await?;
        let identity = self.meet(&connection_id, &trip, callback, now).await?;
        let now = self.clock.now();
        let (cookie, mut session) = self.new_session(connection_id.clone(), browser, now);
        session.returned = returned;
        let session = session.of_sign_in(id).proven_by(&trip, &identity, now);
        let arrival = Arrival { connection_id, identity, joins: None };
        self.let_in(arrival, session, None, now).await?;
        Ok(cookie)
    }

    /// Who came back, by the upstream's word. A name is kept before anything can fail.
    pub(super) async fn meet(
        &self,
        connection: &ConnectionId,
        trip: &Trip,
        callback: &Callback,
        now: Timestamp,
    ) -> Result<UpstreamIdentity, Failure> {
        let connector = self
            .connector(connection)
            .ok_or_else(|| Refusal::access_denied("this connection is not offered any more"))?;
        if let Some(greeted) = connector.greet(trip, callback, now).await? {
            self.keep_profile(&greeted, now).await?;
        }
        Ok(connector.arrive(trip, callback, now).await?)
    }

    async fn note_failed_login(
        &self,
        connection: &ConnectionId,
        failure: &Failure,
        (request_id, returned): (Option<String>, Option<SignInStep>),
        now: Timestamp,
    ) {
        let detail = trace::failure(failure);
        // What is no sign-in at an app is replayed under the id of the request that ended it.
        let failed = request_id.as_deref().map(|id| SignInStep::new(id, Step::Failed, now));
        let failed = failed.map(|step| step.detail(detail.clone()));
        let event = Event::new(now, "login.failed", "system")
            .target(connection.to_string())
            .request_id(request_id)
            .detail(detail);
        let noted = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    for step in returned.iter().chain(&failed) {
                        tx.note_sign_in_step(step).await?;
                    }
                    Ok::<_, Failure>(tx.record(&event).await?)
                })
            })
            .await;
        if let Err(fault) = noted {
            tracing::error!(%fault, "a failed login could not be recorded");
        }
    }
}

fn over() -> Refusal {
    Refusal::invalid_request("this sign-in is unknown, expired or already finished")
}

fn bound_to(key: &str) -> String {
    format!("single_use:departure:{key}")
}
