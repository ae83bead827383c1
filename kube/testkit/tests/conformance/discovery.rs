//! What a client asks before it knows anything.

use crate::fixtures::{Expect, config_map, gated};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{Api, DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use quotree_kube_testkit::Target;
use serde_json::json;

pub(crate) async fn groups_and_resources(t: Target) {
    assert_eq!(t.get("/api").await.code(200)["versions"], json!(["v1"]));
    let groups = t.get("/apis").await.code(200);
    let names: Vec<_> = groups["groups"].as_array().unwrap().iter().map(|group| group["name"].clone()).collect();
    for group in ["policy", "scheduling.k8s.io", "coordination.k8s.io", "rbac.authorization.k8s.io", "events.k8s.io"] {
        assert!(names.contains(&json!(group)), "{group}");
    }
    let core = t.get("/api/v1").await.code(200);
    let find = |name: &str| core["resources"].as_array().unwrap().iter().find(|one| one["name"] == name).cloned();
    let pods = find("pods").unwrap();
    assert_eq!((&pods["kind"], &pods["namespaced"]), (&json!("Pod"), &json!(true)));
    for part in ["pods/status", "pods/eviction", "pods/binding", "serviceaccounts/token"] {
        assert!(find(part).is_some(), "{part}");
    }
    let policy = t.get("/apis/policy/v1").await.code(200);
    assert_eq!(policy["groupVersion"], "policy/v1");
    assert!(t.get("/version").await.code(200)["gitVersion"].is_string());
    assert_eq!(t.get("/readyz").await.code(200), json!("ok"));
}

pub(crate) async fn unknown_paths(t: Target) {
    for path in ["/apis/none.example.com/v1/things", "/apis/policy/v9/poddisruptionbudgets", "/api/v1/things"] {
        assert_eq!(t.get(path).await.unwrap().code, 404, "{path}");
    }
    t.post(&t.core("configmaps/a"), config_map("a", json!({}))).await.refused(405, "MethodNotAllowed");
    assert_eq!(t.get(&t.core("pods/x/nonsense")).await.unwrap().code, 404);
}

pub(crate) async fn with_the_client(t: Target) {
    let maps: Api<ConfigMap> = Api::namespaced(t.client(), &t.namespace);
    let metadata = ObjectMeta { name: Some("a".into()), ..ObjectMeta::default() };
    let made = maps.create(&PostParams::default(), &ConfigMap { metadata, ..ConfigMap::default() }).await.unwrap();
    assert!(made.metadata.uid.is_some());
    let pods: Api<Pod> = Api::namespaced(t.client(), &t.namespace);
    let body: Pod = serde_json::from_value(gated("p")).unwrap();
    pods.create(&PostParams::default(), &body).await.unwrap();
    let free = json!({ "spec": { "schedulingGates": [{ "name": "quotree.io/quota", "$patch": "delete" }] } });
    let freed = pods.patch("p", &PatchParams::default(), &Patch::Strategic(free)).await.unwrap();
    assert!(freed.spec.unwrap().scheduling_gates.unwrap_or_default().is_empty());
    assert_eq!(pods.list(&ListParams::default()).await.unwrap().items.len(), 1);
    let missing = pods.get("none").await.unwrap_err();
    assert!(matches!(missing, kube::Error::Api(status) if status.code == 404));
    let eviction = json!({ "apiVersion": "policy/v1", "kind": "Eviction", "metadata": { "name": "p" } });
    let answer: k8s_openapi::apimachinery::pkg::apis::meta::v1::Status =
        pods.create_subresource("eviction", "p", &PostParams::default(), &eviction).await.unwrap();
    assert_eq!(answer.status.as_deref(), Some("Success"));
    maps.delete("a", &DeleteParams::default()).await.unwrap();
}
