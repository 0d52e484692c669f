//! A client tried out from the console, a real round trip: the person signs in, a code is issued
//! and redeemed, and the tokens are checked as the app would check them.
//!
//! The console stands in for the app at a redirect URI of its own. That URI is registered for no
//! client, and the authorization endpoint takes it from nobody: only a trial that an admin has
//! begun is parked with it, in the session that began it, to be finished there once. The client's
//! secret is not needed, and what the trial was given is taken back when it has been looked at.

pub mod by_key;
pub mod device;
mod tokens;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::authorize::Next;
use super::clients::RegisteredClient;
use super::interaction::Browser;
use super::userinfo::Userinfo;
use super::{Failure, Provider};
use crate::op::admin::Actor;
use crate::protocol::ambient::Timestamp;
use crate::protocol::authorization_request::{self as table, AuthorizationRequest};
use crate::protocol::authorization_response::{ResponseMode, ReturnTo};
use crate::protocol::client::{Client, GrantType};
use crate::protocol::error::Refusal;
use crate::protocol::id::{ClientId, UserId};
use crate::protocol::params::Params;
use crate::protocol::pkce::CodeChallenge;
use crate::protocol::relying_party::{Check, Decoded};
use crate::protocol::secret::SecretString;
use crate::store::single_use::SingleUse;

/// Where the answers to trials go, below the issuer.
pub const PATH: &str = "/admin/try";
/// How long a person may take to sign in.
const WAITS: Duration = Duration::from_secs(30 * 60);

/// What is asked for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Wish {
    /// Scope values.
    pub scope: Vec<String>,
    /// APIs.
    pub resources: Vec<String>,
    /// Whether the person must sign in anew.
    pub anew: bool,
}

/// How a client is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Somebody signs in.
    SignIn,
    /// It acts for itself.
    Service,
    /// Somebody confirms its code in a browser.
    Device,
    /// Not from here.
    Elsewhere,
}

impl How {
    /// How this client is.
    pub fn of(client: &Client) -> Self {
        if client.kind.has_redirects() && client.may_use(GrantType::AuthorizationCode) {
            Self::SignIn
        } else if client.may_use(GrantType::DeviceCode) {
            Self::Device
        } else if client.may_use(GrantType::ClientCredentials) {
            Self::Service
        } else {
            Self::Elsewhere
        }
    }
}

/// A trial that waits for its answer.
#[derive(Serialize, Deserialize)]
struct Trial {
    client_id: ClientId,
    wish: Wish,
    nonce: String,
    code_verifier: String,
    /// Where its answer comes.
    redirect_uri: String,
    /// Who is told, if not the session that began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    for_key: Option<by_key::ForKey>,
}

/// A trial with the request that begins it.
struct Begun {
    trial: Trial,
    request: AuthorizationRequest,
    state: String,
}

/// What came of a trial.
pub struct Tried {
    /// The client.
    pub client_id: ClientId,
    /// Who signed in; `None` for a client that acts for itself.
    pub user_id: Option<UserId>,
    /// The access token's parts.
    pub access_token: Decoded,
    /// The ID token's parts; `None` without `openid`.
    pub id_token: Option<Decoded>,
    /// What userinfo answered; `None` without `openid`.
    pub userinfo: Option<Result<Userinfo, Refusal>>,
    /// Whether there was a refresh token.
    pub refresh_token: bool,
    /// Every check.
    pub checks: Vec<Check>,
}

/// How a trial ended.
pub enum Outcome {
    /// With tokens.
    Tried(Box<Tried>),
    /// With an error, as the app would have heard it.
    Refused(ClientId, Refusal),
}

impl Provider {
    /// The redirect URI of trials.
    pub fn trial_redirect_uri(&self) -> String {
        format!("{}{PATH}", self.issuer)
    }

    /// Begins a trial for the console session with this cookie, in this browser.
    ///
    /// # Errors
    /// What the client would be refused for such a request.
    pub async fn begin_trial(
        &self,
        client_id: &ClientId,
        wish: Wish,
        cookie: &str,
        browser: &Browser,
    ) -> Result<Next, Failure> {
        let begun = self.begun(client_id, wish, self.trial_redirect_uri()).await?;
        self.depart_for_trial(begun, cookie, browser).await
    }

    /// A trial whose request is found good by the client's own rules.
    async fn begun(
        &self,
        client_id: &ClientId,
        wish: Wish,
        redirect_uri: String,
    ) -> Result<Begun, Failure> {
        let registered = self.tried_client(client_id).await?;
        let client = &registered.client;
        let draw = || SecretString::random(self.entropy.as_ref()).expose().clone();
        let (state, nonce, code_verifier) = (draw(), draw(), draw());
        let challenge = CodeChallenge::of(&code_verifier);
        let mut pairs = vec![
            ("response_type".to_owned(), "code".to_owned()),
            ("client_id".to_owned(), client_id.to_string()),
            ("redirect_uri".to_owned(), redirect_uri.clone()),
            ("scope".to_owned(), wish.scope.join(" ")),
            ("state".to_owned(), state.clone()),
            ("nonce".to_owned(), nonce.clone()),
            ("code_challenge".to_owned(), challenge.as_str().to_owned()),
            ("code_challenge_method".to_owned(), "S256".to_owned()),
        ];
        pairs.extend(wish.resources.iter().map(|api| ("resource".to_owned(), api.clone())));
        pairs.extend(wish.anew.then(|| ("prompt".to_owned(), "login".to_owned())));
        let params = Params::from_pairs(pairs)?;
        let return_to = ReturnTo {
            redirect_uri: redirect_uri.clone(),
            response_mode: ResponseMode::Query,
            state: Some(state.clone()),
            ui_locales: None,
        };
        let request = table::check(client, self.profile_of(client), &params, return_to, true)?;
        let client_id = client_id.clone();
        let trial = Trial { client_id, wish, nonce, code_verifier, redirect_uri, for_key: None };
        Ok(Begun { trial, request, state })
    }

    /// Parks a trial for whoever holds this cookie, and sends their browser on its way.
    async fn depart_for_trial(
        &self,
        begun: Begun,
        cookie: &str,
        browser: &Browser,
    ) -> Result<Next, Failure> {
        let now = self.clock.now();
        let key = self.trial_key(cookie, &begun.state);
        let payload = self.vault.seal(&bound_to(&key), &serde_json::to_vec(&begun.trial)?)?;
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.park(SingleUse::Trial, &key, &payload, now.plus(WAITS), now).await?;
                    Ok::<_, Failure>(())
                })
            })
            .await?;
        self.first_step(begun.trial.client_id, begun.request, None, browser, now).await
    }

    /// Finishes the trial that this answer belongs to; `None` when this session has begun none
    /// such, or finished it.
    ///
    /// # Errors
    /// Our own faults alone; what the client would be refused is an [`Outcome`].
    pub async fn finish_trial(
        &self,
        actor: &Actor,
        cookie: &str,
        answer: &Params,
    ) -> Result<Option<Outcome>, Failure> {
        match self.spend_trial(cookie, answer).await? {
            Some(trial) => Ok(Some(self.outcome(actor, trial, answer).await?)),
            None => Ok(None),
        }
    }

    /// The trial that this answer belongs to, this once.
    async fn spend_trial(&self, cookie: &str, answer: &Params) -> Result<Option<Trial>, Failure> {
        let now = self.clock.now();
        let Some(state) = answer.one("state")? else { return Ok(None) };
        let key = self.trial_key(cookie, state);
        let binding = bound_to(&key);
        let spent = self
            .store
            .write(move |tx| {
                Box::pin(
                    async move { Ok::<_, Failure>(tx.spend(SingleUse::Trial, &key, now).await?) },
                )
            })
            .await?;
        let Some(sealed) = spent else { return Ok(None) };
        let opened = self.vault.open(&binding, &sealed)?;
        Ok(Some(serde_json::from_slice(opened.expose())?))
    }

    async fn outcome(
        &self,
        actor: &Actor,
        trial: Trial,
        answer: &Params,
    ) -> Result<Outcome, Failure> {
        let client_id = trial.client_id.clone();
        match self.look_at(actor, trial, answer, self.clock.now()).await {
            Ok(tried) => Ok(Outcome::Tried(Box::new(tried))),
            Err(Failure::Refused(refusal)) => Ok(Outcome::Refused(client_id, refusal)),
            Err(fault @ Failure::Fault(_)) => Err(fault),
        }
    }

    async fn look_at(
        &self,
        actor: &Actor,
        trial: Trial,
        answer: &Params,
        now: Timestamp,
    ) -> Result<Tried, Failure> {
        if let Some(error) = answer.one("error")? {
            let description = answer.one("error_description")?.unwrap_or_default();
            return Err(Refusal::access_denied(format!("{error}: {description}")).into());
        }
        let registered = self.tried_client(&trial.client_id).await?;
        let mut pairs = vec![
            ("code".to_owned(), answer.required("code")?.to_owned()),
            ("redirect_uri".to_owned(), trial.redirect_uri),
            ("code_verifier".to_owned(), trial.code_verifier),
        ];
        pairs.extend(trial.wish.resources.iter().map(|api| ("resource".to_owned(), api.clone())));
        let mut tried = self
            .tried(&registered, pairs, &trial.wish.resources, Some(&trial.nonce), actor, now)
            .await?;
        let iss = answer.one("iss")?.unwrap_or_default();
        let checks = [
            Check::new("state", "RFC 6749 10.12", true, "came back as it was sent"),
            Check::new("iss of the answer", "RFC 9207 2.4", iss == self.issuer, iss),
        ];
        tried.checks.splice(0..0, checks);
        Ok(tried)
    }

    async fn tried_client(
        &self,
        id: &ClientId,
    ) -> Result<std::sync::Arc<RegisteredClient>, Failure> {
        let found = self.load_client(id).await?;
        let found = found.filter(|registered| registered.client.disabled_at.is_none());
        let unusable = || Refusal::invalid_client("this client is unknown or disabled");
        Ok(found.ok_or_else(unusable)?)
    }

    fn trial_key(&self, cookie: &str, state: &str) -> String {
        self.vault.hash(&format!("trial:{cookie}:{state}")).to_text()
    }
}

fn bound_to(key: &str) -> String {
    format!("single_use:trial:{key}")
}
