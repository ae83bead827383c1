//! What is special with pods, and the nodes and classes that they need.

use crate::fixtures::{Expect, gated, pod, uid};
use quotree_kube_testkit::{Target, store::PatchType};
use serde_json::{Value, json};

pub(crate) async fn defaults(t: Target) {
    let mut limited = pod("p");
    limited["spec"]["containers"][0]["resources"] = json!({ "limits": { "cpu": "1", "memory": "1Gi" } });
    let made = t.post(&t.core("pods"), limited).await.code(201);
    let spec = &made["spec"];
    assert_eq!((&spec["restartPolicy"], &spec["schedulerName"]), (&json!("Always"), &json!("default-scheduler")));
    assert_eq!((&spec["terminationGracePeriodSeconds"], &spec["priority"]), (&json!(30), &json!(0)));
    assert_eq!(spec["preemptionPolicy"], "PreemptLowerPriority");
    assert_eq!(
        spec["containers"][0]["resources"]["requests"],
        json!({ "cpu": "1", "memory": "1Gi" }),
        "limits are requests"
    );
    let keys: Vec<_> = spec["tolerations"].as_array().unwrap().iter().map(|one| one["key"].clone()).collect();
    assert_eq!(keys, ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]);
    assert_eq!((&made["status"]["phase"], &made["status"]["qosClass"]), (&json!("Pending"), &json!("Guaranteed")));
    let empty = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "q" }, "spec": { "containers": [] } });
    t.post(&t.core("pods"), empty).await.refused(422, "Invalid");
    let mut gpu = pod("g");
    gpu["spec"]["containers"][0]["resources"] = json!({ "requests": { "nvidia.com/gpu": "1" } });
    t.post(&t.core("pods"), gpu).await.refused(422, "Invalid");
}

pub(crate) async fn gates_are_only_removed(t: Target) {
    let made = t.post(&t.core("pods"), gated("p")).await.code(201);
    let condition = &made["status"]["conditions"][0];
    assert_eq!((&condition["type"], &condition["reason"]), (&json!("PodScheduled"), &json!("SchedulingGated")));
    let add = json!({ "spec": { "schedulingGates": [{ "name": "example.com/other" }] } });
    t.patch(&t.core("pods/p"), PatchType::Strategic, add.clone()).await.refused(422, "Invalid");
    let free = json!({ "spec": { "schedulingGates": [{ "name": "quotree.io/quota", "$patch": "delete" }] } });
    let freed = t.patch(&t.core("pods/p"), PatchType::Strategic, free).await.code(200);
    assert!(freed["spec"]["schedulingGates"].as_array().is_none_or(Vec::is_empty));
    t.patch(&t.core("pods/p"), PatchType::Strategic, add).await.refused(422, "Invalid");
    let mut on_node = gated("q");
    on_node["spec"]["nodeName"] = json!("n");
    t.post(&t.core("pods"), on_node).await.refused(422, "Invalid");
}

pub(crate) async fn gated_pods_are_narrowed(t: Target) {
    let mut selective = gated("p");
    selective["spec"]["nodeSelector"] = json!({ "pool": "a" });
    t.post(&t.core("pods"), selective).await.code(201);
    let selector = |selector: Value| json!({ "spec": { "nodeSelector": selector } });
    let path = t.core("pods/p");
    t.patch(&path, PatchType::Strategic, selector(json!({ "pool": "b" }))).await.refused(422, "Invalid");
    t.patch(&path, PatchType::Strategic, selector(json!({ "pool": null }))).await.refused(422, "Invalid");
    let narrowed = t.patch(&path, PatchType::Strategic, selector(json!({ "zone": "z" }))).await.code(200);
    assert_eq!(narrowed["spec"]["nodeSelector"], json!({ "pool": "a", "zone": "z" }));
    let mut admit = selector(json!({ "kubernetes.io/hostname": "n" }));
    admit["spec"]["schedulingGates"] = json!([{ "name": "quotree.io/quota", "$patch": "delete" }]);
    t.patch(&path, PatchType::Strategic, admit).await.code(200);
    let late = selector(json!({ "more": "x" }));
    t.patch(&path, PatchType::Strategic, late).await.refused(422, "Invalid");
    let affinity = json!({ "spec": { "affinity": { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{ "matchExpressions": [{ "key": "pool", "operator": "In", "values": ["a"] }] }],
    } } } } });
    t.post(&t.core("pods"), gated("q")).await.code(201);
    t.patch(&t.core("pods/q"), PatchType::Merge, affinity).await.code(200);
}

pub(crate) async fn specs_are_fixed(t: Target) {
    t.post(&t.core("pods"), pod("p")).await.code(201);
    let path = t.core("pods/p");
    for spec in [
        json!({ "nodeName": "n" }),
        json!({ "nodeSelector": { "a": "b" } }),
        json!({ "priority": 7 }),
        json!({ "schedulerName": "other" }),
        json!({ "containers": [{ "name": "main", "resources": { "requests": { "cpu": "1" } } }] }),
    ] {
        t.patch(&path, PatchType::Strategic, json!({ "spec": spec })).await.refused(422, "Invalid");
    }
    let image = json!({ "spec": { "containers": [{ "name": "main", "image": "example.com/other:2" }] } });
    t.patch(&path, PatchType::Strategic, image).await.code(200);
    let tolerations = t.get(&path).await.code(200)["spec"]["tolerations"].clone();
    let mut more = tolerations.as_array().unwrap().clone();
    more.push(json!({ "key": "gpu", "operator": "Exists" }));
    t.patch(&path, PatchType::Merge, json!({ "spec": { "tolerations": more } })).await.code(200);
    t.patch(&path, PatchType::Merge, json!({ "spec": { "tolerations": tolerations } })).await.refused(422, "Invalid");
}

fn to_node(name: &str, node: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Binding", "metadata": { "name": name },
        "target": { "apiVersion": "v1", "kind": "Node", "name": node },
    })
}

pub(crate) async fn binding_refused(t: Target) {
    t.post(&t.core("pods"), gated("gated")).await.code(201);
    t.post(&t.core("pods/gated/binding"), to_node("gated", "n")).await.refused(409, "Conflict");
    t.post(&t.core("pods/none/binding"), to_node("none", "n")).await.refused(404, "NotFound");
    let made = t.post(&t.core("pods"), pod("p")).await.code(201);
    t.post(&t.core("pods/p/binding"), to_node("q", "n")).await.refused(400, "BadRequest");
    let with = |field: &str, is: &str| {
        let mut binding = to_node("p", "n");
        binding["metadata"][field] = json!(is);
        binding
    };
    let stranger = with("uid", "00000000-0000-0000-0000-000000000000");
    t.post(&t.core("pods/p/binding"), stranger).await.refused(409, "Conflict");
    t.post(&t.core("pods/p/binding"), with("resourceVersion", "1")).await.refused(409, "Conflict");
    t.post(&t.core("pods/p/binding"), with("uid", uid(&made))).await.code(201);
    let twice = t.post(&t.core("pods/p/binding"), to_node("p", "other")).await.refused(409, "Conflict");
    assert!(twice.text("/message").contains("already assigned to node \"n\""), "{}", twice.text("/message"));
    let mut held = pod("held");
    held["metadata"]["finalizers"] = json!(["quotree.io/hold"]);
    t.post(&t.core("pods"), held).await.code(201);
    t.delete(&t.core("pods/held"), json!({})).await.code(200);
    let leaving = t.post(&t.core("pods/held/binding"), to_node("held", "n")).await.refused(409, "Conflict");
    assert!(leaving.text("/message").contains("is being deleted"), "{}", leaving.text("/message"));
}

pub(crate) async fn priority_classes(t: Target) {
    let name = format!("{}-high", t.namespace);
    let class = json!({
        "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": { "name": name },
        "value": 1000, "preemptionPolicy": "Never",
    });
    t.post(&t.cluster("scheduling.k8s.io/v1", "priorityclasses"), class).await.code(201);
    let of = |pod_name: &str, class: &str| {
        let mut pod = pod(pod_name);
        pod["spec"]["priorityClassName"] = json!(class);
        pod
    };
    let made = t.post(&t.core("pods"), of("p", &name)).await.code(201);
    assert_eq!((&made["spec"]["priority"], &made["spec"]["preemptionPolicy"]), (&json!(1000), &json!("Never")));
    t.post(&t.core("pods"), of("q", "no-such-class")).await.refused(403, "Forbidden");
    let mut forged = of("q", &name);
    forged["spec"]["priority"] = json!(2000);
    t.post(&t.core("pods"), forged).await.refused(403, "Forbidden");
    let path = t.cluster("scheduling.k8s.io/v1", &format!("priorityclasses/{name}"));
    t.patch(&path, PatchType::Merge, json!({ "value": 2000 })).await.refused(422, "Invalid");
    let critical = t.cluster("scheduling.k8s.io/v1", "priorityclasses/system-node-critical");
    assert_eq!(t.get(&critical).await.code(200)["value"], 2_000_001_000);
}

pub(crate) async fn new_nodes_are_tainted(t: Target) {
    let name = format!("{}-node", t.namespace);
    let node = json!({
        "apiVersion": "v1", "kind": "Node", "metadata": { "name": name },
        "status": { "allocatable": { "cpu": "8", "pods": "110" }, "capacity": { "cpu": "8", "pods": "110" } },
    });
    let made = t.post(&t.cluster("v1", "nodes"), node).await.code(201);
    assert_eq!(made["status"]["allocatable"]["cpu"], "8", "a node is created with its status");
    let keys: Vec<_> = made["spec"]["taints"].as_array().unwrap().iter().map(|taint| taint["key"].clone()).collect();
    assert_eq!(keys, ["node.kubernetes.io/not-ready"]);
    let path = t.cluster("v1", &format!("nodes/{name}"));
    let cordoned = t.patch(&path, PatchType::Merge, json!({ "spec": { "taints": null, "unschedulable": true } })).await;
    assert!(cordoned.code(200)["spec"]["taints"].is_null());
    let list =
        t.get(&t.cluster("v1", &format!("nodes?fieldSelector=spec.unschedulable=true,metadata.name={name}"))).await;
    assert_eq!(list.code(200)["items"].as_array().map(Vec::len), Some(1));
    t.delete(&path, json!({})).await.code(200);
}

pub(crate) async fn resize(t: Target) {
    let mut sized = pod("p");
    sized["spec"]["containers"][0]["resources"] = json!({ "requests": { "cpu": "1" } });
    let node = format!("{}-node", t.namespace);
    sized["spec"]["nodeName"] = json!(node);
    t.post(&t.core("pods"), sized).await.code(201);
    let larger = json!({ "spec": { "containers": [{ "name": "main", "resources": { "requests": { "cpu": "2" } } }] } });
    let without_node = t.patch(&t.core("pods/p/resize"), PatchType::Strategic, larger.clone()).await;
    without_node.refused(403, "Forbidden");
    let body = json!({
        "apiVersion": "v1", "kind": "Node", "metadata": { "name": node },
        "status": { "allocatable": { "cpu": "2" }, "capacity": { "cpu": "2" } },
    });
    t.post(&t.cluster("v1", "nodes"), body).await.code(201);
    // A real server looks for nodes in what its watch of them has shown.
    let mut answer = t.patch(&t.core("pods/p/resize"), PatchType::Strategic, larger.clone()).await;
    for _ in 0..50 {
        if answer.as_ref().is_ok_and(|answer| answer.code == 200) {
            break;
        }
        t.pass(std::time::Duration::from_millis(100)).await;
        answer = t.patch(&t.core("pods/p/resize"), PatchType::Strategic, larger.clone()).await;
    }
    let resized = answer.code(200);
    assert_eq!(resized["spec"]["containers"][0]["resources"]["requests"]["cpu"], "2");
    let huge = json!({ "spec": { "containers": [{ "name": "main", "resources": { "requests": { "cpu": "3" } } }] } });
    t.patch(&t.core("pods/p/resize"), PatchType::Strategic, huge).await.refused(403, "Forbidden");
}

pub(crate) async fn binding(t: Target) {
    let mut free = pod("free");
    free["metadata"]["labels"] = json!({ "a": "b" });
    t.post(&t.core("pods"), free).await.code(201);
    let mut to = to_node("free", "n");
    to["metadata"]["annotations"] = json!({ "quotree.io/devices": "0,1" });
    let answer = t.post(&t.core("pods/free/binding"), to).await.code(201);
    assert_eq!((&answer["kind"], &answer["status"]), (&json!("Status"), &json!("Success")));
    let bound = t.get(&t.core("pods/free")).await.code(200);
    assert_eq!(bound["spec"]["nodeName"], "n", "no node of this name exists, which nobody checks");
    assert_eq!(bound["metadata"]["annotations"]["quotree.io/devices"], "0,1");
    let conditions = bound["status"]["conditions"].as_array().unwrap();
    let scheduled = conditions.iter().find(|one| one["type"] == "PodScheduled").unwrap();
    assert_eq!(scheduled["status"], "True");
}
