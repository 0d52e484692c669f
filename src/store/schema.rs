//! Migrating under a lock, so that several replicas may start at once.

use russet_migrations::Migrator;
use sea_orm::{ConnectionTrait as _, DbBackend, EntityTrait as _, QueryOrder as _, Statement};
use sea_orm_migration::{MigrationTrait, MigratorTrait as _, SchemaManager, seaql_migrations};

use crate::Store;
use crate::act::WriteTx;
use crate::connection::Connection;
use crate::fault::StoreFault;

/// PostgreSQL advisory lock held while migrating ("russet m").
const MIGRATION_LOCK: i64 = 0x7275_7373_6574_206d;

/// A migration and whether this database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Such as `m0001_foundation`.
    pub name: String,
    /// Whether it has been applied.
    pub applied: bool,
}

impl Store {
    /// Every migration this binary knows, in order.
    ///
    /// # Errors
    /// [`StoreFault::NewerSchema`] when the database has one this binary does not know.
    pub async fn migration_status(&self) -> Result<Vec<MigrationStatus>, StoreFault> {
        let applied = self.applied_migrations().await?;
        Self::refuse_newer(&applied)?;
        let status = |name| MigrationStatus { applied: applied.contains(&name), name };
        Ok(known_migrations().into_iter().map(status).collect())
    }

    /// # Errors
    /// [`StoreFault::NewerSchema`] when a migration was applied that this binary does not know.
    pub(crate) fn refuse_newer(applied: &[String]) -> Result<(), StoreFault> {
        let known = known_migrations();
        match applied.iter().find(|name| !known.contains(name)) {
            Some(found) => Err(StoreFault::NewerSchema { found: found.clone() }),
            None => Ok(()),
        }
    }

    /// Applies what is pending, under a lock.
    ///
    /// # Errors
    /// [`StoreFault::NewerSchema`] when the database has a migration this binary does not know;
    /// then nothing is changed.
    pub async fn migrate(&self) -> Result<(), StoreFault> {
        if self.migration_status().await?.iter().all(|migration| migration.applied) {
            return Ok(());
        }
        let outcome = self.write(|tx| Box::pin(async move { apply(tx).await })).await;
        if outcome.is_err() {
            // A newer replica may have been faster.
            self.migration_status().await?;
        }
        outcome
    }

    async fn applied_migrations(&self) -> Result<Vec<String>, StoreFault> {
        let Connection::Pool(pool) = &self.connection else {
            return Ok(Vec::new());
        };
        if !SchemaManager::new(pool).has_table("seaql_migrations").await? {
            return Ok(Vec::new());
        }
        let rows = seaql_migrations::Entity::find()
            .order_by_asc(seaql_migrations::Column::Version)
            .all(pool)
            .await?;
        Ok(rows.into_iter().map(|row| row.version).collect())
    }
}

fn known_migrations() -> Vec<String> {
    let name = |migration: Box<dyn MigrationTrait>| migration.name().to_owned();
    Migrator::migrations().into_iter().map(name).collect()
}

async fn apply(tx: &WriteTx) -> Result<(), StoreFault> {
    lock(tx, MIGRATION_LOCK).await?;
    Migrator::install(&tx.connection).await?;
    Ok(Migrator::up(tx.scope.transaction(), None).await?)
}

/// Holds a PostgreSQL advisory lock until the act ends. On SQLite an act is alone anyway.
pub(crate) async fn lock(tx: &WriteTx, key: i64) -> Result<(), StoreFault> {
    let backend = tx.connection.get_database_backend();
    if backend == DbBackend::Postgres {
        let sql = "SELECT pg_advisory_xact_lock($1)";
        let stmt = Statement::from_sql_and_values(backend, sql, [key.into()]);
        tx.connection.query_one_raw(stmt).await?;
    }
    Ok(())
}
