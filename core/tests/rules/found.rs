//! E1 and E3: pods that are where no plan put them.

use crate::{TWO, by, check};
use quotree_core::{
    Action, Amounts, BoundAt, DeviceSet, EnforceMax, Event, EventError, FoundState, NodeId, NodeSpec, PodOutcome,
    Policy, Scheduler, Time, WorkloadId, WorkloadSpec, audit,
};
use quotree_testkit::table::{self, Game};

#[test]
fn e1_a_found_pod_is_charged_above_max_and_above_the_node() {
    check(
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &[
            ("submit 1 to a: 3; submit 2 to a: 3; find 1; find 2", "nothing"),
            ("submit 3 to a: 1", "pending 3: A1 at a"),
            ("finish 1", "bind 3"),
        ],
    );
}

#[test]
fn e1_what_was_found_is_a_victim_as_any_other_and_nobody_goes_for_the_limit_alone() {
    check(
        TWO,
        "6",
        &[
            ("submit 1 to b: 3; submit 2 to b: 3; find 1; find 2", "nothing"),
            ("submit 3 to a: 2", "evict 2 by R2; evict 1 by R2; bind 3; pending 1': A1 at root, 2': A1 at root"),
        ],
    );
}

#[test]
fn e1_a_quota_that_is_over_by_what_was_found_is_drained_where_max_is_enforced() {
    table::check(
        "root 9/9; a<root 2/4; b<root 2/4",
        "9",
        by(|policy| policy.enforce_max = EnforceMax::After { ms: 2500 }),
        &[
            ("no recreation; submit 1 to a: 3; submit 2 to a: 3; find 1; find 2", "nothing"),
            ("wait 1 ms", "nothing"),
            ("wait 1 ms", "nothing"),
            ("wait 1 ms", "evict 2 by T4"),
        ],
    );
}

#[test]
fn e1_g3_a_gang_found_below_its_minimum_is_completed_or_stale() {
    let policy = by(|policy| policy.stale_after_ms = Some(2500));
    table::check(
        "root 4/4; a<root 4/4",
        "4",
        policy,
        &[
            ("submit 1 to a: 1 x4; find 1 x2", "bind 1 x2"),
            ("no recreation; withdraw 1; submit 2 to a: 2 x3; find 2 x1", "pending 2: A1 at a"),
            ("wait 1 ms", "pending 2: A1 at a"),
            ("wait 1 ms", "pending 2: A1 at a"),
            ("wait 1 ms", "evict 2 by G3"),
        ],
    );
}

#[test]
fn e1_a_pod_found_terminating_is_waited_for_and_not_evicted_again() {
    check(
        TWO,
        "4",
        &[
            ("slow evictions; submit 1 to b: 4; find 1 terminating", "nothing"),
            ("submit 2 to a: 2", "hold 2; pending 2: H1"),
            ("gone 1", "bind 2; pending 1': A1 at root"),
        ],
    );
}

#[test]
fn e1_h2_a_hold_ends_when_a_pod_of_its_workload_is_found() {
    check(
        TWO,
        "4 1",
        &[
            ("slow evictions; no recreation; submit 1 to b: 2; submit 2 to b: 2", "bind 1 on node 0; bind 2 on node 0"),
            ("submit 3 to a: 2", "evict 2 by R2; hold 3; pending 3: H1"),
            ("find 3 on node 1; submit 4 to b: 1", "pending 4: A1 at b"),
            ("gone 2", "pending 4: A1 at root"),
        ],
    );
}

#[test]
fn e1_what_is_being_bound_may_start_or_fail() {
    let tree = table::tree("root 4/4; a<root 4/4 ns=a").unwrap();
    let mut core = Scheduler::new(&tree, Policy::default()).unwrap();
    core.apply(Event::NodeUp(NodeSpec::new(0, Amounts::new().with("cpu", 4000)))).unwrap();
    let cpu = Amounts::new().with("cpu", 3000);
    for id in [1, 2] {
        core.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(id, "a", Time(0), cpu.clone()))).unwrap();
    }
    let found = |id: u32, node, devices, state| Event::PodFound {
        pod: WorkloadId(id).pod(0),
        node: NodeId(node),
        devices: DeviceSet(devices),
        state,
        since: Time(0),
    };
    let refused = [
        (found(7, 0, 0, FoundState::Running), EventError::UnknownPod(WorkloadId(7).pod(0))),
        (found(1, 9, 0, FoundState::Running), EventError::UnknownNode(NodeId(9))),
        (found(1, 0, 4, FoundState::Running), EventError::UnknownDevice { node: NodeId(0), device: 2 }),
    ];
    for (event, error) in refused {
        assert_eq!(core.apply(event), Err(error));
    }
    core.apply(found(1, 0, 0, FoundState::Binding)).unwrap();
    let again = core.apply(found(1, 0, 0, FoundState::Running)).unwrap_err();
    assert_eq!(again.to_string(), "pod w1.0 is being bound, so `PodFound` is impossible");
    assert!(core.decide(Time(0)).is_empty(), "2 does not fit beside 1");
    core.apply(Event::BindFailed { pod: WorkloadId(1).pod(0) }).unwrap();
    assert_eq!(core.decide(Time(1)).actions.len(), 1);
}

/// A node joins before anybody requests a GPU, and a pod that requests one is found there.
#[test]
fn e1_a_pod_is_found_on_a_node_without_what_it_requests() {
    let mut game = Game::new("root 4/4; a<root 4/4", "4", Policy::default()).unwrap();
    game.row("submit 1 to a: 1,2; find 1").unwrap();
    game.row("node 0 changes: 3; tree root 3/3; a<root 3/3").unwrap();
    let node = &game.core().nodes()[0];
    assert_eq!((node.used.get("gpu"), node.allocatable.get("gpu")), (Some(2000), None));
    assert_eq!((audit(game.core()), game.broken()), (vec![], vec![]));
    assert_eq!(game.row("finish 1; submit 2 to a: 3").unwrap(), "bind 2");
}

#[test]
fn e3_a_pod_is_charged_on_the_node_that_it_is_on() {
    check(
        "root 19/19; a<root 19/19",
        "4 4",
        &[
            ("next bind goes to node 1; submit 1 to a: 3", "bind 1 on node 0"),
            ("submit 2 to a: 4", "bind 2 on node 0"),
            ("submit 3 to a: 1; submit 4 to a: 1", "bind 3 on node 1; pending 4: P1"),
            // It does not fit there, and stays.
            ("finish 2; next bind goes to node 1; submit 5 to a: 2", "bind 4 on node 0; bind 5 on node 0"),
            ("submit 6 to a: 2", "bind 6 on node 0"),
        ],
    );
}

#[test]
fn e3_a_victim_that_is_elsewhere_frees_room_there() {
    let tree = table::tree("root 6/6; a<root 2/6 ns=a; b<root 2/6 ns=b").unwrap();
    let mut core = Scheduler::new(&tree, Policy::default()).unwrap();
    let cpu = |n: i64| Amounts::new().with("cpu", n * 1000);
    for (id, size) in [(0, 2), (1, 4)] {
        core.apply(Event::NodeUp(NodeSpec::new(id, cpu(size)))).unwrap();
    }
    for (id, size) in [(1, 2), (2, 4)] {
        core.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(id, "b", Time(0), cpu(size)))).unwrap();
    }
    assert_eq!(core.decide(Time(0)).actions.len(), 2);
    core.apply(Event::bound(WorkloadId(2).pod(0), Time(0))).unwrap();
    core.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(3, "a", Time(0), cpu(2)))).unwrap();
    // Workload 1 is still being bound, so it goes first, and 3 waits for node 0.
    assert_eq!(core.decide(Time(1)).actions.len(), 2);
    let elsewhere = Some(BoundAt { node: NodeId(1), devices: DeviceSet::default() });
    let unknown = Some(BoundAt { node: NodeId(7), devices: DeviceSet::default() });
    let pod = WorkloadId(1).pod(0);
    let refused = core.apply(Event::PodBound { pod, at: Time(1), elsewhere: unknown });
    assert_eq!(refused, Err(EventError::UnknownNode(NodeId(7))));
    core.apply(Event::PodBound { pod, at: Time(1), elsewhere }).unwrap();
    assert_eq!(audit(&core), []);
    assert_eq!(core.workload(WorkloadId(1)).unwrap().pods[0].node, Some(NodeId(1)));
    core.apply(Event::PodGone { pod, outcome: PodOutcome::Evicted }).unwrap();
    let plan = core.decide(Time(2));
    assert!(matches!(plan.actions[..], [Action::Bind { node: NodeId(0), .. }]), "{:?}", plan.actions);
    assert_eq!(audit(&core), []);
}

#[test]
fn e3_a_log_without_a_place_is_read() {
    let old = r#"{"PodBound":{"pod":{"workload":1,"ordinal":0},"at":7}}"#;
    let event: Event = serde_json::from_str(old).unwrap();
    assert_eq!(event, Event::bound(WorkloadId(1).pod(0), Time(7)));
    assert_eq!(serde_json::to_string(&event).unwrap(), old);
}
