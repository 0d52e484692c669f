//! What everybody may do with their own console account: another password, sessions ended.

use serde_json::json;

use super::passwords::password_problem;
use super::{Actor, AdminError, Administration, SignedIn};
use crate::protocol::admin::AdminSession;
use crate::protocol::id::Holder;
use crate::protocol::secret::SecretString;

impl Administration {
    /// Sets one's own password, proven by the current one. Other sessions end; this one goes on
    /// under the cookie that is returned.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] for a wrong current password or a weak new one.
    pub async fn change_own_password(
        &self,
        actor: &Actor,
        signed_in: &SignedIn,
        current: SecretString,
        new: SecretString,
    ) -> Result<SecretString, AdminError> {
        let SignedIn { admin, session } = signed_in;
        let (id, now) = (admin.id.clone(), self.clock.now());
        let holder = Holder::admin(&id);
        if !self.factors.take_try(&holder, now).await? {
            let message = "was wrong too often; wait a quarter of an hour";
            return Err(AdminError::invalid("password", message));
        }
        if let Some(message) = password_problem(&admin.username, &new) {
            return Err(AdminError::invalid("new_password", message));
        }
        let before = admin.password_hash.clone();
        if !self.passwords.verify(Some(before.clone()), current).await? {
            let event = actor.event(now, "admin.step_up_failed", &admin.username);
            self.note(event).await?;
            return Err(AdminError::invalid("password", "is not your current password"));
        }
        let hash = self.passwords.hash(new).await?;
        let event = actor.event(now, "admin.password_changed", &admin.username);
        let cookie = SecretString::random(self.entropy.as_ref());
        let (old, renewed) = (session.cookie_hash, self.vault.hash(cookie.expose()));
        let second_factor = session.second_factor;
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let stands = tx.find_admin(&id).await?;
                    if stands.is_none_or(|admin| admin.password_hash != before) {
                        return Err(AdminError::Conflict);
                    }
                    tx.update_admin_password(&id, &hash).await?;
                    tx.forget_factor_tries(&holder).await?;
                    let ended = tx.delete_other_admin_sessions(&id, &old).await?;
                    if !tx.renew_admin_session(&old, &renewed, second_factor, now).await? {
                        return Err(AdminError::NotFound);
                    }
                    let event = event.detail(json!({ "sessions_ended": ended }));
                    Ok(tx.record(&event).await?)
                })
            })
            .await?;
        Ok(cookie)
    }

    /// One's own sessions that are alive, newest first.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn own_sessions(
        &self,
        signed_in: &SignedIn,
    ) -> Result<Vec<AdminSession>, AdminError> {
        let all = self.list_console_sessions().await?;
        Ok(all.into_iter().filter(|each| each.admin_id == signed_in.admin.id).collect())
    }

    /// Ends one of one's own sessions, or with `None` all but this one. Returns how many.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when it is not alive or not one's own.
    pub async fn end_own_sessions(
        &self,
        actor: &Actor,
        signed_in: &SignedIn,
        which: Option<&str>,
    ) -> Result<u64, AdminError> {
        let own = self.own_sessions(signed_in).await?;
        let own = which.filter(|id| own.iter().any(|session| session.id == *id));
        if which.is_some() && own.is_none() {
            return Err(AdminError::NotFound);
        }
        let event = actor.event(self.clock.now(), "admin.signed_out", &signed_in.admin.username);
        let (admin, this) = (signed_in.admin.id.clone(), signed_in.session.cookie_hash);
        let own = own.map(str::to_owned);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let ended = match &own {
                        Some(id) => u64::from(tx.delete_admin_session_by_id(id).await?),
                        None => tx.delete_other_admin_sessions(&admin, &this).await?,
                    };
                    tx.record(&event.detail(json!({ "sessions_ended": ended }))).await?;
                    Ok(ended)
                })
            })
            .await
    }
}
