//! The console: the audit chain, search among people, console sessions, API keys, settings.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, blob, blob_null, integer, text, text_null,
};

use crate::tables::{added, table, with_default};
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let area = with_default(text("area"), "");
        manager.alter_table(added("events", area)).await?;
        manager.alter_table(added("events", big_integer_null("seq"))).await?;
        manager.alter_table(added("events", blob_null("chain_hash"))).await?;
        let clients = with_default(text("clients"), "[]");
        manager.alter_table(added("admins", clients)).await?;
        let id = with_default(text("id"), "");
        manager.alter_table(added("admin_sessions", id)).await?;
        manager.alter_table(added("admin_sessions", text_null("user_agent"))).await?;
        manager.alter_table(added("admin_sessions", big_integer_null("proved_at"))).await?;
        for table in tables() {
            manager.create_table(table).await?;
        }
        // Byte order, so that a prefix is a range of the index whatever the database's language.
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        let bytewise = if postgres { "COLLATE \"C\"" } else { "" };
        let terms = format!(
            "CREATE TABLE user_terms (term text {bytewise} NOT NULL, user_id text NOT NULL \
             REFERENCES users (id) ON DELETE CASCADE, PRIMARY KEY (term, user_id))"
        );
        let connection = manager.get_connection();
        connection.execute_unprepared(&terms).await?;
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

const STATEMENTS: &[&str] = &[
    "INSERT INTO user_terms (term, user_id) \
     SELECT lower(email), id FROM users WHERE email IS NOT NULL AND email <> ''",
    "CREATE INDEX user_terms_user_id ON user_terms (user_id)",
    "CREATE INDEX users_created_at_id ON users (created_at, id)",
    "CREATE INDEX users_disabled_at_id ON users (disabled_at, id)",
    "CREATE INDEX identities_subject ON identities (subject)",
    "CREATE INDEX sessions_created_at_id ON sessions (created_at, id)",
    "CREATE UNIQUE INDEX events_seq ON events (seq)",
    "CREATE INDEX events_unchained ON events (id) WHERE seq IS NULL",
    "CREATE INDEX events_area_id ON events (area, id)",
    "CREATE INDEX events_actor_id ON events (actor, id)",
    "CREATE INDEX events_request_id ON events (request_id)",
    "CREATE INDEX events_at ON events (at)",
    "CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash)",
];

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table(
            "audit_marks",
            vec![text("name"), big_integer("seq"), blob("hash"), big_integer("at"), blob("tag")],
            &["name"],
        ),
        table(
            "settings",
            vec![text("name"), text("value"), integer("version"), big_integer("updated_at")],
            &["name"],
        ),
        table(
            "api_keys",
            vec![
                text("id"),
                text("name"),
                blob("hash"),
                text("scope"),
                text("created_by"),
                big_integer("created_at"),
                big_integer("expires_at"),
                big_integer_null("last_used_at"),
                big_integer_null("revoked_at"),
            ],
            &["id"],
        ),
    ]
}
