//! Whether a workload fits in the settled state: all terminating pods are gone, and all workloads with a hold are
//! placed.

use super::lifecycle::{end, restore};
use crate::scheduler::{
    cluster::{Cluster, Hold, Trial},
    nodes::WouldFit,
    placement::{fits, pick},
    state::{Ask, HoldId, PodRef, TemplateId, WorkloadSlot},
};

/// Whether a workload fits once all terminating pods are gone and all workloads with a hold are placed. If so, it waits
/// and preempts nobody (H1). Changes no state.
pub(crate) fn fits_when_settled(cluster: &mut Cluster, slot: WorkloadSlot, ask: &Ask) -> bool {
    let under_way = cluster.holds.len() + cluster.holds.unclaimed_terminating.len();
    if under_way == 0 || under_way > cluster.policy.bounds.nodes as usize {
        return false;
    }
    let leaf = cluster.workloads.at(slot).leaf;
    if cluster.quotas.exceeds_max_when_settled(ask, leaf) {
        return false;
    }
    match (would_have_room(cluster, slot, ask), ask.preemptible && !cluster.quotas.ledger.any_lend_limit()) {
        (Some(false), _) => return false,
        // Then only the limits on jobs can refuse it: nothing else is charged but what was looked at above (A1).
        // The sums count pods as leaving that are late, and for which nobody waits (H2).
        (Some(true), true) if cluster.holds.late.is_empty() => return !cluster.quotas.lacks_job(ask, leaf),
        _ => {}
    }
    fits_when_settled_on_trial(cluster, slot, ask)
}

/// As [`fits_when_settled`], by a trial: removes the terminating pods, places the holders, tests, and reverses all of
/// that.
pub(crate) fn fits_when_settled_on_trial(cluster: &mut Cluster, slot: WorkloadSlot, ask: &Ask) -> bool {
    let leaf = cluster.workloads.at(slot).leaf;
    let mut trial = Trial::default();
    let freed = cluster.nodes.freed.mark();
    let ids = cluster.holds.ids_where(|_| true);
    let unclaimed: Vec<PodRef> = cluster.holds.unclaimed_terminating.values().copied().collect();
    let ended: Vec<(HoldId, Hold)> = ids.into_iter().filter_map(|id| Some((id, end(cluster, id)?))).collect();
    for pod in unclaimed.iter().chain(ended.iter().flat_map(|(_, hold)| &hold.victims)) {
        cluster.trial_evict(&mut trial, *pod);
    }
    for (_, hold) in &ended {
        charge_as_placed(cluster, hold, 1);
        for (pod, assignment) in &hold.assignments {
            cluster.trial_bind(&mut trial, *pod, *assignment);
        }
    }
    let fits = cluster.quotas.admits(ask, leaf) && fits(cluster, slot);
    cluster.trial_unbind(&mut trial);
    for (_, hold) in &ended {
        charge_as_placed(cluster, hold, -1);
    }
    cluster.undo(trial);
    for (id, hold) in ended.into_iter().rev() {
        restore(cluster, id, hold);
    }
    cluster.nodes.freed.forget_since(freed);
    fits
}

/// Whether the nodes would have room for a workload in the settled state, where that can be computed without a trial.
/// Each node will then have at least what is available on it now, and only nodes with terminating pods will have more.
fn would_have_room(cluster: &mut Cluster, slot: WorkloadSlot, ask: &Ask) -> Option<bool> {
    let pods = cluster.workloads.next_pods(slot);
    let is_single = pods.len() == 1 && ask.together.is_none();
    let mut looked_at: Option<TemplateId> = None;
    for ordinal in pods {
        let id = cluster.workloads.at(slot).template(ordinal);
        if looked_at.replace(id) == Some(id) {
            continue;
        }
        let fits_now = pick(cluster, slot.pod(ordinal)).is_some();
        let would_fit = || cluster.nodes.would_fit_when_settled(cluster.workloads.interner.template(id));
        match if fits_now { WouldFit::Yes } else { would_fit() } {
            WouldFit::No => return Some(false),
            WouldFit::Yes if is_single => return Some(true),
            _ => {}
        }
    }
    None
}

/// Charges the quotas of a workload with a hold as if it were placed, `sign` times.
fn charge_as_placed(cluster: &mut Cluster, hold: &Hold, sign: i64) {
    let workload = cluster.workloads.at(hold.slot);
    let total = &cluster.workloads.interner.ask(hold.ask).total;
    cluster.quotas.ledger.add_usage(workload.leaf, total, workload.preemptible, sign);
}
