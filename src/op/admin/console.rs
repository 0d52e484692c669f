//! Signing in to the console — OWASP ASVS 5.0 §6, §7: a decoy for unknown names, a new session at
//! each sign-in, an idle and an absolute limit. Who has a second factor goes on to
//! `second_step.rs`.

use std::time::Duration;

use serde_json::json;

use super::{AdminError, Administration};
use crate::protocol::admin::{Admin, AdminSession};
use crate::protocol::ambient::Timestamp;
use crate::protocol::event::Event;
use crate::protocol::id::Holder;
use crate::protocol::secret::{SecretString, constant_time_eq};

/// A console session ends after this long without a request.
pub const CONSOLE_IDLE: Duration = Duration::from_secs(30 * 60);
/// A console session ends after this long whatever is done.
pub const CONSOLE_LIFE: Duration = Duration::from_secs(12 * 3600);
/// The idle limit is moved at most this often, so that reading the console writes little.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

/// Somebody who has just signed in.
#[derive(Debug)]
pub struct ConsoleSession {
    /// Who.
    pub admin: Admin,
    /// The cookie's value.
    pub cookie: SecretString,
    /// When it ends whatever is done.
    pub expires_at: Timestamp,
}

/// What came of a username and a password.
#[derive(Debug)]
pub enum SignIn {
    /// Nothing: wrong, or switched off.
    Refused,
    /// A session.
    Open(Box<ConsoleSession>),
    /// Right, but not enough: the cookie under which the second factor is waited for.
    SecondStep(SecretString),
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who.
    pub admin: Admin,
    /// In which session.
    pub session: AdminSession,
}

impl Administration {
    /// Opens a console session, or the way to one. Refused for a wrong username or password and
    /// for an account that is switched off; all take equally long. Throttling is the caller's.
    ///
    /// # Errors
    /// Faults of the store and of the password hash.
    pub async fn sign_in(
        &self,
        username: &str,
        password: SecretString,
        request_id: Option<String>,
        user_agent: Option<String>,
    ) -> Result<SignIn, AdminError> {
        let admin = self.store.find_admin_by_username(username).await?;
        let stored = admin.as_ref().map(|admin| admin.password_hash.clone());
        let matches = self.passwords.verify(stored, password).await?;
        let now = self.clock.now();
        let known = admin.as_ref().map(|admin| format!("admin:{}", admin.username));
        let Some(admin) = admin.filter(|admin| matches && admin.disabled_at.is_none()) else {
            // The name typed is not recorded unless it is one: people type passwords there.
            let actor = known.unwrap_or_else(|| "admin:unknown".to_owned());
            self.note(Event::new(now, "admin.sign_in_failed", actor).request_id(request_id))
                .await?;
            return Ok(SignIn::Refused);
        };
        if self.factors.held(&Holder::admin(&admin.id)).await?.any() {
            let waiting = self.await_second_step(&admin, None, user_agent, now).await?;
            return Ok(SignIn::SecondStep(waiting));
        }
        let (cookie, session) = self.new_console_session(&admin, user_agent, false, now);
        let expires_at = session.expires_at;
        let event = Self::signed_in_event(&admin, &["pwd"], request_id, now);
        let verified = admin.password_hash.clone();
        let opened = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    // The account may have been switched off, given another password or a second
                    // factor while the old one was being compared.
                    let stands = tx.find_admin(&session.admin_id).await?.is_some_and(|admin| {
                        admin.disabled_at.is_none() && admin.password_hash == verified
                    });
                    let held = tx.held_factors(&Holder::admin(&session.admin_id)).await?;
                    if !stands || held.any() {
                        return Ok(false);
                    }
                    tx.insert_admin_session(&session).await?;
                    tx.record(&event).await?;
                    Ok::<_, AdminError>(true)
                })
            })
            .await?;
        Ok(if opened {
            SignIn::Open(Box::new(ConsoleSession { admin, cookie, expires_at }))
        } else {
            SignIn::Refused
        })
    }

    /// A session and its cookie, not stored yet.
    pub(super) fn new_console_session(
        &self,
        admin: &Admin,
        user_agent: Option<String>,
        second_factor: bool,
        now: Timestamp,
    ) -> (SecretString, AdminSession) {
        let cookie = SecretString::random(self.entropy.as_ref());
        let session = AdminSession {
            cookie_hash: self.vault.hash(cookie.expose()),
            admin_id: admin.id.clone(),
            created_at: now,
            idle_expires_at: now.plus(CONSOLE_IDLE),
            expires_at: now.plus(CONSOLE_LIFE),
            id: AdminSession::random_id(self.entropy.as_ref()),
            user_agent,
            proved_at: now,
            second_factor,
            connection_id: None,
        };
        (cookie, session)
    }

    pub(super) fn signed_in_event(
        admin: &Admin,
        methods: &[&str],
        request_id: Option<String>,
        now: Timestamp,
    ) -> Event {
        Event::new(now, "admin.signed_in", format!("admin:{}", admin.username))
            .request_id(request_id)
            .detail(json!({ "by": methods }))
    }

    /// Whose console session this cookie is, while it is good; moves the idle limit.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn find_console_session(&self, cookie: &str) -> Result<Option<SignedIn>, AdminError> {
        let now = self.clock.now();
        let hash = self.vault.hash(cookie);
        let Some((session, admin)) = self.store.find_admin_session(&hash).await? else {
            return Ok(None);
        };
        if session.idle_expires_at <= now
            || session.expires_at <= now
            || admin.disabled_at.is_some()
        {
            return Ok(None);
        }
        if let Some(connection) = &session.connection_id
            && !self.is_console_connection(connection).await?
        {
            return Ok(None);
        }
        let idle_expires_at = now.plus(CONSOLE_IDLE);
        if idle_expires_at.since(session.idle_expires_at) >= TOUCH_EVERY {
            self.store
                .write(move |tx| {
                    Box::pin(async move {
                        tx.touch_admin_session(&hash, idle_expires_at).await?;
                        Ok::<_, AdminError>(())
                    })
                })
                .await?;
        }
        Ok(Some(SignedIn { admin, session }))
    }

    /// Ends a console session. Unknown cookies are as good as ended.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn sign_out(&self, cookie: &str) -> Result<(), AdminError> {
        let hash = self.vault.hash(cookie);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.delete_admin_session(&hash).await?;
                    Ok(())
                })
            })
            .await
    }

    /// The token that a form of the session with this cookie must carry.
    pub fn csrf_token(&self, cookie: &str) -> String {
        self.vault.hash(&format!("csrf:{cookie}")).to_text()
    }

    /// Whether `token` is the one for this cookie.
    pub fn is_csrf_token(&self, cookie: &str, token: &str) -> bool {
        constant_time_eq(self.csrf_token(cookie).as_bytes(), token.as_bytes())
    }
}
