//! H1 to H3: what a preemptor has freed is reserved for it.

use crate::check;
use quotree_core::{Policy, Preemption, SearchBounds};
use quotree_testkit::table;

const TWO: &str = "root 4/4; a<root 2/4; b<root 2/4";

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
fn h2_a_hold_ends_when_its_workload_is_withdrawn() {
    check(
        TWO,
        "4",
        &[
            ("slow evictions; submit 1 to b: 4", "bind 1"),
            ("submit 2 to a: 2", "evict 1 by R2; hold 2; pending 2: H1"),
            ("withdraw 2", "nothing"),
            ("gone 1", "bind 1'"),
        ],
    );
}

#[test]
fn h2_a_hold_ends_by_time() {
    let policy = Policy { hold_timeout_ms: Some(1500), ..Policy::default() };
    table::check(
        TWO,
        "4",
        policy,
        &[
            ("slow evictions; submit 1 to b: 4", "bind 1"),
            ("submit 2 to a: 2", "evict 1 by R2; hold 2; pending 2: H1"),
            ("wait 2000 ms", "release 2: timed out; pending 2: A1 at root"),
            ("gone 1", "bind 2; pending 1': A1 at root"),
        ],
    );
}

#[test]
fn h2_a_hold_ends_when_its_node_is_lost() {
    check(
        TWO,
        "4 4",
        &[
            ("slow evictions; submit 1 to b: 4", "bind 1 on node 0"),
            ("cordon node 1", "nothing"),
            ("submit 2 to a: 2", "evict 1 by R2; hold 2; pending 2: H1"),
            ("node 0 down", "release 2: node 0 lost; pending 2: P1"),
        ],
    );
}

#[test]
fn h2_an_earlier_entitled_workload_takes_a_hold_over() {
    // The cluster has less than the tree guarantees: b is at its min once 13 leaves, so c may reclaim from nobody.
    check(
        "root 4/4; a<root 1/4; b<root 2/4; c<root 1/4",
        "3",
        &[
            (
                "slow evictions; no recreation; submit 11 to b: 1; submit 12 to b: 1; submit 13 to b: 1",
                "bind 11; bind 12; bind 13",
            ),
            ("submit 2 to a: 1", "evict 13 by R2; hold 2; pending 2: H1"),
            ("submit 3 to c: 1 priority 9", "release 2: needed by 3; hold 3; pending 2: P1, 3: H1"),
            ("gone 13", "bind 3; pending 2: P1"),
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
fn h2_the_hold_of_an_earlier_entitled_workload_stands() {
    check(
        "root 4/4; a<root 1/4; b<root 2/4; c<root 1/4",
        "3",
        &[
            (
                "slow evictions; no recreation; submit 11 to b: 1; submit 12 to b: 1; submit 13 to b: 1",
                "bind 11; bind 12; bind 13",
            ),
            ("submit 2 to a: 1", "evict 13 by R2; hold 2; pending 2: H1"),
            ("submit 3 to c: 1", "pending 2: H1, 3: P1"),
            ("gone 13", "bind 2; pending 3: P1"),
        ],
    );
}

#[test]
fn h2_g2_a_gang_that_is_evicted_whole_holds_nothing() {
    // 2 has evicted 1 for its third member when 3 preempts it.
    check(
        "root 3/3; b<root 3/3; c<root 0/3",
        "3",
        &[
            ("slow evictions; no recreation; submit 1 to c: 1", "bind 1"),
            ("submit 2 to b: 1 x3 min 2", "bind 2 x2; evict 1 by R2; hold 2; pending 2: H1"),
            ("submit 3 to b: 2 priority 5", "evict 2 x2 by R1; release 2: needed by 3; hold 3; pending 3: H1"),
            ("gone 2", "bind 3"),
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
fn h2_a_holder_whose_victims_are_gone_is_bound_although_another_hold_ends() {
    check(
        "root 2/2; a<root 1/2; b<root 0/2; c<root 1/2",
        "2",
        &[
            ("slow evictions; no recreation; submit 11 to b: 1; submit 12 to b: 1", "bind 11; bind 12"),
            ("submit 2 to a: 1", "evict 12 by R2; hold 2; pending 2: H1"),
            ("submit 3 to c: 1", "evict 11 by R2; hold 3; pending 2: H1, 3: H1"),
            ("gone 11; gone 12; withdraw 2", "bind 3"),
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
fn h2_s3_a_gang_loses_its_hold_before_it_is_evicted_whole() {
    // 3 runs with the three members it needs and holds room for a fourth. 5 is entitled, but 4 goes before it in its
    // leaf (O1). What 1 frees is enough for 5: if the gang were evicted, 1 would be evicted in vain.
    check(
        "root 5/5; a<root 1/5; b<root 1/5; c<root 1/5",
        "5",
        &[
            ("slow evictions; no recreation; submit 1 to a: 1; submit 2 to c: 1 non-preemptible", "bind 1; bind 2"),
            (
                "submit 3 to a: 1 x4 min 3 priority 3; submit 4 to b: 1 x2 priority 3; submit 5 to b: 1",
                "bind 3 x3; evict 1 by R1; hold 3; release 3: needed by 5; hold 5; pending 3: A1 at root, 4: A1 at root, 5: H1",
            ),
            ("gone 1", "bind 5; pending 3: A1 at root, 4: A1 at root"),
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
fn o1_l3_a_hold_that_ends_admits_a_barred_workload_in_the_same_decision() {
    // 4 was tried and barred before 7 ended the hold of 2, which reserved 6 of root; 5 comes after it in order.
    check(
        "root 13/13; b<root 9/13; a<root 0/4; c<root 2/4 lend=0",
        "1 3 7 2",
        &[
            ("slow evictions; no recreation; submit 1 to c: 4", "bind 1 on node 2"),
            ("submit 2 to b: 6", "evict 1 by R2; hold 2; pending 2: H1"),
            ("submit 3 to b: 2 x2 min 1", "bind 3 on node 3; bind 3 on node 1; pending 2: H1"),
            ("submit 4 to a: 3 priority 3; submit 5 to a: 2", "pending 2: H1, 4: A1 at root, 5: A1 at root"),
            (
                "submit 6 to b: 2 priority 2",
                "evict 3 by R1; hold 6; pending 2: H1, 4: A1 at root, 5: A1 at root, 6: H1",
            ),
            (
                "submit 7 to b: 4 priority 3",
                "release 2: needed by 7; hold 7; bind 4 on node 2; pending 2: A1 at b, 5: A1 at a, 6: H1, 7: H1",
            ),
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
fn h2_a_borrower_loses_its_hold_to_an_entitled_workload_of_any_priority() {
    check(
        "root 3/3; a<root 0/3; c<root 3/3",
        "3",
        &[
            ("slow evictions; no recreation; submit 1 to a: 3", "bind 1"),
            ("submit 2 to a: 3 priority 5", "evict 1 by R1; hold 2; pending 2: H1"),
            ("submit 3 to c: 3", "release 2: needed by 3; hold 3; pending 2: A1 at a, 3: H1"),
            ("gone 1", "bind 3; pending 2: A1 at root"),
        ],
    );
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
fn h2_a_hold_that_comes_to_borrow_is_taken_over() {
    // What 2 holds is within the min of a until 4 is placed. 3 may evict nobody, and came after the hold.
    let policy = Policy { preemption: Preemption::PriorityOnly, ..Policy::default() };
    table::check(
        "root 9/9; a<root 2/9; c<root 2/9",
        "2:z=x 1:z=y",
        policy,
        &[
            (
                "slow evictions; no recreation; submit 1 to a: 1 on z=x; submit 11 to a: 1 on z=x",
                "bind 1 on node 0; bind 11 on node 0",
            ),
            ("submit 2 to a: 2 priority 5 on z=x", "evict 11 by R1; evict 1 by R1; hold 2; pending 2: H1"),
            ("gone 1", "pending 2: H1"),
            ("submit 3 to c: 1 on z=x", "pending 2: H1, 3: P1"),
            ("submit 4 to a: 1", "bind 4 on node 1; release 2: needed by 3; bind 3 on node 0; pending 2: P1"),
        ],
    );
}

#[test]
fn h2_g2_losing_a_spare_member_does_not_end_a_hold() {
    check(
        "root 5/5; a<root 1/5; b<root 1/5; c<root 1/5",
        "5",
        &[
            ("slow evictions; no recreation; submit 1 to a: 1; submit 2 to c: 1 non-preemptible", "bind 1; bind 2"),
            ("submit 3 to a: 1 x4 min 2 priority 3", "bind 3 x3; evict 1 by R1; hold 3; pending 3: H1"),
            ("submit 5 to b: 1", "evict 3 by R2; hold 5; pending 3: H1, 5: H1"),
        ],
    );
    check(
        "root 3/3; a<root 0/3; b<root 1/3; c<root 1/3",
        "3",
        &[
            ("slow evictions; no recreation; submit 1 to a: 1; submit 2 to c: 1 non-preemptible", "bind 2; bind 1"),
            ("submit 3 to a: 1 x2 min 0 priority 3", "bind 3; evict 1 by R1; hold 3; pending 3: H1"),
            ("submit 5 to b: 1", "evict 3 by R2; hold 5; pending 3: H1, 5: H1"),
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
fn h2_usage_above_the_min_of_the_root_is_not_borrowing() {
    // Usage is above the min of the root, and yet what 2 holds is within its guarantee.
    check(
        "root 4/9; a<root 1/9; b<root 2/9; c<root 1/9; d<root 0/9",
        "3:z=x 2:z=y",
        &[
            (
                "slow evictions; no recreation; submit 11 to b: 1 on z=x; submit 12 to b: 1 on z=x; submit 13 to b: 1 on z=x",
                "bind 11 on node 0; bind 12 on node 0; bind 13 on node 0",
            ),
            ("submit 14 to d: 2 on z=y", "bind 14 on node 1"),
            ("submit 2 to a: 1 on z=x", "evict 13 by R2; hold 2; pending 2: H1"),
            ("submit 3 to c: 1 on z=x", "pending 2: H1, 3: P1"),
            ("gone 13", "bind 2 on node 0; pending 3: P1"),
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
fn h2_a_workload_takes_over_only_holds_made_before_it_came() {
    // 3 was pending already when 2 began to hold; 4, which asks for the same, came later.
    let policy = Policy { preemption: Preemption::PriorityOnly, ..Policy::default() };
    table::check(
        "root 3/3; a<root 0/3; c<root 3/3",
        "3",
        policy,
        &[
            ("slow evictions; no recreation; submit 1 to a: 2; submit 11 to a: 1", "bind 1; bind 11"),
            ("submit 3 to c: 1", "pending 3: A1 at root"),
            ("submit 2 to a: 3 priority 5", "evict 11 by R1; evict 1 by R1; hold 2; pending 2: H1, 3: A1 at root"),
            ("gone 11", "pending 2: H1, 3: A1 at root"),
            ("submit 4 to c: 1", "pending 2: H1, 3: A1 at root, 4: A1 at root"),
            ("withdraw 3", "release 2: needed by 4; bind 4; pending 2: A1 at a"),
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
fn h2_a5_a_workload_that_loses_its_hold_no_longer_counts_as_a_job() {
    check(
        "root 4/4; a<root 2/4 jobs=1; b<root 2/4",
        "4",
        &[
            ("slow evictions; no recreation; submit 1 to b: 4", "bind 1"),
            ("submit 2 to a: 2", "evict 1 by R2; hold 2; pending 2: H1"),
            ("submit 3 to a: 2 priority 5", "release 2: needed by 3; hold 3; pending 2: A1 at root, 3: H1"),
            ("gone 1", "bind 3; pending 2: A5 at a"),
        ],
    );
}

#[test]
fn h2_g3_a_stale_gang_that_is_evicted_loses_its_hold() {
    let policy = Policy { stale_after_ms: Some(2500), ..Policy::default() };
    table::check(
        "root 4/4; a<root 3/4; b<root 0/4",
        "4",
        policy,
        &[
            ("slow evictions; no recreation; submit 1 to b: 2", "bind 1"),
            ("submit 2 to a: 1 x3 min 2", "bind 2 x2; evict 1 by R2; hold 2; pending 2: H1"),
            ("fail 2", "pending 2: H1"),
            ("wait 3000 ms", "evict 2 by G3; release 2: evicted"),
            ("gone 1", "nothing"),
            ("gone 2", "nothing"),
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
