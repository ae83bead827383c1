//! Evictions, and the disruption budgets that they ask.

use crate::fixtures::{Expect, budget, gated, running, uid};
use quotree_kube_testkit::{Answer, Silence, Target, store::PatchType};
use serde_json::{Value, json};

async fn evict(t: &Target, name: &str, options: Value) -> Result<Answer, Silence> {
    let body = json!({
        "apiVersion": "policy/v1", "kind": "Eviction", "metadata": { "name": name }, "deleteOptions": options,
    });
    t.post(&t.core(&format!("pods/{name}/eviction")), body).await
}

async fn allowed(t: &Target, name: &str) -> Value {
    t.get(&t.of("policy/v1", &format!("poddisruptionbudgets/{name}"))).await.code(200)["status"]["disruptionsAllowed"]
        .clone()
}

pub(crate) async fn without_budget(t: Target) {
    running(&t, "p", json!({})).await;
    let answer = evict(&t, "p", json!({ "gracePeriodSeconds": 7 })).await.code(201);
    assert_eq!((&answer["kind"], &answer["status"]), (&json!("Status"), &json!("Success")));
    let leaving = t.get(&t.core("pods/p")).await.code(200);
    assert_eq!(leaving["metadata"]["deletionGracePeriodSeconds"], 7);
    let conditions = leaving["status"]["conditions"].as_array().unwrap();
    let target = conditions.iter().find(|one| one["type"] == "DisruptionTarget").unwrap();
    assert_eq!((&target["status"], &target["reason"]), (&json!("True"), &json!("EvictionByEvictionAPI")));
    evict(&t, "none", json!({})).await.refused(404, "NotFound");
}

pub(crate) async fn budget_is_taken(t: Target) {
    running(&t, "p", json!({ "app": "x" })).await;
    budget(&t, "b", "x", 2).await;
    evict(&t, "p", json!({})).await.code(201);
    assert_eq!(allowed(&t, "b").await, 1);
    let budget = t.get(&t.of("policy/v1", "poddisruptionbudgets/b")).await.code(200);
    assert!(budget["status"]["disruptedPods"]["p"].is_string());
}

pub(crate) async fn budget_is_spent(t: Target) {
    running(&t, "p", json!({ "app": "x" })).await;
    budget(&t, "b", "x", 0).await;
    let refused = evict(&t, "p", json!({})).await.refused(429, "TooManyRequests");
    assert_eq!(refused.text("/details/causes/0/reason"), "DisruptionBudget");
    assert!(refused.at("/details/retryAfterSeconds").is_null(), "no time is promised");
    let pod = t.get(&t.core("pods/p")).await.code(200);
    assert!(pod["metadata"]["deletionTimestamp"].is_null());
}

pub(crate) async fn two_budgets(t: Target) {
    running(&t, "p", json!({ "app": "x" })).await;
    budget(&t, "b", "x", 1).await;
    budget(&t, "c", "x", 1).await;
    let answer = evict(&t, "p", json!({})).await.refused(500, "");
    assert!(answer.text("/message").contains("more than one PodDisruptionBudget"), "{}", answer.body);
    assert_eq!(allowed(&t, "b").await, 1);
    let pod = t.get(&t.core("pods/p")).await.code(200);
    assert!(pod["metadata"]["deletionTimestamp"].is_null());
}

pub(crate) async fn negative_budget(t: Target) {
    running(&t, "p", json!({ "app": "x" })).await;
    budget(&t, "b", "x", 1).await;
    // The API checks that the number is none below zero: only a controller of another version could write it.
    let Some(server) = t.server() else { return };
    server.with_store(|store| {
        let kind = store.kinds().get("policy", "poddisruptionbudgets").cloned().unwrap();
        let mut budget = store.find(&kind, &t.namespace, "b").map(|budget| (**budget).clone()).unwrap();
        budget["status"]["disruptionsAllowed"] = json!(-1);
        let writer = quotree_kube_testkit::store::Writer::named("disruption-controller");
        store.update(&kind, (&t.namespace, "b"), "status", budget, &writer).unwrap();
    });
    evict(&t, "p", json!({})).await.refused(403, "Forbidden");
}

pub(crate) async fn unobserved_budget(t: Target) {
    running(&t, "p", json!({ "app": "x" })).await;
    budget(&t, "b", "x", 1).await;
    let path = t.of("policy/v1", "poddisruptionbudgets/b");
    t.patch(&path, PatchType::Merge, json!({ "spec": { "minAvailable": 2 } })).await.code(200);
    let refused = evict(&t, "p", json!({})).await.refused(429, "TooManyRequests");
    assert_eq!(refused.at("/details/retryAfterSeconds"), &json!(10));
}

pub(crate) async fn pending_and_ended_pass_over(t: Target) {
    let mut pending = gated("pending");
    pending["metadata"]["labels"] = json!({ "app": "x" });
    t.post(&t.core("pods"), pending).await.code(201);
    running(&t, "ended", json!({ "app": "x" })).await;
    running(&t, "leaving", json!({ "app": "x" })).await;
    budget(&t, "b", "x", 0).await;
    t.patch(&t.core("pods/ended/status"), PatchType::Merge, json!({ "status": { "phase": "Failed" } })).await.code(200);
    t.delete(&t.core("pods/leaving"), json!({})).await.code(200);
    for name in ["pending", "ended", "leaving"] {
        evict(&t, name, json!({})).await.code(201);
    }
    t.get(&t.core("pods/pending")).await.refused(404, "NotFound");
    t.get(&t.core("pods/ended")).await.refused(404, "NotFound");
    t.get(&t.core("pods/leaving")).await.code(200);
    assert_eq!(allowed(&t, "b").await, 0);
}

pub(crate) async fn eviction_preconditions(t: Target) {
    let pod = running(&t, "p", json!({})).await;
    let only = |field: &str, is: &str| json!({ "preconditions": { field: is } });
    evict(&t, "p", only("uid", "00000000-0000-0000-0000-000000000000")).await.refused(409, "Conflict");
    evict(&t, "p", only("resourceVersion", "1")).await.refused(409, "Conflict");
    let untouched = t.get(&t.core("pods/p")).await.code(200);
    assert_eq!(untouched["metadata"]["resourceVersion"], pod["metadata"]["resourceVersion"]);
    evict(&t, "p", only("uid", uid(&pod))).await.code(201);
}

pub(crate) async fn unready_pods(t: Target) {
    running(&t, "p", json!({ "app": "x" })).await;
    let unready = json!({ "status": { "conditions": [{ "type": "Ready", "status": "False" }] } });
    t.patch(&t.core("pods/p/status"), PatchType::Merge, unready).await.code(200);
    budget(&t, "b", "x", 0).await;
    // currentHealthy is 1 and desiredHealthy is 1: a pod that is not ready takes nothing from it.
    evict(&t, "p", json!({})).await.code(201);
}
