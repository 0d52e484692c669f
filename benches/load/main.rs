//! The broker under load.
fn main() {}
