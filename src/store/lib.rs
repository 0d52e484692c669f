//! What Russet remembers.
