//! What groups of users mean to the scheduler: their leaves stay in the tree.

use crate::facts::{START, actor, begin, on, pod, settings, tree, turn};
use quotree_core::{QuotaSpec, Time, TreeSpec};
use quotree_k8s::NamespaceFacts;
use quotree_kube::{
    actor::Actor,
    settings::{Mode, Settings},
    tenancy::{Bound, Groups, Space},
    watch::{Fact, Store},
};

fn groups(all: &[(&str, &str)], leaving: bool) -> Fact {
    let bound = |leaf: &str| Bound { leaf: leaf.into(), leaving };
    Fact::Groups(all.iter().map(|(name, leaf)| ((*name).into(), bound(leaf))).collect::<Groups>())
}

/// The tree without leaf `b`.
fn without_b() -> TreeSpec {
    tree(8).quotas.into_iter().filter(|quota| quota.name != "b").collect()
}

#[test]
fn a_leaf_with_groups_stays_until_they_are_gone() {
    let mut actor = actor(Mode::Gate, [groups(&[("talkers", "b"), ("ghosts", "no-leaf")], false)]);
    turn(&mut actor, 0);
    actor.take(Fact::Tree(without_b()));
    turn(&mut actor, 10);
    let why = "GroupBound: leaves of groups of users must stay leaves: `b` (group `talkers`)";
    assert_eq!(actor.tree_refused(), Some((true, why.to_owned())));
    assert!(actor.core().unwrap().tree().by_name("b").is_some());
    // A leaf that becomes an inner quota is none any more.
    let mut inner = tree(8);
    inner.quotas[2].namespaces.clear();
    inner.quotas.push(QuotaSpec::new("b.1", Some("b")).namespace("b"));
    actor.take(Fact::Tree(inner));
    turn(&mut actor, 20);
    assert_eq!(actor.tree_refused().map(|(valid, _)| valid), Some(true));
    actor.take(groups(&[("ghosts", "no-leaf")], false));
    turn(&mut actor, 30);
    assert_eq!(actor.tree_refused(), None);
    assert!(actor.core().unwrap().tree().by_name("b.1").is_some());
}

#[test]
fn nothing_is_decided_before_the_groups_were_listed() {
    let mut actor = Actor::new(Settings { users: true, ..settings(Mode::Gate) });
    begin(&mut actor, []);
    actor.turn(Time(START));
    assert!(!actor.is_started());
    actor.take(groups(&[], false));
    actor.take(Fact::Synced(Store::Groups));
    actor.turn(Time(START + 1));
    assert!(actor.is_started());
}

#[test]
fn the_view_has_namespaces_and_what_runs_where_a_group_goes() {
    let mut actor = Actor::new(Settings::new(Mode::Gate));
    begin(&mut actor, [on(&pod("a", "p", 1, 2), "n0"), on(&pod("b", "q", 2, 2), "n0")]);
    let labels = [("quotree.io/managed".into(), "true".into())].into();
    actor.take(Fact::Namespace(NamespaceFacts { name: "a".into(), labels }));
    actor.take(Fact::NamespaceGone("b".into()));
    assert_eq!(actor.view(), None, "nothing is in force yet");
    actor.turn(Time(START));
    let view = actor.view().unwrap();
    assert_eq!(view.leaves["a"].namespaces, [("a".into(), Space::Managed)]);
    assert_eq!(view.leaves["b"].namespaces, [("b".into(), Space::Missing)]);
    assert_eq!((view.leaves["a"].pods, view.leaves["a"].some.len()), (1, 0));
    actor.take(groups(&[("seers", "a")], true));
    actor.turn(Time(START + 1));
    assert_eq!(actor.view().unwrap().leaves["a"].some, ["a/p"]);
}
