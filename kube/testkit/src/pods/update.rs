//! What of a pod can be changed: images, tolerations added, gates removed, and while there are gates also a narrower
//! choice of nodes. The subresource `resize` changes the resources of its containers.

use crate::{amounts, kinds::Kind, refusal::Refusal, store::Store, value};
use serde_json::Value;

/// Checks a new state of a pod.
pub(crate) fn check_update(
    store: &Store,
    kind: &Kind,
    old: &Value,
    subresource: &str,
    new: &mut Value,
) -> Result<(), Refusal> {
    if subresource == "status" {
        return Ok(());
    }
    let name = value::name(old);
    if subresource == "resize" {
        check_resize(store, old, new)?;
    }
    let refused = |field: &str, why: &str| Err(kind.invalid(name, field, &format!("Forbidden: {why}")));
    let before = value::items(old, &["spec", "schedulingGates"]);
    if let Some(added) = value::items(new, &["spec", "schedulingGates"]).iter().find(|gate| !before.contains(gate)) {
        let gate = value::text(added, &["name"]);
        return refused(
            "spec.schedulingGates",
            &format!("only deletion is allowed, but found new scheduling gate '{gate}'"),
        );
    }
    let tolerations = value::items(new, &["spec", "tolerations"]);
    if value::items(old, &["spec", "tolerations"]).iter().any(|toleration| !tolerations.contains(toleration)) {
        return refused("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds");
    }
    let gated = !before.is_empty();
    if gated {
        if !narrows(value::at(old, &["spec", "nodeSelector"]), value::at(new, &["spec", "nodeSelector"])) {
            let why = "additions only are allowed to spec.nodeSelector";
            return Err(kind.invalid(name, "spec.nodeSelector", &format!("Invalid value: {why}")));
        }
        let affinity = ["spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"];
        if !narrows_terms(value::at(old, &affinity), value::at(new, &affinity)) {
            let why = "Invalid value: no additions/deletions to non-empty NodeSelectorTerms list are allowed";
            return Err(kind.invalid(name, "spec.affinity.nodeAffinity", why));
        }
    }
    if open(old, subresource, gated) != open(new, subresource, gated) {
        let why = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
        return refused("spec", why);
    }
    Ok(())
}

/// A pod on a node can only grow to what the node has for pods, whatever else runs there.
fn check_resize(store: &Store, old: &Value, new: &Value) -> Result<(), Refusal> {
    let node = value::text(old, &["spec", "nodeName"]);
    if node.is_empty() || value::at(old, &["spec"]) == value::at(new, &["spec"]) {
        return Ok(());
    }
    let forbidden = |why: &str| Err(Refusal::forbidden("pods", value::name(old), why));
    let Some(node) = store.all("", "nodes").find(|object| value::name(object) == node) else {
        return forbidden(&format!("node \"{node}\" not found"));
    };
    let mut wanted = amounts::requests(new);
    wanted.retain(|resource, _| matches!(resource.as_str(), "cpu" | "memory"));
    match amounts::lacking(&amounts::allocatable(node), &wanted) {
        Some(resource) => forbidden(&format!("node didn't have enough allocatable resources: {resource}")),
        None => Ok(()),
    }
}

/// The spec without what an update can change.
fn open(pod: &Value, subresource: &str, gated: bool) -> Value {
    let mut spec = value::at(pod, &["spec"]).clone();
    let changed: &[&str] = if subresource == "resize" { &["resources", "resizePolicy"] } else { &["image"] };
    for list in ["containers", "initContainers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            changed.iter().for_each(|field| {
                value::remove(container, &[field]);
            });
        }
    }
    for field in ["schedulingGates", "tolerations", "activeDeadlineSeconds"] {
        value::remove(&mut spec, &[field]);
    }
    if gated {
        value::remove(&mut spec, &["nodeSelector"]);
        value::remove(&mut spec, &["affinity", "nodeAffinity"]);
        if !value::has(&spec, &["affinity"]) {
            value::remove(&mut spec, &["affinity"]);
        }
    }
    spec
}

/// Whether all that the old selector asks for is still asked for.
fn narrows(old: &Value, new: &Value) -> bool {
    old.as_object().is_none_or(|old| old.iter().all(|(key, value)| new.get(key) == Some(value)))
}

/// Whether each term still has its expressions. Where there was no term, any can be added.
fn narrows_terms(old: &Value, new: &Value) -> bool {
    let old = value::items(old, &["nodeSelectorTerms"]);
    let new = value::items(new, &["nodeSelectorTerms"]);
    let kept = |old: &Value, new: &Value, list: &str| {
        let new = value::items(new, &[list]);
        value::items(old, &[list]).iter().all(|expression| new.contains(expression))
    };
    let narrower = |(old, new): (&Value, &Value)| kept(old, new, "matchExpressions") && kept(old, new, "matchFields");
    old.is_empty() || old.len() == new.len() && old.iter().zip(new).all(narrower)
}
