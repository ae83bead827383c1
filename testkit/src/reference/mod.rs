//! The reference scheduler: the rules of docs/rules.md, implemented a second time, slowly.
//!
//! It keeps plain lists and counts everything again whenever it needs it; trials are made on a copy of the whole state.
//! It shares the types of events, policies and plans with the core, and no code that decides. [`Reference::apply`] and
//! [`Reference::decide`] mirror those of [`quotree_core::Scheduler`] and must give the same actions for the same
//! reasons; [`crate::compare`] compares them.
#![expect(
    clippy::indexing_slicing,
    reason = "a place that is not there is a bug of the reference and must stop the test"
)]

mod admission;
mod back_off;
mod changes;
mod decide;
mod events;
mod evict_failed;
mod found;
mod gangs;
mod holds;
mod impossible;
mod ledger;
mod moment;
mod nodes;
mod order;
mod overdue;
mod placement;
mod reclaim;
mod reprieve;
mod scores;
mod sets;
mod shares;
mod state;
mod takeover;
mod topology;
mod tree;
mod victims;
mod worth;

pub use decide::{Decision, PendingReason};
pub use state::Reference;
