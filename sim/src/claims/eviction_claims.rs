//! Evictions that should not have been: works that evict each other, directly or in a ring, and pods taken out of a guarantee.

use super::ClaimState;
use crate::{engine::Engine, metrics::Eviction, model::Kind};
use std::collections::{BTreeMap, BTreeSet};

/// A workload of the scenario, an instance or task of one; of a trace, one of its rows.
type Work = (u32, u32);

/// Whose pods were evicted for whom: victims by the work they went for.
pub(super) type Takers = BTreeMap<Work, BTreeSet<Work>>;

impl ClaimState<'_> {
    /// The evictions since the last look.
    fn unseen<'e>(&mut self, engine: &'e Engine<'_>) -> &'e [Eviction] {
        let all = &engine.figures.evictions.all;
        let unseen = all.get(self.looked_at..).unwrap_or_default();
        self.looked_at = all.len();
        unseen
    }

    /// How many times a work was evicted for one that it had evicted itself, or through others (S2); each two count once.
    pub(super) fn cycles(&mut self, engine: &Engine<'_>) -> u64 {
        for eviction in self.unseen(engine) {
            let Some(cause) = eviction.reason.cause.filter(|cause| cause.0 < engine.world.units.len()) else {
                continue;
            };
            let (taker, victim) = (work(engine, cause.0), work(engine, engine.world.pods[eviction.pod].unit));
            let is_new = taker != victim && self.takers.entry(taker).or_default().insert(victim);
            self.counted += u64::from(is_new && has_evicted(&self.takers, victim, taker));
        }
        self.counted
    }

    /// How many pods were taken out of a guarantee so far (I3).
    pub(super) fn inside_min(&mut self, engine: &Engine<'_>) -> u64 {
        self.counted += self.unseen(engine).iter().filter(|eviction| eviction.inside_min).count() as u64;
        self.counted
    }
}

/// Whether a work has evicted another, itself or through those it evicted.
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

/// The work that a unit is a turn of.
fn work(engine: &Engine<'_>, unit: u32) -> Work {
    let unit = &engine.world.units[unit];
    match engine.kind(unit.owner) {
        Some(Kind::Trace { .. }) => (unit.owner, unit.number),
        _ => (unit.owner, 0),
    }
}
