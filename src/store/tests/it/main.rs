//! What the store promises, on both engines.
//!
//! PostgreSQL is tested when `RUSSET_TEST_POSTGRES` holds the URL of a server on which databases
//! may be made; each test makes its own.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod acts;
mod backup;
mod connections;
mod databases;
mod events;
mod factors;
mod leases;
mod outbox;
mod races;
mod schema;
mod upstream_grants;
