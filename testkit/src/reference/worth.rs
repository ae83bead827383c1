//! Whether a search for victims may find some (W2).

use super::{
    ledger::Ledger,
    state::{Ask, Pod, Reference, Stage, Workload},
};
use quotree_core::{NodeId, NodeSpec, Preemption, Reclaim, Unquotaed};
use std::{collections::BTreeSet, sync::Arc};

impl Reference {
    /// Whether a search for victims may find some for an ask that is within min (W2): something is under way, or
    /// somebody borrows, and of each resource that it requests the nodes have as much free in all, or a borrower uses it.
    pub(super) fn is_worth_a_search(&self, ledger: &Ledger, ask: &Ask) -> bool {
        let reclaims = matches!(self.policy.preemption, Preemption::Auto | Preemption::ReclaimOnly)
            && self.policy.reclaim != Reclaim::Off;
        let leaves = self.placed_pods().any(|(.., pod)| matches!(pod.stage, Stage::Leaving(_)));
        if !reclaims || self.policy.reclaim == Reclaim::FairShare || leaves || !self.holds.is_empty() {
            return reclaims;
        }
        let borrowers = self.borrowers(ledger);
        let is_there = |r: usize, amount: i64| {
            let is_used = |leaf: &Option<usize>| ledger.live(self.row_of_leaf(*leaf), r) > 0;
            borrowers.iter().any(is_used) || self.spare(r) >= amount
        };
        !borrowers.is_empty() && self.requested(ask).into_iter().all(|(r, amount)| is_there(r, amount))
    }

    /// The leaves with a possible victim that are above min in some counted resource, and those without a quota.
    fn borrowers(&self, ledger: &Ledger) -> BTreeSet<Option<usize>> {
        let is_one = |leaf: &Option<usize>| match leaf {
            None => self.policy.unquotaed == Unquotaed::Schedule,
            Some(q) => {
                let above = |r: usize| self.tree.counted[r] && ledger.live(*q, r) > self.tree.quotas[*q].min[r];
                (0..self.tree.governed.len()).any(above)
            }
        };
        let leaves = self.workloads.values().filter(|w| w.victim_rank.is_some()).map(|w| w.leaf);
        leaves.filter(is_one).collect()
    }

    /// What all nodes have free of a resource, reserved or not.
    fn spare(&self, r: usize) -> i64 {
        let name = &self.tree.governed[r];
        let free = |(id, spec): (&NodeId, &Arc<NodeSpec>)| {
            let here = |pod: &Pod| pod.assignment.is_some_and(|assignment| assignment.node == *id);
            let uses = |w: &Workload, pod: &Pod| w.sets[pod.set].template.request.get(name.as_str()).unwrap_or(0);
            let used: i64 = self.placed_pods().filter(|(.., pod)| here(pod)).map(|(_, w, pod)| uses(w, pod)).sum();
            (spec.allocatable.get(name.as_str()).unwrap_or(0) - used).max(0)
        };
        self.nodes.iter().map(free).sum()
    }
}
