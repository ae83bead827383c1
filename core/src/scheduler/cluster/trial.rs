//! Trials: pods are evicted and bound on the real state, and the state is restored exactly (R6).

use super::groups::Cluster;
use crate::{
    api::PodState,
    scheduler::state::{Assignment, PodRef},
};
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

/// What was changed on trial, in order.
#[derive(Debug, Default)]
pub(crate) struct Trial {
    /// Whether to leave the index of nodes unchanged, because nothing reads it before the change is reversed.
    pub(crate) unindexed: bool,
    /// The victims in the order of eviction. This is a set, since the search looks up every candidate in it.
    evicted: IndexSet<PodRef, FxBuildHasher>,
    bound: SmallVec<[(PodRef, Assignment); 1]>,
}

impl Trial {
    pub(crate) fn has_evicted(&self, pod: PodRef) -> bool {
        self.evicted.contains(&pod)
    }

    pub(crate) fn has_evictions(&self) -> bool {
        !self.evicted.is_empty()
    }

    /// The pods that were bound on trial.
    pub(crate) fn bound(&self) -> &[(PodRef, Assignment)] {
        &self.bound
    }
}

impl Cluster {
    /// Takes a pod off its node and out of the ledger, as if it were gone.
    pub(crate) fn trial_evict(&mut self, trial: &mut Trial, pod: PodRef) {
        self.move_pod(pod, true, trial.unindexed);
        trial.evicted.insert(pod);
    }

    /// Restores a pod that was evicted on trial.
    pub(crate) fn trial_restore(&mut self, trial: &mut Trial, pod: PodRef) {
        if trial.evicted.shift_remove(&pod) {
            self.move_pod(pod, false, trial.unindexed);
        }
    }

    /// Places a pending pod on a node; its quota is not charged.
    pub(crate) fn trial_bind(&mut self, trial: &mut Trial, pod: PodRef, assignment: Assignment) {
        self.nodes.put(assignment, self.workloads.template(pod), pod);
        trial.bound.push((pod, assignment));
    }

    /// Takes all pods that were bound on trial off their nodes.
    pub(crate) fn trial_unbind(&mut self, trial: &mut Trial) {
        while let Some((pod, assignment)) = trial.bound.pop() {
            self.nodes.take(assignment, self.workloads.template(pod), pod);
        }
    }

    /// Reverses everything.
    pub(crate) fn undo(&mut self, mut trial: Trial) {
        self.trial_unbind(&mut trial);
        while let Some(pod) = trial.evicted.pop() {
            self.move_pod(pod, false, trial.unindexed);
        }
    }

    /// Takes off their nodes the pods that were placed there only to test whether they fit.
    pub(crate) fn unplace(&mut self, pods: &[(PodRef, Assignment)]) {
        for (pod, assignment) in pods {
            self.nodes.take(*assignment, self.workloads.template(*pod), *pod);
        }
    }

    /// Takes a pod off its node and out of the ledger, or reverses that.
    fn move_pod(&mut self, pod: PodRef, off: bool, unindexed: bool) {
        let Some(row) = self.workloads.pod(pod).copied() else { return };
        let workload = self.workloads.at(pod.workload);
        let (leaf, preemptible) = (workload.leaf, workload.preemptible);
        let template = self.workloads.template(pod);
        let governed = &template.governed;
        let ledger = &mut self.quotas.ledger;
        match (off, unindexed) {
            (true, false) => self.nodes.take(row.assignment, template, pod),
            (false, false) => self.nodes.put(row.assignment, template, pod),
            _ => self.nodes.move_unindexed(row.assignment, template, pod, off),
        }
        let sign = if off { -1 } else { 1 };
        ledger.add_usage(leaf, governed, preemptible, sign);
        if row.state == Some(PodState::Terminating) {
            ledger.add_leaving(leaf, governed, sign);
        }
    }
}
