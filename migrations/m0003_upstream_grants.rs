//! What is known of an upstream grant besides its token, how the jobs stand, and the data keys that
//! the master key wraps.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, blob, integer, text, text_null};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0003_upstream_grants"
    }
}

/// Grants from before are valid, whose they are stands in their identities, and each is checked a
/// day after it was obtained.
const FILL: &str = "UPDATE upstream_grants SET state_since = issued_at, \
                    next_check_at = issued_at + 86400000, \
                    subject = COALESCE((SELECT MIN(subject) FROM identities \
                    WHERE identities.user_id = upstream_grants.user_id \
                    AND identities.authority = upstream_grants.authority), '')";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            with_default(text("subject"), ""),
            with_default(text("state"), "valid"),
            with_default(big_integer("state_since"), 0),
            big_integer_null("last_checked_at"),
            big_integer_null("last_ok_at"),
            with_default(integer("ambiguous_days"), 0),
            with_default(integer("failures"), 0),
            big_integer_null("next_check_at"),
            with_default(big_integer("version"), 1),
        ];
        for column in columns {
            let mut alter = Table::alter();
            manager.alter_table(alter.table("upstream_grants").add_column(column).take()).await?;
        }
        manager.get_connection().execute_unprepared(FILL).await?;
        for column in ["next_check_at", "last_ok_at"] {
            let mut index = Index::create();
            index
                .name(format!("upstream_grants_authority_{column}"))
                .table("upstream_grants")
                .col("authority")
                .col(column);
            manager.create_index(index.take()).await?;
        }
        let mut jobs = Table::create();
        jobs.table("job_states")
            .col(text("name"))
            .col(text("state"))
            .col(big_integer("state_since"))
            .col(big_integer_null("last_run_at"))
            .col(big_integer_null("last_ok_at"))
            .col(big_integer_null("resume_at"))
            .col(with_default(integer("failures"), 0))
            .col(text_null("detail"))
            .primary_key(Index::create().col("name"));
        manager.create_table(jobs.take()).await?;
        let mut data_keys = Table::create();
        data_keys
            .table("data_keys")
            .col(integer("number"))
            .col(blob("wrapped"))
            .col(text("master_key_id"))
            .col(big_integer("created_at"))
            .col(big_integer("active_at"))
            .col(big_integer_null("emptied_at"))
            .primary_key(Index::create().col("number"));
        manager.create_table(data_keys.take()).await
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn with_default(mut column: ColumnDef, default: impl Into<Value>) -> ColumnDef {
    column.default(default.into());
    column
}
