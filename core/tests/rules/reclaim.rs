//! R1 to R8: who may evict whom.

use crate::{TWO, by, check};
use quotree_core::{EnforceMax, Floor, Preemption, Reclaim, RespectBudgets, Time, Unquotaed};
use quotree_testkit::table::{self, Game};

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
fn r5_q2_who_lacks_only_an_ungoverned_resource_reclaims_from_who_is_over_in_what_it_requests() {
    // The tree does not govern cpu; of the devices, which it governs, enough are free.
    let tree = "root -,4/-,4; a<root -,2/-,4; b<root -,1/-,4";
    check(
        tree,
        "4,3:dev",
        &[
            ("submit 1 to b: 4,2", "bind 1"),
            ("submit 2 to a: 1,1", "evict 1 by R2; bind 2; pending 1': P1"),
            // Who requests no device, which is what is guaranteed here, reclaims nothing.
            ("submit 3 to a: 4,0", "pending 3: P1, 1': P1"),
        ],
    );
    check(tree, "4,3:dev", &[("submit 1 to b: 4,1", "bind 1"), ("submit 2 to a: 1,1", "pending 2: P1")]);
}

#[test]
fn q5_a_cap_does_not_switch_reclaim_off() {
    // b's cap on gpu guarantees nobody any gpu, so a is within its guarantee with a gpu, too.
    let rows =
        [("submit 1 to b: 1,1", "bind 1"), ("submit 2 to a: 1,1", "evict 1 by R2; bind 2; pending 1': A1 at root")];
    check("root 1,-/1,-; a<root 1,-/-,-; b<root -,-/-,4", "1,8", &rows);
    // A guarantee of gpu to anybody else does: now a borrows the gpu.
    let rows = [("submit 1 to b: 1,1", "bind 1"), ("submit 2 to a: 1,1", "pending 2: A1 at root")];
    check("root 1,1/1,-; a<root 1,-/-,-; b<root -,-/-,4; c<root -,1/-,-", "1,8", &rows);
}

#[test]
fn q5_what_nobody_is_guaranteed_is_taken_only_from_who_is_over() {
    // Both lack gpu, which is only capped. a is within its min of cpu, b is over: b loses its pod, and does not get it back.
    check(
        "root 4,-/4,-; a<root 2,-/-,-; b<root 1,-/-,2",
        "9,2",
        &[
            ("submit 1 to b: 2,2", "bind 1"),
            ("submit 2 to a: 1,1", "evict 1 by R2; bind 2; pending 1': P1"),
            ("submit 3 to b: 1,2", "pending 3: P1, 1': P1"),
        ],
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
