//! Facts from the world, and why one may be refused.

use super::{
    finding::Finding,
    ids::{Name, NodeId, PodId, Time, WorkloadId},
    spec::{NodeSpec, PodSet, TreeSpec, WorkloadSpec},
};
use serde::{Deserialize, Serialize};

/// A fact from the world. The scheduler believes its own plans until told otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Event {
    /// A node (or a pool) joined.
    NodeUp(NodeSpec),
    /// A node was cordoned, relabelled or resized, or its devices fell ill or got well; its pods go on. What its devices
    /// are and how requests fall on them may change only while no pod has any of them.
    NodeChanged(NodeSpec),
    /// A node is gone, and its pods with it.
    NodeDown {
        /// Which.
        node: NodeId,
    },
    /// A workload was created.
    WorkloadSubmitted(WorkloadSpec),
    /// A workload that waits or runs was changed.
    WorkloadChanged(WorkloadChange),
    /// A workload is gone with all its pods, waiting or running.
    WorkloadWithdrawn {
        /// Which.
        workload: WorkloadId,
    },
    /// A planned bind came true. Of a pod that is leaving by now it changes nothing: the pod goes all the same.
    PodBound {
        /// Which.
        pod: PodId,
        /// When it started to run.
        at: Time,
    },
    /// A planned bind did not come true; the pod waits again. Of a pod that is leaving by now it changes nothing:
    /// `PodGone` says when it has left.
    BindFailed {
        /// Which.
        pod: PodId,
    },
    /// A pod ended, for whatever cause. A controller's replacement is a new pod (O3).
    PodGone {
        /// Which.
        pod: PodId,
        /// Why.
        outcome: PodOutcome,
    },
    /// Somebody else than the scheduler told a pod to go (a drain): it leaves for nobody, and no plan takes it. Of a pod
    /// that is leaving already it changes nothing. `PodGone` says when it has left.
    PodLeaving {
        /// Which.
        pod: PodId,
    },
    /// The quota tree is replaced as a whole (T4).
    TreeChanged(TreeSpec),
    /// A disruption budget was created or changed.
    BudgetChanged {
        /// Its name, as workloads give it.
        budget: Name,
        /// How many of its running pods may be evicted now.
        allowed: u32,
    },
    /// Nothing but time has passed.
    Tick,
}

/// What changed about a workload. Absent means: as before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadChange {
    /// Which.
    pub workload: WorkloadId,
    /// The new priority.
    pub priority: Option<i32>,
    /// Pods that join it, as elastic members (their `min` counts as 0).
    pub add_pods: Option<PodSet>,
    /// Whether it may now be evicted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preemptible: Option<bool>,
}

impl WorkloadChange {
    /// Nothing has changed yet.
    #[must_use]
    pub const fn of(workload: WorkloadId) -> Self {
        Self { workload, priority: None, add_pods: None, preemptible: None }
    }
}

/// How a pod ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum PodOutcome {
    /// It did its work.
    Succeeded,
    /// It failed by itself.
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
    /// A workload of this id waits or runs.
    #[error("workload {0} exists already")]
    DuplicateWorkload(WorkloadId),
    /// The pod is not known.
    #[error("unknown pod {0}")]
    UnknownPod(PodId),
    /// The event does not follow from the pod's state.
    #[error("pod {pod} is {state}, so it cannot be {event}")]
    ImpossibleOrder {
        /// Which.
        pod: PodId,
        /// What it is.
        state: &'static str,
        /// What the event says became of it.
        event: &'static str,
    },
    /// A workload without pods, or with more than can be counted.
    #[error("workload {workload} has {pods} pods; expected 1 to {most}, and the minimum of a pod set at most its pods")]
    PodCount {
        /// Which.
        workload: WorkloadId,
        /// As given.
        pods: u64,
        /// The most.
        most: u32,
    },
    /// A negative amount.
    #[error("negative amount {amount} of `{resource}`")]
    NegativeAmount {
        /// The resource.
        resource: Name,
        /// As given, in base units.
        amount: i64,
    },
    /// The devices of a node or request make no sense.
    #[error("devices of `{resource}`: {why}")]
    BadDevices {
        /// The resource.
        resource: Name,
        /// What is wrong.
        why: &'static str,
    },
    /// Devices that pods have may not become others.
    #[error("the devices of {node} are in use by {} pods, so they cannot change", .pods.len())]
    DevicesInUse {
        /// The node.
        node: NodeId,
        /// The pods that have devices there.
        pods: Vec<PodId>,
    },
    /// A sum would leave 64 bits.
    #[error("the sum of all requests for `{resource}` would exceed 2^60 base units")]
    Overflow {
        /// The resource.
        resource: Name,
    },
    /// The new tree is not valid.
    #[error("the quota tree is invalid ({} findings), first: {}", .0.len(), .0.first().map_or_else(String::new, ToString::to_string))]
    InvalidTree(Vec<Finding>),
    /// A namespace with running pods may not move (T3).
    #[error("namespace `{namespace}` has {} running pods, so it cannot move to another leaf (T3)", .pods.len())]
    NamespaceInUse {
        /// The namespace.
        namespace: Name,
        /// The pods that run in it.
        pods: Vec<PodId>,
    },
    /// Too many distinct things to number.
    #[error("too many {what}: at most {most}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// The most.
        most: usize,
    },
}
