//! X1: every verdict names the rule, what binds, the amounts, who holds it, and why nobody could be taken.

use quotree_core::{Binding, Policy, Room, Rule, Verdict, WorkloadId};
use quotree_testkit::table::Game;

fn verdict(tree: &str, cluster: &str, rows: &[&str], workload: u32) -> (Game, Verdict) {
    let mut game = Game::new(tree, cluster, Policy::default()).unwrap();
    for row in rows {
        game.row(row).unwrap();
    }
    let verdict = game.core().explain(WorkloadId(workload)).unwrap();
    (game, verdict)
}

#[test]
fn x1_a_ceiling_names_node_amounts_and_holders() {
    let tree = "root 10/10; a<root 4/10; b<root 4/10; c<root 1/10";
    let (game, verdict) = verdict(tree, "10", &["+1 a 3", "+2 b 6", "+3 a 2"], 3);
    let at = |name| game.core().tree().by_name(name).unwrap();
    let binding = Binding::Ceiling { quota: at("root"), resource: "cpu".into(), needed: 2000, available: 1000 };
    assert_eq!(verdict.binding, binding);
    assert!(!verdict.entitled);
    let holders: Vec<_> = verdict.holders.iter().map(|h| (h.quota, h.pods.len(), h.used, h.borrowed)).collect();
    assert_eq!(holders, [(Some(at("b")), 1, 6000, 2000), (Some(at("a")), 1, 3000, 0)]);
    assert!(verdict.protected.iter().any(|p| p.shield.rule() == Rule::R2a), "{:?}", verdict.protected);
}

#[test]
fn x1_protected_victims_are_counted_by_rule() {
    let tree = "root 4/4; a<root 2/4; b<root 2/4";
    let (_, verdict) = verdict(tree, "3", &["+1 b 1", "+2 b 1", "+3 a 1", "+4 a 1"], 4);
    assert!(verdict.entitled);
    assert_eq!(verdict.binding.rule(), Rule::P1);
    assert!(verdict.protected.iter().any(|p| p.shield.rule() == Rule::R2b && p.pods == 2), "{:?}", verdict.protected);
}

#[test]
fn x1_room_counts_what_is_missing() {
    let (_, verdict) = verdict("root 99/99; a<root 99/99", "4 3", &["+1 a 2", "+2 a 5"], 2);
    match verdict.binding {
        Binding::Room(Room { resource, needed, available, nodes, placed, .. }) => {
            assert_eq!(
                (resource.as_ref().map(|r| r.as_str()), needed, available, placed),
                (Some("cpu"), 5000, 4000, 0)
            );
            assert_eq!((nodes.total, nodes.full), (2, 2));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn x1_the_plan_carries_the_verdicts_of_whom_it_looked_at() {
    let (game, verdict) = verdict("root 4/4; a<root 4/4", "4", &["+1 a 3 & +2 a 2"], 2);
    let plans: Vec<_> = game.plans().iter().flat_map(|p| &p.verdicts).collect();
    assert_eq!(plans.len(), 1);
    assert_eq!((plans[0].workload, &plans[0].binding), (verdict.workload, &verdict.binding));
}

#[test]
fn x1_who_runs_or_is_unknown_has_no_verdict() {
    let (game, _) = verdict("root 4/4; a<root 4/4", "4", &["+1 a 3 & +2 a 2"], 2);
    assert_eq!(game.core().explain(WorkloadId(1)), None);
    assert_eq!(game.core().explain(WorkloadId(9)), None);
}

#[test]
fn x3_what_is_said_to_help_was_tried_and_helps() {
    // The leaf's own max is all that is in the way.
    let (_, one) = verdict("root 9/9; a<root 2/4", "9", &["+1 a 4 & +2 a 2"], 2);
    let by: Vec<_> = one.helps.iter().map(|help| format!("{help:?}")).collect();
    assert_eq!(by, [r#"MoreMax { quota: QuotaId(1), resource: Name("cpu"), by: 2000 }"#]);
    // More of a guarantee takes back what the other leaf borrows.
    let (_, two) = verdict("root 4/4; a<root 1/4; b<root 1/4", "4", &["+1 b 4", "+2 a 2"], 2);
    let by: Vec<_> = two.helps.iter().map(|help| format!("{help:?}")).collect();
    assert_eq!(by, [r#"MoreMin { quota: QuotaId(1), resource: Name("cpu"), by: 1000, from: None }"#]);
}

#[test]
fn x3_nothing_is_said_to_help_where_no_single_change_does() {
    // Both leaves stand at their min on a full cluster: neither more min nor more max finds a victim or room.
    let (_, verdict) = verdict("root 4/4; a<root 2/4; b<root 2/4", "4", &["+1 a 2 & +2 b 2", "+3 a 1"], 3);
    assert_eq!(verdict.helps, []);
}
