//! Changing console accounts: roles, switching off, ending sessions. There is always an owner.

use serde_json::json;

use super::metadata::difference;
use super::{Actor, AdminError, Administration, unchanged};
use crate::protocol::admin::{Admin, AdminSession, Role};
use crate::protocol::id::ClientId;
use crate::store::{StoreFault, WriteTx};

/// What shall be changed of an account.
#[derive(Clone, Debug)]
pub struct AdminChange {
    /// What it may do.
    pub role: Role,
    /// Which clients, for an editor.
    pub clients: Vec<ClientId>,
    /// Whether it may not sign in.
    pub disabled: bool,
    /// The version that was seen; `None` takes it as it stands.
    pub version: Option<i32>,
}

impl Administration {
    /// Changes an account. Its sessions go on with the new rights; a disabled one's end.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] when nobody would be left who may do everything, or for an editor
    /// of clients that there are not.
    pub async fn change_admin(
        &self,
        actor: &Actor,
        username: &str,
        change: AdminChange,
    ) -> Result<(), AdminError> {
        actor.must_be(Role::Owner)?;
        let now = self.clock.now();
        let event = actor.event(now, "admin.updated", username);
        let (actor, username) = (actor.clone(), username.to_owned());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let admin = tx.find_admin_by_username(&username).await?;
                    let admin = admin.ok_or(AdminError::NotFound)?;
                    actor.must_cover(admin.role.max(change.role))?;
                    unchanged(change.version, admin.version)?;
                    let clients =
                        if change.role == Role::Editor { change.clients } else { Vec::new() };
                    for id in &clients {
                        if tx.find_client(id).await?.is_none() {
                            let message = format!("{id} is not a client_id");
                            return Err(AdminError::invalid("clients", message));
                        }
                    }
                    let stays = change.role == Role::Owner && !change.disabled;
                    if !stays && is_last_owner(tx, &admin).await? {
                        let message = "is the last owner's: make another owner first";
                        return Err(AdminError::invalid("role", message));
                    }
                    let disabled_at = match (change.disabled, admin.disabled_at) {
                        (true, Some(at)) => Some(at),
                        (true, None) => Some(now),
                        (false, _) => None,
                    };
                    let state = |role: Role, clients: &[ClientId], disabled: bool| {
                        json!({ "role": role.as_str(), "clients": clients, "disabled": disabled })
                    };
                    let before = state(admin.role, &admin.clients, admin.disabled_at.is_some());
                    let changed =
                        difference(&before, &state(change.role, &clients, change.disabled));
                    if changed.is_empty() {
                        return Ok(());
                    }
                    let version = admin.version;
                    if !tx.update_admin_rights(&admin.id, version, change.role, &clients).await? {
                        return Err(AdminError::Conflict);
                    }
                    tx.disable_admin(&admin.id, disabled_at).await?;
                    if change.disabled {
                        tx.delete_admin_sessions_of(&admin.id).await?;
                    }
                    Ok(tx.record(&event.detail(json!({ "changed": changed }))).await?)
                })
            })
            .await
    }

    /// The console sessions that are alive, newest first.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn list_console_sessions(&self) -> Result<Vec<AdminSession>, AdminError> {
        let mut alive = Vec::new();
        for session in self.store.list_admin_sessions(self.clock.now()).await? {
            let stands = match &session.connection_id {
                Some(connection) => self.is_console_connection(connection).await?,
                None => true,
            };
            alive.extend(stands.then_some(session));
        }
        Ok(alive)
    }

    /// Ends a console session.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when it is not alive.
    pub async fn end_console_session(&self, actor: &Actor, id: &str) -> Result<(), AdminError> {
        actor.must_be(Role::Owner)?;
        let event = actor.event(self.clock.now(), "admin.signed_out", id);
        let id = id.to_owned();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    if id.is_empty() || !tx.delete_admin_session_by_id(&id).await? {
                        return Err(AdminError::NotFound);
                    }
                    Ok(tx.record(&event).await?)
                })
            })
            .await
    }
}

async fn is_last_owner(tx: &WriteTx, admin: &Admin) -> Result<bool, StoreFault> {
    let owner = |each: &Admin| each.role == Role::Owner && each.disabled_at.is_none();
    if !owner(admin) {
        return Ok(false);
    }
    Ok(!tx.list_admins().await?.iter().any(|each| each.id != admin.id && owner(each)))
}
