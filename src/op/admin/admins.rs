//! Console accounts. Only an owner makes them; the command line is an owner.

use serde_json::json;

use super::passwords::password_problem;
use super::rules::is_username;
use super::{Actor, AdminError, Administration, FieldProblem, checked};
use crate::protocol::admin::{Admin, Role};
use crate::protocol::id::AdminId;
use crate::protocol::secret::SecretString;

/// An account to make.
#[derive(Debug)]
pub struct NewAdmin {
    /// What is typed at `/admin/login`.
    pub username: String,
    /// What it may do.
    pub role: Role,
    /// Its password.
    pub password: SecretString,
}

impl Administration {
    /// Makes a console account.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] for a weak password or a taken username.
    pub async fn create_admin(&self, actor: &Actor, new: NewAdmin) -> Result<Admin, AdminError> {
        actor.must_be(Role::Owner)?;
        let mut problems = Vec::new();
        if !is_username(&new.username) {
            problems.push(FieldProblem::new(
                "username",
                "must be 1 to 64 of A-Z, a-z, 0-9, '.', '_', '-', '@' and '+'",
            ));
        }
        if let Some(message) = password_problem(&new.username, &new.password) {
            problems.push(FieldProblem::new("password", message));
        }
        checked(problems)?;
        let now = self.clock.now();
        let id = AdminId::random(self.entropy.as_ref());
        let hash = self.passwords.hash(new.password).await?;
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
        let admin =
            self.store.find_admin_by_username(username).await?.ok_or(AdminError::NotFound)?;
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

    /// Every console account, by username.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn list_admins(&self) -> Result<Vec<Admin>, AdminError> {
        Ok(self.store.list_admins().await?)
    }
}
