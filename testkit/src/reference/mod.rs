//! The reference scheduler: the rules of docs/rules.md written down a second time, slowly.
//!
//! It keeps plain lists and recounts everything each time it looks; trials are made on a copy of the whole state. With the
//! core it shares the types of facts, policies and plans, and no line of what decides. [`Reference::apply`] and
//! [`Reference::decide`] stand beside [`quotree_core::Scheduler`]'s and must give the same actions for the same reasons;
//! [`crate::beside`] compares them.
#![expect(
    clippy::indexing_slicing,
    reason = "a place that is not there is a bug of the reference and must stop the test"
)]

mod admission;
mod decide;
mod events;
mod gangs;
mod holds;
mod ledger;
mod order;
mod placement;
mod reclaim;
mod scores;
mod shares;
mod state;
mod together;
mod tree;
mod victims;

pub use decide::{Answer, Waits};
pub use state::Reference;
