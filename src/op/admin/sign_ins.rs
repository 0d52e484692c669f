//! Sign-ins, step by step.

use super::{AdminError, Administration};
use crate::protocol::ambient::Timestamp;
use crate::protocol::sign_in::SignInStep;

impl Administration {
    /// The steps of one sign-in, oldest first.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when none is known, or they are too long ago.
    pub async fn sign_in_steps(&self, id: &str) -> Result<Vec<SignInStep>, AdminError> {
        let steps = self.store.list_sign_in_steps(id).await?;
        if steps.is_empty() { Err(AdminError::NotFound) } else { Ok(steps) }
    }

    /// The latest steps of all sign-ins up to `until`, newest first.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn latest_sign_in_steps(
        &self,
        until: Option<Timestamp>,
        limit: u32,
    ) -> Result<Vec<SignInStep>, AdminError> {
        let until = until.unwrap_or_else(|| self.clock.now());
        Ok(self.store.latest_sign_in_steps(until, limit).await?)
    }
}
