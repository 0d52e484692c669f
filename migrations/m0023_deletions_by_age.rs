//! Deletions in the order in which the console lists them, so that a page of them is read and not
//! all of them sorted.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "CREATE INDEX deletions_requested_at ON deletions (requested_at DESC, id)";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
