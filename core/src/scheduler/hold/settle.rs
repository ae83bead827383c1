//! Whether a workload fits once everything under way is done: all terminating pods gone, and all holders placed.

use super::lifecycle::{end, restore};
use crate::scheduler::{
    cluster::{Cluster, Hold, Trial},
    placement::fits,
    state::{Ask, HoldId, PodRef, WorkloadSlot},
};

/// Whether a workload fits once all terminating pods are gone and all workloads with a hold are placed. Then it waits
/// and preempts nobody (H1). Changes nothing.
pub(crate) fn fits_when_settled(cluster: &mut Cluster, slot: WorkloadSlot, ask: &Ask) -> bool {
    let under_way = cluster.holds.len() + cluster.holds.unclaimed_terminating.len();
    if under_way == 0 || under_way > cluster.policy.bounds.nodes as usize {
        return false;
    }
    let leaf = cluster.workloads.at(slot).leaf;
    if cluster.quotas.exceeds_max_when_settled(ask, leaf) {
        return false;
    }
    let mut trial = Trial::default();
    let freed = cluster.nodes.freed.mark();
    let ids = cluster.holds.ids_where(|_| true);
    let unclaimed: Vec<PodRef> = cluster.holds.unclaimed_terminating.values().copied().collect();
    let ended: Vec<(HoldId, Hold)> = ids.into_iter().filter_map(|id| Some((id, end(cluster, id)?))).collect();
    for pod in unclaimed.iter().chain(ended.iter().flat_map(|(_, hold)| &hold.victims)) {
        cluster.trial_evict(&mut trial, *pod);
    }
    for (_, hold) in &ended {
        charge_as_placed(cluster, hold, true);
        for (pod, assignment) in &hold.assignments {
            cluster.trial_bind(&mut trial, *pod, *assignment);
        }
    }
    let fits = cluster.quotas.admits(ask, leaf) && fits(cluster, slot);
    cluster.trial_unbind(&mut trial);
    for (_, hold) in &ended {
        charge_as_placed(cluster, hold, false);
    }
    cluster.undo(trial);
    for (id, hold) in ended.into_iter().rev() {
        restore(cluster, id, hold);
    }
    cluster.nodes.freed.forget_since(freed);
    fits
}

/// Charges the quotas of a holding workload as if it were placed, or reverses that.
fn charge_as_placed(cluster: &mut Cluster, hold: &Hold, placed: bool) {
    let workload = cluster.workloads.at(hold.slot);
    let (leaf, preemptible) = (workload.leaf, workload.preemptible);
    let total = &cluster.workloads.interner.ask(hold.ask).total;
    if placed {
        cluster.quotas.ledger.use_up(leaf, total, preemptible);
    } else {
        cluster.quotas.ledger.give_back(leaf, total, preemptible);
    }
}
