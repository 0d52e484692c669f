//! The acts of administrators through the store.
