//! Who is evicted, for whom, and what is taken back before it is sent.

use crate::facts::{START, actor, change, cpu, on, pod, shown, tree, turn};
use quotree_core::Time;
use quotree_k8s::{LabelSelector, Phase, PodFacts, budget::PdbFacts, names};
use quotree_kube::{
    actor::{Failure, Intent},
    settings::Mode,
    watch::{Fact, SeenPod},
};

#[test]
fn a_reclaim_names_victim_and_reason() {
    let pods: Vec<SeenPod> = (0..4).map(|number| pod("a", &format!("p{number}"), number, 2)).collect();
    let mut actor = actor(Mode::Gate, pods.iter().map(|pod| on(pod, "n0")));
    assert_eq!(turn(&mut actor, 0), Vec::<String>::new());
    actor.take(shown(&pod("b", "q", 9, 2)));
    let intents = actor.turn(Time(START + 20_000));
    let [Intent::Evict { pod: victim, why, cause: Some(cause), .. }] = intents.as_slice() else {
        panic!("{intents:?}")
    };
    assert_eq!((victim.name.as_str(), cause.name.as_str()), ("p3", "q"));
    assert_eq!(why, "R2: b/q reclaims its guaranteed quota; a was 4 cpu above its min");
    let why = actor.reasons();
    assert_eq!(
        (why[0].reason, why[0].message.as_str()),
        ("Held", "H1: it waits for 1 pod to terminate, and what that frees is reserved for it")
    );
    actor.take(Fact::PodGone { uid: "p3".into(), last: None });
    assert_eq!(turn(&mut actor, 25_000), ["bind b/q to n0: within its guarantee, on its reservation, by best fit"]);
}

#[test]
fn nobody_is_evicted_for_a_pod_that_says_so() {
    let runs: Vec<SeenPod> = (0..4).map(|number| pod("a", &format!("p{number}"), number, 2)).collect();
    let never = |facts: &mut PodFacts| facts.never_preempts = true;
    let annotated = |facts: &mut PodFacts| {
        facts.annotations.insert(names::MAY_EVICT.into(), "false".into());
    };
    let evicts = |mode, how: &dyn Fn(&mut PodFacts)| {
        let mut actor = actor(mode, runs.iter().map(|pod| on(pod, "n0")));
        turn(&mut actor, 0);
        actor.take(change(&pod("b", "q", 9, 2), |facts| {
            how(facts);
            if mode == Mode::Bind {
                facts.gates.clear();
                facts.scheduler = Some("quotree".into());
            }
        }));
        turn(&mut actor, 20_000).len()
    };
    assert_eq!(evicts(Mode::Gate, &|_| {}), 1);
    assert_eq!((evicts(Mode::Gate, &annotated), evicts(Mode::Bind, &annotated)), (0, 0));
    // In gate mode the policy is what keeps the kube-scheduler from evicting by itself.
    assert_eq!((evicts(Mode::Gate, &never), evicts(Mode::Bind, &never)), (1, 0));
}

#[test]
fn a_budget_protects_pods_that_were_there_before_it() {
    let budget = |name: &str, label: &str, allowed| {
        let labels = [("app".into(), label.into())].into();
        let selector = Some(LabelSelector { labels, expressions: Vec::new() });
        Fact::Budget(PdbFacts { namespace: "a".into(), name: name.into(), selector, allowed: Some(allowed) })
    };
    let app = |number: i64, app: &str| {
        change(&pod("a", &format!("p{number}"), number, 2), |facts| {
            facts.labels.insert("app".into(), app.into());
            facts.gates.clear();
            (facts.node, facts.phase) = (Some("n0".into()), Phase::Running);
        })
    };
    let evicted = |budgets: Vec<Fact>| {
        let mut actor = actor(Mode::Gate, [app(0, "web"), app(1, "web"), app(2, "db"), app(3, "web")]);
        turn(&mut actor, 0);
        for budget in budgets {
            actor.take(budget);
            turn(&mut actor, 5);
        }
        actor.take(shown(&pod("b", "q", 9, 2)));
        let lines = turn(&mut actor, 20_000);
        lines.first().and_then(|line| line.split([' ', ':']).nth(1)).unwrap_or("nobody").to_owned()
    };
    assert_eq!(evicted(vec![]), "a/p3", "the last that started");
    assert_eq!(evicted(vec![budget("web", "web", 0)]), "a/p2");
    assert_eq!(evicted(vec![budget("web", "web", 1)]), "a/p3");
    assert_eq!(evicted(vec![budget("web", "web", 0), budget("db", "db", 0)]), "nobody");
    assert_eq!(evicted(vec![budget("web", "web", 0), budget("web", "db", 0)]), "a/p3", "it selects others now");
    let gone = Fact::BudgetGone("a".into(), "web".into());
    assert_eq!(evicted(vec![budget("web", "web", 0), gone]), "a/p3");
    assert_eq!(evicted(vec![budget("web", "web", 9), budget("all", "web", 9)]), "a/p2", "two on one pod allow nothing");
}

#[test]
fn what_a_newer_tree_spares_is_taken_back() {
    let pods: Vec<SeenPod> = (0..4).map(|number| pod("a", &format!("p{number}"), number, 2)).collect();
    let mut actor = actor(Mode::Gate, pods.iter().map(|pod| on(pod, "n0")));
    turn(&mut actor, 0);
    actor.take(shown(&pod("b", "q", 9, 2)));
    assert!(turn(&mut actor, 10)[0].starts_with("evict a/p3"));
    let mut generous = tree(8);
    (generous.quotas[1].min, generous.quotas[2].min) = (cpu(8), cpu(0));
    actor.take(Fact::Tree(generous));
    assert_eq!(turn(&mut actor, 20), ["spare a/p3: its eviction does not stand any more (E2)"]);
    actor.take_failure(Failure::TakenBack { uid: "p3".into() });
    assert_eq!(turn(&mut actor, 30), Vec::<String>::new());
    let core = actor.core().unwrap();
    assert_eq!(core.usage(core.tree().by_name("a").unwrap()).freeing.get("cpu"), None);
    // Under the old tree again it may be chosen at once.
    actor.take(Fact::Tree(tree(8)));
    assert!(turn(&mut actor, 40)[0].starts_with("evict a/p3"));
    // An eviction that failed is not asked for again before there is news; another one is.
    actor.take_failure(Failure::Evict { uid: "p3".into(), why: "422".to_owned() });
    assert!(turn(&mut actor, 50)[0].starts_with("evict a/p2"));
}

#[test]
fn what_is_evicted_late_takes_no_guarantee() {
    let pods: Vec<SeenPod> = (0..4).map(|number| pod("a", &format!("p{number}"), number, 2)).collect();
    let mut actor = actor(Mode::Gate, pods.iter().map(|pod| on(pod, "n0")));
    turn(&mut actor, 0);
    for name in ["q", "r"] {
        actor.take(shown(&pod("b", name, 9, 2)));
    }
    let evicted = turn(&mut actor, 10);
    assert!(evicted.len() == 2 && evicted[0].starts_with("evict a/p3") && evicted[1].starts_with("evict a/p2"));
    // Before they are sent, the team ends the other two by itself. It has what it is guaranteed, no more.
    for name in ["p0", "p1"] {
        actor.take(Fact::PodGone { uid: name.into(), last: None });
    }
    let spared = turn(&mut actor, 20);
    let expected = ["p2", "p3"].map(|pod| format!("spare a/{pod}: its eviction does not stand any more (E2)"));
    assert_eq!(spared, expected);
    for name in ["p2", "p3"] {
        actor.take_failure(Failure::TakenBack { uid: name.into() });
    }
    assert_eq!(turn(&mut actor, 30).len(), 2, "what has ended is room enough");
    let core = actor.core().unwrap();
    assert_eq!(core.usage(core.tree().by_name("a").unwrap()).used, cpu(4));
}

/// Pods of DaemonSets, and of namespaces that are not managed, are none of the scheduler's, also when they become that.
#[test]
fn who_is_not_ours_any_more_is_left_alone() {
    let to_daemon_set = |pod: &SeenPod| {
        change(pod, |facts| {
            facts.gates.clear();
            (facts.node, facts.phase) = (Some("n0".into()), Phase::Running);
            facts.controller = Some("DaemonSet".into());
        })
    };
    let pods: Vec<SeenPod> = (0..4).map(|number| pod("a", &format!("p{number}"), number, 2)).collect();
    let mut actor = actor(Mode::Gate, pods.iter().map(|pod| on(pod, "n0")));
    turn(&mut actor, 0);
    actor.take(to_daemon_set(&pods[3]));
    actor.take(shown(&pod("b", "q", 9, 2)));
    assert!(turn(&mut actor, 10)[0].starts_with("evict a/p2"), "not p3");
    // Before it is sent.
    actor.take(to_daemon_set(&pods[2]));
    assert_eq!(turn(&mut actor, 20)[0], "spare a/p2: its eviction does not stand any more (E2)");
    actor.take_failure(Failure::TakenBack { uid: "p2".into() });
    assert!(turn(&mut actor, 30)[0].starts_with("evict a/p1"));
}
