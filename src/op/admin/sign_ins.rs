//! Sign-ins, step by step.

use super::{AdminError, Administration};
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

    /// Sign-ins by their last step, newest first, each with the number by which the next page
    /// begins.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn latest_sign_ins(
        &self,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<(i64, SignInStep)>, AdminError> {
        Ok(self.store.latest_sign_ins(before, limit).await?)
    }
}
