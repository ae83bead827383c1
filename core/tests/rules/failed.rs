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

fn backing_off() -> Policy {
    by(|policy| policy.bind_back_off_ms = Some(1000))
}

#[test]
fn e6_a_workload_of_which_a_bind_failed_waits_and_others_go_first() {
    let mut game = Game::new("root 9/9; a<root 9/9 block", "2", backing_off()).unwrap();
    game.row("next bind fails; submit 1 to a: 2").unwrap();
    assert_eq!(game.core().next_wake(), Some(quotree_core::Time(2000)), "a second after the first row");
    let verdict = game.core().verdict(WorkloadId(1)).unwrap();
    assert_eq!((verdict.binding.rule(), game.core().waiting()), (Rule::E6, vec![WorkloadId(1)]));
    let mut core = game.core().clone();
    core.apply(Event::WorkloadSubmitted(quotree_core::WorkloadSpec::pod(
        2,
        "a",
        quotree_core::Time(1500),
        quotree_core::Amounts::new().with("cpu", 1000),
    )))
    .unwrap();
    let plan = core.decide(quotree_core::Time(1999));
    assert!(matches!(plan.actions[..], [Action::Bind { pod, .. }] if pod.workload == WorkloadId(2)), "{plan:?}");
    let plan = game.core().clone().decide(quotree_core::Time(2000));
    assert!(matches!(plan.actions[..], [Action::Bind { pod, .. }] if pod.workload == WorkloadId(1)), "{plan:?}");
}

#[test]
fn e6_the_wait_doubles_and_ends_with_success() {
    table::check(
        TWO,
        "4",
        backing_off(),
        &[
            ("next bind fails; next bind fails; next bind fails; submit 1 to a: 2", "bind 1; pending 1: E6"),
            ("wait 1 ms", "bind 1; pending 1: E6"),
            ("wait 1 ms", "pending 1: E6"),
            ("wait 1 ms", "bind 1; pending 1: E6"),
            ("wait 2000 ms", "pending 1: E6"),
            ("wait 1 ms", "bind 1"),
            // It begins anew after a success.
            ("fail 1; next bind fails; submit 2 to a: 1", "bind 2; pending 2: E6"),
            ("wait 1 ms", "bind 2"),
        ],
    );
}

#[test]
fn e6_of_a_gang_the_rest_goes_on() {
    table::check(
        TWO,
        "4",
        backing_off(),
        &[("next bind fails; submit 1 to a: 1 x3 min 2", "bind 1 x3; pending 1: E6"), ("find 1 x1", "nothing")],
    );
}

#[test]
fn e2_what_a_newer_tree_spares_is_not_evicted() {
    let mut game = Game::new(TWO, "4", Policy::default()).unwrap();
    game.row("slow evictions; no recreation; submit 1 to b: 2; submit 2 to b: 2").unwrap();
    assert_eq!(game.row("submit 3 to a: 2").unwrap(), "evict 2 by R2; hold 3; pending 3: H1");
    let stands = |game: &Game| game.core().eviction_stands(WorkloadId(2).pod(0));
    assert_eq!((stands(&game), game.core().eviction_stands(WorkloadId(1).pod(0))), (Some(true), None));
    // Now b is guaranteed all that it uses.
    assert_eq!(
        game.row("tree root 4/4; a<root 0/4; b<root 4/4").unwrap(),
        "release 3: tree changed; pending 3: A1 at root"
    );
    assert_eq!(stands(&game), Some(false));
    assert_eq!(game.row("eviction taken back 2").unwrap(), "pending 3: A1 at root");
    assert_eq!(stands(&game), None);
    // And under the old one again, the same pod may go at once: nothing failed.
    let again = game.row("tree root 4/4; a<root 2/4; b<root 2/4").unwrap();
    assert_eq!(again, "evict 2 by R2; hold 3; pending 3: H1");
}

#[test]
fn e2_t4_an_eviction_for_a_max_stands_while_the_max_does() {
    let policy = by(|policy| policy.enforce_max = EnforceMax::After { ms: 500 });
    let mut game = Game::new("root 9/9; a<root 0/6", "9", policy).unwrap();
    game.row("slow evictions; no recreation; submit 1 to a: 3; submit 2 to a: 3").unwrap();
    game.row("tree root 9/9; a<root 0/3").unwrap();
    assert_eq!(game.row("wait 1 ms").unwrap(), "evict 2 by T4");
    let stands = |game: &Game| game.core().eviction_stands(WorkloadId(2).pod(0));
    assert_eq!(stands(&game), Some(true));
    game.row("tree root 9/9; a<root 0/6").unwrap();
    assert_eq!(stands(&game), Some(false));
    assert_eq!(game.row("eviction taken back 2").unwrap(), "nothing");
}

#[test]
fn e2_an_eviction_that_would_take_a_guarantee_does_not_stand() {
    let mut game = Game::new("root 8/8; a<root 4/8; b<root 4/8", "8", Policy::default()).unwrap();
    let row = (1..=8).map(|id| format!("; submit {id} to b: 1"));
    game.row(&format!("slow evictions; no recreation{}", row.collect::<String>())).unwrap();
    let evicted = "evict 8 by R2; evict 7 by R2; evict 6 by R2; evict 5 by R2; hold 9; pending 9: H1";
    assert_eq!(game.row("submit 9 to a: 4").unwrap(), evicted);
    let useless =
        |game: &Game| -> Vec<u32> { game.core().useless_evictions().into_iter().map(|pod| pod.workload.0).collect() };
    assert_eq!(useless(&game), [0; 0], "what was just decided stands");
    // Two of b end. It still uses 6 of its 4, as long as nobody is seen leaving.
    game.row("finish 1; finish 2").unwrap();
    assert_eq!(useless(&game), [0; 0]);
    // With two that leave it uses 4.
    game.row("eviction seen 8; eviction seen 7").unwrap();
    assert_eq!(useless(&game), [5, 6]);
    assert_eq!(game.core().eviction_stands(WorkloadId(5).pod(0)), Some(false));
    assert_eq!(game.core().eviction_stands(WorkloadId(8).pod(0)), None, "somebody stops it");
    // Whoever waits for them needs them no longer: two that ended, and two that leave, are enough.
    let waits = "release 9: eviction of 5 failed; hold 9; pending 9: H1";
    assert_eq!(game.row("eviction taken back 5; eviction taken back 6").unwrap(), waits);
}

#[test]
fn e2_t4_what_was_just_decided_for_a_max_stands() {
    let policy = by(|policy| policy.enforce_max = EnforceMax::After { ms: 500 });
    let mut game = Game::new("root 9/9; a<root 0/9", "9", policy).unwrap();
    game.row("slow evictions; no recreation; submit 1 to a: 5; submit 2 to a: 1").unwrap();
    game.row("tree root 9/9; a<root 0/4").unwrap();
    assert_eq!(game.row("wait 1 ms").unwrap(), "evict 2 by T4; evict 1 by T4");
    assert_eq!(game.core().useless_evictions(), []);
    // Once the larger one leaves, the smaller one may stay.
    game.row("eviction seen 1").unwrap();
    assert_eq!(game.core().useless_evictions(), [WorkloadId(2).pod(0)]);
}
