//! Watches.

use crate::custom::define;
use crate::fixtures::{Expect, config_map, events, pod, until_end, version};
use quotree_kube_testkit::{Target, store::PatchType};
use serde_json::{Value, json};

const OWN: &str = "fieldSelector=metadata.name!%3Dkube-root-ca.crt";

async fn create(t: &Target, name: &str) -> Value {
    t.post(&t.core("configmaps"), config_map(name, json!({}))).await.code(201)
}

pub(crate) async fn shows_changes_from_a_version(t: Target) {
    let before = create(&t, "before").await;
    let path = t.core(&format!("configmaps?{OWN}&timeoutSeconds=1&resourceVersion={}", version(&before)));
    create(&t, "a").await;
    let mut watch = t.watch(&path).await.unwrap();
    t.patch(&t.core("configmaps/a"), PatchType::Merge, json!({ "data": { "k": "v" } })).await.code(200);
    t.delete(&t.core("configmaps/a"), json!({})).await.code(200);
    let seen = until_end(&t, &mut watch).await;
    assert_eq!(events(&seen), ["ADDED a", "MODIFIED a", "DELETED a"]);
    assert_eq!(seen[1]["object"]["data"]["k"], "v");
    assert_eq!(seen[0]["object"]["kind"], "ConfigMap");
}

pub(crate) async fn starts_with_the_state(t: Target) {
    create(&t, "a").await;
    for from in ["", "&resourceVersion=0"] {
        let mut watch = t.watch(&t.core(&format!("configmaps?{OWN}&timeoutSeconds=1{from}"))).await.unwrap();
        assert_eq!(events(&until_end(&t, &mut watch).await), ["ADDED a"], "{from}");
    }
}

pub(crate) async fn sends_initial_events_and_says_so(t: Target) {
    create(&t, "a").await;
    let stream = format!("{OWN}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
    let mut watch = t.watch(&t.core(&format!("configmaps?{stream}&timeoutSeconds=5"))).await.unwrap();
    let first = watch.next().await.unwrap().unwrap();
    let second = watch.next().await.unwrap().unwrap();
    assert_eq!(events(&[first, second.clone()]), ["ADDED a", "BOOKMARK"]);
    let end = second.pointer("/object/metadata/annotations").and_then(|all| all.get("k8s.io/initial-events-end"));
    assert_eq!(end, Some(&json!("true")));
    let from = version(&second["object"]).to_owned();
    create(&t, "b").await;
    assert_eq!(events(&[watch.next().await.unwrap().unwrap()]), ["ADDED b"]);
    let mut again =
        t.watch(&t.core(&format!("configmaps?{OWN}&timeoutSeconds=1&resourceVersion={from}"))).await.unwrap();
    assert_eq!(events(&until_end(&t, &mut again).await), ["ADDED b"], "a watch can go on from the bookmark");
}

pub(crate) async fn ends_in_time(t: Target) {
    let now = t.get(&t.core("configmaps")).await.code(200);
    let path = t.core(&format!("configmaps?timeoutSeconds=1&resourceVersion={}", version(&now)));
    let mut watch = t.watch(&path).await.unwrap();
    assert_eq!(watch.code, 200);
    let seen = until_end(&t, &mut watch).await;
    assert!(events(&seen).iter().all(|event| event == "ADDED kube-root-ca.crt"), "{seen:?}");
}

pub(crate) async fn leaves_the_selection(t: Target) {
    let mut waiting = pod("p");
    waiting["metadata"]["labels"] = json!({ "app": "x" });
    let made = t.post(&t.core("pods"), waiting).await.code(201);
    let from = version(&made);
    let by_label = t.core(&format!("pods?labelSelector=app=x&timeoutSeconds=1&resourceVersion={from}"));
    let by_phase =
        t.core(&format!("pods?fieldSelector=status.phase!%3DFailed&timeoutSeconds=1&resourceVersion={from}"));
    let mut by_label = t.watch(&by_label).await.unwrap();
    let mut by_phase = t.watch(&by_phase).await.unwrap();
    let label = |value: Value| json!({ "metadata": { "labels": { "app": value } } });
    let away = t.patch(&t.core("pods/p"), PatchType::Merge, label(json!("y"))).await.code(200);
    t.patch(&t.core("pods/p"), PatchType::Merge, label(json!("x"))).await.code(200);
    t.patch(&t.core("pods/p/status"), PatchType::Merge, json!({ "status": { "phase": "Failed" } })).await.code(200);
    let seen = until_end(&t, &mut by_label).await;
    assert_eq!(events(&seen), ["DELETED p", "ADDED p", "MODIFIED p"]);
    assert_eq!(seen[0]["object"]["metadata"]["labels"]["app"], "x", "the last state that was selected");
    assert_eq!(version(&seen[0]["object"]), version(&away), "with the version of the change");
    let seen = by_phase.rest().await.unwrap();
    assert_eq!(events(&seen), ["MODIFIED p", "MODIFIED p", "DELETED p"]);
}

pub(crate) async fn refuses_wrong_options(t: Target) {
    t.get(&t.core("configmaps?watch=true&sendInitialEvents=true")).await.refused(422, "Invalid");
    t.get(&t.core("configmaps?watch=true&resourceVersionMatch=NotOlderThan&resourceVersion=1"))
        .await
        .refused(422, "Invalid");
    // Not the fault of the client, says the server.
    t.get(&t.core("configmaps?watch=true&resourceVersion=x")).await.refused(500, "");
    // A real server remembers what has changed since it began to serve the kind, and so for a kind of its own kinds all.
    define(&t, "expiring", false).await;
    let path = t.of("expiring.quotree.test/v1", "quotas?resourceVersion=1&timeoutSeconds=1");
    let mut old = t.watch(&path).await.unwrap();
    if let Some(server) = t.server() {
        server.with_store(|store| store.compact(store.revision()));
    }
    let first = old.next().await.unwrap();
    assert_eq!(old.code, 200);
    let first = first.expect("an event");
    assert_eq!(first["type"], "ERROR", "{first}");
    assert_eq!((&first["object"]["code"], &first["object"]["reason"]), (&json!(410), &json!("Expired")));
    assert_eq!(old.next().await.unwrap(), None);
}

pub(crate) async fn shows_the_version_of_an_end(t: Target) {
    let made = create(&t, "a").await;
    let mut watch = t
        .watch(&t.core(&format!("configmaps?{OWN}&timeoutSeconds=1&resourceVersion={}", version(&made))))
        .await
        .unwrap();
    t.delete(&t.core("configmaps/a"), json!({})).await.code(200);
    let end = watch.next().await.unwrap().unwrap();
    assert_eq!(events(std::slice::from_ref(&end)), ["DELETED a"]);
    let number = |object: &Value| version(object).parse::<u64>().unwrap();
    assert!(number(&end["object"]) > number(&made), "an end has a version of its own");
}
