//! Lists: what they select, and what their pages show.

use crate::fixtures::{Expect, config_map, pod, running, version};
use quotree_kube_testkit::Target;
use serde_json::{Value, json};

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect()
}

async fn some_pods(t: &Target) {
    for (name, labels) in
        [("a", json!({ "app": "x", "n": "1" })), ("b", json!({ "app": "x", "n": "2" })), ("c", json!({}))]
    {
        let mut pod = pod(name);
        pod["metadata"]["labels"] = labels;
        t.post(&t.core("pods"), pod).await.code(201);
    }
}

pub(crate) async fn selects_by_labels(t: Target) {
    some_pods(&t).await;
    for (selector, expected) in [
        ("app=x", vec!["a", "b"]),
        ("app%3D%3Dx,n!%3D1", vec!["b"]),
        ("app", vec!["a", "b"]),
        ("!app", vec!["c"]),
        ("n%20in%20(1,2)", vec!["a", "b"]),
        ("n%20notin%20(1)", vec!["b", "c"]),
    ] {
        let list = t.get(&t.core(&format!("pods?labelSelector={selector}"))).await.code(200);
        assert_eq!(names(&list), expected, "{selector}");
        assert_eq!(list["kind"], "PodList");
        assert!(list["items"][0]["kind"].is_null(), "items of a list do not say what they are");
    }
    t.get(&t.core("pods?labelSelector=a%20in%20x")).await.refused(400, "BadRequest");
}

pub(crate) async fn selects_by_fields(t: Target) {
    some_pods(&t).await;
    running(&t, "on-node", json!({})).await;
    for (selector, expected) in [
        ("spec.nodeName=node-of-the-case", vec!["on-node"]),
        ("spec.nodeName%3D", vec!["a", "b", "c"]),
        ("metadata.name=a", vec!["a"]),
        ("status.phase!%3DPending", vec!["on-node"]),
        ("spec.schedulerName=default-scheduler,status.phase=Pending", vec!["a", "b", "c"]),
        ("spec.restartPolicy=Never", vec![]),
        ("spec.hostNetwork=false,spec.nodeName=node-of-the-case", vec!["on-node"]),
        ("status.nominatedNodeName=x", vec![]),
        ("status.podIP=10.0.0.1", vec![]),
        ("spec.serviceAccountName=x", vec![]),
    ] {
        let list = t.get(&t.core(&format!("pods?fieldSelector={selector}"))).await.code(200);
        assert_eq!(names(&list), expected, "{selector}");
    }
    t.get(&t.core("pods?fieldSelector=spec.priority=0")).await.refused(400, "BadRequest");
}

pub(crate) async fn pages_show_one_state(t: Target) {
    for name in ["a", "b", "c", "d", "e"] {
        t.post(&t.core("configmaps"), config_map(name, json!({}))).await.code(201);
    }
    let own = "labelSelector=!none&fieldSelector=metadata.name!%3Dkube-root-ca.crt&limit=2";
    let first = t.get(&t.core(&format!("configmaps?{own}"))).await.code(200);
    assert_eq!(names(&first), ["a", "b"]);
    t.post(&t.core("configmaps"), config_map("bb", json!({}))).await.code(201);
    t.delete(&t.core("configmaps/d"), json!({})).await.code(200);
    let mut shown = Vec::new();
    let mut page = first.clone();
    while let Some(next) = page["metadata"]["continue"].as_str().filter(|next| !next.is_empty()) {
        page = t.get(&t.core(&format!("configmaps?{own}&continue={next}"))).await.code(200);
        assert_eq!(version(&page), version(&first), "all pages are of one state");
        shown.extend(names(&page).into_iter().map(str::to_owned));
    }
    assert_eq!(shown, ["c", "d", "e"], "neither the new one nor the gap");
    let all = t.get(&t.core("configmaps?limit=2")).await.code(200);
    assert!(all["metadata"]["remainingItemCount"].as_u64().unwrap() >= 3, "counted where nothing is selected");
}

pub(crate) async fn pages_expire(t: Target) {
    // A real server compacts after five minutes.
    let Some(server) = t.server().cloned() else { return };
    for name in ["a", "b"] {
        t.post(&t.core("configmaps"), config_map(name, json!({}))).await.code(201);
    }
    let first = t.get(&t.core("configmaps?limit=1")).await.code(200);
    let next = first["metadata"]["continue"].as_str().unwrap();
    t.post(&t.core("configmaps"), config_map("c", json!({}))).await.code(201);
    server.with_store(|store| store.compact(store.revision()));
    t.get(&t.core(&format!("configmaps?limit=1&continue={next}"))).await.refused(410, "Expired");
}

pub(crate) async fn exact_and_future_versions(t: Target) {
    let made = t.post(&t.core("configmaps"), config_map("a", json!({}))).await.code(201);
    let at = version(&made).to_owned();
    t.post(&t.core("configmaps"), config_map("b", json!({}))).await.code(201);
    let own = "fieldSelector=metadata.name!%3Dkube-root-ca.crt";
    let then = t.core(&format!("configmaps?{own}&resourceVersion={at}&resourceVersionMatch=Exact"));
    assert_eq!(names(&t.get(&then).await.code(200)), ["a"]);
    let not_older = t.core(&format!("configmaps?{own}&resourceVersion={at}&resourceVersionMatch=NotOlderThan"));
    // A real server answers from its cache, which may not have what was written since.
    assert_eq!(names(&t.get(&not_older).await.code(200)).first(), Some(&"a"));
    let future = t.core("configmaps?resourceVersion=999999999999");
    let refused = t.get(&future).await.refused(504, "Timeout");
    assert_eq!(refused.text("/details/causes/0/reason"), "ResourceVersionTooLarge");
    t.get(&t.core("configmaps?resourceVersionMatch=Exact")).await.refused(422, "Invalid");
}
