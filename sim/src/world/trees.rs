//! The quota tree in effect, and the earlier ones, since evictions refer to the tree that was in effect when they were
//! decided.

use quotree_core::QuotaTree;

/// All trees of a run, in order.
#[derive(Debug)]
pub(crate) struct Trees {
    current: QuotaTree,
    replaced: Vec<QuotaTree>,
}

impl Trees {
    pub(crate) const fn new(current: QuotaTree) -> Self {
        Self { current, replaced: Vec::new() }
    }

    /// The tree in effect.
    pub(crate) const fn current(&self) -> &QuotaTree {
        &self.current
    }

    /// The number of the tree in effect, from 0.
    pub(crate) const fn version(&self) -> usize {
        self.replaced.len()
    }

    /// The tree of a version; the one in effect if there is no such version.
    pub(crate) fn of_version(&self, version: usize) -> &QuotaTree {
        self.replaced.get(version).unwrap_or(&self.current)
    }

    /// Puts another tree into effect, as the next version.
    pub(crate) fn replace(&mut self, tree: QuotaTree) {
        self.replaced.push(std::mem::replace(&mut self.current, tree));
    }
}
