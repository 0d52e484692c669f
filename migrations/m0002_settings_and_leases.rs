//! Settings that few rows use, as JSON; through which connection a grant was given; leases.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, text, text_null};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0002_settings_and_leases"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["clients", "apis"] {
            let mut settings = text("settings");
            settings.default("{}");
            manager.alter_table(added(table, settings)).await?;
        }
        manager.alter_table(added("grants", text_null("connection_id"))).await?;
        let mut leases = Table::create();
        leases
            .table("leases")
            .col(text("name"))
            .col(text("holder"))
            .col(big_integer("expires_at"))
            .primary_key(Index::create().col("name"));
        manager.create_table(leases.take()).await
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn added(table: &'static str, column: ColumnDef) -> TableAlterStatement {
    Table::alter().table(table).add_column(column).take()
}
