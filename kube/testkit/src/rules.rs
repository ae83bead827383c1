//! What the server does to objects of a certain kind before it keeps them: defaults, checks, admission.

use crate::{kinds::Kind, pods, refusal::Refusal, store::Store, value};
use serde_json::{Value, json};

/// A new object.
pub(crate) fn prepare_create(store: &Store, kind: &Kind, object: &mut Value) -> Result<(), Refusal> {
    let name = value::name(object).to_owned();
    match (kind.group.as_str(), kind.plural.as_str()) {
        ("", "pods") => pods::prepare_create(store, kind, object)?,
        ("", "nodes") => taint_new_node(object),
        ("", "namespaces") => {
            value::set(object, &["spec", "finalizers"], json!(["kubernetes"]));
            value::set(object, &["status", "phase"], "Active");
            value::set(object, &["metadata", "labels", "kubernetes.io/metadata.name"], name);
        }
        ("policy", "poddisruptionbudgets") => value::set(
            object,
            &["status"],
            json!({ "disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0 }),
        ),
        ("scheduling.k8s.io", "priorityclasses") => {
            value::default(object, &["preemptionPolicy"], "PreemptLowerPriority");
            let value = value::at(object, &["value"]).as_i64().unwrap_or(0);
            if name.starts_with("system-") && !["system-cluster-critical", "system-node-critical"].contains(&&*name) {
                return Err(Refusal::forbidden(&kind.full_name(), &name, "the prefix system- is reserved"));
            }
            if value > 1_000_000_000 && !name.starts_with("system-") {
                let why = "maximum allowed value of a user defined priority is 1000000000";
                return Err(kind.invalid(&name, "value", &format!("Forbidden: {why}")));
            }
        }
        ("apiextensions.k8s.io", "customresourcedefinitions") => {
            let plural = value::text(object, &["spec", "names", "plural"]);
            let group = value::text(object, &["spec", "group"]);
            if name != format!("{plural}.{group}") {
                let why = format!("Invalid value: \"{name}\": must be spec.names.plural+\".\"+spec.group");
                return Err(kind.invalid(&name, "metadata.name", &why));
            }
            let approved = value::text(object, &["metadata", "annotations", APPROVED]);
            if is_protected(group) && !approved.starts_with("unapproved") && !approved.starts_with("https://") {
                let why = format!("Required value: protected groups must have approval annotation \"{APPROVED}\"");
                return Err(kind.invalid(&name, &format!("metadata.annotations[{APPROVED}]"), &why));
            }
            let now = store.stamp();
            value::set(object, &["status", "acceptedNames"], value::at(object, &["spec", "names"]).clone());
            for (of, reason) in [("NamesAccepted", "NoConflicts"), ("Established", "InitialNamesAccepted")] {
                value::set_condition(object, json!({ "type": of, "status": "True", "reason": reason }), &now);
            }
        }
        ("apps", "replicasets") => value::default(object, &["spec", "replicas"], 1),
        ("batch", "jobs") => {
            value::default(object, &["spec", "parallelism"], 1);
            value::default(object, &["spec", "completions"], 1);
        }
        _ => {}
    }
    Ok(())
}

/// The annotation of definitions in groups of Kubernetes itself: where it was approved, or `unapproved` and why.
const APPROVED: &str = "api-approved.kubernetes.io";

fn is_protected(group: &str) -> bool {
    ["k8s.io", "kubernetes.io"]
        .iter()
        .any(|of| group.strip_suffix(of).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

/// A new state of an object, after what this write cannot change was put back.
pub(crate) fn prepare_update(
    store: &Store,
    kind: &Kind,
    old: &Value,
    subresource: &str,
    new: &mut Value,
) -> Result<(), Refusal> {
    let fixed = |fields: &[&[&str]]| {
        let changed = fields.iter().find(|field| value::at(old, field) != value::at(new, field));
        changed.map_or(Ok(()), |field| {
            let name = value::name(old);
            Err(kind.invalid(name, &field.join("."), "Forbidden: field is immutable"))
        })
    };
    match (kind.group.as_str(), kind.plural.as_str()) {
        ("", "pods") => pods::check_update(store, kind, old, subresource, new),
        ("scheduling.k8s.io", "priorityclasses") => fixed(&[&["value"], &["preemptionPolicy"]]),
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => fixed(&[&["roleRef"]]),
        ("apps", "replicasets") => fixed(&[&["spec", "selector"]]),
        _ => Ok(()),
    }
}

/// A new node has the taint of one that is not ready. Who manages nodes removes it.
fn taint_new_node(node: &mut Value) {
    let taint = json!({ "key": "node.kubernetes.io/not-ready", "effect": "NoSchedule" });
    let taints = value::place(node, &["spec", "taints"]);
    match taints.as_array_mut() {
        Some(taints) if taints.contains(&taint) => {}
        Some(taints) => taints.push(taint),
        None => *taints = json!([taint]),
    }
}
