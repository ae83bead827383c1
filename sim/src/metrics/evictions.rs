//! The evictions of a run: every one with its reason, and what they were good for.

use crate::world::Thrash;
use quotree_core::{EvictReason, Time, WorkloadId};
use std::collections::BTreeMap;

/// One eviction.
#[derive(Debug, Clone)]
pub(crate) struct Eviction {
    pub(crate) at: Time,
    pub(crate) pod: u32,
    pub(crate) reason: EvictReason,
    /// Work thrown away, pod-milliseconds; of a gang, all of it at its first pod.
    pub(crate) lost_ms: u128,
    /// Which of the trees so far its quota ids are of.
    pub(crate) tree: usize,
    /// Whether it was taken by another leaf from a quota within its guarantee (I3).
    pub(crate) inside_min: bool,
    /// Whether it was for a workload that gave up or was withdrawn before it was placed (S3).
    in_vain: bool,
}

impl Eviction {
    /// An eviction that is decided now, by a tree.
    pub(crate) const fn new(at: Time, pod: u32, reason: EvictReason, (tree, inside_min): (usize, bool)) -> Self {
        Self { at, pod, reason, lost_ms: 0, tree, inside_min, in_vain: false }
    }
}

/// All evictions, and who was not helped by them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evictions {
    pub(crate) all: Vec<Eviction>,
    /// Evictions for workloads that were not bound since, by place.
    open: BTreeMap<WorkloadId, Vec<usize>>,
    wasted: u64,
    /// Of all works: lone pods and their replacements, and gangs.
    pub(crate) thrash: Thrash,
}

impl Evictions {
    /// One more.
    pub(crate) fn add(&mut self, eviction: Eviction) {
        if let Some(cause) = eviction.reason.cause {
            self.open.entry(cause).or_default().push(self.all.len());
        }
        self.all.push(eviction);
    }

    /// A gang was evicted whole, as one victim: it was inside if all its members were. Of each resource the first that uses
    /// it was judged while all of the gang stood; one that uses nothing says nothing.
    pub(crate) fn went_whole(&mut self, from: usize, is_of_it: impl Fn(u32) -> bool) {
        let all = self.all.get_mut(from..).unwrap_or_default();
        let inside = all.iter().filter(|e| is_of_it(e.pod)).all(|e| e.inside_min);
        all.iter_mut().filter(|e| is_of_it(e.pod)).for_each(|e| e.inside_min = inside);
    }

    /// A workload was bound: what was evicted for it was not in vain.
    pub(crate) fn placed(&mut self, workload: WorkloadId) {
        if !self.open.is_empty() {
            self.open.remove(&workload);
        }
    }

    /// A hold gave way to another workload: what was evicted for it serves the taker (H2).
    pub(crate) fn taken_over(&mut self, from: WorkloadId, by: WorkloadId) {
        if let Some(pods) = self.open.remove(&from) {
            self.open.entry(by).or_default().extend(pods);
        }
    }

    /// A workload gave up or was withdrawn: what was evicted for it was wasted (S3).
    pub(crate) fn in_vain(&mut self, workload: WorkloadId) {
        for place in self.open.remove(&workload).unwrap_or_default() {
            self.wasted += 1;
            if let Some(eviction) = self.all.get_mut(place) {
                eviction.in_vain = true;
            }
        }
    }

    /// How many were wasted. At a true end, where nothing more can happen, those for workloads that still wait count too.
    pub(crate) fn wasted(&self, ended: bool) -> u64 {
        self.wasted + if ended { self.open.values().map(|places| places.len() as u64).sum() } else { 0 }
    }

    /// The wasted ones, in no order.
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

    #[test]
    fn thrash_is_the_mean_over_works_that_were_evicted() {
        let mut thrash = Thrash::default();
        for nth in [1, 2, 3, 1] {
            thrash.again(nth);
        }
        assert_eq!((thrash.most, thrash.permille(), Thrash::default().permille()), (3, 2000, 0));
    }
}
