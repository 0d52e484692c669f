//! Second factors of console accounts: adding and removing one's own, and an owner's reset of
//! somebody else's.

use serde_json::json;

use super::{Actor, AdminError, Administration, SignedIn};
use crate::op::factors::Enrolment;
use crate::protocol::admin::Role;
use crate::protocol::ambient::Timestamp;
use crate::protocol::event::Event;
use crate::protocol::id::{AdminId, Holder};
use crate::protocol::secret::{SecretHash, SecretString};
use crate::store::WriteTx;
use crate::store::factors::HeldFactors;

/// What comes of adding a factor.
pub struct NewCodes {
    /// The session goes on under this cookie.
    pub cookie: SecretString,
    /// Recovery codes, if there were none: shown once.
    pub recovery_codes: Vec<SecretString>,
}

/// What follows from another factor, whichever it is.
pub(super) struct Added {
    pub(super) holder: Holder,
    admin: AdminId,
    old: SecretHash,
    renewed: SecretHash,
    recovery_codes: Vec<SecretHash>,
    event: Event,
}

impl Added {
    /// The first factor brings recovery codes; other sessions end; this one gets another cookie.
    /// Returns whether the codes are new.
    pub(super) async fn settle(
        self,
        tx: &WriteTx,
        before: &HeldFactors,
        now: Timestamp,
    ) -> Result<bool, AdminError> {
        let new_codes = before.recovery_codes == 0;
        if new_codes {
            tx.put_recovery_codes(&self.holder, &self.recovery_codes).await?;
        }
        tx.delete_other_admin_sessions(&self.admin, &self.old).await?;
        if !tx.renew_admin_session(&self.old, &self.renewed, true, now).await? {
            return Err(AdminError::NotFound);
        }
        tx.record(&self.event).await?;
        Ok(new_codes)
    }
}

impl Administration {
    /// What is to follow from another factor, with the codes and the cookie to show.
    pub(super) fn added(
        &self,
        signed_in: &SignedIn,
        event: Event,
    ) -> (Added, Vec<SecretString>, SecretString) {
        let (codes, recovery_codes) = self.factors.new_recovery_codes();
        let cookie = SecretString::random(self.entropy.as_ref());
        let added = Added {
            holder: Holder::admin(&signed_in.admin.id),
            admin: signed_in.admin.id.clone(),
            old: signed_in.session.cookie_hash,
            renewed: self.vault.hash(cookie.expose()),
            recovery_codes,
            event,
        };
        (added, codes, cookie)
    }

    /// With the last factor the recovery codes go too, unless one is required.
    pub(super) async fn after_removal(
        tx: &WriteTx,
        holder: &Holder,
        required: bool,
        field: &'static str,
    ) -> Result<(), AdminError> {
        if tx.held_factors(holder).await?.any() {
            return Ok(());
        }
        if required {
            let message = "is the last second factor, and one is required: add another first";
            return Err(AdminError::invalid(field, message));
        }
        tx.remove_factors(holder).await?;
        Ok(())
    }

    /// What the account has besides its password.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn own_factors(&self, signed_in: &SignedIn) -> Result<HeldFactors, AdminError> {
        Ok(self.factors.held(&Holder::admin(&signed_in.admin.id)).await?)
    }

    /// What an account has besides its password.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn factors_of(&self, id: &AdminId) -> Result<HeldFactors, AdminError> {
        Ok(self.factors.held(&Holder::admin(id)).await?)
    }

    /// Begins to add one-time codes: a new secret, known to nobody but the page.
    ///
    /// # Errors
    /// The vault's.
    pub fn begin_own_totp(
        &self,
        signed_in: &SignedIn,
        cookie: &str,
    ) -> Result<Enrolment, AdminError> {
        let holder = Holder::admin(&signed_in.admin.id);
        Ok(self.factors.begin_totp(&holder, cookie, self.clock.now())?)
    }

    /// The enrolment that a form or an image names; `None` when it is too old or another
    /// session's.
    pub fn own_enrolment(
        &self,
        signed_in: &SignedIn,
        cookie: &str,
        sealed: &str,
    ) -> Option<Enrolment> {
        let holder = Holder::admin(&signed_in.admin.id);
        self.factors.enrolment(&holder, cookie, sealed, self.clock.now())
    }

    /// Adds one-time codes, proven by one. Other sessions end: they were opened with less.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] for a wrong code.
    pub async fn add_own_totp(
        &self,
        actor: &Actor,
        signed_in: &SignedIn,
        enrolment: &Enrolment,
        code: &str,
    ) -> Result<NewCodes, AdminError> {
        let now = self.clock.now();
        let holder = Holder::admin(&signed_in.admin.id);
        let code: String = code.chars().filter(char::is_ascii_digit).collect();
        let step = enrolment.secret.step_of(&code, now).ok_or_else(|| {
            AdminError::invalid("totp", "is not the code of this key now; look at your app again")
        })?;
        let sealed = self.factors.seal_totp(&holder, &enrolment.secret)?;
        let event = actor.event(now, "admin.totp_added", &signed_in.admin.username);
        let (added, codes, cookie) = self.added(signed_in, event);
        let new_codes = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let before = tx.held_factors(&holder).await?;
                    tx.put_totp(&holder, &sealed, step, now).await?;
                    added.settle(tx, &before, now).await
                })
            })
            .await?;
        Ok(NewCodes { cookie, recovery_codes: if new_codes { codes } else { Vec::new() } })
    }

    /// Removes one-time codes; with the last factor the recovery codes go too.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] when it is the last factor and one is required.
    pub async fn remove_own_totp(
        &self,
        actor: &Actor,
        signed_in: &SignedIn,
    ) -> Result<(), AdminError> {
        let now = self.clock.now();
        let required = self.settings().await?.0.require_second_factor;
        let holder = Holder::admin(&signed_in.admin.id);
        let event = actor.event(now, "admin.totp_removed", &signed_in.admin.username);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    if !tx.remove_totp(&holder).await? {
                        return Err(AdminError::NotFound);
                    }
                    Self::after_removal(tx, &holder, required, "totp").await?;
                    Ok(tx.record(&event).await?)
                })
            })
            .await
    }

    /// Makes new recovery codes; the old ones are good for nothing any more.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] without a second factor that they could stand in for.
    pub async fn renew_own_recovery_codes(
        &self,
        actor: &Actor,
        signed_in: &SignedIn,
    ) -> Result<Vec<SecretString>, AdminError> {
        let holder = Holder::admin(&signed_in.admin.id);
        let name = &signed_in.admin.username;
        let event = actor.event(self.clock.now(), "admin.recovery_codes_renewed", name);
        let (codes, hashes) = self.factors.new_recovery_codes();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    if !tx.held_factors(&holder).await?.any() {
                        let message = "stand in for a second factor: add one first";
                        return Err(AdminError::invalid("recovery_codes", message));
                    }
                    tx.put_recovery_codes(&holder, &hashes).await?;
                    Ok(tx.record(&event).await?)
                })
            })
            .await?;
        Ok(codes)
    }

    /// Removes every factor of an account and ends its sessions: for somebody who has lost them
    /// all. What is left is the password.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] without such an account.
    pub async fn reset_factors(&self, actor: &Actor, username: &str) -> Result<(), AdminError> {
        actor.must_be(Role::Owner)?;
        let event = actor.event(self.clock.now(), "admin.factors_reset", username);
        let (actor, username) = (actor.clone(), username.to_owned());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let admin = tx.find_admin_by_username(&username).await?;
                    let admin = admin.ok_or(AdminError::NotFound)?;
                    actor.must_cover(admin.role)?;
                    let held = tx.held_factors(&Holder::admin(&admin.id)).await?;
                    tx.remove_factors(&Holder::admin(&admin.id)).await?;
                    let ended = tx.delete_admin_sessions_of(&admin.id).await?;
                    let detail = json!({
                        "totp": held.totp_added_at.is_some(),
                        "passkeys": held.passkeys,
                        "sessions_ended": ended,
                    });
                    Ok(tx.record(&event.detail(detail)).await?)
                })
            })
            .await
    }
}
