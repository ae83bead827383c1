//! Frees the classes of labels and taints that no node has any more.
//!
//! As with requests (`state/sweep.rs`), there are no reference counts. A sweep marks the classes of the nodes that are
//! up, and frees the others. It runs when the number of classes added since the last sweep reaches the number that was
//! left then, or the number of nodes. The remaining classes are renumbered in their order, so everything that refers to
//! a class by number is renumbered or forgotten.

use super::{
    inventory::{LEAST_SWEPT, Nodes},
    shapes::Shapes,
};
use crate::scheduler::state::NodeSlot;

impl Nodes {
    /// Frees the classes without nodes, once there may be many. Takes constant time on average for each new class, and
    /// for each template that is placed on it.
    pub(super) fn give_back_classes(&mut self) {
        if self.classes.len() < self.sweep_at {
            return;
        }
        let mut in_use = vec![false; self.classes.len()];
        let up: Vec<NodeSlot> = self.by_id.values().copied().collect();
        for slot in &up {
            in_use.get_mut(self.rows.at(*slot).class as usize).into_iter().for_each(|used| *used = true);
        }
        let mut left = 0..;
        let numbers: Vec<Option<u32>> = in_use.iter().map(|used| used.then(|| left.next()).flatten()).collect();
        let mut in_use = in_use.into_iter();
        self.classes.retain(|_, _| in_use.next().unwrap_or(false));
        self.shapes = Shapes::default();
        for slot in up.iter().copied() {
            let node = self.rows.at_mut(slot);
            node.class = numbers.get(node.class as usize).copied().flatten().unwrap_or(node.class);
            self.shapes.add(self.rows.at(slot));
        }
        self.fragmentation.renumber(&numbers);
        for template in self.suitable.keys() {
            *self.suitable.at_mut(template) = Default::default();
        }
        self.sweep_at = self.classes.len() + self.classes.len().max(up.len()).max(LEAST_SWEPT);
    }
}
