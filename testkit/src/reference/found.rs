//! Pods that are where no plan put them (E1).

use super::state::{Assignment, For, Reference, Stage};
use quotree_core::{EnforceMax, FoundState, PodId, Time, WorkloadId};

impl Reference {
    pub(super) fn pod_found(&mut self, pod: PodId, assignment: Assignment, state: FoundState, since: Time) {
        let id = pod.workload;
        self.dequeue(id);
        if let Some(hold) = self.workload(id).hold {
            self.drop_hold(hold);
        }
        self.workload_mut(id).backs_off = None;
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
        self.note_domain(id);
    }

    /// A pod that has a node is on another one (E3).
    pub(super) fn pod_moves(&mut self, pod: PodId, to: Assignment) {
        let before = self.pod(pod).clone();
        if before.assignment == Some(to) {
            return;
        }
        self.note_freed(before.assignment.map(|assignment| assignment.node));
        self.pod_mut(pod).assignment = Some(to);
        if let Stage::Leaving(For::Hold(hold)) = before.stage
            && let Some(hold) = self.holds.iter().find(|h| h.id == hold).cloned()
        {
            self.free_reserved(&hold);
        }
        self.note_domain(pod.workload);
    }

    /// A pod elsewhere can open another domain to the pods that must share it (P1).
    fn note_domain(&mut self, id: WorkloadId) {
        let workload = self.workload(id);
        let Some((level, first)) = workload.together.zip(workload.in_place().first().copied()) else { return };
        let node = self.pod(id.pod(first)).assignment.map(|assignment| assignment.node);
        let Some(domain) = node.and_then(|node| self.nodes[&node].domain(level)) else { return };
        let members: Vec<_> = self.nodes.values().filter(|node| node.is_in(&domain)).map(|node| node.id).collect();
        self.note_freed(members);
    }

    /// A quota above its max by what was found there is drained as one whose max was lowered (T4).
    pub(super) fn note_found_over_max(&mut self, id: WorkloadId) {
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
