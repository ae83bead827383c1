//! The adapter at work on a cluster in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod demo;
mod faults;
mod leader;
mod watches;
mod world;
