//! Validating a JWT access token — RFC 9068 §4, with nothing but the issuer's JWKS.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use super::jwks::{JwksError, RemoteJwks};
use crate::protocol::ambient::Clock;

/// How far the issuer's clock may be from this one.
const LEEWAY: Duration = Duration::from_secs(30);

/// The claims an access token must carry (RFC 9068 §2.2); `aud` is checked with the signature.
#[derive(Debug, Deserialize)]
pub(super) struct AccessToken {
    /// Whom the token acts for: a person, or the client itself.
    pub(super) sub: String,
    /// The client it was given to.
    pub(super) client_id: String,
    /// Which token this is.
    pub(super) jti: String,
    /// When it ends, in seconds since the epoch.
    pub(super) exp: i64,
    /// When it was made, in seconds since the epoch.
    pub(super) iat: i64,
    /// What it allows, separated by spaces.
    #[serde(default)]
    pub(super) scope: String,
}

impl AccessToken {
    /// Whether the token allows `scope`.
    pub(super) fn allows(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|granted| granted == scope)
    }
}

/// Why a token is not accepted.
#[derive(Debug, thiserror::Error)]
pub(super) enum TokenError {
    /// The token is no good, in words for `error_description` (RFC 6750 §3).
    #[error("{0}")]
    Invalid(&'static str),
    /// Whether it is good cannot be told at the moment.
    #[error(transparent)]
    Keys(#[from] JwksError),
}

/// Accepts the tokens of one issuer for one API.
pub(super) struct Validator {
    issuer: String,
    audience: String,
    jwks: RemoteJwks,
    clock: Arc<dyn Clock>,
}

impl Validator {
    /// A validator for tokens of `issuer` whose `aud` holds `audience`.
    pub(super) fn new(
        issuer: String,
        audience: String,
        jwks: RemoteJwks,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { issuer, audience, jwks, clock }
    }

    /// Checks everything RFC 9068 §4 asks for.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] names the first check that fails; [`TokenError::Keys`] says that the
    /// issuer's keys cannot be had.
    pub(super) async fn validate(&self, token: &str) -> Result<AccessToken, TokenError> {
        use TokenError::Invalid;
        let header = decode_header(token).map_err(|_| Invalid("the token is not a signed JWT"))?;
        // jsonwebtoken looks at neither `typ` nor `crit`. An ID token is told apart by `typ` alone.
        let typ = header.typ.as_deref().unwrap_or_default().to_ascii_lowercase();
        if typ != "at+jwt" && typ != "application/at+jwt" {
            return Err(Invalid("the token's typ is not at+jwt"));
        }
        if header.crit.is_some() {
            return Err(Invalid("the token has critical headers this API does not understand"));
        }
        let kid = header.kid.as_deref().ok_or(Invalid("the token names no key"))?;
        let key = self.jwks.find(kid).await?;
        let key =
            key.ok_or(Invalid("the token is signed with a key the issuer does not publish"))?;
        let algorithm = algorithm_of(&key).ok_or(Invalid("the key is not meant for signatures"))?;
        if header.alg != algorithm {
            return Err(Invalid("the token's alg is not the key's"));
        }
        let public = DecodingKey::from_jwk(&key).map_err(|_| Invalid("the key cannot be read"))?;
        let claims = decode::<AccessToken>(token, &public, &self.expectations(algorithm))
            .map_err(|error| Invalid(complaint(error.kind())))?
            .claims;
        // The library would read the system's clock; this API has its time handed in.
        let now = self.clock.now();
        if claims.exp <= now.minus(LEEWAY).secs() {
            return Err(Invalid("the token has expired"));
        }
        if claims.iat > now.plus(LEEWAY).secs() {
            return Err(Invalid("the token is from the future"));
        }
        if claims.jti.is_empty() || claims.sub.is_empty() || claims.client_id.is_empty() {
            return Err(Invalid("a required claim is missing"));
        }
        Ok(claims)
    }

    fn expectations(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.validate_exp = false;
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
        validation
    }
}

/// The one algorithm a published key may be used with. The token's own `alg` decides nothing.
fn algorithm_of(key: &Jwk) -> Option<Algorithm> {
    if key.common.public_key_use.as_ref().is_some_and(|it| *it != PublicKeyUse::Signature) {
        return None;
    }
    let algorithm = Algorithm::from_str(&key.common.key_algorithm?.to_string()).ok()?;
    let is_symmetric = matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512);
    (!is_symmetric).then_some(algorithm)
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's list of errors is open, and all others mean the same to a caller"
)]
fn complaint(kind: &jsonwebtoken::errors::ErrorKind) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    match kind {
        ErrorKind::InvalidIssuer => "the token is from another issuer",
        ErrorKind::InvalidAudience => "the token is for another audience",
        ErrorKind::InvalidSignature => "the token's signature does not verify",
        ErrorKind::MissingRequiredClaim(_) | ErrorKind::Json(_) => "a required claim is missing",
        _ => "the token is not valid",
    }
}
