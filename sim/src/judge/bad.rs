//! Evictions that should not have been: works that evict each other, and pods taken out of a guarantee.

use super::Judged;
use crate::{driver::Engine, metrics::Eviction, model::Kind};
use std::collections::BTreeSet;

/// A workload of the scenario; of a trace, one of its rows.
type Work = (u32, u32);

/// Whose pods were evicted for whom.
pub(super) type Pairs = BTreeSet<(Work, Work)>;

impl Judged<'_> {
    /// The evictions since the last look.
    fn unseen<'e>(&mut self, engine: &'e Engine<'_>) -> &'e [Eviction] {
        let all = &engine.figures.evictions.all;
        let unseen = all.get(self.looked_at..).unwrap_or_default();
        self.looked_at = all.len();
        unseen
    }

    /// How many pairs of works have evicted each other so far (S2).
    pub(super) fn mutual(&mut self, engine: &Engine<'_>) -> u64 {
        for eviction in self.unseen(engine) {
            let Some(cause) = eviction.reason.cause.filter(|cause| cause.0 < engine.world.units.len()) else {
                continue;
            };
            let pair = (work(engine, engine.world.pods[eviction.pod].unit), work(engine, cause.0));
            if pair.0 != pair.1 && self.pairs.insert(pair) && self.pairs.contains(&(pair.1, pair.0)) {
                self.counted += 1;
            }
        }
        self.counted
    }

    /// How many pods were taken out of a guarantee so far (I3).
    pub(super) fn inside_min(&mut self, engine: &Engine<'_>) -> u64 {
        self.counted += self.unseen(engine).iter().filter(|eviction| eviction.inside_min).count() as u64;
        self.counted
    }
}

/// The work that a unit is a turn of.
fn work(engine: &Engine<'_>, unit: u32) -> Work {
    let unit = &engine.world.units[unit];
    match engine.scenario.workloads.get(unit.owner as usize).map(|w| &w.kind) {
        Some(Kind::Trace { .. }) => (unit.owner, unit.number),
        _ => (unit.owner, 0),
    }
}
