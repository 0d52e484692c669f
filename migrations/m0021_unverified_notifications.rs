//! Notifications that cannot be verified yet, because a key that they name may not be looked for so
//! soon again.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, blob, integer, text};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0021_unverified_notifications"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut unverified = Table::create();
        unverified
            .table("unverified_notifications")
            .col(text("id"))
            .col(text("connection_id"))
            .col(blob("sealed_body"))
            .col(big_integer("received_at"))
            .col(big_integer("due_at"))
            .col(integer("attempts"))
            .primary_key(Index::create().col("id"));
        manager.create_table(unverified.take()).await?;
        let mut index = Index::create();
        index
            .name("unverified_notifications_due_at")
            .table("unverified_notifications")
            .col("due_at");
        manager.create_index(index.take()).await
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
