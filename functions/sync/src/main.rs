//! The sync function.

fn main() {}
