//! Impossible events are refused with a reason and change nothing. T3 and T4: edits of the tree.

use crate::check;
use quotree_core::{
    Action, Amounts, EnforceMax, Event, EventError, NodeId, NodeSpec, PodId, PodOutcome, PodSet, Policy, Recorder,
    Time, WorkloadChange, WorkloadId, WorkloadSpec,
};
use quotree_testkit::table::{self, Game};

fn cpu(n: i64) -> Amounts {
    Amounts::new().with("cpu", n)
}

fn pod(workload: u32) -> PodId {
    PodId { workload: WorkloadId(workload), ordinal: 0 }
}

#[test]
fn r2c_a_pod_that_is_being_bound_may_be_evicted_after_the_next_event() {
    let tree = table::tree("root 4/4; a<root 2/4 ns=a; b<root 2/4 ns=b").unwrap();
    let mut core = Recorder::new(&tree, Policy::default()).unwrap();
    core.apply(Event::NodeUp(NodeSpec::new(0, cpu(4000)))).unwrap();
    for (id, at) in [(1, 1), (2, 2)] {
        core.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(id, "b", Time(at), cpu(2000)))).unwrap();
        core.decide(Time(at));
    }
    core.apply(Event::bound(pod(2), Time(3))).unwrap();
    core.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(3, "a", Time(4), cpu(2000)))).unwrap();
    let plan = core.decide(Time(4));
    assert!(
        matches!(plan.actions[..], [Action::Evict { pod: victim, .. }, Action::Hold { .. }] if victim == pod(1)),
        "workload 2 runs, and 1, that came first, is still being bound: {:?}",
        plan.actions
    );
    for late in [Event::bound(pod(1), Time(5)), Event::BindFailed { pod: pod(1) }] {
        core.apply(late).unwrap();
        assert_eq!(
            core.scheduler().workload(WorkloadId(1)).unwrap().pods[0].state,
            quotree_core::PodState::Terminating
        );
        assert!(core.decide(Time(5)).is_empty());
    }
    core.apply(Event::PodGone { pod: pod(1), outcome: PodOutcome::Evicted }).unwrap();
    assert!(matches!(core.decide(Time(6)).actions[..], [Action::Bind { pod: bound, .. }] if bound == pod(3)));
}

/// Workload 1 runs and 2 is pending, on node 0.
fn running() -> Recorder {
    let tree = table::tree("root 4/4 ; a<root 4/4 ns=a").unwrap();
    let mut core = Recorder::new(&tree, Policy::default()).unwrap();
    core.apply(Event::NodeUp(NodeSpec::new(0, cpu(4000)))).unwrap();
    for id in [1, 2] {
        core.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(id, "a", Time(0), cpu(3000)))).unwrap();
    }
    core.decide(Time(0));
    core.apply(Event::bound(pod(1), Time(0))).unwrap();
    core
}

#[test]
fn impossible_events_are_refused_and_change_nothing() {
    let spec = |id| WorkloadSpec::pod(id, "a", Time(0), cpu(1));
    let empty = WorkloadSpec::gang(5, "a", Time(0), cpu(1), 0);
    let huge = WorkloadSpec::gang(5, "a", Time(0), cpu(1), u32::MAX);
    let mut inverted = WorkloadSpec::gang(5, "a", Time(0), cpu(1), 2);
    inverted.pods[0].min = 3;
    let overflow = WorkloadSpec::gang(5, "a", Time(0), cpu(i64::MAX), 2);
    let negative = WorkloadSpec::pod(5, "a", Time(0), cpu(-1));
    let change = WorkloadChange { priority: Some(1), ..WorkloadChange::of(WorkloadId(9)) };
    let gone = |id| Event::PodGone { pod: pod(id), outcome: PodOutcome::Succeeded };
    let rows: Vec<(Event, &str)> = vec![
        (Event::NodeUp(NodeSpec::new(0, cpu(1))), "node n0 exists already"),
        (Event::NodeUp(NodeSpec::new(7, cpu(-5))), "the amount of `cpu` is negative: -5 base units"),
        (Event::NodeChanged(NodeSpec::new(7, cpu(1))), "unknown node n7"),
        (Event::NodeDown { node: NodeId(7) }, "unknown node n7"),
        (Event::WorkloadSubmitted(spec(1)), "workload w1 exists already"),
        (Event::WorkloadSubmitted(empty), "workload w5 has 0 pods"),
        (Event::WorkloadSubmitted(huge), "workload w5 has 4294967295 pods"),
        (Event::WorkloadSubmitted(inverted), "workload w5 has 2 pods"),
        (Event::WorkloadSubmitted(overflow), "the sum of all requests for `cpu` would exceed 2^60 base units"),
        (Event::WorkloadSubmitted(negative), "the amount of `cpu` is negative: -1 base units"),
        (Event::WorkloadChanged(change), "unknown workload w9"),
        (Event::WorkloadWithdrawn { workload: WorkloadId(9) }, "unknown workload w9"),
        (Event::bound(pod(9), Time(0)), "unknown pod w9.0"),
        (Event::bound(PodId { workload: WorkloadId(1), ordinal: 4 }, Time(0)), "unknown pod w1.4"),
        (Event::bound(pod(1), Time(0)), "pod w1.0 is running"),
        (Event::bound(pod(2), Time(0)), "pod w2.0 is pending, so `PodBound` is impossible"),
        (Event::BindFailed { pod: pod(1) }, "pod w1.0 is running"),
        (gone(9), "unknown pod w9.0"),
        (Event::TreeChanged(table::tree("root 4/4; a<nowhere 1/1").unwrap()), "the quota tree is invalid"),
    ];
    let mut core = running();
    let state = |core: &Recorder| {
        let s = core.scheduler();
        let usage: Vec<_> = s.tree().ids().map(|q| s.usage(q)).collect();
        format!("{:?} {usage:?} {:?} {:?} {}", s.nodes(), s.waiting(), s.workload(WorkloadId(1)), s.generation())
    };
    let before = state(&core);
    for (event, wanted) in rows {
        let text = format!("{event:?}");
        match core.apply(event) {
            Ok(()) => panic!("taken, but `{wanted}`: {text}"),
            Err(error) => assert!(error.to_string().starts_with(wanted), "{error}, but wanted `{wanted}`: {text}"),
        }
        assert_eq!(state(&core), before, "changed by the refused {text}");
    }
}

#[test]
fn t3_a_namespace_with_running_pods_does_not_move() {
    let mut game = Game::new("root 4/4; a<root 2/4 ns=x; b<root 2/4 ns=y", "4", Policy::default()).unwrap();
    game.row("submit 1 to x: 1; submit 2 to x: 1; submit 9 to y: 1").unwrap();
    let swapped = game.row("tree root 4/4; a<root 2/4 ns=y; b<root 2/4 ns=x").unwrap_err();
    let all = "namespaces with running pods cannot move to another leaf (T3): `x` (2 running), `y` (1 running)";
    assert!(swapped.contains(all), "{swapped}");
    game.row("finish 9").unwrap();
    let moved = "tree root 4/4; a<root 2/4 ns=z; b<root 2/4 ns=x,y";
    let error = game.row(moved).unwrap_err();
    assert!(error.contains("(T3): `x` (2 running)"), "{error}");
    game.row("finish 1; finish 2").unwrap();
    assert_eq!(game.row(moved).unwrap(), "nothing");
    game.row("submit 3 to x: 1").unwrap();
    let b = game.core().tree().by_name("b").unwrap();
    assert_eq!(game.core().usage(b).used, cpu(1000));
}

#[test]
fn t4_a_lowered_max_evicts_nobody_by_itself() {
    check(
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &[
            ("submit 1 to a: 1; submit 2 to a: 1; submit 3 to a: 1", "bind 1; bind 2; bind 3"),
            ("tree root 4/4; a<root 1/1; b<root 2/4", "nothing"),
            ("submit 4 to a: 1", "pending 4: A1 at a"),
            ("finish 1; finish 2; finish 3", "bind 4"),
        ],
    );
}

#[test]
fn t4_enforce_max_evicts_in_victim_order_after_its_time() {
    let policy = Policy { enforce_max: EnforceMax::After { ms: 3000 }, ..Policy::default() };
    table::check(
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        policy,
        &[
            (
                "no recreation; submit 1 to a: 1; submit 2 to a: 1 priority 1; submit 3 to a: 1",
                "bind 2; bind 1; bind 3",
            ),
            ("tree root 4/4; a<root 1/1; b<root 2/4", "nothing"),
            ("wait 10 ms", "nothing"),
            ("wait 2000 ms", "evict 3 by T4; evict 1 by T4"),
        ],
    );
}

#[test]
fn t4_a_raised_max_admits_pending_workloads() {
    check(
        "root 4/4; a<root 1/1; b<root 2/4",
        "4",
        &[
            ("submit 1 to a: 1; submit 2 to a: 1", "bind 1; pending 2: A1 at a"),
            ("tree root 4/4; a<root 1/2; b<root 2/4", "bind 2"),
        ],
    );
}

#[test]
fn a_lost_node_does_not_hide_room_that_came_free_elsewhere() {
    check(
        "root 9/9; a<root 0/9",
        "2 2",
        &[
            ("no recreation; submit 1 to a: 2", "bind 1 on node 0"),
            ("submit 2 to a: 2", "bind 2 on node 1"),
            ("submit 3 to a: 2", "pending 3: P1"),
            ("finish 1; node 1 down", "bind 3 on node 0"),
        ],
    );
}

#[test]
fn h2_devices_that_change_on_one_node_end_no_hold_on_another() {
    check(
        "root 9,9/9,9; a<root 4,4/9,9; b<root 0,0/9,9",
        "9,1:dev",
        &[
            ("slow evictions; no recreation; submit 1 to b: 1,1", "bind 1"),
            ("submit 3 to a: 1,1", "evict 1 by R2; hold 3; pending 3: H1"),
            ("node 1 up: 9,2:dev", "pending 3: H1"),
            ("node 1 changes: 9,4:dev", "pending 3: H1"),
            ("gone 1", "bind 3"),
        ],
    );
}

#[test]
fn requests_that_would_overflow_a_sum_are_refused() {
    let mut core = running();
    let most = (1 << 60) - 1 - 6000;
    core.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(3, "a", Time(0), cpu(most)))).unwrap();
    let one = WorkloadSpec::pod(4, "a", Time(0), cpu(1));
    let refused = core.apply(Event::WorkloadSubmitted(one.clone())).unwrap_err();
    assert!(refused.to_string().starts_with("the sum of all requests for `cpu`"), "{refused}");
    let add_pods = Some(one.pods[0].clone());
    let grown = core.apply(Event::WorkloadChanged(WorkloadChange { add_pods, ..WorkloadChange::of(WorkloadId(2)) }));
    assert_eq!(grown.unwrap_err(), refused);
}

#[test]
fn added_pods_are_elastic_and_an_empty_set_is_refused() {
    let mut core = running();
    let set = WorkloadSpec::pod(9, "a", Time(0), cpu(1)).pods[0].clone();
    let add = PodSet { min: 5, ..set.clone() };
    core.apply(Event::WorkloadChanged(WorkloadChange { add_pods: Some(add), ..WorkloadChange::of(WorkloadId(1)) }))
        .unwrap();
    assert_eq!(core.decide(Time(1)).actions.len(), 1, "one more, alone");
    let mut job = WorkloadSpec::pod(5, "a", Time(0), cpu(1));
    job.pods.push(PodSet { count: 0, min: 0, ..set });
    assert!(matches!(core.apply(Event::WorkloadSubmitted(job)), Err(EventError::PodCount { .. })));
}

#[test]
fn a2_h3_a_holder_that_becomes_non_preemptible_must_fit_its_min() {
    check(
        "root 3/3; a<root 0/3; b<root 1/3",
        "3",
        &[
            ("slow evictions; no recreation; submit 1 to a: 3", "bind 1"),
            ("submit 2 to a: 3 priority 5", "evict 1 by R1; hold 2; pending 2: H1"),
            ("non-preemptible 2", "pending 2: H1"),
            ("gone 1", "release 2: no longer fits; pending 2: A2 at a"),
        ],
    );
}

#[test]
fn g1_pending_pods_of_a_gang_replace_members_that_are_deleted() {
    check(
        "root 9/9; a<root 9/9",
        "3",
        &[
            ("slow evictions; no recreation; submit 1 to a: 1 x4 min 2", "bind 1 x3; pending 1: P1"),
            ("terminate 1 x2", "hold 1; pending 1: H1"),
            ("gone 1", "bind 1"),
        ],
    );
}

#[test]
fn t4_pods_stay_on_their_nodes_when_the_tree_changes_after_others_were_lost() {
    check(
        "root 9/9; a<root 9/9",
        "4 4",
        &[
            ("no recreation; submit 1 to a: 4; submit 2 to a: 4", "bind 1 on node 0; bind 2 on node 1"),
            ("node 0 down", "nothing"),
            ("tree root 9/9; a<root 8/9", "nothing"),
            ("submit 3 to a: 1", "pending 3: P1"),
            ("finish 2", "bind 3 on node 1"),
        ],
    );
}
