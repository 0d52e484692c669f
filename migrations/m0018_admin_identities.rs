//! Console accounts that are bound to upstream identities, and the connection that a console session
//! was opened through.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, text, text_null};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0018_admin_identities"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut identities = Table::create();
        identities.table("admin_identities");
        for column in [
            text("connection_id"),
            text("authority"),
            text("subject"),
            text("admin_id"),
            text_null("email"),
            big_integer("created_at"),
            big_integer_null("last_used_at"),
        ] {
            identities.col(column);
        }
        let mut key = Index::create();
        key.col("connection_id").col("authority").col("subject");
        identities.primary_key(&mut key);
        let mut owner = ForeignKey::create();
        owner
            .name("admin_identities_admin_id_fkey")
            .from("admin_identities", "admin_id")
            .to("admins", "id")
            .on_delete(ForeignKeyAction::Cascade);
        identities.foreign_key(&mut owner);
        manager.create_table(identities).await?;
        let through = text_null("connection_id");
        let session = Table::alter().table("admin_sessions").add_column(through).take();
        manager.alter_table(session).await?;
        let index = "CREATE INDEX admin_identities_admin_id ON admin_identities (admin_id)";
        manager.get_connection().execute_unprepared(index).await?;
        Ok(())
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
