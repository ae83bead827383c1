//! All total orders over pending workloads, in one place (O1). Every one of them ends in an id.

use crate::api::{Time, WorkloadId};
use std::cmp::{Ordering, Reverse};

/// A non-negative fraction, compared exactly by cross-multiplication (Q4); `n/0` is infinite.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ratio {
    pub(crate) over: i64,
    pub(crate) of: i64,
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.over == 0 && other.over == 0 {
            return Ordering::Equal;
        }
        match (self.of == 0 && self.over > 0, other.of == 0 && other.over > 0) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => {
                let left = i128::from(self.over) * i128::from(other.of.max(1));
                let kind = i128::from(other.over) * i128::from(self.of.max(1));
                left.cmp(&kind)
            }
        }
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ratio {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ratio {}

/// The place of a pending workload among those of equal entitlement: priority, submission, id (O1), after the leaf's
/// share where the policy orders by share. Smallest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) share: Ratio,
    pub(crate) priority: Reverse<i32>,
    pub(crate) submitted: Time,
    pub(crate) id: WorkloadId,
    pub(crate) slot: u32,
}
