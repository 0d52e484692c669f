//! Raw signing speed of the product's own keys.
fn main() {}
