//! The evictions of a run: every one with its reason, and what they were good for.

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
}

/// All evictions, and who was not helped by them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evictions {
    pub(crate) all: Vec<Eviction>,
    /// Evictions for workloads that were not bound since.
    open: BTreeMap<WorkloadId, u64>,
    wasted: u64,
    /// Times that any work (a lone pod and its replacements, or a gang) was evicted.
    times: u64,
    /// How many such works were evicted at least once.
    works: u64,
    pub(crate) thrash_max: u64,
}

impl Evictions {
    /// One more.
    pub(crate) fn add(&mut self, eviction: Eviction) {
        if let Some(cause) = eviction.reason.cause {
            *self.open.entry(cause).or_default() += 1;
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

    /// A work was evicted for the `nth` time.
    pub(crate) fn again(&mut self, nth: u32) {
        self.times += 1;
        self.works += u64::from(nth == 1);
        self.thrash_max = self.thrash_max.max(u64::from(nth));
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
            *self.open.entry(by).or_default() += pods;
        }
    }

    /// A workload gave up or was withdrawn: what was evicted for it was wasted (S3).
    pub(crate) fn in_vain(&mut self, workload: WorkloadId) {
        self.wasted += self.open.remove(&workload).unwrap_or(0);
    }

    /// How many were wasted. At a true end, where nothing more can happen, those for workloads that still wait count too.
    pub(crate) fn wasted(&self, ended: bool) -> u64 {
        self.wasted + if ended { self.open.values().sum() } else { 0 }
    }

    /// Evictions of a work that was evicted, on average, thousandths.
    pub(crate) fn thrash_permille(&self) -> u64 {
        self.times.saturating_mul(1000).checked_div(self.works).unwrap_or(0)
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
            evictions.add(Eviction { at: Time(0), pod, reason, lost_ms: 0, tree: 0, inside_min: false });
        }
        evictions.placed(WorkloadId(7));
        evictions.in_vain(WorkloadId(8));
        assert_eq!((evictions.wasted(false), evictions.wasted(true)), (1, 2));
    }

    #[test]
    fn thrash_is_the_mean_over_works_that_were_evicted() {
        let mut evictions = Evictions::default();
        for nth in [1, 2, 3, 1] {
            evictions.again(nth);
        }
        assert_eq!((evictions.thrash_max, evictions.thrash_permille()), (3, 2000));
        assert_eq!(Evictions::default().thrash_permille(), 0);
    }
}
