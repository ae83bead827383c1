//! R1 to R8: who may evict whom.

use crate::check;
use quotree_core::{
    Action, EnforceMax, Floor, Policy, Preemption, Reclaim, RespectBudgets, Time, Unquotaed, WithinQueuePreemption,
};
use quotree_testkit::table::{self, Game};

const TWO: &str = "root 4/4; a<root 2/4; b<root 2/4";

fn by(change: impl FnOnce(&mut Policy)) -> Policy {
    let mut policy = Policy::default();
    change(&mut policy);
    policy
}

#[test]
fn r1_a_leaf_preempts_only_its_own_lower_priorities() {
    check(
        "root 4/4; a<root 4/4",
        "4",
        &[
            ("submit 1 to a: 4", "bind 1"),
            ("submit 2 to a: 4 priority 1", "evict 1 by R1; bind 2; pending 1': A1 at a"),
            ("submit 3 to a: 4 priority 1", "pending 3: A1 at a, 1': A1 at a"),
        ],
    );
}

#[test]
fn r1_preemption_does_not_let_a_leaf_borrow_more() {
    check(
        "root 6/6; a<root 2/6; b<root 4/6",
        "6",
        &[
            ("submit 1 to a: 2", "bind 1"),
            ("submit 2 to b: 4", "bind 2"),
            ("submit 3 to a: 3 priority 5", "pending 3: A1 at root"),
            ("submit 4 to a: 2 priority 5", "evict 1 by R1; bind 4; pending 3: A1 at root, 1': A1 at root"),
        ],
    );
}

#[test]
fn r1_takes_more_of_its_own_pods_rather_than_borrow_more() {
    check(
        "root 7/7; a<root 1/7; b<root 3/7",
        "7",
        &[
            ("submit 1 to a: 1; submit 2 to a: 1; submit 3 to a: 1", "bind 1; bind 2; bind 3"),
            ("submit 4 to b: 3", "bind 4"),
            ("submit 5 to a: 2 priority 1", "evict 3 by R1; evict 2 by R1; bind 5; bind 2'; pending 3': A1 at root"),
        ],
    );
}

#[test]
fn r1_r8_preemption_within_a_queue_as_the_policy_says() {
    let rows = |last| {
        [
            ("submit 9 to a: 2", "bind 9"),
            ("submit 1 to a: 3", "pending 1: A1 at a"),
            ("submit 2 to a: 2", "bind 2; pending 1: A1 at a"),
            ("finish 9", last),
        ]
    };
    let tree = "root 4/4; a<root 4/4";
    table::check(
        tree,
        "4",
        by(|p| p.within = WithinQueuePreemption::LowerOrNewerEqual),
        &rows("evict 2 by R1; bind 1; pending 2': A1 at a"),
    );
    table::check(tree, "4", Policy::default(), &rows("pending 1: A1 at a"));
    let rows = [("submit 1 to a: 4", "bind 1"), ("submit 2 to a: 4 priority 9", "pending 2: A1 at a")];
    table::check(tree, "4", by(|p| p.within = WithinQueuePreemption::Never), &rows);
}

#[test]
fn r2_a_guarantee_is_reclaimed_whatever_the_priorities() {
    check(
        TWO,
        "4",
        &[
            (
                "submit 1 to b: 1 priority 9; submit 2 to b: 1 priority 9; submit 3 to b: 1 priority 9; submit 4 to b: 1 priority 9",
                "bind 1; bind 2; bind 3; bind 4",
            ),
            ("submit 5 to a: 1", "evict 4 by R2; bind 5; pending 4': A1 at root"),
            ("submit 6 to a: 1", "evict 3 by R2; bind 6; pending 3': A1 at root, 4': A1 at root"),
            ("submit 7 to a: 1", "pending 7: A1 at root, 3': A1 at root, 4': A1 at root"),
        ],
    );
}

#[test]
fn r2a_the_request_is_included() {
    check(
        "root 6/6; a<root 3/6; b<root 3/6",
        "6",
        &[
            ("submit 1 to a: 2", "bind 1"),
            ("submit 2 to b: 4", "bind 2"),
            ("submit 3 to a: 2", "pending 3: A1 at root"),
            ("submit 4 to a: 1", "evict 2 by R2; bind 4; bind 3; pending 2': A1 at root"),
        ],
    );
}

#[test]
fn r2a_all_requested_resources_count() {
    check(
        "root 20,4/20,4; a<root 2,2/20,4; b<root 18,2/20,4",
        "20,4",
        &[
            (
                "submit 1 to b: 1,1; submit 2 to b: 1,1; submit 3 to b: 1,1; submit 4 to b: 1,1",
                "bind 1; bind 2; bind 3; bind 4",
            ),
            ("submit 5 to a: 4,1", "pending 5: A1 at root"),
            ("submit 6 to a: 2,1", "evict 4 by R2; bind 6; pending 5: A1 at root, 4': A1 at root"),
        ],
    );
}

#[test]
fn r2a_every_node_below_the_common_ancestor_counts() {
    check(
        "root 20/20; x<root 10/20; y<root 10/20; a<x 5/20; b<x 5/20; c<y 10/20",
        "20",
        &[
            ("submit 1 to b: 5; submit 2 to b: 3", "bind 1; bind 2"),
            ("submit 3 to c: 12", "bind 3"),
            ("no recreation; submit 4 to a: 5", "evict 2 by R2; evict 3 by R2; bind 4"),
        ],
    );
}

#[test]
fn r2b_a_leaf_at_its_min_is_left_alone() {
    check(
        TWO,
        "3",
        &[
            ("submit 1 to b: 2", "bind 1"),
            ("submit 2 to a: 1", "bind 2"),
            ("submit 3 to a: 1", "pending 3: P1"),
            ("finish 1", "bind 3"),
        ],
    );
}

#[test]
fn r2c_protected_runtime() {
    table::check(
        TWO,
        "4",
        by(|p| p.min_runtime_ms = 5000),
        &[
            ("submit 1 to b: 4", "bind 1"),
            ("submit 2 to a: 2", "pending 2: A1 at root"),
            ("wait 2000 ms", "pending 2: A1 at root"),
            ("wait 2000 ms", "evict 1 by R2; bind 2; pending 1': A1 at root"),
        ],
    );
}

#[test]
fn r2c_non_preemptible_pods_are_never_evicted() {
    check(
        "root 4/4; a<root 1/4; b<root 3/4",
        "4",
        &[
            ("submit 1 to b: 3 non-preemptible", "bind 1"),
            ("submit 2 to b: 1", "bind 2"),
            ("tree root 4/4; a<root 3/4; b<root 1/4", "nothing"),
            ("submit 3 to a: 1", "evict 2 by R2; bind 3; pending 2': A1 at root"),
            ("submit 4 to a: 1", "pending 4: A1 at root, 2': A1 at root"),
        ],
    );
}

#[test]
fn r3_an_entitled_workload_reclaims_before_it_preempts_its_own() {
    check(
        TWO,
        "4",
        &[
            ("submit 1 to a: 1", "bind 1"),
            ("submit 2 to b: 3", "bind 2"),
            ("submit 3 to a: 1 priority 5", "evict 2 by R2; bind 3; pending 2': A1 at root"),
        ],
    );
    check(
        TWO,
        "3",
        &[
            ("submit 1 to a: 1", "bind 1"),
            ("submit 2 to b: 2", "bind 2"),
            ("submit 3 to a: 1 priority 5", "evict 1 by R1; bind 3; pending 1': P1"),
        ],
    );
}

#[test]
fn r3_an_unentitled_workload_may_still_preempt_its_own() {
    check(
        TWO,
        "4",
        &[
            ("submit 1 to a: 2", "bind 1"),
            ("submit 2 to b: 2", "bind 2"),
            ("submit 3 to a: 2 priority 5", "evict 1 by R1; bind 3; pending 1': A1 at root"),
        ],
    );
}

#[test]
fn r4_quota_is_reclaimed_on_an_empty_cluster_too() {
    check(
        TWO,
        "100",
        &[("submit 1 to b: 4", "bind 1"), ("submit 2 to a: 2", "evict 1 by R2; bind 2; pending 1': A1 at root")],
    );
}

#[test]
fn r5_a_victim_must_help() {
    check(
        "root 8/8; a<root 4/8; b<root 4/8",
        "4:z=x 4:z=y",
        &[
            ("submit 1 to b: 4 on z=y", "bind 1 on node 1"),
            ("submit 2 to b: 4 on z=x", "bind 2 on node 0"),
            ("submit 3 to a: 4 on z=y", "evict 1 by R2; bind 3 on node 1; pending 1': A1 at root"),
        ],
    );
}

#[test]
fn r6_nobody_is_evicted_for_a_gang_that_cannot_be_placed() {
    check(
        "root 16/16; a<root 16/16; b<root 0/16",
        "4 4",
        &[("submit 1 to b: 4", "bind 1 on node 0"), ("submit 2 to a: 4 x3", "pending 2: P1")],
    );
}

#[test]
fn r7_a_budget_is_broken_only_if_no_other_plan_exists() {
    let rows = [
        ("budget g allows 0", "nothing"),
        ("submit 1 to b: 2", "bind 1"),
        ("submit 2 to b: 2 budget g", "bind 2"),
        ("submit 3 to a: 1", "evict 1 by R2; bind 3; pending 1': A1 at root"),
    ];
    check(TWO, "4", &rows);
    let rows =
        |last| [("budget g allows 0", "nothing"), ("submit 1 to b: 4 budget g", "bind 1"), ("submit 2 to a: 2", last)];
    check(TWO, "4", &rows("evict 1 by R2; bind 2; pending 1': A1 at root"));
    table::check(TWO, "4", by(|p| p.respect_budgets = RespectBudgets::Always), &rows("pending 2: A1 at root"));
}

#[test]
fn r8_the_policy_switches_kinds_of_preemption_off() {
    let across = |last| [("submit 1 to b: 4", "bind 1"), ("submit 2 to a: 2", last)];
    let taken = "evict 1 by R2; bind 2; pending 1': A1 at root";
    table::check(TWO, "4", by(|p| p.reclaim = Reclaim::Off), &across("pending 2: A1 at root"));
    table::check(TWO, "4", by(|p| p.preemption = Preemption::PriorityOnly), &across("pending 2: A1 at root"));
    table::check(TWO, "4", by(|p| p.preemption = Preemption::None), &across("pending 2: A1 at root"));
    table::check(TWO, "4", by(|p| p.preemption = Preemption::ReclaimOnly), &across(taken));
    let within = |last| [("submit 1 to a: 4", "bind 1"), ("submit 2 to a: 4 priority 1", last)];
    let tree = "root 4/4; a<root 4/4";
    table::check(tree, "4", by(|p| p.preemption = Preemption::ReclaimOnly), &within("pending 2: A1 at a"));
    table::check(tree, "4", by(|p| p.preemption = Preemption::None), &within("pending 2: A1 at a"));
    let taken = "evict 1 by R1; bind 2; pending 1': A1 at a";
    table::check(tree, "4", by(|p| p.preemption = Preemption::PriorityOnly), &within(taken));
}

#[test]
fn r8_f3_a_fair_share_may_be_reclaimed() {
    let tree = "root 9/9; a<root 0/9; b<root 0/9";
    let rows = |last| {
        let all = "submit 1 to a: 1; submit 2 to a: 1; submit 3 to a: 1; submit 4 to a: 1; submit 5 to a: 1; submit 6 to a: 1; submit 7 to a: 1; submit 8 to a: 1; submit 9 to a: 1";
        let bound = "bind 1; bind 2; bind 3; bind 4; bind 5; bind 6; bind 7; bind 8; bind 9";
        [("no recreation", "nothing"), (all, bound), ("submit 10 to b: 3", last)]
    };
    check(tree, "9", &rows("pending 10: A1 at root"));
    let taken = "evict 9 by R2; evict 8 by R2; evict 7 by R2; bind 10";
    table::check(tree, "9", by(|p| p.reclaim = Reclaim::FairShare), &rows(taken));
}

#[test]
fn r2b_above_min_in_one_of_the_missing_resources_is_enough() {
    // Both resources are missing at the root; 4 is above min in the second one only, and started last.
    check(
        "root 6,6/6,6; a<root 2,2/6,6; b<root 2,2/6,6; c<root 2,2/6,6",
        "9,9",
        &[
            ("submit 1 to c: 2,1; submit 2 to c: 2,1", "bind 1; bind 2"),
            ("submit 3 to b: 1,2; submit 4 to b: 1,2", "bind 3; bind 4"),
            ("no recreation; submit 5 to a: 1,1", "evict 4 by R2; bind 5"),
        ],
    );
}

#[test]
fn r1_r8_a_workload_of_the_same_time_is_not_newer() {
    let policy = by(|p| p.within = WithinQueuePreemption::LowerOrNewerEqual);
    let rows =
        [("submit 1 to a: 4; submit 2 to a: 4", "bind 1; pending 2: A1 at a"), ("wait 1 ms", "pending 2: A1 at a")];
    table::check("root 4/4; a<root 4/4", "4", policy, &rows);
}

#[test]
fn r1_a_borrower_preempts_only_what_its_leaf_borrows() {
    check(
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &[
            ("no recreation; submit 1 to a: 1; submit 2 to a: 1; submit 3 to a: 1", "bind 1; bind 2; bind 3"),
            ("submit 4 to a: 3 priority 1", "pending 4: A1 at a"),
            ("submit 5 to a: 2 priority 1", "evict 3 by R1; evict 2 by R1; bind 5; pending 4: A1 at a"),
        ],
    );
}

#[test]
fn s2_a_gang_above_its_min_and_those_within_it_come_to_rest() {
    check(
        "root 9/9; top<root 7/9; a<top 1/9; b<top 5/5; d<b 3/5; c<b 2/5",
        "11",
        &[
            ("submit 1 to d: 2 priority 1", "bind 1"),
            ("submit 2 to a: 3", "bind 2"),
            ("submit 3 to c: 1 x3 min 3 priority 1", "bind 3 x3"),
            ("submit 4 to a: 1", "bind 4"),
            ("submit 5 to c: 1 x3 min 1", "pending 5: A1 at b"),
            ("submit 6 to d: 1 priority 2", "evict 3 x3 by R2; bind 6; bind 5 x2; pending 5: A1 at b, 3': A1 at b"),
            ("submit 7 to d: 1 priority 2", "evict 1 by R1; bind 7; bind 5; pending 1': A1 at b, 3': A1 at c"),
            ("submit 8 to d: 1", "evict 5 by R2; bind 8; pending 1': A1 at b, 3': A1 at b"),
        ],
    );
}

#[test]
fn r2b_r8_the_floor_may_be_strict() {
    // One pod of b is evicted by both floors; without the second one b would be below its min.
    let tree = "root 4/4; a<root 3/4; b<root 1/4";
    let rows = |last| {
        [
            ("no recreation; submit 1 to b: 2; submit 2 to b: 2", "bind 1; bind 2"),
            ("submit 3 to a: 2", "evict 2 by R2; bind 3"),
            ("submit 4 to a: 1", last),
        ]
    };
    check(tree, "4", &rows("evict 1 by R2; bind 4"));
    table::check(tree, "4", by(|p| p.floor = Floor::Strict), &rows("pending 4: A1 at root"));
}

#[test]
fn r1_the_reason_names_the_missing_resource_and_the_overuse() {
    let mut game = Game::new("root 4,4/4,4; a<root 2,2/4,4; b<root 1,0/4,4", "9,9", Policy::default()).unwrap();
    for row in [
        "submit 1 to b: 2,2 priority 9; submit 2 to b: 2,0 priority 1; submit 3 to b: 0,2",
        "no recreation; submit 4 to a: 2,2",
    ] {
        game.row(row).unwrap();
    }
    let evicted = |action: &Action| match action {
        Action::Evict { pod, reason } => Some((pod.workload.0, reason.resource.clone()?.to_string(), reason.over)),
        _ => None,
    };
    let told: Vec<_> = game.plans().iter().flat_map(|plan| &plan.actions).filter_map(evicted).collect();
    assert_eq!(told, [(3, "gpu".to_owned(), 4000), (2, "cpu".to_owned(), 3000)]);
}

#[test]
fn r2_a4_reclaim_below_the_root_spares_pods_without_a_quota() {
    // The guarantee of x is used up, so a reclaims from its sibling only, although 1 is first in victim order.
    check_unquotaed(
        "root 9/9; x<root 4/9; a<x 4/9; b<x 0/9",
        "8",
        &[
            ("submit 1 to nowhere: 4", "bind 1"),
            ("submit 2 to b: 4", "bind 2"),
            ("no recreation; submit 3 to a: 4", "evict 2 by R2; bind 3"),
        ],
    );
}

fn check_unquotaed(tree: &str, cluster: &str, rows: &[(&str, &str)]) {
    table::check(tree, cluster, by(|p| p.unquotaed = Unquotaed::Schedule), rows);
}

#[test]
fn r8_min_runtime_ends_by_itself() {
    let mut game = Game::new(TWO, "4", by(|p| p.min_runtime_ms = 10_000)).unwrap();
    for (row, comes) in [
        ("no recreation; submit 1 to b: 4", "bind 1"),
        ("submit 2 to a: 2", "pending 2: A1 at root"),
        ("wait 5000 ms", "pending 2: A1 at root"),
    ] {
        assert_eq!(game.row(row).unwrap(), comes, "{row}");
    }
    // Nothing happens but that time passes: 1 was bound at the first second.
    let mut core = game.core().clone();
    assert_eq!(core.decide(Time(10_999)).actions, []);
    assert_eq!(core.decide(Time(11_000)).actions.len(), 2, "evicted and held for");
}

#[test]
fn r1_r8_a_pod_that_becomes_preemptible_is_a_victim_for_its_equals_too() {
    // 2 came before 1, and may preempt it once 1 is preemptible.
    let mut game =
        Game::new("root 4/4; a<root 4/4", "4", by(|p| p.within = WithinQueuePreemption::LowerOrNewerEqual)).unwrap();
    for (row, comes) in [
        ("no recreation; submit 3 to a: 3 non-preemptible", "bind 3"),
        ("submit 2 to a: 4", "pending 2: A1 at a"),
        ("submit 1 to a: 1 non-preemptible", "bind 1; pending 2: A1 at a"),
        ("finish 3", "pending 2: A1 at a"),
        ("preemptible 1", "evict 1 by R1; bind 2"),
    ] {
        assert_eq!(game.row(row).unwrap(), comes, "{row}");
    }
}

#[test]
fn r1_a_leaf_may_grow_up_to_its_min_at_the_expense_of_its_own() {
    check(
        TWO,
        "4",
        &[
            ("submit 1 to a: 1", "bind 1"),
            ("submit 2 to b: 2", "bind 2"),
            ("no recreation; submit 3 to a: 2 priority 5", "evict 1 by R1; bind 3"),
        ],
    );
}

#[test]
fn t4_r8_a_lowered_max_is_enforced_even_without_preemption() {
    let policy = by(|p| {
        p.preemption = Preemption::None;
        p.enforce_max = EnforceMax::After { ms: 1000 };
    });
    let rows = [
        ("no recreation; submit 1 to a: 2; submit 2 to a: 2", "bind 1; bind 2"),
        ("tree root 4/4; a<root 2/2; b<root 2/4", "nothing"),
        ("wait 2000 ms", "evict 2 by T4"),
    ];
    table::check(TWO, "4", policy, &rows);
}

#[test]
fn r5_q2_nobody_is_evicted_where_only_an_ungoverned_resource_is_missing() {
    // The tree does not govern cpu; of the devices, which it governs, enough are free.
    check(
        "root -,4/-,4; a<root -,2/-,4; b<root -,0/-,4",
        "4,2:dev",
        &[("submit 1 to b: 4,1", "bind 1"), ("submit 2 to a: 1,1", "pending 2: P1")],
    );
}

#[test]
fn r5_a_pod_is_evicted_from_a_device_where_free_devices_are_fragmented() {
    check(
        "root 8,2/8,2; a<root 4,1/8,2; b<root 0,0/8,2",
        "8,2:dev",
        &[
            ("no recreation; submit 1 to b: 1,0.6; submit 2 to b: 1,0.6", "bind 1; bind 2"),
            ("submit 3 to a: 1,0.7", "evict 2 by R2; bind 3"),
        ],
    );
}

#[test]
fn r1_s2_lower_priorities_cover_the_excess_before_a_victim_of_equal_priority() {
    // 2 came first and gets the priority of 3 and 4. Their eviction would reach into the min of a, but 1 is evicted
    // before either.
    table::check(
        "root 99/99; a<root 5/99; b<root 6/99",
        "6:z=x 2:z=y",
        by(|p| p.within = WithinQueuePreemption::LowerOrNewerEqual),
        &[
            (
                "no recreation; submit 1 to a: 2 on z=y; submit 8 to b: 6 non-preemptible on z=x",
                "bind 1 on node 1; bind 8 on node 0",
            ),
            ("submit 2 to a: 4 on z=x", "pending 2: P1"),
            ("submit 3 to a: 3 priority 1 on z=x; submit 4 to a: 3 priority 1 on z=x", "pending 2: P1, 3: P1, 4: P1"),
            ("finish 8", "bind 3 on node 0; bind 4 on node 0; pending 2: P1"),
            ("priority 2: 1", "evict 4 by R1; evict 3 by R1; bind 2 on node 0"),
        ],
    );
}
