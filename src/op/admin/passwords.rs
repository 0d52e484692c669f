//! Console passwords: argon2id with OWASP's parameters (19 MiB, 2 passes, 1 lane), off the
//! runtime's own threads and never more at once than there are cores.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::protocol::ambient::{Entropy, random};
use crate::protocol::secret::SecretString;

/// Fewest characters of a console password; there is no other rule of composition
/// (OWASP ASVS 5.0 §6.2).
pub const MIN_PASSWORD: usize = 12;
/// Most bytes looked at, so that nobody makes the hash read a book.
const MAX_PASSWORD: usize = 1024;

/// What an unknown user's password is compared with, so that the answer takes as long. The hash of
/// random bytes nobody kept, under the same parameters.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGtub3dzIGl0$\
                     1M3iIbDYUOsCoQL3n3CbYhGvGOZ1ApJRlO0oLMdR2bQ";

/// A password could not be hashed or compared: a fault, not a wrong password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// The hash function refused its parameters or a stored hash.
    #[error("a password hash could not be computed")]
    Hash,
    /// The thread that computed it has gone.
    #[error("the password thread ended early")]
    Interrupted,
}

/// Hashes and compares passwords.
pub struct PasswordHasher {
    argon2: Argon2<'static>,
    permits: Arc<Semaphore>,
    entropy: Arc<dyn Entropy>,
}

impl PasswordHasher {
    /// At most `permits` hashes are computed at once; each takes 19 MiB meanwhile.
    ///
    /// # Errors
    /// [`PasswordFault::Hash`] if the parameters were refused.
    pub fn new(permits: usize, entropy: Arc<dyn Entropy>) -> Result<Self, PasswordFault> {
        let params = Params::new(19 * 1024, 2, 1, None).map_err(|_| PasswordFault::Hash)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Ok(Self { argon2, permits: Arc::new(Semaphore::new(permits.max(1))), entropy })
    }

    /// The PHC string to store for a password.
    ///
    /// # Errors
    /// [`PasswordFault`] when it could not be computed.
    pub async fn hash(&self, password: SecretString) -> Result<String, PasswordFault> {
        let salt = random::<16>(self.entropy.as_ref());
        self.compute(move |argon2| {
            let hash: PasswordHash = argon2
                .hash_password_with_salt(password.expose().as_bytes(), &salt)
                .map_err(|_| PasswordFault::Hash)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether `password` is the one behind `stored`. Without `stored` (an unknown user) it is
    /// never, but finding out takes as long.
    ///
    /// # Errors
    /// [`PasswordFault`] when it could not be computed.
    pub async fn verify(
        &self,
        stored: Option<String>,
        password: SecretString,
    ) -> Result<bool, PasswordFault> {
        if password.expose().len() > MAX_PASSWORD {
            return Ok(false);
        }
        self.compute(move |argon2| {
            let hash = PasswordHash::new(stored.as_deref().unwrap_or(DECOY))
                .map_err(|_| PasswordFault::Hash)?;
            let same = argon2.verify_password(password.expose().as_bytes(), &hash).is_ok();
            Ok(same && stored.is_some())
        })
        .await
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> Result<T, PasswordFault> + Send + 'static,
    ) -> Result<T, PasswordFault> {
        let permits = Arc::clone(&self.permits);
        let permit = permits.acquire_owned().await.map_err(|_| PasswordFault::Interrupted)?;
        let argon2 = self.argon2.clone();
        tokio::task::spawn_blocking(move || {
            // Held by the thread, so that a caller who goes away does not make room too early.
            let _permit = permit;
            work(&argon2)
        })
        .await
        .map_err(|_| PasswordFault::Interrupted)?
    }
}

/// Why `password` may not be set for `username`, if so.
pub fn password_problem(username: &str, password: &SecretString) -> Option<String> {
    let password = password.expose();
    if password.chars().count() < MIN_PASSWORD {
        return Some(format!(
            "must have at least {MIN_PASSWORD} characters; 15 or more are better"
        ));
    }
    if password.len() > MAX_PASSWORD {
        return Some(format!("must not be longer than {MAX_PASSWORD} bytes"));
    }
    let same_as_name = password.eq_ignore_ascii_case(username)
        || (username.len() >= 4
            && password.len() < username.len().saturating_add(6)
            && password.to_ascii_lowercase().contains(&username.to_ascii_lowercase()));
    if same_as_name {
        return Some("must not be the username".to_owned());
    }
    let first = password.chars().next();
    if password.chars().all(|c| Some(c) == first) {
        return Some("must not be one character repeated".to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ambient::SeededEntropy;

    fn hasher() -> PasswordHasher {
        PasswordHasher::new(2, Arc::new(SeededEntropy::new(1))).expect("parameters")
    }

    #[tokio::test]
    async fn a_password_is_stored_as_argon2id_and_verified() {
        let hasher = hasher();
        let stored = hasher.hash("correct horse battery".into()).await.expect("a hash");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        let again = hasher.hash("correct horse battery".into()).await.expect("a hash");
        assert_ne!(stored, again, "each has its own salt");
        assert!(hasher.verify(Some(stored.clone()), "correct horse battery".into()).await.unwrap());
        assert!(!hasher.verify(Some(stored), "Correct horse battery".into()).await.unwrap());
    }

    #[tokio::test]
    async fn an_unknown_user_is_compared_with_the_decoy() {
        assert_eq!(hasher().verify(None, "anything at all".into()).await, Ok(false));
        let decoy = PasswordHash::new(DECOY).expect("the decoy is a PHC string");
        let real = hasher().hash("x".into()).await.expect("a hash");
        let real = PasswordHash::new(&real).expect("a PHC string");
        assert_eq!(decoy.params, real.params, "the same work");
        assert_eq!(decoy.hash.map(|h| h.len()), real.hash.map(|h| h.len()));
    }

    #[tokio::test]
    async fn a_stored_hash_that_is_none_is_a_fault_not_a_yes() {
        let outcome = hasher().verify(Some("plain".to_owned()), "plain".into()).await;
        assert_eq!(outcome, Err(PasswordFault::Hash));
    }

    #[test]
    fn short_and_obvious_passwords_are_refused() {
        for (username, password) in [
            ("admin", "elevenchars"),
            ("administrator", "Administrator"),
            ("operations", "operations123"),
            ("admin", "aaaaaaaaaaaaaaaa"),
        ] {
            assert!(password_problem(username, &password.into()).is_some(), "{password}");
        }
        assert_eq!(password_problem("admin", &"a sentence of words".into()), None);
    }
}
