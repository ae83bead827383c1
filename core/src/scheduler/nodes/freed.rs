//! Nodes on which something changed in favour of pending workloads (W2), and when.

use crate::scheduler::state::{NodeSlot, Table};
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// The nodes that changed between two updates of the queue: mostly one or two.
pub(crate) type Few = SmallVec<[NodeSlot; 4]>;

/// The nodes in the order in which they last changed. The clock counts changes and failures, to show which was later.
#[derive(Debug, Clone, Default)]
pub(crate) struct FreedNodes {
    /// The nodes that changed since the queue was last updated.
    noted: Few,
    by_time: BTreeMap<u64, NodeSlot>,
    /// Per node: when it last changed; 0 if it did not.
    last: Table<NodeSlot, u64>,
    clock: u64,
}

impl FreedNodes {
    /// Notes that room came free on this node.
    pub(crate) fn note(&mut self, node: NodeSlot) {
        self.noted.push(node);
    }

    /// Moves the noted nodes into the order. Returns these nodes, by slot.
    pub(crate) fn settle(&mut self) -> Few {
        let mut freed = std::mem::take(&mut self.noted);
        freed.sort_unstable();
        freed.dedup();
        for node in &freed {
            self.clock += 1;
            self.last.extend_to(*node, || 0);
            let before = std::mem::replace(self.last.at_mut(*node), self.clock);
            // In this order, so that the map of a single node is not emptied and allocated anew.
            self.by_time.insert(self.clock, *node);
            self.by_time.remove(&before);
        }
        freed
    }

    /// The clock at a failure for lack of room: later than all changes so far.
    pub(crate) fn failure(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// The nodes that have changed since a failure, the most recently changed first.
    pub(crate) fn since(&self, failure: u64) -> impl Iterator<Item = NodeSlot> + '_ {
        self.by_time.range(failure..).rev().map(|(_, node)| *node)
    }

    /// Removes a node that is gone.
    pub(super) fn forget(&mut self, node: NodeSlot) {
        self.noted.retain(|freed| *freed != node);
        if self.last.get(node).is_some() {
            self.by_time.remove(&std::mem::take(self.last.at_mut(node)));
        }
    }

    /// How many nodes are noted, for [`forget_since`](Self::forget_since).
    pub(crate) fn mark(&self) -> usize {
        self.noted.len()
    }

    /// Forgets what was noted since the mark, because it happened only on trial.
    pub(crate) fn forget_since(&mut self, mark: usize) {
        self.noted.truncate(mark);
    }
}
