//! The second step of a console sign-in, and proving oneself again before a dangerous act — OWASP
//! ASVS 5.0 §6.3.3, §7.5.1.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Actor, AdminError, Administration, ConsoleSession, SignedIn};
use crate::protocol::admin::{Admin, AdminIdentity};
use crate::protocol::ambient::Timestamp;
use crate::protocol::event::Event;
use crate::protocol::id::{AdminId, Holder};
use crate::protocol::secret::{SealError, SecretString};
use crate::store::single_use::SingleUse;

/// How long a password is remembered while the second factor is waited for.
const WAITS: Duration = Duration::from_secs(10 * 60);
/// How long a proof is fresh enough for a dangerous act.
pub const STEP_UP: Duration = Duration::from_secs(10 * 60);

/// A sign-in whose password was right.
#[derive(Serialize, Deserialize)]
pub(super) struct Waiting {
    admin_id: AdminId,
    /// Stands for the password: another one since then, and all begins anew.
    verified: String,
    /// The identity that stood in for the password.
    pub(super) through: Option<AdminIdentity>,
    pub(super) user_agent: Option<String>,
}

/// What came of a code.
#[derive(Debug)]
pub enum SecondStep {
    /// A session.
    Open(Box<ConsoleSession>),
    /// It was wrong, or used before.
    Wrong,
    /// Too many were wrong.
    TooMany,
    /// No sign-in waits under this cookie any more.
    Over,
}

/// What came of proving oneself again.
#[derive(Debug)]
pub enum Proof {
    /// The session goes on under this cookie.
    Fresh(SecretString),
    /// The password or the code was wrong.
    Wrong,
    /// Too many were wrong.
    TooMany,
}

/// What a fresh proof begins with.
pub enum FirstFactor {
    /// The password.
    Password(SecretString),
    /// An upstream's word, as [`Administration::prove_by_identity`] sealed it.
    Vouched(String),
}

/// How the audit log calls what came before the second factor.
pub(super) fn first_factor(through: Option<&AdminIdentity>) -> &str {
    through.map_or("pwd", |identity| identity.connection_id.as_str())
}

impl Administration {
    /// Remembers that the password was right; returns the cookie that says so.
    pub(super) async fn await_second_step(
        &self,
        admin: &Admin,
        through: Option<AdminIdentity>,
        user_agent: Option<String>,
        now: Timestamp,
    ) -> Result<SecretString, AdminError> {
        // A cookie of its own: one that somebody planted before must not get this far.
        let cookie = SecretString::random(self.entropy.as_ref());
        let key = self.second_step_key(cookie.expose());
        let (admin_id, verified) = (admin.id.clone(), self.stands_for(admin));
        let waiting = Waiting { admin_id, verified, through, user_agent };
        let payload = serde_json::to_vec(&waiting).map_err(|_| SealError::DoesNotOpen)?;
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.park(SingleUse::SecondFactor, &key, &payload, now.plus(WAITS), now).await?;
                    Ok::<_, AdminError>(())
                })
            })
            .await?;
        Ok(cookie)
    }

    /// Whose second factor is waited for under this cookie.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn second_step_of(&self, cookie: &str) -> Result<Option<Admin>, AdminError> {
        Ok(self.waiting(cookie).await?.map(|(admin, _)| admin))
    }

    pub(super) async fn waiting(
        &self,
        cookie: &str,
    ) -> Result<Option<(Admin, Waiting)>, AdminError> {
        let key = self.second_step_key(cookie);
        let parked = self.store.find_parked(SingleUse::SecondFactor, &key).await?;
        let now = self.clock.now();
        let parked = parked.filter(|found| found.spent_at.is_none() && found.expires_at > now);
        let Some(waiting) =
            parked.and_then(|found| serde_json::from_slice::<Waiting>(&found.payload).ok())
        else {
            return Ok(None);
        };
        let admin = self.store.find_admin(&waiting.admin_id).await?;
        let admin = admin.filter(|admin| {
            admin.disabled_at.is_none() && self.stands_for(admin) == waiting.verified
        });
        if let Some(identity) = &waiting.through
            && !self.is_bound(identity).await?
        {
            return Ok(None);
        }
        Ok(admin.map(|admin| (admin, waiting)))
    }

    /// Takes the code and opens the session.
    ///
    /// # Errors
    /// Faults of the store and the vault.
    pub async fn finish_sign_in(
        &self,
        cookie: &str,
        code: &str,
        request_id: Option<String>,
    ) -> Result<SecondStep, AdminError> {
        let Some((admin, waiting)) = self.waiting(cookie).await? else {
            return Ok(SecondStep::Over);
        };
        let now = self.clock.now();
        let holder = Holder::admin(&admin.id);
        if !self.factors.take_try(&holder, now).await? {
            return Ok(SecondStep::TooMany);
        }
        let failed =
            Event::new(now, "admin.second_factor_failed", format!("admin:{}", admin.username))
                .request_id(request_id.clone());
        let Some(code) = self.factors.candidate::<AdminError>(&holder, code, now).await? else {
            self.note(failed).await?;
            return Ok(SecondStep::Wrong);
        };
        let (opened, mut session) = self.new_console_session(&admin, waiting.user_agent, true, now);
        let through = waiting.through;
        session.connection_id = through.as_ref().map(|one| one.connection_id.clone());
        let expires_at = session.expires_at;
        let first = first_factor(through.as_ref());
        let done = Self::signed_in_event(&admin, &[first, code.method()], request_id, now);
        let key = self.second_step_key(cookie);
        let seen = admin.clone();
        let outcome = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if !code.take(tx, &holder).await? {
                        tx.record(&failed).await?;
                        return Ok(SecondStep::Wrong);
                    }
                    let stands = tx.find_admin(&seen.id).await?.is_some_and(|admin| {
                        admin.disabled_at.is_none() && admin.password_hash == seen.password_hash
                    });
                    let first = tx.spend(SingleUse::SecondFactor, &key, now).await?.is_some();
                    let bound = match &through {
                        Some(identity) => tx.use_admin_identity(identity, now).await?,
                        None => true,
                    };
                    if !stands || !first || !bound {
                        return Ok(SecondStep::Over);
                    }
                    tx.insert_admin_session(&session).await?;
                    tx.record(&done).await?;
                    let session = ConsoleSession { admin: seen, cookie: opened, expires_at };
                    Ok::<_, AdminError>(SecondStep::Open(Box::new(session)))
                })
            })
            .await?;
        Ok(outcome)
    }

    /// Proves once more who sits there: the password, or an upstream's word instead, and a code
    /// where there is a second factor. The session goes on under another cookie.
    ///
    /// # Errors
    /// Faults of the store, the vault and the password hash.
    pub async fn prove_again(
        &self,
        signed_in: &SignedIn,
        first: FirstFactor,
        code: &str,
        request_id: Option<String>,
    ) -> Result<Proof, AdminError> {
        let SignedIn { admin, session } = signed_in;
        let holder = Holder::admin(&admin.id);
        let now = self.clock.now();
        if !self.factors.take_try(&holder, now).await? {
            return Ok(Proof::TooMany);
        }
        let actor = Actor::console(admin, request_id);
        let failed = actor.event(now, "admin.step_up_failed", &admin.username);
        let matches = match first {
            FirstFactor::Password(password) => {
                let stored = Some(admin.password_hash.clone());
                self.passwords.verify(stored, password).await?
            }
            FirstFactor::Vouched(word) => self.is_vouched_for(signed_in, &word, now),
        };
        let held = self.factors.held(&holder).await?;
        let code = if !matches {
            None
        } else if held.any() {
            let found = self.factors.candidate::<AdminError>(&holder, code, now).await?;
            found.map(Some)
        } else {
            Some(None)
        };
        let Some(code) = code else {
            self.note(failed).await?;
            return Ok(Proof::Wrong);
        };
        let done = actor.event(now, "admin.stepped_up", &admin.username);
        let cookie = SecretString::random(self.entropy.as_ref());
        let renewed = self.vault.hash(cookie.expose());
        let old = session.cookie_hash;
        let second_factor = code.is_some();
        let taken = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    match &code {
                        Some(code) if !code.take(tx, &holder).await? => {
                            tx.record(&failed).await?;
                            return Ok(false);
                        }
                        Some(_) => {}
                        None => tx.forget_factor_tries(&holder).await?,
                    }
                    if !tx.renew_admin_session(&old, &renewed, second_factor, now).await? {
                        return Ok(false);
                    }
                    tx.record(&done).await?;
                    Ok::<_, AdminError>(true)
                })
            })
            .await?;
        Ok(if taken { Proof::Fresh(cookie) } else { Proof::Wrong })
    }

    /// Whether the session's proof is fresh enough for a dangerous act.
    pub fn is_freshly_proven(&self, signed_in: &SignedIn) -> bool {
        self.clock.now() < signed_in.session.proved_at.plus(STEP_UP)
    }

    pub(super) fn second_step_key(&self, cookie: &str) -> String {
        self.vault.hash(&format!("second_step:{cookie}")).to_text()
    }

    fn stands_for(&self, admin: &Admin) -> String {
        self.vault.hash(&format!("verified:{}", admin.password_hash)).to_text()
    }
}
