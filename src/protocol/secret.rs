//! Secrets that cannot be printed, and the hashes they are stored as.
//!
//! A **machine secret** (code, token, session cookie, client secret) is 256 random bits and is
//! stored as an HMAC-SHA256 under a key derived from the first data key (`vault.rs`): a stolen
//! database can neither use it nor test guesses.

use std::fmt;

use aws_lc_rs::{constant_time, hkdf, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::{Zeroize, Zeroizing};

use crate::ambient::{Entropy, random};
pub use crate::vault::Vault;

/// A value that is wiped when dropped and prints as `[redacted]`.
#[derive(Clone, Default)]
pub struct Secret<T: Zeroize>(Zeroizing<T>);

/// A secret text: token, code, client secret, password.
pub type SecretString = Secret<String>;

impl<T: Zeroize> Secret<T> {
    /// Wraps a value; from here on it is only seen through [`Secret::expose`].
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value itself. Each call is a place to look at in a review.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl SecretString {
    /// A machine secret: 256 random bits in base64url (43 characters).
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self::new(URL_SAFE_NO_PAD.encode(random::<32>(entropy)))
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl From<String> for SecretString {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

impl From<&str> for SecretString {
    fn from(value: &str) -> Self {
        Self::new(value.to_owned())
    }
}

impl<'de> serde::Deserialize<'de> for SecretString {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// What is stored in place of a machine secret. Compared in constant time.
#[derive(Clone, Copy)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// No hash of anything: where a chain of hashes begins.
    pub const ZERO: Self = Self([0; 32]);

    /// A hash read back from storage.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes to store where a text key is wanted (43 characters).
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// A hash read back from [`SecretHash::to_text`].
    pub fn from_text(text: &str) -> Option<Self> {
        Self::from_bytes(&URL_SAFE_NO_PAD.decode(text).ok()?)
    }
}

impl PartialEq for SecretHash {
    fn eq(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl Eq for SecretHash {}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

/// Whether two byte strings are equal, in time that depends on their lengths alone.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// Why a master key or a sealed value cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SealError {
    /// The master key is not 32 bytes of base64.
    #[error("the master key must be 32 random bytes in base64")]
    BadMasterKey,
    /// The value was sealed under another key, for another row, or was altered.
    #[error("a sealed value does not open: other master key, other row, or altered")]
    DoesNotOpen,
    /// A data key is wrapped by a master key that is not configured.
    #[error(
        "a data key was wrapped by the master key {0}, which is not configured; add it to \
         secrets.previous_master_key_file"
    )]
    OtherMasterKey(String),
}

/// 32 bytes from base64, standard or URL-safe, padded or not.
pub(crate) fn key_bytes(text: &str) -> Result<Zeroizing<[u8; 32]>, SealError> {
    let unpadded = text.trim().trim_end_matches('=').replace('-', "+").replace('_', "/");
    let bytes = Zeroizing::new(
        base64::engine::general_purpose::STANDARD_NO_PAD
            .decode(unpadded)
            .map_err(|_| SealError::BadMasterKey)?,
    );
    let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| SealError::BadMasterKey)?;
    Ok(Zeroizing::new(bytes))
}

/// The key for one purpose (HKDF-SHA256).
pub(crate) fn derive(from: &[u8; 32], purpose: &[u8]) -> Result<Zeroizing<[u8; 32]>, SealError> {
    let mut key = Zeroizing::new([0_u8; 32]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, b"russet")
        .extract(from)
        .expand(&[purpose], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(key.as_mut_slice()))
        .map_err(|_| SealError::BadMasterKey)?;
    Ok(key)
}

impl SecretHash {
    pub(crate) fn from_tag(tag: &hmac::Tag) -> Self {
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        Self(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = SecretString::from("hunter2");
        assert_eq!(format!("{secret:?}"), "[redacted]");
        let vault = Vault::from_bytes(&[1; 32]).unwrap();
        assert!(!format!("{:?}", vault.hash("hunter2")).contains("hunter2"));
    }
}
