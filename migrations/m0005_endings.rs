//! What endings leave behind: deliveries owed to clients, who took part in a session, who knows a
//! person, and deletions under way.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, blob, integer, text, text_null};

use crate::tables::{counted, create_indexes, owned_by, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in
            [outbox(), event_receivers(), client_links(), session_clients(), deletions(), steps()]
        {
            manager.create_table(table).await?;
        }
        create_indexes(manager, INDEXES).await
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

/// `due_at` is also the lease: whoever claims a row moves it past the time that an attempt takes.
fn outbox() -> TableCreateStatement {
    let outbox = table(
        "outbox",
        vec![
            counted("id"),
            text("client_id"),
            text("kind"),
            text("payload"),
            text_null("cause"),
            text("state"),
            integer("attempts"),
            big_integer("created_at"),
            big_integer("due_at"),
            big_integer("give_up_at"),
            big_integer_null("settled_at"),
            text_null("last_error"),
        ],
        &[],
    );
    owned_by(outbox, "outbox", "client_id", ("clients", "client_id"))
}

/// The bearer token that a receiver of security events wants to see, sealed.
fn event_receivers() -> TableCreateStatement {
    let event_receivers =
        table("event_receivers", vec![text("client_id"), blob("sealed_bearer")], &["client_id"]);
    owned_by(event_receivers, "event_receivers", "client_id", ("clients", "client_id"))
}

/// Which clients know a person, and by which `sub`. Outlives grants and sessions.
fn client_links() -> TableCreateStatement {
    let client_links = table(
        "client_links",
        vec![text("user_id"), text("client_id"), text("sub"), big_integer("linked_at")],
        &["user_id", "client_id"],
    );
    let client_links = owned_by(client_links, "client_links", "user_id", ("users", "id"));
    owned_by(client_links, "client_links", "client_id", ("clients", "client_id"))
}

/// Which clients were signed in to from a browser session.
fn session_clients() -> TableCreateStatement {
    let session_clients = table(
        "session_clients",
        vec![text("session_id"), text("client_id"), text("sub")],
        &["session_id", "client_id"],
    );
    let session_clients =
        owned_by(session_clients, "session_clients", "session_id", ("sessions", "id"));
    owned_by(session_clients, "session_clients", "client_id", ("clients", "client_id"))
}

/// No reference to `users`: the receipt outlives the person, with `user_id` taken out.
fn deletions() -> TableCreateStatement {
    table(
        "deletions",
        vec![
            text("id"),
            text_null("user_id"),
            text("requested_by"),
            text("state"),
            integer("attempts"),
            big_integer("requested_at"),
            big_integer("due_at"),
            big_integer("give_up_at"),
            big_integer_null("completed_at"),
        ],
        &["id"],
    )
}

fn steps() -> TableCreateStatement {
    let deletion_steps = table(
        "deletion_steps",
        vec![
            text("deletion_id"),
            integer("number"),
            text("step"),
            text("outcome"),
            big_integer("at"),
        ],
        &["deletion_id", "number"],
    );
    owned_by(deletion_steps, "deletion_steps", "deletion_id", ("deletions", "id"))
}
