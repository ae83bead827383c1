//! Stand-ins for controllers of a cluster, for the server in memory: the ReplicaSet controller, which recreates what is
//! evicted, and in gate mode the kube-scheduler, which binds what is pinned and fits.

use crate::{
    amounts,
    selector::Selector,
    store::PatchType,
    target::{Silence, Target},
    value,
};
use serde_json::{Value, json};

/// Gives each ReplicaSet of the namespace its number of pods, and tells how many it created or deleted.
///
/// # Errors
///
/// If the server does not answer.
pub async fn replica_sets(target: &Target) -> Result<usize, Silence> {
    let sets = target.get(&target.of("apps/v1", "replicasets")).await?;
    let pods = target.get(&target.core("pods")).await?;
    let mut changed = 0;
    for set in value::items(&sets.body, &["items"]) {
        let uid = value::at(set, &["metadata", "uid"]);
        let is_owned = |pod: &&Value| {
            value::items(pod, &["metadata", "ownerReferences"]).iter().any(|owner| value::at(owner, &["uid"]) == uid)
        };
        let is_there = |pod: &&Value| amounts::is_active(pod) && !value::has(pod, &["metadata", "deletionTimestamp"]);
        let own: Vec<&Value> = value::items(&pods.body, &["items"]).iter().filter(is_owned).filter(is_there).collect();
        let wanted = value::at(set, &["spec", "replicas"]).as_u64().unwrap_or(1) as usize;
        for _ in own.len()..wanted {
            target.post(&target.core("pods"), pod_of(set)).await?;
            changed += 1;
        }
        // Those that wait go before those that run.
        let mut surplus = own.clone();
        surplus.sort_by_key(|pod| value::has(pod, &["spec", "nodeName"]));
        for pod in surplus.iter().take(own.len().saturating_sub(wanted)) {
            target.delete(&target.core(&format!("pods/{}", value::name(pod))), json!({})).await?;
            changed += 1;
        }
    }
    Ok(changed)
}

fn pod_of(set: &Value) -> Value {
    let mut pod = value::at(set, &["spec", "template"]).clone();
    value::set(&mut pod, &["apiVersion"], "v1");
    value::set(&mut pod, &["kind"], "Pod");
    value::set(&mut pod, &["metadata", "generateName"], format!("{}-", value::name(set)));
    let owner = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": value::name(set),
        "uid": value::at(set, &["metadata", "uid"]), "controller": true, "blockOwnerDeletion": true,
    });
    value::set(&mut pod, &["metadata", "ownerReferences"], json!([owner]));
    pod
}

/// Binds the pods of the namespace that have no gate, by priority and age, to the first node that their selector names,
/// that is ready, has no taint that they do not tolerate, and has room. The others get the condition that says so. Tells
/// how many were bound.
///
/// # Errors
///
/// If the server does not answer.
pub async fn kube_scheduler(target: &Target) -> Result<usize, Silence> {
    let nodes = target.get(&target.cluster("v1", "nodes")).await?;
    let pods = target.get(&target.cluster("v1", "pods")).await?;
    let mut pods: Vec<Value> = value::items(&pods.body, &["items"]).to_vec();
    let waits = |pod: &&Value| {
        value::namespace(pod) == target.namespace
            && value::text(pod, &["spec", "schedulerName"]) == "default-scheduler"
            && ["nodeName", "schedulingGates"].iter().all(|field| !value::has(pod, &["spec", field]))
            && !value::has(pod, &["metadata", "deletionTimestamp"])
            && amounts::is_active(pod)
    };
    let mut waiting: Vec<Value> = pods.iter().filter(waits).cloned().collect();
    waiting.sort_by_cached_key(|pod| {
        let priority = value::at(pod, &["spec", "priority"]).as_i64().unwrap_or(0);
        (-priority, value::text(pod, &["metadata", "creationTimestamp"]).to_owned(), value::name(pod).to_owned())
    });
    let mut bound = 0;
    for pod in waiting {
        let name = value::name(&pod);
        let fits = |node: &&Value| suits(&pod, node) && has_room(&pod, node, &pods);
        let Some(node) = value::items(&nodes.body, &["items"]).iter().find(fits).map(value::name) else {
            let condition = json!({ "type": "PodScheduled", "status": "False", "reason": "Unschedulable" });
            let path = target.core(&format!("pods/{name}/status"));
            target.patch(&path, PatchType::Strategic, json!({ "status": { "conditions": [condition] } })).await?;
            continue;
        };
        let binding = json!({
            "apiVersion": "v1", "kind": "Binding",
            "metadata": { "name": name, "uid": value::at(&pod, &["metadata", "uid"]) },
            "target": { "apiVersion": "v1", "kind": "Node", "name": node },
        });
        if target.post(&target.core(&format!("pods/{name}/binding")), binding).await?.code == 201 {
            let mut placed = pod.clone();
            value::set(&mut placed, &["spec", "nodeName"], node);
            pods.push(placed);
            bound += 1;
        }
    }
    Ok(bound)
}

/// Whether the node is one that the pod can run on, room aside.
fn suits(pod: &Value, node: &Value) -> bool {
    let wanted = json!({ "matchLabels": value::at(pod, &["spec", "nodeSelector"]) });
    let ready = value::items(node, &["status", "conditions"])
        .iter()
        .any(|condition| value::text(condition, &["type"]) == "Ready" && value::text(condition, &["status"]) == "True");
    let tolerated = |taint: &Value| {
        value::text(taint, &["effect"]) == "PreferNoSchedule"
            || value::items(pod, &["spec", "tolerations"]).iter().any(|toleration| tolerates(toleration, taint))
    };
    ready
        && value::at(node, &["spec", "unschedulable"]) != true
        && Selector::of_object(&wanted).is_some_and(|selector| selector.selects(node))
        && value::items(node, &["spec", "taints"]).iter().all(tolerated)
}

fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let any_or_equal = |field: &str| {
        let wanted = value::text(toleration, &[field]);
        wanted.is_empty() || wanted == value::text(taint, &[field])
    };
    let value_matters = value::text(toleration, &["operator"]) != "Exists";
    let values_equal = value::text(toleration, &["value"]) == value::text(taint, &["value"]);
    any_or_equal("key") && any_or_equal("effect") && (!value_matters || values_equal)
}

fn has_room(pod: &Value, node: &Value, pods: &[Value]) -> bool {
    let on_node = pods
        .iter()
        .filter(|other| value::text(other, &["spec", "nodeName"]) == value::name(node) && amounts::is_active(other));
    amounts::lacking(&amounts::free(node, on_node), &amounts::requests(pod)).is_none()
}
