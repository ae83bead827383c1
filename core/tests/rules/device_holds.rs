//! H1 to H3 on devices: which devices a hold reserves, and what ends it.

use crate::devices::{CORE, GPU, MEMORY, given, node, pod};
use quotree_core::{
    Action, Amounts, BlockingReason, DeviceMode, DeviceSet, Event, EventError, NodeId, NodeSpec, Plan, PodOutcome,
    Policy, QuotaSpec, ReleaseReason, Scheduler, Time, TreeSpec, WorkloadChange, WorkloadId, WorkloadSpec, audit,
};

/// A gang holds the free device of node 1 while its victim leaves node 0. When node 1 gets other devices, the hold
/// ends: otherwise its amount would be taken off devices that it never counted on.
#[test]
fn h2_a_hold_ends_when_its_devices_are_replaced() {
    let gpus = |n: i64| Amounts::new().with(GPU, n * 1000);
    let tree: TreeSpec = [
        QuotaSpec::new("root", None).min(gpus(2)).max(gpus(3)),
        QuotaSpec::new("a", Some("root")).min(gpus(2)).namespace("a"),
        QuotaSpec::new("b", Some("root")).namespace("b"),
    ]
    .into_iter()
    .collect();
    let mut core = Scheduler::new(&tree, Policy::default()).unwrap();
    let spec = |id, count| NodeSpec { id: NodeId(id), ..node(DeviceMode::Fraction, &[(GPU, 1000)], count) };
    core.apply(Event::NodeUp(spec(0, 1))).unwrap();
    core.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(0, "b", Time(0), gpus(1)))).unwrap();
    core.decide(Time(0));
    core.apply(Event::NodeUp(spec(1, 1))).unwrap();
    core.apply(Event::WorkloadSubmitted(WorkloadSpec::gang(1, "a", Time(1), gpus(1), 2))).unwrap();
    let plan = core.decide(Time(1));
    assert!(matches!(plan.actions[..], [Action::Evict { .. }, Action::Hold { .. }]), "{plan:?}");
    let impossible = NodeSpec { mode: DeviceMode::Topology { islands: vec![2, 3] }, ..spec(1, 6) };
    assert!(matches!(core.apply(Event::NodeChanged(impossible)), Err(EventError::BadDevices { .. })));
    assert_eq!(core.decide(Time(1)).actions, [], "what is refused ends no hold");
    core.apply(Event::NodeChanged(spec(1, 2))).unwrap();
    let plan = core.decide(Time(2));
    let why = ReleaseReason::NodeLost(NodeId(1));
    assert_eq!(plan.actions.first(), Some(&Action::Release { workload: WorkloadId(1), reason: why }));
    assert_eq!(audit(&core), []);
    core.apply(Event::PodGone { pod: WorkloadId(0).pod(0), outcome: PodOutcome::Evicted }).unwrap();
    core.decide(Time(3));
    assert_eq!(audit(&core), []);
    let free: Vec<_> = core.nodes().into_iter().map(|node| (node.devices_free[0].1.clone(), node.held)).collect();
    assert_eq!(free, [(vec![1000], Amounts::new()), (vec![0, 0], Amounts::new())], "both stand on node 1");
}

/// A hold whose device becomes unhealthy finds its workload another device, or ends.
#[test]
fn h2_a_hold_is_not_bound_to_an_unhealthy_device() {
    let gpus = |n: i64| Amounts::new().with(GPU, n * 1000);
    let tree: TreeSpec = [
        QuotaSpec::new("root", None).min(gpus(2)).max(gpus(2)),
        QuotaSpec::new("a", Some("root")).min(gpus(1)).namespace("a"),
        QuotaSpec::new("b", Some("root")).min(gpus(1)).namespace("b"),
    ]
    .into_iter()
    .collect();
    let mut core = Scheduler::new(&tree, Policy::default()).unwrap();
    let spec = node(DeviceMode::Fraction, &[(GPU, 1000)], 2);
    core.apply(Event::NodeUp(spec.clone())).unwrap();
    for id in 0..2 {
        core.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(id, "b", Time(0), gpus(1)))).unwrap();
    }
    core.decide(Time(0));
    core.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(2, "a", Time(1), gpus(1)))).unwrap();
    let plan = core.decide(Time(1));
    let Some(Action::Evict { pod: victim, .. }) = plan.actions.first() else { panic!("{plan:?}") };
    let devices = core.workload(victim.workload).unwrap().pods[0].devices;
    core.apply(Event::NodeChanged(NodeSpec { unhealthy: devices, ..spec.clone() })).unwrap();
    core.apply(Event::PodGone { pod: *victim, outcome: PodOutcome::Evicted }).unwrap();
    let plan = core.decide(Time(2));
    let why = ReleaseReason::NoLongerFits;
    assert_eq!(plan.actions.first(), Some(&Action::Release { workload: WorkloadId(2), reason: why }));
    assert_eq!(audit(&core), []);
    assert!(matches!(
        core.explain(WorkloadId(2)).unwrap().binding,
        BlockingReason::Room(_) | BlockingReason::Ceiling { .. }
    ));
}

/// A tree in which `a` is guaranteed everything and `b` borrows it.
fn lent(node: NodeSpec) -> Scheduler {
    let all = node.allocatable.clone();
    let tree: TreeSpec = [
        QuotaSpec::new("root", None).min(all.clone()),
        QuotaSpec::new("a", Some("root")).min(all).namespace("a"),
        QuotaSpec::new("b", Some("root")).namespace("b"),
    ]
    .into_iter()
    .collect();
    let mut core = Scheduler::new(&tree, Policy::default()).unwrap();
    core.apply(Event::NodeUp(node)).unwrap();
    core
}

fn submit(core: &mut Scheduler, namespace: &str, pod: WorkloadSpec) -> Plan {
    let at = pod.submitted;
    core.apply(Event::WorkloadSubmitted(WorkloadSpec { namespace: namespace.into(), ..pod })).unwrap();
    core.decide(at)
}

fn gone(core: &mut Scheduler, id: u32) -> Plan {
    core.apply(Event::PodGone { pod: WorkloadId(id).pod(0), outcome: PodOutcome::Evicted }).unwrap();
    core.decide(Time(99))
}

#[test]
fn h1_a_hold_reserves_the_second_resource_of_a_device_too() {
    let mut core = lent(node(DeviceMode::Share, &[(MEMORY, 16_000), (CORE, 100_000)], 2));
    assert_eq!(given(&submit(&mut core, "b", pod(0, &[(MEMORY, 1000), (CORE, 80_000)], None)), 0), Some(vec![0]));
    for id in [1, 2] {
        let plan = submit(&mut core, "b", pod(id, &[(MEMORY, 1000), (CORE, 40_000)], None));
        assert_eq!(given(&plan, id), Some(vec![1]));
    }
    core.apply(Event::WorkloadChanged(WorkloadChange { priority: Some(9), ..WorkloadChange::of(WorkloadId(0)) }))
        .unwrap();
    let plan = submit(&mut core, "a", pod(3, &[(MEMORY, 2000), (CORE, 80_000)], None));
    assert_eq!(plan.actions.len(), 3, "both go, and it holds what they free: {plan:?}");
    gone(&mut core, 1);
    let plan = submit(&mut core, "b", pod(4, &[(MEMORY, 1000), (CORE, 30_000)], None));
    assert_eq!(given(&plan, 4), None, "20 per cent are free on either");
    assert_eq!(given(&gone(&mut core, 2), 3), Some(vec![1]));
    assert_eq!(audit(&core), []);
}

#[test]
fn h3_a_holder_is_bound_to_the_device_that_was_freed_for_it() {
    let mut core = lent(node(DeviceMode::Exclusive, &[(GPU, 1000)], 2));
    for id in [0, 1] {
        assert_eq!(given(&submit(&mut core, "b", pod(id, &[(GPU, 1000)], None)), id), Some(vec![id]));
    }
    assert_eq!(submit(&mut core, "a", pod(2, &[(GPU, 1000)], None)).actions.len(), 2);
    // The first device comes free in the meantime, for others.
    gone(&mut core, 0);
    assert_eq!(given(&gone(&mut core, 1), 2), Some(vec![1]));
}

#[test]
fn h1_a_hold_on_a_device_that_becomes_unhealthy_counts_once() {
    // The gang holds device 0, which is free, and 1, which is being freed; 0 becomes unhealthy, and 2 comes free.
    let mut core = lent(node(DeviceMode::Exclusive, &[(GPU, 1000)], 3));
    for id in [0, 1, 2] {
        assert_eq!(given(&submit(&mut core, "b", pod(id, &[(GPU, 1000)], None)), id), Some(vec![id]));
    }
    for id in [1, 2] {
        let change = WorkloadChange { priority: Some(9), ..WorkloadChange::of(WorkloadId(id)) };
        core.apply(Event::WorkloadChanged(change)).unwrap();
    }
    gone(&mut core, 0);
    let gpu = Amounts::new().with(GPU, 1000);
    let plan = submit(&mut core, "a", WorkloadSpec::gang(3, "a", Time(3), gpu, 2));
    assert!(matches!(plan.actions[..], [Action::Evict { .. }, Action::Hold { .. }]), "{plan:?}");
    let left = plan.actions.iter().find_map(|action| match action {
        Action::Evict { pod, .. } => Some(pod.workload.0),
        _ => None,
    });
    let mut spec = node(DeviceMode::Exclusive, &[(GPU, 1000)], 3);
    spec.unhealthy = DeviceSet(1);
    core.apply(Event::NodeChanged(spec)).unwrap();
    core.decide(Time(4));
    let other = if left == Some(1) { 2 } else { 1 };
    gone(&mut core, other);
    assert_eq!(given(&submit(&mut core, "b", pod(5, &[(GPU, 1000)], None)), 5), Some(vec![other]));
    assert_eq!(audit(&core), []);
}
