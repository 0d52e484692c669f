//! Which addresses upstreams have proven, grants that are owed back, and moves between Apple teams
//! that go on by themselves.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, blob, boolean, integer, text, text_null,
};

use crate::tables::{added, create_indexes, table, with_default};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const INDEXES: &[(&str, &[&str], bool)] =
    &[("left_grants", &["due_at"], false), ("left_grants", &["authority", "subject"], false)];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // What is known already was not told so; the next sign-in tells.
        let proven = with_default(boolean("email_proven"), false);
        manager.alter_table(added("identities", proven)).await?;

        let left = table(
            "left_grants",
            vec![
                text("id"),
                text("authority"),
                text("subject"),
                text("client_id"),
                blob("sealed_refresh_token"),
                integer("attempts"),
                big_integer("left_at"),
                big_integer("due_at"),
            ],
            &["id"],
        );
        manager.create_table(left).await?;
        create_indexes(manager, INDEXES).await?;

        let runs = table(
            "transfer_runs",
            vec![
                text("name"),
                text("run"),
                text("requested_by"),
                text_null("request_id"),
                integer("attempts"),
                big_integer("begun_at"),
                big_integer("due_at"),
                big_integer_null("ended_at"),
                text_null("trouble"),
            ],
            &["name"],
        );
        manager.create_table(runs).await
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
