//! A secret that is shown once: kept sealed for a few minutes, for the session that made it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{AdminError, Administration};
use crate::protocol::secret::{SealError, SecretString};
use crate::store::single_use::SingleUse;

/// How long a secret waits to be looked at.
const WAITS: Duration = Duration::from_secs(10 * 60);

/// What is shown once.
#[derive(Serialize, Deserialize)]
pub struct Reveal {
    /// What happened.
    pub heading: String,
    /// Whose secret it is: a client's or a key's id.
    pub of: String,
    /// The secret; a client without one has a page all the same.
    pub secret: Option<String>,
}

impl Administration {
    /// Keeps it for the console session with this cookie; returns the handle to ask with.
    ///
    /// # Errors
    /// The store's fault, or the vault's.
    pub async fn keep_reveal(&self, cookie: &str, reveal: &Reveal) -> Result<String, AdminError> {
        let now = self.clock.now();
        let handle = SecretString::random(self.entropy.as_ref()).expose().clone();
        let key = self.reveal_key(cookie, &handle);
        let plain = serde_json::to_vec(reveal).map_err(|_| SealError::DoesNotOpen)?;
        let sealed = self.vault.seal(&bound_to(&key), &plain)?;
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.park(SingleUse::Reveal, &key, &sealed, now.plus(WAITS), now).await?;
                    Ok::<_, AdminError>(())
                })
            })
            .await?;
        Ok(handle)
    }

    /// Shows it, the first time that this session asks; `None` ever after.
    ///
    /// # Errors
    /// The store's fault, or the vault's.
    pub async fn reveal(&self, cookie: &str, handle: &str) -> Result<Option<Reveal>, AdminError> {
        let now = self.clock.now();
        let key = self.reveal_key(cookie, handle);
        let binding = bound_to(&key);
        let spent = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    Ok::<_, AdminError>(tx.spend(SingleUse::Reveal, &key, now).await?)
                })
            })
            .await?;
        let Some(sealed) = spent else { return Ok(None) };
        let plain = self.vault.open(&binding, &sealed)?;
        let reveal = serde_json::from_slice(plain.expose()).map_err(|_| SealError::DoesNotOpen)?;
        Ok(Some(reveal))
    }

    fn reveal_key(&self, cookie: &str, handle: &str) -> String {
        self.vault.hash(&format!("reveal:{cookie}:{handle}")).to_text()
    }
}

fn bound_to(key: &str) -> String {
    format!("single_use:reveal:{key}")
}
