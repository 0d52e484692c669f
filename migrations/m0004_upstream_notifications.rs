//! What upstreams announce: the inbox, when each connection was last heard of, and what it says of
//! an identity.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, integer, text, text_null};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0004_upstream_notifications"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut inbox = Table::create();
        inbox
            .table("upstream_notifications")
            .col(text("authority"))
            .col(text("jti"))
            .col(text("connection_id"))
            .col(text("kind"))
            .col(text_null("subject"))
            .col(big_integer("event_time"))
            .col(big_integer("received_at"))
            .col(integer("attempts"))
            .col(big_integer("not_before"))
            .col(big_integer_null("done_at"))
            .col(text_null("outcome"))
            .col(big_integer_null("forget_at"))
            .primary_key(Index::create().col("authority").col("jti"));
        manager.create_table(inbox.take()).await?;
        for columns in [&["done_at", "not_before"][..], &["forget_at"]] {
            let mut index = Index::create();
            index
                .name(format!("upstream_notifications_{}", columns.join("_")))
                .table("upstream_notifications");
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index.take()).await?;
        }
        let mut heard = Table::create();
        heard
            .table("connections_heard")
            .col(text("connection_id"))
            .col(big_integer("heard_at"))
            .col(text("kind"))
            .primary_key(Index::create().col("connection_id"));
        manager.create_table(heard.take()).await?;
        for column in ["email_undeliverable_since", "forwarding_told_at", "ended_at"] {
            let mut table = Table::alter();
            table.table("identities").add_column(big_integer_null(column));
            manager.alter_table(table.take()).await?;
        }
        Ok(())
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
