//! Events: what callers report to the scheduler.

use super::{
    device::DeviceSet,
    ids::{Name, NodeId, PodId, Time, WorkloadId},
    spec::{NodeSpec, PodSet, PodTemplate, TreeSpec, WorkloadSpec},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Something that happened in the cluster. The scheduler assumes that its plans are carried out until an event says
/// otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Event {
    /// A node (or a pool) joined.
    NodeUp(NodeSpec),
    /// A node was cordoned, relabelled or resized, or the health of its devices changed; its pods keep running. The
    /// number, size and mode of its devices may change only while no pod uses any of them.
    NodeChanged(NodeSpec),
    /// A node is gone, and its pods with it.
    NodeDown {
        /// The node.
        node: NodeId,
    },
    /// A workload was created.
    WorkloadSubmitted(WorkloadSpec),
    /// A pending or running workload was changed.
    WorkloadChanged(WorkloadChange),
    /// A workload was deleted with all its pods, pending and running.
    WorkloadWithdrawn {
        /// The workload.
        workload: WorkloadId,
    },
    /// A planned bind succeeded. If the pod is terminating by now, it stays so.
    PodBound {
        /// The pod.
        pod: PodId,
        /// When it started to run.
        at: Time,
        /// Where it is, if that is not where the plan put it (E3).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        elsewhere: Option<BoundAt>,
    },
    /// A planned bind failed, so the pod is pending again. If the pod is terminating by now, this changes nothing, and
    /// `PodGone` must follow.
    BindFailed {
        /// The pod.
        pod: PodId,
    },
    /// A pod ended, for whatever reason. A replacement that a controller creates is a new pod (O3).
    PodGone {
        /// The pod.
        pod: PodId,
        /// How it ended.
        outcome: PodOutcome,
    },
    /// Somebody other than the scheduler evicts a pod, as a drain does. The pod is terminating from here on, and no
    /// plan evicts it again. If it is terminating already, this changes nothing. `PodGone` must follow.
    PodLeaving {
        /// The pod.
        pod: PodId,
    },
    /// The quota tree is replaced as a whole (T4).
    TreeChanged(TreeSpec),
    /// A disruption budget was created or changed.
    BudgetChanged {
        /// Its name, as workloads give it.
        budget: Name,
        /// How many more of its pods may be evicted.
        allowed: u32,
    },
    /// Only time has passed: the scheduler looks at its timeouts again.
    Tick,
    /// A pending pod was found on a node although no plan bound it there: the scheduler was restarted, or another actor
    /// bound the pod (E1). The scheduler charges it as it is, even above a max or above what the node has, and never
    /// refuses it for that. If its workload has a hold, the hold ends. From here on the pod is treated as if a plan had
    /// bound it: `PodBound`, `BindFailed`, `PodLeaving` and `PodGone` follow as for any other pod.
    PodFound {
        /// The pod. Its workload must have been submitted.
        pod: PodId,
        /// The node that it is on.
        node: NodeId,
        /// The devices that it uses there. If the set is empty, only the sum of the devices is charged.
        #[serde(default)]
        devices: DeviceSet,
        /// The state in which it was found.
        state: FoundState,
        /// When it started to run. Not used for a pod that is being bound.
        #[serde(default)]
        since: Time,
    },
    /// An eviction that a plan asked for could not be done, so the pod goes on as if it had never been asked for (E2).
    /// The hold that waited for it ends, and its workload is tried again. The pod's workload is no victim until the next
    /// event about it, a pod of it or its disruption budget. If somebody else stops the pod by now (`PodLeaving`), this
    /// changes nothing.
    EvictFailed {
        /// The pod.
        pod: PodId,
    },
    /// An eviction that a plan asked for was not asked for: the caller took it back, such as one that does not stand any
    /// more ([`Scheduler::eviction_stands`](crate::Scheduler::eviction_stands)). The pod goes on as after `EvictFailed`,
    /// and its workload may be a victim again at once (E2).
    EvictWithdrawn {
        /// The pod.
        pod: PodId,
    },
    /// What a pod requests, or which nodes take it, has changed: it was resized in place, its node selector was narrowed,
    /// a taint appeared that it tolerates (E5). A pending pod waits with what it requests now; a hold that is for it
    /// ends. A pod that has a node stays there with its devices, and is charged for what it requests now, even above a
    /// max or above what the node has.
    PodChanged {
        /// The pod.
        pod: PodId,
        /// What it requests from now on.
        template: Arc<PodTemplate>,
    },
}

impl Event {
    /// A pod was bound where the plan put it, and started to run at this time.
    #[must_use]
    pub const fn bound(pod: PodId, at: Time) -> Self {
        Self::PodBound { pod, at, elsewhere: None }
    }
}

/// Where a pod was bound (E3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BoundAt {
    /// The node that it is on.
    pub node: NodeId,
    /// The devices that it uses there. Without any, only the sum of the devices counts.
    #[serde(default)]
    pub devices: DeviceSet,
}

/// The state of a pod that is found on a node (E1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FoundState {
    /// It has a node, and is not known to run there yet.
    Binding,
    /// It runs.
    Running,
    /// It is being stopped, and is not gone yet.
    Terminating,
}

/// What changed about a workload. Absent fields stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadChange {
    /// The workload.
    pub workload: WorkloadId,
    /// The new priority.
    pub priority: Option<i32>,
    /// Pods that join it. Their `min` counts as 0: the minimum of the workload stays as it is.
    pub add_pods: Option<PodSet>,
    /// Whether its pods may be evicted from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preemptible: Option<bool>,
    /// The disruption budget that limits its evictions from now on (R7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<NewBudget>,
    /// How many of its pods must run together from now on (G1), `add_pods` included. Of several pod sets, those pods
    /// count first that run or are being bound, then the others in the order of the sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
}

/// The disruption budget of a workload (R7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NewBudget {
    /// It has none.
    None,
    /// The budget of this name.
    Named(Name),
}

impl NewBudget {
    /// The name of the budget, if there is one.
    #[must_use]
    pub fn name(self) -> Option<Name> {
        match self {
            Self::None => None,
            Self::Named(name) => Some(name),
        }
    }
}

impl WorkloadChange {
    /// A change without any field set.
    #[must_use]
    pub const fn of(workload: WorkloadId) -> Self {
        Self { workload, priority: None, add_pods: None, preemptible: None, budget: None, min: None }
    }
}

/// How a pod ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum PodOutcome {
    /// It completed its work.
    Succeeded,
    /// It failed.
    Failed,
    /// It left because the scheduler evicted it.
    Evicted,
    /// It was deleted by its owner.
    Deleted,
    /// Its node or device was lost.
    Lost,
}
