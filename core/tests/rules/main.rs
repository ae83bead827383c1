//! The rules of docs/rules.md as tests. The name of each test begins with the rules that it checks.
//!
//! Most tests are tables: a quota tree, a cluster, and rows. A row has, on the left, what happens, and on the right
//! what the scheduler does then. `("submit 2 to a: 3", "evict 1 by R2; bind 2; pending 1': A1 at root")` says: workload
//! 2 is created in namespace a with one pod of 3 cpu; the scheduler evicts workload 1 by rule R2 and binds 2; what the
//! controller creates in place of 1 stays pending, since by rule A1 the max of root forbids it.
//! `quotree_testkit::table` explains every word.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "these are tests; a helper of one may fail like the test itself"
)]

mod admission;
mod changes;
mod demo;
mod device_holds;
mod devices;
mod events;
mod explain;
mod failed;
mod found;
mod gangs;
mod hold_ends;
mod holds;
mod ledger;
mod order;
mod placement;
mod reclaim;
mod retries;
mod shares;
mod topology;
mod tree;
mod victims;
mod within_queue;

use quotree_core::Policy;
use quotree_testkit::table;

/// Plays a table under the default policy.
fn check(tree: &str, cluster: &str, rows: &[(&str, &str)]) {
    table::check(tree, cluster, Policy::default(), rows);
}

/// Two leaves, each guaranteed half of 4 cpu.
const TWO: &str = "root 4/4; a<root 2/4; b<root 2/4";

/// The default policy with a change.
fn by(change: impl FnOnce(&mut Policy)) -> Policy {
    let mut policy = Policy::default();
    change(&mut policy);
    policy
}
