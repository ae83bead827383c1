//! One decision: first timeouts, then holds whose victims are gone, then every workload that may be tried, in order
//! (O1).

use super::{
    reclaim::PreemptionPlan,
    state::{Ask, Assignment, For, Reference, RequestQueue, Stage},
    victims::PreemptionKind,
};
use quotree_core::{Action, BindReason, BlockingReason, DeviceSet, PodId, Room, Time, Unquotaed, WorkloadId};

/// A decision of the reference: the same actions as the core's, and the reasons of the workloads that were tried in
/// vain.
#[derive(Debug, Clone, Default)]
pub struct Decision {
    /// The actions, in order.
    pub actions: Vec<Action>,
    /// The workloads that were tried in vain, in order.
    pub verdicts: Vec<PendingReason>,
}

/// Why a workload is pending.
#[derive(Debug, Clone)]
pub struct PendingReason {
    /// The workload.
    pub workload: WorkloadId,
    /// What binds. For missing room it does not say what is missing.
    pub binding: BlockingReason,
    /// Whether the workload is entitled (O1).
    pub entitled: bool,
}

impl Reference {
    /// Decides what to do now, like [`Scheduler::decide`](quotree_core::Scheduler::decide).
    pub fn decide(&mut self, now: Time) -> Decision {
        self.now = self.now.max(now);
        let mut plan = Decision::default();
        let due: Vec<Time> = self.timers.iter().copied().filter(|time| *time <= self.now).collect();
        self.timers.retain(|time| !due.contains(time));
        self.facts |= !due.is_empty();
        self.end_moment();
        self.start_clocks();
        self.end_back_offs();
        self.refresh_shares();
        for (workload, reason) in std::mem::take(&mut self.ended) {
            plan.actions.push(Action::Release { workload, reason });
        }
        self.expire_holds(&mut plan);
        self.bind_held(&mut plan);
        self.evict_stale_gangs(&mut plan);
        self.enforce_max(&mut plan);
        let mut changed = std::mem::take(&mut self.facts);
        self.update_queues();
        // Rounds, until one does nothing: what was done for one workload may help others that were tried before (W4).
        loop {
            if changed {
                self.retry_preemptors();
            }
            let before = plan.actions.len();
            while let Some(queue) = self.next_queue() {
                self.attempt(&queue, &mut plan);
                self.update_queues();
            }
            changed = plan.actions.len() > before;
            if !changed {
                break;
            }
        }
        plan.verdicts.retain(|verdict| self.workloads.get(&verdict.workload).is_some_and(|w| w.pending_ask.is_some()));
        self.wake_for_next_moment();
        self.count += 1;
        plan
    }

    /// Tries to place the head of a request queue: on free nodes, by preemption, or on what a later workload holds.
    fn attempt(&mut self, queue: &RequestQueue, plan: &mut Decision) {
        let Some((key, id)) = self.head(&self.ledger(), queue) else { return };
        let ask = &queue.1;
        if self.place_on_free(id, ask, plan) {
            return;
        }
        let waits_for_others = self.fits_later(id, ask);
        if waits_for_others && self.hold_what_leaves(id, ask, plan) {
            return;
        }
        if !waits_for_others && (self.preempt(id, ask, plan) || self.take_over(id, ask, key, plan)) {
            return;
        }
        let ledger = self.ledger();
        let barred = self.barred(&ledger, ask, queue.0);
        if barred.is_none() {
            self.clock += 1;
            self.failed.insert(ask.clone(), self.clock);
        }
        let within = self.is_within_min(&ledger, queue);
        let state = self.queues.entry(queue.clone()).or_default();
        (state.due, state.tried) = (false, state.tried || within);
        let entitled = self.entitled(&ledger, ask, queue.0);
        plan.verdicts.push(PendingReason { workload: id, binding: barred.unwrap_or_else(no_room), entitled });
    }

    pub(super) fn place_on_free(&mut self, id: WorkloadId, ask: &Ask, plan: &mut Decision) -> bool {
        if self.barred(&self.ledger(), ask, self.workload(id).leaf).is_some() {
            return false;
        }
        let Some(assignments) = self.place(id, self.free_nodes()) else { return false };
        self.dequeue(id);
        self.bind(id, ask, &assignments, false, plan);
        true
    }

    /// Preempts: an entitled workload reclaims from other leaves first, then preempts within its own (R3).
    pub(super) fn preempt(&mut self, id: WorkloadId, ask: &Ask, plan: &mut Decision) -> bool {
        let kinds = [PreemptionKind::Reclaim, PreemptionKind::Priority];
        let entitled = self.entitled(&self.ledger(), ask, self.workload(id).leaf);
        let mut find = |kind| {
            let by_sets = |this: &mut Self| if entitled { this.find_set(id, ask, kind) } else { None };
            self.find_plan(id, ask, kind).or_else(|| by_sets(self))
        };
        let found = kinds.into_iter().find_map(&mut find);
        let Some(found) = found else { return false };
        // A gang that is evicted whole loses its hold for a further member: that alone may be enough (H2, S3).
        let broken = self.holds_broken_by(&found);
        if broken.is_empty() || !self.take_holds(&broken, id, ask, plan) {
            self.carry_out(id, ask, found, plan);
        }
        true
    }

    fn holds_broken_by(&self, found: &PreemptionPlan) -> Vec<u32> {
        let mut broken = Vec::new();
        for id in found.victims.iter().map(|candidate| candidate.workload) {
            let gone = |ordinal: &u32| found.victims.iter().any(|c| c.pods.contains(&id.pod(*ordinal)));
            let whole =
                self.workload(id).in_place().iter().all(gone) && self.workload(id).sets.iter().any(|set| set.min > 0);
            broken.extend(self.workload(id).hold.filter(|hold| whole && !broken.contains(hold)));
        }
        broken
    }

    /// An entitled workload for which the pods that leave for nobody are enough holds what they free, and evicts nobody
    /// (H1).
    fn hold_what_leaves(&mut self, id: WorkloadId, ask: &Ask, plan: &mut Decision) -> bool {
        if self.leaving(For::Nobody).is_empty() {
            return false;
        }
        let found = self.find_plan(id, ask, PreemptionKind::Reclaim).filter(|found| found.victims.is_empty());
        found.map(|found| self.carry_out(id, ask, found, plan)).is_some()
    }

    fn carry_out(&mut self, id: WorkloadId, ask: &Ask, found: PreemptionPlan, plan: &mut Decision) {
        self.reprieved += found.reprieved;
        self.by_sets += usize::from(found.by_sets);
        if found.victims.is_empty() && found.leaving.is_empty() {
            self.dequeue(id);
            self.bind(id, ask, &found.assignments, false, plan);
        } else {
            self.hold(id, ask.clone(), found, plan);
        }
    }

    /// Binds pods to their nodes, and enqueues the workload again for its remaining pods.
    pub(super) fn bind(
        &mut self,
        id: WorkloadId,
        ask: &Ask,
        assignments: &[(PodId, Assignment)],
        held: bool,
        plan: &mut Decision,
    ) {
        let entitled = self.entitled(&self.ledger(), ask, self.workload(id).leaf);
        for (pod, assignment) in assignments {
            self.start(*pod, *assignment);
            let reason = BindReason { entitled, held, placement: self.policy.placement };
            let devices = DeviceSet(assignment.devices);
            plan.actions.push(Action::Bind { pod: *pod, node: assignment.node, devices, reason });
        }
        let (now, workload) = (self.now, self.workload_mut(id));
        workload.just_bound = Some((now, false));
        self.update_victim_rank(id);
        self.enqueue(id);
    }

    /// Whether the ask fits once all victims have left and all holders are placed: then the workload waits for that.
    pub(super) fn fits_later(&self, id: WorkloadId, ask: &Ask) -> bool {
        let under_way = self.holds.len() + self.leaving(For::Nobody).len();
        if under_way == 0 || under_way > self.policy.bounds.nodes as usize {
            return false;
        }
        let mut later = self.clone();
        for hold in &self.holds {
            for pod in self.leaving(For::Hold(hold.id)) {
                later.pod_mut(pod).stage = Stage::Gone;
            }
            hold.assignments.iter().for_each(|(pod, assignment)| later.start(*pod, *assignment));
        }
        for pod in self.leaving(For::Nobody) {
            later.pod_mut(pod).stage = Stage::Gone;
        }
        later.holds.clear();
        // An evicted workload counts as a job until its pods are gone (A5).
        let leaf = self.workload(id).leaf;
        self.over_jobs(&self.ledger(), ask, leaf).is_none()
            && later.over_a_limit(&later.ledger(), ask, leaf).is_none()
            && later.place(id, later.free_nodes()).is_some()
    }
}

impl Reference {
    /// Why a workload is pending now, and whether it is entitled (X1). For missing room it does not say what is
    /// missing.
    #[must_use]
    pub fn explain(&self, id: WorkloadId) -> Option<(BlockingReason, bool)> {
        let workload = self.workloads.get(&id)?;
        if let Some(hold) = workload.hold {
            let leaving = u32::try_from(self.leaving(For::Hold(hold)).len()).unwrap_or(u32::MAX);
            return Some((BlockingReason::Held { leaving }, true));
        }
        if let (true, Some(until)) = (workload.is_backing_off(), workload.backs_off) {
            return Some((BlockingReason::BackOff { failures: workload.failed_binds, until }, false));
        }
        let ask = workload.pending_ask.as_ref()?;
        let Some(leaf) = workload.leaf else {
            let refused = self.policy.unquotaed == Unquotaed::Refuse;
            let binding = if refused { BlockingReason::NoQuota } else { no_room() };
            return Some((binding, false));
        };
        let ledger = self.ledger();
        if let Some(head) = self.behind(&ledger, workload) {
            return Some((BlockingReason::Behind { head }, false));
        }
        let barred = self.barred(&ledger, ask, Some(leaf));
        Some((barred.unwrap_or_else(no_room), self.entitled(&ledger, ask, Some(leaf))))
    }
}

fn no_room() -> BlockingReason {
    BlockingReason::Room(Room::default())
}
