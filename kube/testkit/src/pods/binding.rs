//! The subresource `binding`: a pod gets its node.

use crate::{
    refusal::Refusal,
    store::{Store, Writer},
    value,
};
use serde_json::{Value, json};

/// Binds a pod. The node is not looked at: it need not exist.
pub(crate) fn bind(
    store: &mut Store,
    namespace: &str,
    name: &str,
    binding: &Value,
    writer: &Writer,
) -> Result<(), Refusal> {
    if value::name(binding) != name {
        return Err(Refusal::bad_request("name in URL does not match name in Binding object"));
    }
    let node = value::text(binding, &["target", "name"]);
    if node.is_empty() {
        return Err(Refusal::invalid("Binding", name, "target.name", "Required value"));
    }
    if !matches!(value::text(binding, &["target", "kind"]), "" | "Node") {
        let why = "Unsupported value: supported values: \"Node\", \"<empty>\"";
        return Err(Refusal::invalid("Binding", name, "target.kind", why));
    }
    let kind = store.kind("", "pods")?;
    let old = store.get(&kind, namespace, name)?;
    for (field, what) in [("uid", "UID"), ("resourceVersion", "ResourceVersion")] {
        let wanted = value::text(binding, &["metadata", field]);
        let its = value::text(&old, &["metadata", field]);
        if !wanted.is_empty() && wanted != its {
            let why = format!("Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {its}");
            return Err(Refusal::conflict("pods", name, &why));
        }
    }
    let conflict = |why: String| Err(Refusal::conflict("pods/binding", name, &why));
    if value::has(&old, &["metadata", "deletionTimestamp"]) {
        return conflict(format!("pod {name} is being deleted, cannot be assigned to a host"));
    }
    if value::has(&old, &["spec", "nodeName"]) {
        let its = value::text(&old, &["spec", "nodeName"]);
        return conflict(format!("pod {name} is already assigned to node \"{its}\""));
    }
    if value::has(&old, &["spec", "schedulingGates"]) {
        return conflict(format!("pod {name} has non-empty .spec.schedulingGates"));
    }
    let mut new = (*old).clone();
    value::set(&mut new, &["spec", "nodeName"], node);
    value::remove(&mut new, &["status", "nominatedNodeName"]);
    for list in ["annotations", "labels"] {
        for (key, given) in value::at(binding, &["metadata", list]).as_object().into_iter().flatten() {
            value::set(&mut new, &["metadata", list, key], given.clone());
        }
    }
    value::set_condition(&mut new, json!({ "type": "PodScheduled", "status": "True" }), &store.stamp());
    store.put(&kind, &old, new, writer, "binding");
    Ok(())
}
