//! What can go wrong in the database, sorted once on entry.

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlErr};

/// A failure of the store: ours, never the caller's, and never shown to one.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreFault {
    /// A row with this key is there already.
    #[error("a row with this key exists already: {0}")]
    Conflict(String),
    /// The row belongs to another that is not there (any more).
    #[error("a row refers to one that does not exist: {0}")]
    Orphan(String),
    /// Somebody else holds what is needed; worth another try.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// The database cannot be reached, or has no room.
    #[error("the database cannot be used: {0}")]
    Unavailable(String),
    /// The database URL names nothing that can be opened.
    #[error("the database URL cannot be used: {0}")]
    BadUrl(String),
    /// A newer release of Russet has migrated this database.
    #[error(
        "the database has the migration {found}, which this version of Russet does not know; \
         run the version that applied it, or a newer one"
    )]
    NewerSchema {
        /// The first migration this binary does not know.
        found: String,
    },
    /// A stored value cannot be read as what it should be.
    #[error("a stored value is not readable: {0}")]
    Corrupt(&'static str),
    /// The act panicked or the store was closed; nothing of the act is kept.
    #[error("the act was interrupted; nothing of it was kept")]
    Interrupted,
    /// Anything else.
    #[error(transparent)]
    Other(DbErr),
}

impl From<DbErr> for StoreFault {
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(detail)) => return Self::Conflict(detail),
            Some(SqlErr::ForeignKeyConstraintViolation(detail)) => return Self::Orphan(detail),
            Some(_) | None => {}
        }
        if let DbErr::ConnectionAcquire(reason) = &error {
            return match reason {
                ConnAcquireErr::Timeout => Self::Busy(error.to_string()),
                ConnAcquireErr::ConnectionClosed => Self::Unavailable(error.to_string()),
            };
        }
        let (DbErr::Conn(runtime) | DbErr::Exec(runtime) | DbErr::Query(runtime)) = &error else {
            return Self::Other(error);
        };
        let RuntimeErr::SqlxError(cause) = runtime else {
            return Self::Other(error);
        };
        sort(cause).map_or(Self::Other(error.clone()), |make| make(error.to_string()))
    }
}

type Make = fn(String) -> StoreFault;

fn sort(cause: &sqlx::Error) -> Option<Make> {
    if matches!(
        cause,
        sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
    ) {
        return Some(StoreFault::Unavailable);
    }
    if matches!(cause, sqlx::Error::PoolTimedOut) {
        return Some(StoreFault::Busy);
    }
    let error = cause.as_database_error()?;
    let code = error.code()?;
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        // The low byte is the primary result code: SQLITE_BUSY, SQLITE_LOCKED, SQLITE_FULL,
        // SQLITE_CANTOPEN.
        return match code.parse::<i32>().ok()? & 0xff {
            5 | 6 => Some(StoreFault::Busy),
            13 | 14 => Some(StoreFault::Unavailable),
            _ => None,
        };
    }
    match code.as_ref() {
        // serialization_failure, deadlock_detected, lock_not_available, too_many_connections
        "40001" | "40P01" | "55P03" | "53300" => Some(StoreFault::Busy),
        // disk_full, admin_shutdown, crash_shutdown, cannot_connect_now
        "53100" | "57P01" | "57P02" | "57P03" => Some(StoreFault::Unavailable),
        other if other.starts_with("08") => Some(StoreFault::Unavailable),
        _ => None,
    }
}
