//! What can be read of a scheduler's state: values for reports and callers.

use super::{
    amounts::Amounts,
    device::DeviceSet,
    ids::{Name, NodeId, PodId, QuotaId, Time, WorkloadId},
};

/// The ledger of one quota (L1, L2). Amounts cover the governed resources (Q2); those that are 0 are absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the terms of rules L1 and L2")]
pub struct Usage {
    pub used: Amounts,
    pub used_np: Amounts,
    pub request: Amounts,
    pub held: Amounts,
    pub freeing: Amounts,
    pub borrowed: Amounts,
    pub lent: Amounts,
    /// Pods bound, being bound or leaving.
    pub pods: u32,
    /// Workloads that have such pods or a hold (A5).
    pub jobs: u32,
}

/// A node as the scheduler sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeView {
    /// Which.
    pub id: NodeId,
    /// Whether new pods may come.
    pub schedulable: bool,
    /// What it has.
    pub allocatable: Amounts,
    /// What its pods use, leaving ones included.
    pub used: Amounts,
    /// What is kept for holds beyond what is still in use by their victims.
    pub held: Amounts,
    /// Its pods.
    pub pods: Vec<PodId>,
    /// What is free of each device, by device resource.
    pub devices_free: Vec<(Name, Vec<i64>)>,
}

/// A workload as the scheduler sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadView {
    /// Which.
    pub id: WorkloadId,
    /// Its namespace.
    pub namespace: Name,
    /// The leaf it uses; none when the namespace is on no leaf.
    pub leaf: Option<QuotaId>,
    /// Its priority.
    pub priority: i32,
    /// When it was submitted.
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
    /// Which.
    pub id: PodId,
    /// What it is doing.
    pub state: PodState,
    /// Where it is, if anywhere.
    pub node: Option<NodeId>,
    /// On which devices.
    pub devices: DeviceSet,
}

/// What a pod is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PodState {
    /// It waits.
    Waiting,
    /// A bind was planned and not yet reported.
    Binding,
    /// It runs.
    Running,
    /// An eviction was planned and the pod is not yet gone.
    Leaving,
}
