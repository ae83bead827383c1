//! Test helpers of quotree: random worlds, where the shared traces are, law checks.
