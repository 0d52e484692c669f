//! What endings leave behind: deliveries owed to clients, who took part in a session, who knows a
//! person, and deletions under way.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, blob, integer, text, text_null};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0005_endings"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in
            [outbox(), event_receivers(), client_links(), session_clients(), deletions(), steps()]
        {
            manager.create_table(table).await?;
        }
        for (table, columns, unique) in INDEXES {
            let mut index = Index::create();
            index.name(format!("{table}_{}", columns.join("_"))).table(*table);
            for column in *columns {
                index.col(*column);
            }
            if *unique {
                index.unique();
            }
            manager.create_index(index.take()).await?;
        }
        Ok(())
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const INDEXES: &[(&str, &[&str], bool)] = &[
    ("outbox", &["state", "due_at"], false),
    ("outbox", &["cause"], false),
    ("outbox", &["client_id"], false),
    ("outbox", &["settled_at"], false),
    ("client_links", &["client_id"], false),
    ("session_clients", &["client_id"], false),
    // Several rows may have none: the people are gone.
    ("deletions", &["user_id"], true),
    ("deletions", &["state", "due_at"], false),
];

fn owned_by(
    table: &mut TableCreateStatement,
    name: &'static str,
    column: &'static str,
    parent: (&'static str, &'static str),
) {
    let mut key = ForeignKey::create();
    key.name(format!("{name}_{column}_fkey"))
        .from(name, column)
        .to(parent.0, parent.1)
        .on_delete(ForeignKeyAction::Cascade);
    table.foreign_key(&mut key);
}

/// `due_at` is also the lease: whoever claims a row moves it past the time that an attempt takes.
fn outbox() -> TableCreateStatement {
    let mut table = Table::create();
    table
        .table("outbox")
        .col(ColumnDef::new("id").big_integer().not_null().auto_increment().primary_key())
        .col(text("client_id"))
        .col(text("kind"))
        .col(text("payload"))
        .col(text_null("cause"))
        .col(text("state"))
        .col(integer("attempts"))
        .col(big_integer("created_at"))
        .col(big_integer("due_at"))
        .col(big_integer("give_up_at"))
        .col(big_integer_null("settled_at"))
        .col(text_null("last_error"));
    owned_by(&mut table, "outbox", "client_id", ("clients", "client_id"));
    table.take()
}

/// The bearer token that a receiver of security events wants to see, sealed.
fn event_receivers() -> TableCreateStatement {
    let mut table = Table::create();
    table.table("event_receivers").col(text("client_id").primary_key()).col(blob("sealed_bearer"));
    owned_by(&mut table, "event_receivers", "client_id", ("clients", "client_id"));
    table.take()
}

/// Which clients know a person, and by which `sub`. Outlives grants and sessions.
fn client_links() -> TableCreateStatement {
    let mut table = Table::create();
    table
        .table("client_links")
        .col(text("user_id"))
        .col(text("client_id"))
        .col(text("sub"))
        .col(big_integer("linked_at"))
        .primary_key(Index::create().col("user_id").col("client_id"));
    owned_by(&mut table, "client_links", "user_id", ("users", "id"));
    owned_by(&mut table, "client_links", "client_id", ("clients", "client_id"));
    table.take()
}

/// Which clients were signed in to from a browser session.
fn session_clients() -> TableCreateStatement {
    let mut table = Table::create();
    table
        .table("session_clients")
        .col(text("session_id"))
        .col(text("client_id"))
        .col(text("sub"))
        .primary_key(Index::create().col("session_id").col("client_id"));
    owned_by(&mut table, "session_clients", "session_id", ("sessions", "id"));
    owned_by(&mut table, "session_clients", "client_id", ("clients", "client_id"));
    table.take()
}

/// No reference to `users`: the receipt outlives the person, with `user_id` taken out.
fn deletions() -> TableCreateStatement {
    let mut table = Table::create();
    table
        .table("deletions")
        .col(text("id"))
        .col(text_null("user_id"))
        .col(text("requested_by"))
        .col(text("state"))
        .col(integer("attempts"))
        .col(big_integer("requested_at"))
        .col(big_integer("due_at"))
        .col(big_integer("give_up_at"))
        .col(big_integer_null("completed_at"))
        .primary_key(Index::create().col("id"));
    table.take()
}

fn steps() -> TableCreateStatement {
    let mut table = Table::create();
    table
        .table("deletion_steps")
        .col(text("deletion_id"))
        .col(integer("number"))
        .col(text("step"))
        .col(text("outcome"))
        .col(big_integer("at"))
        .primary_key(Index::create().col("deletion_id").col("number"));
    owned_by(&mut table, "deletion_steps", "deletion_id", ("deletions", "id"));
    table.take()
}
