//! PodGroups: the minimum of a gang that an object has. And budgets of pods whose labels change.

use crate::facts::{START, actor, begin, change, on, pod, settings, shown, turn};
use quotree_core::Time;
use quotree_k8s::{
    LabelSelector,
    budget::PdbFacts,
    gang::{GangKind, GroupFacts},
    names,
};
use quotree_kube::{
    actor::Actor,
    settings::{Mode, Settings},
    watch::{Fact, GROUP_KINDS, Store},
};

/// The group `g` of namespace `a`, with this minimum; gone without one.
fn group(min: Option<u32>) -> Fact {
    let facts = |min| GroupFacts {
        kind: GangKind::Coscheduling,
        namespace: "a".into(),
        name: "g".into(),
        min: Some(min),
        by_role: Vec::new(),
        whole: false,
        topology: None,
    };
    let object = ("a".into(), "g".into());
    Fact::PodGroups { kind: GangKind::Coscheduling, object, groups: min.map(facts).into_iter().collect() }
}

fn member(number: i64) -> Fact {
    change(&pod("a", &format!("m{number}"), number, 1), |facts| {
        facts.labels.insert(names::COSCHEDULING_GROUP.into(), "g".into());
    })
}

#[test]
fn the_minimum_is_that_of_the_object_whichever_comes_first() {
    let mut actor = actor(Mode::Gate, [member(0), member(1)]);
    assert_eq!(turn(&mut actor, 0), Vec::<String>::new());
    let why = &actor.reasons()[0];
    let message = "G1: there is no PodGroup `g`, which has the minimum of its gang";
    assert_eq!((why.reason, why.message.as_str()), ("WaitingForGroup", message));
    actor.take(group(Some(3)));
    assert_eq!(turn(&mut actor, 10), Vec::<String>::new());
    assert_eq!(actor.reasons()[0].message, "G1: 2 of the 3 pods of its gang are there");
    // The minimum is lowered while they wait; then one more is elastic.
    actor.take(group(Some(2)));
    assert_eq!(turn(&mut actor, 20).len(), 2, "all at once");
    actor.take(member(2));
    assert_eq!(turn(&mut actor, 30).len(), 1);
    // A minimum that changes while it runs is followed, and without the object what was known holds.
    for fact in [group(Some(3)), group(None), group(Some(1))] {
        actor.take(fact);
        assert_eq!(turn(&mut actor, 40), Vec::<String>::new());
    }
}

#[test]
fn a_larger_minimum_of_what_runs_counts() {
    // Two of three run; the third does not fit. With a minimum of 3 the gang is torn, and asks for what it lacks.
    let running = (0..2).map(|number| match member(number) {
        Fact::Pod(pod) => on(&pod, "n0"),
        other => other,
    });
    let facts: Vec<Fact> = running.chain([on(&pod("b", "other", 3, 6), "n0"), group(Some(2)), member(4)]).collect();
    let mut actor = actor(Mode::Gate, facts);
    turn(&mut actor, 0);
    assert_eq!(turn(&mut actor, 70_000), Vec::<String>::new(), "it is whole");
    actor.take(group(Some(3)));
    assert_eq!(turn(&mut actor, 80_000), Vec::<String>::new());
    let leaves = turn(&mut actor, 150_000);
    let gang = leaves.iter().filter(|line| line.starts_with("evict a/m") && line.contains(": G3: ")).count();
    assert_eq!(gang, 2, "it is torn for a minute, and leaves whole: {leaves:?}");
}

#[test]
fn nothing_is_decided_before_the_groups_were_listed() {
    let mut actor = Actor::new(Settings { pod_groups: true, ..settings(Mode::Gate) });
    begin(&mut actor, []);
    for (kind, _) in GROUP_KINDS {
        actor.turn(Time(START));
        assert!(!actor.is_started());
        actor.take(Fact::Synced(Store::Gangs(*kind)));
    }
    actor.turn(Time(START));
    assert!(actor.is_started());
}

#[test]
fn a_pod_whose_labels_change_has_another_budget() {
    let app = |number: i64, app: &str| {
        let running = on(&pod("a", &format!("p{number}"), number, 2), "n0");
        let Fact::Pod(mut pod) = running else { return running };
        pod.facts.labels.insert("app".into(), app.into());
        Fact::Pod(pod)
    };
    let selector = Some(LabelSelector { labels: vec![("app".into(), "web".into())], expressions: Vec::new() });
    let budget = PdbFacts { namespace: "a".into(), name: "web".into(), selector, allowed: Some(0) };
    let victim = |changes: Vec<Fact>| {
        let facts = (0..4).map(|number| app(number, if number == 0 { "web" } else { "db" }));
        let mut actor = actor(Mode::Gate, facts.chain([Fact::Budget(budget.clone())]));
        turn(&mut actor, 0);
        changes.into_iter().for_each(|fact| actor.take(fact));
        turn(&mut actor, 10);
        actor.take(shown(&pod("b", "q", 9, 2)));
        turn(&mut actor, 20_000).first().and_then(|line| line.split([' ', ':']).nth(1)).unwrap_or("nobody").to_owned()
    };
    assert_eq!(victim(vec![]), "a/p3", "the last that started");
    assert_eq!(victim(vec![app(3, "web")]), "a/p2", "it is protected now");
    let all = || (1..4).map(|number| app(number, "web")).collect::<Vec<_>>();
    assert_eq!(victim(all()), "nobody");
    assert_eq!(victim(all().into_iter().chain([app(2, "db")]).collect()), "a/p2");
}
