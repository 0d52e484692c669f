//! The second step of somebody who signs in with a password kept here: set up, taken away, and
//! recovery codes for the day on which the app is lost. Everything here wants a fresh proof.

use crate::op::factors::Enrolment;
use crate::op::interaction::Browser;
use crate::op::{Failure, Provider, signals};
use crate::protocol::ambient::Timestamp;
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::{Holder, UserId};
use crate::protocol::secret::SecretString;
use crate::protocol::security_event::{ChangeType, SecurityEvent};
use crate::protocol::session::Session;
use crate::protocol::user::User;
use crate::store::factors::HeldFactors;
use crate::store::{StoreFault, WriteTx};

/// The page on which one-time codes are set up.
pub struct EnrolmentPage {
    /// The new key.
    pub enrolment: Enrolment,
    /// Whose it is.
    pub username: String,
    /// Proves that a form was made for this session.
    pub csrf: String,
    /// Why it is shown again: the code was wrong, or the key too old.
    pub problem: Option<EnrolmentProblem>,
}

/// Why the page is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrolmentProblem {
    /// The code is not the key's.
    Wrong,
    /// The key was shown too long ago; this is a new one.
    Late,
}

/// What came of a code.
pub enum Enrolled {
    /// It is set up. New recovery codes, if there were none: shown once.
    Done(Vec<SecretString>),
    /// The page again.
    Again(Box<EnrolmentPage>),
}

impl Provider {
    /// What somebody has besides their password; `None` for whoever has none here.
    pub(super) async fn factors_of(&self, id: &UserId) -> Result<Option<HeldFactors>, Failure> {
        Ok(match self.local_username(id).await? {
            None => None,
            Some(_) => Some(self.factors.held(&Holder::person(id)).await?),
        })
    }

    /// A new key for one-time codes; `None` when nobody is signed in.
    ///
    /// # Errors
    /// `login_required` when the proof is too old; `access_denied` without a password here.
    pub async fn begin_second_factor(
        &self,
        browser: &Browser,
    ) -> Result<Option<EnrolmentPage>, Failure> {
        let Some((session, user)) = self.signed_in(browser, self.clock.now()).await? else {
            return Ok(None);
        };
        if !self.is_fresh(&session) {
            return Err(
                Refusal::login_required("setting up a second step wants a fresh proof").into()
            );
        }
        Ok(Some(self.enrolment_page(&session, &user, None, None).await?))
    }

    async fn enrolment_page(
        &self,
        session: &Session,
        user: &User,
        enrolment: Option<Enrolment>,
        problem: Option<EnrolmentProblem>,
    ) -> Result<EnrolmentPage, Failure> {
        let username = self.local_username(&user.id).await?;
        let username = username.ok_or_else(no_password)?;
        let holder = Holder::person(&user.id);
        let enrolment = match enrolment {
            Some(enrolment) => enrolment,
            None => self.factors.begin_totp(&holder, session.id.as_str(), self.clock.now())?,
        };
        Ok(EnrolmentPage { enrolment, username, csrf: self.logout_csrf(session), problem })
    }

    /// Sets one-time codes up, proven by one.
    ///
    /// # Errors
    /// `access_denied` when nobody is signed in, the form is not ours, or they have no password
    /// here; `login_required` when the proof is too old.
    pub async fn add_second_factor(
        &self,
        browser: &Browser,
        csrf: &str,
        sealed: &str,
        typed: &str,
    ) -> Result<Enrolled, Failure> {
        let now = self.clock.now();
        let (session, user) = self.own_fresh_form(browser, csrf, now).await?;
        self.local_username(&user.id).await?.ok_or_else(no_password)?;
        let holder = Holder::person(&user.id);
        let found = self.factors.enrolment(&holder, session.id.as_str(), sealed, now);
        let Some(enrolment) = found else {
            let problem = Some(EnrolmentProblem::Late);
            let page = self.enrolment_page(&session, &user, None, problem).await?;
            return Ok(Enrolled::Again(Box::new(page)));
        };
        let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
        let Some(step) = enrolment.secret.step_of(&digits, now) else {
            let problem = Some(EnrolmentProblem::Wrong);
            let page = self.enrolment_page(&session, &user, Some(enrolment), problem).await?;
            return Ok(Enrolled::Again(Box::new(page)));
        };
        let secret = self.factors.seal_totp(&holder, &enrolment.secret)?;
        let (codes, hashes) = self.factors.new_recovery_codes();
        let request_id = browser.request_id();
        let new = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    tx.hold_user(&user.id).await?;
                    let new = tx.held_factors(&holder).await?.recovery_codes == 0;
                    tx.put_totp(&holder, &secret, step, now).await?;
                    if new {
                        tx.put_recovery_codes(&holder, &hashes).await?;
                    }
                    note_added(tx, &user.id, request_id, now).await?;
                    Ok::<_, Failure>(new)
                })
            })
            .await?;
        self.doorbell.ring();
        Ok(Enrolled::Done(if new { codes } else { Vec::new() }))
    }

    /// Takes the second step away, with its recovery codes; `false` where one is required.
    ///
    /// # Errors
    /// As [`Provider::add_second_factor`].
    pub async fn remove_second_factor(
        &self,
        browser: &Browser,
        csrf: &str,
    ) -> Result<bool, Failure> {
        let now = self.clock.now();
        let (_, user) = self.own_fresh_form(browser, csrf, now).await?;
        if self.second_step_is_required().await? {
            return Ok(false);
        }
        let request_id = browser.request_id();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.hold_user(&user.id).await?;
                    let event = Event::new(now, "user.totp_removed", format!("user:{}", user.id))
                        .request_id(request_id);
                    Ok::<_, Failure>(forget_factors(tx, &user.id, event, now).await?)
                })
            })
            .await?;
        self.doorbell.ring();
        Ok(true)
    }

    /// Makes new recovery codes; the old ones are good for nothing any more.
    ///
    /// # Errors
    /// As [`Provider::add_second_factor`]; `access_denied` without a second step that they could
    /// stand in for.
    pub async fn renew_recovery_codes(
        &self,
        browser: &Browser,
        csrf: &str,
    ) -> Result<Vec<SecretString>, Failure> {
        let now = self.clock.now();
        let (_, user) = self.own_fresh_form(browser, csrf, now).await?;
        let (codes, hashes) = self.factors.new_recovery_codes();
        let request_id = browser.request_id();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.hold_user(&user.id).await?;
                    let holder = Holder::person(&user.id);
                    if !tx.held_factors(&holder).await?.any() {
                        return Err(Refusal::access_denied("there is no second step").into());
                    }
                    tx.put_recovery_codes(&holder, &hashes).await?;
                    let actor = format!("user:{}", user.id);
                    let event = Event::new(now, "user.recovery_codes_renewed", actor)
                        .target(user.id.to_string())
                        .request_id(request_id);
                    Ok::<_, Failure>(tx.record(&event).await?)
                })
            })
            .await?;
        Ok(codes)
    }
}

fn no_password() -> Refusal {
    Refusal::access_denied("this account has no password here")
}

/// Writes down that one-time codes were set up, and tells the clients that ask to hear it.
pub(in crate::op) async fn note_added(
    tx: &WriteTx,
    id: &UserId,
    request_id: Option<String>,
    now: Timestamp,
) -> Result<(), StoreFault> {
    signals::emit(tx, id, &changed(ChangeType::Create), now).await?;
    let event = Event::new(now, "user.totp_added", format!("user:{id}"))
        .target(id.to_string())
        .request_id(request_id);
    tx.record(&event).await
}

/// Removes whatever somebody has besides their password, under this event.
pub(in crate::op) async fn forget_factors(
    tx: &WriteTx,
    id: &UserId,
    event: Event,
    now: Timestamp,
) -> Result<bool, StoreFault> {
    let holder = Holder::person(id);
    if !tx.held_factors(&holder).await?.any() {
        return Ok(false);
    }
    tx.remove_factors(&holder).await?;
    signals::emit(tx, id, &changed(ChangeType::Delete), now).await?;
    tx.record(&event.target(id.to_string())).await?;
    Ok(true)
}

/// CAEP §3.3.1 calls codes from an app `app`.
fn changed(change_type: ChangeType) -> SecurityEvent {
    SecurityEvent::CredentialChange { credential_type: "app".to_owned(), change_type }
}
