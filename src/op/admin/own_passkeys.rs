//! Passkeys of console accounts: signing in by one, proving oneself again, adding and removing.

use serde_json::json;

use super::second_step::{Waiting, first_factor};
use super::{
    Actor, AdminError, Administration, ConsoleSession, NewCodes, Proof, SecondStep, SignedIn,
};
use crate::op::passkeys::{Answer, Challenge, LONGEST_NAME, RelyingParty, Signed};
use crate::protocol::admin::Admin;
use crate::protocol::event::Event;
use crate::protocol::id::{AdminId, Holder};
use crate::protocol::passkey::Passkey;
use crate::protocol::secret::SecretString;
use crate::store::single_use::SingleUse;

impl Administration {
    /// Takes passkeys for this issuer, if its address allows it.
    #[must_use]
    pub fn with_passkeys_of(mut self, issuer: &str) -> Self {
        let (store, vault) = (self.store.clone(), std::sync::Arc::clone(&self.vault));
        let entropy = std::sync::Arc::clone(&self.entropy);
        self.relying_party = RelyingParty::of_issuer(issuer, store, vault, entropy);
        self
    }

    /// Whether passkeys can be had here.
    pub fn offers_passkeys(&self) -> bool {
        self.relying_party.is_some()
    }

    fn relying_party(&self) -> Result<&RelyingParty, AdminError> {
        self.relying_party.as_ref().ok_or(AdminError::NotFound)
    }

    /// Asks the browser with this cookie for a passkey.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] where there are no passkeys.
    pub async fn ask_for_passkey(&self, cookie: &str) -> Result<Challenge, AdminError> {
        let party = self.relying_party()?;
        let asked = party.begin_authentication::<AdminError>(cookie, self.clock.now()).await?;
        asked.ok_or(AdminError::NotFound)
    }

    /// Opens a session for whoever's passkey signed the challenge: it is two factors by itself.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn sign_in_by_passkey(
        &self,
        cookie: &str,
        (handle, answer): (&str, &str),
        request_id: Option<String>,
        user_agent: Option<String>,
    ) -> Result<SecondStep, AdminError> {
        let Some((signed, id)) = self.passkey_of(cookie, handle, answer, &request_id).await? else {
            let event = Event::new(self.clock.now(), "admin.sign_in_failed", "admin:unknown");
            self.note(event.request_id(request_id)).await?;
            return Ok(SecondStep::Wrong);
        };
        let admin = self.store.find_admin(&id).await?.ok_or(AdminError::NotFound)?;
        self.open_by_passkey(signed, admin, None, request_id, user_agent).await
    }

    /// Opens the session of somebody whose password was right, if the passkey is theirs.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn finish_sign_in_by_passkey(
        &self,
        cookie: &str,
        (handle, answer): (&str, &str),
        request_id: Option<String>,
    ) -> Result<SecondStep, AdminError> {
        let Some((admin, waiting)) = self.waiting(cookie).await? else {
            return Ok(SecondStep::Over);
        };
        let signed = self.passkey_of(cookie, handle, answer, &request_id).await?;
        let Some((signed, _)) = signed.filter(|(_, id)| *id == admin.id) else {
            let actor = format!("admin:{}", admin.username);
            let event = Event::new(self.clock.now(), "admin.second_factor_failed", actor);
            self.note(event.request_id(request_id)).await?;
            return Ok(SecondStep::Wrong);
        };
        let user_agent = waiting.user_agent.clone();
        let step = Some((self.second_step_key(cookie), waiting));
        self.open_by_passkey(signed, admin, step, request_id, user_agent).await
    }

    /// Opens the session; `step` is the sign-in that waited for this.
    async fn open_by_passkey(
        &self,
        signed: Signed,
        admin: Admin,
        step: Option<(String, Waiting)>,
        request_id: Option<String>,
        user_agent: Option<String>,
    ) -> Result<SecondStep, AdminError> {
        let now = self.clock.now();
        let (cookie, mut session) = self.new_console_session(&admin, user_agent, true, now);
        let through = step.as_ref().and_then(|(_, waiting)| waiting.through.clone());
        session.connection_id = through.as_ref().map(|one| one.connection_id.clone());
        let expires_at = session.expires_at;
        let mut methods = vec!["passkey"];
        if step.is_some() {
            methods.insert(0, first_factor(through.as_ref()));
        }
        let done = Self::signed_in_event(&admin, &methods, request_id.clone(), now);
        let failed = Event::new(now, "admin.sign_in_failed", format!("admin:{}", admin.username))
            .request_id(request_id);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let stands = tx.find_admin(&admin.id).await?.is_some_and(|found| {
                        found.disabled_at.is_none() && found.password_hash == admin.password_hash
                    });
                    if !stands || !signed.take(tx, now).await? {
                        tx.record(&failed).await?;
                        return Ok(SecondStep::Wrong);
                    }
                    if let Some((step, _)) = step
                        && tx.spend(SingleUse::SecondFactor, &step, now).await?.is_none()
                    {
                        return Ok(SecondStep::Over);
                    }
                    if let Some(identity) = &through
                        && !tx.use_admin_identity(identity, now).await?
                    {
                        return Ok(SecondStep::Over);
                    }
                    tx.insert_admin_session(&session).await?;
                    tx.record(&done).await?;
                    let session = ConsoleSession { admin, cookie, expires_at };
                    Ok(SecondStep::Open(Box::new(session)))
                })
            })
            .await
    }

    /// Proves by passkey who sits there; the session goes on under another cookie.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn prove_by_passkey(
        &self,
        signed_in: &SignedIn,
        cookie: &str,
        (handle, answer): (&str, &str),
        request_id: Option<String>,
    ) -> Result<Proof, AdminError> {
        let SignedIn { admin, session } = signed_in;
        let now = self.clock.now();
        let signed = self.passkey_of(cookie, handle, answer, &request_id).await?;
        let actor = Actor::console(admin, request_id);
        let failed = actor.event(now, "admin.step_up_failed", &admin.username);
        let Some((signed, _)) = signed.filter(|(_, id)| *id == admin.id) else {
            self.note(failed).await?;
            return Ok(Proof::Wrong);
        };
        let done = actor.event(now, "admin.stepped_up", &admin.username);
        let renewed = SecretString::random(self.entropy.as_ref());
        let (old, new) = (session.cookie_hash, self.vault.hash(renewed.expose()));
        let taken = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if !signed.take(tx, now).await? {
                        tx.record(&failed).await?;
                        return Ok(false);
                    }
                    if !tx.renew_admin_session(&old, &new, true, now).await? {
                        return Ok(false);
                    }
                    tx.record(&done).await?;
                    Ok::<_, AdminError>(true)
                })
            })
            .await?;
        Ok(if taken { Proof::Fresh(renewed) } else { Proof::Wrong })
    }

    /// The passkey that signed, and the admin it is of; a person's opens no console. One that two
    /// hold is in the audit log.
    async fn passkey_of(
        &self,
        cookie: &str,
        handle: &str,
        answer: &str,
        request_id: &Option<String>,
    ) -> Result<Option<(Signed, AdminId)>, AdminError> {
        let now = self.clock.now();
        let party = self.relying_party()?;
        match party.finish_authentication::<AdminError>(cookie, handle, answer, now).await? {
            Answer::Signed(signed) => {
                let id = signed.passkey.holder.admin_id();
                Ok(id.map(|id| (signed, id)))
            }
            Answer::Cloned(passkey) => {
                let event = Event::new(now, "admin.passkey_cloned", passkey.holder.as_str())
                    .target(passkey.name.as_str())
                    .request_id(request_id.clone());
                self.note(event).await?;
                Ok(None)
            }
            Answer::Wrong => Ok(None),
        }
    }

    /// One's own passkeys.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn own_passkeys(&self, signed_in: &SignedIn) -> Result<Vec<Passkey>, AdminError> {
        Ok(self.store.list_passkeys(&Holder::admin(&signed_in.admin.id)).await?)
    }

    /// Asks the browser for a new passkey.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] where there are no passkeys.
    pub async fn begin_own_passkey(
        &self,
        signed_in: &SignedIn,
        cookie: &str,
    ) -> Result<Challenge, AdminError> {
        let admin = &signed_in.admin;
        let known = self.own_passkeys(signed_in).await?;
        let now = self.clock.now();
        let begun = self.relying_party()?.begin_registration::<AdminError>(
            cookie,
            admin.id.as_str(),
            &admin.username,
            &known,
            now,
        );
        begun.await?.ok_or(AdminError::NotFound)
    }

    /// Adds the passkey that the browser made. Other sessions end: they were opened with less.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] for an answer that is not to the challenge, and for a bad name.
    pub async fn add_own_passkey(
        &self,
        actor: &Actor,
        signed_in: &SignedIn,
        cookie: &str,
        (handle, answer): (&str, &str),
        name: &str,
    ) -> Result<NewCodes, AdminError> {
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            let message = format!("must have 1 to {LONGEST_NAME} characters");
            return Err(AdminError::invalid("passkey_name", message));
        }
        let now = self.clock.now();
        let holder = Holder::admin(&signed_in.admin.id);
        let made = self
            .relying_party()?
            .finish_registration::<AdminError>(cookie, handle, answer, &holder, name, now)
            .await?;
        let passkey = made.ok_or_else(|| {
            AdminError::invalid("passkey_name", "was not saved: the browser's answer did not fit")
        })?;
        let event = actor.event(now, "admin.passkey_added", &signed_in.admin.username);
        let event = event.detail(json!({ "name": name }));
        let (added, codes, cookie) = self.added(signed_in, event);
        let new_codes = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let before = tx.held_factors(&added.holder).await?;
                    tx.insert_passkey(&passkey).await?;
                    added.settle(tx, &before, now).await
                })
            })
            .await
            .map_err(|error: AdminError| error.taken("passkey_name"))?;
        Ok(NewCodes { cookie, recovery_codes: if new_codes { codes } else { Vec::new() } })
    }

    /// Removes one of one's own passkeys; with the last factor the recovery codes go too.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] when it is the last factor and one is required.
    pub async fn remove_own_passkey(
        &self,
        actor: &Actor,
        signed_in: &SignedIn,
        id: &str,
    ) -> Result<(), AdminError> {
        let required = self.settings().await?.0.require_second_factor;
        let holder = Holder::admin(&signed_in.admin.id);
        let event =
            actor.event(self.clock.now(), "admin.passkey_removed", &signed_in.admin.username);
        let id = id.to_owned();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let removed = tx.delete_passkey(&holder, &id).await?;
                    let name = removed.ok_or(AdminError::NotFound)?;
                    Self::after_removal(tx, &holder, required, "passkey_name").await?;
                    Ok(tx.record(&event.detail(json!({ "name": name }))).await?)
                })
            })
            .await
    }
}
