//! Which holds of other workloads a workload may take over (H2).

use crate::scheduler::{
    cluster::Cluster,
    queue::PendingKey,
    state::{HoldId, WorkloadSlot},
};

/// The holds that a workload may take over: unentitled holders first, then the latest in order (H2).
///
/// Only holds that were made before the workload arrived count. A workload that was pending already had its turn when
/// the hold was made; if it took over now, the evictions of the hold would be wasted without any new event (S3). Of
/// equally entitled holders, the last by [`PendingKey`] comes first.
pub(crate) fn holds_to_take(cluster: &Cluster, slot: WorkloadSlot) -> Vec<HoldId> {
    let workload = cluster.workloads.at(slot);
    // All keys as they are now: shares of different times do not compare.
    let key_of = |slot| cluster.queue.key(slot, &cluster.workloads, &cluster.quotas);
    let key = key_of(slot);
    let mut later: Vec<(bool, PendingKey, HoldId)> = Vec::new();
    let before = cluster.holds.iter().take_while(|(_, hold)| hold.made < workload.arrived);
    for (id, hold) in before.take(cluster.policy.bounds.nodes as usize) {
        let leaf = cluster.workloads.at(hold.slot).leaf;
        let ask = cluster.workloads.interner.ask(hold.ask);
        // Inside a leaf, priority goes before entitlement (O1).
        let unentitled = leaf != workload.leaf && !cluster.quotas.is_holder_entitled(ask, leaf);
        let holder = key_of(hold.slot);
        if unentitled || key < holder {
            later.push((unentitled, holder, id));
        }
    }
    later.sort_unstable();
    later.into_iter().rev().map(|(_, _, id)| id).collect()
}

/// Whether some hold is older than a workload, so that the workload may take it over later (H2).
pub(crate) fn came_after_a_hold(cluster: &Cluster, slot: WorkloadSlot) -> bool {
    let oldest = cluster.holds.iter().next();
    oldest.is_some_and(|(_, hold)| cluster.workloads.at(slot).arrived > hold.made)
}
