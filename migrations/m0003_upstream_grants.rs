//! What is known of an upstream grant besides its token, how the jobs stand, and the data keys that
//! the master key wraps.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, blob, integer, text, text_null};

use crate::tables::{added, create_indexes, table, with_default};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Grants from before are valid, whose they are stands in their identities, and each is checked a
/// day after it was obtained.
const FILL: &str = "UPDATE upstream_grants SET state_since = issued_at, \
                    next_check_at = issued_at + 86400000, \
                    subject = COALESCE((SELECT MIN(subject) FROM identities \
                    WHERE identities.user_id = upstream_grants.user_id \
                    AND identities.authority = upstream_grants.authority), '')";

const INDEXES: &[(&str, &[&str], bool)] = &[
    ("upstream_grants", &["authority", "next_check_at"], false),
    ("upstream_grants", &["authority", "last_ok_at"], false),
];

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
            manager.alter_table(added("upstream_grants", column)).await?;
        }
        manager.get_connection().execute_unprepared(FILL).await?;
        create_indexes(manager, INDEXES).await?;
        let jobs = table(
            "job_states",
            vec![
                text("name"),
                text("state"),
                big_integer("state_since"),
                big_integer_null("last_run_at"),
                big_integer_null("last_ok_at"),
                big_integer_null("resume_at"),
                with_default(integer("failures"), 0),
                text_null("detail"),
            ],
            &["name"],
        );
        manager.create_table(jobs).await?;
        let data_keys = table(
            "data_keys",
            vec![
                integer("number"),
                blob("wrapped"),
                text("master_key_id"),
                big_integer("created_at"),
                big_integer("active_at"),
                big_integer_null("emptied_at"),
            ],
            &["number"],
        );
        manager.create_table(data_keys).await
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
