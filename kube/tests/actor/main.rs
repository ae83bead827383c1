//! The actor by itself, in virtual time: facts in, intents out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod accepted;
mod basics;
mod dumped;
mod evictions;
mod facts;
mod groups;
mod recorded;
mod tenants;
mod twin;
