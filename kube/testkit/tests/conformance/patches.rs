//! The types of patches, except apply.

use crate::fixtures::{Expect, config_map, gated, pod, version};
use quotree_kube_testkit::{Target, store::PatchType};
use serde_json::json;

pub(crate) async fn merge(t: Target) {
    t.post(&t.core("configmaps"), config_map("a", json!({ "k": "1", "l": "1" }))).await.code(201);
    let patched = t.patch(&t.core("configmaps/a"), PatchType::Merge, json!({ "data": { "k": null, "m": "2" } })).await;
    assert_eq!(patched.code(200)["data"], json!({ "l": "1", "m": "2" }));
    t.patch(&t.core("configmaps/none"), PatchType::Merge, json!({})).await.refused(404, "NotFound");
    t.patch(&t.core("configmaps/a"), PatchType::Merge, json!({ "metadata": { "name": "b" } }))
        .await
        .refused(400, "BadRequest");
}

pub(crate) async fn json(t: Target) {
    t.post(&t.core("configmaps"), config_map("a", json!({ "k": "1" }))).await.code(201);
    let path = t.core("configmaps/a");
    let operations = json!([
        { "op": "test", "path": "/data/k", "value": "1" },
        { "op": "replace", "path": "/data/k", "value": "2" },
        { "op": "add", "path": "/data/l", "value": "3" },
    ]);
    assert_eq!(t.patch(&path, PatchType::Json, operations).await.code(200)["data"], json!({ "k": "2", "l": "3" }));
    let failing = json!([{ "op": "test", "path": "/data/k", "value": "1" }]);
    t.patch(&path, PatchType::Json, failing).await.refused(422, "Invalid");
    t.patch(&path, PatchType::Json, json!([{ "op": "remove", "path": "/data/none" }])).await.refused(422, "Invalid");
    t.patch(&path, PatchType::Json, json!({})).await.refused(400, "BadRequest");
}

pub(crate) async fn strategic_merge(t: Target) {
    let mut two_gates = gated("p");
    two_gates["spec"]["schedulingGates"] = json!([{ "name": "example.com/other" }, { "name": "quotree.io/quota" }]);
    t.post(&t.core("pods"), two_gates).await.code(201);
    let condition = |of: &str, status: &str| json!({ "type": of, "status": status, "reason": "Some", "message": "m" });
    let path = t.core("pods/p/status");
    let add = json!({ "status": { "conditions": [condition("quotree.io/QuotaAdmitted", "False")] } });
    t.patch(&path, PatchType::Strategic, add).await.code(200);
    let change = json!({ "status": { "conditions": [{ "type": "quotree.io/QuotaAdmitted", "status": "True" }] } });
    let changed = t.patch(&path, PatchType::Strategic, change).await.code(200);
    let conditions = changed["status"]["conditions"].as_array().unwrap();
    let ours: Vec<_> = conditions.iter().filter(|one| one["type"] == "quotree.io/QuotaAdmitted").collect();
    assert_eq!(ours.len(), 1, "merged by type");
    assert_eq!((&ours[0]["status"], &ours[0]["reason"]), (&json!("True"), &json!("Some")), "field by field");
    let admit = json!({ "spec": {
        "schedulingGates": [{ "name": "quotree.io/quota", "$patch": "delete" }],
        "nodeSelector": { "kubernetes.io/hostname": "n" },
    } });
    let admitted = t.patch(&t.core("pods/p"), PatchType::Strategic, admit).await.code(200);
    assert_eq!(admitted["spec"]["schedulingGates"], json!([{ "name": "example.com/other" }]), "deleted by name");
    assert_eq!(admitted["spec"]["nodeSelector"]["kubernetes.io/hostname"], "n");
    let ours_gone = json!({ "status": { "conditions": [{ "type": "quotree.io/QuotaAdmitted", "$patch": "delete" }] } });
    let without = t.patch(&path, PatchType::Strategic, ours_gone).await.code(200);
    let left = without["status"]["conditions"]
        .as_array()
        .map_or(0, |all| all.iter().filter(|one| one["type"] == "quotree.io/QuotaAdmitted").count());
    assert_eq!(left, 0);
}

pub(crate) async fn media_types(t: Target) {
    t.post(&t.core("configmaps"), config_map("a", json!({}))).await.code(201);
    let path = t.core("configmaps/a");
    let plain = t.send(http::Method::PATCH, &path, "application/json", Some(json!({}))).await;
    plain.refused(415, "UnsupportedMediaType");
}

pub(crate) async fn preconditions(t: Target) {
    let made = t.post(&t.core("pods"), pod("p")).await.code(201);
    let path = t.core("pods/p");
    let label = |value: &str| json!({ "metadata": { "labels": { "a": value } } });
    let with = |field: &str, is: &str| {
        let mut patch = label("with");
        patch["metadata"][field] = json!(is);
        patch
    };
    t.patch(&path, PatchType::Strategic, label("first")).await.code(200);
    let stale = t.patch(&path, PatchType::Strategic, with("resourceVersion", version(&made))).await;
    stale.refused(409, "Conflict");
    let stranger = with("uid", "00000000-0000-0000-0000-000000000000");
    t.patch(&path, PatchType::Strategic, stranger).await.refused(422, "Invalid");
    let right = with("uid", made["metadata"]["uid"].as_str().unwrap());
    t.patch(&path, PatchType::Strategic, right).await.code(200);
}

pub(crate) async fn status_apart(t: Target) {
    t.post(&t.core("pods"), pod("p")).await.code(201);
    let both = |label: &str, phase: &str| json!({ "metadata": { "labels": { "a": label } }, "spec": { "priority": 0 }, "status": { "phase": phase } });
    let main = t.patch(&t.core("pods/p"), PatchType::Merge, both("main", "Running")).await.code(200);
    assert_eq!((&main["metadata"]["labels"]["a"], &main["status"]["phase"]), (&json!("main"), &json!("Pending")));
    let body = json!({ "metadata": { "labels": { "a": "status" } }, "spec": { "nodeName": "n" }, "status": { "phase": "Running" } });
    let status = t.patch(&t.core("pods/p/status"), PatchType::Merge, body).await.code(200);
    assert_eq!(status["status"]["phase"], "Running");
    assert!(status["spec"]["nodeName"].is_null(), "the spec is not written by the status");
    assert_eq!(status["metadata"]["labels"]["a"], "status", "labels of a built-in kind are");
    let read = t.get(&t.core("pods/p/status")).await.code(200);
    assert_eq!(read["status"]["phase"], "Running");
}
