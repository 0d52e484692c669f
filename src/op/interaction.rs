//! One authorization request on its way through login and consent.
//!
//! An interaction is parked under its id, bound to the browser that started it by a cookie, read
//! as often as needed, and spent when it is answered: by a code or by an error, once.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::device_authorization::WaitingDevice;
use super::{Failure, Provider};
use crate::protocol::acr;
use crate::protocol::ambient::Timestamp;
use crate::protocol::api::Api;
use crate::protocol::authorization_request::AuthorizationRequest;
use crate::protocol::claims_request::NamedClaims;
use crate::protocol::client::Client;
use crate::protocol::error::Refusal;
use crate::protocol::id::{ClientId, Holder, InteractionId};
use crate::protocol::id_token::IdTokenClaims;
use crate::protocol::interaction::{Facts, SignedIn, Step, next_step};
use crate::protocol::jose::{self, Typ};
use crate::protocol::scope::{self, Access};
use crate::protocol::secret::{SecretHash, SecretString, Vault};
use crate::protocol::session::Session;
use crate::protocol::user::User;
use crate::store::single_use::SingleUse;

/// What a browser holds.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    binding: Option<String>,
    session: Option<SecretString>,
    request_id: Option<String>,
    user_agent: Option<String>,
}

impl Browser {
    /// A browser with these cookies: the binding of its interactions, and its session.
    pub fn new(vault: &Vault, binding: Option<&str>, session: Option<&str>) -> Self {
        Self {
            binding: binding.map(|binding| vault.hash(binding).to_text()),
            session: session.map(SecretString::from),
            request_id: None,
            user_agent: None,
        }
    }

    /// The browser as it makes the request with this id.
    #[must_use]
    pub fn under(mut self, request_id: Option<String>) -> Self {
        self.request_id = request_id;
        self
    }

    /// The browser with what it calls itself.
    #[must_use]
    pub fn called(mut self, user_agent: Option<String>) -> Self {
        self.user_agent = user_agent;
        self
    }

    /// What it calls itself.
    pub fn user_agent(&self) -> Option<String> {
        self.user_agent.clone()
    }

    /// The id of the request it makes.
    pub fn request_id(&self) -> Option<String> {
        self.request_id.clone()
    }

    /// The hash of the binding cookie, as interactions keep it.
    pub fn binding_hash(&self) -> Option<&String> {
        self.binding.as_ref()
    }

    pub(super) fn session_hash(&self, vault: &Vault) -> Option<SecretHash> {
        self.session.as_ref().map(|cookie| vault.hash(cookie.expose()))
    }
}

/// A parked authorization request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Interaction {
    pub(super) client_id: ClientId,
    pub(super) request: AuthorizationRequest,
    pub(super) started_at: Timestamp,
    /// The sign-in's id, under which its steps are noted.
    #[serde(default)]
    pub(super) sign_in: Option<String>,
    /// The pushed request it came from, which it answers.
    #[serde(default)]
    pub(super) pushed: Option<String>,
    /// Hash of the cookie of the browser that started it.
    pub(super) browser: String,
    /// The device that waits, when the person came with its code and not from a client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) device: Option<WaitingDevice>,
}

/// The facts of an interaction, gathered anew for each step.
pub(super) struct Situation {
    pub(super) client: Client,
    pub(super) access: Access,
    pub(super) apis: Vec<Api>,
    /// Claims asked for by name that the client may have.
    pub(super) claims: NamedClaims,
    pub(super) person: Option<(Session, User)>,
    pub(super) step: Step,
}

impl Situation {
    /// The scope values asked for, with what they mean if an API says so.
    pub(super) fn described_scopes(&self) -> Vec<(String, String)> {
        let described = |value: &String| {
            let of_api = self.apis.iter().flat_map(|api| &api.scopes).find(|s| s.name == *value);
            (value.clone(), of_api.map(|scope| scope.description.clone()).unwrap_or_default())
        };
        consent_scopes(&self.access, &self.claims).iter().map(described).collect()
    }
}

impl Provider {
    /// A browser with these cookies.
    pub fn browser(&self, binding: Option<&str>, session: Option<&str>) -> Browser {
        Browser::new(&self.vault, binding, session)
    }

    /// The parked request, if it is this browser's and waits for an answer.
    pub(super) async fn open_interaction(
        &self,
        id: &InteractionId,
        browser: &Browser,
        now: Timestamp,
    ) -> Result<Interaction, Failure> {
        let gone = || Refusal::invalid_request("this sign-in is unknown, expired or finished");
        let parked = self
            .store
            .find_parked(SingleUse::Interaction, id.as_str())
            .await?
            .filter(|parked| parked.spent_at.is_none() && parked.expires_at > now)
            .ok_or_else(gone)?;
        let interaction: Interaction = serde_json::from_slice(&parked.payload)?;
        if browser.binding_hash() != Some(&interaction.browser) {
            return Err(gone().detail("another browser's interaction").into());
        }
        Ok(interaction)
    }

    /// The person signed in to this browser, if the session is alive and the person not disabled.
    pub async fn signed_in(
        &self,
        browser: &Browser,
        now: Timestamp,
    ) -> Result<Option<(Session, User)>, Failure> {
        let Some(hash) = browser.session_hash(&self.vault) else { return Ok(None) };
        let session = self.store.find_session_by_cookie(&hash).await?;
        let alive = |session: &Session| session.ended_at.is_none() && session.expires_at > now;
        let Some(session) = session.filter(alive) else { return Ok(None) };
        let user = self.store.find_user(&session.user_id).await?;
        Ok(user.filter(|user| user.disabled_at.is_none()).map(|user| (session, user)))
    }

    /// Gathers the facts and names the next step. Refusals are for the client, by redirect.
    pub(super) async fn situation(
        &self,
        interaction: &Interaction,
        browser: &Browser,
        now: Timestamp,
    ) -> Result<Situation, Failure> {
        let client = self
            .store
            .find_client(&interaction.client_id)
            .await?
            .filter(|client| client.disabled_at.is_none())
            .ok_or_else(|| Refusal::unauthorized_client("this client is disabled"))?;
        let request = &interaction.request;
        let resources = scope::resources(&client, &request.resources)?;
        let apis = self.store.find_apis(&resources).await?;
        let access = scope::decide(&client, &request.scope, resources, &apis, true)?;
        let claims = request.claims.granted_to(&client);

        self.check_wanted_connection(&client, interaction)?;
        let person = self.signed_in(browser, now).await?;
        // Whoever came through a connection that the client does not use has to come again.
        let person = person.filter(|(session, _)| {
            client.settings.allows_connection(session.connection_id.as_str())
        });
        let user = person.as_ref().map(|(_, user)| user);
        let hinted_sub = self.hinted_sub(request, &client, user).await?;
        let consent_covers = match &person {
            Some((_, user)) if !client.first_party => {
                let consent = self.store.find_consent(&user.id, &client.client_id).await?;
                let given: HashSet<_> =
                    consent.map(|consent| consent.scope).unwrap_or_default().into_iter().collect();
                !given.is_empty()
                    && consent_items(&access, &claims).all(|item| given.contains(&item))
            }
            Some(_) | None => false,
        };
        let within_reach = match &person {
            Some((session, user)) if !request.acr_values.is_empty() => {
                self.class_within_reach(session, user).await?
            }
            Some(_) | None => None,
        };
        let signed_in = person.as_ref().map(|(session, user)| SignedIn {
            sub: self.sub_for(&client, user),
            auth_time: session.auth_time,
            acr: acr::of(&session.amr),
            within_reach,
        });
        let step = next_step(&Facts {
            request,
            started_at: interaction.started_at,
            now,
            signed_in: signed_in.as_ref(),
            hinted_sub: hinted_sub.as_deref(),
            first_party: client.first_party,
            consent_covers,
        });
        Ok(Situation { client, access, apis, claims, person, step })
    }

    /// What somebody who came with a password kept here could reach by signing in anew. What an
    /// upstream would do then is not known before.
    async fn class_within_reach(
        &self,
        session: &Session,
        user: &User,
    ) -> Result<Option<&'static str>, Failure> {
        let reached = acr::of(&session.amr);
        let upstream = self.connector(&session.connection_id).is_some();
        if upstream
            || reached.is_none()
            || !self.factors.held(&Holder::person(&user.id)).await?.any()
        {
            return Ok(reached);
        }
        Ok(Some(acr::TWO_FACTORS))
    }

    /// Whose answer alone will do: the `sub` an `id_token_hint` names, or that of the `claims`
    /// parameter. An expired hint is fine. One that we did not sign names nobody: where a person can
    /// still say who they are it is passed over, and a silent answer is refused.
    async fn hinted_sub(
        &self,
        request: &AuthorizationRequest,
        client: &Client,
        user: Option<&User>,
    ) -> Result<Option<String>, Failure> {
        let wanted = request.claims.sub();
        let Some(hint) = request.id_token_hint.as_deref() else {
            return Ok(wanted.map(ToOwned::to_owned));
        };
        let Some(claims) = self.read_id_token(hint).await? else {
            if request.prompt.none {
                let refusal = Refusal::login_required("id_token_hint names nobody known here");
                return Err(refusal.into());
            }
            return Ok(wanted.map(ToOwned::to_owned));
        };
        let own = claims.aud == client.client_id.as_str();
        if own && wanted.is_some_and(|wanted| wanted != claims.sub) {
            let refusal = Refusal::invalid_request("id_token_hint and claims name two people");
            return Err(refusal.into());
        }
        // Another client may have another name for the same person.
        let given_to = match own {
            true => Some(client.clone()),
            false => self.store.find_client(&ClientId::new(&claims.aud)).await?,
        };
        Ok(match user.filter(|user| self.is_about(&claims, given_to.as_ref(), user)) {
            Some(user) => {
                wanted.map(ToOwned::to_owned).or_else(|| Some(self.sub_for(client, user)))
            }
            None => Some(claims.sub),
        })
    }

    /// The claims of an ID token that we signed, however old. `None` for anything else.
    pub(super) async fn read_id_token(
        &self,
        token: &str,
    ) -> Result<Option<IdTokenClaims>, Failure> {
        let keyring = self.keys.complete().await?;
        let read = jose::verify::<IdTokenClaims>(token, Typ::IdToken, |kid| keyring.find(kid));
        Ok(read.ok().filter(|claims| claims.iss == self.issuer))
    }
}

/// What a person agrees to: scopes, those of claims asked for by name, and the APIs they are for.
pub(super) fn consent_items(access: &Access, claims: &NamedClaims) -> impl Iterator<Item = String> {
    access.resources.iter().cloned().chain(consent_scopes(access, claims))
}

/// The scopes a person agrees to, each once.
pub(super) fn consent_scopes(access: &Access, claims: &NamedClaims) -> Vec<String> {
    let mut scopes = access.scope.clone();
    for scope in claims.scopes() {
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    scopes
}
