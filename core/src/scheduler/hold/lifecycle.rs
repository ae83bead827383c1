//! How a hold begins and ends.

use super::reserve::{reserve, unreserve};
use crate::{
    api::{Action, EvictReason, Plan, ReleaseReason},
    scheduler::{
        cluster::{Cluster, Hold},
        preempt::PreemptionPlan,
        quota::PendingChange,
        state::{AskId, Assignment, HoldId, PodRef, QuotaSlot, WorkloadSlot, narrow},
    },
};
use smallvec::SmallVec;
use std::collections::BTreeSet;

/// Carries out a preemption: evicts the victims, and reserves what the preemptor needs (H1). Nothing may be on trial.
pub(crate) fn begin(
    cluster: &mut Cluster,
    slot: WorkloadSlot,
    ask: AskId,
    preemption: PreemptionPlan,
    plan: &mut Plan,
) {
    let id = cluster.holds.issue();
    cluster.dequeue(slot);
    cluster.set_admitted(slot, true);
    let cause = cluster.workloads.at(slot).id;
    let mut victims: BTreeSet<PodRef> = preemption.terminating.iter().copied().collect();
    victims.iter().for_each(|pod| claim(cluster, id, *pod));
    for victim in &preemption.victims {
        let reason = EvictReason {
            rule: preemption.kind.rule(),
            chosen_by: preemption.chosen_by,
            cause: Some(cause),
            leaf: cluster.quotas.quota_id(victim.leaf),
            common: cluster.quotas.quota_id(victim.common),
            resource: u16::try_from(victim.resource).ok().map(|r| cluster.workloads.interner.resource_name(r)),
            over: victim.over,
            priority: victim.rank.priority,
            budget_broken: victim.rank.breaks_budget,
        };
        for pod in &victim.pods {
            victims.insert(*pod);
            cluster.evict(*pod, Some(id), reason.clone(), plan);
        }
        requeue_rest(cluster, victim.slot, ReleaseReason::NeededBy(cause), plan);
    }
    let spot = |(pod, at): &(PodRef, Assignment)| (cluster.workloads.id_of(*pod), cluster.nodes.at(at.node).id);
    let spots = preemption.assignments.iter().map(spot).collect();
    plan.actions.push(Action::Hold { workload: cause, spots, victims: narrow(victims.len()) });
    cluster.workloads.at_mut(slot).hold = Some(id);
    let leaf = count_held(cluster, slot, ask, 1);
    let hold = Hold {
        slot,
        ask,
        since: cluster.now,
        made: cluster.generation,
        assignments: preemption.assignments.into_iter().collect(),
        victims,
        change: PendingChange::default(),
        reserved: SmallVec::new(),
    };
    promise(cluster, &hold, true);
    cluster.holds.insert(id, hold);
    reserve(cluster, id);
    let ends = cluster.policy.hold_timeout_ms.map(|ms| cluster.now.after_ms(ms));
    cluster.timers.extend(ends);
    cluster.touch(leaf);
}

/// Makes a hold wait for this terminating pod.
fn claim(cluster: &mut Cluster, id: HoldId, pod: PodRef) {
    cluster.holds.unclaimed_terminating.remove(&cluster.workloads.id_of(pod));
    if let Some(row) = cluster.workloads.pod_mut(pod) {
        row.evicted_for = Some(id);
    }
}

/// Counts the pods of a hold as expected on their nodes, or reverses that.
fn promise(cluster: &mut Cluster, hold: &Hold, begins: bool) {
    for (pod, at) in &hold.assignments {
        let template = cluster.workloads.template(*pod);
        if begins {
            cluster.nodes.promise(*at, template);
        } else {
            cluster.nodes.end_promise(*at, template);
        }
    }
}

/// Adds `sign` times the request of a workload with a hold to the ledger. Gives its leaf.
fn count_held(cluster: &mut Cluster, slot: WorkloadSlot, ask: AskId, sign: i64) -> QuotaSlot {
    let workload = cluster.workloads.at(slot);
    let total = &cluster.workloads.interner.ask(ask).total;
    cluster.quotas.ledger.add_held(workload.leaf, total, workload.preemptible, sign);
    workload.leaf
}

/// After an eviction, updates what the victim's workload waits for (G1). If its gang was evicted as a whole and has a
/// hold, the hold ends, and `why` is the reason (G2).
pub(crate) fn requeue_rest(cluster: &mut Cluster, slot: WorkloadSlot, why: ReleaseReason, plan: &mut Plan) {
    let workload = cluster.workloads.at(slot);
    match workload.hold {
        None => {
            cluster.dequeue(slot);
            cluster.enqueue(slot);
        }
        Some(hold) if workload.is_below_minimum() => release(cluster, hold, why, plan),
        Some(_) => {}
    }
}

/// Ends a hold (H2): its workload is pending again, and no hold waits for its victims any more.
pub(crate) fn release(cluster: &mut Cluster, id: HoldId, reason: ReleaseReason, plan: &mut Plan) {
    if let Some(hold) = end(cluster, id) {
        plan.actions.push(Action::Release { workload: cluster.workloads.at(hold.slot).id, reason });
        cluster.requeue(hold.slot);
        cluster.resume_admitted();
    }
}

/// Ends the holds that an event invalidates. They are reported with the next plan.
pub(crate) fn end_by_event(cluster: &mut Cluster, which: impl Fn(&Hold) -> bool, reason: ReleaseReason) {
    for id in cluster.holds.ids_where(which) {
        end_one_by_event(cluster, id, reason);
    }
}

/// Ends a hold that an event invalidates. It is reported with the next plan.
pub(crate) fn end_one_by_event(cluster: &mut Cluster, id: HoldId, reason: ReleaseReason) {
    if let Some(hold) = end(cluster, id) {
        cluster.holds.ended.push((cluster.workloads.at(hold.slot).id, reason));
        cluster.requeue(hold.slot);
    }
}

/// Reports the holds that events have ended.
pub(crate) fn report_ended(cluster: &mut Cluster, plan: &mut Plan) {
    let ended = cluster.holds.ended.drain(..);
    plan.actions.extend(ended.map(|(workload, reason)| Action::Release { workload, reason }));
}

/// Ends a hold and gives it. The caller must requeue, bind or drop its workload.
pub(crate) fn end(cluster: &mut Cluster, id: HoldId) -> Option<Hold> {
    unreserve(cluster, id);
    let hold = cluster.holds.remove(id)?;
    promise(cluster, &hold, false);
    let leaf = count_held(cluster, hold.slot, hold.ask, -1);
    for pod in &hold.victims {
        if let Some(row) = cluster.workloads.pod_mut(*pod) {
            row.evicted_for = None;
        }
        cluster.holds.unclaimed_terminating.insert(cluster.workloads.id_of(*pod), *pod);
    }
    cluster.workloads.at_mut(hold.slot).hold = None;
    cluster.touch(leaf);
    Some(hold)
}

/// Reverses [`end`].
pub(crate) fn restore(cluster: &mut Cluster, id: HoldId, hold: Hold) {
    count_held(cluster, hold.slot, hold.ask, 1);
    hold.victims.iter().for_each(|pod| claim(cluster, id, *pod));
    cluster.workloads.at_mut(hold.slot).hold = Some(id);
    promise(cluster, &hold, true);
    cluster.holds.insert(id, hold);
    reserve(cluster, id);
}

/// Changes where a terminating pod is or what it requests. The hold that waits for it reserves anew.
pub(crate) fn change_victim(cluster: &mut Cluster, id: Option<HoldId>, change: impl FnOnce(&mut Cluster)) {
    id.into_iter().for_each(|id| unreserve(cluster, id));
    change(cluster);
    id.into_iter().for_each(|id| reserve(cluster, id));
}

/// Notes that a victim of a hold has left.
pub(crate) fn victim_left(cluster: &mut Cluster, id: HoldId, pod: PodRef) {
    unreserve(cluster, id);
    if let Some(hold) = cluster.holds.get_mut(id) {
        hold.victims.remove(&pod);
    }
    reserve(cluster, id);
}
