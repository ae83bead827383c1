//! Server-side apply.

use crate::fixtures::{Expect, config_map, pod};
use quotree_kube_testkit::{Target, store::PatchType};
use serde_json::{Value, json};

async fn apply(
    t: &Target,
    manager: &str,
    body: Value,
) -> Result<quotree_kube_testkit::Answer, quotree_kube_testkit::Silence> {
    let name = body["metadata"]["name"].as_str().unwrap().to_owned();
    t.patch(&t.core(&format!("configmaps/{name}?fieldManager={manager}")), PatchType::Apply, body).await
}

fn managers(object: &Value) -> Vec<String> {
    let entries = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let one =
        |entry: &Value| format!("{} {}", entry["manager"].as_str().unwrap(), entry["operation"].as_str().unwrap());
    let mut all: Vec<String> = entries.iter().map(one).collect();
    all.sort();
    all
}

pub(crate) async fn creates_and_owns(t: Target) {
    let made = apply(&t, "x", config_map("a", json!({ "k": "1" }))).await.code(201);
    let entry = &made["metadata"]["managedFields"][0];
    assert_eq!((&entry["manager"], &entry["operation"]), (&json!("x"), &json!("Apply")));
    assert_eq!(entry["fieldsV1"], json!({ "f:data": { "f:k": {} } }));
    let again = apply(&t, "x", config_map("a", json!({ "k": "1" }))).await.code(200);
    assert_eq!(again["metadata"]["resourceVersion"], made["metadata"]["resourceVersion"], "the same is no write");
    let unnamed = t.patch(&t.core("configmaps/a"), PatchType::Apply, config_map("a", json!({}))).await;
    assert!(matches!(unnamed.as_ref().map(|answer| answer.code), Ok(400 | 422)), "{unnamed:?}");
}

pub(crate) async fn conflicts_and_force(t: Target) {
    apply(&t, "x", config_map("a", json!({ "k": "1", "l": "1" }))).await.code(201);
    let refused = apply(&t, "y", config_map("a", json!({ "k": "2" }))).await.refused(409, "Conflict");
    assert_eq!(refused.text("/details/causes/0/reason"), "FieldManagerConflict");
    assert_eq!(refused.text("/details/causes/0/field"), ".data.k");
    assert!(refused.text("/message").contains("conflict with \"x\""), "{}", refused.text("/message"));
    let shared = apply(&t, "y", config_map("a", json!({ "k": "1" }))).await.code(200);
    assert_eq!(managers(&shared), ["x Apply", "y Apply"]);
    let path = t.core("configmaps/a?fieldManager=y&force=true");
    let forced = t.patch(&path, PatchType::Apply, config_map("a", json!({ "k": "2" }))).await.code(200);
    assert_eq!(forced["data"], json!({ "k": "2", "l": "1" }));
    let back = apply(&t, "x", config_map("a", json!({ "k": "1", "l": "1" }))).await.refused(409, "Conflict");
    assert!(back.text("/message").contains("conflict with \"y\""), "{}", back.text("/message"));
}

pub(crate) async fn removes_what_is_no_longer_stated(t: Target) {
    apply(&t, "x", config_map("a", json!({ "k": "1", "l": "1" }))).await.code(201);
    apply(&t, "y", config_map("a", json!({ "l": "1" }))).await.code(200);
    let left = apply(&t, "x", config_map("a", json!({}))).await.code(200);
    assert_eq!(left["data"], json!({ "l": "1" }), "k is gone, l is also y's");
}

pub(crate) async fn status_by_apply(t: Target) {
    t.post(&t.core("pods"), pod("p")).await.code(201);
    let condition = |of: &str, status: &str| {
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p" },
            "status": { "conditions": [{ "type": of, "status": status }] },
        })
    };
    let path = |manager: &str| t.core(&format!("pods/p/status?fieldManager={manager}"));
    t.patch(&path("x"), PatchType::Apply, condition("example.com/X", "True")).await.code(200);
    let both = t.patch(&path("y"), PatchType::Apply, condition("example.com/Y", "True")).await.code(200);
    assert_eq!(both["status"]["conditions"].as_array().map(Vec::len), Some(2), "conditions are merged by type");
    let refused =
        t.patch(&path("y"), PatchType::Apply, condition("example.com/X", "False")).await.refused(409, "Conflict");
    assert_eq!(refused.text("/details/causes/0/field"), ".status.conditions[type=\"example.com/X\"].status");
    let nothing = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p" } });
    let left = t.patch(&path("y"), PatchType::Apply, nothing).await.code(200);
    let types: Vec<_> =
        left["status"]["conditions"].as_array().unwrap().iter().map(|one| one["type"].clone()).collect();
    assert_eq!(types, ["example.com/X"]);
}

pub(crate) async fn custom_conditions_by_type(t: Target) {
    crate::custom::define(&t, "applied", true).await;
    let version = "applied.quotree.test/v1";
    let path = t.of(version, "quotas/q");
    let body =
        |spec: Value| json!({ "apiVersion": version, "kind": "Quota", "metadata": { "name": "q" }, "spec": spec });
    t.patch(&format!("{path}?fieldManager=x"), PatchType::Apply, body(json!({ "min": { "cpu": "1" } })))
        .await
        .code(201);
    let both = t
        .patch(&format!("{path}?fieldManager=y"), PatchType::Apply, body(json!({ "max": { "cpu": "2" } })))
        .await
        .code(200);
    assert_eq!(both["spec"], json!({ "min": { "cpu": "1" }, "max": { "cpu": "2" } }));
    let status = |of: &str| {
        json!({
            "apiVersion": version, "kind": "Quota", "metadata": { "name": "q" },
            "status": { "conditions": [{ "type": of, "status": "True" }] },
        })
    };
    t.patch(&format!("{path}/status?fieldManager=x"), PatchType::Apply, status("Valid")).await.code(200);
    let both = t.patch(&format!("{path}/status?fieldManager=y"), PatchType::Apply, status("Synced")).await.code(200);
    assert_eq!(both["status"]["conditions"].as_array().map(Vec::len), Some(2), "the schema names the key");
}

pub(crate) async fn updates_take_fields(t: Target) {
    apply(&t, "x", config_map("a", json!({ "k": "1" }))).await.code(201);
    let path = t.core("configmaps/a?fieldManager=editor");
    let edited = t.patch(&path, PatchType::Merge, json!({ "data": { "k": "2" } })).await.code(200);
    assert!(managers(&edited).contains(&"editor Update".to_owned()), "{:?}", managers(&edited));
    let refused = apply(&t, "x", config_map("a", json!({ "k": "1" }))).await.refused(409, "Conflict");
    assert!(refused.text("/message").contains("conflict with \"editor\""), "{}", refused.text("/message"));
}
