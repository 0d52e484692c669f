//! What the store promises, on both engines.
//!
//! PostgreSQL is tested when `RUSSET_TEST_POSTGRES` holds the URL of a server on which databases
//! may be made; each test makes its own.

mod acts;
mod databases;
mod races;
mod schema;
