//! Nodes, namespaces and disruption budgets as the API shows them, as facts.

use super::{
    SeenNode,
    read::{Unreadable, Wrong, amounts, labels, selector, text},
    slim::{NodeStatus, SlimNode},
};
use k8s_openapi::api::{core::v1::Namespace, policy::v1::PodDisruptionBudget};
use kube::ResourceExt;
use quotree_k8s::{NamespaceFacts, NodeFacts, Taint, budget::PdbFacts};

/// The facts of a node.
///
/// # Errors
/// The first amount that is no quantity.
pub fn node(object: &SlimNode) -> Result<SeenNode, Unreadable> {
    let read = || -> Result<SeenNode, Wrong> {
        let absent = NodeStatus::default();
        let (spec, status) = (&object.spec, object.status.as_ref().unwrap_or(&absent));
        let ready = status.conditions.iter().flatten().find(|condition| condition.r#type.as_deref() == Some("Ready"));
        let taints = spec.taints.iter().flatten().map(|taint| Taint {
            key: text(taint.key.as_ref()),
            value: text(taint.value.as_ref()),
            effect: text(taint.effect.as_ref()),
        });
        let facts = NodeFacts {
            name: text(object.metadata.name.as_ref()),
            labels: labels(object.metadata.labels.as_ref()),
            capacity: amounts("status.capacity", status.capacity.as_ref())?,
            allocatable: amounts("status.allocatable", status.allocatable.as_ref())?,
            taints: taints.collect(),
            unschedulable: spec.unschedulable == Some(true),
            ready: ready.map(|ready| ready.status.as_deref() == Some("True")),
        };
        let created_ms = super::read::time(object.metadata.creation_timestamp.as_ref()).unwrap_or(0);
        Ok(SeenNode { created_ms, facts })
    };
    read().map_err(|wrong| wrong.of("Node", &object.metadata))
}

/// The facts of a namespace.
#[must_use]
pub fn namespace(object: &Namespace) -> NamespaceFacts {
    NamespaceFacts { name: object.name_any().into(), labels: labels(object.metadata.labels.as_ref()) }
}

/// The facts of a disruption budget.
///
/// # Errors
/// If its selector has an unknown operator.
pub fn budget(object: &PodDisruptionBudget) -> Result<PdbFacts, Unreadable> {
    let selected = object.spec.as_ref().and_then(|spec| spec.selector.as_ref());
    let selected = selected.map(|given| selector("spec.selector", given)).transpose();
    let status = object.status.as_ref().filter(|status| {
        // A status of an older spec says nothing about this one.
        status.observed_generation.unwrap_or(0) >= object.metadata.generation.unwrap_or(0)
    });
    let allowed = status.map(|status| u32::try_from(status.disruptions_allowed).unwrap_or(0));
    let facts = |selector| PdbFacts {
        namespace: text(object.metadata.namespace.as_ref()),
        name: text(object.metadata.name.as_ref()),
        selector,
        allowed,
    };
    selected.map(facts).map_err(|wrong| wrong.of("PodDisruptionBudget", &object.metadata))
}
