//! Pods that are where no plan put them (E1).

use super::state::{Assignment, For, Reference, Stage};
use quotree_core::{EnforceMax, FoundState, PodId, Time};

impl Reference {
    pub(super) fn pod_found(&mut self, pod: PodId, assignment: Assignment, state: FoundState, since: Time) {
        let id = pod.workload;
        self.dequeue(id);
        if let Some(hold) = self.workload(id).hold {
            self.drop_hold(hold);
        }
        self.start(pod, assignment);
        self.note_found_over_max(id);
        match state {
            FoundState::Binding => {}
            FoundState::Running => self.pod_bound(pod, since),
            FoundState::Terminating => self.pod_mut(pod).stage = Stage::Leaving(For::Nobody),
        }
        self.note_stale(id);
        let workload = self.workload_mut(id);
        workload.evicted_whole = workload.below_minimum() && workload.in_place().is_empty();
        self.update_victim_rank(id);
        self.enqueue(id);
    }

    /// A quota above its max by what was found there is drained as one whose max was lowered (T4).
    pub(super) fn note_found_over_max(&mut self, id: quotree_core::WorkloadId) {
        let Some(leaf) = self.workload(id).leaf.filter(|_| self.policy.enforce_max != EnforceMax::Never) else {
            return;
        };
        let ledger = self.ledger();
        let over = |q: &usize| (0..self.tree.governed.len()).any(|r| ledger.live(*q, r) > self.tree.quotas[*q].max[r]);
        let over: Vec<usize> = self.tree.path(leaf).filter(over).collect();
        for quota in over {
            self.over_since.entry(quota).or_default();
        }
    }
}
