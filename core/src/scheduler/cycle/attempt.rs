//! Trying to place one workload: in available room, by preemption, or by taking over another workload's hold.

use super::takeover::{came_after_a_hold, holds_to_take};
use crate::{
    api::{Action, Plan, ReleaseReason},
    scheduler::{
        cluster::{Cluster, Hold, Trial},
        explain, hold,
        placement::place,
        preempt::{PreemptionKind, PreemptionPlan, SearchFindings, could_preempt_at_all, find_plan, reclaims_by_share},
        queue::RequestQueue,
        state::{Ask, HoldId, WorkloadSlot},
    },
};

/// Tries to place the head of a queue. If that fails, the plan gets a verdict.
pub(crate) fn attempt(cluster: &mut Cluster, queue: RequestQueue, plan: &mut Plan) {
    let Some(key) = cluster.queue.tournament.head(queue) else { return };
    let ask = cluster.workloads.interner.shared_ask(queue.ask);
    let mut attempt = Attempt { cluster, queue, slot: key.slot, ask: &ask, plan };
    attempt.run();
}

/// The attempt for one workload, the head of its queue.
struct Attempt<'a> {
    cluster: &'a mut Cluster,
    queue: RequestQueue,
    slot: WorkloadSlot,
    ask: &'a Ask,
    plan: &'a mut Plan,
}

impl Attempt<'_> {
    fn run(&mut self) {
        if self.place_on_available() {
            return;
        }
        let (slot, ask, queue) = (self.slot, self.ask, self.queue);
        let mut found =
            SearchFindings { in_full: explain::explains_in_full(self.cluster), ..SearchFindings::default() };
        // Where it fits once all terminating pods are gone, it preempts nobody, but waits.
        let waits = hold::fits_when_settled(self.cluster, slot, ask);
        let placed = if waits { self.hold_unclaimed() } else { self.preempt(&mut found) || self.take_over() };
        if placed {
            return;
        }
        found.settling = waits.then(|| self.cluster.holds.terminating());
        if self.cluster.quotas.admits(ask, queue.leaf) {
            let failure = self.cluster.nodes.freed.failure();
            self.cluster.queue.tournament.note_failure(queue.ask, failure);
        }
        let covered = self.cluster.quotas.leaf_covers(ask, queue.leaf);
        let retry = waits
            || reclaims_by_share(&self.cluster.policy)
            || came_after_a_hold(self.cluster, slot)
            || could_preempt_at_all(self.cluster, slot, ask);
        self.cluster.queue.tournament.could_not_place(queue, retry, covered);
        self.plan.verdicts.extend(explain::verdict_on(self.cluster, slot, found));
    }

    /// Places the workload in available room, if its quotas admit it.
    fn place_on_available(&mut self) -> bool {
        let slot = self.slot;
        if !self.cluster.quotas.admits(self.ask, self.queue.leaf) {
            return false;
        }
        let Some(pods) = place(self.cluster, slot) else { return false };
        self.cluster.dequeue(slot);
        self.cluster.bind(slot, self.ask, pods, false, self.plan);
        true
    }

    /// Places the workload by preemption: it reclaims from other leaves first, then preempts in its own (R3).
    fn preempt(&mut self, found: &mut SearchFindings) -> bool {
        let (slot, ask) = (self.slot, self.ask);
        let mut kinds = PreemptionKind::BOTH.into_iter();
        let Some(preemption) = kinds.find_map(|kind| find_plan(self.cluster, slot, ask, kind, found)) else {
            return false;
        };
        let broken = holds_broken_by(self.cluster, &preemption);
        if broken.is_empty() || !self.place_without_holds(&broken) {
            self.carry_out(preemption);
        }
        true
    }

    /// If terminating pods that no hold waits for free enough for an entitled workload, it evicts nobody and makes a
    /// hold on them (H1). Otherwise a borrower could get the room, and would have to be evicted next.
    fn hold_unclaimed(&mut self) -> bool {
        if self.cluster.holds.unclaimed_terminating.is_empty() {
            return false;
        }
        let (slot, ask, mut ignored) = (self.slot, self.ask, SearchFindings::default());
        let preemption = find_plan(self.cluster, slot, ask, PreemptionKind::Reclaim, &mut ignored);
        let Some(preemption) = preemption.filter(|preemption| preemption.victims.is_empty()) else { return false };
        self.carry_out(preemption);
        true
    }

    fn carry_out(&mut self, preemption: PreemptionPlan) {
        let slot = self.slot;
        if !preemption.victims.is_empty() || !preemption.terminating.is_empty() {
            return hold::begin(self.cluster, slot, self.queue.ask, preemption, self.plan);
        }
        let mut trial = Trial::default();
        for (pod, assignment) in &preemption.assignments {
            self.cluster.trial_bind(&mut trial, *pod, *assignment);
        }
        self.cluster.dequeue(slot);
        self.cluster.bind(slot, self.ask, preemption.assignments.into_iter().collect(), false, self.plan);
    }

    /// Takes over a hold, if the workload is entitled and the room of the hold is enough. Tries each hold alone, then
    /// all together (H2).
    fn take_over(&mut self) -> bool {
        let latest_first = holds_to_take(self.cluster, self.slot);
        let each_alone = latest_first.chunks(1);
        each_alone.chain([latest_first.as_slice()]).any(|ids| self.place_without_holds(ids))
    }

    /// Ends some holds and tries to place the workload in their room. If that fails, the holds are restored.
    fn place_without_holds(&mut self, ids: &[HoldId]) -> bool {
        let slot = self.slot;
        let freed = self.cluster.nodes.freed.mark();
        let mut ended: Vec<(HoldId, Hold)> = Vec::new();
        for id in ids {
            ended.extend(hold::end(self.cluster, *id).map(|hold| (*id, hold)));
        }
        let reason = ReleaseReason::NeededBy(self.cluster.workloads.at(slot).id);
        for (_, hold) in &ended {
            let holder = self.cluster.workloads.at(hold.slot);
            self.plan.actions.push(Action::Release { workload: holder.id, reason });
            // Without its hold it may be no job any more (A5).
            let is_admitted = holder.is_on_nodes();
            self.cluster.set_admitted(hold.slot, is_admitted);
        }
        let placed = self.cluster.quotas.is_entitled(self.ask, self.queue.leaf)
            && (self.place_on_available() || self.preempt(&mut SearchFindings::default()));
        if placed {
            for (_, hold) in ended {
                self.cluster.requeue(hold.slot);
            }
            self.cluster.resume_admitted();
            return true;
        }
        self.plan.actions.truncate(self.plan.actions.len() - ended.len());
        for (id, hold) in ended.into_iter().rev() {
            self.cluster.set_admitted(hold.slot, true);
            hold::restore(self.cluster, id, hold);
        }
        self.cluster.nodes.freed.forget_since(freed);
        false
    }
}

/// The holds of gangs that a preemption evicts as a whole. Such a hold ends with its gang, and then the evictions for
/// the hold were wasted. So the caller first tries whether the workload can be placed after ending these holds, without
/// any eviction (S3).
fn holds_broken_by(cluster: &Cluster, preemption: &PreemptionPlan) -> Vec<HoldId> {
    let is_evicted = |slot: WorkloadSlot, ordinal: u32| {
        preemption.victims.iter().any(|victim| victim.pods.contains(&slot.pod(ordinal)))
    };
    let mut broken: Vec<HoldId> = Vec::new();
    for slot in preemption.victims.iter().map(|victim| victim.slot) {
        let workload = cluster.workloads.at(slot);
        let Some(hold) = workload.hold.filter(|hold| !broken.contains(hold)) else { continue };
        let goes_whole = workload.active().all(|(ordinal, _)| is_evicted(slot, ordinal));
        if goes_whole && workload.sets.iter().any(|set| set.min > 0) {
            broken.push(hold);
        }
    }
    broken
}
