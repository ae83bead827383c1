//! R1: preemption within a queue, of lower priorities.

use crate::{TWO, by, check};
use quotree_core::{Action, Policy, WithinQueuePreemption};
use quotree_testkit::table::{self, Game};

#[test]
fn r1_a_leaf_preempts_only_its_own_lower_priorities() {
    check(
        "root 4/4; a<root 4/4",
        "4",
        &[
            ("submit 1 to a: 4", "bind 1"),
            ("submit 2 to a: 4 priority 1", "evict 1 by R1; bind 2; pending 1': A1 at a"),
            ("submit 3 to a: 4 priority 1", "pending 3: A1 at a, 1': A1 at a"),
        ],
    );
}

#[test]
fn r1_preemption_does_not_let_a_leaf_borrow_more() {
    check(
        "root 6/6; a<root 2/6; b<root 4/6",
        "6",
        &[
            ("submit 1 to a: 2", "bind 1"),
            ("submit 2 to b: 4", "bind 2"),
            ("submit 3 to a: 3 priority 5", "pending 3: A1 at root"),
            ("submit 4 to a: 2 priority 5", "evict 1 by R1; bind 4; pending 3: A1 at root, 1': A1 at root"),
        ],
    );
}

#[test]
fn r1_takes_more_of_its_own_pods_rather_than_borrow_more() {
    check(
        "root 7/7; a<root 1/7; b<root 3/7",
        "7",
        &[
            ("submit 1 to a: 1; submit 2 to a: 1; submit 3 to a: 1", "bind 1; bind 2; bind 3"),
            ("submit 4 to b: 3", "bind 4"),
            ("submit 5 to a: 2 priority 1", "evict 3 by R1; evict 2 by R1; bind 5; bind 2'; pending 3': A1 at root"),
        ],
    );
}

#[test]
fn r1_r8_preemption_within_a_queue_as_the_policy_says() {
    let rows = |last| {
        [
            ("submit 9 to a: 2", "bind 9"),
            ("submit 1 to a: 3", "pending 1: A1 at a"),
            ("submit 2 to a: 2", "bind 2; pending 1: A1 at a"),
            ("finish 9", last),
        ]
    };
    let tree = "root 4/4; a<root 4/4";
    table::check(
        tree,
        "4",
        by(|p| p.within = WithinQueuePreemption::LowerOrNewerEqual),
        &rows("evict 2 by R1; bind 1; pending 2': A1 at a"),
    );
    table::check(tree, "4", Policy::default(), &rows("pending 1: A1 at a"));
    let rows = [("submit 1 to a: 4", "bind 1"), ("submit 2 to a: 4 priority 9", "pending 2: A1 at a")];
    table::check(tree, "4", by(|p| p.within = WithinQueuePreemption::Never), &rows);
}

#[test]
fn r1_r8_a_workload_of_the_same_time_is_not_newer() {
    let policy = by(|p| p.within = WithinQueuePreemption::LowerOrNewerEqual);
    let rows =
        [("submit 1 to a: 4; submit 2 to a: 4", "bind 1; pending 2: A1 at a"), ("wait 1 ms", "pending 2: A1 at a")];
    table::check("root 4/4; a<root 4/4", "4", policy, &rows);
}

#[test]
fn r1_a_borrower_preempts_only_what_its_leaf_borrows() {
    check(
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &[
            ("no recreation; submit 1 to a: 1; submit 2 to a: 1; submit 3 to a: 1", "bind 1; bind 2; bind 3"),
            ("submit 4 to a: 3 priority 1", "pending 4: A1 at a"),
            ("submit 5 to a: 2 priority 1", "evict 3 by R1; evict 2 by R1; bind 5; pending 4: A1 at a"),
        ],
    );
}

#[test]
fn s2_a_gang_above_its_min_and_those_within_it_come_to_rest() {
    check(
        "root 9/9; top<root 7/9; a<top 1/9; b<top 5/5; d<b 3/5; c<b 2/5",
        "11",
        &[
            ("submit 1 to d: 2 priority 1", "bind 1"),
            ("submit 2 to a: 3", "bind 2"),
            ("submit 3 to c: 1 x3 min 3 priority 1", "bind 3 x3"),
            ("submit 4 to a: 1", "bind 4"),
            ("submit 5 to c: 1 x3 min 1", "pending 5: A1 at b"),
            ("submit 6 to d: 1 priority 2", "evict 3 x3 by R2; bind 6; bind 5 x2; pending 5: A1 at b, 3': A1 at b"),
            ("submit 7 to d: 1 priority 2", "evict 1 by R1; bind 7; bind 5; pending 1': A1 at b, 3': A1 at c"),
            ("submit 8 to d: 1", "evict 5 by R2; bind 8; pending 1': A1 at b, 3': A1 at b"),
        ],
    );
}

#[test]
fn r1_the_reason_names_the_missing_resource_and_the_overuse() {
    let mut game = Game::new("root 4,4/4,4; a<root 2,2/4,4; b<root 1,0/4,4", "9,9", Policy::default()).unwrap();
    for row in [
        "submit 1 to b: 2,2 priority 9; submit 2 to b: 2,0 priority 1; submit 3 to b: 0,2",
        "no recreation; submit 4 to a: 2,2",
    ] {
        game.row(row).unwrap();
    }
    let evicted = |action: &Action| match action {
        Action::Evict { pod, reason } => Some((pod.workload.0, reason.resource.clone()?.to_string(), reason.over)),
        _ => None,
    };
    let told: Vec<_> = game.plans().iter().flat_map(|plan| &plan.actions).filter_map(evicted).collect();
    assert_eq!(told, [(3, "gpu".to_owned(), 4000), (2, "cpu".to_owned(), 3000)]);
}

#[test]
fn w3_r1_r8_a_pod_that_becomes_preemptible_is_a_victim_for_its_equals_too() {
    // 2 came before 1, and may preempt it once 1 is preemptible.
    let mut game =
        Game::new("root 4/4; a<root 4/4", "4", by(|p| p.within = WithinQueuePreemption::LowerOrNewerEqual)).unwrap();
    for (row, comes) in [
        ("no recreation; submit 3 to a: 3 non-preemptible", "bind 3"),
        ("submit 2 to a: 4", "pending 2: A1 at a"),
        ("submit 1 to a: 1 non-preemptible", "bind 1; pending 2: A1 at a"),
        ("finish 3", "pending 2: A1 at a"),
        ("preemptible 1", "evict 1 by R1; bind 2"),
    ] {
        assert_eq!(game.row(row).unwrap(), comes, "{row}");
    }
}

#[test]
fn r1_a_leaf_may_grow_up_to_its_min_at_the_expense_of_its_own() {
    check(
        TWO,
        "4",
        &[
            ("submit 1 to a: 1", "bind 1"),
            ("submit 2 to b: 2", "bind 2"),
            ("no recreation; submit 3 to a: 2 priority 5", "evict 1 by R1; bind 3"),
        ],
    );
}

#[test]
fn r1_s2_lower_priorities_cover_the_excess_before_a_victim_of_equal_priority() {
    // 2 came first and gets the priority of 3 and 4. Their eviction would reach into the min of a, but 1 is evicted
    // before either.
    table::check(
        "root 99/99; a<root 5/99; b<root 6/99",
        "6:z=x 2:z=y",
        by(|p| p.within = WithinQueuePreemption::LowerOrNewerEqual),
        &[
            (
                "no recreation; submit 1 to a: 2 on z=y; submit 8 to b: 6 non-preemptible on z=x",
                "bind 1 on node 1; bind 8 on node 0",
            ),
            ("submit 2 to a: 4 on z=x", "pending 2: P1"),
            ("submit 3 to a: 3 priority 1 on z=x; submit 4 to a: 3 priority 1 on z=x", "pending 2: P1, 3: P1, 4: P1"),
            ("finish 8", "bind 3 on node 0; bind 4 on node 0; pending 2: P1"),
            ("priority 2: 1", "evict 4 by R1; evict 3 by R1; bind 2 on node 0"),
        ],
    );
}
