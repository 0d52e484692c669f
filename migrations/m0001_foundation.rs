//! The first schema: clients, APIs, people, sessions, grants, keys, console accounts and events.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, blob, blob_null, boolean, integer, text, text_null,
};

use crate::tables::{counted, create_indexes, owned_by, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in
            [clients(), registrations(), people(), browsers(), promises(), operators()].concat()
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

/// Table, columns, whether unique. `grants` has no index on what a refresh changes, so that
/// PostgreSQL can update the row in place.
const INDEXES: &[(&str, &[&str], bool)] = &[
    ("clients", &["client_name", "client_id"], false),
    ("users", &["sub"], true),
    ("identities", &["user_id"], false),
    ("pending_profiles", &["expires_at"], false),
    ("sessions", &["cookie_hash"], true),
    ("sessions", &["user_id"], false),
    ("sessions", &["expires_at"], false),
    ("sessions", &["ended_at"], false),
    ("consents", &["client_id"], false),
    ("grants", &["user_id"], false),
    ("grants", &["client_id"], false),
    ("grants", &["session_id"], false),
    ("grants", &["expires_at"], false),
    ("grants", &["revoked_at"], false),
    ("single_use", &["expires_at"], false),
    ("revoked_jtis", &["expires_at"], false),
    ("admins", &["username"], true),
    ("admin_sessions", &["admin_id"], false),
    ("admin_sessions", &["expires_at"], false),
    ("admin_sessions", &["idle_expires_at"], false),
    ("events", &["kind", "id"], false),
    ("events", &["target", "id"], false),
];

fn clients() -> Vec<TableCreateStatement> {
    let clients = table(
        "clients",
        vec![
            text("client_id"),
            text("client_name"),
            text("kind"),
            text("token_endpoint_auth_method"),
            text("redirect_uris"),
            text("post_logout_redirect_uris"),
            text("grant_types"),
            text("scope"),
            text("resources"),
            text_null("default_resource"),
            text("id_token_signed_response_alg"),
            boolean("require_pkce"),
            boolean("first_party"),
            text("apple_bundle_ids"),
            boolean("require_native_challenge"),
            big_integer("refresh_token_idle_ttl"),
            big_integer("refresh_token_absolute_ttl"),
            big_integer_null("disabled_at"),
            big_integer("created_at"),
            big_integer("updated_at"),
            integer("version"),
        ],
        &["client_id"],
    );
    let secrets = table(
        "client_secrets",
        vec![
            text("client_id"),
            text("id"),
            blob("hash"),
            big_integer("created_at"),
            big_integer_null("expires_at"),
        ],
        &["client_id", "id"],
    );
    vec![clients, owned_by(secrets, "client_secrets", "client_id", ("clients", "client_id"))]
}

fn registrations() -> Vec<TableCreateStatement> {
    let apis = table(
        "apis",
        vec![
            text("identifier"),
            text("name"),
            text("scopes"),
            big_integer("access_token_ttl"),
            text("signing_alg"),
            big_integer("created_at"),
            big_integer("updated_at"),
            integer("version"),
        ],
        &["identifier"],
    );
    let keys = table(
        "signing_keys",
        vec![
            text("kid"),
            text("alg"),
            blob("sealed_private_key"),
            text("public_jwk"),
            big_integer("created_at"),
            big_integer("active_at"),
            big_integer_null("retiring_at"),
            big_integer_null("gone_at"),
        ],
        &["kid"],
    );
    vec![apis, keys]
}

fn people() -> Vec<TableCreateStatement> {
    let users = table(
        "users",
        vec![
            text("id"),
            text("sub"),
            text_null("name"),
            text_null("given_name"),
            text_null("family_name"),
            text_null("email"),
            boolean("email_verified"),
            boolean("is_private_email"),
            big_integer_null("disabled_at"),
            big_integer("created_at"),
            big_integer("updated_at"),
        ],
        &["id"],
    );
    let identities = table(
        "identities",
        vec![
            text("authority"),
            text("subject"),
            text("user_id"),
            text("connection_id"),
            text_null("email"),
            big_integer("created_at"),
            big_integer("last_login_at"),
        ],
        &["authority", "subject"],
    );
    let upstream_grants = table(
        "upstream_grants",
        vec![
            text("user_id"),
            text("authority"),
            text("client_id"),
            blob("sealed_refresh_token"),
            big_integer("issued_at"),
        ],
        &["user_id", "authority", "client_id"],
    );
    let pending_profiles = table(
        "pending_profiles",
        vec![text("authority"), text("subject"), blob("sealed"), big_integer("expires_at")],
        &["authority", "subject"],
    );
    vec![
        users,
        owned_by(identities, "identities", "user_id", ("users", "id")),
        owned_by(upstream_grants, "upstream_grants", "user_id", ("users", "id")),
        pending_profiles,
    ]
}

fn browsers() -> Vec<TableCreateStatement> {
    let sessions = table(
        "sessions",
        vec![
            text("id"),
            blob("cookie_hash"),
            text("user_id"),
            big_integer("auth_time"),
            text("amr"),
            text("connection_id"),
            big_integer("created_at"),
            big_integer("expires_at"),
            big_integer_null("ended_at"),
        ],
        &["id"],
    );
    let consents = table(
        "consents",
        vec![text("user_id"), text("client_id"), text("scope"), big_integer("granted_at")],
        &["user_id", "client_id"],
    );
    let consents = owned_by(consents, "consents", "user_id", ("users", "id"));
    vec![
        owned_by(sessions, "sessions", "user_id", ("users", "id")),
        owned_by(consents, "consents", "client_id", ("clients", "client_id")),
    ]
}

fn promises() -> Vec<TableCreateStatement> {
    let grants = table(
        "grants",
        vec![
            text("id"),
            text("client_id"),
            text("user_id"),
            text("terms"),
            text_null("session_id"),
            big_integer("created_at"),
            integer("refresh_generation"),
            blob_null("refresh_spent_hash"),
            big_integer("refresh_idle_expires_at"),
            big_integer("expires_at"),
            big_integer_null("revoked_at"),
        ],
        &["id"],
    );
    let grants = owned_by(grants, "grants", "client_id", ("clients", "client_id"));
    let single_use = table(
        "single_use",
        vec![
            text("kind"),
            text("key"),
            blob("payload"),
            big_integer("created_at"),
            big_integer("expires_at"),
            big_integer_null("spent_at"),
        ],
        &["kind", "key"],
    );
    let revoked_jtis = table(
        "revoked_jtis",
        vec![text("jti"), big_integer("revoked_at"), big_integer("expires_at")],
        &["jti"],
    );
    vec![owned_by(grants, "grants", "user_id", ("users", "id")), single_use, revoked_jtis]
}

fn operators() -> Vec<TableCreateStatement> {
    let admins = table(
        "admins",
        vec![
            text("id"),
            text("username"),
            text("password_hash"),
            text("role"),
            big_integer("created_at"),
            big_integer_null("disabled_at"),
        ],
        &["id"],
    );
    let admin_sessions = table(
        "admin_sessions",
        vec![
            blob("cookie_hash"),
            text("admin_id"),
            big_integer("created_at"),
            big_integer("idle_expires_at"),
            big_integer("expires_at"),
        ],
        &["cookie_hash"],
    );
    let events = table(
        "events",
        vec![
            counted("id"),
            big_integer("at"),
            text("kind"),
            text("actor"),
            text_null("target"),
            text_null("request_id"),
            text_null("detail"),
        ],
        &[],
    );
    vec![admins, owned_by(admin_sessions, "admin_sessions", "admin_id", ("admins", "id")), events]
}
