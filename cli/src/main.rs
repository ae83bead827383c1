//! The `quotree` command: run, check, inspect, explain and compare quota-tree scenarios.
fn main() {}
