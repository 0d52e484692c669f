//! Apple's token endpoint — apple.md §1.2.

use serde::Deserialize;

use super::AppleConnector;
use super::client_keys::Ask;
use super::identity_token::Claims;
use crate::protocol::ambient::Timestamp;
use crate::protocol::jose::Algorithm;
use crate::protocol::secret::SecretString;
use crate::upstream::UpstreamError;

/// What redeeming a code gives. Apple's access token opens nothing that is needed here.
#[derive(Deserialize)]
pub(super) struct Tokens {
    pub(super) access_token: Option<SecretString>,
    pub(super) refresh_token: Option<SecretString>,
    pub(super) id_token: Option<SecretString>,
}

#[derive(Deserialize)]
struct ErrorBody {
    error: String,
}

/// Apple's error code, if the body is JSON and has one.
pub(super) fn error_code(body: &[u8]) -> Option<String> {
    serde_json::from_slice(body).ok().map(|ErrorBody { error }| error)
}

/// What an operator looks at when Apple refuses the client.
pub(super) const CLIENT_REFUSED: &str = "Apple refuses the client secret: check that key_id belongs to the private key, that team_id \
     is the key's team, and that the Services ID or bundle ID belongs to the key";

/// A code and what belongs to it.
pub(super) struct Redemption<'a> {
    /// The `client_id` that obtained the code.
    pub(super) client_id: &'a str,
    /// The code.
    pub(super) code: &'a str,
    /// For web codes; a native code was never sent to one.
    pub(super) redirect_uri: Option<&'a str>,
    /// For web codes whose journey sent a challenge.
    pub(super) code_verifier: Option<&'a str>,
}

impl AppleConnector {
    /// Redeems a code. Never tried twice: after a time-out it may have been consumed.
    pub(super) async fn redeem_code(
        &self,
        redemption: &Redemption<'_>,
        now: Timestamp,
    ) -> Result<Tokens, UpstreamError> {
        let mut form = vec![("grant_type", "authorization_code"), ("code", redemption.code)];
        form.extend(redemption.redirect_uri.map(|uri| ("redirect_uri", uri)));
        form.extend(redemption.code_verifier.map(|verifier| ("code_verifier", verifier)));
        let ask =
            Ask { path: "/auth/token", client_id: redemption.client_id, form: &form, bearer: None };
        let answer = self.ask(&ask, now).await?;
        match answer.status {
            200 => serde_json::from_slice(&answer.body).map_err(|_| {
                UpstreamError::Unavailable("the token endpoint did not answer JSON".to_owned())
            }),
            400 | 401 => Err(refused(&answer.body)),
            status => Err(UpstreamError::Unavailable(format!("the token endpoint said {status}"))),
        }
    }
}

/// Checks that the access token is the one that the identity token beside it vouches for, if it
/// vouches for any (OIDC Core §3.1.3.8).
pub(super) fn check_at_hash(claims: &Claims, tokens: &Tokens) -> Result<(), UpstreamError> {
    let fits = match (&claims.at_hash, &tokens.access_token) {
        (Some(hash), Some(token)) => *hash == Algorithm::Rs256.half_hash(token.expose()),
        (Some(_), None) => false,
        (None, _) => true,
    };
    if fits {
        return Ok(());
    }
    Err(UpstreamError::Rejected {
        reason: "at_hash_mismatch",
        detail: "the access token is not the one of this identity token".to_owned(),
    })
}

/// Sorts Apple's error codes; its descriptions are not read (apple.md §1.2).
pub(super) fn refused(body: &[u8]) -> UpstreamError {
    let Some(error) = error_code(body) else {
        return UpstreamError::Unavailable("the token endpoint did not answer JSON".to_owned());
    };
    match error.as_str() {
        "invalid_grant" => UpstreamError::Rejected {
            reason: "code_refused",
            detail: "Apple says the code is used, expired or another client's".to_owned(),
        },
        "invalid_client" => UpstreamError::Misconfigured(CLIENT_REFUSED.to_owned()),
        "invalid_request" | "unauthorized_client" | "unsupported_grant_type" | "invalid_scope" => {
            UpstreamError::Misconfigured(format!("Apple says {error}"))
        }
        _ => UpstreamError::Unavailable("an unknown error from the token endpoint".to_owned()),
    }
}
