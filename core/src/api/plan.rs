//! What the scheduler decided, and why: the output of [`decide`](crate::Scheduler::decide). Why a workload is pending
//! is in its [`Verdict`].

use super::{
    device::DeviceSet,
    digest::StableHasher,
    ids::{NodeId, PodId, WorkloadId},
    reason::{BindReason, EvictReason, ReleaseReason},
    verdict::Verdict,
};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::hash::{Hash, Hasher};

/// What to do now, in this order, and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Plan {
    /// The number of this plan among events and plans: [`Scheduler::generation`](crate::Scheduler::generation).
    pub generation: u64,
    /// What to do, in order.
    pub actions: Vec<Action>,
    /// Every workload that was tried and not placed, with the reasons.
    pub verdicts: Vec<Verdict>,
}

impl Plan {
    /// Whether there is nothing to do (S1).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Action {
    /// Start a pod on a node. Report `PodBound` or `BindFailed`.
    Bind {
        /// The pod.
        pod: PodId,
        /// The node.
        node: NodeId,
        /// The devices of the node that it gets.
        devices: DeviceSet,
        /// Why the pod is bound, and why to this node.
        reason: BindReason,
    },
    /// Evict a running pod. Report `PodGone` when it is gone.
    Evict {
        /// The pod.
        pod: PodId,
        /// Why the pod is evicted, and for whom.
        reason: EvictReason,
    },
    /// The workload waits for its victims to leave, and the room that it needs is reserved (H1). The caller does
    /// nothing.
    Hold {
        /// The workload.
        workload: WorkloadId,
        /// The nodes where its pods will be placed, as far as is known now.
        spots: SmallVec<[(PodId, NodeId); 1]>,
        /// How many terminating pods it waits for.
        victims: u32,
    },
    /// A hold ended without its workload being bound (H2). The caller does nothing.
    Release {
        /// The workload.
        workload: WorkloadId,
        /// Why the hold ended.
        reason: ReleaseReason,
    },
}

impl Plan {
    /// A digest of the actions and verdicts: equal plans have equal digests on every machine.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut hasher = StableHasher::default();
        self.actions.hash(&mut hasher);
        self.verdicts.hash(&mut hasher);
        hasher.finish()
    }
}
