//! The master keys of an installation, and the data keys that they wrap.
//!
//! Nothing is sealed or hashed with a master key itself: it only wraps **data keys**, which are
//! kept in the database. Changing the master key is then changing the wrapping of a few rows, and
//! no hash, refresh token or session knows of it. The first data key is what every hash hangs on
//! and stays for ever; later ones take over sealing.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

use crate::ambient::{Entropy, Timestamp, random};
use crate::secret::{SealError, SecretString, derive, key_bytes};

/// A data key as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedDataKey {
    /// Its number, from 1; sealed values carry it.
    pub number: i32,
    /// The key, sealed under a master key.
    pub wrapped: Vec<u8>,
    /// Which master key.
    pub master_key_id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it seals: late enough that every replica knows it by then.
    pub active_at: Timestamp,
    /// When nothing was sealed with it any more, because a later key had taken over.
    pub emptied_at: Option<Timestamp>,
}

/// A data key in the open.
#[derive(Clone)]
pub struct DataKey {
    /// Its number.
    pub number: i32,
    pub(crate) bytes: Zeroizing<[u8; 32]>,
}

struct MasterKey {
    id: String,
    bytes: Zeroizing<[u8; 32]>,
    wrap: RandomizedNonceKey,
}

/// The master key that is configured, and those it replaced.
pub struct MasterKeys {
    current: MasterKey,
    previous: Vec<MasterKey>,
}

impl MasterKey {
    fn from_base64(text: &str) -> Result<Self, SealError> {
        let bytes = key_bytes(text)?;
        let wrap = RandomizedNonceKey::new(&AES_256_GCM, derive(&bytes, b"wrap")?.as_slice())
            .map_err(|_| SealError::BadMasterKey)?;
        let id = derive(&bytes, b"key_id")?;
        let id = id.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { id, bytes, wrap })
    }
}

fn bound_to(number: i32) -> String {
    format!("data_keys:{number}")
}

impl MasterKeys {
    /// Reads the keys: each 32 random bytes in base64.
    ///
    /// # Errors
    /// [`SealError::BadMasterKey`] when one is anything else.
    pub fn from_base64(
        current: &SecretString,
        previous: &[SecretString],
    ) -> Result<Self, SealError> {
        let read = |text: &SecretString| MasterKey::from_base64(text.expose());
        Ok(Self {
            current: read(current)?,
            previous: previous.iter().map(read).collect::<Result<_, _>>()?,
        })
    }

    /// The name of the key that wraps from now on. It tells nothing of the key.
    pub fn current_id(&self) -> &str {
        &self.current.id
    }

    /// The names of the keys that may still have wrapped something.
    pub fn previous_ids(&self) -> impl Iterator<Item = &str> {
        self.previous.iter().map(|key| key.id.as_str())
    }

    /// An installation's first data key: the bytes of its first master key, so that whatever was
    /// made before there were data keys is still good.
    pub fn first_data_key(&self) -> DataKey {
        let first = self.previous.last().unwrap_or(&self.current);
        DataKey { number: 1, bytes: first.bytes.clone() }
    }

    /// A data key of chance.
    pub fn new_data_key(number: i32, entropy: &dyn Entropy) -> DataKey {
        DataKey { number, bytes: Zeroizing::new(random(entropy)) }
    }

    /// Wraps a data key with the current master key.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`] if the cryptographic library fails.
    pub fn wrap(&self, key: &DataKey) -> Result<Vec<u8>, SealError> {
        let mut sealed = key.bytes.to_vec();
        let nonce = self
            .current
            .wrap
            .seal_in_place_append_tag(Aad::from(bound_to(key.number).as_bytes()), &mut sealed)
            .map_err(|_| SealError::DoesNotOpen)?;
        Ok([nonce.as_ref().as_slice(), &sealed].concat())
    }

    /// Opens a data key with the master key that wrapped it.
    ///
    /// # Errors
    /// [`SealError::OtherMasterKey`] when that one is not configured; [`SealError::DoesNotOpen`]
    /// when the row was altered.
    pub fn unwrap(&self, row: &WrappedDataKey) -> Result<DataKey, SealError> {
        let master = std::iter::once(&self.current)
            .chain(&self.previous)
            .find(|key| key.id == row.master_key_id)
            .ok_or_else(|| SealError::OtherMasterKey(row.master_key_id.clone()))?;
        let (nonce, sealed) = row.wrapped.split_at_checked(12).ok_or(SealError::DoesNotOpen)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::DoesNotOpen)?;
        let mut buffer = Zeroizing::new(sealed.to_vec());
        let aad = bound_to(row.number);
        let plain = master
            .wrap
            .open_in_place(nonce, Aad::from(aad.as_bytes()), &mut buffer)
            .map_err(|_| SealError::DoesNotOpen)?;
        let bytes: [u8; 32] = (&*plain).try_into().map_err(|_| SealError::DoesNotOpen)?;
        Ok(DataKey { number: row.number, bytes: Zeroizing::new(bytes) })
    }
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKeys({})", self.current.id)
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey({})", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SeededEntropy;
    use crate::secret::Vault;

    fn key(seed: u64) -> SecretString {
        Vault::generate_master_key(&SeededEntropy::new(seed))
    }

    fn row(masters: &MasterKeys, key: &DataKey) -> WrappedDataKey {
        WrappedDataKey {
            number: key.number,
            wrapped: masters.wrap(key).unwrap(),
            master_key_id: masters.current_id().to_owned(),
            created_at: Timestamp::default(),
            active_at: Timestamp::default(),
            emptied_at: None,
        }
    }

    #[test]
    fn a_data_key_opens_with_the_master_key_that_wrapped_it_and_no_other() {
        let old = MasterKeys::from_base64(&key(1), &[]).unwrap();
        let both = MasterKeys::from_base64(&key(2), &[key(1)]).unwrap();
        let new = MasterKeys::from_base64(&key(2), &[]).unwrap();
        let data = MasterKeys::new_data_key(2, &SeededEntropy::new(3));
        let wrapped = row(&old, &data);
        assert_eq!(old.unwrap(&wrapped).unwrap().bytes, data.bytes);
        assert_eq!(both.unwrap(&wrapped).unwrap().bytes, data.bytes);
        let id = old.current_id().to_owned();
        assert_eq!(new.unwrap(&wrapped).unwrap_err(), SealError::OtherMasterKey(id));
        let rewrapped = row(&both, &data);
        assert_eq!(new.unwrap(&rewrapped).unwrap().bytes, data.bytes);
        let moved = WrappedDataKey { number: 3, ..rewrapped.clone() };
        assert_eq!(new.unwrap(&moved).unwrap_err(), SealError::DoesNotOpen);
        let claimed = WrappedDataKey { master_key_id: new.current_id().to_owned(), ..wrapped };
        assert_eq!(new.unwrap(&claimed).unwrap_err(), SealError::DoesNotOpen);
        for position in 0..rewrapped.wrapped.len() {
            let mut altered = rewrapped.clone();
            altered.wrapped[position] ^= 1;
            assert!(new.unwrap(&altered).is_err());
        }
    }

    #[test]
    fn the_first_data_key_is_what_came_before_data_keys() {
        let before = Vault::from_base64(key(1).expose()).unwrap();
        let sealed = before.seal("t:1", b"token").unwrap();
        let masters = MasterKeys::from_base64(&key(2), &[key(1)]).unwrap();
        let vault = Vault::of(&masters.first_data_key(), &[], 1).unwrap();
        assert_eq!(vault.hash("secret"), before.hash("secret"));
        assert_eq!(vault.open("t:1", &sealed).unwrap().expose(), b"token");
    }
}
