//! Sparing victims: every victim that the plan can do without is restored, the highest priority first (V2).

use super::{
    candidates::{Candidate, splits_gang},
    eligibility::PreemptionKind,
    search::PreemptionSearch,
};
use crate::{
    counters::touch,
    scheduler::{placement::place, state::PodRef},
};
use std::cmp::Reverse;

impl PreemptionSearch<'_> {
    /// Restores the victims that are not needed. Returns the terminating pods that the plan must wait for.
    pub(super) fn prune(&mut self, terminating: Vec<PodRef>) -> Vec<PodRef> {
        let mut order: Vec<usize> = (0..self.victims.len()).collect();
        order.sort_by_key(|i| self.victims.get(*i).map(|victim| (Reverse(victim.rank.priority), Reverse(*i))));
        let mut spared: Vec<usize> = Vec::new();
        for i in order {
            let Some(victim) = self.victims.get(i).cloned() else { continue };
            self.restore(&victim.pods);
            spared.push(i);
            let is_spared = !splits_gang(self.cluster, victim.slot, &self.trial)
                && (self.is_still_legal(&spared, &victim.pods) || self.is_legal_elsewhere(&spared));
            if !is_spared {
                spared.pop();
                for pod in &victim.pods {
                    self.cluster.trial_evict(&mut self.trial, *pod);
                }
            }
        }
        let mut at = 0;
        self.victims.retain(|_| {
            at += 1;
            !spared.contains(&(at - 1))
        });
        let mut needed = Vec::new();
        for pod in terminating {
            self.cluster.trial_restore(&mut self.trial, pod);
            if !self.is_still_legal(&[], &[pod]) {
                self.cluster.trial_evict(&mut self.trial, pod);
                needed.push(pod);
            }
        }
        needed
    }

    /// Whether the workload can be placed on other nodes than before, if restored victims are in its way. If so, it is
    /// moved there; otherwise it stays.
    fn is_legal_elsewhere(&mut self, spared: &[usize]) -> bool {
        let before = self.trial.bound().to_vec();
        self.cluster.trial_unbind(&mut self.trial);
        let found = place(self.cluster, self.slot);
        if let Some(pods) = &found {
            self.cluster.unplace(pods);
        }
        let found = found.filter(|_| self.is_still_legal(spared, &[]));
        let is_legal = found.is_some();
        for (pod, assignment) in found.map_or(before, |pods| pods.to_vec()) {
            self.cluster.trial_bind(&mut self.trial, pod, assignment);
        }
        is_legal
    }

    /// Whether the plan would still place its workload with these pods restored and these victims spared.
    fn is_still_legal(&self, spared: &[usize], restored: &[PodRef]) -> bool {
        let (cluster, preemptor) = (&*self.cluster, &self.preemptor);
        let (ask, leaf, quotas) = (preemptor.ask, preemptor.leaf, &cluster.quotas);
        let rows = restored.iter().filter_map(|pod| cluster.workloads.pod(*pod));
        let crowded = rows.map(|row| row.assignment.node).any(|node| cluster.nodes.at(node).is_overcommitted());
        let refused = quotas.lacks_guarantee(ask, leaf) || quotas.exceeded_max(ask, leaf).next().is_some();
        !crowded && !refused && self.growth(spared).is_empty() && self.is_in_scope(spared)
    }

    /// Whether the workload may still reclaim from all places of its victims, with these victims spared (R2a).
    pub(super) fn is_in_scope(&self, spared: &[usize]) -> bool {
        let (quotas, preemptor) = (&self.cluster.quotas, &self.preemptor);
        if preemptor.kind == PreemptionKind::Priority {
            return true;
        }
        touch(self.victims.len());
        let scope = quotas.reclaim_scope(preemptor.ask, preemptor.leaf);
        let in_scope = |victim: &Candidate| quotas.ledger.path(victim.common).any(|q| Some(q) == scope);
        (0..).zip(&self.victims).all(|(i, victim)| spared.contains(&i) || in_scope(victim))
    }
}
