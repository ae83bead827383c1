//! Why an event may be refused.

use super::{
    finding::Finding,
    ids::{Name, NodeId, PodId, WorkloadId},
};

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
    /// Namespaces with running pods may not move, and a quota that running pods name as theirs must stay a leaf (T3).
    #[error("{}", in_use(.namespaces, .quotas))]
    LeavesInUse {
        /// The namespaces that would move, by name, with the pods that run in each.
        namespaces: Vec<(Name, Vec<PodId>)>,
        /// The quotas that would be no leaves any more, by name, with the pods that run in each.
        quotas: Vec<(Name, Vec<PodId>)>,
    },
    /// The node has no such device.
    #[error("node {node} has no device {device}")]
    UnknownDevice {
        /// The node.
        node: NodeId,
        /// The index of the device.
        device: u32,
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

/// The sentence of [`EventError::LeavesInUse`].
fn in_use(namespaces: &[(Name, Vec<PodId>)], quotas: &[(Name, Vec<PodId>)]) -> String {
    let list = |all: &[(Name, Vec<PodId>)]| -> String {
        let each = all.iter().map(|(name, pods)| format!("`{name}` ({} running)", pods.len()));
        each.collect::<Vec<_>>().join(", ")
    };
    let moved = (!namespaces.is_empty())
        .then(|| format!("namespaces with running pods cannot move to another leaf (T3): {}", list(namespaces)));
    let named = (!quotas.is_empty()).then(|| {
        format!("quotas that running pods name as theirs must stay leaves of the tree (T3): {}", list(quotas))
    });
    moved.into_iter().chain(named).collect::<Vec<_>>().join("; ")
}
