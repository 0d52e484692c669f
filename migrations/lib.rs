//! The history of the schema: one timeline for SQLite and PostgreSQL.
//!
//! A migration is never edited after a release, and never sees today's entities. Times are
//! milliseconds since the Unix epoch, lists and other structures are JSON in text columns, hashes
//! and sealed values are bytes.

mod m0001_foundation;
mod m0002_settings_and_leases;
mod m0003_upstream_grants;
mod m0004_upstream_notifications;
mod m0005_endings;
mod m0006_connections;
mod m0007_local_accounts;
mod m0009_delegation;
mod m0010_console;
mod m0011_sign_in_steps;
mod m0012_opaque_tokens;
mod m0013_admins;
mod m0014_observations;
mod m0015_pages;
mod m0016_apple_over_time;
mod m0018_admin_identities;
mod m0019_disabled_terms;
mod m0020_offline_grants;
mod m0021_unverified_notifications;
mod m0023_deletions_by_age;
mod m0024_parked_about;
mod tables;

use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait};

/// Every migration, in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_foundation::Migration),
            Box::new(m0002_settings_and_leases::Migration),
            Box::new(m0003_upstream_grants::Migration),
            Box::new(m0004_upstream_notifications::Migration),
            Box::new(m0005_endings::Migration),
            Box::new(m0006_connections::Migration),
            Box::new(m0007_local_accounts::Migration),
            Box::new(m0009_delegation::Migration),
            Box::new(m0010_console::Migration),
            Box::new(m0011_sign_in_steps::Migration),
            Box::new(m0012_opaque_tokens::Migration),
            Box::new(m0013_admins::Migration),
            Box::new(m0014_observations::Migration),
            Box::new(m0015_pages::Migration),
            Box::new(m0016_apple_over_time::Migration),
            Box::new(m0018_admin_identities::Migration),
            Box::new(m0019_disabled_terms::Migration),
            Box::new(m0020_offline_grants::Migration),
            Box::new(m0021_unverified_notifications::Migration),
            Box::new(m0023_deletions_by_age::Migration),
            Box::new(m0024_parked_about::Migration),
        ]
    }
}
