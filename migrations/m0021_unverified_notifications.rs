//! Notifications that cannot be verified yet, because a key that they name may not be looked for so
//! soon again.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, blob, integer, text};

use crate::tables::{create_indexes, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let unverified = table(
            "unverified_notifications",
            vec![
                text("id"),
                text("connection_id"),
                blob("sealed_body"),
                big_integer("received_at"),
                big_integer("due_at"),
                integer("attempts"),
            ],
            &["id"],
        );
        manager.create_table(unverified).await?;
        create_indexes(manager, &[("unverified_notifications", &["due_at"], false)]).await
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
