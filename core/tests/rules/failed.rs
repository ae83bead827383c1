//! E2: evictions that could not be done.

use crate::{TWO, by, check};
use quotree_core::{Action, EnforceMax, Event, Policy, Protection, ReleaseReason, Rule, WorkloadId};
use quotree_testkit::table::{self, Game};

#[test]
fn e2_another_victim_is_found_and_the_failed_one_is_spared() {
    check(
        TWO,
        "4",
        &[
            ("slow evictions; no recreation; submit 1 to b: 2; submit 2 to b: 2", "bind 1; bind 2"),
            ("submit 3 to a: 2", "evict 2 by R2; hold 3; pending 3: H1"),
            ("eviction fails 2", "release 3: eviction of 2 failed; evict 1 by R2; hold 3; pending 3: H1"),
            ("gone 1", "bind 3"),
        ],
    );
}

#[test]
fn e2_a_fact_about_the_workload_makes_it_a_victim_again() {
    let game = |fact: &str, then: &str| {
        check(
            TWO,
            "4",
            &[
                ("slow evictions; no recreation; budget n allows 2; submit 1 to b: 2 x2 budget n", "bind 1 x2"),
                ("submit 3 to a: 2", "evict 1 x2 by R2; hold 3; pending 3: H1"),
                ("eviction fails 1", "release 3: eviction of 1 failed; pending 3: A1 at root"),
                ("wait 10 ms; budget other allows 2", "pending 3: A1 at root"),
                (fact, then),
            ],
        );
    };
    let again = "evict 1 x2 by R2; hold 3; pending 3: H1";
    game("budget n allows 2", again);
    game("priority 1: 0", again);
    game("fail 1", "bind 3");
    game("terminate 1 x1", "hold 3; pending 3: H1");
}

#[test]
fn e2_the_budget_gets_back_what_was_taken_from_it() {
    let tree = "root 6/6; a<root 4/6; b<root 2/6";
    let rows = |fact| {
        [
            ("slow evictions; no recreation; budget n allows 1", "nothing"),
            (
                "submit 1 to b: 2 budget n; submit 2 to b: 2 budget n; submit 4 to b: 2 non-preemptible",
                "bind 1; bind 2; bind 4",
            ),
            ("submit 3 to a: 2", "evict 2 by R2; hold 3; pending 3: H1"),
            (fact, "pending 3: H1"),
        ]
    };
    let always = || by(|policy| policy.respect_budgets = quotree_core::RespectBudgets::Always);
    // The eviction failed, and the other pod of the budget may go.
    let (again, refused) = (
        "release 3: eviction of 2 failed; evict 1 by R2; hold 3; pending 3: H1",
        "release 3: eviction of 2 failed; pending 3: A1 at root",
    );
    let with = |fact, last| rows(fact).into_iter().chain([("eviction fails 2", last)]).collect::<Vec<_>>();
    table::check(tree, "6", always(), &with("wait 1 ms", again));
    table::check(tree, "6", always(), &with("budget n allows 0", refused));
}

#[test]
fn e2_a_gang_of_which_one_eviction_failed_runs_below_its_minimum() {
    table::check(
        TWO,
        "4",
        by(|policy| policy.stale_after_ms = Some(1500)),
        &[
            ("slow evictions; no recreation; submit 1 to b: 2 x2", "bind 1 x2"),
            ("submit 3 to a: 2", "evict 1 x2 by R2; hold 3; pending 3: H1"),
            ("eviction fails 1", "release 3: eviction of 1 failed; pending 3: A1 at root"),
            ("fail 1", "bind 3"),
            ("wait 1 ms", "nothing"),
            ("wait 1 ms", "evict 1 by G3"),
            ("eviction fails 1", "nothing"),
            ("wait 5000 ms", "nothing"),
            ("priority 1: 1", "evict 1 by G3"),
        ],
    );
}

#[test]
fn e2_t4_a_max_is_enforced_on_others_and_again_when_something_is_reported() {
    table::check(
        "root 9/9; a<root 0/6",
        "9",
        by(|policy| policy.enforce_max = EnforceMax::After { ms: 500 }),
        &[
            ("slow evictions; no recreation; submit 1 to a: 3; submit 2 to a: 3", "bind 1; bind 2"),
            ("tree root 9/9; a<root 0/3", "nothing"),
            ("wait 1 ms", "evict 2 by T4"),
            ("eviction fails 2", "nothing"),
            ("wait 1 ms", "evict 1 by T4"),
            ("eviction fails 1; wait 900 ms", "nothing"),
            ("wait 900 ms", "nothing"),
            ("priority 2: 0", "nothing"),
            ("wait 900 ms", "evict 2 by T4"),
            ("gone 2", "nothing"),
        ],
    );
}

#[test]
fn e2_a_verdict_names_who_is_spared_and_an_impossible_failure_is_refused() {
    let mut game = Game::new(TWO, "4", Policy::default()).unwrap();
    game.row("slow evictions; no recreation; submit 1 to b: 4").unwrap();
    game.row("submit 3 to a: 2").unwrap();
    let mut core = game.core().clone();
    let pod = WorkloadId(1).pod(0);
    let mut left = core.clone();
    core.apply(Event::EvictFailed { pod }).unwrap();
    let plan = core.decide(quotree_core::Time(5000));
    let reason = ReleaseReason::EvictFailed(pod);
    assert_eq!(plan.actions, [Action::Release { workload: WorkloadId(3), reason }]);
    let verdict = core.verdict(WorkloadId(3)).unwrap();
    let shields: Vec<_> = verdict.protected.iter().map(|class| (&class.shield, class.shield.rule())).collect();
    assert_eq!(shields, [(&Protection::EvictFailed, Rule::E2)]);
    let again = core.apply(Event::EvictFailed { pod }).unwrap_err();
    assert_eq!(again.to_string(), "pod w1.0 is running, so `EvictFailed` is impossible");
    // Somebody else stops it before the failure is known.
    left.apply(Event::PodLeaving { pod }).unwrap();
    left.apply(Event::EvictFailed { pod }).unwrap();
    assert!(left.decide(quotree_core::Time(5000)).is_empty(), "the hold waits for it");
}
