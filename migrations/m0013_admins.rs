//! Second factors of admins and people, and what console accounts and the audit log need besides.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, blob, blob_null, boolean, integer, text,
};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0013_admins"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut version = integer("version");
        version.default(1);
        manager.alter_table(added("admins", version)).await?;
        let mut second_factor = boolean("second_factor");
        second_factor.default(false);
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

fn added(table: &'static str, column: ColumnDef) -> TableAlterStatement {
    Table::alter().table(table).add_column(column).take()
}

fn table(
    name: &'static str,
    columns: Vec<ColumnDef>,
    key: &[&'static str],
) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name);
    for column in columns {
        table.col(column);
    }
    let mut primary_key = Index::create();
    for column in key {
        primary_key.col(*column);
    }
    table.primary_key(&mut primary_key);
    table.take()
}

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
