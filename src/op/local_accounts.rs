//! Signing in with a password kept here — OWASP ASVS 5.0 §6.2, §6.3; OIDC Core §3.1.2.3.
//!
//! The form stands where others offer a connection, and what follows is the same: a session, under
//! the same rules. An unknown name, a wrong password and a disabled person look and last alike.

use super::account::note_added;
use super::factors::Candidate;
use super::interaction::Browser;
use super::local_second_step::{Needed, SecondStep};
use super::login::Welcome;
use super::offered;
use super::session_opening::{NewSession, open_session};
use super::sign_in_pages::ChoosePage;
use super::{Failure, Fault, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::{ClientId, ConnectionId, Holder, InteractionId, UserId};
use crate::protocol::local_account::{AMR, AUTHORITY, LocalAccount, canonical};
use crate::protocol::secret::{SecretHash, SecretString};
use crate::protocol::sign_in::{SignInStep, Step};
use crate::protocol::sign_in_cause::Cause;
use crate::store::{StoreFault, WriteTx};

/// How an attempt ended.
pub enum LocalSignIn {
    /// Signed in.
    Welcome(Welcome),
    /// Not signed in, for a reason nobody is told: the page again.
    Refused(ChoosePage),
    /// The password was right, and is not enough.
    Second(Box<SecondStep>),
    /// Signed in, with a second step set up on the way: recovery codes, shown once.
    Enrolled(Welcome, Vec<SecretString>),
    /// The password was typed too long ago: the page again.
    TooLate(ChoosePage),
}

/// What stands beside a password.
pub(super) enum SecondFactor {
    /// Nothing, and nothing is there.
    None,
    /// A code that may be right.
    Code(Candidate),
    /// A key that was set up just now, proven by the code of this step.
    New { sealed: Vec<u8>, step: i64, hashes: Vec<SecretHash> },
}

/// Whether a session was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opened {
    /// It was.
    Here,
    /// The password was changed, the person disabled, or a second step set up meanwhile.
    NotTheirs,
    /// The code was used before.
    WrongCode,
}

impl SecondFactor {
    /// How somebody proved themselves who comes this way (RFC 8176, which has no word for recovery
    /// codes).
    pub(super) fn amr(&self) -> Vec<String> {
        let methods: &[&str] = match self {
            Self::None => &[AMR],
            Self::Code(Candidate::Recovery(_)) => &[AMR, "mfa"],
            Self::Code(Candidate::Totp { .. }) | Self::New { .. } => &[AMR, "otp", "mfa"],
        };
        methods.iter().map(ToString::to_string).collect()
    }

    async fn take(
        &self,
        tx: &WriteTx,
        id: &UserId,
        request_id: Option<String>,
        now: Timestamp,
    ) -> Result<Opened, StoreFault> {
        let holder = Holder::person(id);
        let held = tx.held_factors(&holder).await?;
        match self {
            Self::None if held.any() => Ok(Opened::NotTheirs),
            Self::None => Ok(Opened::Here),
            Self::Code(code) if code.take(tx, &holder).await? => Ok(Opened::Here),
            Self::Code(_) => Ok(Opened::WrongCode),
            Self::New { .. } if held.any() => Ok(Opened::NotTheirs),
            Self::New { sealed, step, hashes } => {
                tx.put_totp(&holder, sealed, *step, now).await?;
                tx.put_recovery_codes(&holder, hashes).await?;
                tx.forget_factor_tries(&holder).await?;
                note_added(tx, id, request_id, now).await?;
                Ok(Opened::Here)
            }
        }
    }
}

impl Provider {
    /// Whether people may sign in with a password kept here.
    pub fn offers_local_accounts(&self) -> bool {
        self.local_passwords.is_some()
    }

    /// Tries a username and password for the request that waits. Throttling is the caller's.
    ///
    /// # Errors
    /// A page for an interaction that is not this browser's or is over, and where local accounts
    /// are not offered.
    pub async fn sign_in_locally(
        &self,
        id: &InteractionId,
        username: &str,
        password: SecretString,
        browser: &Browser,
    ) -> Result<LocalSignIn, Failure> {
        let passwords = self
            .local_passwords
            .as_ref()
            .ok_or_else(|| Refusal::invalid_request("local accounts are not offered here"))?;
        let interaction = self.open_interaction(id, browser, self.clock.now()).await?;
        let client = self.store.find_client(&interaction.client_id).await?;
        let client = client.ok_or_else(|| Refusal::access_denied("this client is gone"))?;
        offered::allowed(&client, &ConnectionId::new(AUTHORITY))?;
        let account = self.store.find_local_account(&canonical(username)).await?;
        let stored = account.as_ref().map(|account| account.password_hash.clone());
        let matches = passwords.verify(stored, password).await.map_err(Fault::from)?;
        // Taken after the hash, so that `auth_time` is when the proof was complete.
        let now = self.clock.now();
        let Some(account) = account.filter(|_| matches) else {
            self.count_locally(&interaction.client_id, Some(Cause::Password), now);
            return self.refuse_locally(id, browser, now).await;
        };
        let needed = self.second_step_needed(&interaction, &account).await?;
        if needed != Needed::No {
            let step = self.await_second_step(id, &account, needed, browser, now).await?;
            return Ok(LocalSignIn::Second(Box::new(step)));
        }
        let (cookie, session) = self.new_session(ConnectionId::new(AUTHORITY), browser, now);
        let alone = SecondFactor::None;
        let session = session.by(alone.amr()).of_sign_in(id);
        if self.open_local_session(account, session, alone, now).await? != Opened::Here {
            self.count_locally(&interaction.client_id, Some(Cause::Disabled), now);
            return self.refuse_locally(id, browser, now).await;
        }
        self.count_locally(&interaction.client_id, None, now);
        tracing::debug!(client_id = %interaction.client_id, "signed in locally");
        Ok(LocalSignIn::Welcome(self.welcome(id, cookie)))
    }

    pub(super) fn count_locally(&self, client_id: &ClientId, cause: Option<Cause>, now: Timestamp) {
        self.observations.signed_in(client_id, &ConnectionId::new(AUTHORITY), cause, now);
    }

    /// Opens the session of somebody whose password was right, with what stands beside it.
    pub(super) async fn open_local_session(
        &self,
        verified: LocalAccount,
        session: NewSession,
        second: SecondFactor,
        now: Timestamp,
    ) -> Result<Opened, Failure> {
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    // The password may have been changed, or the person disabled, meanwhile.
                    let user = tx.hold_user(&verified.user_id).await?;
                    let stands = tx.find_local_account(&verified.username).await?;
                    if stands.is_none_or(|now| now.password_hash != verified.password_hash) {
                        return Ok::<_, Failure>(Opened::NotTheirs);
                    }
                    let Some(user) = user.filter(|user| user.disabled_at.is_none()) else {
                        return Ok(Opened::NotTheirs);
                    };
                    match second.take(tx, &user.id, session.request_id.clone(), now).await? {
                        Opened::Here => {}
                        other @ (Opened::NotTheirs | Opened::WrongCode) => return Ok(other),
                    }
                    let connection = &session.connection_id;
                    tx.touch_identity(AUTHORITY, &verified.username, connection, None, now).await?;
                    open_session(tx, &session, &user, now).await?;
                    Ok(Opened::Here)
                })
            })
            .await
    }

    /// Notes a failed attempt, without the name that was typed: people type passwords there.
    async fn refuse_locally(
        &self,
        id: &InteractionId,
        browser: &Browser,
        now: Timestamp,
    ) -> Result<LocalSignIn, Failure> {
        let event = Event::new(now, "login.failed", "system")
            .target(AUTHORITY)
            .request_id(Some(id.to_string()));
        let failed = SignInStep::new(id.as_str(), Step::Failed, now)
            .detail(serde_json::json!({ "description": "wrong username or password" }));
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.note_sign_in_step(&failed).await?;
                    Ok::<_, Failure>(tx.record(&event).await?)
                })
            })
            .await?;
        Ok(LocalSignIn::Refused(self.choose(id, browser).await?))
    }
}
