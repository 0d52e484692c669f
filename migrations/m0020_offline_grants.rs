//! Which grants outlive the browser session they were given in, beside the terms that say so: the
//! end of a session asks by it.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const STATEMENTS: [&str; 2] = [
    "ALTER TABLE grants ADD COLUMN offline boolean NOT NULL DEFAULT FALSE",
    "UPDATE grants SET offline = TRUE WHERE terms LIKE '%\"offline_access\"%'",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in STATEMENTS {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
