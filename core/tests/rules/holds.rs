//! H1 to H3: what was freed is for the one who freed it.

use crate::check;
use quotree_core::{Policy, Preemption, SearchBounds};
use quotree_testkit::table;

const TWO: &str = "root 4/4; a<root 2/4; b<root 2/4";

#[test]
fn h1_others_see_the_room_as_taken() {
    check(
        "root 4/4; a<root 2/4; b<root 2/4; c<root 0/4",
        "4",
        &[
            ("slow & +1 b 4", "bind 1"),
            ("+2 a 2", "evict 1 R2, hold 2 | 2 H1"),
            ("+3 b 2", "| 2 H1, 3 A1@b"),
            ("+4 c 1", "| 2 H1, 3 A1@b, 4 A1@root"),
            ("gone 1", "bind 2, bind 3 | 4 A1@root, 1' A1@b"),
        ],
    );
}

#[test]
fn h2_a_hold_ends_when_its_workload_is_withdrawn() {
    check(
        TWO,
        "4",
        &[("slow & +1 b 4", "bind 1"), ("+2 a 2", "evict 1 R2, hold 2 | 2 H1"), ("-2", ""), ("gone 1", "bind 1'")],
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
            ("slow & +1 b 4", "bind 1"),
            ("+2 a 2", "evict 1 R2, hold 2 | 2 H1"),
            ("tick 2000", "release 2 TimedOut | 2 A1@root"),
            ("gone 1", "bind 2 | 1' A1@root"),
        ],
    );
}

#[test]
fn h2_a_hold_ends_when_its_node_is_lost() {
    check(
        TWO,
        "4 4",
        &[
            ("slow & +1 b 4", "bind 1@0"),
            ("cordon 1", ""),
            ("+2 a 2", "evict 1 R2, hold 2 | 2 H1"),
            ("down 0", "release 2 NodeLost(NodeId(0)) | 2 P1"),
        ],
    );
}

#[test]
fn h2_a_hold_gives_way_to_an_earlier_entitled_workload() {
    // The cluster cannot keep what the tree promises: b is at its min once 13 leaves, so c finds nobody to take from.
    check(
        "root 4/4; a<root 1/4; b<root 2/4; c<root 1/4",
        "3",
        &[
            ("slow & once & +11 b 1 & +12 b 1 & +13 b 1", "bind 11, bind 12, bind 13"),
            ("+2 a 1", "evict 13 R2, hold 2 | 2 H1"),
            ("+3 c 1 p9", "release 2 NeededBy(WorkloadId(3)), hold 3 | 2 P1, 3 H1"),
            ("gone 13", "bind 3 | 2 P1"),
        ],
    );
}

#[test]
fn h1_who_leaves_for_nobody_leaves_for_the_entitled_who_waits() {
    // 5 has evicted all three when 6 takes its hold over for one core. When 6 is done, what still leaves is enough for 5:
    // it evicts nobody, and whoever waits for the free core does not get it only to be evicted next.
    check(
        "root 3/3; a<root 3/3; b<root 0/3",
        "3",
        &[
            ("slow & +1 b 1 & +2 b 1 & +3 b 1", "bind 1, bind 2, bind 3"),
            ("+5 a 3", "evict 3 R2, evict 2 R2, evict 1 R2, hold 5 | 5 H1"),
            ("gone 1", "| 5 H1, 1' A1@root"),
            ("+6 a 1 p9", "release 5 NeededBy(WorkloadId(6)), bind 6 | 5 A1@a, 1' A1@root"),
            ("done 6", "hold 5 | 5 H1, 1' A1@root"),
            ("gone 2", "| 5 H1, 1' A1@root, 2' A1@root"),
            ("gone 3", "bind 5 | 1' A1@root, 2' A1@root, 3' A1@root"),
        ],
    );
}

#[test]
fn h3_victims_may_leave_at_different_times() {
    check(
        "root 4/4; a<root 2/4; b<root 2/4; c<root 0/4",
        "4",
        &[
            ("slow & once & +1 b 1 & +2 b 1 & +3 b 1 & +4 b 1", "bind 1, bind 2, bind 3, bind 4"),
            ("+5 a 2", "evict 4 R2, evict 3 R2, hold 5 | 5 H1"),
            ("+6 c 1 p9", "| 5 H1, 6 A1@root"),
            ("gone 4", "| 5 H1, 6 A1@root"),
            ("tick 9999", "| 5 H1, 6 A1@root"),
            ("gone 3", "bind 5 | 6 A1@root"),
        ],
    );
}

#[test]
fn h1_a_failed_bind_is_tried_again() {
    check(TWO, "4", &[("fail & +1 b 4", "bind 1x2"), ("+2 a 2", "evict 1 R2, bind 2 | 1' A1@root")]);
}

#[test]
fn h2_the_hold_of_an_earlier_entitled_workload_stands() {
    check(
        "root 4/4; a<root 1/4; b<root 2/4; c<root 1/4",
        "3",
        &[
            ("slow & once & +11 b 1 & +12 b 1 & +13 b 1", "bind 11, bind 12, bind 13"),
            ("+2 a 1", "evict 13 R2, hold 2 | 2 H1"),
            ("+3 c 1", "| 2 H1, 3 P1"),
            ("gone 13", "bind 2 | 3 P1"),
        ],
    );
}

#[test]
fn h2_g2_a_gang_that_is_evicted_whole_holds_nothing() {
    // 2 has evicted 1 for its third member when 3 displaces it.
    check(
        "root 3/3; b<root 3/3; c<root 0/3",
        "3",
        &[
            ("slow & once & +1 c 1", "bind 1"),
            ("+2 b 1 x3/2", "bind 2x2, evict 1 R2, hold 2 | 2 H1"),
            ("+3 b 2 p5", "evict 2x2 R1, release 2 NeededBy(WorkloadId(3)), hold 3 | 3 H1"),
            ("gone 2", "bind 3"),
        ],
    );
}

#[test]
fn h1_what_is_held_counts_in_the_own_leaf_although_it_is_freed_elsewhere() {
    check(
        "root 9/9; a<root 2/2; b<root 0/4",
        "4 1",
        &[
            ("slow & once & +1 b 4", "bind 1@0"),
            ("+2 a 2", "evict 1 R2, hold 2 | 2 H1"),
            ("+3 a 1", "| 2 H1, 3 A1@a"),
            ("gone 1", "bind 2@0 | 3 A1@a"),
        ],
    );
}

#[test]
fn h2_whose_victims_are_gone_is_bound_although_another_hold_ends() {
    check(
        "root 2/2; a<root 1/2; b<root 0/2; c<root 1/2",
        "2",
        &[
            ("slow & once & +11 b 1 & +12 b 1", "bind 11, bind 12"),
            ("+2 a 1", "evict 12 R2, hold 2 | 2 H1"),
            ("+3 c 1", "evict 11 R2, hold 3 | 2 H1, 3 H1"),
            ("gone 11 & gone 12 & -2", "bind 3"),
        ],
    );
}

#[test]
fn h1_a_hold_keeps_its_very_device() {
    // The device that 1 has left is whole, those of 3 and 4 have 0.3 free each: 0.6 beside the hold, and no 0.5.
    check(
        "root 9,3/9,3; a<root 2,1/9,3; b<root 0,0/9,3; d<root 0,2/9,3",
        "9,3:dev",
        &[
            ("slow & once & +1 b 0,1 & +2 b 8,0", "bind 1, bind 2"),
            ("+3 d 0,0.7 & +4 d 0,0.7", "bind 3, bind 4"),
            ("+5 a 2,1", "evict 2 R2, evict 1 R2, hold 5 | 5 H1"),
            ("gone 1", "| 5 H1"),
            ("+6 d 0,0.5", "| 5 H1, 6 P1"),
            ("gone 2", "bind 5 | 6 P1"),
        ],
    );
}

#[test]
fn h1_l3_what_a_hold_adds_above_a_quota_that_keeps_something_is_counted_anew_when_its_use_changes() {
    // Of the 3 cpus that q keeps, 2 are used, then 1 once 2 has left: that 5 will use 2 of them adds nothing to root, neither
    // then nor before, and 6 finds what it holds there.
    check(
        "root 6,2/6,2; q<root 3,1/6,2 lend=0,0; q1<q 2,0/6,2; q2<q 1,1/6,2; b<root 3,0/6,2",
        "9,1",
        &[
            ("slow & once & +1 q1 1 & +2 q1 1", "bind 1, bind 2"),
            ("+3 b 3 & +4 b 0,1", "bind 3, bind 4"),
            ("+5 q1 2 p5", "evict 2 R1, evict 1 R1, hold 5 | 5 H1"),
            ("+6 q2 1,1", "evict 4 R2, hold 6 | 5 H1, 6 H1"),
            ("gone 2", "| 5 H1, 6 H1"),
            ("gone 4", "bind 6 | 5 H1"),
            ("gone 1", "bind 5"),
        ],
    );
}

#[test]
fn h2_s3_a_gang_gives_up_what_it_holds_for_one_more_before_it_goes_whole() {
    // 3 runs with the three it needs and holds room for a fourth. 5 is entitled, but 4 goes before it in its leaf (O1). What
    // 1 frees is enough for 5: were the gang evicted, 1 would have gone in vain.
    check(
        "root 5/5; a<root 1/5; b<root 1/5; c<root 1/5",
        "5",
        &[
            ("slow & once & +1 a 1 & +2 c 1 np", "bind 1, bind 2"),
            (
                "+3 a 1 x4/3 p3 & +4 b 1 x2 p3 & +5 b 1",
                "bind 3x3, evict 1 R1, hold 3, release 3 NeededBy(WorkloadId(5)), hold 5 | 3 A1@root, 4 A1@root, 5 H1",
            ),
            ("gone 1", "bind 5 | 3 A1@root, 4 A1@root"),
        ],
    );
}

#[test]
fn h1_a2_who_leaves_for_nobody_leaves_for_a_non_preemptible_one_too() {
    // 1 is below its minimum for too long (G3) and leaves; 2 may stand when it is gone, and nobody slips in before.
    let policy = Policy { stale_after_ms: Some(1000), ..Policy::default() };
    table::check(
        "root 4/4; a<root 4/4; b<root 0/4",
        "4",
        policy,
        &[
            ("slow & once & +1 a 2 x2 np", "bind 1x2"),
            ("lose 1", ""),
            ("tick 1000", "evict 1 G3"),
            ("+2 a 4 np", "hold 2 | 2 H1"),
            ("+3 b 2", "| 2 H1, 3 A1@root"),
            ("gone 1", "bind 2 | 3 A1@root"),
        ],
    );
}

#[test]
fn h1_a2_a_min_that_is_short_until_others_leave_is_waited_for() {
    // There is room under every ceiling and on the node: the min of a is all that 2 waits for.
    let policy = Policy { stale_after_ms: Some(1000), ..Policy::default() };
    table::check(
        "root 9/9; a<root 4/9",
        "9",
        policy,
        &[
            ("slow & once & +1 a 2 x2 np", "bind 1x2"),
            ("lose 1", ""),
            ("tick 1000", "evict 1 G3"),
            ("+2 a 4 np", "hold 2 | 2 H1"),
            ("+3 a 1 np", "| 2 H1, 3 A2@a"),
            ("gone 1", "bind 2 | 3 A2@a"),
        ],
    );
}

#[test]
fn o1_l3_a_hold_that_ends_lets_in_who_was_barred_before_in_the_same_decision() {
    // 4 was tried, and barred, before 7 ended the hold of 2, which kept 6 of root; 5 comes after it in order.
    check(
        "root 13/13; b<root 9/13; a<root 0/4; c<root 2/4 lend=0",
        "1 3 7 2",
        &[
            ("slow & once & +1 c 4", "bind 1@2"),
            ("+2 b 6", "evict 1 R2, hold 2 | 2 H1"),
            ("+3 b 2 x2/1", "bind 3@3, bind 3@1 | 2 H1"),
            ("+4 a 3 p3 & +5 a 2", "| 2 H1, 4 A1@root, 5 A1@root"),
            ("+6 b 2 p2", "evict 3 R1, hold 6 | 2 H1, 4 A1@root, 5 A1@root, 6 H1"),
            ("+7 b 4 p3", "release 2 NeededBy(WorkloadId(7)), hold 7, bind 4@2 | 2 A1@b, 5 A1@a, 6 H1, 7 H1"),
        ],
    );
}

#[test]
fn h1_who_waits_for_others_to_settle_does_so_up_to_the_bound() {
    // What 13 frees beside the hold is enough for 6; the pod that leaves the second node is none of it.
    let waits = "| 5 H1, 6 P1";
    for (nodes, last) in [(2, waits), (1, "evict 12 R2, hold 6 | 5 H1, 6 H1")] {
        let bounds = SearchBounds { nodes, ..SearchBounds::default() };
        table::check(
            "root 20/20; a<root 4/20; b<root 1/20",
            "10 1",
            Policy { bounds, ..Policy::default() },
            &[
                ("slow & once & +14 b 1", "bind 14@1"),
                ("+11 b 3 & +12 b 3", "bind 11@0, bind 12@0"),
                ("+13 b 4", "bind 13@0"),
                ("+5 a 1", "evict 13 R2, hold 5 | 5 H1"),
                ("leave 14", "| 5 H1"),
                ("+6 a 2", last),
            ],
        );
    }
}

#[test]
fn h2_who_borrows_gives_its_hold_up_to_the_entitled_of_any_priority() {
    check(
        "root 3/3; a<root 0/3; c<root 3/3",
        "3",
        &[
            ("slow & once & +1 a 3", "bind 1"),
            ("+2 a 3 p5", "evict 1 R1, hold 2 | 2 H1"),
            ("+3 c 3", "release 2 NeededBy(WorkloadId(3)), hold 3 | 2 A1@a, 3 H1"),
            ("gone 1", "bind 3 | 2 A1@root"),
        ],
    );
}

#[test]
fn h3_a5_who_holds_is_not_barred_by_being_a_job_itself() {
    check(
        "root 4/4; a<root 2/4 jobs=1; b<root 2/4",
        "4",
        &[("slow & once & +1 b 4", "bind 1"), ("+2 a 2", "evict 1 R2, hold 2 | 2 H1"), ("gone 1", "bind 2")],
    );
}

#[test]
fn h2_whose_hold_comes_to_borrow_gives_it_up_to_who_waits_for_nothing_else() {
    // What 2 holds is within the min of a until 4 is placed. 3 may take from nobody, and came after the hold.
    let policy = Policy { preemption: Preemption::PriorityOnly, ..Policy::default() };
    table::check(
        "root 9/9; a<root 2/9; c<root 2/9",
        "2:z=x 1:z=y",
        policy,
        &[
            ("slow & once & +1 a 1 on=z:x & +11 a 1 on=z:x", "bind 1@0, bind 11@0"),
            ("+2 a 2 p5 on=z:x", "evict 11 R1, evict 1 R1, hold 2 | 2 H1"),
            ("gone 1", "| 2 H1"),
            ("+3 c 1 on=z:x", "| 2 H1, 3 P1"),
            ("+4 a 1", "bind 4@1, release 2 NeededBy(WorkloadId(3)), bind 3@0 | 2 P1"),
        ],
    );
}

#[test]
fn h2_g2_who_loses_a_spare_member_or_is_no_gang_keeps_what_it_holds() {
    check(
        "root 5/5; a<root 1/5; b<root 1/5; c<root 1/5",
        "5",
        &[
            ("slow & once & +1 a 1 & +2 c 1 np", "bind 1, bind 2"),
            ("+3 a 1 x4/2 p3", "bind 3x3, evict 1 R1, hold 3 | 3 H1"),
            ("+5 b 1", "evict 3 R2, hold 5 | 3 H1, 5 H1"),
        ],
    );
    check(
        "root 3/3; a<root 0/3; b<root 1/3; c<root 1/3",
        "3",
        &[
            ("slow & once & +1 a 1 & +2 c 1 np", "bind 2, bind 1"),
            ("+3 a 1 x2/0 p3", "bind 3, evict 1 R1, hold 3 | 3 H1"),
            ("+5 b 1", "evict 3 R2, hold 5 | 3 H1, 5 H1"),
        ],
    );
}

#[test]
fn h1_what_is_held_on_a_node_is_kept_there_and_no_more_than_that() {
    let tree = "root 99/99; a<root 4/99; b<root 0/99";
    check(
        tree,
        "4",
        &[
            ("slow & once & +1 b 2 & +2 b 2", "bind 1, bind 2"),
            ("+3 a 4", "evict 2 R2, evict 1 R2, hold 3 | 3 H1"),
            ("gone 1", "| 3 H1"),
            ("+4 b 2", "| 3 H1, 4 P1"),
            ("gone 2", "bind 3 | 4 P1"),
        ],
    );
    // 1 frees twice what 2 will take: nothing of it is there before 1 has left.
    check(
        tree,
        "5",
        &[
            ("slow & once & +1 b 4", "bind 1"),
            ("+2 a 2", "evict 1 R2, hold 2 | 2 H1"),
            ("+3 b 3", "| 2 H1, 3 P1"),
            ("gone 1", "bind 2, bind 3"),
        ],
    );
}

#[test]
fn h2_the_root_of_a_tree_promises_nothing_and_makes_nobody_borrow() {
    // More stands than the min of the root, and yet what 2 holds is within its guarantee.
    check(
        "root 4/9; a<root 1/9; b<root 2/9; c<root 1/9; d<root 0/9",
        "3:z=x 2:z=y",
        &[
            ("slow & once & +11 b 1 on=z:x & +12 b 1 on=z:x & +13 b 1 on=z:x", "bind 11@0, bind 12@0, bind 13@0"),
            ("+14 d 2 on=z:y", "bind 14@1"),
            ("+2 a 1 on=z:x", "evict 13 R2, hold 2 | 2 H1"),
            ("+3 c 1 on=z:x", "| 2 H1, 3 P1"),
            ("gone 13", "bind 2@0 | 3 P1"),
        ],
    );
}

#[test]
fn h3_a_lone_pod_comes_to_stand_where_it_held_although_it_is_in_no_rack() {
    check(
        "root 4/4; a<root 2/4; b<root 0/4",
        "2 2",
        &[
            ("slow & once & +1 b 2", "bind 1@0"),
            ("+3 b 2", "bind 3@1"),
            ("+2 a 2 same.rack", "evict 3 R2, hold 2 | 2 H1"),
            ("done 1", "| 2 H1"),
            ("gone 3", "bind 2@1"),
        ],
    );
}

#[test]
fn h2_the_next_in_line_may_take_over_what_was_held_before_it_came_only() {
    // 3 waited already when 2 began to hold; 4, which asks for the same, came later.
    let policy = Policy { preemption: Preemption::PriorityOnly, ..Policy::default() };
    table::check(
        "root 3/3; a<root 0/3; c<root 3/3",
        "3",
        policy,
        &[
            ("slow & once & +1 a 2 & +11 a 1", "bind 1, bind 11"),
            ("+3 c 1", "| 3 A1@root"),
            ("+2 a 3 p5", "evict 11 R1, evict 1 R1, hold 2 | 2 H1, 3 A1@root"),
            ("gone 11", "| 2 H1, 3 A1@root"),
            ("+4 c 1", "| 2 H1, 3 A1@root, 4 A1@root"),
            ("-3", "release 2 NeededBy(WorkloadId(4)), bind 4 | 2 A1@a"),
        ],
    );
}

#[test]
fn h1_g1_who_holds_asks_for_nothing_more_before_it_stands() {
    check(
        "root 99/99; a<root 2/99; b<root 2/99",
        "4",
        &[
            ("slow & once & +1 b 4", "bind 1"),
            ("+2 a 2", "evict 1 R2, hold 2 | 2 H1"),
            ("more 2 1", "| 2 H1"),
            ("up 1 4", "| 2 H1"),
            ("gone 1", "bind 2x2"),
        ],
    );
}

#[test]
fn h2_a5_who_loses_its_hold_is_no_job_any_more() {
    check(
        "root 4/4; a<root 2/4 jobs=1; b<root 2/4",
        "4",
        &[
            ("slow & once & +1 b 4", "bind 1"),
            ("+2 a 2", "evict 1 R2, hold 2 | 2 H1"),
            ("+3 a 2 p5", "release 2 NeededBy(WorkloadId(3)), hold 3 | 2 A1@root, 3 H1"),
            ("gone 1", "bind 3 | 2 A5@a"),
        ],
    );
}

#[test]
fn h2_g3_a_gang_that_goes_because_it_is_too_few_holds_nothing() {
    let policy = Policy { stale_after_ms: Some(2500), ..Policy::default() };
    table::check(
        "root 4/4; a<root 3/4; b<root 0/4",
        "4",
        policy,
        &[
            ("slow & once & +1 b 2", "bind 1"),
            ("+2 a 1 x3/2", "bind 2x2, evict 1 R2, hold 2 | 2 H1"),
            ("lose 2", "| 2 H1"),
            ("tick 3000", "evict 2 G3, release 2 Evicted"),
            ("gone 1", ""),
            ("gone 2", ""),
        ],
    );
}

#[test]
fn h1_g1_a_gang_that_holds_asks_for_nothing_else_though_it_lost_a_member() {
    check(
        "root 9/9; a<root 4/9; b<root 0/9",
        "4",
        &[
            ("slow & once & +1 b 2", "bind 1"),
            ("+2 a 1 x3/2", "bind 2x2, evict 1 R2, hold 2 | 2 H1"),
            ("lose 2", "| 2 H1"),
            ("gone 1", "bind 2"),
        ],
    );
}
