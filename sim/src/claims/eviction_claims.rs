//! Evictions that should not happen: workloads that evict each other, directly or in a cycle, and pods evicted from
//! within a guarantee.

use super::ClaimState;
use crate::{metrics::Eviction, model::Kind, view::RunView};
use std::collections::{BTreeMap, BTreeSet};

/// The identity of work, which stays the same when its pods are evicted and recreated: the index of its controller, and
/// of the row if the controller is a trace.
type Work = (u32, u32);

/// For each work, the works that have evicted it.
pub(super) type Takers = BTreeMap<Work, BTreeSet<Work>>;

impl ClaimState<'_> {
    /// The evictions since the last check.
    fn unseen<'e>(&mut self, view: &RunView<'e>) -> &'e [Eviction] {
        let all = &view.metrics.evictions.all;
        let unseen = all.get(self.looked_at..).unwrap_or_default();
        self.looked_at = all.len();
        unseen
    }

    /// How many evictions closed a cycle: the evicted work had evicted the other before, directly or through others
    /// (S2). Each pair counts once.
    pub(super) fn cycles(&mut self, view: &RunView<'_>) -> u64 {
        for eviction in self.unseen(view) {
            let Some(cause) = eviction.reason.cause.filter(|cause| cause.0 < view.world.units.len()) else {
                continue;
            };
            let (taker, victim) = (work(view, cause.0), work(view, view.world.pods[eviction.pod].unit));
            let is_new = taker != victim && self.takers.entry(taker).or_default().insert(victim);
            self.counted += u64::from(is_new && has_evicted(&self.takers, victim, taker));
        }
        self.counted
    }

    /// How many pods were evicted from within a guarantee so far (I3).
    pub(super) fn inside_min(&mut self, view: &RunView<'_>) -> u64 {
        self.counted += self.unseen(view).iter().filter(|eviction| eviction.violates_guarantee).count() as u64;
        self.counted
    }
}

/// Whether a work has evicted another, directly or through others.
fn has_evicted(takers: &Takers, taker: Work, victim: Work) -> bool {
    let mut seen = BTreeSet::from([taker]);
    let mut open = vec![taker];
    while let Some(work) = open.pop() {
        if work == victim {
            return true;
        }
        open.extend(takers.get(&work).into_iter().flatten().filter(|next| seen.insert(**next)));
    }
    false
}

/// The work to which a core workload belongs.
fn work(view: &RunView<'_>, unit: u32) -> Work {
    let unit = &view.world.units[unit];
    match view.world.kind(unit.owner) {
        Some(Kind::Trace { .. }) => (unit.owner, unit.number),
        _ => (unit.owner, 0),
    }
}
