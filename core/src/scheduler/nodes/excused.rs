//! Nodes that lack room for their pods by no decision of the scheduler: they were made smaller, or pods were found on
//! them that do not fit (E1). The audit tolerates this lack, and no more (I8).

use super::{inventory::Nodes, shortfall::Shortfall};
use crate::scheduler::state::NodeSlot;

impl Nodes {
    /// Makes the audit tolerate the present lack of a node (I8).
    pub(crate) fn excuse(&mut self, slot: NodeSlot) {
        let shortfall = Shortfall::of(self.rows.at(slot));
        if !shortfall.is_none() {
            self.excused.insert(slot, shortfall);
        }
    }

    /// Whether a node lacks nothing, or no more than the audit tolerates (I8).
    pub(crate) fn is_excused(&self, slot: NodeSlot) -> bool {
        let lacks = Shortfall::of(self.rows.at(slot));
        lacks.is_none() || self.excused.get(&slot).is_some_and(|excused| lacks.is_within(excused))
    }

    /// Lowers the tolerated lack of each node to its present lack, and removes nodes that lack nothing.
    pub(crate) fn forget_drained(&mut self) {
        let rows = &self.rows;
        self.excused.retain(|slot, excused| {
            excused.lower_to(&Shortfall::of(rows.at(*slot)));
            !excused.is_none()
        });
    }

    /// Copies from an earlier state which nodes may lack room, with their present lack.
    pub(crate) fn excuse_as(&mut self, before: &Self) {
        let excused: Vec<NodeSlot> = before.excused.keys().filter_map(|slot| self.slot(before.at(*slot).id)).collect();
        excused.into_iter().for_each(|slot| self.excuse(slot));
    }

    #[cfg(test)]
    pub(crate) fn excused(&self) -> usize {
        self.excused.len()
    }
}
