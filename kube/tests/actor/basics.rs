//! What a turn makes of facts.

use crate::facts::{START, actor, change, cpu, node, on, pod, settings, shown, tree, turn};
use quotree_core::{QuotaSpec, Time, TreeSpec};
use quotree_k8s::{NamespaceFacts, Phase, PodFacts, Taint, names};
use quotree_kube::{
    actor::{Actor, Failure, Problem},
    settings::Mode,
    watch::{Fact, SeenPod, Store},
};

#[test]
fn nothing_is_decided_before_all_was_listed() {
    let mut actor = Actor::new(settings(Mode::Gate));
    actor.take(Fact::Namespace(NamespaceFacts { name: "a".into(), ..NamespaceFacts::default() }));
    actor.take(Fact::Tree(tree(8)));
    actor.take(node("n0", 8));
    actor.take(shown(&pod("a", "p", 1, 2)));
    for store in Store::ALL {
        assert_eq!((turn(&mut actor, 0), actor.is_started()), (vec![], false));
        actor.take(Fact::Synced(store));
    }
    assert_eq!(turn(&mut actor, 0), ["bind a/p to n0: within its guarantee, on free capacity, by best fit"]);
    assert_eq!(turn(&mut actor, 1), Vec::<String>::new(), "nothing has changed");
}

#[test]
fn older_pods_go_first_whatever_the_list_shows_first() {
    let pods = [pod("a", "late", 9, 4), pod("a", "early", 3, 4), pod("a", "middle", 5, 4)];
    let lines = turn(&mut actor(Mode::Gate, pods.iter().map(shown)), 0);
    let bound: Vec<&str> = lines.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(bound, ["a/early", "a/middle"]);
}

#[test]
fn a_bind_is_confirmed_by_the_watch_and_a_failed_one_comes_back() {
    let p = pod("a", "p", 1, 2);
    let mut actor = actor(Mode::Gate, [shown(&p)]);
    assert_eq!(turn(&mut actor, 0).len(), 1);
    actor.take_failure(Failure::Bind { uid: "p".into(), why: "403".to_owned() });
    assert_eq!(turn(&mut actor, 10), Vec::<String>::new(), "back-off");
    assert_eq!(actor.next_wake(), Some(Time(START + 1010)));
    assert_eq!(turn(&mut actor, 1010).len(), 1, "it is tried again");
    actor.take(change(&p, |facts| {
        facts.gates.clear();
        facts.node_selector.push((names::HOSTNAME.into(), "n0".into()));
    }));
    actor.take_failure(Failure::Bind { uid: "p".into(), why: "no answer".to_owned() });
    actor.take(on(&p, "n0"));
    assert_eq!(turn(&mut actor, 1500), Vec::<String>::new());
    assert_eq!(turn(&mut actor, 9000), Vec::<String>::new(), "what is on its node is not tried again");
    assert!(actor.is_admitted(&"p".into()));
}

#[test]
fn a_restart_finds_what_runs_and_what_is_admitted_and_evicts_nobody() {
    let runs = pod("a", "runs", 1, 2);
    let (admitted, leaving) = (pod("a", "admitted", 2, 2), pod("a", "leaving", 3, 4));
    let facts = [
        on(&runs, "n0"),
        change(&admitted, |facts| {
            facts.gates.clear();
            facts.node_selector.push((names::HOSTNAME.into(), "n0".into()));
        }),
        change(&leaving, |facts| {
            facts.gates.clear();
            (facts.node, facts.phase, facts.deleted_ms) = (Some("n0".into()), Phase::Running, Some(1));
        }),
        shown(&pod("b", "waits", 4, 2)),
    ];
    let mut actor = actor(Mode::Gate, facts);
    assert_eq!(turn(&mut actor, 0), Vec::<String>::new());
    let why = actor.reasons();
    assert_eq!((why.len(), why[0].reason), (1, "Held"), "{why:?}");
    actor.take(Fact::PodGone { uid: "leaving".into(), last: None });
    assert_eq!(turn(&mut actor, 10).len(), 1);
}

#[test]
fn what_others_do_is_followed() {
    let (p, daemon) = (pod("a", "p", 1, 2), pod("kube-system", "daemon", 2, 1));
    let mut actor = actor(Mode::Gate, [shown(&p)]);
    turn(&mut actor, 0);
    actor.take(node("n1", 8));
    // Somebody bound it elsewhere, and a pod of the cluster itself came.
    actor.take(on(&p, "n1"));
    actor.take(on(&daemon, "n0"));
    assert_eq!(turn(&mut actor, 10), Vec::<String>::new());
    let core = actor.core().unwrap();
    let used: Vec<String> = core.nodes().iter().map(|node| node.used.to_string()).collect();
    assert_eq!(used, ["1 cpu, 1 pods", "2 cpu, 1 pods"]);
    // The node goes, with its pod later.
    actor.take(Fact::NodeGone("n1".into()));
    turn(&mut actor, 20);
    assert_eq!(actor.core().unwrap().nodes().len(), 2, "it stays until its last pod is gone");
    actor.take(Fact::PodGone { uid: "p".into(), last: None });
    turn(&mut actor, 30);
    assert_eq!(actor.core().unwrap().nodes().len(), 1);
}

#[test]
fn pods_that_are_not_told_say_why() {
    let (gated, odd) = (pod("a", "gated", 1, 1), pod("a", "odd", 2, 1));
    let facts = [
        change(&gated, |facts| facts.gates.push("example.com/wait".into())),
        change(&odd, |facts| {
            facts.labels.insert(names::LIGHT_GROUP.into(), "g".into());
        }),
        shown(&pod("c", "unmanaged", 3, 1)),
    ];
    let mut gate = actor(Mode::Gate, facts);
    assert_eq!(turn(&mut gate, 0), Vec::<String>::new());
    let why: Vec<(String, &str)> = gate.reasons().into_iter().map(|w| (w.pod.name.to_string(), w.reason)).collect();
    assert_eq!(why, [("gated".to_owned(), "ForeignGate"), ("odd".to_owned(), "BadGang")]);
    let spread = change(&pod("a", "spread", 1, 1), |facts| {
        facts.gates.clear();
        facts.scheduler = Some("quotree".into());
        facts.losses.insert(quotree_k8s::Loss::Spread);
    });
    let mut bind = actor(Mode::Bind, [spread]);
    assert_eq!(turn(&mut bind, 0), Vec::<String>::new());
    assert_eq!(bind.reasons()[0].reason, "Unsupported");
}

#[test]
fn a_gang_is_told_when_its_minimum_is_there() {
    let member = |number: i64| {
        let name = format!("m{number}");
        change(&pod("a", &name, number, 1), |facts| {
            facts.labels.insert(names::LIGHT_GROUP.into(), "g".into());
            facts.labels.insert(names::LIGHT_MIN.into(), "3".into());
        })
    };
    let mut actor = actor(Mode::Gate, [member(0), member(1)]);
    assert_eq!(turn(&mut actor, 0), Vec::<String>::new());
    assert_eq!(actor.reasons()[0].message, "G1: 2 of the 3 pods of its gang are there");
    actor.take(member(2));
    assert_eq!(turn(&mut actor, 10).len(), 3, "all at once");
    actor.take(member(3));
    assert_eq!(turn(&mut actor, 20).len(), 1, "a later one is elastic");
    assert_eq!(actor.core().unwrap().nodes()[0].pods.len(), 4);
    (0..4).for_each(|number| actor.take(Fact::PodGone { uid: format!("m{number}").into(), last: None }));
    turn(&mut actor, 30);
    actor.take(member(5));
    assert_eq!(turn(&mut actor, 40), Vec::<String>::new(), "after its end, later pods are a new gang");
}

#[test]
fn a_bad_tree_leaves_the_old_one_in_force() {
    let mut actor = actor(Mode::Gate, [on(&pod("a", "p", 1, 2), "n0")]);
    turn(&mut actor, 0);
    let mut bad = tree(8);
    bad.quotas[1].min = cpu(20);
    actor.take(Fact::Tree(bad));
    assert_eq!(actor.turn(Time(START + 1)), []);
    let problems = actor.take_problems();
    assert!(
        matches!(problems.as_slice(), [Problem::Refused { about, .. }] if about == "the quota tree"),
        "{problems:?}"
    );
    actor.take(Fact::TreeGone);
    assert_eq!(turn(&mut actor, 2), Vec::<String>::new());
    let core = actor.core().unwrap();
    assert_eq!(core.tree().min(core.tree().by_name("a").unwrap()), [4000]);
}

#[test]
fn pods_may_name_their_quota_and_nodes_their_taints() {
    let mut tainted = node("n1", 8);
    if let Fact::Node(node) = &mut tainted {
        node.facts.taints.push(Taint::no_schedule("gpu"));
    }
    let named = change(&pod("c", "named", 1, 8), |facts| {
        facts.labels.insert(names::QUOTA_NAME[0].into(), "b".into());
    });
    let everywhere = change(&pod("a", "affine", 2, 8), |facts| {
        let not_there = quotree_k8s::affinity::Requirement {
            key: "no-such-label".into(),
            operator: quotree_k8s::affinity::Operator::DoesNotExist,
            values: vec![],
        };
        facts.node_terms = Some(vec![quotree_k8s::affinity::NodeTerm { expressions: vec![not_there], fields: vec![] }]);
        facts.tolerations.push(quotree_k8s::tolerations::Toleration {
            operator: quotree_k8s::tolerations::Operator::Exists,
            ..Default::default()
        });
    });
    let mut actor = actor(Mode::Gate, [tainted, named, everywhere]);
    actor.take(Fact::Namespace(NamespaceFacts { name: "c".into(), ..NamespaceFacts::default() }));
    actor.take(Fact::Tree(tree(16)));
    let mut lines = turn(&mut actor, 0);
    lines.sort();
    let bound: Vec<&str> = lines.iter().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(bound, ["bind a/affine to n1", "bind c/named to n0"]);
}

#[test]
fn a_label_that_names_no_leaf_is_said() {
    let odd = change(&pod("a", "odd", 1, 1), |facts| {
        facts.labels.insert(names::QUOTA_NAME[0].into(), "root".into());
    });
    let mut actor = actor(Mode::Gate, [odd]);
    assert_eq!(turn(&mut actor, 0), Vec::<String>::new());
    let why = &actor.reasons()[0];
    let message = "A4: its label names the quota root, which is no leaf of the tree";
    assert_eq!((why.reason, why.message.as_str()), ("NoQuota", message));
}

#[test]
fn a_leaf_that_running_pods_name_is_replaced_when_they_have_ended() {
    let named = change(&pod("c", "named", 1, 1), |facts| {
        facts.labels.insert(names::QUOTA_NAME[0].into(), "b".into());
        facts.gates.clear();
        (facts.node, facts.phase) = (Some("n0".into()), Phase::Running);
    });
    let mut actor = actor(Mode::Gate, [named]);
    turn(&mut actor, 0);
    let mut other = tree(8);
    other.quotas[2].name = "b2".into();
    actor.take(Fact::Tree(other));
    assert_eq!(actor.turn(Time(START + 10)), []);
    let problems = actor.take_problems();
    assert!(
        matches!(problems.as_slice(), [Problem::Refused { about, .. }] if about == "the quota tree"),
        "{problems:?}"
    );
    actor.take(Fact::PodGone { uid: "named".into(), last: None });
    turn(&mut actor, 20);
    assert!(actor.core().unwrap().tree().by_name("b2").is_some());
}

#[test]
fn resizes_are_followed_and_what_grew_is_reclaimed() {
    let (p, q) = (pod("a", "p", 1, 4), pod("a", "q", 2, 1));
    let mut actor = actor(Mode::Gate, [on(&p, "n0"), on(&q, "n0")]);
    turn(&mut actor, 0);
    let mut larger = pod("a", "p", 1, 6);
    actor.take(on(&larger, "n0"));
    assert_eq!(turn(&mut actor, 10), Vec::<String>::new(), "nobody goes for it alone");
    let used = |actor: &Actor| {
        let core = actor.core().unwrap();
        core.usage(core.tree().by_name("a").unwrap()).used.get("cpu").unwrap()
    };
    assert_eq!(used(&actor), 7000);
    actor.take(shown(&pod("b", "b", 9, 2)));
    assert_eq!(turn(&mut actor, 20_000).len(), 1, "the guarantee of b is reclaimed");
    larger = pod("a", "p", 1, 3);
    actor.take(on(&larger, "n0"));
    turn(&mut actor, 20_010);
    assert_eq!(used(&actor), 4000);
}

#[test]
fn a_new_taint_keeps_out_who_does_not_tolerate_it_and_lets_in_who_does() {
    let any = |facts: &mut PodFacts| {
        facts.tolerations.push(quotree_k8s::tolerations::Toleration {
            operator: quotree_k8s::tolerations::Operator::Exists,
            ..Default::default()
        });
    };
    let (plain, tolerant) = (pod("a", "plain", 1, 8), pod("a", "tolerant", 2, 8));
    let mut actor = actor(Mode::Gate, [on(&pod("b", "b", 0, 8), "n0"), shown(&plain), change(&tolerant, any)]);
    turn(&mut actor, 0);
    let mut tainted = node("n1", 8);
    if let Fact::Node(node) = &mut tainted {
        node.facts.taints.push(Taint::no_schedule("gpu"));
    }
    actor.take(tainted);
    actor.take(Fact::Tree(tree(16)));
    let lines = turn(&mut actor, 10);
    assert!(lines.len() == 1 && lines[0].starts_with("bind a/tolerant to n1"), "{lines:?}");
}

#[test]
fn a_narrowed_selector_counts_for_a_pod_that_waits() {
    let narrow = |facts: &mut PodFacts| facts.node_selector.push(("zone".into(), "z".into()));
    let (p, mut other) = (pod("a", "p", 1, 8), node("n1", 8));
    if let Fact::Node(node) = &mut other {
        node.facts.labels.insert("zone".into(), "z".into());
    }
    let mut actor = actor(Mode::Gate, [on(&pod("b", "b", 0, 8), "n0"), shown(&p)]);
    turn(&mut actor, 0);
    actor.take(change(&p, narrow));
    turn(&mut actor, 10);
    actor.take(Fact::PodGone { uid: "b".into(), last: None });
    assert_eq!(turn(&mut actor, 20), Vec::<String>::new(), "n0 is free, and has no such label");
    actor.take(other);
    assert_eq!(turn(&mut actor, 30).len(), 1);
}

#[test]
fn a_tree_that_is_not_in_force_says_why_until_another_one_is() {
    let mut first = Actor::new(settings(Mode::Gate));
    let bad: TreeSpec = [QuotaSpec::new("root", None).min(cpu(9)).max(cpu(4))].into_iter().collect();
    first.take(Fact::Tree(bad.clone()));
    Store::ALL.into_iter().for_each(|store| first.take(Fact::Synced(store)));
    assert!(first.turn(Time(START)).is_empty() && !first.is_started());
    let (valid, why) = first.tree_refused().unwrap();
    assert!(!valid && why.contains("min 9 cpu exceeds max 4 cpu"), "{why}");
    first.take(Fact::Tree(tree(8)));
    first.turn(Time(START + 10));
    assert_eq!((first.tree_refused(), first.is_started()), (None, true));
    // A later one leaves the old one in force.
    first.take(Fact::Tree(bad));
    first.turn(Time(START + 20));
    assert_eq!(first.tree_refused().map(|(valid, _)| valid), Some(false));
    assert_eq!(first.core().unwrap().tree().len(), 3);
    first.take(Fact::Tree(tree(16)));
    first.turn(Time(START + 30));
    assert_eq!(first.tree_refused(), None);
}

#[test]
fn what_is_admitted_and_not_placed_is_given_up() {
    let (p, q) = (pod("a", "p", 1, 2), pod("a", "q", 2, 2));
    let mut actor = actor(Mode::Gate, [shown(&p), shown(&q)]);
    assert_eq!(turn(&mut actor, 0).len(), 2);
    let opened = |pod: &SeenPod| {
        change(pod, |facts| {
            facts.gates.clear();
            facts.node_selector.push((names::HOSTNAME.into(), "n0".into()));
        })
    };
    // While our own write is under way, nobody else can place it.
    assert_eq!(turn(&mut actor, 60_000), Vec::<String>::new());
    actor.take(opened(&p));
    actor.take(opened(&q));
    assert_eq!(turn(&mut actor, 61_000), Vec::<String>::new());
    actor.take(on(&q, "n0"));
    assert_eq!(turn(&mut actor, 90_000), Vec::<String>::new());
    assert!(actor.next_wake().is_some_and(|wake| wake <= Time(START + 91_000)));
    assert_eq!(turn(&mut actor, 91_000), ["evict a/p: it was admitted to n0, and not placed there within 30 s"]);
    assert_eq!(turn(&mut actor, 120_000), Vec::<String>::new(), "it is asked for once");
    actor.take_failure(Failure::Evict { uid: "p".into(), why: "500".to_owned() });
    assert_eq!(turn(&mut actor, 121_000), Vec::<String>::new());
    assert_eq!(turn(&mut actor, 151_000).len(), 1, "and again where that failed");
}

#[test]
fn a_node_that_cannot_take_what_was_admitted_is_given_up_sooner() {
    let p = pod("a", "p", 1, 6);
    let mut actor = actor(Mode::Gate, [shown(&p)]);
    assert_eq!(turn(&mut actor, 0).len(), 1);
    actor.take(change(&p, |facts| {
        facts.gates.clear();
        facts.node_selector.push((names::HOSTNAME.into(), "n0".into()));
    }));
    actor.take(node("n0", 4));
    assert_eq!(turn(&mut actor, 1000), Vec::<String>::new());
    assert_eq!(turn(&mut actor, 6000), ["evict a/p: it was admitted to n0, and not placed there within 5 s"]);
}
