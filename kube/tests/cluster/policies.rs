//! The admission policies of `kube/config`, on a real API server: the one in memory has none.

use crate::server::{ADAPTER, Server, create};
use quotree_kube::{act::gate::admission, actor::PodKey, settings::Mode};
use quotree_kube_testkit::{Answer, Target, store::PatchType};
use serde_json::{Value, json};
use std::time::Duration;

const COMMON: &str = include_str!("../../config/base/policies.json");
const GATE: &str = include_str!("../../config/gate/policies.json");
const BIND: &str = include_str!("../../config/bind/policies.json");
const RBAC: &str = "rbac.authorization.k8s.io/v1";

/// Puts the policies of a mode in force, and makes a managed namespace `team` and another, `free`. Returns `team`.
async fn team(server: &Server, mode: Mode) -> Target {
    let admin = server.target();
    server.prepare(mode).await;
    for text in [COMMON, if mode == Mode::Bind { BIND } else { GATE }] {
        create(&admin, &serde_json::from_str(text).unwrap()).await;
    }
    for (name, managed) in [("team", "true"), ("free", "false")] {
        let labels = json!({ "quotree.io/managed": managed, "quota.scheduling.koordinator.sh/name": "root.team" });
        let namespace = json!({ "metadata": { "name": name, "labels": labels } });
        assert_eq!(admin.post("/api/v1/namespaces", namespace).await.unwrap().code, 201);
        member(&admin, name).await;
    }
    let team = admin.in_namespace("team");
    // A policy counts a moment after it was created.
    for number in 0..100 {
        let probe = post(&team, &format!("probe-{number}"), json!({})).await;
        let changed = if mode == Mode::Bind { scheduler(&probe) == "quotree" } else { gates(&probe) == 1 };
        let denied = post(&alice(&team), &format!("placed-{number}"), json!({ "nodeName": "n" })).await.code == 403;
        let forged =
            pod(&format!("forged-{number}"), json!({}), json!({ "quota.scheduling.koordinator.sh/name": "x" }));
        let forged = alice(&team).post(&team.core("pods"), forged).await.unwrap().code == 403;
        if changed && denied && forged {
            return team;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the policies do not count");
}

/// Lets `alice` do everything with pods in a namespace, but bind them.
async fn member(admin: &Target, namespace: &str) {
    let t = admin.in_namespace(namespace);
    let role = json!({
        "metadata": { "name": "member" },
        "rules": [{ "apiGroups": [""], "resources": ["pods", "pods/status", "pods/eviction", "pods/log"], "verbs": ["*"] }],
    });
    t.post(&t.of(RBAC, "roles"), role).await.unwrap();
    let binding = json!({
        "metadata": { "name": "members" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "member" },
        "subjects": [{ "kind": "User", "name": "alice", "apiGroup": "rbac.authorization.k8s.io" }],
    });
    t.post(&t.of(RBAC, "rolebindings"), binding).await.unwrap();
}

fn alice(t: &Target) -> Target {
    t.as_user("alice", &[])
}

fn pod(name: &str, spec: Value, labels: Value) -> Value {
    let mut spec = spec;
    spec["containers"] = json!([{ "name": "main", "image": "example.com/nothing:1" }]);
    json!({ "metadata": { "name": name, "labels": labels }, "spec": spec })
}

async fn post(t: &Target, name: &str, spec: Value) -> Answer {
    t.post(&t.core("pods"), pod(name, spec, json!({}))).await.unwrap()
}

/// How often a pod has our gate.
fn gates(pod: &Answer) -> usize {
    let gates = pod.at("/spec/schedulingGates").as_array();
    gates.map_or(0, |gates| gates.iter().filter(|gate| gate["name"] == "quotree.io/quota").count())
}

fn scheduler(pod: &Answer) -> &str {
    pod.text("/spec/schedulerName")
}

fn is_denied(answer: &Answer, by: &str) {
    assert_eq!((answer.code, answer.reason()), (403, "Forbidden"), "{}", answer.body);
    assert!(answer.text("/message").contains(by), "{}", answer.text("/message"));
}

pub(crate) async fn the_gate_comes_by_itself_and_only_we_remove_it(server: Server) {
    let team = team(&server, Mode::Gate).await;
    let free = team.in_namespace("free");
    // It is added once, beside others, and only where it must be.
    assert_eq!(gates(&post(&alice(&team), "plain", json!({})).await), 1);
    let own = json!({ "schedulingGates": [{ "name": "quotree.io/quota" }] });
    assert_eq!(gates(&post(&alice(&team), "own", own).await), 1);
    let other = post(&alice(&team), "other", json!({ "schedulingGates": [{ "name": "example.com/other" }] })).await;
    assert_eq!((gates(&other), other.at("/spec/schedulingGates").as_array().map(Vec::len)), (1, Some(2)));
    assert_eq!(gates(&post(&alice(&free), "plain", json!({})).await), 0);
    let mut of_daemon_set = pod("daemon", json!({}), json!({}));
    let owner = json!({ "apiVersion": "apps/v1", "kind": "DaemonSet", "name": "d", "uid": "0", "controller": true });
    of_daemon_set["metadata"]["ownerReferences"] = json!([owner]);
    let controller = "system:serviceaccount:kube-system:daemon-set-controller";
    let claimed = alice(&team).post(&team.core("pods"), of_daemon_set.clone()).await.unwrap();
    assert_eq!((claimed.code, gates(&claimed)), (201, 1), "whoever only claims to be of a DaemonSet: {}", claimed.body);
    of_daemon_set["metadata"]["name"] = json!("true-daemon");
    let controlled = team.as_user(controller, &[]).post(&team.core("pods"), of_daemon_set).await.unwrap();
    assert_eq!((controlled.code, gates(&controlled)), (201, 0), "{}", controlled.body);
    // Only we remove it, by the very patch that we send.
    let made = team.get(&team.core("pods/plain")).await.unwrap();
    let key = PodKey {
        namespace: "team".into(),
        name: "plain".into(),
        uid: made.text("/metadata/uid").into(),
        version: made.text("/metadata/resourceVersion").into(),
    };
    let patch = admission(&key, Some(&"node-1".into()));
    let path = team.core("pods/plain");
    let denied = alice(&team).patch(&path, PatchType::Strategic, patch.clone()).await.unwrap();
    is_denied(&denied, "only the quota scheduler removes the gate");
    let replaced = json!([{ "op": "remove", "path": "/spec/schedulingGates" }]);
    is_denied(&alice(&team).patch(&path, PatchType::Json, replaced).await.unwrap(), "only the quota scheduler");
    let labelled = json!({ "metadata": { "annotations": { "a": "b" } } });
    assert_eq!(alice(&team).patch(&path, PatchType::Merge, labelled).await.unwrap().code, 200, "all else is hers");
    let stale = team.as_user(ADAPTER, &[]).patch(&path, PatchType::Strategic, patch.clone()).await.unwrap();
    assert_eq!((stale.code, stale.reason()), (409, "Conflict"), "{}", stale.body);
    let now = team.get(&path).await.unwrap();
    let patch =
        admission(&PodKey { version: now.text("/metadata/resourceVersion").into(), ..key }, Some(&"node-1".into()));
    let admitted = team.as_user(ADAPTER, &[]).patch(&path, PatchType::Strategic, patch).await.unwrap();
    assert_eq!((admitted.code, gates(&admitted)), (200, 0), "{}", admitted.body);
    assert_eq!(admitted.text("/spec/nodeSelector/kubernetes.io~1hostname"), "node-1");
    // The administrator may: so are pods freed when the scheduler is removed.
    let freed = json!({ "spec": { "schedulingGates": [{ "name": "quotree.io/quota", "$patch": "delete" }] } });
    assert_eq!(team.patch(&team.core("pods/own"), PatchType::Strategic, freed).await.unwrap().code, 200);
}

pub(crate) async fn nobody_passes_by_the_quota(server: Server) {
    let team = team(&server, Mode::Gate).await;
    let alice = alice(&team);
    is_denied(&post(&alice, "placed", json!({ "nodeName": "node-1" })).await, "it would pass by its quota");
    let node = team.as_user("system:node:node-1", &["system:nodes"]);
    let mirror = json!({ "nodeName": "node-1" });
    // What a node creates is decided by the Node authorizer and its admission, not by us.
    let by_node = post(&node, "mirror", mirror.clone()).await;
    assert!(!by_node.text("/message").contains("quota"), "{}", by_node.body);
    assert_eq!(post(&team, "by-admin", mirror).await.code, 201);
    let binding = json!({
        "apiVersion": "v1", "kind": "Binding", "metadata": { "name": "plain" },
        "target": { "apiVersion": "v1", "kind": "Node", "name": "node-1" },
    });
    let gated = post(&alice, "plain", json!({})).await;
    assert_eq!((gated.code, gates(&gated)), (201, 1));
    assert_eq!(alice.post(&team.core("pods/plain/binding"), binding).await.unwrap().code, 403);
    // The label that names a quota.
    let label = |is: &str| json!({ "quota.scheduling.koordinator.sh/name": is });
    let create = async |name: &str, is: &str| {
        let body = pod(name, json!({}), label(is));
        alice.post(&team.core("pods"), body).await.unwrap()
    };
    is_denied(&create("stranger", "root.other").await, "must equal that of its namespace");
    assert_eq!(create("right", "root.team").await.code, 201);
    for (name, change) in [
        ("right", label("root.other")),
        ("right", json!({ "quota.scheduling.koordinator.sh/name": null })),
        ("plain", label("root.team")),
    ] {
        let patch = json!({ "metadata": { "labels": change } });
        let answer = alice.patch(&team.core(&format!("pods/{name}")), PatchType::Merge, patch).await.unwrap();
        is_denied(&answer, "does not change");
    }
    // Who is protected from eviction: at the creation by label, later by nothing.
    let protected = json!({ "quota.scheduling.koordinator.sh/preemptible": "false" });
    let made = alice.post(&team.core("pods"), pod("protected", json!({}), protected.clone())).await.unwrap();
    assert_eq!(made.code, 201);
    let owner =
        json!([{ "apiVersion": "fake.io/v1", "kind": "DaemonSet", "name": "d", "uid": "0", "controller": true }]);
    for (metadata, why) in [
        (json!({ "labels": protected }), "does not change while it exists"),
        (json!({ "annotations": { "volcano.sh/preemptable": "false" } }), "does not change while it exists"),
        (json!({ "ownerReferences": owner }), "only the DaemonSet controller"),
    ] {
        let patch = json!({ "metadata": metadata });
        let answer = alice.patch(&team.core("pods/plain"), PatchType::Merge, patch).await.unwrap();
        is_denied(&answer, why);
    }
    let all_else = json!({ "metadata": { "labels": { "mine": "1" }, "annotations": { "mine": "2" } } });
    for name in ["plain", "protected"] {
        let path = team.core(&format!("pods/{name}"));
        assert_eq!(alice.patch(&path, PatchType::Merge, all_else.clone()).await.unwrap().code, 200);
    }
}

pub(crate) async fn in_bind_mode_pods_name_us(server: Server) {
    let team = team(&server, Mode::Bind).await;
    for (name, spec) in [("plain", json!({})), ("other", json!({ "schedulerName": "somebody-else" }))] {
        let made = post(&alice(&team), name, spec).await;
        assert_eq!((made.code, scheduler(&made), gates(&made)), (201, "quotree", 0), "{}", made.body);
    }
    let free = team.in_namespace("free");
    assert_eq!(scheduler(&post(&alice(&free), "plain", json!({})).await), "default-scheduler");
}
