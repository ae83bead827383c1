//! V1 to V4: which pods are evicted, how many, and on which node.

use crate::check;
use quotree_core::{Policy, SearchBounds, Unquotaed, VictimOrder};
use quotree_testkit::table;

#[test]
fn v1_lowest_priority_first() {
    check(
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &[
            ("submit 1 to a: 1 priority 5; submit 2 to a: 1 priority 1", "bind 1; bind 2"),
            ("submit 3 to a: 1 priority 5; submit 4 to a: 1 priority 5", "bind 3; bind 4"),
            ("submit 5 to b: 1", "evict 2 by R2; bind 5; pending 2': A1 at root"),
        ],
    );
}

#[test]
fn v1_then_the_largest_overuse_share_where_min_0_is_infinite() {
    check(
        "root 6/6; a<root 2/6; b<root 2/6; c<root 0/6",
        "6",
        &[
            ("submit 1 to c: 1; submit 2 to c: 1; submit 3 to c: 1", "bind 1; bind 2; bind 3"),
            ("submit 4 to b: 1; submit 5 to b: 1; submit 6 to b: 1", "bind 4; bind 5; bind 6"),
            ("submit 7 to a: 1", "evict 3 by R2; bind 7; pending 3': A1 at root"),
        ],
    );
}

#[test]
fn v1_the_share_is_compared_below_the_common_ancestor_first() {
    // y is above its min by 5/5, z by 4/8; below z the leaf d alone is above its min by far more than c below y.
    check(
        "root 26/26; x<root 6/26; y<root 5/26; z<root 8/26; a<x 6/26; c<y 5/26; d<z 1/26; e<z 7/26",
        "26",
        &[
            ("submit 1 to c: 5; submit 2 to c: 5", "bind 1; bind 2"),
            ("submit 3 to e: 7; submit 4 to d: 3; submit 5 to d: 2", "bind 3; bind 4; bind 5"),
            ("submit 6 to a: 4", "bind 6"),
            ("submit 7 to a: 2", "evict 2 by R2; bind 7; pending 2': A1 at root"),
        ],
    );
}

#[test]
fn v1_then_latest_started_then_highest_id() {
    check(
        "root 4/4; a<root 2/4; b<root 0/4",
        "4",
        &[
            ("submit 4 to b: 1", "bind 4"),
            ("submit 1 to b: 1; submit 2 to b: 1", "bind 1; bind 2"),
            ("submit 3 to b: 1", "bind 3"),
            ("no recreation; submit 5 to a: 1", "evict 3 by R2; bind 5"),
            ("submit 6 to a: 1", "evict 2 by R2; bind 6"),
        ],
    );
}

#[test]
fn v1_latest_ignores_overuse() {
    let policy = Policy { victims: VictimOrder::Latest, ..Policy::default() };
    table::check(
        "root 6/6; a<root 2/6; b<root 2/6; c<root 0/6",
        "6",
        policy,
        &[
            ("submit 1 to c: 1; submit 2 to c: 1; submit 3 to c: 1", "bind 1; bind 2; bind 3"),
            ("submit 4 to b: 1; submit 5 to b: 1; submit 6 to b: 1", "bind 4; bind 5; bind 6"),
            ("submit 7 to a: 1", "evict 6 by R2; bind 7; pending 6': A1 at root"),
        ],
    );
}

#[test]
fn v5_a_set_is_found_where_the_order_of_victims_finds_none() {
    // In order, the later pod 2 goes first: then b is at its min, and 1 may not go. 1 alone is legal, and makes room.
    check(
        "root 4/4; a<root 2/4; b<root 2/4",
        "3 1",
        &[
            ("submit 1 to b: 2", "bind 1 on node 0"),
            ("submit 2 to b: 1", "bind 2 on node 0"),
            ("submit 3 to a: 2", "evict 1 by R2; bind 3 on node 0; pending 1': A1 at root"),
        ],
    );
}

#[test]
fn v2_victims_that_are_not_needed_are_reprieved() {
    check(
        "root 8/8; a<root 4/8; b<root 2/8",
        "8",
        &[
            ("submit 1 to b: 1; submit 2 to b: 4 priority 1; submit 3 to b: 3 priority 9", "bind 3; bind 2; bind 1"),
            ("submit 4 to a: 4", "evict 2 by R2; bind 4; pending 2': A1 at root"),
        ],
    );
}

#[test]
fn v2_a_victim_whose_eviction_makes_the_ask_entitled_is_not_reprieved() {
    check(
        "root 40/40; x<root 20/40; y<root 20/40; a<x 10/20; b<x 10/20; c<y 20/40",
        "40",
        &[
            ("submit 1 to b: 5; submit 2 to b: 5; submit 3 to b: 5", "bind 1; bind 2; bind 3"),
            ("submit 4 to c: 20; submit 5 to c: 5", "bind 4; bind 5"),
            ("no recreation; submit 6 to a: 10", "evict 3 by R2; evict 5 by R2; bind 6"),
        ],
    );
}

#[test]
fn v3_fewest_victims() {
    check(
        "root 8/8; a<root 4/8; b<root 0/8",
        "4 4",
        &[
            ("submit 1 to b: 2; submit 2 to b: 2", "bind 1 on node 0; bind 2 on node 0"),
            ("submit 3 to b: 4", "bind 3 on node 1"),
            ("submit 4 to a: 4", "evict 3 by R2; bind 4 on node 1; pending 3': A1 at root"),
        ],
    );
}

#[test]
fn v3_lowest_highest_priority_before_fewest_victims() {
    check(
        "root 8/8; a<root 4/8; b<root 0/8",
        "4 4",
        &[
            ("submit 1 to b: 2; submit 2 to b: 2", "bind 1 on node 0; bind 2 on node 0"),
            ("submit 3 to b: 4 priority 5", "bind 3 on node 1"),
            ("no recreation; submit 4 to a: 4", "evict 2 by R2; evict 1 by R2; bind 4 on node 0"),
        ],
    );
}

#[test]
fn v3_least_lost_work_then_lowest_node() {
    check(
        "root 8/8; a<root 4/8; b<root 0/8",
        "4 4",
        &[
            ("submit 1 to b: 4", "bind 1 on node 0"),
            ("submit 2 to b: 4", "bind 2 on node 1"),
            ("no recreation; submit 3 to a: 4", "evict 2 by R2; bind 3 on node 1"),
        ],
    );
    check(
        "root 99/99; a<root 4/99; b<root 0/99",
        "4 4",
        &[
            ("submit 1 to b: 4; submit 2 to b: 4", "bind 1 on node 0; bind 2 on node 1"),
            ("no recreation; submit 3 to a: 4", "evict 1 by R2; bind 3 on node 0"),
        ],
    );
}

#[test]
fn v4_victims_for_a_gang_may_be_on_several_nodes() {
    check(
        "root 8/8; a<root 8/8; b<root 0/8",
        "4 4",
        &[
            ("submit 1 to b: 4; submit 2 to b: 4", "bind 1 on node 0; bind 2 on node 1"),
            ("no recreation; submit 3 to a: 4 x2", "evict 1 by R2; evict 2 by R2; bind 3 on node 0; bind 3 on node 1"),
        ],
    );
}

#[test]
fn v4_victims_for_missing_quota_may_be_on_any_node() {
    check(
        "root 8/8; a<root 4/8; b<root 0/8",
        "6 6 6",
        &[
            ("submit 1 to b: 4", "bind 1 on node 0"),
            ("submit 2 to b: 4", "bind 2 on node 1"),
            ("no recreation; submit 3 to a: 4", "evict 2 by R2; bind 3 on node 1"),
        ],
    );
}

#[test]
fn v1_pods_without_a_budget_go_first_even_if_a_budget_must_be_broken() {
    check(
        "root 4/4; a<root 2/4; b<root 0/4",
        "4",
        &[
            ("budget x allows 0", "nothing"),
            (
                "submit 1 to b: 1 budget x; submit 2 to b: 1 priority 1; submit 3 to b: 1 budget x; submit 4 to b: 1 budget x",
                "bind 2; bind 1; bind 3; bind 4",
            ),
            ("no recreation; submit 5 to a: 2", "evict 2 by R2; evict 4 by R2; bind 5"),
        ],
    );
}

#[test]
fn v1_r7_for_missing_quota_victims_that_break_no_budget_go_first() {
    check(
        "root 4/4; a<root 4/4; b<root 0/4",
        "9",
        &[
            ("budget x allows 0; submit 1 to b: 2", "bind 1"),
            ("submit 2 to b: 2 budget x", "bind 2"),
            ("no recreation; submit 3 to a: 4", "evict 1 by R2; evict 2 by R2; bind 3"),
        ],
    );
}

#[test]
fn v1_a4_pods_without_a_quota_go_first() {
    // 1 borrows, 2 has no quota and came first; either would make room.
    let policy = Policy { unquotaed: Unquotaed::Schedule, ..Policy::default() };
    table::check(
        "root 6/6; a<root 0/6; b<root 2/6",
        "4",
        policy,
        &[
            ("submit 2 to nowhere: 2", "bind 2"),
            ("wait 50 ms", "nothing"),
            ("submit 1 to a: 2", "bind 1"),
            ("submit 3 to b: 2", "evict 2 by R2; bind 3; pending 2': P1"),
        ],
    );
}

#[test]
fn v3_work_lost_counts_every_pod() {
    // The gang on the first node would lose more work than the two pods on the second, which came later.
    check(
        "root 4/4; a<root 0/4; b<root 2/4",
        "2 2",
        &[
            ("submit 1 to a: 1 x2 min 2", "bind 1 x2 on node 0"),
            ("wait 6 ms", "nothing"),
            ("submit 2 to a: 1; submit 3 to a: 1", "bind 2 on node 1; bind 3 on node 1"),
            ("wait 10 ms", "nothing"),
            ("no recreation; submit 4 to b: 2", "evict 3 by R2; evict 2 by R2; bind 4 on node 1"),
        ],
    );
}

#[test]
fn v1_r2b_a_leaf_within_its_min_loses_nothing_for_missing_quota() {
    check(
        "root 4/4; a<root 2/4; b<root 2/4; c<root 0/4",
        "9",
        &[
            ("submit 1 to b: 2 priority 1; submit 2 to c: 2 priority 5", "bind 1; bind 2"),
            ("no recreation; submit 3 to a: 2", "evict 2 by R2; bind 3"),
        ],
    );
}

#[test]
fn v1_every_missing_resource_counts_for_victims() {
    // 1 uses only the first resource, 2 only the second; both are missing, and priority decides who is evicted first.
    check(
        "root 4,4/4,4; a<root 2,2/4,4; b<root 0,0/4,4",
        "9,9",
        &[
            (
                "submit 1 to b: 2,0 priority 1; submit 2 to b: 0,2 priority 5; submit 3 to b: 2,2 priority 9",
                "bind 3; bind 2; bind 1",
            ),
            ("no recreation; submit 4 to a: 2,2", "evict 1 by R2; evict 2 by R2; bind 4"),
        ],
    );
}

#[test]
fn v1_r7_breaking_a_budget_comes_after_higher_priorities() {
    check(
        "root 4/4; a<root 4/4; b<root 0/4",
        "9",
        &[
            ("budget x allows 0; submit 1 to b: 2 budget x; submit 2 to b: 2 priority 1", "bind 2; bind 1"),
            ("no recreation; submit 3 to a: 4", "evict 2 by R2; evict 1 by R2; bind 3"),
        ],
    );
}

#[test]
fn v1_g2_a_gang_at_its_minimum_is_evicted_in_its_turn() {
    // The gang spares one member; after that it would be evicted whole, and 2 started later.
    check(
        "root 5/5; a<root 4/5; b<root 0/5",
        "9",
        &[
            ("submit 1 to b: 1 x3 min 2", "bind 1 x3"),
            ("submit 2 to b: 2", "bind 2"),
            ("no recreation; submit 3 to a: 3", "evict 1 by R2; evict 2 by R2; bind 3"),
        ],
    );
}

#[test]
fn r7_what_a_budget_still_allows_breaks_nothing() {
    check(
        "root 4/4; a<root 2/4; b<root 0/4",
        "4",
        &[
            ("budget x allows 1; submit 1 to b: 2", "bind 1"),
            ("submit 2 to b: 2 budget x", "bind 2"),
            ("no recreation; submit 3 to a: 2", "evict 2 by R2; bind 3"),
        ],
    );
}

#[test]
fn v1_v3_with_a_bound_on_nodes_those_with_the_first_victims_are_tried() {
    // The one victim on the first node is cheaper than the two on the second, of which one is before it in victim
    // order.
    let rows = |last| {
        [
            ("no recreation; submit 1 to b: 4 priority 1", "bind 1 on node 0"),
            ("submit 2 to c: 2; submit 3 to b: 2 priority 9", "bind 3 on node 1; bind 2 on node 1"),
            ("submit 4 to a: 4", last),
        ]
    };
    let by = |nodes| Policy { bounds: SearchBounds { nodes, ..SearchBounds::default() }, ..Policy::default() };
    let tree = "root 8/8; a<root 4/8; b<root 0/8; c<root 0/8";
    table::check(tree, "4 4", by(2), &rows("evict 1 by R2; bind 4 on node 0"));
    table::check(tree, "4 4", by(1), &rows("evict 2 by R2; evict 3 by R2; bind 4 on node 1"));
}

#[test]
fn v1_a4_with_a_bound_on_nodes_pods_without_a_quota_come_first() {
    let bounds = SearchBounds { nodes: 1, ..SearchBounds::default() };
    table::check(
        "root 8/8; a<root 4/8; b<root 0/8",
        "4 4",
        Policy { bounds, unquotaed: Unquotaed::Schedule, ..Policy::default() },
        &[
            ("no recreation; submit 1 to b: 4", "bind 1 on node 0"),
            ("submit 2 to nowhere: 4", "bind 2 on node 1"),
            ("submit 3 to a: 4", "evict 2 by R2; bind 3 on node 1"),
        ],
    );
}
