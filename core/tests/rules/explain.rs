//! X1: every verdict names the rule, what binds, the amounts, who holds it, and why nobody could be taken.

use quotree_core::{
    BlockingReason, Bound, Event, Help, NodeId, Policy, Protection, Room, Rule, SearchBounds, Verdict, WorkloadChange,
    WorkloadId,
};
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
    let (game, verdict) = verdict(tree, "10", &["submit 1 to a: 3", "submit 2 to b: 6", "submit 3 to a: 2"], 3);
    let at = |name| game.core().tree().by_name(name).unwrap();
    let binding = BlockingReason::Ceiling { quota: at("root"), resource: "cpu".into(), needed: 2000, available: 1000 };
    assert_eq!(verdict.binding, binding);
    assert!(!verdict.entitled);
    let holders: Vec<_> = verdict.holders.iter().map(|h| (h.quota, h.pods.len(), h.used, h.borrowed)).collect();
    assert_eq!(holders, [(Some(at("b")), 1, 6000, 2000), (Some(at("a")), 1, 3000, 0)]);
    assert!(verdict.protected.iter().any(|p| p.shield.rule() == Rule::R2a), "{:?}", verdict.protected);
}

#[test]
fn x1_protected_victims_are_counted_by_rule() {
    let tree = "root 4/4; a<root 2/4; b<root 2/4";
    let (_, verdict) =
        verdict(tree, "3", &["submit 1 to b: 1", "submit 2 to b: 1", "submit 3 to a: 1", "submit 4 to a: 1"], 4);
    assert!(verdict.entitled);
    assert_eq!(verdict.binding.rule(), Rule::P1);
    assert!(verdict.protected.iter().any(|p| p.shield.rule() == Rule::R2b && p.pods == 2), "{:?}", verdict.protected);
}

#[test]
fn x1_room_counts_what_is_missing() {
    let (_, verdict) = verdict("root 99/99; a<root 99/99", "4 3", &["submit 1 to a: 2", "submit 2 to a: 5"], 2);
    match verdict.binding {
        BlockingReason::Room(Room { resource, needed, available, nodes, placed, .. }) => {
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
    let (game, verdict) = verdict("root 4/4; a<root 4/4", "4", &["submit 1 to a: 3; submit 2 to a: 2"], 2);
    let plans: Vec<_> = game.plans().iter().flat_map(|p| &p.verdicts).collect();
    assert_eq!(plans.len(), 1);
    assert_eq!((plans[0].workload, &plans[0].binding), (verdict.workload, &verdict.binding));
}

#[test]
fn x1_what_binds_is_told_in_brief() {
    let (game, full) = verdict("root 9/9; a<root 2/4", "1 1", &["submit 1 to a: 4", "submit 2 to a: 2"], 2);
    let of = |id| game.core().bound_by(WorkloadId(id));
    let Some(BlockingReason::Room(Room { nodes, closest, .. })) = of(1) else { unreachable!("{:?}", of(1)) };
    assert_eq!((nodes.total, closest.len()), (2, 0), "in brief");
    assert_eq!(of(2).map(|binding| binding.rule()), Some(full.binding.rule()));
    assert_eq!(of(3), None);
}

#[test]
fn x1_who_runs_or_is_unknown_has_no_verdict() {
    let (game, _) = verdict("root 4/4; a<root 4/4", "4", &["submit 1 to a: 3; submit 2 to a: 2"], 2);
    assert_eq!(game.core().explain(WorkloadId(1)), None);
    assert_eq!(game.core().explain(WorkloadId(9)), None);
}

#[test]
fn x3_what_is_said_to_help_was_tried_and_helps() {
    // The leaf's own max is all that is in the way.
    let (_, one) = verdict("root 9/9; a<root 2/4", "9", &["submit 1 to a: 4; submit 2 to a: 2"], 2);
    let by: Vec<_> = one.helps.iter().map(|help| format!("{help:?}")).collect();
    assert_eq!(by, [r#"MoreMax { quota: QuotaId(1), resource: Name("cpu"), by: 2000 }"#]);
    // More of a guarantee takes back what the other leaf borrows.
    let (_, two) = verdict("root 4/4; a<root 1/4; b<root 1/4", "4", &["submit 1 to b: 4", "submit 2 to a: 2"], 2);
    let by: Vec<_> = two.helps.iter().map(|help| format!("{help:?}")).collect();
    assert_eq!(by, [r#"MoreMin { quota: QuotaId(1), resource: Name("cpu"), by: 1000, from: None }"#]);
}

#[test]
fn x3_nothing_is_said_to_help_where_no_single_change_does() {
    // Both leaves stand at their min on a full cluster: neither more min nor more max finds a victim or room.
    let (_, verdict) = verdict(
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &["submit 1 to a: 2; submit 2 to b: 2", "submit 3 to a: 1"],
        3,
    );
    assert_eq!(verdict.helps, []);
}

#[test]
fn s4_fragmentation_is_named_where_quota_could_be_freed_but_room_not() {
    // One of b's pods may be taken back and no second: then 12 are free in all, and 6 at most on one node.
    let tree = "root 40/40; a<root 10/40; b<root 30/40";
    let rows: Vec<String> =
        (1..=8).map(|i| format!("submit {i} to b: 4")).chain(["submit 9 to a: 10".to_owned()]).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let (_, verdict) = verdict(tree, "10 10 10 10", &rows, 9);
    assert!(verdict.entitled && verdict.binding.rule() == Rule::A1, "{:?}", verdict.binding);
    let room = verdict.also.iter().find_map(|other| match &other.binding {
        BlockingReason::Room(room) => Some(room),
        _ => None,
    });
    let room = room.unwrap_or_else(|| panic!("{verdict:?}"));
    assert_eq!((room.needed, room.available, room.free, room.is_fragmented()), (10_000, 6000, 12_000, true));
    assert_eq!((room.without.len(), room.closest.len()), (1, 3), "one pod counts as gone, the closest nodes are named");
    assert!(verdict.rules().any(|rule| rule == Rule::P1));
}

#[test]
fn x1_every_class_of_victims_has_its_shield_and_names() {
    let tree = "root 9/9; a<root 5/9; b<root 2/9; c<root 1/9";
    let (_, verdict) = verdict(
        tree,
        "4 4",
        &[
            "submit 1 to b: 2 non-preemptible",
            "submit 2 to c: 2",
            "submit 3 to a: 1 priority 5",
            "submit 4 to a: 1",
            "submit 5 to a: 3",
        ],
        5,
    );
    assert!(verdict.entitled && verdict.binding.rule() == Rule::P1, "{:?}", verdict.binding);
    let classes: Vec<(Protection, Vec<u32>)> = verdict
        .protected
        .iter()
        .map(|class| (class.shield.clone(), class.who.iter().map(|pod| pod.workload.0).collect()))
        .collect();
    let told =
        [(Protection::NonPreemptible, vec![1]), (Protection::Priority, vec![3, 4]), (Protection::NotEnough, vec![2])];
    assert_eq!(classes, told, "c's pod may go, and frees 2 of the 3 that are asked");
    assert_eq!(verdict.helps, [Help::FreeOnNode { node: NodeId(0), resource: "cpu".into(), by: 1000 }]);
}

#[test]
fn x1_who_borrows_one_resource_is_told_which_and_by_how_much() {
    let tree = "root 20,4/20,4; a<root 2,2/20,4; b<root 16,2/20,4";
    let (game, verdict) = verdict(
        tree,
        "20,4",
        &["submit 1 to b: 1,1; submit 2 to b: 1,1; submit 3 to b: 1,1; submit 4 to b: 1,1", "submit 5 to a: 4,1"],
        5,
    );
    let a = game.core().tree().by_name("a").unwrap();
    let borrower = BlockingReason::Unentitled { quota: a, resource: "cpu".into(), needed: 4000, available: 2000 };
    assert!(verdict.also.iter().any(|other| other.binding == borrower), "{:?}", verdict.also);
    let shield = Protection::NotEntitled { quota: a, resource: "cpu".into(), by: 2000 };
    assert!(verdict.protected.iter().any(|class| class.shield == shield && class.pods == 4), "{:?}", verdict.protected);
    assert!(verdict.helps.contains(&Help::MoreMin { quota: a, resource: "cpu".into(), by: 2000, from: None }));
}

#[test]
fn x1_the_bound_that_was_hit_is_named_whenever_it_is_asked() {
    let policy = Policy { bounds: SearchBounds { candidates: 1, ..SearchBounds::default() }, ..Policy::default() };
    let mut game = Game::new("root 4/4; a<root 2/4; b<root 1/4", "4", policy).unwrap();
    for row in ["submit 1 to b: 1", "submit 2 to b: 1", "submit 3 to b: 1", "submit 4 to b: 1", "submit 5 to a: 2"] {
        game.row(row).unwrap();
    }
    let verdict = game.core().explain(WorkloadId(5)).unwrap();
    assert_eq!(verdict.bounds_hit, [Bound::Candidates]);
}

#[test]
fn x3_a_min_that_is_all_promised_comes_from_a_sibling_that_does_not_use_it() {
    let tree = "root 6/6; a<root 1/6; b<root 2/6; c<root 3/6";
    let (game, verdict) = verdict(tree, "6", &["submit 1 to b: 3; submit 2 to b: 3", "submit 3 to a: 2"], 3);
    let at = |name| game.core().tree().by_name(name).unwrap();
    let more = Help::MoreMin { quota: at("a"), resource: "cpu".into(), by: 1000, from: Some(at("c")) };
    assert!(verdict.helps.contains(&more), "{:?}", verdict.helps);
}

#[test]
fn x3_one_more_job_can_help() {
    let (game, one) = verdict("root 4/4; a<root 4/4 jobs=1", "4", &["submit 1 to a: 1", "submit 2 to a: 1"], 2);
    let a = game.core().tree().by_name("a").unwrap();
    assert_eq!(one.helps, [Help::MoreJobs { quota: a, limit: 2 }]);
}

#[test]
fn x3_that_a_pod_may_be_evicted_can_help() {
    let (_, verdict) =
        verdict("root 4/4; a<root 4/4", "4", &["submit 1 to a: 3 non-preemptible", "submit 2 to a: 2 priority 5"], 2);
    assert_eq!(verdict.helps, [Help::Preemptible { workload: WorkloadId(1) }]);
}

#[test]
fn a2_what_may_be_evicted_from_now_on_counts_no_more_as_firm() {
    let mut game = Game::new("root 4/4; a<root 2/4; b<root 2/4", "4", Policy::default()).unwrap();
    for row in ["submit 1 to b: 2 non-preemptible", "submit 2 to a: 2"] {
        game.row(row).unwrap();
    }
    let mut core = game.core().clone();
    let b = core.tree().by_name("b").unwrap();
    let change = |preemptible| WorkloadChange { preemptible: Some(preemptible), ..WorkloadChange::of(WorkloadId(1)) };
    assert_eq!(core.usage(b).used_np.get("cpu"), Some(2000));
    core.apply(Event::WorkloadChanged(change(true))).unwrap();
    assert_eq!((core.usage(b).used_np.get("cpu"), core.usage(b).used.get("cpu")), (None, Some(2000)));
    assert!(core.workload(WorkloadId(1)).unwrap().preemptible);
    core.apply(Event::WorkloadChanged(change(false))).unwrap();
    assert_eq!(core.usage(b).used_np.get("cpu"), Some(2000));
    assert_eq!(quotree_core::audit(&core), []);
}

#[test]
fn x3_a_resource_that_a_node_does_not_have_at_all_can_help() {
    let tree = "root 4,4/4,4; a<root 4,4/4,4";
    let (_, verdict) = verdict(tree, "4", &["submit 1 to a: 1,1"], 1);
    assert_eq!(verdict.helps, [Help::FreeOnNode { node: NodeId(0), resource: "gpu".into(), by: 1000 }]);
}

#[test]
fn x1_whoever_it_may_displace_would_have_to_pay_for_what_it_borrows_more() {
    let (game, verdict) = verdict(
        "root 9/9; a<root 1/9; b<root 1/9",
        "4",
        &[
            "submit 1 to a: 1; submit 2 to b: 1 non-preemptible; submit 3 to a: 1 priority 9",
            "node 1 up: 1:z=y; submit 4 to a: 2 priority 5; submit 5 to b: 1 on z=y",
        ],
        4,
    );
    let a = game.core().tree().by_name("a").unwrap();
    let growth = BlockingReason::Growth { quota: a, resource: "cpu".into(), needed: 2000, available: 1000 };
    assert!(verdict.also.iter().any(|other| other.binding == growth), "{verdict:?}");
    let told = game.plans().last().unwrap().verdicts.first().unwrap();
    assert_eq!((told.workload, &told.also[0].binding), (WorkloadId(4), &growth), "the plan says so, too");
}

#[test]
fn x1_of_a_workload_that_is_tried_twice_the_plan_keeps_the_last_word() {
    // 3 is tried, then 4 is placed, and 3 once more.
    let mut game = Game::new("root 9/9; a<root 9/9; b<root 0/9", "4 1", Policy::default()).unwrap();
    game.row("submit 1 to b: 3 non-preemptible; submit 2 to a: 3 non-preemptible").unwrap();
    game.row("submit 3 to a: 4; submit 4 to a: 1").unwrap();
    let last = game.plans().last().unwrap();
    let told: Vec<u32> = last.verdicts.iter().map(|verdict| verdict.workload.0).collect();
    assert_eq!((last.actions.len(), told), (1, vec![3]), "{last:?}");
}

#[test]
fn x1_in_a_large_world_plans_tell_the_first_reason_only() {
    for (detail, full) in [(4, false), (5, true)] {
        let policy = Policy { bounds: SearchBounds { detail, ..SearchBounds::default() }, ..Policy::default() };
        let mut game = Game::new("root 9/9; a<root 1/9; b<root 1/9", "4", policy).unwrap();
        game.row("submit 1 to a: 1; submit 2 to b: 1 non-preemptible; submit 3 to a: 1 priority 9").unwrap();
        game.row("node 1 up: 1:z=y; submit 4 to a: 2 priority 5; submit 5 to b: 1 on z=y").unwrap();
        let told = game.plans().last().unwrap().verdicts.first().unwrap();
        assert_eq!((told.workload, !told.also.is_empty()), (WorkloadId(4), full), "{told:?}");
    }
    // No node can be cleared for 9: that is told in full, too.
    for (detail, full) in [(9, false), (10, true)] {
        let policy = Policy { bounds: SearchBounds { detail, ..SearchBounds::default() }, ..Policy::default() };
        let mut game = Game::new("root 40/40; a<root 10/40; b<root 30/40", "10 10 10 10 1:z=y", policy).unwrap();
        (1..=8).for_each(|id| drop(game.row(&format!("submit {id} to b: 4")).unwrap()));
        game.row("submit 9 to a: 10; submit 10 to b: 1 on z=y").unwrap();
        let mut told = game.plans().iter().flat_map(|plan| &plan.verdicts);
        let last = told.rfind(|verdict| verdict.workload == WorkloadId(9)).unwrap();
        assert_eq!(!last.also.is_empty(), full, "{last:?}");
    }
}

#[test]
fn x1_more_racks_than_may_be_tried_are_told() {
    for (nodes, hit) in [(1, vec![Bound::Nodes]), (2, vec![])] {
        let policy = Policy { bounds: SearchBounds { nodes, ..SearchBounds::default() }, ..Policy::default() };
        let mut game = Game::new("root 4/4; a<root 4/4; b<root 0/4", "2:in..r0 2:in..r1", policy).unwrap();
        for row in ["submit 1 to b: 2 non-preemptible; submit 2 to b: 2", "submit 3 to a: 2 x2 in one rack"] {
            game.row(row).unwrap();
        }
        assert_eq!(game.core().explain(WorkloadId(3)).unwrap().bounds_hit, hit);
    }
}
