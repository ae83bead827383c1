//! Rows of a trace: each a gang of equal pods that runs for the time the trace says, from the moment all of it runs.
//! A row that is evicted or lost is submitted again, with all its work before it.

use super::submit::Order;
use crate::{driver::Engine, model::Kind, options::RunError};
use quotree_core::PodSet;
use smallvec::smallvec;
use std::sync::Arc;

impl Engine<'_> {
    /// A row is submitted, for the `turn`-th time after the first.
    pub(crate) fn submit_row(&mut self, owner: u32, row: u32, turn: u32, evictions: u32) -> Result<(), RunError> {
        let Some(Kind::Trace { rows }) = self.scenario.workloads.get(owner as usize).map(|w| &w.kind) else {
            return Ok(());
        };
        let place = self.world.row_places.get(&owner).and_then(|p| p.get(row as usize)).copied();
        let (Some(traced), Some(place)) = (rows.get(row as usize), place) else {
            return Ok(());
        };
        if self.world.owners[owner].closed || traced.pods == 0 || (turn == 0 && !self.lets_in(owner, Some(row))) {
            return Ok(());
        }
        let set = PodSet { template: Arc::clone(&traced.template), count: traced.pods, min: traced.pods };
        if turn == 0 {
            let party = self.party_of(owner, row, place.namespace);
            self.world.parties.all[party].outcomes.submitted += 1;
        }
        let order = Order {
            owner,
            namespace: place.namespace,
            priority: traced.priority,
            number: row,
            turn,
            left_ms: traced.runtime_ms,
            ran_ms: 0,
            evictions,
            sets: smallvec![(set, place.shape)],
        };
        self.submit(order).map(drop)
    }
}
