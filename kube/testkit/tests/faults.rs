//! What only the server in memory does: faults, its own time, and the stand-ins for controllers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use quotree_kube_testkit::{
    FakeServer, Target,
    faults::{Fault, Faults, Rule, Verb, WatchFault},
    kubelet::Kubelet,
    stand_ins,
    store::{PatchType, Writer},
};
use serde_json::{Value, json};
use std::time::Duration;

fn start(faults: Faults) -> (FakeServer, Target) {
    let server = FakeServer::with_faults(faults);
    let target = Target::fake(&server, server.client());
    (server, target)
}

fn map(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name } })
}

#[tokio::test]
async fn a_cut_before_the_commit_writes_nothing_and_one_after_it_does() {
    let (server, t) = start(
        Faults::none()
            .with(Rule::on(Verb::Create, "configmaps", Fault::Cut).nth(1))
            .with(Rule::on(Verb::Create, "configmaps", Fault::Cut).nth(2).after_commit()),
    );
    let path = t.core("configmaps");
    assert!(t.post(&path, map("a")).await.is_err());
    assert_eq!(t.get(&t.core("configmaps/a")).await.unwrap().code, 404);
    assert!(t.post(&path, map("a")).await.is_err());
    assert_eq!(t.post(&path, map("a")).await.unwrap().code, 409, "from its own success");
    let journal = server.take_journal();
    let creates: Vec<_> =
        journal.iter().filter(|one| one.verb == Verb::Create).map(|one| (one.faulty, one.wrote())).collect();
    assert_eq!(creates, [(true, false), (true, true), (false, false)]);
}

#[tokio::test]
async fn a_cut_ends_a_connection_on_loopback_too() {
    let (server, _) = start(Faults::none().with(Rule::on(Verb::Create, "configmaps", Fault::Cut).after_commit()));
    let listening = server.listen().await.unwrap();
    let mut config = listening.config().unwrap();
    config.default_retry = false;
    let t = Target::fake(&server, kube::Client::try_from(config).unwrap());
    assert!(t.post(&t.core("configmaps"), map("a")).await.is_err());
    assert_eq!(t.get(&t.core("configmaps/a")).await.unwrap().code, 200);
}

#[tokio::test]
async fn codes_and_silence_come_as_told() {
    let (_, t) =
        start(Faults::none().with(Rule::on(Verb::List, "pods", Fault::Status(429, Some(7))).next(1)).with(Rule::on(
            Verb::Get,
            "pods",
            Fault::Silence,
        )));
    let busy = t.get(&t.core("pods")).await.unwrap();
    assert_eq!((busy.code, busy.reason()), (429, "TooManyRequests"));
    assert_eq!(busy.at("/details/retryAfterSeconds"), &json!(7));
    assert_eq!(t.get(&t.core("pods")).await.unwrap().code, 200);
    let path = t.core("pods/a");
    let silent = tokio::time::timeout(Duration::from_millis(50), t.get(&path)).await;
    assert!(silent.is_err(), "no answer comes");
}

/// The types of the events that a watch with this fault shows of two creates, the second after a minute.
async fn seen(fault: Option<WatchFault>) -> Vec<String> {
    let (server, t) = start(Faults::none());
    if let Some(fault) = fault {
        server.add_fault(Rule::on(Verb::Watch, "configmaps", Fault::Watch(fault)));
    }
    let path = t.core("configmaps?timeoutSeconds=100&allowWatchBookmarks=true&resourceVersion=1");
    let mut watch = t.watch(&path).await.unwrap();
    t.post(&t.core("configmaps"), map("a")).await.unwrap();
    let mut events = Vec::new();
    for _ in 0..12 {
        t.pass(Duration::from_secs(10)).await;
        if server.now().as_second() % 60 == 0 {
            t.post(&t.core("configmaps"), map(&format!("b-{}", server.now().as_second()))).await.unwrap();
        }
        while let Ok(next) = tokio::time::timeout(Duration::from_millis(20), watch.next()).await {
            match next {
                Ok(Some(event)) => events.push(event["type"].as_str().unwrap().to_owned()),
                Ok(None) => {
                    events.push("end".to_owned());
                    return events;
                }
                Err(_) => {
                    events.push("cut".to_owned());
                    return events;
                }
            }
        }
    }
    events
}

#[tokio::test]
async fn watches_go_wrong_as_told() {
    let two = ["ADDED", "ADDED"];
    assert_eq!(seen(None).await, [&two[..], &["BOOKMARK", "BOOKMARK", "end"]].concat());
    assert_eq!(seen(Some(WatchFault::CutAfter(1))).await, ["ADDED", "cut"]);
    assert_eq!(seen(Some(WatchFault::ExpiredAfter(0))).await, ["ERROR", "end"]);
    assert_eq!(seen(Some(WatchFault::Stalled)).await, Vec::<String>::new());
    let doubled = seen(Some(WatchFault::Doubled)).await;
    assert_eq!(doubled.iter().filter(|event| *event == "ADDED").count(), 4, "{doubled:?}");
    assert_eq!(seen(Some(WatchFault::BookmarksOnly)).await, ["BOOKMARK", "BOOKMARK", "end"]);
    let lost = seen(Some(WatchFault::Lost("ADDED"))).await;
    assert_eq!(lost, ["ADDED", "BOOKMARK", "BOOKMARK", "end"], "the first of two");
    let late = seen(Some(WatchFault::Late(Duration::from_secs(30)))).await;
    assert_eq!(late.iter().filter(|event| *event == "ADDED").count(), 2, "{late:?}");
}

#[tokio::test]
async fn a_reflector_survives_a_compaction() {
    use futures::StreamExt;
    use kube::runtime::watcher::{self, Event};
    let (server, t) = start(Faults::none());
    t.post(&t.core("configmaps"), map("a")).await.unwrap();
    let maps: kube::Api<k8s_openapi::api::core::v1::ConfigMap> = kube::Api::namespaced(t.client(), "default");
    let mut events = Box::pin(watcher::watcher(maps, watcher::Config::default()));
    let mut names = Vec::new();
    for _ in 0..3 {
        match events.next().await.unwrap().unwrap() {
            Event::Init => names.push("init".to_owned()),
            Event::InitApply(map) => names.push(map.metadata.name.unwrap()),
            Event::InitDone => names.push("done".to_owned()),
            Event::Apply(map) | Event::Delete(map) => panic!("{map:?}"),
        }
    }
    assert_eq!(names, ["init", "a", "done"]);
    t.post(&t.core("configmaps"), map("b")).await.unwrap();
    let Event::Apply(map) = events.next().await.unwrap().unwrap() else { panic!("an apply") };
    assert_eq!(map.metadata.name.as_deref(), Some("b"));
    // The log is forgotten while changes were not yet seen: the reflector begins anew.
    server.with_store(|store| {
        let kind = store.kinds().get("", "configmaps").cloned().unwrap();
        store.create(&kind, "default", self::map("c"), &Writer::named("x")).unwrap();
        store.compact(store.revision());
    });
    assert!(events.next().await.unwrap().is_err(), "410");
    let Event::Init = events.next().await.unwrap().unwrap() else { panic!("an init") };
}

#[tokio::test]
async fn a_silent_node_is_lost_and_comes_back() {
    let (_, t) = start(Faults::none());
    let mut kubelet = Kubelet::new(t.clone());
    kubelet.add_node("n", json!({ "cpu": "4" }), json!({})).await.unwrap();
    kubelet.step().await.unwrap();
    kubelet.silence("n");
    let ready = async || {
        let node = t.get("/api/v1/nodes/n").await.unwrap();
        (node.text("/status/conditions/0/status").to_owned(), node.at("/spec/taints/0/key").clone())
    };
    t.pass(Duration::from_secs(40)).await;
    kubelet.step().await.unwrap();
    assert_eq!(ready().await, ("True".to_owned(), Value::Null), "40 s are not more than 40 s");
    t.pass(Duration::from_secs(1)).await;
    kubelet.step().await.unwrap();
    assert_eq!(ready().await, ("Unknown".to_owned(), json!("node.kubernetes.io/unreachable")));
    kubelet.restore("n");
    kubelet.step().await.unwrap();
    assert_eq!(ready().await, ("True".to_owned(), Value::Null));
}

#[tokio::test]
async fn what_is_evicted_is_recreated_and_bound_where_it_is_pinned_and_fits() {
    let (_, t) = start(Faults::none());
    let mut kubelet = Kubelet::new(t.clone());
    for node in ["a", "b"] {
        kubelet.add_node(node, json!({ "cpu": "4", "pods": "10" }), json!({})).await.unwrap();
    }
    let template = json!({
        "metadata": { "labels": { "app": "x" } },
        "spec": {
            "nodeSelector": { "kubernetes.io/hostname": "b" },
            "containers": [{ "name": "main", "image": "x", "resources": { "requests": { "cpu": "2" } } }],
        },
    });
    let set = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": { "name": "set" },
        "spec": { "replicas": 3, "selector": { "matchLabels": { "app": "x" } }, "template": template },
    });
    assert_eq!(t.post(&t.of("apps/v1", "replicasets"), set).await.unwrap().code, 201);
    let turn = async |kubelet: &mut Kubelet| {
        let created = stand_ins::replica_sets(&t).await.unwrap();
        let bound = stand_ins::kube_scheduler(&t).await.unwrap();
        (created, bound, kubelet.step().await.unwrap())
    };
    assert_eq!(turn(&mut kubelet).await, (3, 2, 2), "two of three fit on b");
    assert_eq!(turn(&mut kubelet).await, (0, 0, 0));
    let running = t.get(&t.core("pods?fieldSelector=status.phase=Running")).await.unwrap();
    let name = running.text("/items/0/metadata/name").to_owned();
    assert_eq!(running.text("/items/0/spec/nodeName"), "b");
    let eviction = json!({ "apiVersion": "policy/v1", "kind": "Eviction", "metadata": { "name": name } });
    assert_eq!(t.post(&t.core(&format!("pods/{name}/eviction")), eviction).await.unwrap().code, 201);
    t.pass(Duration::from_secs(1)).await;
    assert_eq!(turn(&mut kubelet).await, (1, 0, 1), "recreated at once, gone after a second");
    assert_eq!(turn(&mut kubelet).await, (0, 1, 1), "whoever waited longest gets the room");
    t.patch(&t.of("apps/v1", "replicasets/set"), PatchType::Merge, json!({ "spec": { "replicas": 1 } })).await.unwrap();
    assert_eq!(turn(&mut kubelet).await.0, 2);
}

#[tokio::test]
async fn two_runs_are_the_same_to_the_byte() {
    let run = async || {
        let (server, t) = start(Faults::none().with(Rule::writes(Fault::Status(409, None)).chance(200, 7)));
        for _ in 0..50 {
            let body = json!({ "metadata": { "generateName": "m-" } });
            t.post(&t.core("configmaps"), body).await.unwrap();
            t.pass(Duration::from_secs(1)).await;
        }
        server.with_store(|store| store.all("", "configmaps").map(|map| map.to_string()).collect::<Vec<_>>())
    };
    let first = run().await;
    assert!((30..50).contains(&first.len()), "{} of 50 at 20 % refused", first.len());
    assert_eq!(first, run().await);
}
