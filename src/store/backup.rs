//! A consistent copy of a running SQLite database, and the way back.
//!
//! `VACUUM INTO` reads one snapshot while others write. The way back looks at the copy first, and
//! takes the place of a database only if nobody has it open.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection};
use sqlx::sqlite::SqliteConnectOptions;

use crate::Store;
use crate::fault::StoreFault;
use crate::open::{create_private, quiet};

/// Why a copy was not made or not put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupFault {
    /// Only SQLite is copied by Russet.
    #[error("only a SQLite database is copied so")]
    NotSqlite,
    /// The target of a backup is there already.
    #[error("{} exists; choose another name", .0.display())]
    Exists(PathBuf),
    /// The file is not a sound database of Russet's.
    #[error("{}: {reason}", file.display())]
    Unsound {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Somebody has the database open.
    #[error("the database is in use; stop `russet serve` first")]
    InUse,
    /// A file could not be written.
    #[error("{}: {cause}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

impl From<sea_orm::DbErr> for BackupFault {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}

fn at(file: &Path) -> impl FnOnce(std::io::Error) -> BackupFault {
    let file = file.to_owned();
    move |cause| BackupFault::File { file, cause }
}

/// The file of a `sqlite://` URL; `None` for other databases.
pub fn sqlite_file(url: &str) -> Option<PathBuf> {
    url.starts_with("sqlite:")
        .then(|| SqliteConnectOptions::from_str(url).ok())?
        .map(|options| options.get_filename().to_owned())
}

/// Copies the database at `url` into a new file, readable by its owner alone. What was committed
/// when it began is in it, whole; a running broker goes on meanwhile.
///
/// # Errors
/// Every [`BackupFault`] but `InUse`.
pub async fn backup(url: &str, target: &Path) -> Result<(), BackupFault> {
    let source = sqlite_file(url).ok_or(BackupFault::NotSqlite)?;
    if !source.exists() {
        return Err(BackupFault::Unsound { file: source, reason: "is not there".to_owned() });
    }
    if target.exists() {
        return Err(BackupFault::Exists(target.to_owned()));
    }
    let done = copy(&source, target).await;
    if done.is_err() {
        // Half a copy would pass for one.
        let _ = fs::remove_file(target);
    }
    done
}

/// Puts a copy in the place of the database at `url`, which nobody may have open. The copy is
/// looked at before anything is touched.
///
/// # Errors
/// Every [`BackupFault`].
pub async fn restore(url: &str, copy_of_it: &Path) -> Result<(), BackupFault> {
    let target = may_restore(url, copy_of_it).await?;
    let beside = beside(&target);
    let _ = fs::remove_file(&beside);
    let copied = copy(copy_of_it, &beside).await;
    if copied.is_err() {
        let _ = fs::remove_file(&beside);
    }
    copied?;
    fs::rename(&beside, &target).map_err(at(&target))?;
    if let Some(directory) = target.parent().filter(|path| !path.as_os_str().is_empty()) {
        File::open(directory).and_then(|file| file.sync_all()).map_err(at(directory))?;
    }
    Ok(())
}

/// Whether [`restore`] could do it now, and what it would replace.
///
/// # Errors
/// As [`restore`].
pub async fn may_restore(url: &str, copy_of_it: &Path) -> Result<PathBuf, BackupFault> {
    let target = sqlite_file(url).ok_or(BackupFault::NotSqlite)?;
    inspect(copy_of_it).await?;
    if target.exists() {
        alone(&target).await?;
    }
    Ok(target)
}

fn beside(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".restoring");
    PathBuf::from(name)
}

async fn open(file: &Path, read_only: bool) -> Result<DatabaseConnection, BackupFault> {
    // The name goes in as it is: a URL would read `?` and `%` in it.
    let (name, lazily) = (file.to_owned(), false);
    let mut options = quiet("sqlite::memory:");
    options.max_connections(1).connect_lazy(lazily).map_sqlx_sqlite_opts(move |sqlite| {
        sqlite.filename(&name).in_memory(false).read_only(read_only).create_if_missing(false)
    });
    Ok(Database::connect(options).await?)
}

async fn copy(source: &Path, target: &Path) -> Result<(), BackupFault> {
    create_private(target).map_err(at(target))?;
    let connection = open(source, true).await?;
    let name = target.to_str().ok_or_else(|| BackupFault::Unsound {
        file: target.to_owned(),
        reason: "has a name that is not UTF-8".to_owned(),
    })?;
    let quoted = name.replace('\'', "''");
    connection.execute_unprepared(&format!("VACUUM INTO '{quoted}'")).await?;
    connection.close().await?;
    File::open(target).and_then(|file| file.sync_all()).map_err(at(target))
}

/// Whether a file is a whole database whose schema this binary knows.
async fn inspect(file: &Path) -> Result<(), BackupFault> {
    let unsound =
        |reason: &str| BackupFault::Unsound { file: file.to_owned(), reason: reason.to_owned() };
    if !file.is_file() {
        return Err(unsound("is not there"));
    }
    let connection = open(file, true).await.map_err(|_| unsound("is not a SQLite database"))?;
    let row = connection
        .query_one_raw(sea_orm::Statement::from_string(
            sea_orm::DbBackend::Sqlite,
            "PRAGMA integrity_check(1)",
        ))
        .await
        .map_err(|_| unsound("is not a SQLite database"))?;
    let verdict: String = match row {
        Some(row) => row.try_get_by_index(0)?,
        None => String::new(),
    };
    if verdict != "ok" {
        return Err(unsound("is damaged; take another copy"));
    }
    let applied = connection
        .query_all_raw(sea_orm::Statement::from_string(
            sea_orm::DbBackend::Sqlite,
            "SELECT version FROM seaql_migrations ORDER BY version",
        ))
        .await
        .map_err(|_| unsound("is a database, but not one of Russet's"))?;
    let mut names = Vec::new();
    for row in applied {
        names.push(row.try_get_by_index::<String>(0)?);
    }
    connection.close().await?;
    Ok(Store::refuse_newer(&names)?)
}

/// Whether nobody else has the database open: leaving write-ahead logging needs it alone, and
/// leaves no log behind that would be taken for the restored database's.
async fn alone(file: &Path) -> Result<(), BackupFault> {
    let connection = open(file, false).await?;
    let left = connection.execute_unprepared("PRAGMA journal_mode = DELETE").await;
    let closed = connection.close().await;
    match left {
        Ok(_) => Ok(closed?),
        Err(error) => {
            let fault = StoreFault::from(error);
            if matches!(fault, StoreFault::Busy(_)) {
                return Err(BackupFault::InUse);
            }
            Err(fault.into())
        }
    }
}
