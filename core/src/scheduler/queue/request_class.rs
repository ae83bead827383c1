//! The pending workloads with the same request: by leaf, and over all leaves.

use super::{in_order::InOrder, order::PendingKey};
use crate::scheduler::{
    quota::{Demand, NOTHING},
    state::{AskId, NodeSlot, QuotaSlot},
};
use smallvec::SmallVec;

/// The pending workloads of one leaf with the same request, in order (O1). If the first of them cannot be placed,
/// neither can the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RequestQueue {
    pub(crate) ask: AskId,
    pub(crate) leaf: QuotaSlot,
}

/// Which workloads a search considers: all, or those that are within min on their whole path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contest {
    Any,
    Entitled,
}

/// What a request queue contains, and when it is tried.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    /// The first workload.
    pub(super) head: PendingKey,
    /// The others.
    pub(super) rest: InOrder,
    /// Its index among the leaves of its class.
    pub(super) place: usize,
    /// Whether it is tried next time, regardless of what its quotas admit.
    pub(super) due: bool,
    /// Whether it was tried in vain while the min of its leaf covered the request, and has been covered ever since
    /// (W2).
    pub(super) tried: bool,
    /// Whether it was found ready, but a limit bars it (L3). Then it is not ready before the next event or the end of a
    /// hold.
    pub(super) suspended: bool,
    pub(super) retry_on_event: bool,
    /// Whether it waits until the fair share of its leaf covers the request.
    pub(super) beyond_share: bool,
    /// Whether it is ready as soon as its quotas admit it, because its class may have room.
    pub(super) open: bool,
}

/// All pending workloads with one request.
#[derive(Debug, Clone, Default)]
pub(super) struct RequestClass {
    pub(super) demand: Demand,
    /// Whether it is the request of a single pod, so that a node must have all of it free.
    pub(super) single: bool,
    /// The leaves with pending workloads of this class, in no order.
    pub(super) leaves: SmallVec<[QuotaSlot; 2]>,
    /// Whether some node may have room for the request: it has not failed for lack of room, or a node that may have
    /// room has changed since (W2).
    pub(super) room: bool,
    /// When it last failed for lack of room. Nothing if it has not failed since it was enqueued.
    pub(super) failed: Option<u64>,
}

/// Up to this many queues of a class are opened and closed one by one as room comes and goes. The queues of a larger
/// class stay open, and a search tests the class instead.
pub(super) const FEW: usize = 4;

impl RequestClass {
    /// Whether the queues of this class are open.
    pub(super) fn is_open(&self) -> bool {
        self.room || self.is_large()
    }

    /// Whether its pods are preemptible.
    pub(super) fn is_preemptible(&self) -> bool {
        let resources = self.demand.len() / 2;
        self.demand.iter().skip(resources).take(resources).all(|fixed| *fixed == NOTHING)
    }

    /// Whether it has too many queues to open and close them one by one.
    pub(super) fn is_large(&self) -> bool {
        self.leaves.len() > FEW
    }
}

/// The bit of a class in [`Labels::classes`](super::entry::Labels::classes).
pub(super) fn bit(ask: AskId) -> u64 {
    1 << (ask.0 % u64::BITS)
}

/// A node on which something changed, and what it has available of each governed resource.
#[derive(Debug, Clone)]
pub(super) struct FreshNode {
    pub(super) node: NodeSlot,
    pub(super) free: Demand,
}
