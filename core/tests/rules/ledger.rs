//! L1 to L3: what counts as usage, and what quotas keep from lending.

use crate::check;
use quotree_core::{Amounts, Policy, Usage};
use quotree_testkit::table::Game;

fn cpu(n: i64) -> Amounts {
    if n == 0 { Amounts::new() } else { Amounts::new().with("cpu", n * 1000) }
}

fn usage(game: &Game, quota: &str) -> Usage {
    game.core().usage(game.core().tree().by_name(quota).unwrap())
}

#[test]
fn l1_l2_use_request_borrowed_and_lent() {
    let mut game = Game::new("root 10/10; a<root 4/10; b<root 6/10", "10", Policy::default()).unwrap();
    game.row("submit 1 to a: 2 non-preemptible; submit 2 to a: 5; submit 3 to a: 4").unwrap();
    let a = usage(&game, "a");
    assert_eq!((a.used, a.used_np, a.request), (cpu(7), cpu(2), cpu(11)));
    assert_eq!((a.borrowed, a.lent, a.held, a.freeing), (cpu(3), cpu(0), cpu(0), cpu(0)));
    assert_eq!((a.pods, a.jobs), (2, 2));
    let b = usage(&game, "b");
    assert_eq!((b.used, b.borrowed, b.lent), (cpu(0), cpu(0), cpu(3)));
    let root = usage(&game, "root");
    assert_eq!((root.used, root.used_np, root.request, root.borrowed), (cpu(7), cpu(2), cpu(11), cpu(0)));
}

#[test]
fn l1_a_terminating_pod_counts_until_it_is_gone() {
    let mut game = Game::new("root 4/4; a<root 2/4; b<root 2/4", "4", Policy::default()).unwrap();
    game.row("slow evictions; submit 1 to b: 4").unwrap();
    assert_eq!(game.row("submit 2 to a: 2").unwrap(), "evict 1 by R2; hold 2; pending 2: H1");
    let (a, b, root) = (usage(&game, "a"), usage(&game, "b"), usage(&game, "root"));
    assert_eq!((b.used, b.freeing, b.held), (cpu(4), cpu(4), cpu(0)));
    assert_eq!((a.used, a.freeing, a.held), (cpu(0), cpu(0), cpu(2)));
    assert_eq!((root.used, root.freeing, root.held), (cpu(4), cpu(4), cpu(2)));
    game.row("no recreation; gone 1").unwrap();
    let root = usage(&game, "root");
    assert_eq!((root.used, root.freeing, root.held), (cpu(2), cpu(0), cpu(0)));
}

#[test]
fn l3_what_a_quota_does_not_lend_stays_free() {
    check(
        "root 10/10; a<root 6/10 lend=2; b<root 4/10",
        "10",
        &[
            ("submit 1 to b: 6", "bind 1"),
            ("submit 2 to b: 1", "pending 2: A1 at root"),
            ("submit 3 to a: 4", "bind 3; pending 2: A1 at root"),
            ("finish 3; finish 1", "bind 2"),
        ],
    );
}

#[test]
fn l3_without_a_lending_limit_all_is_lent() {
    check(
        "root 10/10; a<root 6/10; b<root 4/10",
        "10",
        &[("submit 1 to b: 6", "bind 1"), ("submit 2 to b: 4", "bind 2")],
    );
}

#[test]
fn l3_usage_of_what_a_quota_keeps_adds_nothing_above_it() {
    // What q keeps and what b uses is all of root; 2 is pending only for the max of its own leaf.
    check(
        "root 4/4; q<root 2/4 lend=0; q1<q 0/1; b<root 2/4",
        "9",
        &[
            ("no recreation; submit 1 to q1: 1; submit 3 to b: 2", "bind 3; bind 1"),
            ("submit 2 to q1: 1", "pending 2: A1 at q1"),
            ("finish 1", "bind 2"),
        ],
    );
}

#[test]
fn a2_a_pod_that_becomes_preemptible_frees_the_guarantee_it_used() {
    let mut game = Game::new("root 4/4; a<root 2/4; b<root 2/4", "4", Policy::default()).unwrap();
    for (row, non_preemptible) in
        [("submit 1 to b: 2 non-preemptible", 2), ("preemptible 1", 0), ("non-preemptible 1", 2)]
    {
        game.row(row).unwrap();
        assert_eq!((usage(&game, "b").used, usage(&game, "b").used_np), (cpu(2), cpu(non_preemptible)), "{row}");
    }
    assert_eq!(game.broken(), Vec::<String>::new());
}
