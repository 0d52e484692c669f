//! Which addresses upstreams have proven, grants that are owed back, and moves between Apple teams
//! that go on by themselves.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, blob, boolean, integer, text, text_null,
};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0016_apple_over_time"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // What is known already was not told so; the next sign-in tells.
        let mut proven = boolean("email_proven");
        proven.default(false);
        let mut identities = Table::alter();
        identities.table("identities").add_column(proven);
        manager.alter_table(identities.take()).await?;

        let mut left = Table::create();
        left.table("left_grants")
            .col(text("id"))
            .col(text("authority"))
            .col(text("subject"))
            .col(text("client_id"))
            .col(blob("sealed_refresh_token"))
            .col(integer("attempts"))
            .col(big_integer("left_at"))
            .col(big_integer("due_at"))
            .primary_key(Index::create().col("id"));
        manager.create_table(left.take()).await?;
        for columns in [&["due_at"][..], &["authority", "subject"]] {
            let mut index = Index::create();
            index.name(format!("left_grants_{}", columns.join("_"))).table("left_grants");
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index.take()).await?;
        }

        let mut runs = Table::create();
        runs.table("transfer_runs")
            .col(text("name"))
            .col(text("run"))
            .col(text("requested_by"))
            .col(text_null("request_id"))
            .col(integer("attempts"))
            .col(big_integer("begun_at"))
            .col(big_integer("due_at"))
            .col(big_integer_null("ended_at"))
            .col(text_null("trouble"))
            .primary_key(Index::create().col("name"));
        manager.create_table(runs.take()).await
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
