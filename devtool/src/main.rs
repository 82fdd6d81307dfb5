//! The project's own tool: demo, local stack, tests and bench.

fn main() {}
