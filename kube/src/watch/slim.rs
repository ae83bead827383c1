//! The fields of pods and nodes that are read, as types. A full `Pod` takes ten times the memory of these.
//!
//! Absent fields are empty. Quantities are texts, as the API server writes them; numbers are accepted, too.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A pod of which only these fields are read.
pub type SlimPod = kube::core::Object<PodSpec, PodStatus>;
/// A node of which only these fields are read.
pub type SlimNode = kube::core::Object<NodeSpec, NodeStatus>;

/// Amounts by resource.
pub type Quantities = BTreeMap<String, Quantity>;

/// A quantity as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Quantity {
    /// As text: `500m`.
    Text(String),
    /// As a number: `2`.
    Number(serde_json::Number),
}

/// States types with the fields that are read, all of which may be absent.
macro_rules! slim {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty,)* })*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        #[allow(missing_docs, reason = "the fields are those of the API")]
        pub struct $name { $(#[serde(skip_serializing_if = "is_absent")] pub $field: Option<$kind>,)* }
    )* };
}

fn is_absent<T>(field: &Option<T>) -> bool {
    field.is_none()
}

slim! {
    /// `spec` of a pod.
    PodSpec {
        node_name: String,
        scheduler_name: String,
        scheduling_gates: Vec<Named>,
        priority: i32,
        priority_class_name: String,
        preemption_policy: String,
        active_deadline_seconds: u64,
        containers: Vec<Container>,
        init_containers: Vec<Container>,
        resources: Resources,
        overhead: Quantities,
        node_selector: BTreeMap<String, String>,
        affinity: Affinity,
        tolerations: Vec<Toleration>,
        scheduling_group: SchedulingGroup,
        workload_ref: WorkloadReference,
        resource_claims: Vec<Named>,
        host_network: bool,
        topology_spread_constraints: Vec<Spread>,
        volumes: Vec<Volume>,
    }
    /// `status` of a pod.
    PodStatus {
        phase: String,
        start_time: String,
        conditions: Vec<Condition>,
        container_statuses: Vec<ContainerStatus>,
        init_container_statuses: Vec<ContainerStatus>,
        resources: Resources,
        allocated_resources: Quantities,
        resize: String,
    }
    /// Something of which only the name is read.
    Named { name: String, }
    /// A container, or an init container.
    Container { name: String, restart_policy: String, resources: Resources, ports: Vec<Port>, }
    /// A port of a container.
    Port { host_port: u32, }
    /// What is requested, and at most used.
    Resources { requests: Quantities, limits: Quantities, }
    /// What the kubelet says about a container.
    ContainerStatus { name: String, resources: Resources, allocated_resources: Quantities, }
    /// A condition of a pod or a node.
    Condition {
        r#type: String,
        status: String,
        reason: String,
    }
    /// `spec.affinity`.
    Affinity { node_affinity: NodeAffinity, pod_affinity: PodAffinity, pod_anti_affinity: PodAffinity, }
    /// On which nodes a pod may and should run.
    NodeAffinity {
        required_during_scheduling_ignored_during_execution: NodeSelector,
        preferred_during_scheduling_ignored_during_execution: Vec<Ignored>,
    }
    /// Beside which pods a pod may and should run, or not.
    PodAffinity {
        required_during_scheduling_ignored_during_execution: Vec<Ignored>,
        preferred_during_scheduling_ignored_during_execution: Vec<Ignored>,
    }
    /// Alternatives.
    NodeSelector { node_selector_terms: Vec<NodeSelectorTerm>, }
    /// Requirements of which all must hold.
    NodeSelectorTerm { match_expressions: Vec<Requirement>, match_fields: Vec<Requirement>, }
    /// A requirement of a label or field.
    Requirement { key: String, operator: String, values: Vec<String>, }
    /// A toleration.
    Toleration { key: String, operator: String, value: String, effect: String, }
    /// The PodGroup of a pod.
    SchedulingGroup { pod_group_name: String, }
    /// The Workload of a pod (1.35).
    WorkloadReference { name: String, pod_group: String, pod_group_replica_key: String, }
    /// A topology spread constraint.
    Spread { when_unsatisfiable: String, }
    /// A volume.
    Volume { persistent_volume_claim: Ignored, ephemeral: Ignored, }
    /// Something of which only the presence is read.
    Ignored {}
    /// `spec` of a node.
    NodeSpec { unschedulable: bool, taints: Vec<NodeTaint>, }
    /// A taint of a node.
    NodeTaint { key: String, value: String, effect: String, }
    /// `status` of a node.
    NodeStatus { capacity: Quantities, allocatable: Quantities, conditions: Vec<Condition>, }
}
