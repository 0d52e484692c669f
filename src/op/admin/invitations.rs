//! Invitations: a link by which somebody binds their own sign-in at an upstream to a console account.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::upstream_identities::bound_already;
use super::{Actor, AdminError, Administration, SignIn};
use crate::op::console_journeys::FromUpstream;
use crate::protocol::admin::{Admin, Role};
use crate::protocol::id::AdminId;
use crate::protocol::secret::{SealError, SecretString};
use crate::store::single_use::SingleUse;

/// How long an invitation waits.
const WAITS: Duration = Duration::from_secs(3 * 86_400);

/// An invitation as it is parked.
#[derive(Serialize, Deserialize)]
struct Invitation {
    admin_id: AdminId,
}

impl Administration {
    /// Makes an invitation: whoever follows it binds an identity of theirs to the account. It is
    /// good once, for three days.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] without such an account, [`AdminError::Invalid`] where no connection
    /// is allowed for the console.
    pub async fn invite_admin(
        &self,
        actor: &Actor,
        username: &str,
    ) -> Result<SecretString, AdminError> {
        actor.must_be(Role::Owner)?;
        if self.settings().await?.0.console_connections.is_empty() {
            let message = "name none for the console: allow one in the settings first";
            return Err(AdminError::invalid("console_connections", message));
        }
        let admin = self.find_admin(username).await?;
        actor.must_cover(admin.role)?;
        let now = self.clock.now();
        let token = SecretString::random(self.entropy.as_ref());
        let key = self.invitation_key(token.expose());
        let invitation = Invitation { admin_id: admin.id };
        let payload = serde_json::to_vec(&invitation).map_err(|_| SealError::DoesNotOpen)?;
        let event = actor.event(now, "admin.invited", username);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let until = now.plus(WAITS);
                    tx.park(SingleUse::Invitation, &key, &payload, until, now).await?;
                    Ok::<_, AdminError>(tx.record(&event).await?)
                })
            })
            .await?;
        Ok(token)
    }

    /// Whom an invitation is for, as long as it is good, and where it is parked.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn invited(&self, token: &str) -> Result<Option<(Admin, String)>, AdminError> {
        let key = self.invitation_key(token);
        let parked = self.store.find_parked(SingleUse::Invitation, &key).await?;
        let now = self.clock.now();
        let parked = parked.filter(|found| found.spent_at.is_none() && found.expires_at > now);
        let invitation = parked.and_then(|found| serde_json::from_slice(&found.payload).ok());
        let Some(Invitation { admin_id }) = invitation else { return Ok(None) };
        let admin = self.store.find_admin(&admin_id).await?;
        Ok(admin.filter(|admin| admin.disabled_at.is_none()).map(|admin| (admin, key)))
    }

    /// Binds the identity to the account that the invitation is for, and signs in.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when the invitation is good no more; [`AdminError::Invalid`] as for
    /// [`Administration::bind_own_identity`].
    pub async fn accept_invitation(
        &self,
        key: &str,
        arrived: &FromUpstream,
        request_id: Option<String>,
        user_agent: Option<String>,
    ) -> Result<SignIn, AdminError> {
        let now = self.clock.now();
        let parked = self.store.find_parked(SingleUse::Invitation, key).await?;
        let invitation = parked.and_then(|found| serde_json::from_slice(&found.payload).ok());
        let Some(Invitation { admin_id }) = invitation else { return Err(AdminError::NotFound) };
        let admin = self.store.find_admin(&admin_id).await?.ok_or(AdminError::NotFound)?;
        let identity = self.to_bind(&admin.id, arrived).await?;
        let actor = Actor::console(&admin, request_id.clone());
        let event = self.bound_event(&actor, &admin.username, &identity, "invitation");
        let key = key.to_owned();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let first = tx.spend(SingleUse::Invitation, &key, now).await?.is_some();
                    let stands = tx.find_admin(&admin.id).await?;
                    if !first || stands.is_none_or(|admin| admin.disabled_at.is_some()) {
                        return Err(AdminError::NotFound);
                    }
                    tx.insert_admin_identity(&identity).await?;
                    Ok(tx.record(&event).await?)
                })
            })
            .await
            .map_err(bound_already)?;
        self.sign_in_by_identity(arrived, request_id, user_agent).await
    }

    fn invitation_key(&self, token: &str) -> String {
        self.vault.hash(&format!("invitation:{token}")).to_text()
    }
}
