//! The signing keys, parsed once and kept ready — OIDC Core §10.1.1.
//!
//! A key's times are written when it is made, so every replica computes the same state without
//! talking to the others; each reads the rows anew every few seconds.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::sync::watch;

use super::admin::Actor;
use super::{Failure, Fault};
use crate::protocol::admin::Role;
use crate::protocol::ambient::{Clock, Timestamp};
use crate::protocol::error::Refusal;
use crate::protocol::jose::{Algorithm, SigningKey, generate_private_key};
use crate::protocol::keyring::{KeyState, PUBLISH_BEFORE_USE, StoredKey};
use crate::protocol::secret::Vault;
use crate::store::Store;

/// No token lives longer than this, so a key that signs no more may leave the JWKS after it.
const LONGEST_TOKEN: Duration = Duration::from_secs(24 * 3600);
/// How soon after one unknown `kid` the database is asked about another.
const SEEK_AGAIN: Duration = Duration::from_secs(1);
/// How long a request waits for a key that is being made on first start.
const PATIENCE: Duration = Duration::from_secs(10);

/// The keys as of one reading of the database.
pub struct Keyring {
    signing: HashMap<Algorithm, Arc<SigningKey>>,
    published: HashMap<String, Arc<SigningKey>>,
    jwks: Bytes,
    etag: String,
}

impl Keyring {
    /// The JWKS, ready to be sent (RFC 7517 §5).
    pub fn jwks(&self) -> &Bytes {
        &self.jwks
    }

    /// Names this very content of the JWKS (RFC 9110 §8.8.3).
    pub fn etag(&self) -> &str {
        &self.etag
    }

    fn of(
        signing: HashMap<Algorithm, Arc<SigningKey>>,
        published: HashMap<String, Arc<SigningKey>>,
    ) -> Self {
        let mut keys: Vec<_> = published.values().map(|key| key.public_jwk().clone()).collect();
        keys.sort_by_key(|jwk| (jwk["alg"].to_string(), jwk["kid"].to_string()));
        let jwks = json!({ "keys": keys }).to_string();
        Self { signing, published, etag: etag(jwks.as_bytes()), jwks: jwks.into() }
    }

    /// The published key with this `kid`.
    pub fn find(&self, kid: &str) -> Option<&SigningKey> {
        self.published.get(kid).map(AsRef::as_ref)
    }
}

/// Keeps the keyring.
pub struct KeyKeeper {
    store: Store,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    rotation: Duration,
    keyring: RwLock<Arc<Keyring>>,
    /// When the database was last asked about an unknown `kid`, in milliseconds.
    sought_at: AtomicI64,
    complete: watch::Sender<bool>,
}

/// A strong entity tag of some content.
pub fn etag(content: &[u8]) -> String {
    use base64::Engine as _;
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content);
    let short = hash.as_ref().get(..12).unwrap_or_default();
    format!("\"{}\"", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(short))
}

fn bound_to(kid: &str) -> String {
    format!("signing_keys:{kid}")
}

impl KeyKeeper {
    /// A keeper with no keys yet. A key signs for `rotation` before its successor takes over.
    pub fn new(store: Store, vault: Arc<Vault>, clock: Arc<dyn Clock>, rotation: Duration) -> Self {
        let empty = Keyring::of(HashMap::new(), HashMap::new());
        let keyring = RwLock::new(Arc::new(empty));
        let (sought_at, complete) = (AtomicI64::new(i64::MIN), watch::Sender::new(false));
        Self { store, vault, clock, rotation, keyring, sought_at, complete }
    }

    /// Loads the keys; on first start makes the missing ones, the quick ones first. RSA keys take
    /// tenths of a second each, so whoever serves requests runs this beside them.
    ///
    /// # Errors
    /// A store fault, or sealed keys that this master key does not open.
    pub async fn start(&self) -> Result<(), Fault> {
        self.reload().await?;
        for alg in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Ps256] {
            if !self.current().signing.contains_key(&alg) {
                self.introduce(alg, Introduction::AtOnce).await?;
            }
        }
        self.reload().await
    }

    /// Whether every algorithm has a key.
    pub fn is_complete(&self) -> bool {
        *self.complete.borrow()
    }

    /// The keyring as it is now, complete or not.
    pub fn current(&self) -> Arc<Keyring> {
        let keyring = match self.keyring.read() {
            Ok(keyring) => keyring,
            Err(poisoned) => poisoned.into_inner(),
        };
        Arc::clone(&keyring)
    }

    /// The keyring, once every algorithm has a key: a JWKS that lacks one would be cached.
    ///
    /// # Errors
    /// [`Fault::KeysNotReady`] when that takes too long.
    pub async fn complete(&self) -> Result<Arc<Keyring>, Fault> {
        if !self.is_complete() {
            let mut complete = self.complete.subscribe();
            let waited = tokio::time::timeout(PATIENCE, complete.wait_for(|done| *done)).await;
            if !matches!(waited, Ok(Ok(_))) {
                return Err(Fault::KeysNotReady);
            }
        }
        Ok(self.current())
    }

    /// The key that signs with `alg`.
    ///
    /// # Errors
    /// [`Fault::KeysNotReady`] when there is none.
    pub async fn signer(&self, alg: Algorithm) -> Result<Arc<SigningKey>, Fault> {
        if let Some(key) = self.current().signing.get(&alg) {
            return Ok(Arc::clone(key));
        }
        let keyring = self.complete().await?;
        keyring.signing.get(&alg).map(Arc::clone).ok_or(Fault::KeysNotReady)
    }

    /// Reads the rows anew; a key that was parsed before is not parsed again.
    ///
    /// # Errors
    /// A store fault, or sealed keys that this master key does not open.
    pub async fn reload(&self) -> Result<(), Fault> {
        let now = self.clock.now();
        let rows = self.store.list_keys().await?;
        let before = self.current();
        let mut published = HashMap::new();
        let mut signing: HashMap<Algorithm, (Timestamp, Arc<SigningKey>)> = HashMap::new();
        for row in rows {
            let state = row.state(now);
            if state == KeyState::Gone {
                continue;
            }
            let key = match before.published.get(&row.kid) {
                Some(parsed) => Arc::clone(parsed),
                None => {
                    let der = self.vault.open(&bound_to(&row.kid), &row.sealed_private_key)?;
                    Arc::new(SigningKey::from_pkcs8(row.alg, der.expose())?)
                }
            };
            if state == KeyState::Active
                && signing.get(&row.alg).is_none_or(|(at, _)| *at < row.active_at)
            {
                signing.insert(row.alg, (row.active_at, Arc::clone(&key)));
            }
            published.insert(row.kid, key);
        }
        let signing: HashMap<_, _> =
            signing.into_iter().map(|(alg, (_, key))| (alg, key)).collect();
        let complete = Algorithm::ALL.iter().all(|alg| signing.contains_key(alg));
        let keyring = Arc::new(Keyring::of(signing, published));
        match self.keyring.write() {
            Ok(mut current) => *current = keyring,
            Err(poisoned) => *poisoned.into_inner() = keyring,
        }
        self.complete.send_if_modified(|done| {
            let changed = *done != complete;
            *done = complete;
            changed
        });
        Ok(())
    }

    /// The keyring as the database has it, for a `kid` that ours does not know: after a leak
    /// another replica signs with a key that was made just now. Anybody can make up a `kid`, so
    /// this is asked once a second and else answered `None`.
    ///
    /// # Errors
    /// As [`Self::reload`].
    pub async fn seek(&self) -> Result<Option<Arc<Keyring>>, Fault> {
        let now = self.clock.now();
        let earliest = now.minus(SEEK_AGAIN).millis();
        let due = |sought_at: i64| (sought_at <= earliest).then_some(now.millis());
        if self.sought_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, due).is_err() {
            return Ok(None);
        }
        self.reload().await?;
        Ok(Some(self.current()))
    }

    /// Gives `alg` a successor key: published now, signing after [`PUBLISH_BEFORE_USE`].
    ///
    /// # Errors
    /// `invalid_request` while a successor is already waiting; a fault otherwise.
    pub async fn rotate(&self, alg: Algorithm, actor: &Actor) -> Result<StoredKey, Failure> {
        let made = self
            .introduce(alg, Introduction::Successor(Box::new(actor.clone())))
            .await?
            .ok_or_else(|| Refusal::invalid_request(format!("{alg} has a next key already")))?;
        self.reload().await?;
        Ok(made)
    }

    /// Rotates each key that has signed for its time. Safe to call often, on every replica.
    ///
    /// # Errors
    /// A store fault, or the cryptographic library's.
    pub async fn rotate_by_schedule(&self) -> Result<(), Fault> {
        let now = self.clock.now();
        let rows = self.store.list_keys().await?;
        for alg in Algorithm::ALL {
            let newest = rows.iter().filter(|row| row.alg == alg).map(|row| row.active_at).max();
            if newest.is_some_and(|at| at.plus(self.rotation) <= now.plus(PUBLISH_BEFORE_USE)) {
                self.introduce(alg, Introduction::Successor(Box::new(system()))).await?;
            }
        }
        for row in rows {
            if row.state(now) == KeyState::Gone && !row.sealed_private_key.is_empty() {
                self.store
                    .write(move |tx| Box::pin(async move { tx.erase_private_key(&row.kid).await }))
                    .await?;
            }
        }
        self.reload().await
    }

    /// Takes a key out of service at once: for a key that leaked. What it signed fails from now
    /// on; a successor signs immediately. If one waits for its time it is that one, for whoever
    /// keeps our keys may have it already.
    ///
    /// # Errors
    /// `invalid_request` for an unknown `kid`; a fault otherwise.
    pub async fn retire(&self, kid: &str, actor: &Actor) -> Result<(), Failure> {
        let rows = self.store.list_keys().await?;
        let now = self.clock.now();
        let alg = rows
            .iter()
            .find(|row| row.kid == kid && row.state(now) != KeyState::Gone)
            .map(|row| row.alg)
            .ok_or_else(|| Refusal::invalid_request("no published key has this kid"))?;
        let successor = self.make(alg, now).await?;
        let kid = kid.to_owned();
        let event = actor.event(now, "signing_key.retired", &kid);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.lock_keys().await?;
                    let Some(row) = tx.list_keys().await?.into_iter().find(|row| row.kid == kid)
                    else {
                        return Ok::<_, Failure>(());
                    };
                    let retiring_at = row.retiring_at.map_or(now, |at| at.min(now));
                    tx.update_key_times(&kid, row.active_at.min(now), Some(retiring_at), Some(now))
                        .await?;
                    tx.erase_private_key(&kid).await?;
                    let others = tx.list_keys().await?;
                    let of_alg = |state| {
                        others.iter().find(move |row| row.alg == alg && row.state(now) == state)
                    };
                    match (of_alg(KeyState::Active), of_alg(KeyState::Next)) {
                        (Some(_), _) => {}
                        (None, Some(next)) => {
                            let (retiring_at, gone_at) = (next.retiring_at, next.gone_at);
                            tx.update_key_times(&next.kid, now, retiring_at, gone_at).await?;
                        }
                        (None, None) => tx.insert_key(&successor).await?,
                    }
                    tx.record(&event).await?;
                    Ok(())
                })
            })
            .await?;
        self.reload().await?;
        Ok(())
    }

    /// All keys with their times, newest first.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn list(&self) -> Result<Vec<StoredKey>, Fault> {
        Ok(self.store.list_keys().await?)
    }

    async fn make(&self, alg: Algorithm, active_at: Timestamp) -> Result<StoredKey, Fault> {
        let made = tokio::task::spawn_blocking(move || {
            let der = generate_private_key(alg)?;
            let key = SigningKey::from_pkcs8(alg, der.expose())?;
            Ok::<_, Fault>((der, key))
        });
        let (der, key) = made.await.map_err(|_| Fault::KeysNotReady)??;
        Ok(StoredKey {
            kid: key.kid().to_owned(),
            alg,
            sealed_private_key: self.vault.seal(&bound_to(key.kid()), der.expose())?,
            public_jwk: key.public_jwk().to_string(),
            created_at: self.clock.now(),
            active_at,
            retiring_at: None,
            gone_at: None,
        })
    }

    /// Makes a key outside any transaction, then inserts it unless another replica was faster.
    async fn introduce(
        &self,
        alg: Algorithm,
        introduction: Introduction,
    ) -> Result<Option<StoredKey>, Fault> {
        let now = self.clock.now();
        let active_at = match introduction {
            Introduction::AtOnce => now,
            Introduction::Successor(_) => now.plus(PUBLISH_BEFORE_USE),
        };
        let key = self.make(alg, active_at).await?;
        let inserted = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    tx.lock_keys().await?;
                    let rows = tx.list_keys().await?;
                    let of_alg = |state| {
                        rows.iter().filter(move |row| row.alg == alg && row.state(now) == state)
                    };
                    let actor = match introduction {
                        Introduction::AtOnce if of_alg(KeyState::Active).next().is_some() => {
                            return Ok::<_, Fault>(None);
                        }
                        Introduction::AtOnce => Box::new(system()),
                        Introduction::Successor(_) if of_alg(KeyState::Next).next().is_some() => {
                            return Ok(None);
                        }
                        Introduction::Successor(actor) => actor,
                    };
                    for row in of_alg(KeyState::Active) {
                        let gone_at = key.active_at.plus(LONGEST_TOKEN);
                        tx.update_key_times(
                            &row.kid,
                            row.active_at,
                            Some(key.active_at),
                            Some(gone_at),
                        )
                        .await?;
                    }
                    tx.insert_key(&key).await?;
                    let event = actor.event(now, "signing_key.introduced", &key.kid);
                    tx.record(&event).await?;
                    Ok(Some(key))
                })
            })
            .await?;
        if matches!(inserted, Some(ref key) if key.active_at <= now) {
            self.reload().await?;
        }
        Ok(inserted)
    }
}

enum Introduction {
    AtOnce,
    Successor(Box<Actor>),
}

/// Whoever makes the first keys, and rotates them by schedule.
fn system() -> Actor {
    Actor::named("system", Role::Owner)
}
