//! The keys in use: hashing, authenticating and sealing at rest.
//!
//! What must be read back, such as an upstream token or a private key, is sealed with AES-256-GCM,
//! bound to the row it belongs to: moved to another row, it does not open. Data keys are kept in
//! the database, wrapped by the master key (`master_key.rs`).

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::{Zeroize as _, Zeroizing};

use crate::ambient::{Entropy, random};
use crate::master_key::DataKey;
use crate::secret::{SealError, Secret, SecretHash, SecretString, derive, key_bytes};

/// What one data key is good for.
struct Keys {
    number: i32,
    aead: RandomizedNonceKey,
    refresh: hmac::Key,
}

impl Keys {
    fn of(key: &DataKey) -> Result<Self, SealError> {
        let aead = RandomizedNonceKey::new(&AES_256_GCM, derive(&key.bytes, b"seal")?.as_slice())
            .map_err(|_| SealError::BadMasterKey)?;
        let refresh = derive(&key.bytes, b"refresh_token")?;
        let refresh = hmac::Key::new(hmac::HMAC_SHA256, refresh.as_slice());
        Ok(Self { number: key.number, aead, refresh })
    }
}

/// The keys in use: one seals and authenticates what is new, all of them open and recognise what
/// is old. They may be exchanged while the vault is in use.
pub struct Vault {
    hash: hmac::Key,
    audit: hmac::Key,
    dpop_nonce: hmac::Key,
    subject: hmac::Key,
    keys: RwLock<Arc<KeySet>>,
}

struct KeySet {
    current: Arc<Keys>,
    /// Every key, the current one too, newest first.
    all: Vec<Arc<Keys>>,
}

/// Marks a value that carries the number of its data key.
const NUMBERED: &[u8; 4] = b"rk1:";

impl Vault {
    /// The vault whose only data key is 32 random bytes in base64 (standard or URL-safe, padded or
    /// not).
    ///
    /// # Errors
    /// [`SealError::BadMasterKey`] when the text is anything else.
    pub fn from_base64(text: &str) -> Result<Self, SealError> {
        Self::from_bytes(&*key_bytes(text)?)
    }

    /// The vault whose only data key is 32 random bytes.
    ///
    /// # Errors
    /// [`SealError::BadMasterKey`] if the cryptographic library refuses the key.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, SealError> {
        Self::of(&DataKey { number: 1, bytes: Zeroizing::new(*bytes) }, &[], 1)
    }

    /// The vault of these data keys: the first, which all hashes hang on, and those after it.
    /// `current` is the number of the one that seals.
    ///
    /// # Errors
    /// [`SealError::BadMasterKey`] if the cryptographic library refuses a key.
    pub fn of(first: &DataKey, later: &[DataKey], current: i32) -> Result<Self, SealError> {
        let hmac = |purpose| {
            let key = derive(&first.bytes, purpose)?;
            Ok::<_, SealError>(hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()))
        };
        let set = KeySet::of(first, later, current)?;
        Ok(Self {
            hash: hmac(b"hash")?,
            audit: hmac(b"audit")?,
            dpop_nonce: hmac(b"dpop_nonce")?,
            subject: hmac(b"pairwise_subject")?,
            keys: RwLock::new(Arc::new(set)),
        })
    }

    /// Takes these data keys from now on. The first must be the one it was made with.
    ///
    /// # Errors
    /// [`SealError::BadMasterKey`] if the cryptographic library refuses a key.
    pub fn exchange(
        &self,
        first: &DataKey,
        later: &[DataKey],
        current: i32,
    ) -> Result<(), SealError> {
        let set = Arc::new(KeySet::of(first, later, current)?);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = set;
        Ok(())
    }

    fn keys(&self) -> Arc<KeySet> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The number of the data key that seals now.
    pub fn current(&self) -> i32 {
        self.keys().current.number
    }

    /// A fresh master key as it is written to `master.key`.
    pub fn generate_master_key(entropy: &dyn Entropy) -> SecretString {
        SecretString::new(STANDARD.encode(random::<32>(entropy)))
    }

    /// The hash that stands for a machine secret in the database.
    pub fn hash(&self, secret: &str) -> SecretHash {
        SecretHash::from_tag(&hmac::sign(&self.hash, secret.as_bytes()))
    }

    /// Authenticates a refresh token's readable part (`protocol/refresh_token.rs`).
    pub fn refresh_tag(&self, message: &[u8]) -> SecretHash {
        SecretHash::from_tag(&hmac::sign(&self.keys().current.refresh, message))
    }

    /// Whether one of the keys made this tag for this message.
    pub fn knows_refresh_tag(&self, message: &[u8], tag: &[u8]) -> bool {
        self.keys().all.iter().any(|keys| hmac::verify(&keys.refresh, message, tag).is_ok())
    }

    /// Authenticates a link of the audit chain (`protocol/audit.rs`).
    pub fn audit_tag(&self, message: &[u8]) -> SecretHash {
        SecretHash::from_tag(&hmac::sign(&self.audit, message))
    }

    /// Makes the DPoP nonce of a time window (`protocol/dpop.rs`).
    pub fn dpop_nonce_tag(&self, message: &[u8]) -> SecretHash {
        SecretHash::from_tag(&hmac::sign(&self.dpop_nonce, message))
    }

    /// What a person is called in one sector (`protocol/subject.rs`).
    pub fn subject_tag(&self, message: &[u8]) -> SecretHash {
        SecretHash::from_tag(&hmac::sign(&self.subject, message))
    }

    /// Encrypts `plaintext` so that it opens only under the same `bound_to`, which names table,
    /// column and row, such as `signing_keys.private_key:kid`.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`] if the cryptographic library fails.
    pub fn seal(&self, bound_to: &str, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        let keys = self.keys();
        let mut sealed = plaintext.to_vec();
        let nonce = keys
            .current
            .aead
            .seal_in_place_append_tag(Aad::from(bound_to.as_bytes()), &mut sealed)
            .map_err(|_| SealError::DoesNotOpen)?;
        let number = keys.current.number.to_be_bytes();
        Ok([NUMBERED.as_slice(), &number, nonce.as_ref(), &sealed].concat())
    }

    /// The number of the data key that sealed this. Values from before data keys had numbers are
    /// the first one's.
    pub fn number_of(sealed: &[u8]) -> i32 {
        Self::numbered(sealed).map_or(1, |(number, _)| number)
    }

    fn numbered(sealed: &[u8]) -> Option<(i32, &[u8])> {
        let (number, rest) = sealed.strip_prefix(NUMBERED)?.split_first_chunk::<4>()?;
        Some((i32::from_be_bytes(*number), rest))
    }

    /// Decrypts what [`Vault::seal`] made for the same `bound_to`.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`] for any other key, row or content.
    pub fn open(&self, bound_to: &str, sealed: &[u8]) -> Result<Secret<Vec<u8>>, SealError> {
        let (number, rest) = Self::numbered(sealed).unwrap_or((1, sealed));
        let keys = self.keys();
        let keys =
            keys.all.iter().find(|keys| keys.number == number).ok_or(SealError::DoesNotOpen)?;
        let (nonce, ciphertext) = rest.split_at_checked(12).ok_or(SealError::DoesNotOpen)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::DoesNotOpen)?;
        let mut buffer = ciphertext.to_vec();
        let plaintext = keys
            .aead
            .open_in_place(nonce, Aad::from(bound_to.as_bytes()), &mut buffer)
            .map_err(|_| SealError::DoesNotOpen)?;
        let plaintext = plaintext.to_vec();
        buffer.zeroize();
        Ok(Secret::new(plaintext))
    }
}

impl KeySet {
    fn of(first: &DataKey, later: &[DataKey], current: i32) -> Result<Self, SealError> {
        let mut all = std::iter::once(first)
            .chain(later)
            .map(|key| Keys::of(key).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        all.sort_by_key(|keys| std::cmp::Reverse(keys.number));
        let current = all
            .iter()
            .find(|keys| keys.number == current)
            .map(Arc::clone)
            .ok_or(SealError::BadMasterKey)?;
        Ok(Self { current, all })
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SeededEntropy;

    fn vault(fill: u8) -> Vault {
        Vault::from_bytes(&[fill; 32]).expect("a key of 32 bytes")
    }

    #[test]
    fn what_is_sealed_opens_for_its_own_row_only() {
        let vault = vault(7);
        let sealed = vault.seal("t.c:1", b"apple refresh token").expect("sealing");
        assert_eq!(
            vault.open("t.c:1", &sealed).expect("same row").expose(),
            b"apple refresh token"
        );
        assert_eq!(vault.open("t.c:2", &sealed).unwrap_err(), SealError::DoesNotOpen);
        assert_eq!(self::vault(8).open("t.c:1", &sealed).unwrap_err(), SealError::DoesNotOpen);
        for position in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[position] ^= 1;
            assert!(vault.open("t.c:1", &altered).is_err(), "byte {position} is not protected");
        }
        assert!(vault.open("t.c:1", &sealed[..19]).is_err());
    }

    #[test]
    fn a_new_data_key_seals_and_the_old_ones_still_open_and_recognise() {
        let key = |number, fill| DataKey { number, bytes: Zeroizing::new([fill; 32]) };
        let before = vault(1);
        let (sealed, tag) = (before.seal("t:1", b"x").unwrap(), before.refresh_tag(b"m"));
        let after = Vault::of(&key(1, 1), &[key(2, 9)], 2).unwrap();
        assert_eq!(after.hash("secret"), before.hash("secret"), "hashes never change");
        assert_eq!(after.open("t:1", &sealed).unwrap().expose(), b"x");
        assert!(after.knows_refresh_tag(b"m", tag.as_bytes()));
        let new = after.seal("t:1", b"x").unwrap();
        assert_eq!((Vault::number_of(&sealed), Vault::number_of(&new)), (1, 2));
        assert_eq!(before.open("t:1", &new).unwrap_err(), SealError::DoesNotOpen);
        let tag = after.refresh_tag(b"m");
        assert!(!before.knows_refresh_tag(b"m", tag.as_bytes()));
        before.exchange(&key(1, 1), &[key(2, 9)], 1).unwrap();
        assert_eq!(before.open("t:1", &new).unwrap().expose(), b"x", "known before it is used");
        assert!(before.knows_refresh_tag(b"m", tag.as_bytes()));
        assert_eq!(Vault::number_of(&before.seal("t:1", b"x").unwrap()), 1);
        assert!(Vault::of(&key(1, 1), &[], 2).is_err());
    }

    #[test]
    fn a_master_key_is_exactly_32_bytes_of_base64() {
        let made = Vault::generate_master_key(&SeededEntropy::new(1));
        assert!(Vault::from_base64(made.expose()).is_ok());
        assert!(Vault::from_base64(&format!("{}\n", made.expose())).is_ok());
        for bad in ["", "short", "AAAA", "not base64 at all!!!!!!!!!!!!!!!!!!!!!!!!!!!"] {
            assert_eq!(Vault::from_base64(bad).unwrap_err(), SealError::BadMasterKey, "{bad}");
        }
    }

    #[test]
    fn hashes_depend_on_the_master_key() {
        assert_eq!(vault(1).hash("token"), vault(1).hash("token"));
        assert_ne!(vault(1).hash("token"), vault(2).hash("token"));
        assert_ne!(vault(1).hash("token"), vault(1).refresh_tag(b"token"));
        assert_ne!(vault(1).hash("token"), vault(1).subject_tag(b"token"));
    }
}
