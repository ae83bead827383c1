//! Which holds a workload may take over (H2).

use crate::scheduler::{
    cluster::Cluster,
    queue::PendingKey,
    state::{HoldId, WorkloadSlot},
};

/// The holds that a workload may take over where it needs the room, the latest in order first (H2).
///
/// Only holds that were made before the workload came: a workload that was already pending had its turn then. To let it
/// take over would make the evictions of the hold useless without any new event (S3).
pub(crate) fn holds_to_take(cluster: &Cluster, key: PendingKey) -> Vec<HoldId> {
    let workload = cluster.workloads.at(key.slot);
    let mut later: Vec<(bool, PendingKey, HoldId)> = Vec::new();
    let before = cluster.holds.iter().take_while(|(_, hold)| hold.made < workload.arrived);
    for (id, hold) in before.take(cluster.policy.bounds.nodes as usize) {
        let leaf = cluster.workloads.at(hold.slot).leaf;
        let ask = cluster.workloads.interner.ask(hold.ask);
        // Inside a leaf, priority goes before entitlement (O1).
        let unentitled = leaf != workload.leaf && !cluster.quotas.is_holder_entitled(ask, leaf);
        // Both keys as they are now: shares of different times do not compare.
        let holder = cluster.queue.key(hold.slot, &cluster.workloads, &cluster.quotas);
        if unentitled || key < holder {
            later.push((unentitled, holder, id));
        }
    }
    later.sort_unstable();
    later.into_iter().rev().map(|(_, _, id)| id).collect()
}

/// Whether there is a hold that a workload may be able to take over later (H2).
pub(crate) fn came_after_a_hold(cluster: &Cluster, slot: WorkloadSlot) -> bool {
    let oldest = cluster.holds.iter().next();
    oldest.is_some_and(|(_, hold)| cluster.workloads.at(slot).arrived > hold.made)
}
