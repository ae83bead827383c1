//! Benches of quotree over scenarios and traces; see docs/benchmarks.md.
