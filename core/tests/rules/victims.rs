//! V1 to V4: which victims, how many, and on which node.

use crate::check;
use quotree_core::{Policy, SearchBounds, Unquotaed, VictimOrder};
use quotree_testkit::table;

#[test]
fn v1_lowest_priority_first() {
    check(
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &[
            ("+1 a 1 p5 & +2 a 1 p1", "bind 1, bind 2"),
            ("+3 a 1 p5 & +4 a 1 p5", "bind 3, bind 4"),
            ("+5 b 1", "evict 2 R2, bind 5 | 2' A1@root"),
        ],
    );
}

#[test]
fn v1_then_the_largest_overuse_share_where_min_0_is_infinite() {
    check(
        "root 6/6; a<root 2/6; b<root 2/6; c<root 0/6",
        "6",
        &[
            ("+1 c 1 & +2 c 1 & +3 c 1", "bind 1, bind 2, bind 3"),
            ("+4 b 1 & +5 b 1 & +6 b 1", "bind 4, bind 5, bind 6"),
            ("+7 a 1", "evict 3 R2, bind 7 | 3' A1@root"),
        ],
    );
}

#[test]
fn v1_the_share_is_compared_below_the_common_ancestor_first() {
    // y is over by 5/5, z by 4/8; in z the leaf d alone is over by far more than c is in y.
    check(
        "root 26/26; x<root 6/26; y<root 5/26; z<root 8/26; a<x 6/26; c<y 5/26; d<z 1/26; e<z 7/26",
        "26",
        &[
            ("+1 c 5 & +2 c 5", "bind 1, bind 2"),
            ("+3 e 7 & +4 d 3 & +5 d 2", "bind 3, bind 4, bind 5"),
            ("+6 a 4", "bind 6"),
            ("+7 a 2", "evict 2 R2, bind 7 | 2' A1@root"),
        ],
    );
}

#[test]
fn v1_then_latest_started_then_highest_id() {
    check(
        "root 4/4; a<root 2/4; b<root 0/4",
        "4",
        &[
            ("+4 b 1", "bind 4"),
            ("+1 b 1 & +2 b 1", "bind 1, bind 2"),
            ("+3 b 1", "bind 3"),
            ("once & +5 a 1", "evict 3 R2, bind 5"),
            ("+6 a 1", "evict 2 R2, bind 6"),
        ],
    );
}

#[test]
fn v1_latest_forgets_whose_it_is() {
    let policy = Policy { victims: VictimOrder::Latest, ..Policy::default() };
    table::check(
        "root 6/6; a<root 2/6; b<root 2/6; c<root 0/6",
        "6",
        policy,
        &[
            ("+1 c 1 & +2 c 1 & +3 c 1", "bind 1, bind 2, bind 3"),
            ("+4 b 1 & +5 b 1 & +6 b 1", "bind 4, bind 5, bind 6"),
            ("+7 a 1", "evict 6 R2, bind 7 | 6' A1@root"),
        ],
    );
}

#[test]
fn v2_nobody_goes_who_can_be_spared() {
    check(
        "root 8/8; a<root 4/8; b<root 2/8",
        "8",
        &[("+1 b 1 & +2 b 4 p1 & +3 b 3 p9", "bind 3, bind 2, bind 1"), ("+4 a 4", "evict 2 R2, bind 4 | 2' A1@root")],
    );
}

#[test]
fn v2_a_victim_in_the_own_branch_that_makes_entitled_stays() {
    check(
        "root 40/40; x<root 20/40; y<root 20/40; a<x 10/20; b<x 10/20; c<y 20/40",
        "40",
        &[
            ("+1 b 5 & +2 b 5 & +3 b 5", "bind 1, bind 2, bind 3"),
            ("+4 c 20 & +5 c 5", "bind 4, bind 5"),
            ("once & +6 a 10", "evict 3 R2, evict 5 R2, bind 6"),
        ],
    );
}

#[test]
fn v3_fewest_victims() {
    check(
        "root 8/8; a<root 4/8; b<root 0/8",
        "4 4",
        &[
            ("+1 b 2 & +2 b 2", "bind 1@0, bind 2@0"),
            ("+3 b 4", "bind 3@1"),
            ("+4 a 4", "evict 3 R2, bind 4@1 | 3' A1@root"),
        ],
    );
}

#[test]
fn v3_lowest_highest_priority_before_fewest_victims() {
    check(
        "root 8/8; a<root 4/8; b<root 0/8",
        "4 4",
        &[
            ("+1 b 2 & +2 b 2", "bind 1@0, bind 2@0"),
            ("+3 b 4 p5", "bind 3@1"),
            ("once & +4 a 4", "evict 2 R2, evict 1 R2, bind 4@0"),
        ],
    );
}

#[test]
fn v3_least_lost_work_then_lowest_node() {
    check(
        "root 8/8; a<root 4/8; b<root 0/8",
        "4 4",
        &[("+1 b 4", "bind 1@0"), ("+2 b 4", "bind 2@1"), ("once & +3 a 4", "evict 2 R2, bind 3@1")],
    );
    check(
        "root 99/99; a<root 4/99; b<root 0/99",
        "4 4",
        &[("+1 b 4 & +2 b 4", "bind 1@0, bind 2@1"), ("once & +3 a 4", "evict 1 R2, bind 3@0")],
    );
}

#[test]
fn v4_a_gang_may_take_on_several_nodes() {
    check(
        "root 8/8; a<root 8/8; b<root 0/8",
        "4 4",
        &[
            ("+1 b 4 & +2 b 4", "bind 1@0, bind 2@1"),
            ("once & +3 a 4 x2", "evict 1 R2, evict 2 R2, bind 3@0, bind 3@1"),
        ],
    );
}

#[test]
fn v4_where_quota_is_missing_victims_may_stand_anywhere() {
    check(
        "root 8/8; a<root 4/8; b<root 0/8",
        "6 6 6",
        &[("+1 b 4", "bind 1@0"), ("+2 b 4", "bind 2@1"), ("once & +3 a 4", "evict 2 R2, bind 3@1")],
    );
}

#[test]
fn v1_where_a_budget_must_be_broken_those_without_one_go_first_all_the_same() {
    check(
        "root 4/4; a<root 2/4; b<root 0/4",
        "4",
        &[
            ("budget x 0", ""),
            ("+1 b 1 b=x & +2 b 1 p1 & +3 b 1 b=x & +4 b 1 b=x", "bind 2, bind 1, bind 3, bind 4"),
            ("once & +5 a 2", "evict 2 R2, evict 4 R2, bind 5"),
        ],
    );
}

#[test]
fn v1_r7_among_those_taken_for_quota_who_breaks_no_budget_goes_first() {
    check(
        "root 4/4; a<root 4/4; b<root 0/4",
        "9",
        &[
            ("budget x 0 & +1 b 2", "bind 1"),
            ("+2 b 2 b=x", "bind 2"),
            ("once & +3 a 4", "evict 1 R2, evict 2 R2, bind 3"),
        ],
    );
}

#[test]
fn v1_a4_pods_without_a_quota_go_first() {
    // 1 borrows, 2 stands outside all quotas and came first; either would make room.
    let policy = Policy { unquotaed: Unquotaed::Schedule, ..Policy::default() };
    table::check(
        "root 6/6; a<root 0/6; b<root 2/6",
        "4",
        policy,
        &[("+2 nowhere 2", "bind 2"), ("tick 50", ""), ("+1 a 2", "bind 1"), ("+3 b 2", "evict 2 R2, bind 3 | 2' P1")],
    );
}

#[test]
fn v3_work_lost_counts_every_pod() {
    // The gang on the first node lost more than the two on the second, who came later.
    check(
        "root 4/4; a<root 0/4; b<root 2/4",
        "2 2",
        &[
            ("+1 a 1 x2/2", "bind 1x2@0"),
            ("tick 6", ""),
            ("+2 a 1 & +3 a 1", "bind 2@1, bind 3@1"),
            ("tick 10", ""),
            ("once & +4 b 2", "evict 3 R2, evict 2 R2, bind 4@1"),
        ],
    );
}

#[test]
fn v1_r2b_where_only_quota_is_missing_who_stands_within_its_min_stays_whatever_its_priority() {
    check(
        "root 4/4; a<root 2/4; b<root 2/4; c<root 0/4",
        "9",
        &[("+1 b 2 p1 & +2 c 2 p5", "bind 1, bind 2"), ("once & +3 a 2", "evict 2 R2, bind 3")],
    );
}

#[test]
fn v1_every_resource_that_is_missing_makes_victims() {
    // 1 uses the first resource alone, 2 the second; both are missing, and priority says who goes first.
    check(
        "root 4,4/4,4; a<root 2,2/4,4; b<root 0,0/4,4",
        "9,9",
        &[
            ("+1 b 2,0 p1 & +2 b 0,2 p5 & +3 b 2,2 p9", "bind 3, bind 2, bind 1"),
            ("once & +4 a 2,2", "evict 1 R2, evict 2 R2, bind 4"),
        ],
    );
}

#[test]
fn v1_r7_who_would_break_a_budget_goes_after_those_of_a_higher_priority() {
    check(
        "root 4/4; a<root 4/4; b<root 0/4",
        "9",
        &[
            ("budget x 0 & +1 b 2 b=x & +2 b 2 p1", "bind 2, bind 1"),
            ("once & +3 a 4", "evict 2 R2, evict 1 R2, bind 3"),
        ],
    );
}

#[test]
fn v1_g2_a_gang_that_has_nothing_left_to_spare_goes_in_its_turn() {
    // The gang spares one; then it would go whole, and 2 started later.
    check(
        "root 5/5; a<root 4/5; b<root 0/5",
        "9",
        &[("+1 b 1 x3/2", "bind 1x3"), ("+2 b 2", "bind 2"), ("once & +3 a 3", "evict 1 R2, evict 2 R2, bind 3")],
    );
}

#[test]
fn r7_what_a_budget_still_allows_breaks_nothing() {
    check(
        "root 4/4; a<root 2/4; b<root 0/4",
        "4",
        &[("budget x 1 & +1 b 2", "bind 1"), ("+2 b 2 b=x", "bind 2"), ("once & +3 a 2", "evict 2 R2, bind 3")],
    );
}

#[test]
fn v1_v3_where_not_all_nodes_may_be_tried_those_whose_pods_would_go_first_are() {
    // The one victim on the first node is cheaper than the two on the second, of which one would go before it.
    let rows =
        |last| [("once & +1 b 4 p1", "bind 1@0"), ("+2 c 2 & +3 b 2 p9", "bind 3@1, bind 2@1"), ("+4 a 4", last)];
    let by = |nodes| Policy { bounds: SearchBounds { nodes, ..SearchBounds::default() }, ..Policy::default() };
    let tree = "root 8/8; a<root 4/8; b<root 0/8; c<root 0/8";
    table::check(tree, "4 4", by(2), &rows("evict 1 R2, bind 4@0"));
    table::check(tree, "4 4", by(1), &rows("evict 2 R2, evict 3 R2, bind 4@1"));
}

#[test]
fn v1_a4_where_not_all_nodes_may_be_tried_pods_without_a_quota_come_first() {
    let bounds = SearchBounds { nodes: 1, ..SearchBounds::default() };
    table::check(
        "root 8/8; a<root 4/8; b<root 0/8",
        "4 4",
        Policy { bounds, unquotaed: Unquotaed::Schedule, ..Policy::default() },
        &[("once & +1 b 4", "bind 1@0"), ("+2 nowhere 4", "bind 2@1"), ("+3 a 4", "evict 2 R2, bind 3@1")],
    );
}
