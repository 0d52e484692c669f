//! What Russet remembers, on SQLite or PostgreSQL: sea-orm lives here and nowhere else.
//!
//! Reads are methods of [`Reader`], which [`Store`] and [`WriteTx`] both lend. Writes are methods
//! of [`WriteTx`], which exists only inside [`Store::write`]. Whatever may be used once goes through
//! [`single_use`]. Rows stay private to their file; domain types of `russet_protocol` go in and out.

mod act;
mod column;
mod connection;
mod fault;
mod lookup;
mod open;
mod paging;
mod reader;
mod schema;
mod sweep;

pub mod admin_identities;
pub mod admins;
pub mod api_keys;
pub mod apis;
pub mod apple_transfers;
pub mod audit;
pub mod backup;
mod client_names;
mod client_secrets;
pub mod clients;
pub mod connections;
pub mod data_keys;
pub mod deletions;
pub mod devices;
pub mod ending_secrets;
pub mod events;
pub mod factors;
pub mod grants;
mod holds;
pub mod job_states;
pub mod keys;
pub mod leases;
mod left_grants;
pub mod living;
pub mod local_accounts;
pub mod notifications;
pub mod observations;
pub mod opaque_tokens;
pub mod outbox;
pub mod participants;
pub mod passkeys;
pub mod people;
pub mod pictures;
pub mod registrations;
pub mod sessions;
pub mod settings;
pub mod sightings;
pub mod sign_in_counts;
pub mod sign_ins;
pub mod single_use;
pub mod transfer_runs;
pub mod trusted_issuers;
pub mod unverified_notifications;
pub mod upstream_grants;
pub mod users;

use std::ops::Deref;
use std::sync::Arc;

pub use act::{ActFuture, WriteTx};
pub use fault::StoreFault;
pub use reader::Reader;
pub use schema::MigrationStatus;

use act::Writer;

/// The database. Cheap to clone; every clone is the same store.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    reader: Reader,
    writer: Writer,
}

impl Store {
    /// Opens `sqlite://path` (made if missing, readable by its owner alone) or `postgres://…`.
    /// Must be called within a tokio runtime, which then serves this store.
    ///
    /// # Errors
    /// [`StoreFault::BadUrl`] for anything else; [`StoreFault::Unavailable`] or
    /// [`StoreFault::Busy`] when the database does not answer.
    pub async fn connect(url: &str) -> Result<Self, StoreFault> {
        let (reader, writer) = open::open(url).await?;
        Ok(Self(Arc::new(Inner { reader, writer })))
    }

    /// Performs an act: `Ok` commits all that it wrote, `Err` undoes it. The answer comes after the
    /// commit is durable. Once begun the act runs to its end, even if this future is dropped.
    ///
    /// On SQLite acts run one at a time, so an act must not wait for anything but its [`WriteTx`].
    ///
    /// # Errors
    /// The act's own; or a [`StoreFault`], then nothing of the act is kept: when a statement failed
    /// (also if the act passed over it), the commit failed, or the act panicked.
    pub async fn write<T, E, F>(&self, act: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreFault> + Send + 'static,
        F: for<'t> FnOnce(&'t WriteTx) -> ActFuture<'t, T, E> + Send + 'static,
    {
        self.0.writer.write(act).await
    }
}

impl Deref for Store {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.0.reader
    }
}
