//! The second step of a sign-in with a password kept here — OWASP ASVS 5.0 §6.3.3, RFC 6238,
//! RFC 8176.
//!
//! Between the two steps nothing is stored: the form carries, sealed, whose password was right, for
//! this interaction in this browser and for ten minutes. Where a second step is demanded of
//! somebody who has none, it is set up on the way.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::admin::settings::{NAME as SETTINGS, Settings};
use super::factors::Enrolment;
use super::interaction::{Browser, Interaction};
use super::local_accounts::{LocalSignIn, Opened, SecondFactor};
use super::login::Welcome;
use super::sign_in_pages::ChoosePage;
use super::{Failure, Provider};
use crate::protocol::acr;
use crate::protocol::ambient::Timestamp;
use crate::protocol::event::Event;
use crate::protocol::id::{ConnectionId, Holder, InteractionId};
use crate::protocol::local_account::{AUTHORITY, LocalAccount};
use crate::protocol::secret::{SealError, SecretString};

/// How long a password is remembered while the second step is waited for.
const WAITS: Duration = Duration::from_secs(10 * 60);

/// A sign-in whose password was right.
#[derive(Serialize, Deserialize)]
struct Waiting {
    username: String,
    /// Stands for the password: another one since then, and all begins anew.
    verified: String,
    until: Timestamp,
}

/// What the page of the second step shows.
pub struct SecondStep {
    /// The sign-in it belongs to.
    pub sign_in: ChoosePage,
    /// Whose it is.
    pub username: String,
    /// Comes back with the form.
    pub waiting: String,
    /// A key to be set up, for somebody who has none.
    pub enrolment: Option<Enrolment>,
    /// Why the page is shown again.
    pub problem: Option<SecondStepProblem>,
}

/// Why the page of the second step is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondStepProblem {
    /// The code was wrong, or used before.
    Wrong,
    /// Too many were wrong.
    TooMany,
    /// The key was shown too long ago.
    Late,
}

/// A form of the second step.
pub struct SecondStepForm<'a> {
    /// What the page carried.
    pub waiting: &'a str,
    /// The key that is set up, when one is.
    pub enrolment: Option<&'a str>,
    /// The code.
    pub totp: &'a str,
}

/// Whether the second step is asked for, and whether there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needed {
    No,
    Code,
    Enrolment,
}

impl Provider {
    /// What this person needs beside their password for this request.
    pub(super) async fn second_step_needed(
        &self,
        interaction: &Interaction,
        account: &LocalAccount,
    ) -> Result<Needed, Failure> {
        if self.factors.held(&Holder::person(&account.user_id)).await?.any() {
            return Ok(Needed::Code);
        }
        let essential = interaction.request.claims.essential_acr();
        let insists = acr::satisfies(Some(acr::TWO_FACTORS), &essential)
            && !acr::satisfies(Some(acr::ONE_FACTOR), &essential);
        let enforced = self.second_step_is_required().await?;
        Ok(if insists || enforced { Needed::Enrolment } else { Needed::No })
    }

    /// Whether everybody with a password kept here needs a second step.
    pub(super) async fn second_step_is_required(&self) -> Result<bool, Failure> {
        let found: Option<(Settings, i32)> = self.store.find_setting(SETTINGS).await?;
        Ok(found.is_some_and(|(settings, _)| settings.require_local_second_factor))
    }

    /// The page of the second step, for somebody whose password was right.
    pub(super) async fn await_second_step(
        &self,
        id: &InteractionId,
        account: &LocalAccount,
        needed: Needed,
        browser: &Browser,
        now: Timestamp,
    ) -> Result<SecondStep, Failure> {
        let waiting = Waiting {
            username: account.username.clone(),
            verified: self.stands_for(account),
            until: now.plus(WAITS),
        };
        let sealed = self.vault.seal(&bound_to(id, browser), &serde_json::to_vec(&waiting)?)?;
        let waiting = URL_SAFE_NO_PAD.encode(sealed);
        let enrolment = match needed {
            Needed::Enrolment => Some(self.begin_enrolment(id, account, now)?),
            Needed::No | Needed::Code => None,
        };
        self.second_step(id, account, waiting, enrolment, None, browser).await
    }

    async fn second_step(
        &self,
        id: &InteractionId,
        account: &LocalAccount,
        waiting: String,
        enrolment: Option<Enrolment>,
        problem: Option<SecondStepProblem>,
        browser: &Browser,
    ) -> Result<SecondStep, Failure> {
        let sign_in = self.choose(id, browser).await?;
        Ok(SecondStep { sign_in, username: account.username.clone(), waiting, enrolment, problem })
    }

    /// Takes the code and opens the session, setting the key up first where there was none.
    ///
    /// # Errors
    /// A page for an interaction that is not this browser's or is over.
    pub async fn finish_locally(
        &self,
        id: &InteractionId,
        form: SecondStepForm<'_>,
        browser: &Browser,
    ) -> Result<LocalSignIn, Failure> {
        let now = self.clock.now();
        let interaction = self.open_interaction(id, browser, now).await?;
        let Some(account) = self.waiting(id, form.waiting, browser, now).await? else {
            return Ok(LocalSignIn::TooLate(self.choose(id, browser).await?));
        };
        let holder = Holder::person(&account.user_id);
        let again = |enrolment, problem| {
            let waiting = form.waiting.to_owned();
            self.second_step(id, &account, waiting, enrolment, Some(problem), browser)
        };
        // What was set up meanwhile, in another window, is asked for and not replaced.
        let held = self.factors.held(&holder).await?.any();
        let enrolment = match form.enrolment.filter(|_| !held) {
            None => None,
            Some(sealed) => {
                let found = self.factors.enrolment(&holder, id.as_str(), sealed, now);
                let Some(found) = found else {
                    let fresh = self.begin_enrolment(id, &account, now)?;
                    let page = again(Some(fresh), SecondStepProblem::Late).await?;
                    return Ok(LocalSignIn::Second(Box::new(page)));
                };
                Some(found)
            }
        };
        if enrolment.is_none() && !held {
            return Ok(LocalSignIn::TooLate(self.choose(id, browser).await?));
        }
        if !self.factors.take_try(&holder, now).await? {
            let page = again(enrolment, SecondStepProblem::TooMany).await?;
            return Ok(LocalSignIn::Second(Box::new(page)));
        }
        let (second, codes) = match &enrolment {
            None => {
                let code = self.factors.candidate::<Failure>(&holder, form.totp, now).await?;
                (code.map(SecondFactor::Code), Vec::new())
            }
            Some(enrolment) => {
                let (codes, hashes) = self.factors.new_recovery_codes();
                let digits: String = form.totp.chars().filter(char::is_ascii_digit).collect();
                let step = enrolment.secret.step_of(&digits, now);
                let sealed = self.factors.seal_totp(&holder, &enrolment.secret)?;
                (step.map(|step| SecondFactor::New { sealed, step, hashes }), codes)
            }
        };
        let opened = match second {
            None => Opened::WrongCode,
            Some(second) => {
                let (cookie, session) =
                    self.new_session(ConnectionId::new(AUTHORITY), browser, now);
                let session = session.by(second.amr()).of_sign_in(id);
                let opened = self.open_local_session(account.clone(), session, second, now).await?;
                if opened == Opened::Here {
                    self.count_locally(&interaction.client_id, None, now);
                    let welcome = self.welcome(id, cookie);
                    return Ok(match codes.is_empty() {
                        true => LocalSignIn::Welcome(welcome),
                        false => LocalSignIn::Enrolled(welcome, codes),
                    });
                }
                opened
            }
        };
        if opened == Opened::NotTheirs {
            return Ok(LocalSignIn::TooLate(self.choose(id, browser).await?));
        }
        self.note_wrong_code(id, &account, now).await?;
        let page = again(enrolment, SecondStepProblem::Wrong).await?;
        Ok(LocalSignIn::Second(Box::new(page)))
    }

    /// Somebody is signed in; the request that waits goes on.
    pub(super) fn welcome(&self, id: &InteractionId, session_cookie: SecretString) -> Welcome {
        let session_ttl = self.policy.session_ttl;
        Welcome { interaction: id.clone(), session_cookie, session_ttl }
    }

    async fn note_wrong_code(
        &self,
        id: &InteractionId,
        account: &LocalAccount,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let actor = format!("user:{}", account.user_id);
        let event = Event::new(now, "login.second_factor_failed", actor)
            .target(AUTHORITY)
            .request_id(Some(id.to_string()));
        self.store
            .write(move |tx| Box::pin(async move { Ok::<_, Failure>(tx.record(&event).await?) }))
            .await
    }

    fn begin_enrolment(
        &self,
        id: &InteractionId,
        account: &LocalAccount,
        now: Timestamp,
    ) -> Result<Enrolment, SealError> {
        self.factors.begin_totp(&Holder::person(&account.user_id), id.as_str(), now)
    }

    /// Whose password was right; `None` when that is too long ago, was elsewhere, or does not
    /// stand any more.
    async fn waiting(
        &self,
        id: &InteractionId,
        sealed: &str,
        browser: &Browser,
        now: Timestamp,
    ) -> Result<Option<LocalAccount>, Failure> {
        let opened = URL_SAFE_NO_PAD
            .decode(sealed)
            .ok()
            .and_then(|sealed| self.vault.open(&bound_to(id, browser), &sealed).ok())
            .and_then(|plain| serde_json::from_slice::<Waiting>(plain.expose()).ok())
            .filter(|waiting| now < waiting.until);
        let Some(waiting) = opened else { return Ok(None) };
        let account = self.store.find_local_account(&waiting.username).await?;
        Ok(account.filter(|account| self.stands_for(account) == waiting.verified))
    }

    fn stands_for(&self, account: &LocalAccount) -> String {
        self.vault.hash(&format!("verified:{}", account.password_hash)).to_text()
    }
}

fn bound_to(id: &InteractionId, browser: &Browser) -> String {
    let browser = browser.binding_hash().map(String::as_str).unwrap_or_default();
    format!("local_second_step:{id}:{browser}")
}
