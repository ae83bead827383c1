//! Nodes on which room came free since the queue was last updated.

use crate::scheduler::state::NodeSlot;

#[derive(Debug, Clone, Default)]
pub(crate) struct FreedNodes(Vec<NodeSlot>);

impl FreedNodes {
    /// Room came free on this node.
    pub(crate) fn note(&mut self, node: NodeSlot) {
        self.0.push(node);
    }

    /// Takes out all of them, by slot.
    pub(crate) fn take(&mut self) -> Vec<NodeSlot> {
        let mut freed = std::mem::take(&mut self.0);
        freed.sort_unstable();
        freed.dedup();
        freed
    }

    /// The node is gone.
    pub(super) fn forget(&mut self, node: NodeSlot) {
        self.0.retain(|freed| *freed != node);
    }

    /// How many notes there are, for [`forget_since`](Self::forget_since).
    pub(crate) fn mark(&self) -> usize {
        self.0.len()
    }

    /// Forgets what was noted since the mark, because it happened only on trial.
    pub(crate) fn forget_since(&mut self, mark: usize) {
        self.0.truncate(mark);
    }
}
