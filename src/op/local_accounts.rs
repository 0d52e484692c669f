//! Signing in with a password kept here — OWASP ASVS 5.0 §6.2, §6.3; OIDC Core §3.1.2.3.
//!
//! The form stands where others offer a connection, and what follows is the same: a session, under
//! the same rules. An unknown name, a wrong password and a disabled person look and last alike.

use super::interaction::Browser;
use super::login::Welcome;
use super::offered;
use super::session_opening::{NewSession, open_session};
use super::sign_in_pages::ChoosePage;
use super::{Failure, Fault, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::{ClientId, ConnectionId, InteractionId, SessionId};
use crate::protocol::local_account::{AMR, AUTHORITY, LocalAccount, canonical};
use crate::protocol::secret::SecretString;
use crate::protocol::sign_in::{SignInStep, Step};
use crate::protocol::sign_in_cause::Cause;

/// How an attempt ended.
pub enum LocalSignIn {
    /// Signed in.
    Welcome(Welcome),
    /// Not signed in, for a reason nobody is told: the page again.
    Refused(ChoosePage),
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
        let cookie = SecretString::random(self.entropy.as_ref());
        let session = NewSession {
            id: SessionId::random(self.entropy.as_ref()),
            cookie_hash: self.vault.hash(cookie.expose()),
            replaces: browser.session_hash(&self.vault),
            auth_time: now,
            amr: vec![AMR.to_owned()],
            connection_id: ConnectionId::new(AUTHORITY),
            upstream_sid: None,
            expires_at: now.plus(self.policy.session_ttl),
            request_id: Some(id.to_string()),
            user_agent: browser.user_agent(),
            returned: None,
        };
        if !self.open_local_session(account, session, now).await? {
            self.count_locally(&interaction.client_id, Some(Cause::Disabled), now);
            return self.refuse_locally(id, browser, now).await;
        }
        self.count_locally(&interaction.client_id, None, now);
        tracing::debug!(client_id = %interaction.client_id, "signed in locally");
        Ok(LocalSignIn::Welcome(Welcome {
            interaction: id.clone(),
            session_cookie: cookie,
            session_ttl: self.policy.session_ttl,
        }))
    }

    fn count_locally(&self, client_id: &ClientId, cause: Option<Cause>, now: Timestamp) {
        self.observations.signed_in(client_id, &ConnectionId::new(AUTHORITY), cause, now);
    }

    async fn open_local_session(
        &self,
        verified: LocalAccount,
        session: NewSession,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    // The password may have been changed, or the person disabled, meanwhile.
                    let user = tx.hold_user(&verified.user_id).await?;
                    let stands = tx.find_local_account(&verified.username).await?;
                    if stands.is_none_or(|now| now.password_hash != verified.password_hash) {
                        return Ok::<_, Failure>(false);
                    }
                    let Some(user) = user.filter(|user| user.disabled_at.is_none()) else {
                        return Ok(false);
                    };
                    let connection = &session.connection_id;
                    tx.touch_identity(AUTHORITY, &verified.username, connection, None, now).await?;
                    open_session(tx, &session, &user, now).await?;
                    Ok(true)
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
