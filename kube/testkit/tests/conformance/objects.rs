//! Creating, reading and replacing objects.

use crate::fixtures::{Expect, config_map, gated, pod, uid, version};
use quotree_kube_testkit::{Target, store::PatchType};
use serde_json::json;

pub(crate) async fn creates_and_reads(t: Target) {
    let maps = t.core("configmaps");
    let made = t.post(&maps, config_map("a", json!({ "k": "v" }))).await.code(201);
    assert_eq!(made["kind"], "ConfigMap");
    assert_eq!(made["metadata"]["namespace"], t.namespace.as_str());
    assert!(!uid(&made).is_empty() && made["metadata"]["creationTimestamp"].is_string());
    assert!(version(&made).parse::<u64>().unwrap() > 0);
    assert!(made["metadata"]["generation"].is_null(), "a ConfigMap has no generation");
    let read = t.get(&t.core("configmaps/a")).await.code(200);
    assert_eq!(read, made);
    let other = t.post(&maps, config_map("b", json!({}))).await.code(201);
    let number = |object| version(object).parse::<u64>().unwrap();
    assert!(number(&other) > number(&made), "one resourceVersion rises for all");
    let missing = t.get(&t.core("configmaps/none")).await.refused(404, "NotFound");
    assert_eq!(missing.text("/message"), "configmaps \"none\" not found");
    assert_eq!(missing.text("/details/kind"), "configmaps");
}

pub(crate) async fn refuses_wrong_creates(t: Target) {
    let maps = t.core("configmaps");
    t.post(&maps, config_map("a", json!({}))).await.code(201);
    t.post(&maps, config_map("a", json!({}))).await.refused(409, "AlreadyExists");
    t.post(&maps, config_map("Not_a_name", json!({}))).await.refused(422, "Invalid");
    t.post(&maps, config_map("", json!({}))).await.refused(422, "Invalid");
    let mut elsewhere = config_map("b", json!({}));
    elsewhere["metadata"]["namespace"] = json!("elsewhere");
    t.post(&maps, elsewhere).await.refused(400, "BadRequest");
    let mut versioned = config_map("b", json!({}));
    versioned["metadata"]["resourceVersion"] = json!("1");
    t.post(&maps, versioned).await.refused(500, "");
    let mut secret = config_map("b", json!({}));
    secret["kind"] = json!("Secret");
    t.post(&maps, secret).await.refused(400, "BadRequest");
}

pub(crate) async fn replaces_with_preconditions(t: Target) {
    let path = t.core("configmaps/a");
    let first = t.post(&t.core("configmaps"), config_map("a", json!({ "k": "1" }))).await.code(201);
    let mut second = first.clone();
    second["data"]["k"] = json!("2");
    let second = t.put(&path, second).await.code(200);
    assert_ne!(version(&second), version(&first));
    assert_eq!(uid(&second), uid(&first));
    let mut stale = first.clone();
    stale["data"]["k"] = json!("3");
    t.put(&path, stale).await.refused(409, "Conflict");
    t.put(&path, config_map("a", json!({ "k": "4" }))).await.code(200);
    let mut other = config_map("a", json!({}));
    other["metadata"]["uid"] = json!("00000000-0000-0000-0000-000000000000");
    t.put(&path, other).await.refused(409, "Conflict");
    t.put(&path, config_map("b", json!({}))).await.refused(400, "BadRequest");
    t.put(&t.core("configmaps/none"), config_map("none", json!({}))).await.refused(404, "NotFound");
}

pub(crate) async fn moves_generation(t: Target) {
    let budgets = t.of("policy/v1", "poddisruptionbudgets");
    let body = json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": { "name": "b" },
        "spec": { "minAvailable": 1, "selector": { "matchLabels": { "app": "x" } } },
    });
    let generation = |object: &serde_json::Value| object["metadata"]["generation"].clone();
    assert_eq!(generation(&t.post(&budgets, body).await.code(201)), 1);
    let path = format!("{budgets}/b");
    let labelled = t.patch(&path, PatchType::Merge, json!({ "metadata": { "labels": { "a": "b" } } })).await.code(200);
    assert_eq!(generation(&labelled), 1, "metadata does not count");
    let status = json!({ "status": { "disruptionsAllowed": 1 } });
    assert_eq!(generation(&t.patch(&format!("{path}/status"), PatchType::Merge, status).await.code(200)), 1);
    let spec = json!({ "spec": { "minAvailable": 2 } });
    assert_eq!(generation(&t.patch(&path, PatchType::Merge, spec).await.code(200)), 2);
    let made = t.post(&t.core("pods"), gated("p")).await.code(201);
    assert_eq!(generation(&made), 1);
    let free = json!({ "spec": { "schedulingGates": [{ "name": "quotree.io/quota", "$patch": "delete" }] } });
    let freed = t.patch(&t.core("pods/p"), PatchType::Strategic, free).await.code(200);
    assert_eq!(generation(&freed), 2, "a gate is in the spec");
}

pub(crate) async fn keeps_what_does_not_change(t: Target) {
    let path = t.core("configmaps/a");
    let made = t.post(&t.core("configmaps"), config_map("a", json!({ "k": "1" }))).await.code(201);
    let same = t.patch(&path, PatchType::Merge, json!({ "data": { "k": "1" } })).await.code(200);
    assert_eq!(version(&same), version(&made), "nothing changed, nothing was written");
    let mut forged = made.clone();
    forged["metadata"]["creationTimestamp"] = json!("2001-01-01T00:00:00Z");
    forged["metadata"]["generation"] = json!(7);
    forged["data"]["k"] = json!("2");
    let mut ending = forged.clone();
    ending["metadata"]["deletionTimestamp"] = json!("2001-01-01T00:00:00Z");
    t.put(&path, ending).await.refused(422, "Invalid");
    let kept = t.put(&path, forged).await.code(200);
    assert_eq!(kept["metadata"]["creationTimestamp"], made["metadata"]["creationTimestamp"]);
    assert!(kept["metadata"]["deletionTimestamp"].is_null());
}

pub(crate) async fn generates_names(t: Target) {
    let mut body = config_map("", json!({}));
    body["metadata"] = json!({ "generateName": "some-" });
    let mut dotted = body.clone();
    dotted["metadata"]["generateName"] = json!("some.");
    t.post(&t.core("configmaps"), dotted).await.refused(422, "Invalid");
    let first = t.post(&t.core("configmaps"), body.clone()).await.code(201);
    let second = t.post(&t.core("configmaps"), body).await.code(201);
    let name = |object: &serde_json::Value| object["metadata"]["name"].as_str().unwrap().to_owned();
    assert!(name(&first).starts_with("some-") && name(&first).len() == 10, "{}", name(&first));
    assert_ne!(name(&first), name(&second));
}

pub(crate) async fn leases_need_their_version(t: Target) {
    let path = t.of("coordination.k8s.io/v1", "leases/l");
    let lease = |holder: &str| {
        json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": { "name": "l" },
            "spec": { "holderIdentity": holder, "leaseDurationSeconds": 15 },
        })
    };
    let made = t.post(&t.of("coordination.k8s.io/v1", "leases"), lease("a")).await.code(201);
    t.put(&path, lease("b")).await.refused(422, "Invalid");
    let mut taken = lease("b");
    taken["metadata"]["resourceVersion"] = json!(version(&made));
    t.put(&path, taken.clone()).await.code(200);
    taken["spec"]["holderIdentity"] = json!("c");
    t.put(&path, taken).await.refused(409, "Conflict");
}

pub(crate) async fn events_are_kept(t: Target) {
    let event = json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": { "name": "e" },
        "eventTime": "2026-01-01T00:00:00.000000Z", "action": "Evict", "reason": "Reclaim", "type": "Normal",
        "note": "said why", "reportingController": "quotree.io/scheduler", "reportingInstance": "x",
        "regarding": { "apiVersion": "v1", "kind": "Pod", "name": "p", "namespace": t.namespace },
    });
    let events = t.of("events.k8s.io/v1", "events");
    t.post(&events, event).await.code(201);
    let series = json!({ "series": { "count": 2, "lastObservedTime": "2026-01-01T00:00:05.000000Z" } });
    let folded = t.patch(&format!("{events}/e"), PatchType::Merge, series).await.code(200);
    assert_eq!(folded["series"]["count"], 2);
    assert_eq!(folded["note"], "said why");
}

pub(crate) async fn config_of_unknown_namespace(t: Target) {
    let elsewhere = "/api/v1/namespaces/not-there/configmaps";
    let refused = t.post(elsewhere, config_map("a", json!({}))).await.refused(404, "NotFound");
    assert_eq!(refused.text("/message"), "namespaces \"not-there\" not found");
    assert_eq!(t.get(elsewhere).await.code(200)["items"], json!([]), "a list of it is empty");
}

pub(crate) async fn dry_run_writes_nothing(t: Target) {
    let path = t.core("configmaps");
    t.post(&format!("{path}?dryRun=All"), config_map("a", json!({}))).await.code(201);
    t.get(&format!("{path}/a")).await.refused(404, "NotFound");
    t.post(&t.core("pods"), pod("p")).await.code(201);
    t.delete(&t.core("pods/p"), json!({ "dryRun": ["All"] })).await.code(200);
    let path = t.core("pods/p?dryRun=All");
    t.send(http::Method::DELETE, &path, "application/json", None).await.code(200);
    t.get(&t.core("pods/p")).await.code(200);
    t.delete(&path, json!({})).await.code(200);
    t.get(&t.core("pods/p")).await.refused(404, "NotFound");
}
