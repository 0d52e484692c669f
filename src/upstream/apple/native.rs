//! Native sign-in — apple.md §5.

use async_trait::async_trait;

use super::AppleConnector;
use super::identity_token::{Code, Expected, ExpectedNonce, SKEW};
use super::token_endpoint::{Redemption, check_at_hash};
use super::user_field::Names;
use crate::protocol::ambient::Timestamp;
use crate::upstream::{
    NativeCredential, NativeSignIn, ObtainedGrant, UpstreamError, VerifiedNative,
};

#[async_trait]
impl NativeSignIn for AppleConnector {
    async fn verify(
        &self,
        credential: &NativeCredential<'_>,
        now: Timestamp,
    ) -> Result<VerifiedNative, UpstreamError> {
        // A client may only bring tokens of bundle IDs that the connection knows as well: the
        // Services ID is web's alone.
        let audiences: Vec<String> = credential
            .allowed_audiences
            .iter()
            .filter(|allowed| self.settings.bundle_ids.contains(allowed))
            .cloned()
            .collect();
        let expected = Expected {
            audiences: &audiences,
            nonce: ExpectedNonce::RawOrHashed(credential.nonce),
            fresh: true,
            code: credential.authorization_code.map_or(Code::None, Code::IfHashed),
        };
        let claims = self.verify_token(credential.identity_token, &expected, now).await?;
        Ok(VerifiedNative {
            identity: self.identity(&claims, Names::read(credential.user)),
            nonce: claims.nonce.clone().unwrap_or_default(),
            // A token passes until the clocks' difference is over, and is remembered as long.
            expires_at: Timestamp::from_secs(claims.exp.secs()).plus(SKEW),
            audience: claims.aud,
        })
    }

    async fn redeem(
        &self,
        verified: &VerifiedNative,
        authorization_code: &str,
        now: Timestamp,
    ) -> Result<Option<ObtainedGrant>, UpstreamError> {
        let redemption = Redemption {
            client_id: &verified.audience,
            code: authorization_code,
            // A native code was never sent to a redirect URI and has no verifier (apple.md §5.2).
            redirect_uri: None,
            code_verifier: None,
        };
        let tokens = self.redeem_code(&redemption, now).await?;
        if let Some(id_token) = &tokens.id_token {
            let expected = Expected {
                audiences: std::slice::from_ref(&verified.audience),
                nonce: ExpectedNonce::Exactly(&verified.nonce),
                fresh: true,
                code: Code::IfHashed(authorization_code),
            };
            let claims = self.verify_token(id_token.expose(), &expected, now).await?;
            check_at_hash(&claims, &tokens)?;
            if claims.sub != verified.identity.subject {
                return Err(UpstreamError::Rejected {
                    reason: "sub_mismatch",
                    detail: "the code belongs to somebody else than the identity token".to_owned(),
                });
            }
        } else {
            return Err(UpstreamError::Rejected {
                reason: "id_token_missing",
                detail: "Apple's answer does not say whose code it was".to_owned(),
            });
        }
        Ok(tokens.refresh_token.map(|refresh_token| ObtainedGrant {
            client_id: verified.audience.clone(),
            refresh_token,
        }))
    }
}
