//! The pages that people meet: where they were last seen, names they chose, an installation's
//! pictures; and an index for the rarest of lists.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, blob, text, text_null};

use crate::tables::{owned_by, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sightings = table(
            "session_sightings",
            vec![text("session_id"), text_null("user_agent"), big_integer("seen_at")],
            &["session_id"],
        );
        let of_session = ("sessions", "id");
        let sightings = owned_by(sightings, "session_sightings", "session_id", of_session);
        let columns = vec![text("user_id"), big_integer("chosen_at")];
        let names = table("chosen_names", columns, &["user_id"]);
        let names = owned_by(names, "chosen_names", "user_id", ("users", "id"));
        let pictures = table(
            "pictures",
            vec![text("id"), text("content_type"), blob("content"), big_integer("created_at")],
            &["id"],
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
