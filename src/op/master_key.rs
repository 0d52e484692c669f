//! Changing the master key without anybody noticing.
//!
//! The master key wraps data keys and nothing else, so the change itself is one act on a few rows:
//! every data key is wrapped anew, and a new data key is made that takes over sealing a little
//! later, when every replica knows it. Sealed values follow at leisure, a batch at a time; killed
//! anywhere, the next batch goes on where values are still the old key's. Hashes hang on the first
//! data key and never change, so no session, client secret or token knows of any of this.

use std::sync::Arc;
use std::time::Duration;

use super::Fault;
use crate::protocol::ambient::{Clock, Entropy, Timestamp};
use crate::protocol::event::Event;
use crate::protocol::master_key::{DataKey, MasterKeys, WrappedDataKey};
use crate::protocol::secret::{SealError, Vault};
use crate::store::Store;
use crate::store::data_keys::{SEALED, SealedColumn, SealedValue};

/// How long a new data key is known before it seals: several times as long as replicas take to
/// read the rows anew.
pub const KNOWN_BEFORE_USE: Duration = Duration::from_secs(30);
/// How long after that the last replica may still have sealed with the key before.
const STRAGGLERS: Duration = Duration::from_secs(60);
const BATCH: u32 = 200;
const LEASE: Duration = Duration::from_secs(120);
const JOB: &str = "reseal";

/// Keeps the vault's data keys in step with the database.
pub struct VaultKeeper {
    store: Store,
    masters: MasterKeys,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// How far a change of the master key has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The master key that wraps every data key now.
    pub master_key_id: String,
    /// The data key that seals, or will.
    pub data_key: i32,
    /// From when on it does.
    pub active_at: Timestamp,
    /// Whether every sealed value is its own.
    pub complete: bool,
}

impl VaultKeeper {
    /// Reads the data keys; at the very first start makes the first one.
    ///
    /// # Errors
    /// A store fault, or data keys that no configured master key opens.
    pub async fn open(
        store: Store,
        masters: MasterKeys,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, Fault> {
        if store.list_data_keys().await?.is_empty() {
            let first = masters.first_data_key();
            // The key that came first may be a previous one by now; it is wrapped by the current.
            let row = wrapped(&masters, &first, clock.now(), clock.now())?;
            store
                .write(move |tx| {
                    Box::pin(async move {
                        tx.lock_data_keys().await?;
                        if tx.list_data_keys().await?.is_empty() {
                            tx.insert_data_key(&row).await?;
                        }
                        Ok::<_, Fault>(())
                    })
                })
                .await?;
        }
        Self::read(store, masters, clock, entropy).await
    }

    /// Reads the data keys and changes nothing; without any, the vault is that of the master key.
    ///
    /// # Errors
    /// A store fault, or data keys that no configured master key opens.
    pub async fn read(
        store: Store,
        masters: MasterKeys,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, Fault> {
        let rows = store.list_data_keys().await?;
        let (first, later, current) = opened(&masters, &rows, clock.now())?;
        let vault = Arc::new(Vault::of(&first, &later, current)?);
        Ok(Self { store, masters, vault, clock, entropy })
    }

    /// The vault. It is the same for ever; its keys are not.
    pub fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// Reads the data keys anew.
    ///
    /// # Errors
    /// A store fault, or data keys that no configured master key opens; then the vault goes on
    /// with those it has.
    pub async fn reload(&self) -> Result<(), Fault> {
        let rows = self.store.list_data_keys().await?;
        let (first, later, current) = opened(&self.masters, &rows, self.clock.now())?;
        Ok(self.vault.exchange(&first, &later, current)?)
    }

    /// Changes the wrapping of every data key to the configured master key and makes the next data
    /// key, unless that has been done; then only tells how far it has come.
    ///
    /// # Errors
    /// A store fault, or a data key that no configured master key opens.
    pub async fn rotate(&self, actor: &str) -> Result<Progress, Fault> {
        let now = self.clock.now();
        let rows = self.store.list_data_keys().await?;
        if rows.iter().all(|row| row.master_key_id == self.masters.current_id()) {
            return Ok(self.progress(&rows));
        }
        let last = rows.iter().map(|row| row.number).max().unwrap_or(0);
        let next = MasterKeys::new_data_key(last.saturating_add(1), self.entropy.as_ref());
        let next = wrapped(&self.masters, &next, now, now.plus(KNOWN_BEFORE_USE))?;
        let mut rewrapped = Vec::new();
        for row in &rows {
            rewrapped.push((row.number, self.masters.wrap(&self.masters.unwrap(row)?)?));
        }
        let id = self.masters.current_id().to_owned();
        let event = Event::new(now, "master_key.rotated", actor).target(id.clone());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.lock_data_keys().await?;
                    // Somebody else may have been faster.
                    if tx.list_data_keys().await? != rows {
                        return Ok::<_, Fault>(());
                    }
                    for (number, wrapped) in &rewrapped {
                        tx.rewrap_data_key(*number, wrapped, &id).await?;
                    }
                    tx.insert_data_key(&next).await?;
                    Ok(tx.record(&event).await?)
                })
            })
            .await?;
        self.reload().await?;
        Ok(self.progress(&self.store.list_data_keys().await?))
    }

    /// Seals anew what is still sealed with an earlier data key, if there is anything and its time
    /// has come. Safe to call at any time, on every replica: one does the work.
    ///
    /// # Errors
    /// The store's fault; what is done stays done.
    pub async fn reseal(&self, holder: &str) -> Result<Progress, Fault> {
        self.reload().await?;
        let rows = self.store.list_data_keys().await?;
        let progress = self.progress(&rows);
        let due = progress.active_at.plus(STRAGGLERS) <= self.clock.now();
        if progress.complete || !due || !self.hold(holder).await? {
            return Ok(progress);
        }
        let mut complete = true;
        for column in SEALED {
            complete &= self.reseal_column(column, progress.data_key, holder).await?;
        }
        let (number, now) = (progress.data_key, self.clock.now());
        if complete {
            let event = Event::new(now, "master_key.rotation_finished", "system")
                .target(self.masters.current_id());
            self.store
                .write(move |tx| {
                    Box::pin(async move {
                        tx.note_emptied(number, now).await?;
                        tx.record(&event).await
                    })
                })
                .await?;
        }
        let holder = holder.to_owned();
        self.store
            .write(move |tx| Box::pin(async move { tx.release_lease(JOB, &holder).await }))
            .await?;
        Ok(Progress { complete, ..progress })
    }

    async fn hold(&self, holder: &str) -> Result<bool, Fault> {
        let (holder, now) = (holder.to_owned(), self.clock.now());
        let taken = self.store.write(move |tx| {
            Box::pin(async move { tx.take_lease(JOB, &holder, now.plus(LEASE), now).await })
        });
        Ok(taken.await?)
    }

    /// One column, from its first row to its last. Returns whether all of it is the new key's.
    async fn reseal_column(
        &self,
        column: &'static SealedColumn,
        number: i32,
        holder: &str,
    ) -> Result<bool, Fault> {
        let mut complete = true;
        let mut after: Option<Vec<String>> = None;
        loop {
            let batch = self.store.list_sealed(column, after.as_deref(), BATCH).await?;
            let Some(last) = batch.last() else { return Ok(complete) };
            after = Some(last.key.clone());
            let mut anew = Vec::new();
            for value in batch {
                if value.sealed.is_empty() || Vault::number_of(&value.sealed) == number {
                    continue;
                }
                match self.resealed(column, &value) {
                    Ok(sealed) => anew.push((value, sealed)),
                    Err(error) => {
                        complete = false;
                        tracing::error!(table = column.table, %error, "a sealed value is left as it is");
                    }
                }
            }
            if anew.is_empty() {
                continue;
            }
            self.store
                .write(move |tx| {
                    Box::pin(async move {
                        for (value, sealed) in &anew {
                            // Changed since it was read: then the one who changed it has sealed it
                            // with the new key.
                            tx.reseal(column, value, sealed).await?;
                        }
                        Ok::<_, Fault>(())
                    })
                })
                .await?;
            if !self.hold(holder).await? {
                return Ok(false);
            }
        }
    }

    fn resealed(&self, column: &SealedColumn, value: &SealedValue) -> Result<Vec<u8>, SealError> {
        let bound_to = column.bound_to(value);
        self.vault.seal(&bound_to, self.vault.open(&bound_to, &value.sealed)?.expose())
    }

    fn progress(&self, rows: &[WrappedDataKey]) -> Progress {
        let newest = rows.iter().max_by_key(|row| row.number);
        let data_key = newest.map_or(1, |row| row.number);
        Progress {
            master_key_id: self.masters.current_id().to_owned(),
            data_key,
            active_at: newest.map_or_else(Timestamp::default, |row| row.active_at),
            complete: rows.iter().all(|row| row.number == data_key || row.emptied_at.is_some()),
        }
    }

    /// What `russet check` says of the master keys: whether the change is finished, and which
    /// previous key is still needed.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn state(&self) -> Result<MasterKeyState, Fault> {
        let rows = self.store.list_data_keys().await?;
        let needed = |id: &str| rows.iter().any(|row| row.master_key_id == id);
        let unwrapped = rows.iter().all(|row| row.master_key_id == self.masters.current_id());
        Ok(if rows.is_empty() || unwrapped {
            let idle = self.masters.previous_ids().next().is_some();
            if idle { MasterKeyState::PreviousIdle } else { MasterKeyState::Current }
        } else if self.masters.previous_ids().any(needed) {
            MasterKeyState::PreviousNeeded
        } else {
            MasterKeyState::Current
        })
    }
}

/// Which master keys are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MasterKeyState {
    /// The configured one alone.
    Current,
    /// A previous one: `russet keys rotate --master` has not been run.
    PreviousNeeded,
    /// A previous one is configured that nothing needs any more.
    PreviousIdle,
}

fn wrapped(
    masters: &MasterKeys,
    key: &DataKey,
    now: Timestamp,
    active_at: Timestamp,
) -> Result<WrappedDataKey, Fault> {
    Ok(WrappedDataKey {
        number: key.number,
        wrapped: masters.wrap(key)?,
        master_key_id: masters.current_id().to_owned(),
        created_at: now,
        active_at,
        emptied_at: None,
    })
}

/// The data keys in the open: the first, those after it, and the number of the one that seals now.
fn opened(
    masters: &MasterKeys,
    rows: &[WrappedDataKey],
    now: Timestamp,
) -> Result<(DataKey, Vec<DataKey>, i32), Fault> {
    let Some((first, later)) = rows.split_first() else {
        return Ok((masters.first_data_key(), Vec::new(), 1));
    };
    let first = masters.unwrap(first)?;
    let later_keys = later.iter().map(|row| masters.unwrap(row)).collect::<Result<_, _>>()?;
    let current = later.iter().filter(|row| row.active_at <= now).map(|row| row.number).max();
    let current = current.unwrap_or(first.number);
    Ok((first, later_keys, current))
}
