//! Proof Key for Code Exchange — RFC 7636, S256 only (RFC 9700 §2.1.1).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::error::Refusal;
use crate::secret::constant_time_eq;

/// A `code_challenge` with method S256: 43 base64url characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// Reads the two parameters of an authorization request (RFC 7636 §4.3).
    ///
    /// # Errors
    /// `invalid_request` for `plain`, which is also what a missing method means, for an unknown
    /// method, for a method without a challenge, and for a challenge that is no SHA-256.
    pub fn from_request(
        challenge: Option<&str>,
        method: Option<&str>,
    ) -> Result<Option<Self>, Refusal> {
        let Some(challenge) = challenge else {
            return match method {
                None => Ok(None),
                Some(_) => Err(Refusal::invalid_request(
                    "code_challenge_method is given without code_challenge",
                )),
            };
        };
        if method != Some("S256") {
            return Err(Refusal::invalid_request("code_challenge_method must be S256"));
        }
        match URL_SAFE_NO_PAD.decode(challenge) {
            Ok(hash) if hash.len() == 32 => Ok(Some(Self(challenge.to_owned()))),
            Ok(_) | Err(_) => {
                Err(Refusal::invalid_request("code_challenge is not a base64url SHA-256 hash"))
            }
        }
    }

    /// The challenge that belongs to `verifier` (RFC 7636 §4.2).
    pub fn of(verifier: &str) -> Self {
        let hash = digest::digest(&digest::SHA256, verifier.as_bytes());
        Self(URL_SAFE_NO_PAD.encode(hash.as_ref()))
    }

    /// The challenge as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Checks `code_verifier` at the token endpoint (RFC 7636 §4.6). A verifier without a challenge
/// is refused as well, so that stripping the challenge is noticed (RFC 9700 §4.8.2).
///
/// # Errors
/// `invalid_grant` whenever the two do not belong together.
pub fn check(challenge: Option<&CodeChallenge>, verifier: Option<&str>) -> Result<(), Refusal> {
    match (challenge, verifier) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(Refusal::invalid_grant(
            "code_verifier is given, but the authorization request had no code_challenge",
        )),
        (Some(_), None) => Err(Refusal::invalid_grant("code_verifier is missing")),
        (Some(challenge), Some(verifier)) => {
            let well_formed = (43..=128).contains(&verifier.len())
                && verifier
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'));
            let expected = CodeChallenge::of(verifier);
            if well_formed && constant_time_eq(expected.0.as_bytes(), challenge.0.as_bytes()) {
                Ok(())
            } else {
                Err(Refusal::invalid_grant("code_verifier does not match code_challenge"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636 Appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn challenge() -> CodeChallenge {
        CodeChallenge::from_request(Some(CHALLENGE), Some("S256")).unwrap().unwrap()
    }

    #[test]
    fn the_example_of_the_rfc_passes() {
        assert_eq!(check(Some(&challenge()), Some(VERIFIER)), Ok(()));
    }

    #[test]
    fn plain_unknown_and_malformed_challenges_are_refused() {
        for (challenge, method) in [
            (Some(CHALLENGE), None),
            (Some(CHALLENGE), Some("plain")),
            (Some(CHALLENGE), Some("s256")),
            (None, Some("S256")),
            (Some("short"), Some("S256")),
            (Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM="), Some("S256")),
        ] {
            let read = CodeChallenge::from_request(challenge, method);
            assert!(read.is_err(), "{challenge:?} {method:?}");
        }
    }

    #[test]
    fn the_two_halves_must_belong_together() {
        let challenge = challenge();
        assert!(check(Some(&challenge), None).is_err());
        assert!(check(None, Some(VERIFIER)).is_err());
        assert!(check(Some(&challenge), Some(CHALLENGE)).is_err());
        assert!(check(Some(&challenge), Some(&VERIFIER[..42])).is_err());
        let long = "a".repeat(129);
        assert!(check(Some(&CodeChallenge::of(&long)), Some(&long)).is_err());
        let odd = "!".repeat(43);
        assert!(check(Some(&CodeChallenge::of(&odd)), Some(&odd)).is_err());
        assert_eq!(check(None, None), Ok(()));
    }
}
