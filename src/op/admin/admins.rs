//! Console accounts. Only an owner makes them; the command line is an owner.

use serde_json::json;

use super::passwords::password_problem;
use super::rules::is_username;
use super::{Actor, AdminError, Administration, FieldProblem, checked};
use crate::protocol::admin::{Admin, Role};
use crate::protocol::id::{AdminId, Holder};
use crate::protocol::secret::SecretString;

/// An account to make.
#[derive(Debug)]
pub struct NewAdmin {
    /// What is typed at `/admin/login`.
    pub username: String,
    /// What it may do.
    pub role: Role,
    /// Its password; without one it opens by an invitation only.
    pub password: Option<SecretString>,
}

impl Administration {
    /// Makes a console account.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] for a weak password or a taken username.
    pub async fn create_admin(&self, actor: &Actor, new: NewAdmin) -> Result<Admin, AdminError> {
        actor.must_be(Role::Owner)?;
        actor.must_cover(new.role)?;
        let mut problems = Vec::new();
        if !is_username(&new.username) {
            problems.push(FieldProblem::new(
                "username",
                "must be 1 to 64 of A-Z, a-z, 0-9, '.', '_', '-', '@' and '+'",
            ));
        }
        // One that nobody has read is nobody's.
        let password = new.password.unwrap_or_else(|| SecretString::random(self.entropy.as_ref()));
        if let Some(message) = password_problem(&new.username, &password) {
            problems.push(FieldProblem::new("password", message));
        }
        checked(problems)?;
        let now = self.clock.now();
        let id = AdminId::random(self.entropy.as_ref());
        let hash = self.passwords.hash(password).await?;
        let admin = Admin::new(id, new.username, hash, new.role, now);
        let event = actor
            .event(now, "admin.created", &admin.username)
            .detail(json!({ "role": admin.role.as_str() }));
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.insert_admin(&admin).await?;
                    tx.record(&event).await?;
                    Ok::<_, AdminError>(admin)
                })
            })
            .await
            .map_err(|error| error.taken("username"))
    }

    /// Sets an account's password and ends its sessions.
    ///
    /// # Errors
    /// [`AdminError::NotFound`], or [`AdminError::Invalid`] for a weak password.
    pub async fn reset_admin_password(
        &self,
        actor: &Actor,
        username: &str,
        password: SecretString,
    ) -> Result<(), AdminError> {
        actor.must_be(Role::Owner)?;
        let admin = self.find_admin(username).await?;
        actor.must_cover(admin.role)?;
        if let Some(message) = password_problem(username, &password) {
            return Err(AdminError::invalid("password", message));
        }
        let hash = self.passwords.hash(password).await?;
        let event = actor.event(self.clock.now(), "admin.password_reset", username);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    if !tx.update_admin_password(&admin.id, &hash).await? {
                        return Err(AdminError::NotFound);
                    }
                    tx.delete_admin_sessions_of(&admin.id).await?;
                    Ok(tx.record(&event).await?)
                })
            })
            .await
    }

    /// Lets somebody in again who has lost password or second factors: sets a password, removes
    /// every factor, unbinds every identity, ends sessions and enables the account. Only for whoever can run the binary
    /// with its configuration. Returns the password if it was made here.
    ///
    /// # Errors
    /// [`AdminError::NotFound`], or [`AdminError::Invalid`] for a weak password.
    pub async fn recover_admin(
        &self,
        actor: &Actor,
        username: &str,
        given: Option<SecretString>,
    ) -> Result<Option<SecretString>, AdminError> {
        actor.must_be(Role::Owner)?;
        let admin = self.find_admin(username).await?;
        let (password, made) = match given {
            Some(password) => (password, None),
            None => {
                let made = SecretString::random(self.entropy.as_ref());
                (made.clone(), Some(made))
            }
        };
        if let Some(message) = password_problem(username, &password) {
            return Err(AdminError::invalid("password", message));
        }
        let hash = self.passwords.hash(password).await?;
        let event = actor.event(self.clock.now(), "admin.recovered", username);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    if !tx.update_admin_password(&admin.id, &hash).await? {
                        return Err(AdminError::NotFound);
                    }
                    let factors = tx.held_factors(&Holder::admin(&admin.id)).await?;
                    tx.remove_factors(&Holder::admin(&admin.id)).await?;
                    tx.disable_admin(&admin.id, None).await?;
                    let mut unbound = 0;
                    for identity in tx.list_admin_identities(&admin.id).await? {
                        let connection = &identity.connection_id;
                        unbound += tx.delete_admin_identities(&admin.id, connection).await?;
                    }
                    let ended = tx.delete_admin_sessions_of(&admin.id).await?;
                    let detail = json!({
                        "identities_unbound": unbound,
                        "totp": factors.totp_added_at.is_some(),
                        "passkeys": factors.passkeys,
                        "was_disabled": admin.disabled_at.is_some(),
                        "sessions_ended": ended,
                    });
                    Ok(tx.record(&event.detail(detail)).await?)
                })
            })
            .await?;
        Ok(made)
    }

    /// The console account with this username.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] without one.
    pub async fn find_admin(&self, username: &str) -> Result<Admin, AdminError> {
        self.store.find_admin_by_username(username).await?.ok_or(AdminError::NotFound)
    }

    /// Console accounts whose names hold `search`, by username after `after`; and whether there
    /// are more.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn page_of_admins(
        &self,
        search: &str,
        after: &str,
        limit: u32,
    ) -> Result<(Vec<Admin>, bool), AdminError> {
        let mut found =
            self.store.page_of_admins(search, after, u64::from(limit).saturating_add(1)).await?;
        let more = found.len() as u64 > u64::from(limit);
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok((found, more))
    }

    /// Every console account, by username.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn list_admins(&self) -> Result<Vec<Admin>, AdminError> {
        Ok(self.store.list_admins().await?)
    }
}
