//! The authorization endpoint — RFC 6749 §4.1, OIDC Core §3.1.2, RFC 9207.
//!
//! `begin` answers at once whatever needs no page; the rest is parked and goes on at
//! `/interaction/{id}`, where `advance` names one step after the other.

use super::device_authorization::DevicePage;
use super::interaction::{Browser, Interaction, consent_items};
use super::sign_in_pages::{ChoosePage, ConsentPage, consent_page};
use super::{Failure, Provider, trace};
use crate::protocol::ambient::Timestamp;
use crate::protocol::authorization_request::{self as table, AuthorizationRequest};
use crate::protocol::authorization_response::AuthorizationResponse;
use crate::protocol::client::Client;
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::{ClientId, InteractionId};
use crate::protocol::interaction::Step;
use crate::protocol::params::Params;
use crate::protocol::session::Consent;
use crate::protocol::sign_in::Step as Noted;
use crate::store::single_use::SingleUse;

/// What the browser gets next.
pub enum Next {
    /// On to `/interaction/{id}`.
    Interact(InteractionId),
    /// An answer to the client.
    Answer(AuthorizationResponse),
    /// Off to an upstream.
    Depart(String),
    /// A page: choose how to sign in.
    Choose(ChoosePage),
    /// A page: agree or not.
    Consent(ConsentPage),
    /// A page: connect a device or not.
    Device(DevicePage),
}

/// Why an authorization request cannot even be answered: a page, never a redirect.
pub struct Unanswerable(pub Failure);

impl<F: Into<Failure>> From<F> for Unanswerable {
    fn from(failure: F) -> Self {
        Self(failure.into())
    }
}

impl Provider {
    /// Receives an authorization request.
    ///
    /// # Errors
    /// [`Unanswerable`] as long as no answer address is settled (RFC 6749 §4.1.2.1).
    pub async fn begin(&self, params: &Params, browser: &Browser) -> Result<Next, Unanswerable> {
        let now = self.clock.now();
        let client_id = ClientId::new(params.required("client_id")?);
        let client = self
            .known_client(&client_id, now)
            .await?
            .filter(|client| client.disabled_at.is_none())
            .ok_or_else(|| Refusal::invalid_client("client_id is unknown or disabled"))?;
        if let Some(opened) = self.open_pushed(&client, params, now).await? {
            // What was pushed counts, and nothing beside it (RFC 9126 §4).
            let (return_to, _) = table::return_to(&client, &opened.params)?;
            let settled =
                self.first_request(&client, &opened.params, Some(opened.key), browser, now).await;
            return Ok(settled.or_else(|failure| self.answer_failure(&return_to, failure))?);
        }
        // The address beside a request object hears that the object is no good; one that is good
        // brings its own (RFC 9101 §6.3).
        let outer = table::return_to(&client, params);
        let settled = match self.direct(&client, params, now).await {
            Ok(inner) => {
                let (return_to, _) = table::return_to(&client, &inner)?;
                self.first_request(&client, &inner, None, browser, now)
                    .await
                    .or_else(|failure| self.answer_failure(&return_to, failure))
            }
            Err(failure) => self.answer_failure(&outer?.0, failure),
        };
        Ok(settled?)
    }

    /// The parameters of a request that was not pushed.
    async fn direct(
        &self,
        client: &Client,
        params: &Params,
        now: Timestamp,
    ) -> Result<Params, Failure> {
        if self.profile_of(client).requires_pushed_requests(client) {
            let text = "this client must push its authorization requests (RFC 9126)";
            return Err(Refusal::invalid_request(text).into());
        }
        self.opened(client, params, now).await
    }

    /// From here on every refusal is the client's to hear.
    async fn first_request(
        &self,
        client: &Client,
        params: &Params,
        pushed: Option<String>,
        browser: &Browser,
        now: Timestamp,
    ) -> Result<Next, Failure> {
        let (return_to, given) = table::return_to(client, params)?;
        let profile = self.profile_of(client);
        let mut request = table::check(client, profile, params, return_to, given)?;
        self.observations.asked(&client.client_id, request.code_challenge.is_some(), now);
        // What userinfo's own metadata calls it is what a token is for anyway.
        let own = self.own_resource();
        request.resources.retain(|resource| *resource != own);
        self.first_step(client.client_id.clone(), request, pushed, browser, now).await
    }

    pub(super) async fn first_step(
        &self,
        client_id: ClientId,
        request: AuthorizationRequest,
        pushed: Option<String>,
        browser: &Browser,
        now: Timestamp,
    ) -> Result<Next, Failure> {
        let mut interaction = Interaction {
            sign_in: browser.request_id(),
            client_id,
            request,
            started_at: now,
            pushed,
            browser: browser.binding_hash().cloned().unwrap_or_default(),
            device: None,
        };
        let situation = self.situation(&interaction, browser, now).await?;
        match (&situation.step, &situation.person) {
            (Step::Refuse(refusal), _) => Err(refusal.clone().into()),
            (Step::Issue, Some(person)) => {
                self.issue(None, &interaction, &situation, person, now).await
            }
            (Step::Issue | Step::Authenticate { .. } | Step::Consent, _) => {
                let id = InteractionId::random(self.entropy.as_ref());
                interaction.sign_in = Some(id.to_string());
                let asked = serde_json::json!({
                    "client_id": interaction.client_id,
                    "scope": interaction.request.scope,
                    "connection": interaction.request.connection,
                });
                let payload = serde_json::to_vec(&interaction)?;
                let expires_at = now.plus(self.policy.interaction_ttl);
                let key = id.to_string();
                self.store
                    .write(move |tx| {
                        Box::pin(async move {
                            tx.park(SingleUse::Interaction, &key, &payload, expires_at, now)
                                .await?;
                            trace::note(tx, Some(&key), Noted::Requested, asked, now).await?;
                            Ok::<_, Failure>(())
                        })
                    })
                    .await?;
                Ok(Next::Interact(id))
            }
        }
    }

    /// Takes an interaction to its next step.
    ///
    /// # Errors
    /// A page for an interaction that is not this browser's or is over.
    pub async fn advance(&self, id: &InteractionId, browser: &Browser) -> Result<Next, Failure> {
        let now = self.clock.now();
        let interaction = self.open_interaction(id, browser, now).await?;
        let situation = match self.situation(&interaction, browser, now).await {
            Ok(situation) => situation,
            Err(failure) => return self.refuse(id, &interaction, failure).await,
        };
        match (&situation.step, &situation.person) {
            (Step::Refuse(refusal), _) => {
                self.refuse(id, &interaction, refusal.clone().into()).await
            }
            (Step::Issue, Some(person)) if interaction.device.is_none() => {
                self.issue(Some(id), &interaction, &situation, person, now).await
            }
            (Step::Issue | Step::Consent, Some((_, user))) => {
                if let Some(device) = &interaction.device {
                    return Ok(Next::Device(Self::device_page(id, device, &situation, user)));
                }
                Ok(Next::Consent(consent_page(id, &interaction, &situation, user)))
            }
            (Step::Authenticate { anew }, _) => {
                // One way in and nobody signed in: no page that asks a question with one answer.
                let offered = self.offered_connectors(&situation.client, &interaction);
                let local = self.offers_local_accounts_for(&situation.client, &interaction);
                // Unless it is away: then that is said first.
                if let ([only], false, false) = (offered.as_slice(), *anew, local)
                    && !self.is_away(only.as_ref(), now)
                {
                    let connection = only.id().clone();
                    let departed = self.depart_for(id, &interaction, &connection, false).await;
                    return match departed {
                        Ok(url) => Ok(Next::Depart(url)),
                        Err(failure) => self.refuse(id, &interaction, failure).await,
                    };
                }
                Ok(Next::Choose(self.choose_page(id, &interaction, &situation)))
            }
            // A person is there whenever a code or consent is; without one, sign in.
            (Step::Issue | Step::Consent, None) => {
                Ok(Next::Choose(self.choose_page(id, &interaction, &situation)))
            }
        }
    }

    /// The sign-in page of an interaction, whatever its next step.
    ///
    /// # Errors
    /// A page for an interaction that is not this browser's or is over.
    pub async fn choose(
        &self,
        id: &InteractionId,
        browser: &Browser,
    ) -> Result<ChoosePage, Failure> {
        let now = self.clock.now();
        let interaction = self.open_interaction(id, browser, now).await?;
        let situation = self.situation(&interaction, browser, now).await?;
        Ok(self.choose_page(id, &interaction, &situation))
    }

    /// The person agrees: remembers it and answers the client.
    ///
    /// # Errors
    /// A page for an interaction that is not this browser's, is over, or waits for another step.
    pub async fn consent(&self, id: &InteractionId, browser: &Browser) -> Result<Next, Failure> {
        let now = self.clock.now();
        let interaction = self.open_interaction(id, browser, now).await?;
        let situation = match self.situation(&interaction, browser, now).await {
            Ok(situation) => situation,
            Err(failure) => return self.refuse(id, &interaction, failure).await,
        };
        let (Step::Consent | Step::Issue, Some(person)) = (&situation.step, &situation.person)
        else {
            // An early or empty POST skips nothing (A11).
            return Err(
                Refusal::invalid_request("consent is not what this sign-in waits for").into()
            );
        };
        if let Some(device) = &interaction.device {
            return self.connect_device(id, device, &situation, person, now).await;
        }
        let mut scope: Vec<String> = consent_items(&situation.access, &situation.claims).collect();
        let client_id = situation.client.client_id.clone();
        let before = self.store.find_consent(&person.1.id, &client_id).await?;
        for earlier in before.map(|consent| consent.scope).unwrap_or_default() {
            if !scope.contains(&earlier) {
                scope.push(earlier);
            }
        }
        let sign_in = interaction.sign_in.clone();
        let consent = Consent { user_id: person.1.id.clone(), client_id, scope, granted_at: now };
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.put_consent(&consent).await?;
                    let agreed = serde_json::json!({ "scope": consent.scope });
                    trace::note(tx, sign_in.as_deref(), Noted::Consented, agreed, now).await?;
                    let actor = format!("user:{}", consent.user_id);
                    let event = Event::new(now, "consent.given", actor)
                        .target(consent.client_id.to_string());
                    tx.record(&event).await?;
                    Ok::<_, Failure>(())
                })
            })
            .await?;
        self.issue(Some(id), &interaction, &situation, person, now).await
    }

    /// The person says no, to signing in or to consent.
    ///
    /// # Errors
    /// A page for an interaction that is not this browser's or is over.
    pub async fn cancel(&self, id: &InteractionId, browser: &Browser) -> Result<Next, Failure> {
        let now = self.clock.now();
        let interaction = self.open_interaction(id, browser, now).await?;
        if let Some(device) = &interaction.device {
            return self.turn_device_away(id, &interaction, device, now).await;
        }
        let refusal = Refusal::access_denied("the person did not agree");
        self.refuse(id, &interaction, refusal.into()).await
    }

    /// An upstream journey failed: the client whose request waits is told.
    ///
    /// # Errors
    /// A page when the interaction is over, or when we failed.
    pub async fn strand(
        &self,
        id: &InteractionId,
        browser: &Browser,
        failure: Failure,
    ) -> Result<Next, Failure> {
        let interaction = self.open_interaction(id, browser, self.clock.now()).await?;
        self.refuse(id, &interaction, failure).await
    }
}
