//! Second factors of admins and people, and what console accounts and the audit log need besides.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, blob, blob_null, boolean, integer, text,
};

use crate::tables::{added, table, with_default};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let version = with_default(integer("version"), 1);
        manager.alter_table(added("admins", version)).await?;
        let second_factor = with_default(boolean("second_factor"), false);
        manager.alter_table(added("admin_sessions", second_factor)).await?;
        for table in tables() {
            manager.create_table(table).await?;
        }
        let connection = manager.get_connection();
        for sql in STATEMENTS {
            connection.execute_unprepared(sql).await?;
        }
        Ok(())
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const STATEMENTS: &[&str] = &["CREATE INDEX passkeys_holder ON passkeys (holder, created_at)"];

// A holder is `admin:{id}` or `person:{id}`.
fn tables() -> Vec<TableCreateStatement> {
    vec![
        table(
            "second_factors",
            vec![
                text("holder"),
                blob_null("sealed_totp"),
                big_integer_null("totp_last_step"),
                big_integer("added_at"),
            ],
            &["holder"],
        ),
        table("recovery_codes", vec![text("holder"), blob("hash")], &["holder", "hash"]),
        table(
            "factor_tries",
            vec![text("holder"), integer("tries"), big_integer("since")],
            &["holder"],
        ),
        table(
            "passkeys",
            vec![
                text("id"),
                text("holder"),
                text("name"),
                text("credential"),
                big_integer("counter"),
                big_integer("created_at"),
                big_integer_null("last_used_at"),
            ],
            &["id"],
        ),
    ]
}
