//! The quotas whose offers must be computed again.

use crate::scheduler::state::{QuotaSlot, Table};
use std::collections::BinaryHeap;

/// A set of quotas from which the last quota is taken first. It keeps its memory, since every event fills and empties
/// it.
#[derive(Debug, Clone, Default)]
pub(super) struct Dirty {
    /// The quotas of the set, and possibly some that were already taken out.
    heap: BinaryHeap<QuotaSlot>,
    is_dirty: Table<QuotaSlot, bool>,
}

impl Dirty {
    /// A set that contains all of these quotas.
    pub(super) fn all(quotas: impl Iterator<Item = QuotaSlot>) -> Self {
        let mut all = Self::default();
        all.extend(quotas);
        all
    }

    pub(super) fn insert(&mut self, quota: QuotaSlot) {
        self.is_dirty.extend_to(quota, || false);
        if !std::mem::replace(self.is_dirty.at_mut(quota), true) {
            self.heap.push(quota);
        }
    }

    pub(super) fn remove(&mut self, quota: QuotaSlot) {
        if self.is_dirty.get(quota).is_some() {
            *self.is_dirty.at_mut(quota) = false;
        }
    }

    pub(super) fn pop_last(&mut self) -> Option<QuotaSlot> {
        loop {
            let last = self.heap.pop()?;
            if std::mem::take(self.is_dirty.at_mut(last)) {
                return Some(last);
            }
        }
    }
}

impl Extend<QuotaSlot> for Dirty {
    fn extend<I: IntoIterator<Item = QuotaSlot>>(&mut self, quotas: I) {
        quotas.into_iter().for_each(|quota| self.insert(quota));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The set returns the same quotas in the same order as a sorted set.
    #[test]
    fn quotas_come_out_once_and_the_last_first() {
        let (mut dirty, mut plain) = (Dirty::default(), BTreeSet::new());
        let mut state = 7u32;
        for _ in 0..2000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let quota = QuotaSlot(state >> 20 & 15);
            match state >> 28 {
                0..=7 => {
                    dirty.insert(quota);
                    plain.insert(quota);
                }
                8..=10 => {
                    dirty.remove(quota);
                    plain.remove(&quota);
                }
                _ => assert_eq!(dirty.pop_last(), plain.pop_last()),
            }
        }
    }
}
