//! The pending workloads with the same request: those of one leaf, and all.

use super::order::PendingKey;
use crate::scheduler::{
    quota::{Demand, NOTHING},
    state::{AskId, NodeSlot, QuotaSlot},
};
use smallvec::SmallVec;
use std::collections::BTreeSet;

/// The pending workloads of one leaf with the same request, in order (O1). If the first of them cannot be placed,
/// neither can the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RequestQueue {
    pub(crate) ask: AskId,
    pub(crate) leaf: QuotaSlot,
}

/// Whether something is chosen among all workloads, or among those that are within min on their whole path.
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
    pub(super) rest: BTreeSet<PendingKey>,
    /// Its place among the leaves of its class.
    pub(super) place: usize,
    /// Whether it is tried next time, whatever its quotas admit.
    pub(super) due: bool,
    /// Whether it was tried in vain while the min of its leaf covered the request, and is covered since then (W2).
    pub(super) tried: bool,
    /// Whether its head could not be placed although every quota admits it. Then the queue is not ready before the next
    /// event or the end of a hold.
    pub(super) suspended: bool,
    pub(super) retry_on_event: bool,
    /// Whether it is ready as soon as its quotas admit it, and its class has room.
    pub(super) open: bool,
}

/// All pending workloads with one request.
#[derive(Debug, Clone, Default)]
pub(super) struct RequestClass {
    pub(super) demand: Demand,
    /// Whether it is for one pod, so that its demand is what a node must have free.
    pub(super) single: bool,
    /// The leaves in which some are pending, in no order.
    pub(super) leaves: SmallVec<[QuotaSlot; 2]>,
    /// Whether some node may have room for the request: it has not failed for lack of room, or has had hope since (W2).
    pub(super) room: bool,
    /// When it last failed for lack of room. Nothing if it has not since it was enqueued.
    pub(super) failed: Option<u64>,
}

/// Up to how many queues a class opens and closes one by one as room comes and goes. The queues of a larger class stay
/// open, and who looks for one asks the class.
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

/// A node on which something changed, and what it has free of each governed resource.
#[derive(Debug, Clone)]
pub(super) struct FreshNode {
    pub(super) node: NodeSlot,
    pub(super) free: Demand,
}
