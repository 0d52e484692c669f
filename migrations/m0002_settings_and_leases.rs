//! Settings that few rows use, as JSON; through which connection a grant was given; leases.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, text, text_null};

use crate::tables::{added, table, with_default};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["clients", "apis"] {
            let settings = with_default(text("settings"), "{}");
            manager.alter_table(added(table, settings)).await?;
        }
        manager.alter_table(added("grants", text_null("connection_id"))).await?;
        let leases = table(
            "leases",
            vec![text("name"), text("holder"), big_integer("expires_at")],
            &["name"],
        );
        manager.create_table(leases).await
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
