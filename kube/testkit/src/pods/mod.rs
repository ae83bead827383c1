//! Pods: their defaults and admission, what of them can be changed, binding and eviction.

mod binding;
mod eviction;
mod update;

pub(crate) use binding::bind;
pub(crate) use eviction::evict;
pub(crate) use update::check_update;

use crate::{kinds::Kind, refusal::Refusal, store::Store, value};
use serde_json::{Value, json};

/// A new pod: checks, priority, defaults, the first status.
pub(crate) fn prepare_create(store: &Store, kind: &Kind, pod: &mut Value) -> Result<(), Refusal> {
    let name = value::name(pod).to_owned();
    check(kind, pod, &name)?;
    admit_priority(store, kind, pod, &name)?;
    default_spec(pod);
    let quality = quality(pod);
    value::set(pod, &["status"], json!({ "phase": "Pending", "qosClass": quality }));
    if value::has(pod, &["spec", "schedulingGates"]) {
        let condition = json!({
            "type": "PodScheduled", "status": "False", "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates", "observedGeneration": 1,
        });
        value::set(pod, &["status", "conditions"], json!([condition]));
    }
    Ok(())
}

fn check(kind: &Kind, pod: &Value, name: &str) -> Result<(), Refusal> {
    if !value::has(pod, &["spec", "containers"]) {
        return Err(kind.invalid(name, "spec.containers", "Required value"));
    }
    for (i, container) in value::items(pod, &["spec", "containers"]).iter().enumerate() {
        for field in ["name", "image"] {
            if !value::has(container, &[field]) {
                return Err(kind.invalid(name, &format!("spec.containers[{i}].{field}"), "Required value"));
            }
        }
        for (resource, request) in value::at(container, &["resources", "requests"]).as_object().into_iter().flatten() {
            let limit = value::at(container, &["resources", "limits", resource]);
            let extended = resource.contains('/');
            if extended && limit != request && !limit.is_null() {
                let why = format!("Invalid value: {request}: must be equal to {resource} limit");
                return Err(kind.invalid(name, &format!("spec.containers[{i}].resources.requests"), &why));
            }
            if extended && limit.is_null() {
                let why = format!("Required value: Limit must be set for non overcommitable resources ({resource})");
                return Err(kind.invalid(name, &format!("spec.containers[{i}].resources.limits"), &why));
            }
        }
    }
    if value::has(pod, &["spec", "schedulingGates"]) && value::has(pod, &["spec", "nodeName"]) {
        let why = "Forbidden: cannot be set until all schedulingGates have been cleared";
        return Err(kind.invalid(name, "spec.nodeName", why));
    }
    Ok(())
}

/// The admission by priority classes: a class gives the pod its priority, and nothing else does.
fn admit_priority(store: &Store, kind: &Kind, pod: &mut Value, name: &str) -> Result<(), Refusal> {
    let wanted = value::text(pod, &["spec", "priorityClassName"]);
    let mut classes = store.all("scheduling.k8s.io", "priorityclasses");
    let class = if wanted.is_empty() {
        classes.find(|class| value::at(class, &["globalDefault"]) == true)
    } else {
        let class = classes.find(|class| value::name(class) == wanted);
        if class.is_none() {
            let why = format!("no PriorityClass with name {wanted} was found");
            return Err(Refusal::forbidden(&kind.full_name(), name, &why));
        }
        class
    };
    let priority = class.map_or(0, |class| value::at(class, &["value"]).as_i64().unwrap_or(0));
    let policy = class.map_or("PreemptLowerPriority", |class| value::text(class, &["preemptionPolicy"]));
    let given = value::at(pod, &["spec", "priority"]).as_i64();
    if let Some(given) = given.filter(|given| *given != priority) {
        let why = format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority admission controller computed {priority} from the given PriorityClass name"
        );
        return Err(Refusal::forbidden(&kind.full_name(), name, &why));
    }
    let given = value::text(pod, &["spec", "preemptionPolicy"]);
    if !given.is_empty() && given != policy {
        let why = format!(
            "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority admission controller computed {policy} from the given PriorityClass name"
        );
        return Err(Refusal::forbidden(&kind.full_name(), name, &why));
    }
    if let Some(class) = class {
        value::set(pod, &["spec", "priorityClassName"], value::name(class));
    }
    value::set(pod, &["spec", "priority"], priority);
    value::set(pod, &["spec", "preemptionPolicy"], policy);
    Ok(())
}

fn default_spec(pod: &mut Value) {
    for (field, given) in [
        ("restartPolicy", json!("Always")),
        ("terminationGracePeriodSeconds", json!(30)),
        ("dnsPolicy", json!("ClusterFirst")),
        ("schedulerName", json!("default-scheduler")),
        ("securityContext", json!({})),
        ("enableServiceLinks", json!(true)),
    ] {
        value::default(pod, &["spec", field], given);
    }
    for list in ["containers", "initContainers"] {
        let containers = pod.get_mut("spec").and_then(|spec| spec.get_mut(list)).and_then(Value::as_array_mut);
        containers.into_iter().flatten().for_each(default_container);
    }
    let tolerations = value::place(pod, &["spec", "tolerations"]);
    if !tolerations.is_array() {
        *tolerations = json!([]);
    }
    let Some(tolerations) = tolerations.as_array_mut() else { return };
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerates = |toleration: &Value| {
            let its = value::text(toleration, &["key"]);
            let effect = value::text(toleration, &["effect"]);
            (its == key || its.is_empty()) && (effect == "NoExecute" || effect.is_empty())
        };
        if !tolerations.iter().any(tolerates) {
            tolerations
                .push(json!({ "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300 }));
        }
    }
}

fn default_container(container: &mut Value) {
    value::default(container, &["terminationMessagePath"], "/dev/termination-log");
    value::default(container, &["terminationMessagePolicy"], "File");
    value::default(container, &["resources"], json!({}));
    let image = value::text(container, &["image"]);
    let latest = image.ends_with(":latest") || !image.contains(':') && !image.contains('@');
    value::default(container, &["imagePullPolicy"], if latest { "Always" } else { "IfNotPresent" });
    // What has a limit and no request requests its limit.
    let limits = value::at(container, &["resources", "limits"]).as_object().cloned().unwrap_or_default();
    for (resource, limit) in limits {
        value::default(container, &["resources", "requests", &resource], limit);
    }
}

/// The class of service, which follows from requests and limits of cpu and memory.
fn quality(pod: &Value) -> &'static str {
    let containers = || {
        let all = ["containers", "initContainers"].map(|list| value::items(pod, &["spec", list]));
        all.into_iter().flatten()
    };
    let of = |container: &Value, of: &str, resource: &str| value::at(container, &["resources", of, resource]).clone();
    let resources = ["cpu", "memory"];
    let any = |container: &Value| {
        resources
            .iter()
            .any(|resource| ["requests", "limits"].iter().any(|list| !of(container, list, resource).is_null()))
    };
    let full = |container: &Value| {
        let equal = |resource: &&str| {
            let limit = of(container, "limits", resource);
            !limit.is_null() && limit == of(container, "requests", resource)
        };
        resources.iter().all(equal)
    };
    match (containers().any(any), containers().all(full)) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}
