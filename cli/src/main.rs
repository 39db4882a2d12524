//! The `musetalk` command.
fn main() {}
