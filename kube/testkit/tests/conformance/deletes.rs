//! Deletes.

use crate::fixtures::{Expect, config_map, pod, running, uid, version};
use quotree_kube_testkit::{Target, store::PatchType};
use serde_json::{Value, json};

pub(crate) async fn pods_wait_for_their_grace(t: Target) {
    t.post(&t.core("pods"), pod("waiting")).await.code(201);
    let gone = t.delete(&t.core("pods/waiting"), json!({})).await.code(200);
    assert_eq!(gone["kind"], "Pod", "the answer shows the pod");
    t.get(&t.core("pods/waiting")).await.refused(404, "NotFound");
    let pod = running(&t, "p", json!({})).await;
    let leaving = t.delete(&t.core("pods/p"), json!({})).await.code(200);
    assert_eq!(leaving["metadata"]["deletionGracePeriodSeconds"], 30);
    assert!(leaving["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(leaving["metadata"]["generation"].as_i64(), pod["metadata"]["generation"].as_i64().map(|old| old + 1));
    let again = t.delete(&t.core("pods/p"), json!({})).await.code(200);
    assert_eq!(version(&again), version(&leaving), "once is enough");
    t.delete(&t.core("pods/p"), json!({ "gracePeriodSeconds": 0 })).await.code(200);
    t.get(&t.core("pods/p")).await.refused(404, "NotFound");
    running(&t, "ended", json!({})).await;
    t.patch(&t.core("pods/ended/status"), PatchType::Merge, json!({ "status": { "phase": "Succeeded" } }))
        .await
        .code(200);
    t.delete(&t.core("pods/ended"), json!({})).await.code(200);
    t.get(&t.core("pods/ended")).await.refused(404, "NotFound");
}

pub(crate) async fn grace_becomes_shorter(t: Target) {
    running(&t, "p", json!({})).await;
    let grace = |pod: &Value| pod["metadata"]["deletionGracePeriodSeconds"].clone();
    assert_eq!(grace(&t.delete(&t.core("pods/p"), json!({ "gracePeriodSeconds": 600 })).await.code(200)), 600);
    let beside = t.delete(&t.core("pods/p?gracePeriodSeconds=40"), json!({})).await.code(200);
    assert_eq!(grace(&beside), 600, "beside a body, the query counts for nothing");
    let path = t.core("pods/p?gracePeriodSeconds=40");
    assert_eq!(grace(&t.send(http::Method::DELETE, &path, "application/json", None).await.code(200)), 40);
    assert_eq!(grace(&t.delete(&t.core("pods/p"), json!({ "gracePeriodSeconds": 20 })).await.code(200)), 20);
    assert_eq!(
        grace(&t.delete(&t.core("pods/p"), json!({ "gracePeriodSeconds": 100 })).await.code(200)),
        20,
        "not longer"
    );
}

pub(crate) async fn finalizers_hold(t: Target) {
    let mut map = config_map("a", json!({}));
    map["metadata"]["finalizers"] = json!(["quotree.io/one", "quotree.io/two"]);
    t.post(&t.core("configmaps"), map).await.code(201);
    let path = t.core("configmaps/a");
    let held = t.delete(&path, json!({})).await.code(200);
    assert_eq!(held["kind"], "ConfigMap", "what is held is shown");
    assert!(held["metadata"]["deletionTimestamp"].is_string());
    let finalizers = |list: Value| json!({ "metadata": { "finalizers": list } });
    let more = finalizers(json!(["quotree.io/one", "quotree.io/three"]));
    t.patch(&path, PatchType::Merge, more).await.refused(422, "Invalid");
    t.patch(&path, PatchType::Merge, finalizers(json!(["quotree.io/one"]))).await.code(200);
    t.get(&path).await.code(200);
    t.patch(&path, PatchType::Merge, finalizers(json!([]))).await.code(200);
    t.get(&path).await.refused(404, "NotFound");
}

pub(crate) async fn preconditions_of_deletes(t: Target) {
    let made = t.post(&t.core("configmaps"), config_map("a", json!({}))).await.code(201);
    let path = t.core("configmaps/a");
    let only = |field: &str, is: &str| json!({ "preconditions": { field: is } });
    t.delete(&path, only("uid", "00000000-0000-0000-0000-000000000000")).await.refused(409, "Conflict");
    t.delete(&path, only("resourceVersion", "1")).await.refused(409, "Conflict");
    let gone = t.delete(&path, only("uid", uid(&made))).await.code(200);
    assert_eq!((&gone["kind"], &gone["status"]), (&json!("Status"), &json!("Success")));
    assert_eq!(gone["details"]["uid"], made["metadata"]["uid"]);
    t.delete(&path, json!({})).await.refused(404, "NotFound");
}

pub(crate) async fn collections(t: Target) {
    for (name, label) in [("a", "x"), ("b", "x"), ("c", "y")] {
        let mut map = config_map(name, json!({}));
        map["metadata"]["labels"] = json!({ "of": label });
        t.post(&t.core("configmaps"), map).await.code(201);
    }
    let gone = t.delete(&t.core("configmaps?labelSelector=of=x"), json!({})).await.code(200);
    assert_eq!(gone["items"].as_array().map(Vec::len), Some(2));
    t.get(&t.core("configmaps/a")).await.refused(404, "NotFound");
    t.get(&t.core("configmaps/c")).await.code(200);
}

pub(crate) async fn namespaces_terminate(t: Target) {
    let other = t.within(&format!("{}-other", t.namespace)).await.unwrap();
    let path = t.cluster("v1", &format!("namespaces/{}", other.namespace));
    let made = t.get(&path).await.code(200);
    assert_eq!(made["status"]["phase"], "Active");
    assert_eq!(made["metadata"]["labels"]["kubernetes.io/metadata.name"], other.namespace.as_str());
    let ending = t.delete(&path, json!({})).await.code(200);
    assert_eq!(ending["status"]["phase"], "Terminating");
    let refused = other.post(&other.core("configmaps"), config_map("a", json!({}))).await.refused(403, "Forbidden");
    assert_eq!(refused.text("/details/causes/0/reason"), "NamespaceTerminating");
    let mut done = t.get(&path).await.code(200);
    done["spec"]["finalizers"] = json!([]);
    t.put(&format!("{path}/finalize"), done).await.code(200);
    t.get(&path).await.refused(404, "NotFound");
}
