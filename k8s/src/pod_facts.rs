//! The relevant fields of a pod.

use crate::{Labels, affinity::NodeTerm, loss::Loss, tolerations::Toleration};
use quotree_core::{Amounts, Name};
use std::collections::BTreeSet;

/// A pod in the form of the API. Fields that the API leaves out are `None` or empty here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodFacts {
    /// `metadata.namespace`.
    pub namespace: Name,
    /// `metadata.name`.
    pub name: Name,
    /// `metadata.creationTimestamp`, milliseconds since 1970.
    pub created_ms: i64,
    /// `metadata.deletionTimestamp`, milliseconds since 1970: when its grace period ends, not when the deletion began.
    pub deleted_ms: Option<i64>,
    /// `metadata.labels`.
    pub labels: Labels,
    /// `metadata.annotations`.
    pub annotations: Labels,
    /// The kind of its controller, from `metadata.ownerReferences`.
    pub controller: Option<Name>,
    /// `spec.schedulerName`.
    pub scheduler: Option<Name>,
    /// The names of `spec.schedulingGates`.
    pub gates: Vec<Name>,
    /// `spec.nodeName`.
    pub node: Option<Name>,
    /// `status.phase`.
    pub phase: Phase,
    /// `status.startTime`, milliseconds since 1970.
    pub started_ms: Option<i64>,
    /// `spec.priority`.
    pub priority: Option<i32>,
    /// `spec.priorityClassName`, from which the API server sets the priority.
    pub priority_class: Option<Name>,
    /// Whether `spec.preemptionPolicy` is `Never`.
    pub never_preempts: bool,
    /// `spec.activeDeadlineSeconds`, as milliseconds.
    pub runtime_limit_ms: Option<u64>,
    /// `spec.containers`.
    pub containers: Vec<ContainerFacts>,
    /// `spec.initContainers`, in their order.
    pub init_containers: Vec<ContainerFacts>,
    /// `spec.resources`: the request of the pod as a whole.
    pub pod_level: Option<Sizes>,
    /// `spec.overhead`.
    pub overhead: Amounts,
    /// Whether an in-place resize was refused permanently: condition `PodResizePending` with reason `Infeasible`.
    pub resize_infeasible: bool,
    /// `spec.nodeSelector`.
    pub node_selector: Vec<(Name, Name)>,
    /// The terms of `requiredDuringSchedulingIgnoredDuringExecution` of `spec.affinity.nodeAffinity`.
    pub node_terms: Option<Vec<NodeTerm>>,
    /// `spec.tolerations`.
    pub tolerations: Vec<Toleration>,
    /// `spec.schedulingGroup.podGroupName`.
    pub scheduling_group: Option<Name>,
    /// `spec.workloadRef`.
    pub workload_ref: Option<WorkloadRef>,
    /// What it requests that the core does not model.
    pub losses: BTreeSet<Loss>,
}

/// `status.phase` of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Phase {
    /// `Pending`, or none.
    #[default]
    Pending,
    /// `Running`.
    Running,
    /// `Succeeded`.
    Succeeded,
    /// `Failed`.
    Failed,
    /// `Unknown`: its node does not answer.
    Unknown,
}

impl Phase {
    /// The phase of this name; an unknown name is [`Phase::Unknown`].
    #[must_use]
    pub fn of(name: &str) -> Self {
        match name {
            "" | "Pending" => Self::Pending,
            "Running" => Self::Running,
            "Succeeded" => Self::Succeeded,
            "Failed" => Self::Failed,
            _ => Self::Unknown,
        }
    }
}

/// A container of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContainerFacts {
    /// `resources`.
    pub sizes: Sizes,
    /// Whether it is an init container with `restartPolicy: Always`.
    pub sidecar: bool,
}

/// The sizes that a container, or a pod as a whole, states.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sizes {
    /// `resources.requests`.
    pub requests: Amounts,
    /// `resources.limits`.
    pub limits: Amounts,
    /// The sizes in its status; `None` if the status has no `resources`.
    pub actual: Option<ActualSizes>,
}

/// The sizes that the kubelet reports for a running container (in-place resize).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActualSizes {
    /// `status.containerStatuses[].allocatedResources`: what the kubelet has admitted.
    pub allocated: Amounts,
    /// `status.containerStatuses[].resources.requests`: what is in force.
    pub actuated: Amounts,
}

/// `spec.workloadRef` of Kubernetes 1.35.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadRef {
    /// The Workload.
    pub name: Name,
    /// The group of its `spec.podGroups`.
    pub group: Name,
    /// Which replica of the group.
    pub replica: Option<Name>,
}
