//! Opaque access tokens, and people found by the names that clients know them by.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, blob, text, text_null};

use crate::tables::{create_indexes, owned_by, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const INDEXES: &[(&str, &[&str], bool)] = &[
    ("opaque_tokens", &["grant_id"], false),
    ("opaque_tokens", &["client_id"], false),
    ("opaque_tokens", &["expires_at"], false),
    ("client_links", &["sub"], false),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(opaque_tokens()).await?;
        create_indexes(manager, INDEXES).await
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Rows go with their grant or their client.
fn opaque_tokens() -> TableCreateStatement {
    let tokens = table(
        "opaque_tokens",
        vec![
            blob("hash"),
            text("claims"),
            text_null("grant_id"),
            text("client_id"),
            big_integer("expires_at"),
        ],
        &["hash"],
    );
    let tokens = owned_by(tokens, "opaque_tokens", "grant_id", ("grants", "id"));
    owned_by(tokens, "opaque_tokens", "client_id", ("clients", "client_id"))
}
