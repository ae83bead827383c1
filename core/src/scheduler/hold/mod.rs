//! Holds: what an eviction frees is reserved for the workload that evicted (H1 to H3).
//!
//! A workload that evicts others cannot be bound before these have left. Until then it *holds*: on every quota of its
//! path, and on every node where its pods will be placed, the scheduler reserves what the workload needs beyond what
//! its victims still use there ([`reserve`]). As a victim leaves, the reservation grows by what it frees, so that other
//! workloads see the room as taken.
//!
//! A hold lasts until all its victims are gone and the workload is bound (H3), or until one of these ends it (H2): the
//! policy's `hold_timeout_ms` has passed; an entitled workload that comes earlier in order takes the room over; the
//! workload does not fit any more; a node that it counts on is lost; the quota tree is replaced; its gang is evicted.
//! The workload is then pending again, and its victims leave without a claim on what they free.

mod reserve;
mod settle;

pub(crate) use settle::fits_when_settled;

use crate::{
    api::{Action, EvictReason, Plan, ReleaseReason},
    scheduler::{
        cluster::{Cluster, holds::Hold},
        placement::{place, place_as_reserved},
        preempt::plan::PreemptionPlan,
        quota::lending::PendingChange,
        state::{
            interner::Ask,
            keys::{AskId, Assignment, HoldId, PodRef, QuotaSlot, WorkloadSlot},
            table::narrow,
        },
    },
};
use reserve::{reserve, unreserve};
use smallvec::SmallVec;
use std::collections::BTreeSet;

/// Carries out a preemption: evicts its victims, and holds what they free (H1). Nothing may be on trial.
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
            cause: Some(cause),
            leaf: cluster.quotas.quota_id(victim.leaf),
            common: cluster.quotas.quota_id(victim.common),
            resource: cluster.quotas.tree.resource_name(victim.resource).cloned(),
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
    let leaf = count_held(cluster, slot, ask, true);
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
    cluster.holds.insert(id, hold);
    reserve(cluster, id);
    let ends = cluster.policy.hold_timeout_ms.map(|ms| cluster.now.after_ms(ms));
    cluster.timers.extend(ends);
    cluster.touch(leaf);
}

/// A hold waits for a terminating pod that no hold waited for.
fn claim(cluster: &mut Cluster, id: HoldId, pod: PodRef) {
    cluster.holds.unclaimed_terminating.remove(&cluster.workloads.id_of(pod));
    if let Some(row) = cluster.workloads.pod_mut(pod) {
        row.evicted_for = Some(id);
    }
}

/// Counts the request of a holding workload in the ledger, or no longer does. Gives its leaf.
fn count_held(cluster: &mut Cluster, slot: WorkloadSlot, ask: AskId, holds: bool) -> QuotaSlot {
    let workload = cluster.workloads.at(slot);
    let (leaf, preemptible) = (workload.leaf, workload.preemptible);
    let total = &cluster.workloads.interner.ask(ask).total;
    if holds {
        cluster.quotas.ledger.hold(leaf, total, preemptible);
    } else {
        cluster.quotas.ledger.end_hold(leaf, total, preemptible);
    }
    leaf
}

/// After an eviction, the pending pods of the victim's workload may wait for something else (G1). A gang that was
/// evicted as a whole holds nothing any more, for this reason (G2).
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

/// Ends a hold (H2): its workload is pending again, its victims leave unclaimed.
pub(crate) fn release(cluster: &mut Cluster, id: HoldId, reason: ReleaseReason, plan: &mut Plan) {
    if let Some(hold) = end(cluster, id) {
        plan.actions.push(Action::Release { workload: cluster.workloads.at(hold.slot).id, reason });
        cluster.requeue(hold.slot);
        cluster.resume_admitted();
    }
}

/// Ends the holds of which an event makes this true. They are reported with the next plan.
pub(crate) fn end_by_event(cluster: &mut Cluster, which: impl Fn(&Hold) -> bool, reason: ReleaseReason) {
    for id in cluster.holds.ids_where(which) {
        if let Some(hold) = end(cluster, id) {
            cluster.holds.ended.push((cluster.workloads.at(hold.slot).id, reason));
            cluster.requeue(hold.slot);
        }
    }
}

/// Reports the holds that events have ended.
pub(crate) fn report_ended(cluster: &mut Cluster, plan: &mut Plan) {
    let ended = cluster.holds.ended.drain(..);
    plan.actions.extend(ended.map(|(workload, reason)| Action::Release { workload, reason }));
}

/// Ends a hold, and gives it. The caller says what becomes of its workload.
pub(crate) fn end(cluster: &mut Cluster, id: HoldId) -> Option<Hold> {
    unreserve(cluster, id);
    let hold = cluster.holds.remove(id)?;
    let leaf = count_held(cluster, hold.slot, hold.ask, false);
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
    count_held(cluster, hold.slot, hold.ask, true);
    hold.victims.iter().for_each(|pod| claim(cluster, id, *pod));
    cluster.workloads.at_mut(hold.slot).hold = Some(id);
    cluster.holds.insert(id, hold);
    reserve(cluster, id);
}

/// A victim of a hold has left.
pub(crate) fn victim_left(cluster: &mut Cluster, id: HoldId, pod: PodRef) {
    unreserve(cluster, id);
    if let Some(hold) = cluster.holds.get_mut(id) {
        hold.victims.remove(&pod);
    }
    reserve(cluster, id);
}

/// Ends the holds that have lasted longer than the policy allows (H2).
pub(crate) fn expire(cluster: &mut Cluster, plan: &mut Plan) {
    let Some(timeout) = cluster.policy.hold_timeout_ms else { return };
    let now = cluster.now;
    let is_late = |hold: &Hold| hold.since.after_ms(timeout) <= now && !hold.victims.is_empty();
    for id in cluster.holds.ids_where(is_late) {
        let late: Vec<PodRef> =
            cluster.holds.get(id).into_iter().flat_map(|hold| hold.victims.iter().copied()).collect();
        release(cluster, id, ReleaseReason::TimedOut, plan);
        // They took too long to leave: no other workload waits for them either.
        cluster.holds.unclaimed_terminating.retain(|_, pod| !late.contains(pod));
    }
}

/// Binds the workloads whose victims are all gone (H3), the oldest hold first.
pub(crate) fn bind_ready(cluster: &mut Cluster, plan: &mut Plan) {
    for id in cluster.holds.take_ready() {
        let Some(hold) = cluster.holds.get(id).filter(|hold| hold.victims.is_empty()).cloned() else { continue };
        let slot = hold.slot;
        let ask: Ask = cluster.workloads.interner.ask(hold.ask).clone();
        let leaf = cluster.workloads.at(slot).leaf;
        end(cluster, id);
        // It counts as a job already, so the limit on jobs does not apply.
        let admitted = cluster.quotas.admits(&Ask { job: false, ..ask.clone() }, leaf);
        if !admitted && cluster.quotas.ledger.has_lend_limit(leaf) && fits_when_settled(cluster, slot, &ask) {
            // The plan counted on what victims of other holds free (L3).
            restore(cluster, id, hold);
            continue;
        }
        let placed = match admitted {
            true => place_as_reserved(cluster, &hold.assignments).or_else(|| place(cluster, slot)),
            false => None,
        };
        match placed {
            Some(pods) => cluster.bind(slot, &ask, pods, true, plan),
            None => {
                let workload = cluster.workloads.at(slot).id;
                plan.actions.push(Action::Release { workload, reason: ReleaseReason::NoLongerFits });
                cluster.requeue(slot);
            }
        }
    }
}
