//! H1 to H3: what was freed is for the one who freed it.

use crate::check;
use quotree_core::Policy;
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
