//! Timeouts: gangs below their minimum (G3) and usage above a lowered max (T4).

use super::{
    admission::quota_id,
    decide::Decision,
    reclaim::keep_better,
    state::{For, Reference},
    victims::VictimLeaf,
};
use quotree_core::{EnforceMax, EvictReason, ReleaseReason, Rule, Time, WorkloadId};

impl Reference {
    /// Events carry no time: a period that one began is counted from the first decision after it (G3, T4).
    pub(super) fn start_clocks(&mut self) {
        let now = self.now;
        if let EnforceMax::After { ms } = self.policy.enforce_max {
            for since in self.over_since.values_mut().filter(|since| since.is_none()) {
                *since = Some(now);
                self.timers.insert(now.after_ms(ms));
            }
        }
        let Some(patience) = self.policy.stale_after_ms else { return };
        for workload in self.workloads.values_mut().filter(|w| w.stale == Some(None)) {
            workload.stale = Some(Some(now));
            self.timers.insert(now.after_ms(patience));
        }
    }

    /// Evicts gangs that ran below their minimum for too long (G3).
    pub(super) fn evict_stale_gangs(&mut self, plan: &mut Decision) {
        let Some(patience) = self.policy.stale_after_ms else { return };
        let stale: Vec<WorkloadId> = self.workloads.values().filter(|w| w.stale.is_some()).map(|w| w.id).collect();
        for id in stale {
            let workload = self.workload(id);
            let late = workload.stale.flatten().is_some_and(|since| since.after_ms(patience) <= self.now);
            if !workload.below_minimum() {
                self.workload_mut(id).stale = None;
            } else if late && !workload.evict_failed {
                let reason = EvictReason {
                    rule: Rule::G3,
                    chosen_by: Rule::G3,
                    cause: None,
                    leaf: workload.leaf.map(quota_id),
                    common: None,
                    resource: None,
                    over: 0,
                    priority: workload.priority,
                    budget_broken: false,
                };
                for ordinal in workload.in_place() {
                    self.evict(id.pod(ordinal), For::Nobody, reason.clone(), plan);
                }
                self.workload_mut(id).stale = None;
                self.requeue_rest(id, ReleaseReason::Evicted, plan);
            }
        }
    }

    /// Evicts what has been above a lowered max for too long, in victim order, the deepest quota first (T4).
    pub(super) fn enforce_max(&mut self, plan: &mut Decision) {
        let EnforceMax::After { ms } = self.policy.enforce_max else { return };
        let late = |since: &Option<Time>| since.is_some_and(|since| since.after_ms(ms) <= self.now);
        let due: Vec<usize> = self.over_since.iter().filter(|(_, since)| late(since)).map(|(q, _)| *q).collect();
        for quota in due.into_iter().rev() {
            self.over_since.remove(&quota);
            for r in 0..self.tree.governed.len() {
                self.evict_above_max(quota, r, plan);
            }
        }
    }

    fn evict_above_max(&mut self, quota: usize, r: usize, plan: &mut Decision) {
        loop {
            let ledger = self.ledger();
            let over = ledger.live(quota, r).saturating_sub(self.tree.quotas[quota].max[r]);
            let mut best = None;
            for leaf in self.tree.leaves().filter(|leaf| self.tree.is_under(*leaf, quota)) {
                let lacking = vec![self.tree.governed[r].clone()];
                let from = VictimLeaf { leaf: Some(leaf), common: quota, resources: vec![r], lacking };
                for victim in self.workloads.values() {
                    keep_better(&mut best, self.candidate(&ledger, None, &from, victim, None), &mut false);
                }
            }
            let Some(candidate) = best.filter(|_| over > 0) else { return };
            let reason = EvictReason { over, ..self.reason(&candidate, Rule::T4, None) };
            for pod in &candidate.pods {
                self.evict(*pod, For::Nobody, reason.clone(), plan);
            }
            self.requeue_rest(candidate.workload, ReleaseReason::Evicted, plan);
        }
    }
}
