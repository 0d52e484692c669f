//! Access tokens that say nothing by themselves: a random text, stored as its hash beside what it
//! stands for (RFC 6749 §1.4). For APIs that ask each time anyway, and want no claim to travel.

use crate::op::{Failure, Provider};
use crate::protocol::access_token::AccessTokenClaims;
use crate::protocol::secret::SecretString;

impl Provider {
    /// Draws a token that stands for `claims`.
    pub(super) async fn store_opaque_token(
        &self,
        claims: AccessTokenClaims,
    ) -> Result<String, Failure> {
        let token = SecretString::random(self.entropy.as_ref());
        let hash = self.vault.hash(token.expose());
        self.store
            .write(move |tx| {
                Box::pin(
                    async move { Ok::<_, Failure>(tx.insert_opaque_token(&hash, &claims).await?) },
                )
            })
            .await?;
        Ok(token.expose().clone())
    }

    /// What a token that is not a JWT stands for, if it is one of ours.
    pub(in crate::op) async fn read_opaque_token(
        &self,
        token: &str,
    ) -> Result<Option<AccessTokenClaims>, Failure> {
        Ok(self.store.find_opaque_token(&self.vault.hash(token)).await?)
    }
}
