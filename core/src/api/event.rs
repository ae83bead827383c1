//! Events: what callers report to the scheduler, and why an event may be refused.

use super::{
    finding::Finding,
    ids::{Name, NodeId, PodId, Time, WorkloadId},
    spec::{NodeSpec, PodSet, TreeSpec, WorkloadSpec},
};
use serde::{Deserialize, Serialize};

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
    /// A planned bind succeeded. If the pod is terminating by now, this changes nothing.
    PodBound {
        /// The pod.
        pod: PodId,
        /// When it started to run.
        at: Time,
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
}

impl WorkloadChange {
    /// A change without any field set.
    #[must_use]
    pub const fn of(workload: WorkloadId) -> Self {
        Self { workload, priority: None, add_pods: None, preemptible: None }
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

/// Why an event was refused. A refused event changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The node is not known.
    #[error("unknown node {0}")]
    UnknownNode(NodeId),
    /// The node is already there.
    #[error("node {0} exists already")]
    DuplicateNode(NodeId),
    /// The workload is not known.
    #[error("unknown workload {0}")]
    UnknownWorkload(WorkloadId),
    /// A workload with this id has not ended.
    #[error("workload {0} exists already")]
    DuplicateWorkload(WorkloadId),
    /// The pod is not known.
    #[error("unknown pod {0}")]
    UnknownPod(PodId),
    /// The event is impossible in the state that the pod is in, such as a bind of a pod that runs.
    #[error("pod {pod} is {state}, so `{event}` is impossible")]
    ImpossibleOrder {
        /// The pod.
        pod: PodId,
        /// The state of the pod.
        state: &'static str,
        /// The event.
        event: &'static str,
    },
    /// A workload without pods, with too many pods, or with a pod set whose `min` exceeds its `count`.
    #[error(
        "workload {workload} has {pods} pods: it must have 1 to {most}, and no pod set may have a minimum above its count"
    )]
    PodCount {
        /// The workload.
        workload: WorkloadId,
        /// How many pods it has.
        pods: u64,
        /// How many it may have.
        most: u32,
    },
    /// A negative amount.
    #[error("the amount of `{resource}` is negative: {amount} base units")]
    NegativeAmount {
        /// The resource.
        resource: Name,
        /// As given, in base units.
        amount: i64,
    },
    /// The devices of a node, or of a request, are inconsistent.
    #[error("devices of `{resource}`: {why}")]
    BadDevices {
        /// The resource.
        resource: Name,
        /// What is inconsistent.
        why: &'static str,
    },
    /// The devices of a node may not change while pods use them.
    #[error("{} pods use the devices of node {node}, so these cannot change", .pods.len())]
    DevicesInUse {
        /// The node.
        node: NodeId,
        /// The pods that have devices there.
        pods: Vec<PodId>,
    },
    /// The requests for a resource, summed over all workloads, would exceed 2^60 base units.
    #[error("the sum of all requests for `{resource}` would exceed 2^60 base units")]
    Overflow {
        /// The resource.
        resource: Name,
    },
    /// The new tree is not valid.
    #[error("the quota tree is invalid ({} findings), the first: {}", .0.len(), .0.first().map_or_else(String::new, ToString::to_string))]
    InvalidTree(Vec<Finding>),
    /// A namespace with running pods may not move (T3).
    #[error("namespace `{namespace}` has {} running pods, so it cannot move to another leaf (T3)", .pods.len())]
    NamespaceInUse {
        /// The namespace.
        namespace: Name,
        /// The pods that run in it.
        pods: Vec<PodId>,
    },
    /// More distinct values than the scheduler can number, of resources or of pod templates.
    #[error("too many {what}: at most {most}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many are allowed.
        most: usize,
    },
}
