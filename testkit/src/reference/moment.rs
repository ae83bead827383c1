//! What was bound at this moment is no victim at this moment (R2c).

use super::{
    ledger::Ledger,
    state::{Reference, Workload},
};
use quotree_core::{Time, Unquotaed, WithinQueuePreemption, WorkloadId};

impl Reference {
    /// Notes that an event came.
    pub(super) fn fact_came(&mut self) {
        self.facts = true;
        for workload in self.workloads.values_mut() {
            workload.just_bound = workload.just_bound.map(|(moment, _)| (moment, true));
        }
    }

    /// Ends the protection of what was bound earlier, if a fact came since. That there are new victims is news, too.
    pub(super) fn end_moment(&mut self) {
        let over = |w: &&Workload| w.just_bound.is_some_and(|(moment, fact)| fact && moment < self.now);
        let ids: Vec<WorkloadId> = self.workloads.values().filter(over).map(|w| w.id).collect();
        self.facts |= !ids.is_empty();
        for id in ids {
            self.workload_mut(id).just_bound = None;
            self.update_victim_rank(id);
        }
    }

    /// Asks for a decision in the next millisecond, if a pending workload might then evict what was bound in this one
    /// before a fact came.
    pub(super) fn wake_for_next_moment(&mut self) {
        let ledger = self.ledger();
        let waiting = || self.workloads.values().filter(|w| self.is_in_queue(&ledger, w));
        let mut spared = self.workloads.values().filter(|w| w.just_bound == Some((self.now, true)));
        if spared.any(|victim| waiting().any(|w| self.might_evict(&ledger, w.id, victim))) {
            self.timers.insert(self.now.after_ms(1));
        }
    }

    /// Whether a workload might evict another one, if that were not just bound.
    fn might_evict(&self, ledger: &Ledger, by: WorkloadId, victim: &Workload) -> bool {
        let Some((ask, leaf)) = self.workload(by).pending_ask.as_ref().zip(self.workload(by).leaf) else {
            return false;
        };
        if !victim.preemptible || victim.evict_failed || victim.in_place().is_empty() || victim.id == by {
            return false;
        }
        if victim.leaf == Some(leaf) {
            return ask.may_evict && self.preempts_within() && self.goes_before(self.workload(by), victim);
        }
        if !self.may_reclaim(ledger, by, ask) {
            return false;
        }
        let Some(other) = victim.leaf else { return self.policy.unquotaed == Unquotaed::Schedule };
        let common = self.tree.common(leaf, other);
        let over = |r: usize| self.branch(other, common).all(|q| ledger.live(q, r) > self.floor(q, r));
        self.requested_counted(ask).iter().any(|(r, _)| over(*r))
    }

    /// Whether R1 lets a workload displace another one of its leaf.
    pub(super) fn goes_before(&self, by: &Workload, victim: &Workload) -> bool {
        match self.policy.within {
            WithinQueuePreemption::LowerPriority => victim.priority < by.priority,
            WithinQueuePreemption::LowerOrNewerEqual => {
                victim.priority < by.priority || victim.priority == by.priority && victim.submitted > by.submitted
            }
            _ => false,
        }
    }

    /// The earliest time at which a decision can differ although no event comes, like
    /// [`Scheduler::next_wake`](quotree_core::Scheduler::next_wake).
    #[must_use]
    pub fn next_wake(&self) -> Option<Time> {
        self.timers.first().copied()
    }
}
