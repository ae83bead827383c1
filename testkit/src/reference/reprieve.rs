//! Reprieve (V2): victims that a plan does not need are put back.

use super::{
    reclaim::Search,
    victims::{Candidate, PreemptionKind},
};
use quotree_core::{PodId, WorkloadId};
use std::cmp::Reverse;

impl Search<'_> {
    /// Reprieves the victims that the plan does not need: from the highest priority down, of equal ones the last picked
    /// first; then the pods that leave anyway, in order of ids (V2).
    pub(super) fn prune(&mut self, leaving: Vec<PodId>) -> Vec<PodId> {
        let mut order: Vec<usize> = (0..self.victims.len()).collect();
        order.sort_by_key(|i| (Reverse(self.victims[*i].rank.priority), Reverse(*i)));
        let mut reprieved: Vec<usize> = Vec::new();
        for i in order {
            let candidate = self.victims[i].clone();
            candidate.pods.iter().for_each(|pod| self.put_back(*pod));
            reprieved.push(i);
            let good =
                |search: &mut Self| search.is_valid(&reprieved, &candidate.pods) || search.holds_elsewhere(&reprieved);
            if self.breaks_gang(candidate.workload) || !good(self) {
                reprieved.pop();
                candidate.pods.iter().for_each(|pod| self.remove(*pod));
            }
        }
        let victims = std::mem::take(&mut self.victims).into_iter().enumerate();
        self.victims = victims.filter(|(i, _)| !reprieved.contains(i)).map(|(_, candidate)| candidate).collect();
        self.needed_of(leaving)
    }

    /// Of the pods that leave anyway, those that the plan needs, put back in order of ids.
    pub(super) fn needed_of(&mut self, leaving: Vec<PodId>) -> Vec<PodId> {
        let mut needed = Vec::new();
        for pod in leaving {
            self.put_back(pod);
            if !self.is_valid(&[], &[pod]) {
                self.remove(pod);
                needed.push(pod);
            }
        }
        needed
    }

    /// Whether the plan holds with all members placed anew, beside the reprieved victims; if not, they stay where they
    /// were (V2).
    fn holds_elsewhere(&mut self, reprieved: &[usize]) -> bool {
        let before = std::mem::take(&mut self.placed);
        if let Some(assignments) = self.trial.place(self.by.id, self.free_nodes()) {
            self.placed = assignments;
            if self.is_valid(reprieved, &[]) {
                return true;
            }
        }
        self.placed = before;
        false
    }

    /// Whether the plan would leave a gang running below its minimum (G2).
    fn breaks_gang(&self, id: WorkloadId) -> bool {
        let rest = self.trial.workload(id);
        !rest.in_place().is_empty() && rest.below_minimum() && !self.origin.workload(id).below_minimum()
    }

    /// Whether the plan still holds with these pods back and these victims reprieved (V2).
    fn is_valid(&self, reprieved: &[usize], back: &[PodId]) -> bool {
        let free_nodes = self.free_nodes();
        let overcommitted = back
            .iter()
            .filter_map(|pod| self.trial.pod(*pod).assignment)
            .any(|assignment| free_nodes.is_overcommitted(assignment.node));
        if overcommitted
            || self.lacks_guarantee()
            || !self.exceeded_limits().is_empty()
            || !self.growth(reprieved).is_empty()
        {
            return false;
        }
        if self.by.kind == PreemptionKind::Priority {
            return true;
        }
        let ledger = self.trial.ledger();
        let reclaim_scope = self.trial.reclaim_scope(&ledger, &self.by.ask, Some(self.by.leaf));
        let within = |c: &Candidate| {
            reclaim_scope.is_some_and(|reclaim_scope| self.trial.tree.is_under(c.common, reclaim_scope))
        };
        self.victims.iter().enumerate().all(|(i, c)| reprieved.contains(&i) || within(c))
    }
}
