//! H2: how a hold ends: it is withdrawn, times out, loses its node, or is taken over by another workload.

use crate::{TWO, check};
use quotree_core::{Policy, Preemption};
use quotree_testkit::table;

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

/// The cluster has less than the tree guarantees: b is within its min once all its pods have left, and what is created
/// again goes before a's workload by priority.
const SHORT: &str = "root 10/10; a<root 6/6; b<root 4/10";

#[test]
fn h2_what_was_evicted_for_a_hold_does_not_take_it_over() {
    check(
        SHORT,
        "6",
        &[
            ("slow evictions; submit 1 to b: 5 priority 1", "bind 1"),
            ("submit 2 to b: 1 priority 1", "bind 2"),
            ("submit 3 to a: 6", "evict 2 by R2; evict 1 by R2; hold 3; pending 3: H1"),
            ("gone 2", "pending 3: H1, 2': P1"),
            // One that is new may.
            (
                "submit 4 to b: 500m priority 1",
                "release 3: needed by 4; bind 4; hold 2'; pending 3: A1 at root, 2': H1",
            ),
        ],
    );
}

#[test]
fn h2_a_member_in_the_place_of_an_evicted_one_does_not_take_a_hold_over() {
    check(
        SHORT,
        "6",
        &[
            ("slow evictions; submit 2 to b: 1 x2 min 1 priority 1", "bind 2 x2"),
            ("submit 1 to b: 4 priority 1", "bind 1"),
            ("submit 3 to a: 5", "evict 2 by R2; evict 1 by R2; hold 3; pending 3: H1"),
            ("gone 2", "pending 3: H1"),
            ("grow 2 by 1", "pending 2: P1, 3: H1"),
            // A member more than it had is new.
            ("grow 2 by 1", "release 3: needed by 2; bind 2; hold 2; pending 2: H1, 3: A1 at root"),
        ],
    );
}

#[test]
fn h2_o3_who_lost_its_node_takes_the_hold_of_a_younger_one_over() {
    let rows = |submission, last| {
        [
            (submission, "bind 3 on node 1"),
            (
                "slow evictions; no recreation; submit 11 to b: 1; submit 12 to b: 1; submit 13 to b: 1",
                "bind 11 on node 0; bind 12 on node 0; bind 13 on node 0",
            ),
            ("submit 2 to a: 1", "evict 13 by R2; hold 2; pending 2: H1"),
            ("node 1 down; recreate 3", last),
        ]
    };
    let tree = "root 4/4; a<root 1/4; b<root 2/4; c<root 1/4";
    check(tree, "3 1", &rows("submit 3 to c: 1 job", "release 2: needed by 3'; hold 3'; pending 2: P1, 3': H1"));
    check(tree, "3 1", &rows("submit 3 to c: 1", "pending 2: H1, 3': P1"));
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
fn h2_s3_a_gang_loses_its_hold_before_it_is_evicted_whole() {
    // 3 runs with the three members it needs and holds room for a fourth. 5 is entitled, but 4 goes before it in its
    // leaf (O1). What 1 frees is enough for 5: if the gang were evicted, 1 would be evicted in vain.
    check(
        "root 5/5; a<root 1/5; b<root 1/5; c<root 1/5",
        "5",
        &[
            ("slow evictions; no recreation; submit 1 to a: 1; submit 2 to c: 1 non-preemptible", "bind 1; bind 2"),
            ("submit 3 to a: 1 x4 min 3 priority 3", "bind 3 x3; evict 1 by R1; hold 3; pending 3: H1"),
            (
                "submit 4 to b: 1 x2 priority 3; submit 5 to b: 1",
                "release 3: needed by 5; hold 5; pending 3: A1 at root, 4: A1 at root, 5: H1",
            ),
            ("gone 1", "bind 5; pending 3: A1 at root, 4: A1 at root"),
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
