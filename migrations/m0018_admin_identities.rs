//! Console accounts that are bound to upstream identities, and the connection that a console session
//! was opened through.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, text, text_null};

use crate::tables::{added, create_indexes, owned_by, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let identities = table(
            "admin_identities",
            vec![
                text("connection_id"),
                text("authority"),
                text("subject"),
                text("admin_id"),
                text_null("email"),
                big_integer("created_at"),
                big_integer_null("last_used_at"),
            ],
            &["connection_id", "authority", "subject"],
        );
        let identities = owned_by(identities, "admin_identities", "admin_id", ("admins", "id"));
        manager.create_table(identities).await?;
        manager.alter_table(added("admin_sessions", text_null("connection_id"))).await?;
        create_indexes(manager, &[("admin_identities", &["admin_id"], false)]).await
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
