//! Repository checks of quotree: tidy, dependency directions.
fn main() {}
