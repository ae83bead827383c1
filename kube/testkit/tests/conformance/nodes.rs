//! The kubelet of the kit, on both kinds of servers.

use crate::fixtures::{Expect, pod};
use quotree_kube_testkit::{
    Target,
    kubelet::{Kubelet, RUNS_FOR},
};
use serde_json::{Value, json};
use std::time::Duration;

/// A kubelet with one node of 4 cores, of this name.
async fn with_node(t: &Target, node: &str) -> Kubelet {
    let mut kubelet = Kubelet::new(t.clone());
    kubelet.add_node(node, json!({ "cpu": "4", "pods": "110" }), json!({})).await.unwrap();
    kubelet
}

async fn on_node(t: &Target, name: &str, node: &str, cpu: &str) {
    let mut pod = pod(name);
    pod["metadata"]["annotations"] = json!({ RUNS_FOR: "2" });
    pod["spec"]["nodeName"] = json!(node);
    pod["spec"]["restartPolicy"] = json!("Never");
    pod["spec"]["terminationGracePeriodSeconds"] = json!(5);
    pod["spec"]["containers"][0]["resources"] = json!({ "requests": { "cpu": cpu } });
    t.post(&t.core("pods"), pod).await.code(201);
}

async fn status(t: &Target, name: &str) -> Value {
    t.get(&t.core(&format!("pods/{name}"))).await.code(200)["status"].clone()
}

pub(crate) async fn kubelet_runs_and_ends(t: Target) {
    let node = format!("{}-node", t.namespace);
    let mut kubelet = with_node(&t, &node).await;
    on_node(&t, "job", &node, "1").await;
    on_node(&t, "leaving", &node, "1").await;
    kubelet.step().await.unwrap();
    assert_eq!(status(&t, "job").await["phase"], "Running");
    t.delete(&t.core("pods/leaving"), json!({})).await.code(200);
    t.pass(Duration::from_millis(3100)).await;
    kubelet.step().await.unwrap();
    assert_eq!(status(&t, "job").await["phase"], "Succeeded");
    t.get(&t.core("pods/leaving")).await.refused(404, "NotFound");
    let lease = format!("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{node}");
    assert_eq!(t.get(&lease).await.code(200)["spec"]["holderIdentity"], node.as_str());
}

pub(crate) async fn kubelet_refuses_what_does_not_fit(t: Target) {
    let node = format!("{}-node", t.namespace);
    let mut kubelet = with_node(&t, &node).await;
    on_node(&t, "a", &node, "3").await;
    kubelet.step().await.unwrap();
    on_node(&t, "b", &node, "2").await;
    kubelet.step().await.unwrap();
    let refused = status(&t, "b").await;
    assert_eq!((&refused["phase"], &refused["reason"]), (&json!("Failed"), &json!("OutOfcpu")));
    kubelet.fail(&t.namespace, "a").await.unwrap();
    assert_eq!(status(&t, "a").await["phase"], "Failed");
}
