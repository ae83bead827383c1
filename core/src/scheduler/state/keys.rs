//! Keys: the small numbers under which the groups of state store their rows. A key is valid only in the scheduler that
//! issued it; a slot is reused after its workload or node is gone.

use crate::api::{DeviceSet, QuotaId};
use smallvec::SmallVec;

/// A key that indexes the rows of a [`Table`](super::table::Table).
pub(crate) trait Key: Copy {
    /// The key of a row number.
    fn from_index(index: u32) -> Self;
    /// The row number.
    fn index(self) -> usize;
}

macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub(crate) struct $name(pub(crate) u32);

        impl Key for $name {
            fn from_index(index: u32) -> Self {
                Self(index)
            }

            fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

keys! {
    /// A row of the ledger: a quota of the tree by its id, or the last row, which all pods without a quota share.
    QuotaSlot
    /// A workload that has not ended.
    WorkloadSlot
    /// A node.
    NodeSlot
    /// An interned pod template.
    TemplateId
    /// An interned request ([`Ask`](super::interner::Ask)).
    AskId
    /// A hold, numbered in the order in which holds were made.
    HoldId
}

impl From<QuotaId> for QuotaSlot {
    fn from(quota: QuotaId) -> Self {
        Self(quota.0)
    }
}

/// A resource, numbered in the order of first mention. The governed resources come first, in the order of the tree.
pub(crate) type ResourceId = u16;

/// A pod: its workload and its ordinal there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PodRef {
    pub(crate) workload: WorkloadSlot,
    pub(crate) ordinal: u32,
}

impl WorkloadSlot {
    /// The pod of this ordinal.
    pub(crate) const fn pod(self, ordinal: u32) -> PodRef {
        PodRef { workload: self, ordinal }
    }
}

/// The place of a pod: a node, and which of its devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Assignment {
    pub(crate) node: NodeSlot,
    pub(crate) devices: DeviceSet,
}

/// Pods with the places they get.
pub(crate) type Assignments = SmallVec<[(PodRef, Assignment); 1]>;
