//! Russet: a self-hosted OIDC identity broker. Apple in, your own tokens out.
//!
//! The rooms, from the inside out; imports point inward only, and `tests/it/tidy.rs` sees to it:
//!
//! - [`protocol`]: the words and rules of the RFCs; no I/O, no clock, no randomness of its own.
//! - [`store`]: what is remembered, on SQLite or PostgreSQL.
//! - [`upstream`]: Russet as a relying party of Apple and of any OpenID Provider.
//! - [`op`]: acts of the OpenID Provider, one file for each endpoint and grant.
//! - [`web`], [`cli`], [`jobs`]: the doors.
//! - [`broker`]: where configuration becomes a running whole.
//! - [`simulator`], [`demo`], [`dev`]: the world outside, for tests and for a first look.

pub mod broker;
pub mod cli;
pub mod config;
pub mod demo;
pub mod dev;
pub mod jobs;
pub mod op;
pub mod simulator;
pub mod telemetry;
pub mod upstream;
pub mod web;

pub use russet_protocol as protocol;
pub use russet_store as store;
