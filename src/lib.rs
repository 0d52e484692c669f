//! Russet: a self-hosted OIDC identity broker.

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
