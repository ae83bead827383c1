//! The rules of semantics.md, one table or test each: a row is what happens, its last column what comes of it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "these are tests; a helper of one may fail like the test itself"
)]

mod admission;
mod demo;
mod devices;
mod events;
mod explain;
mod gangs;
mod holds;
mod ledger;
mod order;
mod placement;
mod reclaim;
mod shares;
mod topology;
mod tree;
mod verdicts;
mod victims;

use quotree_core::Policy;
use quotree_testkit::table;

/// A table by the default policy.
fn check(tree: &str, cluster: &str, rows: &[(&str, &str)]) {
    table::check(tree, cluster, Policy::default(), rows);
}
