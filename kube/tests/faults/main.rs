//! Faults of the API server, of the network, of nodes and of processes, LF1 to LF16, in a cluster of 200 nodes and 5,000 pods in
//! memory and in virtual time. After every change of an object the laws LI1 to LI10 are judged from outside
//! (`quotree_kube_testkit::laws`), without faults LI12, too; recordings are replayed at the end (LI11).
//!
//! `.ci/run` plays a part of the counts, from the first seed on; `.ci/soak` plays all (`QUOTREE_FAULTS=all`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod calm;
mod kills;
mod nodes;
mod outages;
mod pods;
mod replicas;
mod storm;
mod trees;
mod victims;

/// How often a fault is played: all of the table, or a part of it.
pub(crate) fn times(all: usize, part: usize) -> usize {
    match std::env::var("QUOTREE_FAULTS").as_deref() {
        Ok("all") => all,
        // A number of rounds; what is counted in thousands stays as it is.
        Ok(number) if part < 1000 => number.parse().unwrap_or(part),
        Ok(_) => part,
        Err(_) => part,
    }
}
