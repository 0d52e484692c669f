//! interaction
