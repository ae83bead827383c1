//! Facts as watches show them, and actors that have seen some.

use quotree_core::{Amounts, QuotaSpec, Time, TreeSpec, audit};
use quotree_k8s::{LabelSelector, NamespaceFacts, NodeFacts, Phase, PodFacts, names};
use quotree_kube::{
    act::dry::line,
    actor::Actor,
    settings::{Mode, Settings},
    watch::{Fact, SeenNode, SeenPod, Store},
};
use serde_json::{Value, json};

/// When the actors begin, milliseconds.
pub(crate) const START: u64 = 1_000_000;

pub(crate) fn settings(mode: Mode) -> Settings {
    Settings { managed: LabelSelector::default(), ..Settings::new(mode) }
}

pub(crate) fn cpu(cores: i64) -> Amounts {
    Amounts::new().with("cpu", cores * 1000)
}

pub(crate) fn node(name: &str, cores: i64) -> Fact {
    let allocatable = cpu(cores).with("pods", 110_000);
    let facts = NodeFacts {
        name: name.into(),
        capacity: allocatable.clone(),
        allocatable,
        ready: Some(true),
        ..NodeFacts::default()
    };
    Fact::Node(Box::new(SeenNode { created_ms: 0, facts }))
}

/// A tree of two leaves, `a` and `b`, each with a guarantee of half of the cores.
pub(crate) fn tree(cores: i64) -> TreeSpec {
    let leaf = |name: &str| QuotaSpec::new(name, Some("root")).min(cpu(cores / 2)).max(cpu(cores)).namespace(name);
    [QuotaSpec::new("root", None).min(cpu(cores)).max(cpu(cores)), leaf("a"), leaf("b")].into_iter().collect()
}

/// A gated pod of this many cores. Its uid is its name.
pub(crate) fn pod(namespace: &str, name: &str, created_ms: i64, cores: i64) -> SeenPod {
    let requests = json!({ "cpu": cores.to_string() });
    let containers = json!([{ "name": "main", "resources": { "requests": requests } }]);
    pod_of(namespace, name, created_ms, &json!({ "containers": containers }))
}

/// A gated pod of 2 cores of the Deployment `web`, with these fields of its spec.
pub(crate) fn pod_of(namespace: &str, name: &str, created_ms: i64, spec: &Value) -> SeenPod {
    let mut object = json!({
        "metadata": {
            "namespace": namespace, "name": name, "uid": name, "resourceVersion": "1",
            "labels": { "pod-template-hash": "abc" },
            "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-abc", "uid": "rs", "controller": true }],
        },
        "spec": {
            "schedulerName": "default-scheduler", "schedulingGates": [{ "name": names::GATE }],
            "containers": [{ "name": "main", "resources": { "requests": { "cpu": "2" } } }],
        },
    });
    for (key, value) in spec.as_object().unwrap() {
        object["spec"][key] = value.clone();
    }
    let mut pod = quotree_kube::watch::pod(&serde_json::from_value(object).unwrap()).unwrap();
    pod.facts.created_ms = created_ms;
    pod
}

pub(crate) fn change(pod: &SeenPod, change: impl FnOnce(&mut PodFacts)) -> Fact {
    let mut pod = pod.clone();
    change(&mut pod.facts);
    Fact::Pod(Box::new(pod))
}

/// The pod on a node, where it runs.
pub(crate) fn on(pod: &SeenPod, node: &str) -> Fact {
    change(pod, |facts| {
        facts.gates.clear();
        (facts.node, facts.phase) = (Some(node.into()), Phase::Running);
    })
}

pub(crate) fn shown(pod: &SeenPod) -> Fact {
    Fact::Pod(Box::new(pod.clone()))
}

/// What every actor has seen at its start: a node of 8 cores, the tree, and these facts.
pub(crate) fn begin(actor: &mut Actor, facts: impl IntoIterator<Item = Fact>) {
    for name in ["a", "b"] {
        actor.take(Fact::Namespace(NamespaceFacts { name: name.into(), ..NamespaceFacts::default() }));
    }
    actor.take(Fact::Tree(tree(8)));
    actor.take(node("n0", 8));
    facts.into_iter().for_each(|fact| actor.take(fact));
    Store::ALL.into_iter().for_each(|store| actor.take(Fact::Synced(store)));
}

/// An actor that has seen a node of 8 cores, the tree, and these facts.
pub(crate) fn actor(mode: Mode, facts: impl IntoIterator<Item = Fact>) -> Actor {
    let mut actor = Actor::new(settings(mode));
    begin(&mut actor, facts);
    actor
}

/// What a turn means to write. Nothing is wrong after it.
pub(crate) fn turn(actor: &mut Actor, ms: u64) -> Vec<String> {
    let lines = actor.turn(Time(START + ms)).iter().map(line).collect();
    let problems = actor.take_problems();
    assert!(problems.is_empty(), "{problems:?}");
    if let Some(core) = actor.core() {
        assert_eq!(audit(core), []);
    }
    lines
}
