//! What is observed of clients, who fetches the key set, how many sign in, and secrets with names.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, text, text_null};

use crate::tables::{added, owned_by, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [text_null("name"), big_integer_null("last_used_at")] {
            manager.alter_table(added("client_secrets", column)).await?;
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
    let observations = table(
        "client_observations",
        vec![
            text("client_id"),
            big_integer_null("token_at"),
            text_null("grant_type"),
            big_integer_null("authenticated_at"),
            text_null("auth_method"),
            big_integer_null("pkce_at"),
            big_integer_null("no_pkce_at"),
        ],
        &["client_id"],
    );
    owned_by(observations, "client_observations", "client_id", ("clients", "client_id"))
}

fn key_set_fetchers() -> TableCreateStatement {
    let columns = vec![text("agent"), big_integer("times"), big_integer("last_at")];
    table("key_set_fetchers", columns, &["agent"])
}

fn sign_in_counts() -> TableCreateStatement {
    table(
        "sign_in_counts",
        vec![
            big_integer("day"),
            text("client_id"),
            text("connection_id"),
            text("outcome"),
            big_integer("number"),
        ],
        &["day", "client_id", "connection_id", "outcome"],
    )
}
