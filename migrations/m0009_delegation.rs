//! Devices that wait for their person; issuers trusted for workloads; clients that register
//! themselves.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, blob, boolean, integer_null, text, text_null,
};

use crate::tables::{create_indexes, owned_by, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const INDEXES: &[(&str, &[&str], bool)] = &[
    ("device_authorizations", &["user_code_hash"], true),
    ("device_authorizations", &["expires_at"], false),
    ("device_authorizations", &["client_id"], false),
    ("trusted_issuers", &["issuer"], false),
    ("trusted_issuers", &["client_id"], false),
    ("registration_tokens", &["hash"], true),
];

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
        create_indexes(manager, INDEXES).await
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn device_authorizations() -> TableCreateStatement {
    let device_authorizations = table(
        "device_authorizations",
        vec![
            blob("device_code_hash"),
            blob("user_code_hash"),
            text("client_id"),
            text("access"),
            big_integer("created_at"),
            big_integer("expires_at"),
            big_integer("poll_interval"),
            big_integer("next_poll_at"),
            big_integer("hurried"),
            big_integer_null("decided_at"),
            text_null("given"),
            big_integer_null("spent_at"),
        ],
        &["device_code_hash"],
    );
    owned_by(device_authorizations, "device_authorizations", "client_id", ("clients", "client_id"))
}

fn trusted_issuers() -> TableCreateStatement {
    let trusted_issuers = table(
        "trusted_issuers",
        vec![
            text("id"),
            text("issuer"),
            text_null("jwks_uri"),
            text_null("jwks"),
            text("audience"),
            text("client_id"),
            text("conditions"),
            text("scope"),
            text("resources"),
            big_integer("max_lifetime"),
            boolean("single_use"),
            big_integer("created_at"),
        ],
        &["id"],
    );
    owned_by(trusted_issuers, "trusted_issuers", "client_id", ("clients", "client_id"))
}

fn registration_tokens() -> TableCreateStatement {
    table(
        "registration_tokens",
        vec![
            text("id"),
            text("name"),
            blob("hash"),
            integer_null("uses_left"),
            big_integer_null("expires_at"),
            big_integer("created_at"),
        ],
        &["id"],
    )
}

fn client_registrations() -> TableCreateStatement {
    let client_registrations = table(
        "client_registrations",
        vec![
            text("client_id"),
            blob("token_hash"),
            text_null("registration_token_id"),
            big_integer("created_at"),
        ],
        &["client_id"],
    );
    owned_by(client_registrations, "client_registrations", "client_id", ("clients", "client_id"))
}
