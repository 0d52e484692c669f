//! Opening the database: connections, pools and their settings.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, PgConnection};
use tokio::time::timeout;

use crate::act::Writer;
use crate::fault::StoreFault;
use crate::reader::Reader;

/// SQLite: read-only connections beside the one that writes.
const SQLITE_READERS: u32 = 3;
/// PostgreSQL: connections in all.
const POSTGRES_CONNECTIONS: u32 = 10;
/// SQLite: how long to wait for another process that holds the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// PostgreSQL: how long to wait for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

pub(crate) async fn open(url: &str) -> Result<(Reader, Writer), StoreFault> {
    match url.split_once(':') {
        Some(("sqlite", _)) => open_sqlite(url).await,
        Some(("postgres" | "postgresql", _)) => open_postgres(url).await,
        Some((scheme, _)) => Err(StoreFault::BadUrl(format!("unknown scheme {scheme}:"))),
        None => Err(StoreFault::BadUrl("a URL starts with sqlite: or postgres:".to_owned())),
    }
}

async fn open_sqlite(url: &str) -> Result<(Reader, Writer), StoreFault> {
    let parsed = SqliteConnectOptions::from_str(url)
        .map_err(|error| StoreFault::BadUrl(error.to_string()))?;
    let path = parsed.get_filename();
    if url.contains(":memory:") || url.contains("mode=memory") || path.as_os_str().is_empty() {
        return Err(StoreFault::BadUrl("SQLite needs a file: sqlite://path".to_owned()));
    }
    create_private(path)
        .map_err(|error| StoreFault::Unavailable(format!("{}: {error}", path.display())))?;

    let mut options = quiet(url);
    options.max_connections(1).acquire_timeout(BUSY_TIMEOUT).map_sqlx_sqlite_opts(|sqlite| {
        sqlite
            .busy_timeout(BUSY_TIMEOUT)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("cache_size", "-1024")
            .pragma("temp_store", "memory")
    });
    // SQLite gives a transaction up by itself where the disk is full or fails. Then its end fails
    // too, the connection goes on counting it, and what came next would be a part of it: answered,
    // and never committed. Such a connection is closed; the next act begins on a new one.
    options.map_sqlx_sqlite_pool_opts(|pool| {
        pool.before_acquire(|connection, _| {
            let whole = !connection.is_in_transaction();
            Box::pin(async move { Ok(whole) })
        })
    });
    let writer = Database::connect(options).await?;

    let mut options = quiet(url);
    options
        .max_connections(SQLITE_READERS)
        .acquire_timeout(BUSY_TIMEOUT)
        .connect_lazy(true)
        .map_sqlx_sqlite_opts(|sqlite| {
            sqlite.busy_timeout(BUSY_TIMEOUT).read_only(true).pragma("cache_size", "-512")
        });
    let readers = Database::connect(options).await?;
    Ok((Reader::on(readers), Writer::grouped(writer)))
}

/// Makes the file if it is missing, for its owner alone. SQLite gives its companions (`-wal`,
/// `-shm`) the mode of the file.
pub(crate) fn create_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

async fn open_postgres(url: &str) -> Result<(Reader, Writer), StoreFault> {
    // The parser's message may hold the password.
    let direct = PgConnectOptions::from_str(url).map_err(|_| {
        StoreFault::BadUrl("it should read postgres://user:password@host/database".to_owned())
    })?;
    let mut options = quiet(url);
    options
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .map_sqlx_postgres_opts(|postgres| postgres.application_name("russet"));
    let pool: DatabaseConnection = match Database::connect(options).await.map_err(StoreFault::from)
    {
        Err(StoreFault::Busy(why)) => return Err(why_silent(&direct, why).await),
        pool => pool?,
    };
    Ok((Reader::on(pool.clone()), Writer::Each(pool)))
}

/// What keeps a server from answering. A pool tries until its time is up, and says no more than
/// that it is.
async fn why_silent(options: &PgConnectOptions, waited: String) -> StoreFault {
    match timeout(ACQUIRE_TIMEOUT, PgConnection::connect_with(options)).await {
        Ok(Err(sqlx::Error::Io(cause))) => {
            let (host, port) = (options.get_host(), options.get_port());
            StoreFault::Unavailable(format!("{host}:{port}: {cause}"))
        }
        Ok(Err(_) | Ok(_)) | Err(_) => StoreFault::Busy(waited),
    }
}

/// Options without statement logging (statements carry hashes and addresses) and without a round
/// trip before each use.
pub(crate) fn quiet(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .test_before_acquire(false)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>);
    options
}
