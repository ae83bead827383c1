//! F1, F2 and Q4: the fair share of every quota, computed exactly.

use crate::check;
use quotree_core::{Amounts, FairShares, NodeSpec, Policy, Reclaim};
use quotree_testkit::table::{self, Game};

/// The fair shares of cpu by name, in thousandths.
fn shares(tree: &str, cluster: &str, rows: &[&str]) -> Vec<(String, i64)> {
    let mut game = Game::new(tree, cluster, Policy::default()).unwrap();
    for row in rows {
        game.row(row).unwrap();
    }
    let core = game.core();
    core.tree().ids().zip(core.fair_shares()).map(|(q, row)| (core.tree().name(q).to_string(), row[0])).collect()
}

fn named(rows: &[(&str, i64)]) -> Vec<(String, i64)> {
    rows.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect()
}

#[test]
fn f1_capacity_is_shared_by_weight_up_to_demand() {
    // Demands 9, 1 and 9 on 10 cpu: b stops at 1, a and c share 9 as 2 to 1.
    let tree = "root 10/10; a<root 0/10 weight=2; b<root 0/10 weight=1; c<root 0/10 weight=1";
    let rows = ["submit 1 to a: 9; submit 2 to b: 1; submit 3 to c: 9"];
    assert_eq!(shares(tree, "10", &rows), named(&[("root", 10_000), ("a", 6000), ("b", 1000), ("c", 3000)]));
}

#[test]
fn f1_guarantees_come_first_and_whole_units_by_largest_remainder() {
    let tree = "root 10/10; a<root 4/10; b<root 1/10; c<root 1/10";
    let rows = ["submit 1 to a: 10; submit 2 to b: 10; submit 3 to c: 10"];
    // 4 + 1 + 1 are guaranteed; 4 are left for the weights 4, 1, 1: 2666.67, 666.67, 666.67.
    let wanted = named(&[("root", 10_000), ("a", 6667), ("b", 1667), ("c", 1666)]);
    assert_eq!(shares(tree, "10", &rows), wanted);
}

#[test]
fn f1_no_share_exceeds_demand_or_ceiling() {
    let tree = "root 10/10; a<root 4/5; b<root 2/10";
    assert_eq!(shares(tree, "10", &["submit 1 to a: 1"]), named(&[("root", 1000), ("a", 1000), ("b", 0)]));
    let rows = ["submit 1 to a: 5; submit 2 to a: 5; submit 3 to b: 3"];
    assert_eq!(shares(tree, "10", &rows), named(&[("root", 8000), ("a", 5000), ("b", 3000)]));
}

#[test]
fn f2_a_share_is_what_the_children_share() {
    let tree = "root 8/8; x<root 4/8; y<root 4/8; a<x 4/8; b<x 0/8; c<y 4/8";
    let rows = ["submit 1 to a: 8; submit 2 to b: 8; submit 3 to c: 8"];
    let wanted = named(&[("root", 8000), ("x", 4000), ("a", 4000), ("b", 0), ("y", 4000), ("c", 4000)]);
    assert_eq!(shares(tree, "8", &rows), wanted);
}

#[test]
fn f1_cached_shares_equal_those_divided_again() {
    let tree = "root 12/12; x<root 4/8; y<root 4/8 weight=3; a<x 4/8; b<x 0/8; c<y 1/8; d<y 0/6 weight=2";
    let mut game = Game::new(tree, "7", Policy::default()).unwrap();
    let mut kept = FairShares::default();
    for row in [
        "submit 1 to a: 1",
        "submit 2 to c: 3",
        "submit 3 to b: 8",
        "submit 4 to d: 2",
        "submit 5 to a: 8",
        "submit 6 to c: 8",
        "submit 7 to d: 8",
        "submit 8 to b: 1",
        "node 1 up: 2",
        "node 2 up: 4; node 1 down",
        "node 2 changes: 1",
        "node 3 up: 1",
        "node 3 down",
    ] {
        game.row(row).unwrap();
        game.core().refresh_fair_shares(&mut kept);
        assert_eq!(kept.rows(), game.core().fair_shares(), "after {row}");
    }
}

#[test]
fn q4_shares_are_compared_exactly_where_floats_would_not_tell() {
    // The overuse shares (2^53 + 1) / 2^53 and (2^53 + 2) / 2^53 are the same double; the one of b is larger.
    let big = 1i64 << 53;
    let node = NodeSpec::new(0, Amounts::new().with("cpu", 4 * big));
    assert_eq!(node.allocatable.get("cpu"), Some(4 * big));
    let m = |n: i64| format!("{n}m");
    let (min, over1, over2) = (m(big), m(big + 1), m(big + 2));
    let total = m(4 * big + 3 + 1000);
    let tree = format!("root {total}/{total}; w<root 1/{total}; a<root {min}/{total}; b<root {min}/{total}");
    check(
        &tree,
        &m(4 * big + 3),
        &[
            (&format!("submit 1 to b: {min}; submit 2 to b: {over2}"), "bind 1; bind 2"),
            (&format!("submit 3 to a: {min}; submit 4 to a: {over1}"), "bind 3; bind 4"),
            ("no recreation; submit 5 to w: 1m", "evict 2 by R2; bind 5"),
        ],
    );
}

#[test]
fn r8_f3_a_fair_share_grows_when_fewer_share_it() {
    // A third of 9 is for b, and half of it once c requests nothing.
    let policy = Policy { reclaim: Reclaim::FairShare, ..Policy::default() };
    table::check(
        "root 9/9; a<root 0/9; b<root 0/9; c<root 0/9",
        "9",
        policy,
        &[
            (
                "no recreation; submit 1 to a: 3; submit 2 to a: 2; submit 3 to a: 2; submit 4 to a: 2",
                "bind 1; bind 2; bind 3; bind 4",
            ),
            ("submit 10 to c: 9", "pending 10: A1 at root"),
            ("submit 11 to b: 4", "pending 10: A1 at root, 11: A1 at root"),
            ("withdraw 10", "evict 4 by R2; evict 3 by R2; bind 11"),
        ],
    );
}
