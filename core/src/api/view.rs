//! What can be read of a scheduler's state: values for reports and callers.

use super::{
    amounts::Amounts,
    device::DeviceSet,
    ids::{Name, NodeId, PodId, QuotaId, Time, WorkloadId},
};

/// The ledger of one quota, including everything below it (L1, L2). Amounts cover the governed resources (Q2), in base
/// units; amounts of 0 are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// What pods request that are bound, being bound or terminating.
    pub used: Amounts,
    /// The part of `used` that belongs to non-preemptible pods (A2).
    pub used_np: Amounts,
    /// `used`, plus what pending pods request.
    pub request: Amounts,
    /// What workloads with a hold request (H1).
    pub held: Amounts,
    /// The part of `used` that belongs to terminating pods.
    pub freeing: Amounts,
    /// `used` above min.
    pub borrowed: Amounts,
    /// Unused min that siblings use.
    pub lent: Amounts,
    /// Pods that are bound, being bound or terminating.
    pub pods: u32,
    /// Workloads that have such pods, or a hold (A5).
    pub jobs: u32,
}

/// A node as the scheduler sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeView {
    /// The node.
    pub id: NodeId,
    /// Whether it takes new pods.
    pub schedulable: bool,
    /// What it has for pods, base units.
    pub allocatable: Amounts,
    /// What its pods use, terminating ones included.
    pub used: Amounts,
    /// What holds reserve beyond what their victims still use.
    pub held: Amounts,
    /// Its pods.
    pub pods: Vec<PodId>,
    /// What is free of each device, by device resource, base units.
    pub devices_free: Vec<(Name, Vec<i64>)>,
}

/// A workload as the scheduler sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadView {
    /// The workload.
    pub id: WorkloadId,
    /// Its namespace.
    pub namespace: Name,
    /// The leaf it is charged to; none when its namespace is attached to no leaf.
    pub leaf: Option<QuotaId>,
    /// Its priority.
    pub priority: i32,
    /// When the work it belongs to was submitted: its age (O3).
    pub submitted: Time,
    /// Whether it may be evicted.
    pub preemptible: bool,
    /// Whether it has a hold (H1).
    pub held: bool,
    /// Its pods by ordinal; ended ones are absent.
    pub pods: Vec<PodView>,
}

/// A pod as the scheduler sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodView {
    /// The pod.
    pub id: PodId,
    /// Its state.
    pub state: PodState,
    /// The node it is on, if any.
    pub node: Option<NodeId>,
    /// The devices it uses.
    pub devices: DeviceSet,
}

/// The state of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PodState {
    /// It is not placed.
    Pending,
    /// A bind was planned, and its outcome is not reported yet.
    Binding,
    /// It runs.
    Running,
    /// A plan or another actor has stopped it, and it is not gone yet. It still uses its node and its quota.
    Terminating,
}
