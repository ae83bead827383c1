//! What nodes lack by no decision of the scheduler: they were made smaller under their pods, or pods were found on them
//! for which they have no room (E1). The audit excuses that, and no more (I8).

use super::{inventory::Nodes, shortfall::Shortfall};
use crate::scheduler::state::NodeSlot;

impl Nodes {
    /// Excuses a node for what it lacks as it is now.
    pub(crate) fn excuse(&mut self, slot: NodeSlot) {
        let shortfall = Shortfall::of(self.rows.at(slot));
        if !shortfall.is_none() {
            self.excused.insert(slot, shortfall);
        }
    }

    /// Whether a node lacks nothing, or no more than it is excused for (I8).
    pub(crate) fn is_excused(&self, slot: NodeSlot) -> bool {
        let lacks = Shortfall::of(self.rows.at(slot));
        lacks.is_none() || self.excused.get(&slot).is_some_and(|excused| lacks.is_within(excused))
    }

    /// Nodes are excused for no more than they still lack, and those that lack nothing not at all.
    pub(crate) fn forget_drained(&mut self) {
        let rows = &self.rows;
        self.excused.retain(|slot, excused| {
            excused.lower_to(&Shortfall::of(rows.at(*slot)));
            !excused.is_none()
        });
    }

    /// Excuses the nodes that were excused in an earlier state, for what they still lack.
    pub(crate) fn excuse_as(&mut self, before: &Self) {
        let excused: Vec<NodeSlot> = before.excused.keys().filter_map(|slot| self.slot(before.at(*slot).id)).collect();
        excused.into_iter().for_each(|slot| self.excuse(slot));
    }

    #[cfg(test)]
    pub(crate) fn excused(&self) -> usize {
        self.excused.len()
    }
}
