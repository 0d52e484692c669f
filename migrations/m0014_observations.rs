//! What is observed of clients, who fetches the key set, how many sign in, and secrets with names.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, text, text_null};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0014_observations"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [text_null("name"), big_integer_null("last_used_at")] {
            let mut change = Table::alter();
            change.table("client_secrets").add_column(column);
            manager.alter_table(change.take()).await?;
        }
        manager.create_table(client_observations()).await?;
        manager.create_table(key_set_fetchers()).await?;
        manager.create_table(sign_in_counts()).await
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn client_observations() -> TableCreateStatement {
    let mut table = Table::create();
    let mut key = ForeignKey::create();
    key.name("client_observations_client_id_fkey")
        .from("client_observations", "client_id")
        .to("clients", "client_id")
        .on_delete(ForeignKeyAction::Cascade);
    table
        .table("client_observations")
        .col(text("client_id"))
        .col(big_integer_null("token_at"))
        .col(text_null("grant_type"))
        .col(big_integer_null("authenticated_at"))
        .col(text_null("auth_method"))
        .col(big_integer_null("pkce_at"))
        .col(big_integer_null("no_pkce_at"))
        .primary_key(Index::create().col("client_id"))
        .foreign_key(&mut key);
    table.take()
}

fn key_set_fetchers() -> TableCreateStatement {
    let mut table = Table::create();
    table
        .table("key_set_fetchers")
        .col(text("agent"))
        .col(big_integer("times"))
        .col(big_integer("last_at"))
        .primary_key(Index::create().col("agent"));
    table.take()
}

fn sign_in_counts() -> TableCreateStatement {
    let mut table = Table::create();
    let mut key = Index::create();
    for column in ["day", "client_id", "connection_id", "outcome"] {
        key.col(column);
    }
    table
        .table("sign_in_counts")
        .col(big_integer("day"))
        .col(text("client_id"))
        .col(text("connection_id"))
        .col(text("outcome"))
        .col(big_integer("number"))
        .primary_key(&mut key);
    table.take()
}
