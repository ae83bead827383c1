//! What was accepted before a restart holds after it, whatever became of the object meanwhile (LF12).

use crate::facts::{START, cpu, node, on, pod, settings, shown, tree, turn};
use quotree_core::{QuotaSpec, Time, TreeSpec, audit};
use quotree_k8s::NamespaceFacts;
use quotree_kube::{
    actor::{Actor, Problem},
    settings::{Mode, Settings},
    watch::{Fact, Store, Unreadable},
};

/// An actor after a restart: the accepted tree is that of `tree(8)`, `a` runs beyond its guarantee, `b` waits.
fn restarted(newest: Option<Fact>) -> Actor {
    let mut actor = Actor::new(Settings { remembers: true, ..settings(Mode::Gate) });
    for name in ["a", "b"] {
        actor.take(Fact::Namespace(NamespaceFacts { name: name.into(), ..NamespaceFacts::default() }));
    }
    actor.take(node("n0", 8));
    (0..2).for_each(|number| actor.take(on(&pod("a", &format!("a{number}"), number, 2), "n0")));
    actor.take(shown(&pod("b", "b0", 9, 2)));
    newest.into_iter().for_each(|fact| actor.take(fact));
    Store::ALL.into_iter().for_each(|store| actor.take(Fact::Synced(store)));
    actor.turn(Time(START));
    assert!(!actor.is_started(), "what was remembered is not read yet");
    actor.take(Fact::Accepted(Some(tree(8))));
    actor.take(Fact::Synced(Store::Accepted));
    actor
}

fn leaves(actor: &Actor) -> usize {
    actor.core().unwrap().tree().len() - 1
}

#[test]
fn a_tree_that_was_broken_meanwhile_leaves_the_accepted_one_in_force() {
    let mut bad = tree(8);
    bad.quotas[1].min = cpu(20);
    let cycle: TreeSpec = [QuotaSpec::new("x", Some("y")), QuotaSpec::new("y", Some("x"))].into_iter().collect();
    let without_a: TreeSpec = tree(8).quotas.into_iter().filter(|quota| quota.name != "a").collect();
    for (newest, valid) in [(bad, false), (cycle, false), (without_a, true)] {
        let mut actor = restarted(Some(Fact::Tree(newest)));
        let intents = actor.turn(Time(START + 1));
        assert_eq!(intents.len(), 1, "b0 is admitted, and nobody is evicted: {intents:?}");
        assert!(matches!(actor.take_problems().as_slice(), [Problem::Refused { .. }]));
        assert_eq!((leaves(&actor), actor.tree_refused().map(|(valid, _)| valid)), (2, Some(valid)));
        assert_eq!(audit(actor.core().unwrap()), []);
        // Mended, it counts.
        actor.take(Fact::Tree(tree(16)));
        turn(&mut actor, 10);
        assert_eq!((actor.tree_refused(), actor.tree().map(AsRef::as_ref)), (None, Some(&tree(16))));
    }
}

#[test]
fn so_does_one_that_is_gone_or_cannot_be_read() {
    let mut gone = restarted(None);
    assert_eq!(turn(&mut gone, 1).len(), 1);
    assert_eq!((leaves(&gone), gone.tree_refused()), (2, None));
    let mistake = || Unreadable {
        kind: "ElasticQuotaTree",
        name: "kube-system/tree".to_owned(),
        field: "spec.root".to_owned(),
        why: "missing".to_owned(),
    };
    let mut odd = restarted(Some(Fact::Unreadable(mistake())));
    assert_eq!(odd.turn(Time(START + 1)).len(), 1);
    let why = "ElasticQuotaTree kube-system/tree: spec.root: missing".to_owned();
    assert_eq!((leaves(&odd), odd.tree_refused()), (2, Some((false, why.clone()))));
    // One that becomes so while it runs is said, too.
    let mut live = restarted(Some(Fact::Tree(tree(8))));
    turn(&mut live, 1);
    live.take(Fact::Unreadable(mistake()));
    live.turn(Time(START + 2));
    assert_eq!((leaves(&live), live.tree_refused()), (2, Some((false, why))));
    live.take(Fact::Tree(tree(8)));
    live.turn(Time(START + 3));
    assert_eq!(live.tree_refused(), None);
}

#[test]
fn a_tree_that_was_edited_meanwhile_counts_and_without_a_memory_the_newest_does() {
    let mut edited = restarted(Some(Fact::Tree(tree(12))));
    turn(&mut edited, 1);
    assert_eq!(edited.tree().map(AsRef::as_ref), Some(&tree(12)));
    let mut first = Actor::new(Settings { remembers: true, ..settings(Mode::Gate) });
    first.take(Fact::Tree(tree(8)));
    Store::ALL.into_iter().chain([Store::Accepted]).for_each(|store| first.take(Fact::Synced(store)));
    first.take(Fact::Accepted(None));
    turn(&mut first, 0);
    assert_eq!(first.tree().map(AsRef::as_ref), Some(&tree(8)));
}
