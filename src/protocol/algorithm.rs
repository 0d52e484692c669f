//! Signature algorithms — RFC 7518 §3.1, RFC 8037, RFC 9864.

use std::fmt;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// A signature algorithm Russet signs with (RFC 7518 §3.1, RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256: OIDC's default.
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// RSASSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
}

impl Algorithm {
    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Ps256 => "PS256",
        }
    }

    /// The algorithm with this registered name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    /// Whether this is `name`. RFC 9864 gives Ed25519 a name of its own beside `EdDSA`.
    pub fn has_name(self, name: &str) -> bool {
        self.as_str() == name || (self == Self::EdDsa && name == "Ed25519")
    }

    /// Every algorithm, as discovery lists them.
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Es256, Self::EdDsa, Self::Ps256];

    /// The left half of the hash that goes with this algorithm, in base64url: `at_hash` and
    /// `c_hash` (OIDC Core §3.1.3.6). Ed25519 hashes with SHA-512.
    pub fn half_hash(self, value: &str) -> String {
        let algorithm = match self {
            Self::Rs256 | Self::Es256 | Self::Ps256 => &digest::SHA256,
            Self::EdDsa => &digest::SHA512,
        };
        let hash = digest::digest(algorithm, value.as_bytes());
        let half = hash.as_ref().split_at(hash.as_ref().len() / 2).0;
        URL_SAFE_NO_PAD.encode(half)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_hashes_follow_the_algorithm() {
        // OIDC Core §A.3's access token and at_hash.
        let hash = Algorithm::Rs256.half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
        assert_eq!(hash, "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(Algorithm::EdDsa.half_hash("x").len(), 43);
    }
}
