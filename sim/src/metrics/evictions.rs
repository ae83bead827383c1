//! The evictions of a run: each with its reason, and whether the workload for which it was made was placed.

use quotree_core::{EvictReason, Time, WorkloadId};
use std::collections::BTreeMap;

/// One eviction.
#[derive(Debug, Clone)]
pub(crate) struct Eviction {
    pub(crate) at: Time,
    pub(crate) pod: u32,
    pub(crate) reason: EvictReason,
    /// The work lost by it, pod-milliseconds. For a gang, all of it is counted at its first pod.
    pub(crate) lost_ms: u128,
    /// The version of the tree to which its quota ids belong.
    pub(crate) tree: usize,
    /// Whether a workload of another leaf evicted it from a quota within its guarantee (I3).
    pub(crate) violates_guarantee: bool,
    /// Whether the workload for which it was made was withdrawn before it was bound (S3).
    in_vain: bool,
    /// Whether the API refused it, so that the pod went on.
    pub(crate) failed: bool,
}

impl Eviction {
    /// An eviction at the moment of its decision, with the tree in effect.
    pub(crate) const fn new(
        at: Time,
        pod: u32,
        reason: EvictReason,
        (tree, violates_guarantee): (usize, bool),
    ) -> Self {
        Self { at, pod, reason, lost_ms: 0, tree, violates_guarantee, in_vain: false, failed: false }
    }
}

/// All evictions, and which of them did not help.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evictions {
    pub(crate) all: Vec<Eviction>,
    /// Evictions for workloads that have not been bound since, by number of the workload.
    open: BTreeMap<WorkloadId, Vec<usize>>,
    wasted: u64,
    /// How many evictions failed, since the API refused them.
    failed: u64,
    /// How many evictions there were before the current plan.
    before_plan: usize,
}

impl Evictions {
    /// Starts another plan.
    pub(crate) fn begin_plan(&mut self) {
        self.before_plan = self.all.len();
    }

    /// Records the work that the eviction of this pod lost.
    pub(crate) fn lost_work(&mut self, pod: u32, lost_ms: u128) {
        if let Some(eviction) = self.all.iter_mut().rev().find(|eviction| eviction.pod == pod) {
            eviction.lost_ms += lost_ms;
        }
    }

    /// Records an eviction.
    pub(crate) fn add(&mut self, eviction: Eviction) {
        if let Some(cause) = eviction.reason.cause {
            self.open.entry(cause).or_default().push(self.all.len());
        }
        self.all.push(eviction);
    }

    /// Records that the current plan evicted a whole gang as one victim. Such an eviction violates the guarantee only
    /// if it does so for all members. The first member of each resource was checked while the whole gang was placed; a
    /// member that uses nothing does not count.
    pub(crate) fn went_whole(&mut self, is_of_it: impl Fn(u32) -> bool) {
        let all = self.all.get_mut(self.before_plan..).unwrap_or_default();
        let violates = all.iter().filter(|e| is_of_it(e.pod)).all(|e| e.violates_guarantee);
        all.iter_mut().filter(|e| is_of_it(e.pod)).for_each(|e| e.violates_guarantee = violates);
    }

    /// Records that a workload was bound, so that the evictions for it helped.
    pub(crate) fn placed(&mut self, workload: WorkloadId) {
        if !self.open.is_empty() {
            self.open.remove(&workload);
        }
    }

    /// Records that another workload took over a reservation: the evictions now count for that one (H2).
    pub(crate) fn taken_over(&mut self, from: WorkloadId, by: WorkloadId) {
        if let Some(pods) = self.open.remove(&from) {
            self.open.entry(by).or_default().extend(pods);
        }
    }

    /// Records that the last eviction of this pod failed: it neither helped nor was in vain (E2).
    pub(crate) fn fail(&mut self, pod: u32) {
        self.failed += 1;
        let Some(place) = self.all.iter().rposition(|eviction| eviction.pod == pod) else { return };
        self.open.values_mut().for_each(|places| places.retain(|other| *other != place));
        if let Some(eviction) = self.all.get_mut(place) {
            eviction.failed = true;
        }
    }

    /// Records that a workload was withdrawn, so that the evictions for it were wasted (S3).
    pub(crate) fn in_vain(&mut self, workload: WorkloadId) {
        for place in self.open.remove(&workload).unwrap_or_default() {
            self.wasted += 1;
            if let Some(eviction) = self.all.get_mut(place) {
                eviction.in_vain = true;
            }
        }
    }

    /// How many evictions failed.
    pub(crate) const fn failed(&self) -> u64 {
        self.failed
    }

    /// How many evictions were wasted. If nothing more can happen, those for workloads that are still pending count,
    /// too.
    pub(crate) fn wasted(&self, ended: bool) -> u64 {
        self.wasted + if ended { self.open.values().map(|places| places.len() as u64).sum() } else { 0 }
    }

    /// The wasted evictions, in no order.
    pub(crate) fn wasted_ones(&self, ended: bool) -> impl Iterator<Item = &Eviction> {
        let open = self.open.values().flatten().filter(move |_| ended).filter_map(|place| self.all.get(*place));
        self.all.iter().filter(|eviction| eviction.in_vain).chain(open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quotree_core::Rule;

    #[test]
    fn s3_evictions_are_wasted_until_their_cause_is_placed() {
        let reason = |cause| EvictReason {
            rule: Rule::R2,
            chosen_by: Rule::V1,
            cause,
            leaf: None,
            common: None,
            resource: None,
            over: 0,
            priority: 0,
            budget_broken: false,
        };
        let mut evictions = Evictions::default();
        for (pod, cause) in [(0, Some(7)), (1, Some(7)), (2, Some(8)), (3, Some(9)), (4, None)] {
            let reason = reason(cause.map(WorkloadId));
            evictions.add(Eviction::new(Time(0), pod, reason, (0, false)));
        }
        evictions.placed(WorkloadId(7));
        evictions.in_vain(WorkloadId(8));
        assert_eq!((evictions.wasted(false), evictions.wasted(true)), (1, 2));
        let ones = |ended| evictions.wasted_ones(ended).map(|eviction| eviction.pod).collect::<Vec<_>>();
        assert_eq!((ones(false), ones(true)), (vec![2], vec![2, 3]));
    }
}
