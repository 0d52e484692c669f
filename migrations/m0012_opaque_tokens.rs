//! Opaque access tokens, and people found by the names that clients know them by.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, blob, text, text_null};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0012_opaque_tokens"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(opaque_tokens()).await?;
        for (table, column) in [
            ("opaque_tokens", "grant_id"),
            ("opaque_tokens", "client_id"),
            ("opaque_tokens", "expires_at"),
            ("client_links", "sub"),
        ] {
            let mut index = Index::create();
            index.name(format!("{table}_{column}")).table(table).col(column);
            manager.create_index(index.take()).await?;
        }
        Ok(())
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Rows go with their grant or their client.
fn opaque_tokens() -> TableCreateStatement {
    let mut table = Table::create();
    table
        .table("opaque_tokens")
        .col(blob("hash"))
        .col(text("claims"))
        .col(text_null("grant_id"))
        .col(text("client_id"))
        .col(big_integer("expires_at"))
        .primary_key(Index::create().col("hash"));
    for (column, parent, key) in
        [("grant_id", "grants", "id"), ("client_id", "clients", "client_id")]
    {
        let mut reference = ForeignKey::create();
        reference
            .name(format!("opaque_tokens_{column}_fkey"))
            .from("opaque_tokens", column)
            .to(parent, key)
            .on_delete(ForeignKeyAction::Cascade);
        table.foreign_key(&mut reference);
    }
    table.take()
}
