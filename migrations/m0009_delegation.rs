//! Devices that wait for their person; issuers trusted for workloads; clients that register
//! themselves.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, blob, boolean, integer_null, text, text_null,
};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0009_delegation"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            device_authorizations(),
            trusted_issuers(),
            registration_tokens(),
            client_registrations(),
        ] {
            manager.create_table(table).await?;
        }
        for (table, column, unique) in [
            ("device_authorizations", "user_code_hash", true),
            ("device_authorizations", "expires_at", false),
            ("device_authorizations", "client_id", false),
            ("trusted_issuers", "issuer", false),
            ("trusted_issuers", "client_id", false),
            ("registration_tokens", "hash", true),
        ] {
            let mut index = Index::create();
            index.name(format!("{table}_{column}")).table(table).col(column);
            if unique {
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

/// A table whose rows go when their client goes.
fn of_a_client(mut table: TableCreateStatement, name: &'static str) -> TableCreateStatement {
    let mut key = ForeignKey::create();
    key.name(format!("{name}_client_id_fkey"))
        .from(name, "client_id")
        .to("clients", "client_id")
        .on_delete(ForeignKeyAction::Cascade);
    table.foreign_key(&mut key).take()
}

fn device_authorizations() -> TableCreateStatement {
    let mut table = Table::create();
    table
        .table("device_authorizations")
        .col(blob("device_code_hash"))
        .col(blob("user_code_hash"))
        .col(text("client_id"))
        .col(text("access"))
        .col(big_integer("created_at"))
        .col(big_integer("expires_at"))
        .col(big_integer("poll_interval"))
        .col(big_integer("next_poll_at"))
        .col(big_integer("hurried"))
        .col(big_integer_null("decided_at"))
        .col(text_null("given"))
        .col(big_integer_null("spent_at"))
        .primary_key(Index::create().col("device_code_hash"));
    of_a_client(table.take(), "device_authorizations")
}

fn trusted_issuers() -> TableCreateStatement {
    let mut table = Table::create();
    table
        .table("trusted_issuers")
        .col(text("id"))
        .col(text("issuer"))
        .col(text_null("jwks_uri"))
        .col(text_null("jwks"))
        .col(text("audience"))
        .col(text("client_id"))
        .col(text("conditions"))
        .col(text("scope"))
        .col(text("resources"))
        .col(big_integer("max_lifetime"))
        .col(boolean("single_use"))
        .col(big_integer("created_at"))
        .primary_key(Index::create().col("id"));
    of_a_client(table.take(), "trusted_issuers")
}

fn registration_tokens() -> TableCreateStatement {
    let mut table = Table::create();
    table
        .table("registration_tokens")
        .col(text("id"))
        .col(text("name"))
        .col(blob("hash"))
        .col(integer_null("uses_left"))
        .col(big_integer_null("expires_at"))
        .col(big_integer("created_at"))
        .primary_key(Index::create().col("id"));
    table.take()
}

fn client_registrations() -> TableCreateStatement {
    let mut table = Table::create();
    table
        .table("client_registrations")
        .col(text("client_id"))
        .col(blob("token_hash"))
        .col(text_null("registration_token_id"))
        .col(big_integer("created_at"))
        .primary_key(Index::create().col("client_id"));
    of_a_client(table.take(), "client_registrations")
}
