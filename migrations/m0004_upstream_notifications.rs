//! What upstreams announce: the inbox, when each connection was last heard of, and what it says of
//! an identity.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, integer, text, text_null};

use crate::tables::{added, create_indexes, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const INDEXES: &[(&str, &[&str], bool)] = &[
    ("upstream_notifications", &["done_at", "not_before"], false),
    ("upstream_notifications", &["forget_at"], false),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let inbox = table(
            "upstream_notifications",
            vec![
                text("authority"),
                text("jti"),
                text("connection_id"),
                text("kind"),
                text_null("subject"),
                big_integer("event_time"),
                big_integer("received_at"),
                integer("attempts"),
                big_integer("not_before"),
                big_integer_null("done_at"),
                text_null("outcome"),
                big_integer_null("forget_at"),
            ],
            &["authority", "jti"],
        );
        manager.create_table(inbox).await?;
        create_indexes(manager, INDEXES).await?;
        let heard = table(
            "connections_heard",
            vec![text("connection_id"), big_integer("heard_at"), text("kind")],
            &["connection_id"],
        );
        manager.create_table(heard).await?;
        for column in ["email_undeliverable_since", "forwarding_told_at", "ended_at"] {
            manager.alter_table(added("identities", big_integer_null(column))).await?;
        }
        Ok(())
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
