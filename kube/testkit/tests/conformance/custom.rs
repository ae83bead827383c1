//! Custom resources.

use crate::fixtures::{Expect, version};
use quotree_kube_testkit::{Target, store::PatchType};
use serde_json::{Value, json};
use std::time::Duration;

/// Defines the namespaced kind `Quota` in a group of this case.
pub(crate) async fn define(t: &Target, case: &str, status: bool) -> Value {
    let group = format!("{case}.quotree.test");
    let conditions = json!({
        "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"],
        "items": { "type": "object", "required": ["type"], "properties": {
            "type": { "type": "string" }, "status": { "type": "string" },
        } },
    });
    let schema = json!({ "openAPIV3Schema": { "type": "object", "properties": {
        "spec": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
        "status": {
            "type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": { "conditions": conditions },
        },
    } } });
    let mut of_version = json!({ "name": "v1", "served": true, "storage": true, "schema": schema });
    if status {
        of_version["subresources"] = json!({ "status": {} });
    }
    let mut older = of_version.clone();
    older["name"] = json!("v1beta1");
    older["storage"] = json!(false);
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("quotas.{group}") },
        "spec": {
            "group": group, "scope": "Namespaced", "versions": [of_version, older],
            "names": { "plural": "quotas", "singular": "quota", "kind": "Quota", "listKind": "QuotaList" },
        },
    });
    let path = t.cluster("apiextensions.k8s.io/v1", "customresourcedefinitions");
    let made = t.post(&path, definition).await.code(201);
    let list = t.of(&format!("{group}/v1"), "quotas");
    for _ in 0..100 {
        if t.get(&list).await.is_ok_and(|answer| answer.code == 200) {
            return made;
        }
        t.pass(Duration::from_millis(100)).await;
    }
    panic!("the definition is not served");
}

pub(crate) async fn protected_groups(t: Target) {
    let schema = json!({ "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } });
    let definition = |group: &str, approved: &str| {
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {
                "name": format!("things.{group}"), "annotations": { "api-approved.kubernetes.io": approved },
            },
            "spec": {
                "group": group, "scope": "Namespaced", "names": { "plural": "things", "kind": "Thing" },
                "versions": [{ "name": "v1", "served": true, "storage": true, "schema": schema }],
            },
        })
    };
    let path = t.cluster("apiextensions.k8s.io/v1", "customresourcedefinitions");
    t.post(&path, definition("protected.sigs.k8s.io", "")).await.refused(422, "Invalid");
    t.post(&path, definition("protected.sigs.k8s.io", "yes")).await.refused(422, "Invalid");
    t.post(&path, definition("protected.sigs.k8s.io", "unapproved, for a test")).await.code(201);
    t.post(&path, definition("unprotected.quotree.test", "")).await.code(201);
}

fn quota(case: &str, name: &str, spec: Value) -> Value {
    json!({ "apiVersion": format!("{case}.quotree.test/v1"), "kind": "Quota", "metadata": { "name": name }, "spec": spec })
}

pub(crate) async fn registered_kinds_work(t: Target) {
    define(&t, "registered", true).await;
    let quotas = t.of("registered.quotree.test/v1", "quotas");
    let made = t.post(&quotas, quota("registered", "q", json!({ "min": 1 }))).await.code(201);
    assert_eq!(made["metadata"]["generation"], 1);
    let path = format!("{quotas}/q");
    let mut unversioned = quota("registered", "q", json!({ "min": 2 }));
    t.put(&path, unversioned.clone()).await.refused(422, "Invalid");
    unversioned["metadata"]["resourceVersion"] = json!(version(&made));
    let updated = t.put(&path, unversioned).await.code(200);
    assert_eq!(updated["metadata"]["generation"], 2);
    let both = json!({ "metadata": { "labels": { "a": "b" } }, "spec": { "min": 3 }, "status": { "used": 1 } });
    let status = t.patch(&format!("{path}/status"), PatchType::Merge, both.clone()).await.code(200);
    assert_eq!((&status["spec"]["min"], &status["status"]["used"]), (&json!(2), &json!(1)));
    assert!(status["metadata"]["labels"].is_null(), "the status of a custom resource takes no labels");
    assert_eq!(status["metadata"]["generation"], 2);
    let main =
        t.patch(&path, PatchType::Merge, json!({ "spec": { "min": 3 }, "status": { "used": 9 } })).await.code(200);
    assert_eq!((&main["spec"]["min"], &main["status"]["used"]), (&json!(3), &json!(1)));
    t.patch(&path, PatchType::Strategic, json!({})).await.refused(415, "UnsupportedMediaType");
    let list = t.get(&quotas).await.code(200);
    assert_eq!((&list["kind"], &list["items"][0]["kind"]), (&json!("QuotaList"), &json!("Quota")));
    let nameless = json!({ "metadata": { "name": "r" }, "spec": {} });
    t.post(&quotas, nameless).await.refused(400, "BadRequest");
    assert_eq!(t.get(&t.of("registered.quotree.test/v1", "others")).await.unwrap().code, 404);
}

pub(crate) async fn generation_without_status_subresource(t: Target) {
    define(&t, "plain", false).await;
    let quotas = t.of("plain.quotree.test/v1", "quotas");
    t.post(&quotas, quota("plain", "q", json!({}))).await.code(201);
    let written = t.patch(&format!("{quotas}/q"), PatchType::Merge, json!({ "status": { "used": 1 } })).await.code(200);
    assert_eq!((&written["status"]["used"], &written["metadata"]["generation"]), (&json!(1), &json!(2)));
    let part = t.patch(&format!("{quotas}/q/status"), PatchType::Merge, json!({})).await.unwrap();
    assert_eq!(part.code, 404);
}

pub(crate) async fn definitions_end(t: Target) {
    define(&t, "ending", true).await;
    let quotas = t.of("ending.quotree.test/v1", "quotas");
    t.post(&quotas, quota("ending", "q", json!({}))).await.code(201);
    let path = t.cluster("apiextensions.k8s.io/v1", "customresourcedefinitions/quotas.ending.quotree.test");
    t.delete(&path, json!({})).await.code(200);
    for _ in 0..100 {
        if t.get(&quotas).await.is_ok_and(|answer| answer.code == 404) {
            return;
        }
        t.pass(Duration::from_millis(100)).await;
    }
    panic!("the kind is still served");
}

pub(crate) async fn several_versions(t: Target) {
    define(&t, "versions", true).await;
    t.post(&t.of("versions.quotree.test/v1", "quotas"), quota("versions", "q", json!({ "min": 1 }))).await.code(201);
    let older = t.get(&t.of("versions.quotree.test/v1beta1", "quotas/q")).await.code(200);
    assert_eq!((&older["apiVersion"], &older["spec"]["min"]), (&json!("versions.quotree.test/v1beta1"), &json!(1)));
}
