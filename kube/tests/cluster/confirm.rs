//! Facts of real servers that the adapter is built on and that the server in memory does not have.

use crate::server::{Server, create};
use quotree_kube_testkit::{Target, kubelet::Kubelet};
use serde_json::{Value, json};
use std::time::Duration;

/// A pod that takes a whole node of 4 cores, of this priority class.
async fn large(t: &Target, name: &str, class: &str) {
    let spec = json!({
        "priorityClassName": class, "terminationGracePeriodSeconds": 0,
        "containers": [{ "name": "main", "image": "example.com/nothing:1", "resources": { "requests": { "cpu": "4" } } }],
    });
    create(
        t,
        &json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "namespace": t.namespace }, "spec": spec,
        }),
    )
    .await;
}

async fn class(t: &Target, name: &str, value: i64, policy: &str) {
    create(
        t,
        &json!({
            "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": { "name": name },
            "value": value, "preemptionPolicy": policy,
        }),
    )
    .await;
}

/// The node of a pod; null if it has none or is gone.
async fn node_of(t: &Target, name: &str) -> Value {
    t.get(&t.core(&format!("pods/{name}"))).await.unwrap().at("/spec/nodeName").clone()
}

/// Lets the kubelet work until the pod is on a node, for at most so many seconds; returns whether it is.
async fn is_bound_within(t: &Target, kubelet: &mut Kubelet, name: &str, seconds: u32) -> bool {
    for _ in 0..seconds * 4 {
        kubelet.step().await.unwrap();
        if !node_of(t, name).await.is_null() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    false
}

/// The kube-scheduler evicts for a pod that it cannot place, unless its class says `Never`: in gate mode that would be beside
/// what the quotas decide.
pub(crate) async fn kube_scheduler_preempts_unless_never(server: Server) {
    if !server.has_controllers() {
        return Server::is_without_controllers("kube_scheduler_preempts_unless_never");
    }
    let t = server.target().within("preemption").await.unwrap();
    let mut kubelet = Kubelet::new(server.target());
    kubelet.add_node("node-1", json!({ "cpu": "4", "pods": "110" }), json!({})).await.unwrap();
    for (name, value, policy) in [("low", 1, "Never"), ("high", 100, "Never"), ("greedy", 50, "PreemptLowerPriority")] {
        class(&t, name, value, policy).await;
    }
    large(&t, "first", "low").await;
    assert!(is_bound_within(&t, &mut kubelet, "first", 20).await, "there is room");
    large(&t, "patient", "high").await;
    assert!(!is_bound_within(&t, &mut kubelet, "patient", 8).await, "a higher priority alone evicts nobody");
    assert_eq!(node_of(&t, "first").await, "node-1");
    t.delete(&t.core("pods/patient"), json!({})).await.unwrap();
    large(&t, "greedy", "greedy").await;
    assert!(is_bound_within(&t, &mut kubelet, "greedy", 20).await, "without Never it evicts");
    assert_eq!(t.get(&t.core("pods/first")).await.unwrap().code, 404, "past all quotas");
}

/// What kinds of PodGroup a server of this version has: from 1.37 on `v1beta1`, of which gangs will be read.
pub(crate) async fn pod_groups_by_version(server: Server) {
    let t = server.target();
    let version = t.get("/version").await.unwrap();
    let minor: u32 = version.text("/minor").trim_end_matches('+').parse().unwrap();
    let served = t.get("/apis/scheduling.k8s.io/v1beta1").await.unwrap().code == 200;
    assert_eq!(served, minor >= 37, "minor version {minor}");
    assert_eq!(t.get("/apis/scheduling.k8s.io/v1alpha2").await.unwrap().code, 404, "alpha versions are off by default");
}
