//! Initial access tokens: who may register clients — RFC 7591 §1.2, §3.

use std::time::Duration;

use serde_json::json;

use super::{Actor, AdminError, Administration, ListQuery, Page};
use crate::protocol::admin::Role;
use crate::protocol::ambient::random;
use crate::protocol::secret::SecretString;
use crate::store::registrations::RegistrationToken;

impl Administration {
    /// Makes an initial access token; the token itself is shown this once.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] for a name that is none, no uses or no time.
    pub async fn create_registration_token(
        &self,
        actor: &Actor,
        name: String,
        uses: Option<i32>,
        expires_in: Option<Duration>,
    ) -> Result<(RegistrationToken, SecretString), AdminError> {
        use base64::Engine as _;
        actor.must_be(Role::Admin)?;
        if name.trim().is_empty() || name.len() > 100 || name.contains(char::is_control) {
            return Err(AdminError::invalid("name", "must be 1 to 100 printable characters"));
        }
        if uses.is_some_and(|uses| uses < 1) {
            return Err(AdminError::invalid("uses", "must be at least 1"));
        }
        if expires_in.is_some_and(|life| life.is_zero()) {
            return Err(AdminError::invalid("expires_in", "must be at least a second"));
        }
        let now = self.clock.now();
        let secret = SecretString::random(self.entropy.as_ref());
        let hash = self.vault.hash(secret.expose());
        let token = RegistrationToken {
            id: base64::engine::general_purpose::URL_SAFE_NO_PAD
                .encode(random::<9>(self.entropy.as_ref())),
            name,
            uses_left: uses,
            expires_at: expires_in.map(|life| now.plus(life)),
            created_at: now,
        };
        let event = actor
            .event(now, "registration_token.created", &token.id)
            .detail(json!({ "name": token.name, "uses": uses }));
        let token = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    tx.insert_registration_token(&token, &hash).await?;
                    tx.record(&event).await?;
                    Ok::<_, AdminError>(token)
                })
            })
            .await?;
        Ok((token, secret))
    }

    /// Every initial access token.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn list_registration_tokens(&self) -> Result<Vec<RegistrationToken>, AdminError> {
        Ok(self.store.list_registration_tokens().await?)
    }

    /// Initial access tokens by pages, newest first.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn page_of_registration_tokens(
        &self,
        query: &ListQuery,
    ) -> Result<Page<RegistrationToken>, AdminError> {
        Ok(self.store.page_of_registration_tokens(query).await?)
    }

    /// Removes one; what was registered with it stays.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when it is not there.
    pub async fn delete_registration_token(
        &self,
        actor: &Actor,
        id: &str,
    ) -> Result<(), AdminError> {
        actor.must_be(Role::Admin)?;
        let event = actor.event(self.clock.now(), "registration_token.deleted", id);
        let id = id.to_owned();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    if !tx.delete_registration_token(&id).await? {
                        return Err(AdminError::NotFound);
                    }
                    Ok(tx.record(&event).await?)
                })
            })
            .await
    }
}
