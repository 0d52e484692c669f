//! Whom something parked is about, so that it goes with them.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for sql in [
            "ALTER TABLE single_use ADD COLUMN user_id TEXT",
            "CREATE INDEX single_use_user_id ON single_use (user_id) WHERE user_id IS NOT NULL",
        ] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
