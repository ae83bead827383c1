//! Evictions after a time limit: of gangs that ran below their minimum for too long (G3), and below quotas that were
//! above a lowered max for too long (T4).

use crate::{
    api::{EnforceMax, EvictReason, Plan, QuotaId, ReleaseReason, Rule},
    scheduler::{
        cluster::{Cluster, Trial},
        hold,
        preempt::{PreemptionKind, Preemptor, Steps, VictimLeaf, better_candidate, first_victim},
        state::{Ask, PodRef, QuotaSlot, WorkloadSlot},
    },
};
use smallvec::SmallVec;

/// Takes out the timers that have passed. Gives whether there were any.
pub(crate) fn take_timers(cluster: &mut Cluster) -> bool {
    let mut due = false;
    while cluster.timers.first().is_some_and(|time| *time <= cluster.now) {
        cluster.timers.pop_first();
        due = true;
    }
    due
}

/// Starts the clocks of gangs below their minimum and of quotas above max. Events have no time, so a clock starts with
/// the first decision after the event (G3, T4).
pub(crate) fn start_clocks(cluster: &mut Cluster) {
    let now = cluster.now;
    if let EnforceMax::After { ms } = cluster.policy.enforce_max
        && cluster.quotas.over_max.start_clocks(now) > 0
    {
        cluster.timers.insert(now.after_ms(ms));
    }
    let Some(patience) = cluster.policy.stale_after_ms else { return };
    for id in &cluster.maybe_stale {
        let Some(slot) = cluster.workloads.slot(*id) else { continue };
        let since = &mut cluster.workloads.at_mut(slot).stale_since;
        if since.is_none() {
            *since = Some(now);
            cluster.timers.insert(now.after_ms(patience));
        }
    }
}

/// Evicts gangs that ran below their minimum for too long (G3).
pub(crate) fn evict_stale_gangs(cluster: &mut Cluster, plan: &mut Plan) {
    let Some(patience) = cluster.policy.stale_after_ms else { return };
    for id in cluster.maybe_stale.clone() {
        let Some(slot) = cluster.workloads.slot(id) else {
            cluster.maybe_stale.remove(&id);
            continue;
        };
        let workload = cluster.workloads.at(slot);
        let is_late = workload.stale_since.is_some_and(|since| since.after_ms(patience) <= cluster.now);
        if !workload.is_below_minimum() {
            cluster.maybe_stale.remove(&id);
            cluster.workloads.at_mut(slot).stale_since = None;
        } else if is_late && !workload.evict_failed {
            let pods: Vec<PodRef> = workload.active().map(|(ordinal, _)| slot.pod(ordinal)).collect();
            cluster.maybe_stale.remove(&id);
            // What its controller adds later may get stale anew.
            cluster.workloads.at_mut(slot).stale_since = None;
            let reason = reason(cluster, slot, Rule::G3);
            evict_for_nobody(cluster, slot, &pods, &reason, plan);
        }
    }
}

/// Evicts where a quota was above a lowered max for too long: in victim order, the last quota of the tree first (T4).
pub(crate) fn enforce_max(cluster: &mut Cluster, plan: &mut Plan) {
    let EnforceMax::After { ms } = cluster.policy.enforce_max else { return };
    for quota in cluster.quotas.over_max.take_overdue(cluster.now, ms) {
        for resource in cluster.quotas.resources() {
            drain(cluster, quota, resource, plan);
        }
    }
}

/// Evicts below a quota until its usage of a resource is within its max.
fn drain(cluster: &mut Cluster, quota: QuotaSlot, resource: usize, plan: &mut Plan) {
    let ask = Ask::nothing();
    let kind = PreemptionKind::Reclaim;
    let preemptor = Preemptor { slot: None, leaf: quota, ask: &ask, kind, break_budgets: true };
    loop {
        let quotas = &cluster.quotas;
        let over = quotas.ledger.remaining_usage(quota, resource).saturating_sub(quotas.max(quota, resource));
        if over <= 0 {
            return;
        }
        let mut steps = Steps::new(cluster.policy.bounds.candidates);
        let mut best = None;
        let leaves =
            quotas.tree.ids().filter(|q| quotas.tree.is_under(*q, QuotaId(quota.0)) && quotas.tree.is_leaf(*q));
        for leaf in leaves {
            let resources = SmallVec::from_elem(resource, 1);
            let from = VictimLeaf { leaf: leaf.into(), common: quota, resources, lacking: &[resource] };
            best =
                better_candidate(best, first_victim(cluster, &preemptor, &Trial::default(), (&from, None), &mut steps));
        }
        let Some(victim) = best else { return };
        let reason = EvictReason {
            common: quotas.quota_id(quota),
            resource: quotas.tree.resource_name(resource).cloned(),
            over,
            ..reason(cluster, victim.slot, Rule::T4)
        };
        evict_for_nobody(cluster, victim.slot, &victim.pods, &reason, plan);
    }
}

/// The reason of an eviction that makes room for no workload.
fn reason(cluster: &Cluster, slot: WorkloadSlot, rule: Rule) -> EvictReason {
    let workload = cluster.workloads.at(slot);
    EvictReason {
        rule,
        chosen_by: if rule == Rule::T4 { Rule::V1 } else { rule },
        cause: None,
        leaf: cluster.quotas.quota_id(workload.leaf),
        common: None,
        resource: None,
        over: 0,
        priority: workload.priority,
        budget_broken: false,
    }
}

fn evict_for_nobody(cluster: &mut Cluster, slot: WorkloadSlot, pods: &[PodRef], reason: &EvictReason, plan: &mut Plan) {
    for pod in pods {
        cluster.evict(*pod, None, reason.clone(), plan);
    }
    hold::requeue_rest(cluster, slot, ReleaseReason::Evicted, plan);
}
