//! X1: when a verdict is given, and how much it tells. What verdicts say is tested in `sim/tests/verdicts`, as
//! sentences.

use quotree_core::{BlockingReason, PlanVerdicts, Policy, Room, Verdict, WorkloadId};
use quotree_testkit::table::Game;

/// A world after what happens row by row, and the verdict of a workload.
fn explain(tree: &str, cluster: &str, rows: &[&str], workload: u32) -> (Game, Verdict) {
    let mut game = Game::new(tree, cluster, Policy::default()).unwrap();
    for row in rows {
        game.row(row).unwrap();
    }
    let verdict = game.core().explain(WorkloadId(workload)).unwrap();
    (game, verdict)
}

#[test]
fn x1_a_plan_has_the_verdict_of_each_workload_that_was_tried_and_not_placed() {
    let (game, verdict) = explain("root 4/4; a<root 4/4", "4", &["submit 1 to a: 3; submit 2 to a: 2"], 2);
    let plans: Vec<_> = game.plans().iter().flat_map(|p| &p.verdicts).collect();
    assert_eq!(plans.len(), 1);
    assert_eq!((plans[0].workload, &plans[0].binding), (verdict.workload, &verdict.binding));
}

#[test]
fn x1_the_binding_reason_alone_is_given_without_details() {
    let (game, full) = explain("root 9/9; a<root 2/4", "1 1", &["submit 1 to a: 4", "submit 2 to a: 2"], 2);
    let of = |id| game.core().bound_by(WorkloadId(id));
    let Some(BlockingReason::Room(Room { nodes, closest, .. })) = of(1) else { unreachable!("{:?}", of(1)) };
    assert_eq!((nodes.total, closest.len()), (2, 0), "no node is named");
    assert_eq!(of(2).map(|binding| binding.rule()), Some(full.binding.rule()));
    assert_eq!(of(3), None);
}

#[test]
fn x1_running_and_unknown_workloads_have_no_verdict() {
    let (game, _) = explain("root 4/4; a<root 4/4", "4", &["submit 1 to a: 3; submit 2 to a: 2"], 2);
    assert_eq!(game.core().explain(WorkloadId(1)), None);
    assert_eq!(game.core().explain(WorkloadId(9)), None);
}

#[test]
fn x1_a_plan_keeps_the_last_verdict_of_a_workload_that_was_tried_twice() {
    // 3 is tried, 4 is placed, and 3 is tried once more.
    let mut game = Game::new("root 9/9; a<root 9/9; b<root 0/9", "4 1", Policy::default()).unwrap();
    game.row("submit 1 to b: 3 non-preemptible; submit 2 to a: 3 non-preemptible").unwrap();
    game.row("submit 3 to a: 4; submit 4 to a: 1").unwrap();
    let last = game.plans().last().unwrap();
    let verdicts: Vec<u32> = last.verdicts.iter().map(|verdict| verdict.workload.0).collect();
    assert_eq!((last.actions.len(), verdicts), (1, vec![3]), "{last:?}");
}

#[test]
fn x1_plans_give_the_first_reason_only_unless_more_is_asked_for() {
    let to = |up_to| PlanVerdicts::Full { up_to };
    for (verdicts, full) in [(PlanVerdicts::default(), false), (to(4), false), (to(5), true)] {
        let policy = Policy { verdicts, ..Policy::default() };
        let mut game = Game::new("root 9/9; a<root 1/9; b<root 1/9", "4", policy).unwrap();
        game.row("submit 1 to a: 1; submit 2 to b: 1 non-preemptible; submit 3 to a: 1 priority 9").unwrap();
        game.row("node 1 up: 1:z=y; submit 4 to a: 2 priority 5; submit 5 to b: 1 on z=y").unwrap();
        let first = game.plans().last().unwrap().verdicts.first().unwrap();
        assert_eq!((first.workload, !first.also.is_empty()), (WorkloadId(4), full), "{first:?}");
    }
    // The same where workload 9 finds no node that can be cleared for it.
    for (verdicts, full) in [(PlanVerdicts::default(), false), (to(9), false), (to(10), true)] {
        let policy = Policy { verdicts, ..Policy::default() };
        let mut game = Game::new("root 40/40; a<root 10/40; b<root 30/40", "10 10 10 10 1:z=y", policy).unwrap();
        (1..=8).for_each(|id| drop(game.row(&format!("submit {id} to b: 4")).unwrap()));
        game.row("submit 9 to a: 10; submit 10 to b: 1 on z=y").unwrap();
        let mut verdicts = game.plans().iter().flat_map(|plan| &plan.verdicts);
        let last = verdicts.rfind(|verdict| verdict.workload == WorkloadId(9)).unwrap();
        assert_eq!(!last.also.is_empty(), full, "{last:?}");
    }
}

#[test]
fn p1_each_node_tells_the_first_test_that_the_next_pod_fails() {
    use quotree_core::{NodeCheck, NodeTest::*};
    // One node is cordoned, one has a taint, one no label, one too little, one too few devices.
    let cluster = "9,2:dev,z=y 9,2:dev,z=y,!gpu 9,2:dev 4,2:dev,z=y 9,2:dev,z=y,w=k";
    let (game, _) = explain(
        "root 99,99/99,99; a<root 99,99/99,99",
        cluster,
        &["cordon node 0", "submit 1 to a: 1,0.6 x2 on w=k; submit 2 to a: 5,0.7 on z=y"],
        2,
    );
    let seen = game.core().node_checks(WorkloadId(2));
    let failed: Vec<_> = seen.iter().map(|NodeCheck { node, failed, .. }| (node.0, *failed)).collect();
    assert_eq!(failed, [(0, Schedulable), (1, Taint), (2, Selector), (3, Room), (4, Devices)]);
    let short: Vec<i64> = seen.iter().filter_map(|check| check.lacks.as_ref()).map(|(_, amount)| *amount).collect();
    assert_eq!(short.len(), 2);
    assert_eq!(game.core().node_checks(WorkloadId(1)), []);
}
