//! What plans have evicted and is still terminating, and what must be restored if an eviction fails (E2).

use crate::{
    api::{Name, NameMap, PodId, Rule, Time, WorkloadId},
    scheduler::state::QuotaSlot,
};
use std::collections::{BTreeMap, BTreeSet};

/// A pod that a plan evicted.
#[derive(Debug, Clone)]
pub(crate) struct Eviction {
    /// Whether it was still being bound.
    pub(crate) was_binding: bool,
    /// When it started, if that was reported since.
    pub(crate) started: Option<Time>,
    /// The scheduler's generation at the eviction.
    pub(super) generation: u64,
    /// The rule that allowed it.
    pub(crate) rule: Rule,
    /// For R2: the lowest common ancestor of the preemptor's and the victim's leaves, below which every quota had to be above its min,
    /// and in which governed resource. Not where the pod had no quota.
    pub(crate) contests: Option<(QuotaSlot, usize)>,
    /// The disruption budget that has one less for it.
    pub(super) from_budget: Option<Name>,
}

/// The evictions under way, and those that failed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evictions {
    under_way: BTreeMap<PodId, Eviction>,
    /// The generations at which disruption budgets were set last.
    budgets_set: NameMap<u64>,
    /// The workloads of which an eviction failed, and that are spared until something is reported about them.
    spared: BTreeSet<WorkloadId>,
}

impl Evictions {
    /// A plan evicts a pod.
    pub(super) fn add(&mut self, pod: PodId, eviction: Eviction) {
        self.under_way.insert(pod, eviction);
    }

    /// The eviction of a pod, while only that stops it.
    pub(crate) fn of(&self, pod: PodId) -> Option<&Eviction> {
        self.under_way.get(&pod)
    }

    /// All evictions that only plans stop, by pod.
    pub(crate) fn all(&self) -> impl Iterator<Item = (PodId, &Eviction)> {
        self.under_way.iter().map(|(pod, eviction)| (*pod, eviction))
    }

    /// Takes out the eviction of a pod: it is gone, somebody else stops it, or the eviction failed.
    pub(crate) fn take(&mut self, pod: PodId) -> Option<Eviction> {
        self.under_way.remove(&pod)
    }

    /// A pod that is evicted started nevertheless.
    pub(crate) fn note_start(&mut self, pod: PodId, at: Time) {
        if let Some(eviction) = self.under_way.get_mut(&pod) {
            eviction.started = Some(at);
        }
    }

    /// A disruption budget is set: evictions before that are no longer taken from it.
    pub(crate) fn note_budget(&mut self, budget: Name, generation: u64) {
        self.budgets_set.insert(budget, generation);
    }

    /// The disruption budget that gets a failed eviction back: it was taken from it, and the budget was not set since.
    pub(crate) fn owed_to(&self, eviction: &Eviction) -> Option<Name> {
        let was_set = |budget: &Name| self.budgets_set.get(budget).is_some_and(|set| *set > eviction.generation);
        eviction.from_budget.clone().filter(|budget| !was_set(budget))
    }

    pub(crate) fn spare(&mut self, workload: WorkloadId) {
        self.spared.insert(workload);
    }

    pub(crate) fn spare_no_longer(&mut self, workload: WorkloadId) {
        self.spared.remove(&workload);
    }

    /// The workloads of which an eviction failed, by id.
    pub(crate) fn spared(&self) -> Vec<WorkloadId> {
        self.spared.iter().copied().collect()
    }
}
