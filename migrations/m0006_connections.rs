//! Connections as rows; upstream sessions; moving people between Apple teams.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, blob_null, boolean, integer, text, text_null};

use crate::tables::{create_indexes, owned_by, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const INDEXES: &[(&str, &[&str], bool)] = &[
    ("upstream_sessions", &["connection_id", "sid"], false),
    // One transfer identifier stands for one person. Absent ones do not collide.
    ("apple_transfers", &["to_team", "transfer_sub"], true),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(connections()).await?;
        manager.create_table(upstream_sessions()).await?;
        manager.create_table(apple_transfers()).await?;
        create_indexes(manager, INDEXES).await
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn connections() -> TableCreateStatement {
    table(
        "connections",
        vec![
            text("id"),
            text("display_name"),
            integer("position"),
            boolean("enabled"),
            text("settings"),
            blob_null("sealed_secrets"),
            big_integer("created_at"),
            big_integer("updated_at"),
            integer("version"),
        ],
        &["id"],
    )
}

fn upstream_sessions() -> TableCreateStatement {
    let upstream_sessions = table(
        "upstream_sessions",
        vec![text("session_id"), text("connection_id"), text("sid")],
        &["session_id"],
    );
    owned_by(upstream_sessions, "upstream_sessions", "session_id", ("sessions", "id"))
}

fn apple_transfers() -> TableCreateStatement {
    let apple_transfers = table(
        "apple_transfers",
        vec![
            text("from_team"),
            text("subject"),
            text("to_team"),
            text("user_id"),
            text_null("transfer_sub"),
            text_null("new_subject"),
            text("state"),
            text_null("reason"),
            big_integer("created_at"),
            big_integer("updated_at"),
        ],
        &["to_team", "from_team", "subject"],
    );
    owned_by(apple_transfers, "apple_transfers", "user_id", ("users", "id"))
}
