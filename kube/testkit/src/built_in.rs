//! The built-in kinds of a Kubernetes API server, and the objects that exist when it starts.

use crate::kinds::{Generation, Kind};
use serde_json::{Value, json};

fn plain(group: &str, version: &str, kind: &str, plural: &str) -> Kind {
    Kind { status: false, generation: Generation::None, ..Kind::new(group, version, kind, plural) }
}

fn of_cluster(kind: Kind) -> Kind {
    Kind { namespaced: false, ..kind }
}

/// The built-in kinds. It is those that an adapter of quotree reads or writes, and the owners of pods.
pub(crate) fn kinds() -> Vec<Kind> {
    let rbac = "rbac.authorization.k8s.io";
    let without_generation = |kind| Kind { generation: Generation::None, ..kind };
    vec![
        Kind::new("", "v1", "Pod", "pods"),
        of_cluster(without_generation(Kind::new("", "v1", "Node", "nodes"))),
        of_cluster(without_generation(Kind::new("", "v1", "Namespace", "namespaces"))),
        plain("", "v1", "ConfigMap", "configmaps"),
        plain("", "v1", "Secret", "secrets"),
        plain("", "v1", "ServiceAccount", "serviceaccounts"),
        Kind { create_on_update: true, ..plain("", "v1", "Event", "events") },
        Kind { create_on_update: true, ..plain("events.k8s.io", "v1", "Event", "events") },
        of_cluster(Kind {
            generation: Generation::One,
            ..plain("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses")
        }),
        Kind::new("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"),
        Kind { needs_version: true, create_on_update: true, ..plain("coordination.k8s.io", "v1", "Lease", "leases") },
        Kind { create_on_update: true, ..plain(rbac, "v1", "Role", "roles") },
        Kind { create_on_update: true, ..plain(rbac, "v1", "RoleBinding", "rolebindings") },
        of_cluster(Kind { create_on_update: true, ..plain(rbac, "v1", "ClusterRole", "clusterroles") }),
        of_cluster(Kind { create_on_update: true, ..plain(rbac, "v1", "ClusterRoleBinding", "clusterrolebindings") }),
        Kind::new("apps", "v1", "ReplicaSet", "replicasets"),
        Kind::new("batch", "v1", "Job", "jobs"),
        of_cluster(Kind::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions")),
    ]
}

/// The objects of a new server: group, plural, object.
pub(crate) fn objects() -> Vec<(&'static str, &'static str, Value)> {
    let namespace = |name: &str| ("", "namespaces", json!({ "metadata": { "name": name } }));
    let class = |name: &str, value: i64| {
        let object = json!({ "metadata": { "name": name }, "value": value, "globalDefault": false });
        ("scheduling.k8s.io", "priorityclasses", object)
    };
    vec![
        namespace("default"),
        namespace("kube-system"),
        namespace("kube-public"),
        namespace("kube-node-lease"),
        class("system-cluster-critical", 2_000_000_000),
        class("system-node-critical", 2_000_001_000),
    ]
}
