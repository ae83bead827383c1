//! The subresource `eviction`: a delete that asks the disruption budgets.

use crate::{
    kinds::Kind,
    refusal::Refusal,
    selector::Selector,
    store::{DeleteOptions, Store, Writer},
    value,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// Evicts a pod.
pub(crate) fn evict(
    store: &mut Store,
    namespace: &str,
    name: &str,
    eviction: &Value,
    writer: &Writer,
) -> Result<(), Refusal> {
    if value::name(eviction) != name {
        return Err(Refusal::bad_request("name in URL does not match name in Eviction object"));
    }
    let kind = store.kind("", "pods")?;
    let pod = store.get(&kind, namespace, name)?;
    let options = DeleteOptions::of(value::at(eviction, &["deleteOptions"]), |_| String::new());
    if !ignores_budgets(&pod) {
        ask_budgets(store, namespace, &pod, writer)?;
    }
    mark_and_delete(store, &kind, &pod, options, writer)
}

/// Pods that run nowhere, have ended or are leaving need no budget.
fn ignores_budgets(pod: &Value) -> bool {
    matches!(value::text(pod, &["status", "phase"]), "Succeeded" | "Failed" | "Pending")
        || value::has(pod, &["metadata", "deletionTimestamp"])
}

/// Takes the disruption from the budget that selects the pod.
fn ask_budgets(store: &mut Store, namespace: &str, pod: &Value, writer: &Writer) -> Result<(), Refusal> {
    let kind = store.kind("policy", "poddisruptionbudgets")?;
    let selects = |budget: &&Arc<Value>| {
        let selector = Selector::of_object(value::at(budget, &["spec", "selector"]));
        value::namespace(budget) == namespace && selector.is_some_and(|selector| selector.selects(pod))
    };
    let budgets: Vec<Arc<Value>> = store.all("policy", "poddisruptionbudgets").filter(selects).cloned().collect();
    let budget = match budgets.as_slice() {
        [] => return Ok(()),
        [budget] => budget,
        _ => {
            let message =
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
            return Err(Refusal::new(500, "", message));
        }
    };
    let count = |path: &[&str]| value::at(budget, path).as_i64().unwrap_or(0);
    let name = value::name(budget);
    let (healthy, desired) = (count(&["status", "currentHealthy"]), count(&["status", "desiredHealthy"]));
    if !is_ready(pod) {
        let always = value::text(budget, &["spec", "unhealthyPodEvictionPolicy"]) == "AlwaysAllow";
        if always || healthy >= desired && desired > 0 {
            return Ok(());
        }
    }
    if count(&["status", "observedGeneration"]) < count(&["metadata", "generation"]) {
        return Err(Refusal::budget(name, "is still being processed by the server.", 10));
    }
    match count(&["status", "disruptionsAllowed"]) {
        ..0 => Err(Refusal::forbidden("poddisruptionbudget.policy", name, "pdb disruptions allowed is negative")),
        0 => {
            let why = format!("needs {desired} healthy pods and has {healthy} currently");
            Err(Refusal::budget(name, &why, 0))
        }
        allowed => {
            let mut new = (**budget).clone();
            value::set(&mut new, &["status", "disruptionsAllowed"], allowed - 1);
            value::set(&mut new, &["status", "disruptedPods", value::name(pod)], store.stamp());
            if allowed == 1 {
                let condition = json!({ "type": "DisruptionAllowed", "status": "False", "reason": "InsufficientPods", "message": "" });
                value::set_condition(&mut new, condition, &store.stamp());
            }
            store.put(&kind, budget, new, writer, "status");
            Ok(())
        }
    }
}

fn is_ready(pod: &Value) -> bool {
    let is = |condition: &Value| {
        value::text(condition, &["type"]) == "Ready" && value::text(condition, &["status"]) == "True"
    };
    value::items(pod, &["status", "conditions"]).iter().any(is)
}

/// The condition says why the pod goes; then it is deleted as by DELETE.
fn mark_and_delete(
    store: &mut Store,
    kind: &Kind,
    pod: &Arc<Value>,
    options: DeleteOptions,
    writer: &Writer,
) -> Result<(), Refusal> {
    let (name, namespace) = (value::name(pod), value::namespace(pod));
    for (wanted, field) in [(&options.uid, "uid"), (&options.revision, "resourceVersion")] {
        let its = value::text(pod, &["metadata", field]);
        if !wanted.is_empty() && wanted != its {
            let why =
                format!("the {field} in the precondition ({wanted}) does not match the {field} in record ({its})");
            return Err(Refusal::conflict("Pod", name, &why));
        }
    }
    let mut marked = (**pod).clone();
    let condition = json!({
        "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
    });
    value::set_condition(&mut marked, condition, &store.stamp());
    store.put(kind, pod, marked, writer, "eviction");
    let options = DeleteOptions { revision: String::new(), ..options };
    store.delete(kind, namespace, name, &options).map(|_| ())
}
