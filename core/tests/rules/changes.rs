//! Workloads that name their leaf, that evict nobody, and that change after they were submitted: T1, R9, R7, G1.

use crate::{TWO, by, check};
use quotree_core::{EventError, Policy, Protection, RespectBudgets, Rule, WorkloadId};
use quotree_testkit::table::{self, Game};

#[test]
fn t1_a4_a_workload_may_name_its_leaf() {
    check(
        TWO,
        "4",
        &[
            ("submit 1 to b: 3 quota a; submit 2 to nowhere: 1 quota b", "bind 2; bind 1"),
            ("submit 3 to a: 1 quota root; submit 4 to a: 1 quota c", "pending 3: A4, 4: A4"),
            // By its namespace 5 would be entitled in b, of which it does not use anything.
            ("submit 5 to b: 1 quota a", "pending 3: A4, 4: A4, 5: A1 at root"),
            ("submit 6 to a: 1 quota b", "evict 1 by R2; bind 6; bind 5; pending 3: A4, 4: A4, 1': A1 at root"),
        ],
    );
}

#[test]
fn t3_a_leaf_that_running_pods_name_stays() {
    let mut game = Game::new(TWO, "4", Policy::default()).unwrap();
    game.row("submit 1 to elsewhere: 1 quota a").unwrap();
    let tree = |text: &str| quotree_core::Event::TreeChanged(table::tree(text).unwrap());
    let mut core = game.core().clone();
    let quotas = vec![("a".into(), vec![WorkloadId(1).pod(0)])];
    let refused = Err(EventError::LeavesInUse { namespaces: vec![], quotas });
    assert_eq!(core.apply(tree("root 4/4; c<root 2/4 ns=a; b<root 2/4 ns=b")), refused, "the leaf is gone");
    assert_eq!(core.apply(tree("root 4/4; a<root 2/4; d<a 1/4 ns=a; b<root 2/4 ns=b")), refused, "it is no leaf");
    assert_eq!(core.apply(tree("root 4/4; a<root 1/4 ns=x; b<root 2/4 ns=b")), Ok(()));
}

#[test]
fn r9_nobody_is_evicted_for_a_workload_that_asks_so() {
    let mut game = Game::new(TWO, "4", Policy::default()).unwrap();
    game.row("submit 1 to b: 4").unwrap();
    assert_eq!(game.row("submit 2 to a: 2 evicts-nobody").unwrap(), "pending 2: A1 at root", "not even by R2");
    assert_eq!(game.row("submit 3 to b: 1 priority 5 evicts-nobody").unwrap(), "pending 2: A1 at root, 3: A1 at b");
    for id in [2, 3] {
        let verdict = game.core().verdict(WorkloadId(id)).unwrap();
        let shields: Vec<_> = verdict.protected.iter().map(|class| (&class.shield, class.shield.rule())).collect();
        assert_eq!(shields, [(&Protection::EvictsNobody, Rule::R9)], "{id}");
    }
}

#[test]
fn r9_it_waits_and_others_of_its_leaf_evict() {
    check(
        TWO,
        "4",
        &[
            ("no recreation; submit 1 to b: 2; submit 2 to b: 2", "bind 1; bind 2"),
            ("submit 3 to a: 2 evicts-nobody", "pending 3: A1 at root"),
            ("submit 4 to a: 2", "evict 2 by R2; bind 4; pending 3: A1 at root"),
            ("finish 1", "bind 3"),
        ],
    );
}

#[test]
fn r9_h1_it_takes_no_hold_on_what_leaves() {
    let rows = |how: &'static str, then: &'static str| {
        check(
            TWO,
            "4",
            &[
                ("no recreation; slow evictions; submit 1 to b: 2; submit 2 to b: 2", "bind 1; bind 2"),
                ("terminate 1", "nothing"),
                (how, then),
            ],
        );
    };
    rows("submit 3 to a: 2", "hold 3; pending 3: H1");
    rows("submit 3 to a: 2 evicts-nobody", "pending 3: A1 at root");
}

#[test]
fn r7_a_workload_gets_another_budget() {
    let always = || by(|policy| policy.respect_budgets = RespectBudgets::Always);
    table::check(
        TWO,
        "4",
        always(),
        &[
            ("no recreation; budget n allows 0; budget m allows 1; submit 1 to b: 4", "bind 1"),
            ("budget of 1: n; submit 2 to a: 2", "pending 2: A1 at root"),
            ("budget of 1: m", "evict 1 by R2; bind 2"),
            ("submit 3 to b: 2", "bind 3"),
            ("budget of 3: n; submit 4 to b: 1 priority 3", "pending 4: A1 at root"),
            ("budget of 3: none", "evict 3 by R1; bind 4"),
        ],
    );
}

#[test]
fn r7_e2_a_failed_eviction_goes_back_to_the_budget_that_it_was_taken_from() {
    let always = || by(|policy| policy.respect_budgets = RespectBudgets::Always);
    table::check(
        "root 6/6; a<root 4/6; b<root 2/6",
        "6",
        always(),
        &[
            ("slow evictions; no recreation; budget n allows 1; budget m allows 0", "nothing"),
            ("submit 1 to b: 2 budget n; submit 2 to b: 2 budget n", "bind 1; bind 2"),
            ("submit 4 to b: 2 non-preemptible", "bind 4"),
            ("submit 3 to a: 2", "evict 2 by R2; hold 3; pending 3: H1"),
            ("budget of 2: m", "pending 3: H1"),
            // One of n may go again; m allows none.
            ("eviction fails 2", "release 3: eviction of 2 failed; evict 1 by R2; hold 3; pending 3: H1"),
            ("eviction fails 1; budget of 2: m", "release 3: eviction of 1 failed; pending 3: A1 at root"),
        ],
    );
}

#[test]
fn g1_another_minimum() {
    check(
        "root 9/9; a<root 9/9",
        "3",
        &[
            ("submit 1 to a: 1 x4", "pending 1: P1"),
            ("minimum 1: 2", "bind 1 x3; pending 1: P1"),
            // A gang without spare pods goes whole, and it does not run below its minimum by our doing.
            ("minimum 1: 3; submit 2 to a: 1 priority 4", "evict 1 x3 by R1; bind 2; pending 1': P1"),
        ],
    );
    check(
        "root 9/9; a<root 9/9",
        "3",
        &[
            ("no recreation; submit 1 to a: 1 x4 min 2; submit 2 to a: 1 x2 min 1", "bind 1 x3; pending 1: P1, 2: P1"),
            ("minimum 1: 1; submit 3 to a: 1 priority 4", "evict 1 by R1; bind 3; pending 1: P1, 2: P1"),
        ],
    );
}

#[test]
fn g1_g3_a_minimum_above_what_runs() {
    table::check(
        "root 9/9; a<root 9/9",
        "3",
        by(|policy| policy.stale_after_ms = Some(1500)),
        &[
            (
                "no recreation; submit 2 to a: 1 priority 1; submit 1 to a: 1 x3 min 1",
                "bind 2; bind 1 x2; pending 1: P1",
            ),
            ("minimum 1: 3", "pending 1: P1"),
            ("wait 1 ms", "pending 1: P1"),
            ("wait 1 ms", "evict 1 x2 by G3"),
        ],
    );
    // More than there are: it asks for nothing until there are enough.
    check(
        "root 9/9; a<root 9/9",
        "9",
        &[("submit 1 to a: 1 x3; minimum 1: 5", "nothing"), ("grow 1 by 2", "bind 1 x5")],
    );
}

#[test]
fn g1_h2_a_hold_for_other_pods_ends() {
    check(
        TWO,
        "4",
        &[
            ("slow evictions; no recreation; submit 1 to b: 4", "bind 1"),
            ("submit 2 to a: 1 x2", "evict 1 by R2; hold 2; pending 2: H1"),
            ("minimum 2: 2", "pending 2: H1"),
            ("minimum 2: 1", "release 2: changed; hold 2; pending 2: H1"),
            ("gone 1", "bind 2 x2"),
        ],
    );
}

#[test]
fn e5_a_running_pod_is_charged_for_what_it_requests_now() {
    check(
        "root 9/9; a<root 2/4; b<root 4/9",
        "4 9",
        &[
            ("no recreation; submit 1 to a: 1; submit 2 to a: 3", "bind 1 on node 0; bind 2 on node 0"),
            // Above the max and above the node, and nobody goes for it.
            ("pod 1 requests 2", "nothing"),
            ("submit 3 to a: 1", "pending 3: A1 at a"),
            ("pod 1 requests 1", "pending 3: A1 at a"),
            ("pod 2 requests 2", "bind 3 on node 0"),
        ],
    );
    // What runs above its guarantee by growth is reclaimed.
    check(
        TWO,
        "4",
        &[
            ("no recreation; submit 1 to a: 1; submit 2 to a: 1", "bind 1; bind 2"),
            ("submit 3 to b: 2; pod 1 requests 2", "evict 2 by R2; bind 3"),
        ],
    );
}

#[test]
fn e5_a_pending_pod_waits_with_what_it_requests_now() {
    check(
        "root 9/9; a<root 9/9",
        "2:zone=x 2:zone=y,!t",
        &[
            ("submit 1 to a: 3", "pending 1: P1"),
            ("pod 1 requests 2", "bind 1 on node 0"),
            ("submit 2 to a: 2", "pending 2: P1"),
            ("pod 2 tolerates t", "bind 2 on node 1"),
            ("submit 3 to a: 1; submit 4 to a: 2", "pending 3: P1, 4: P1"),
            ("pod 4 on zone=y; finish 1", "bind 3 on node 0; pending 4: P1"),
        ],
    );
}

#[test]
fn e5_h2_a_hold_for_what_was_requested_before_ends() {
    let rows = |change: &'static str, then: &'static str, last: &'static str| {
        check(
            TWO,
            "4",
            &[
                ("slow evictions; no recreation; submit 1 to b: 2; submit 2 to b: 2", "bind 1; bind 2"),
                ("submit 3 to a: 2", "evict 2 by R2; hold 3; pending 3: H1"),
                (change, then),
                ("gone 2", last),
            ],
        );
    };
    rows("wait 1 ms", "pending 3: H1", "bind 3");
    rows("pod 3 requests 1", "release 3: changed; hold 3; pending 3: H1", "bind 3");
    // Now it is above its guarantee, and nobody goes for it.
    rows("pod 3 requests 3", "release 3: changed; pending 3: A1 at root", "pending 3: A1 at root");
}

#[test]
fn e5_a_victim_that_changes_frees_what_it_requests_now() {
    check(
        TWO,
        "4",
        &[
            ("slow evictions; no recreation; submit 1 to b: 2; submit 2 to b: 2", "bind 1; bind 2"),
            ("submit 3 to a: 2", "evict 2 by R2; hold 3; pending 3: H1"),
            ("pod 2 requests 1", "pending 3: H1"),
            // One is free, and reserved for 3.
            ("submit 4 to b: 1", "pending 3: H1, 4: A1 at root"),
            ("gone 2", "bind 3; pending 4: A1 at root"),
        ],
    );
}

#[test]
fn e5_g1_a_gang_keeps_its_minimum_when_its_pods_change() {
    check(
        "root 9/9; a<root 9/9",
        "4",
        &[
            ("submit 1 to a: 1 x4; pod 1 x2 requests 2", "pending 1: P1"),
            ("pod 1 requests 1", "bind 1 x4"),
            ("pod 1 x1 requests 0.5", "nothing"),
            ("submit 2 to a: 1 priority 3", "evict 1 x4 by R1; bind 2; pending 1': P1"),
        ],
    );
    // Elastic: the pod that changed stays part of the minimum that runs, and the others are spare.
    check(
        "root 9/9; a<root 9/9",
        "3",
        &[
            ("no recreation; submit 1 to a: 1 x3 min 1; pod 1 x1 requests 1", "bind 1 x3"),
            ("pod 1 x1 requests 0.5", "nothing"),
            ("submit 2 to a: 1 priority 3", "evict 1 by R1; bind 2"),
            ("submit 3 to a: 1 priority 3", "evict 1 by R1; bind 3"),
        ],
    );
}
