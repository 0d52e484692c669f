//! Connections as rows; upstream sessions; moving people between Apple teams.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, blob_null, boolean, integer, text, text_null};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0006_connections"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(connections()).await?;
        manager.create_table(upstream_sessions()).await?;
        manager.create_table(apple_transfers()).await?;
        let mut by_sid = Index::create();
        by_sid
            .name("upstream_sessions_connection_id_sid")
            .table("upstream_sessions")
            .col("connection_id")
            .col("sid");
        manager.create_index(by_sid.take()).await?;
        // One transfer identifier stands for one person. Absent ones do not collide.
        let mut by_transfer_sub = Index::create();
        by_transfer_sub
            .name("apple_transfers_to_team_transfer_sub")
            .table("apple_transfers")
            .col("to_team")
            .col("transfer_sub")
            .unique();
        manager.create_index(by_transfer_sub.take()).await
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn connections() -> TableCreateStatement {
    Table::create()
        .table("connections")
        .col(text("id"))
        .col(text("display_name"))
        .col(integer("position"))
        .col(boolean("enabled"))
        .col(text("settings"))
        .col(blob_null("sealed_secrets"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .col(integer("version"))
        .primary_key(Index::create().col("id"))
        .take()
}

fn upstream_sessions() -> TableCreateStatement {
    let mut session = ForeignKey::create();
    session
        .name("upstream_sessions_session_id_fkey")
        .from("upstream_sessions", "session_id")
        .to("sessions", "id")
        .on_delete(ForeignKeyAction::Cascade);
    Table::create()
        .table("upstream_sessions")
        .col(text("session_id"))
        .col(text("connection_id"))
        .col(text("sid"))
        .primary_key(Index::create().col("session_id"))
        .foreign_key(&mut session)
        .take()
}

fn apple_transfers() -> TableCreateStatement {
    let mut user = ForeignKey::create();
    user.name("apple_transfers_user_id_fkey")
        .from("apple_transfers", "user_id")
        .to("users", "id")
        .on_delete(ForeignKeyAction::Cascade);
    Table::create()
        .table("apple_transfers")
        .col(text("from_team"))
        .col(text("subject"))
        .col(text("to_team"))
        .col(text("user_id"))
        .col(text_null("transfer_sub"))
        .col(text_null("new_subject"))
        .col(text("state"))
        .col(text_null("reason"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .primary_key(Index::create().col("to_team").col("from_team").col("subject"))
        .foreign_key(&mut user)
        .take()
}
