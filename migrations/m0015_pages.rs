//! The pages that people meet: where they were last seen, names they chose, an installation's
//! pictures; and an index for the rarest of lists.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, blob, text, text_null};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0015_pages"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut sightings = table(
            "session_sightings",
            vec![text("session_id"), text_null("user_agent"), big_integer("seen_at")],
        );
        owned_by(&mut sightings, "session_sightings", "session_id", "sessions");
        let mut names = table("chosen_names", vec![text("user_id"), big_integer("chosen_at")]);
        owned_by(&mut names, "chosen_names", "user_id", "users");
        let pictures = table(
            "pictures",
            vec![text("id"), text("content_type"), blob("content"), big_integer("created_at")],
        );
        for table in [sightings, names, pictures] {
            manager.create_table(table).await?;
        }
        // Few people may not sign in; without this, a page of them reads everybody.
        let disabled = "CREATE INDEX users_created_at_if_disabled ON users (created_at, id) \
                        WHERE disabled_at IS NOT NULL";
        manager.get_connection().execute_unprepared(disabled).await?;
        Ok(())
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// A table whose key is its first column.
fn table(name: &'static str, columns: Vec<ColumnDef>) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name);
    for (place, mut column) in columns.into_iter().enumerate() {
        if place == 0 {
            column.primary_key();
        }
        table.col(column);
    }
    table.take()
}

fn owned_by(
    table: &mut TableCreateStatement,
    name: &'static str,
    column: &'static str,
    parent: &'static str,
) {
    let mut owner = ForeignKey::create();
    owner
        .name(format!("{name}_{column}_fkey"))
        .from(name, column)
        .to(parent, "id")
        .on_delete(ForeignKeyAction::Cascade);
    table.foreign_key(&mut owner);
}
