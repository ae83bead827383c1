//! H1 to H3: what a preemptor has freed is reserved for it.

use crate::{TWO, check};
use quotree_core::{Policy, SearchBounds};
use quotree_testkit::table;

#[test]
fn h1_reserved_room_is_not_free_for_others() {
    check(
        "root 4/4; a<root 2/4; b<root 2/4; c<root 0/4",
        "4",
        &[
            ("slow evictions; submit 1 to b: 4", "bind 1"),
            ("submit 2 to a: 2", "evict 1 by R2; hold 2; pending 2: H1"),
            ("submit 3 to b: 2", "pending 2: H1, 3: A1 at b"),
            ("submit 4 to c: 1", "pending 2: H1, 3: A1 at b, 4: A1 at root"),
            ("gone 1", "bind 2; bind 3; pending 4: A1 at root, 1': A1 at b"),
        ],
    );
}

#[test]
fn h1_an_entitled_workload_holds_what_leaves_for_nobody() {
    // 5 has evicted all three when 6 takes its hold over for one core. When 6 is done, what still leaves is enough for
    // 5: it evicts nobody, and no other workload gets the free core only to be evicted next.
    check(
        "root 3/3; a<root 3/3; b<root 0/3",
        "3",
        &[
            ("slow evictions; submit 1 to b: 1; submit 2 to b: 1; submit 3 to b: 1", "bind 1; bind 2; bind 3"),
            ("submit 5 to a: 3", "evict 3 by R2; evict 2 by R2; evict 1 by R2; hold 5; pending 5: H1"),
            ("gone 1", "pending 5: H1, 1': A1 at root"),
            ("submit 6 to a: 1 priority 9", "release 5: needed by 6; bind 6; pending 5: A1 at a, 1': A1 at root"),
            ("finish 6", "hold 5; pending 5: H1, 1': A1 at root"),
            ("gone 2", "pending 5: H1, 1': A1 at root, 2': A1 at root"),
            ("gone 3", "bind 5; pending 1': A1 at root, 2': A1 at root, 3': A1 at root"),
        ],
    );
}

#[test]
fn h3_victims_may_leave_at_different_times() {
    check(
        "root 4/4; a<root 2/4; b<root 2/4; c<root 0/4",
        "4",
        &[
            (
                "slow evictions; no recreation; submit 1 to b: 1; submit 2 to b: 1; submit 3 to b: 1; submit 4 to b: 1",
                "bind 1; bind 2; bind 3; bind 4",
            ),
            ("submit 5 to a: 2", "evict 4 by R2; evict 3 by R2; hold 5; pending 5: H1"),
            ("submit 6 to c: 1 priority 9", "pending 5: H1, 6: A1 at root"),
            ("gone 4", "pending 5: H1, 6: A1 at root"),
            ("wait 9999 ms", "pending 5: H1, 6: A1 at root"),
            ("gone 3", "bind 5; pending 6: A1 at root"),
        ],
    );
}

#[test]
fn h1_a_failed_bind_is_tried_again() {
    check(
        TWO,
        "4",
        &[
            ("next bind fails; submit 1 to b: 4", "bind 1 x2"),
            ("submit 2 to a: 2", "evict 1 by R2; bind 2; pending 1': A1 at root"),
        ],
    );
}

#[test]
fn h1_a_hold_counts_in_its_own_leaf_although_its_victims_are_elsewhere() {
    check(
        "root 9/9; a<root 2/2; b<root 0/4",
        "4 1",
        &[
            ("slow evictions; no recreation; submit 1 to b: 4", "bind 1 on node 0"),
            ("submit 2 to a: 2", "evict 1 by R2; hold 2; pending 2: H1"),
            ("submit 3 to a: 1", "pending 2: H1, 3: A1 at a"),
            ("gone 1", "bind 2 on node 0; pending 3: A1 at a"),
        ],
    );
}

#[test]
fn h1_a_hold_reserves_the_very_device() {
    // The device that 1 has left is whole, those of 3 and 4 have 0.3 free each: 0.6 are not held, and 0.5 fit nowhere.
    check(
        "root 9,3/9,3; a<root 2,1/9,3; b<root 0,0/9,3; d<root 0,2/9,3",
        "9,3:dev",
        &[
            ("slow evictions; no recreation; submit 1 to b: 0,1; submit 2 to b: 8,0", "bind 1; bind 2"),
            ("submit 3 to d: 0,0.7; submit 4 to d: 0,0.7", "bind 3; bind 4"),
            ("submit 5 to a: 2,1", "evict 2 by R2; evict 1 by R2; hold 5; pending 5: H1"),
            ("gone 1", "pending 5: H1"),
            ("submit 6 to d: 0,0.5", "pending 5: H1, 6: P1"),
            ("gone 2", "bind 5; pending 6: P1"),
        ],
    );
}

#[test]
fn h1_l3_what_a_hold_adds_above_a_lending_limit_follows_usage() {
    // Of the 3 cpus that q keeps, 2 are used, and 1 when 2 has left. That 5 will use 2 of them adds nothing to root,
    // neither before nor after, so 6 finds what it holds there.
    check(
        "root 6,2/6,2; q<root 3,1/6,2 lend=0,0; q1<q 2,0/6,2; q2<q 1,1/6,2; b<root 3,0/6,2",
        "9,1",
        &[
            ("slow evictions; no recreation; submit 1 to q1: 1; submit 2 to q1: 1", "bind 1; bind 2"),
            ("submit 3 to b: 3; submit 4 to b: 0,1", "bind 3; bind 4"),
            ("submit 5 to q1: 2 priority 5", "evict 2 by R1; evict 1 by R1; hold 5; pending 5: H1"),
            ("submit 6 to q2: 1,1", "evict 4 by R2; hold 6; pending 5: H1, 6: H1"),
            ("gone 2", "pending 5: H1, 6: H1"),
            ("gone 4", "bind 6; pending 5: H1"),
            ("gone 1", "bind 5"),
        ],
    );
}

#[test]
fn h1_a2_a_non_preemptible_workload_may_hold_what_leaves_for_nobody() {
    // 1 is below its minimum for too long (G3) and leaves; 2 fits when it is gone, and nobody gets in before.
    let policy = Policy { stale_after_ms: Some(1000), ..Policy::default() };
    table::check(
        "root 4/4; a<root 4/4; b<root 0/4",
        "4",
        policy,
        &[
            ("slow evictions; no recreation; submit 1 to a: 2 x2 non-preemptible", "bind 1 x2"),
            ("fail 1", "nothing"),
            ("wait 1000 ms", "evict 1 by G3"),
            ("submit 2 to a: 4 non-preemptible", "hold 2; pending 2: H1"),
            ("submit 3 to b: 2", "pending 2: H1, 3: A1 at root"),
            ("gone 1", "bind 2; pending 3: A1 at root"),
        ],
    );
}

#[test]
fn h1_a2_a_workload_waits_for_min_that_others_will_free() {
    // Every max and the node have room: the min of a is all that 2 waits for.
    let policy = Policy { stale_after_ms: Some(1000), ..Policy::default() };
    table::check(
        "root 9/9; a<root 4/9",
        "9",
        policy,
        &[
            ("slow evictions; no recreation; submit 1 to a: 2 x2 non-preemptible", "bind 1 x2"),
            ("fail 1", "nothing"),
            ("wait 1000 ms", "evict 1 by G3"),
            ("submit 2 to a: 4 non-preemptible", "hold 2; pending 2: H1"),
            ("submit 3 to a: 1 non-preemptible", "pending 2: H1, 3: A2 at a"),
            ("gone 1", "bind 2; pending 3: A2 at a"),
        ],
    );
}

#[test]
fn h1_waiting_for_pods_that_leave_has_a_bound() {
    // What 13 frees beyond the hold is enough for 6; the pod that leaves the second node does not matter.
    let waits = "pending 5: H1, 6: P1";
    for (nodes, last) in [(2, waits), (1, "evict 12 by R2; hold 6; pending 5: H1, 6: H1")] {
        let bounds = SearchBounds { nodes, ..SearchBounds::default() };
        table::check(
            "root 20/20; a<root 4/20; b<root 1/20",
            "10 1",
            Policy { bounds, ..Policy::default() },
            &[
                ("slow evictions; no recreation; submit 14 to b: 1", "bind 14 on node 1"),
                ("submit 11 to b: 3; submit 12 to b: 3", "bind 11 on node 0; bind 12 on node 0"),
                ("submit 13 to b: 4", "bind 13 on node 0"),
                ("submit 5 to a: 1", "evict 13 by R2; hold 5; pending 5: H1"),
                ("terminate 14", "pending 5: H1"),
                ("submit 6 to a: 2", last),
            ],
        );
    }
}

#[test]
fn h3_a5_a_holder_is_not_barred_by_counting_as_a_job() {
    check(
        "root 4/4; a<root 2/4 jobs=1; b<root 2/4",
        "4",
        &[
            ("slow evictions; no recreation; submit 1 to b: 4", "bind 1"),
            ("submit 2 to a: 2", "evict 1 by R2; hold 2; pending 2: H1"),
            ("gone 1", "bind 2"),
        ],
    );
}

#[test]
fn h1_a_hold_reserves_on_its_node_what_it_needs_and_no_more() {
    let tree = "root 99/99; a<root 4/99; b<root 0/99";
    check(
        tree,
        "4",
        &[
            ("slow evictions; no recreation; submit 1 to b: 2; submit 2 to b: 2", "bind 1; bind 2"),
            ("submit 3 to a: 4", "evict 2 by R2; evict 1 by R2; hold 3; pending 3: H1"),
            ("gone 1", "pending 3: H1"),
            ("submit 4 to b: 2", "pending 3: H1, 4: P1"),
            ("gone 2", "bind 3; pending 4: P1"),
        ],
    );
    // 1 frees twice what 2 will use: nothing of it is there before 1 has left.
    check(
        tree,
        "5",
        &[
            ("slow evictions; no recreation; submit 1 to b: 4", "bind 1"),
            ("submit 2 to a: 2", "evict 1 by R2; hold 2; pending 2: H1"),
            ("submit 3 to b: 3", "pending 2: H1, 3: P1"),
            ("gone 1", "bind 2; bind 3"),
        ],
    );
}

#[test]
fn h3_a_single_pod_is_bound_where_it_held_although_its_node_has_no_rack() {
    check(
        "root 4/4; a<root 2/4; b<root 0/4",
        "2 2",
        &[
            ("slow evictions; no recreation; submit 1 to b: 2", "bind 1 on node 0"),
            ("submit 3 to b: 2", "bind 3 on node 1"),
            ("submit 2 to a: 2 in one rack", "evict 3 by R2; hold 2; pending 2: H1"),
            ("finish 1", "pending 2: H1"),
            ("gone 3", "bind 2 on node 1"),
        ],
    );
}

#[test]
fn h1_g1_a_holder_asks_for_nothing_more_until_it_is_bound() {
    check(
        "root 99/99; a<root 2/99; b<root 2/99",
        "4",
        &[
            ("slow evictions; no recreation; submit 1 to b: 4", "bind 1"),
            ("submit 2 to a: 2", "evict 1 by R2; hold 2; pending 2: H1"),
            ("grow 2 by 1", "pending 2: H1"),
            ("node 1 up: 4", "pending 2: H1"),
            ("gone 1", "bind 2 x2"),
        ],
    );
}

#[test]
fn h1_g1_a_holding_gang_that_loses_a_member_asks_for_nothing_else() {
    check(
        "root 9/9; a<root 4/9; b<root 0/9",
        "4",
        &[
            ("slow evictions; no recreation; submit 1 to b: 2", "bind 1"),
            ("submit 2 to a: 1 x3 min 2", "bind 2 x2; evict 1 by R2; hold 2; pending 2: H1"),
            ("fail 2", "pending 2: H1"),
            ("gone 1", "bind 2"),
        ],
    );
}
