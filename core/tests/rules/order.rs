//! O1 to O3: the order of pending workloads, and who may pass the head of a queue.

use crate::check;
use quotree_core::{Order, Policy, Reclaim, WithinQueuePreemption};
use quotree_testkit::table;

/// Reclaim would hide who goes first.
fn without_reclaim(order: Order) -> Policy {
    Policy { order, reclaim: Reclaim::Off, ..Policy::default() }
}

#[test]
fn o1_entitled_heads_go_first() {
    let tree = "root 4/4; a<root 2/4; b<root 2/4";
    let row = |last| {
        [
            ("submit 9 to a: 4 priority 9", "bind 9"),
            ("submit 1 to a: 3 priority 3; submit 2 to b: 2", "pending 1: A1 at a, 2: A1 at root"),
            ("finish 9", last),
        ]
    };
    table::check(tree, "4", without_reclaim(Order::GuaranteedFirst), &row("bind 2; pending 1: A1 at root"));
    table::check(tree, "4", without_reclaim(Order::Fifo), &row("bind 1; pending 2: A1 at root"));
}

#[test]
fn o1_share_prefers_the_smallest_dominant_share() {
    table::check(
        "root 8/8; a<root 2/8; b<root 2/8; c<root 4/8",
        "8",
        without_reclaim(Order::Share),
        &[
            ("submit 1 to a: 2", "bind 1"),
            ("submit 2 to b: 1", "bind 2"),
            ("submit 9 to c: 5", "bind 9"),
            ("submit 3 to a: 4 priority 9; submit 4 to b: 4", "pending 3: A1 at root, 4: A1 at root"),
            ("finish 9", "bind 4; pending 3: A1 at root"),
        ],
    );
}

#[test]
fn o1_in_a_leaf_priority_then_submission_then_id() {
    check(
        "root 4/4; a<root 4/4",
        "4",
        &[
            ("submit 9 to a: 4 priority 9", "bind 9"),
            ("submit 5 to a: 4", "pending 5: A1 at a"),
            (
                "submit 4 to a: 4; submit 3 to a: 4; submit 6 to a: 4 priority 1",
                "pending 3: A1 at a, 4: A1 at a, 5: A1 at a, 6: A1 at a",
            ),
            ("finish 9", "bind 6; pending 3: A1 at a, 4: A1 at a, 5: A1 at a"),
            ("finish 6", "bind 5; pending 3: A1 at a, 4: A1 at a"),
            ("finish 5", "bind 3; pending 4: A1 at a"),
            ("finish 3", "bind 4"),
        ],
    );
}

#[test]
fn o1_a_new_priority_moves_a_workload() {
    check(
        "root 4/4; a<root 4/4",
        "4",
        &[
            ("submit 9 to a: 4 priority 9", "bind 9"),
            ("submit 1 to a: 4; submit 2 to a: 4", "pending 1: A1 at a, 2: A1 at a"),
            ("priority 2: 5", "pending 1: A1 at a, 2: A1 at a"),
            ("finish 9", "bind 2; pending 1: A1 at a"),
        ],
    );
}

#[test]
fn o2_a_workload_that_does_not_fit_is_passed() {
    let row = [
        ("submit 9 to a: 2 priority 9", "bind 9"),
        ("submit 1 to a: 3; submit 2 to a: 2", "bind 2; pending 1: A1 at a"),
    ];
    check("root 4/4; a<root 4/4", "4", &row);
}

#[test]
fn o2_in_a_leaf_that_blocks_nothing_passes_the_head() {
    check(
        "root 8/8; a<root 4/4 block; b<root 4/4",
        "8",
        &[
            ("submit 9 to a: 2 priority 9", "bind 9"),
            ("submit 1 to a: 3; submit 2 to a: 2; submit 3 to b: 2", "bind 3; pending 1: A1 at a, 2: O2"),
            ("finish 9", "bind 1; pending 2: A1 at a"),
            ("finish 1", "bind 2"),
        ],
    );
}

#[test]
fn o4_who_can_never_run_hides_nobody() {
    // 5 is above b's min and not preemptible, so that it can never run. 6 behind it is entitled: it gets the core of 3,
    // and 4 of a does not, so that nobody has to be evicted for 6.
    let first = "submit 1 to a: 1 priority 1; submit 2 to b: 1; submit 3 to b: 1; submit 4 to a: 1 priority 1";
    check(
        "root 3/3; a<root 0/3; b<root 2/3",
        "3",
        &[
            (first, "bind 2; bind 3; bind 1; pending 4: A1 at root"),
            (
                "submit 5 to b: 3 non-preemptible priority 1; submit 6 to b: 1",
                "pending 4: A1 at root, 5: A1 at b, 6: A1 at root",
            ),
            ("finish 3", "bind 6; pending 4: A1 at root, 5: A1 at b"),
        ],
    );
}

#[test]
fn o4_in_a_leaf_that_blocks_who_can_never_run_keeps_no_line() {
    // 1 is larger than any node, 2 is above the max of its leaf: 3 passes both, and 4 does not pass 3.
    check(
        "root 8/8; a<root 4/6 block; b<root 4/8",
        "4 4",
        &[
            ("submit 9 to b: 4", "bind 9 on node 0"),
            ("submit 1 to a: 5 priority 3; submit 2 to a: 7 priority 2", "pending 1: A1 at root, 2: A1 at a"),
            ("submit 3 to a: 3; submit 4 to a: 2", "bind 3 on node 1; pending 1: A1 at a, 2: A1 at a, 4: A1 at root"),
            ("node 2 up: 5", "pending 1: A1 at a, 2: O2, 4: O2"),
        ],
    );
}

#[test]
fn o3_a_recreated_pod_queues_behind_older_ones() {
    check(
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &[
            ("submit 1 to b: 4", "bind 1"),
            ("submit 2 to b: 2", "pending 2: A1 at b"),
            ("submit 3 to a: 2", "evict 1 by R2; bind 3; bind 2; pending 1': A1 at b"),
        ],
    );
}

#[test]
fn o3_who_keeps_its_age_queues_before_younger_ones() {
    let rows = |submission, last| {
        [
            (submission, "bind 1"),
            ("submit 2 to a: 1", "pending 2: A1 at a"),
            ("node 0 down; recreate 1", "pending 2: P1, 1': P1"),
            ("node 0 up: 1", last),
        ]
    };
    let tree = "root 1/1; a<root 1/1";
    check(tree, "1", &rows("submit 1 to a: 1 job", "bind 1'; pending 2: A1 at a"));
    check(tree, "1", &rows("submit 1 to a: 1", "bind 2; pending 1': A1 at a"));
}

#[test]
fn o3_r1_who_keeps_its_age_is_older_than_what_came_after_it() {
    let policy = Policy { within: WithinQueuePreemption::LowerOrNewerEqual, ..Policy::default() };
    let rows = |submission, last| {
        [(submission, "bind 1 on node 0"), ("submit 2 to a: 2", "bind 2 on node 1"), ("node 0 down; recreate 1", last)]
    };
    let tree = "root 4/4; a<root 4/4";
    let last = "evict 2 by R1; bind 1' on node 1; pending 2': P1";
    table::check(tree, "2 2", policy.clone(), &rows("submit 1 to a: 2 job", last));
    table::check(tree, "2 2", policy, &rows("submit 1 to a: 2", "pending 1': P1"));
}

#[test]
fn o1_a_workload_that_becomes_entitled_in_a_decision_goes_first_in_it() {
    // 6 is entitled only when 3 has been evicted for 5; then it goes before the borrower 4, which it would have to
    // evict otherwise.
    check(
        "root 9/9; f<root 0/9; d<root 5/9; e<d 4/9; g<d 0/4",
        "9",
        &[
            ("submit 3 to g: 4", "bind 3"),
            (
                "no recreation; submit 4 to f: 5 priority 1; submit 5 to g: 1 priority 2; submit 6 to e: 4",
                "evict 3 by R1; bind 6; bind 5; pending 4: A1 at root",
            ),
        ],
    );
}

#[test]
fn o1_an_entitled_head_goes_first_although_an_equal_ask_is_behind_in_another_leaf() {
    // 2 and 3 ask for the same; 2 comes first, but is not the head of its leaf.
    table::check(
        "root 4/4; a<root 2/4; b<root 2/4; c<root 0/4",
        "4",
        without_reclaim(Order::GuaranteedFirst),
        &[
            ("submit 9 to c: 4 priority 9", "bind 9"),
            (
                "submit 1 to a: 3 priority 5; submit 2 to a: 1; submit 3 to b: 1",
                "pending 1: A1 at root, 2: A1 at root, 3: A1 at root",
            ),
            ("finish 9", "bind 3; bind 1; pending 2: A1 at root"),
        ],
    );
}

#[test]
fn o1_by_share_a_leaf_without_usage_goes_first() {
    let policy = Policy { order: Order::Share, ..Policy::default() };
    table::check(
        "root 9/9; a<root 3/9; b<root 3/9; c<root 3/9",
        "2",
        policy,
        &[
            ("no recreation; submit 1 to a: 1; submit 9 to c: 1", "bind 1; bind 9"),
            ("submit 2 to a: 1; submit 3 to b: 1", "pending 2: P1, 3: P1"),
            ("finish 9", "bind 3; pending 2: P1"),
        ],
    );
}

#[test]
fn o1_o2_a_higher_priority_becomes_the_head_of_a_blocking_leaf() {
    check(
        "root 4/4; a<root 4/4 block",
        "4",
        &[
            ("submit 1 to a: 3", "bind 1"),
            ("submit 2 to a: 2", "pending 2: A1 at a"),
            ("submit 3 to a: 1 priority 5", "bind 3; pending 2: A1 at a"),
            ("finish 1", "bind 2"),
        ],
    );
}

#[test]
fn o1_by_share_a_leaf_that_was_served_goes_later_in_the_same_decision() {
    let policy = Policy { order: Order::Share, ..Policy::default() };
    let rows = [("submit 1 to a: 1; submit 2 to a: 2; submit 3 to b: 1", "bind 1; bind 3; bind 2")];
    table::check("root 9/9; a<root 3/9; b<root 3/9", "9", policy, &rows);
}

#[test]
fn o1_l3_with_lending_limits_priority_still_orders_a_leaf() {
    // Both are pending for lack of room; 4 is entitled, and 3 is not.
    check(
        "root 9/9; a<root 1/9; b<root 5/9; c<root 1/9 lend=0",
        "5",
        &[
            ("no recreation; submit 1 to b: 2 non-preemptible; submit 2 to b: 3 non-preemptible", "bind 1; bind 2"),
            ("submit 3 to a: 2 priority 5; submit 4 to a: 1", "pending 3: P1, 4: P1"),
            ("finish 1", "bind 3; pending 4: P1"),
        ],
    );
}

#[test]
fn o2_a_withdrawn_head_leaves_its_queue_although_shares_have_changed() {
    let policy = Policy { order: Order::Share, ..Policy::default() };
    table::check(
        "root 9/9; a<root 4/9 block; b<root 4/9",
        "9",
        policy,
        &[
            ("no recreation; submit 1 to a: 1; submit 9 to b: 1 non-preemptible", "bind 1; bind 9"),
            ("submit 2 to a: 9", "pending 2: A1 at a"),
            ("submit 3 to a: 1", "pending 2: A1 at a, 3: O2"),
            ("finish 1", "pending 2: A1 at root, 3: O2"),
            ("withdraw 2", "bind 3"),
        ],
    );
}

#[test]
fn o1_a_workload_that_becomes_entitled_goes_before_borrowers() {
    // What 5 takes from x makes room within the guarantee of p for 4; 7 gets nothing of the one free cpu.
    check(
        "root 20/20; p<root 4/20; w<p 2/20; x<p 0/20; v<root 5/20; y<root 0/20",
        "6",
        &[
            ("no recreation; submit 1 to x: 5", "bind 1"),
            (
                "submit 4 to w: 1; submit 5 to v: 5; submit 7 to y: 1 priority 9",
                "evict 1 by R2; bind 4; bind 5; pending 7: P1",
            ),
        ],
    );
}

#[test]
fn o1_a_workload_that_becomes_entitled_reclaims_before_borrowers_are_placed() {
    // 4 is tried again after each event. What 5 takes from x makes it entitled, and it reclaims from u before 7 is
    // placed.
    check(
        "root 20/20; p<root 4/20; w<p 2/20; x<p 0/20; v<root 3/20; y<root 0/20; u<root 0/20",
        "2:z=x 6:z=y",
        &[
            ("no recreation; submit 9 to u: 2 on z=x; submit 1 to x: 2 on z=y", "bind 1 on node 1; bind 9 on node 0"),
            ("submit 2 to x: 3 on z=y", "bind 2 on node 1"),
            ("submit 4 to w: 2 on z=x", "pending 4: P1"),
            (
                "submit 5 to v: 3 on z=y; submit 7 to y: 1 priority 9 on z=y",
                "evict 2 by R2; evict 9 by R2; bind 7 on node 1; bind 5 on node 1; bind 4 on node 0",
            ),
        ],
    );
}
