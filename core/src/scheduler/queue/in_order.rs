//! The waiting workloads of one leaf, in order.
//!
//! Inside a leaf shares do not matter (O1): priority, age and id decide. Together they are a number of 16 bytes, so that
//! one comparison decides between two workloads, and a large set takes half the memory of a set of [`PendingKey`]s.

use super::order::PendingKey;
use crate::{
    api::{Time, WorkloadId},
    scheduler::state::{Ratio, WorkloadSlot},
};
use std::{cmp::Reverse, collections::BTreeMap};

/// The place of a workload in the order of its leaf: from the highest bits on, its reversed priority, its time of
/// submission and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place(u128);

/// In the unsigned numbers, what 0 is in the signed ones.
const MIDDLE: u32 = 1 << 31;

impl Place {
    fn of(key: &PendingKey) -> Self {
        let priority = !(key.priority.0.cast_unsigned() ^ MIDDLE);
        Self(u128::from(priority) << 96 | u128::from(key.submitted.0) << 32 | u128::from(key.id.0))
    }

    /// The key of the workload in this place.
    #[expect(clippy::cast_possible_truncation, reason = "takes out the parts that were put in")]
    fn key(self, slot: WorkloadSlot) -> PendingKey {
        let priority = (!((self.0 >> 96) as u32) ^ MIDDLE).cast_signed();
        PendingKey {
            share: Ratio::default(),
            priority: Reverse(priority),
            submitted: Time((self.0 >> 32) as u64),
            id: WorkloadId(self.0 as u32),
            slot,
        }
    }
}

/// A set of workloads of one leaf, in order (O1).
#[derive(Debug, Clone, Default)]
pub(super) struct InOrder(BTreeMap<Place, WorkloadSlot>);

impl InOrder {
    pub(super) fn insert(&mut self, key: PendingKey) {
        debug_assert!(key.share == Ratio::default(), "inside a leaf shares do not matter");
        self.0.insert(Place::of(&key), key.slot);
    }

    pub(super) fn remove(&mut self, key: &PendingKey) {
        self.0.remove(&Place::of(key));
    }

    pub(super) fn pop_first(&mut self) -> Option<PendingKey> {
        self.0.pop_first().map(|(place, slot)| place.key(slot))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = PendingKey> + '_ {
        self.0.iter().map(|(place, slot)| place.key(*slot))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> impl Strategy<Value = PendingKey> {
        let near = |values: Vec<i64>| proptest::sample::select(values);
        let priority = near(vec![i64::from(i32::MIN), -1, 0, 1, i64::from(i32::MAX)]);
        (priority, prop_oneof![Just(0), Just(1), Just(u64::MAX)], prop_oneof![Just(0), Just(7), Just(u32::MAX)])
            .prop_map(|(priority, submitted, id)| PendingKey {
                share: Ratio::default(),
                priority: Reverse(i32::try_from(priority).unwrap_or_default()),
                submitted: Time(submitted),
                id: WorkloadId(id),
                slot: WorkloadSlot(id),
            })
    }

    proptest! {
        #[test]
        fn workloads_leave_in_the_order_of_their_keys(keys in proptest::collection::vec(key(), 0..20)) {
            let mut set = InOrder::default();
            let mut sorted = keys.clone();
            sorted.sort_unstable();
            sorted.dedup();
            keys.into_iter().for_each(|key| set.insert(key));
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), sorted.clone());
            for key in sorted.iter().step_by(2) {
                set.remove(key);
            }
            let left = std::iter::from_fn(|| set.pop_first()).collect::<Vec<_>>();
            prop_assert_eq!(left, sorted.into_iter().skip(1).step_by(2).collect::<Vec<_>>());
        }
    }
}
