//! The workloads that could be evicted, by leaf and in victim order (V1).

use crate::scheduler::{
    queue::VictimKey,
    state::{Marks, QuotaSlot, Table, WorkloadSlot},
};
use std::collections::BTreeSet;

#[derive(Debug, Clone)]
pub(crate) struct VictimIndex {
    by_leaf: Table<QuotaSlot, BTreeSet<VictimKey>>,
    keys: Table<WorkloadSlot, Option<VictimKey>>,
    len: usize,
    /// The leaves whose first possible victim has changed.
    changed: Marks,
}

impl VictimIndex {
    pub(super) fn new(quotas: usize) -> Self {
        Self {
            by_leaf: (0..quotas).map(|_| BTreeSet::new()).collect(),
            keys: Table::default(),
            len: 0,
            changed: Marks::new(quotas),
        }
    }

    /// The possible victims of a leaf, in victim order (V1).
    pub(crate) fn of(&self, leaf: QuotaSlot) -> &BTreeSet<VictimKey> {
        self.by_leaf.at(leaf)
    }

    /// How many workloads there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Takes out a leaf whose first possible victim has changed.
    pub(super) fn pop_changed(&mut self) -> Option<QuotaSlot> {
        self.changed.pop()
    }

    /// Whether a workload is in the index.
    pub(crate) fn contains(&self, slot: WorkloadSlot) -> bool {
        self.keys.get(slot).is_some_and(Option::is_some)
    }

    /// Sets or clears the entry of a workload in the index. Returns whether that changes anything.
    pub(super) fn set(&mut self, slot: WorkloadSlot, leaf: QuotaSlot, key: Option<VictimKey>) -> bool {
        self.keys.extend_to(slot, || None);
        let before = std::mem::replace(self.keys.at_mut(slot), key);
        if before == key {
            return false;
        }
        let index = self.by_leaf.at_mut(leaf);
        let first = index.first().copied();
        if let Some(before) = before {
            index.remove(&before);
            self.len -= 1;
        }
        if let Some(key) = key {
            index.insert(key);
            self.len += 1;
        }
        if index.first().copied() != first {
            self.changed.mark(leaf);
        }
        true
    }
}
