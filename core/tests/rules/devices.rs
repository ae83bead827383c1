//! P1 on devices: how nodes assign them by mode, which ones a pod gets, and what happens when devices are unhealthy.

use quotree_core::{
    Action, Amounts, BlockingReason, DeviceAsk, DeviceChoice, DeviceMode, DeviceSet, DeviceSpec, Event, EventError,
    NodeId, NodeSpec, Plan, PodOutcome, PodTemplate, Policy, QuotaSpec, Scheduler, Time, TreeSpec, WorkloadId,
    WorkloadSpec, audit,
};
use std::sync::Arc;

pub(super) const GPU: &str = "nvidia.com/gpu";
pub(super) const MEMORY: &str = "aliyun.com/gpu-mem";
pub(super) const CORE: &str = "aliyun.com/gpu-core.percentage";

/// A cluster of one node, and a team that may use all of it.
pub(super) fn alone(node: NodeSpec) -> Scheduler {
    let tree: TreeSpec =
        [QuotaSpec::new("root", None), QuotaSpec::new("team", Some("root")).namespace("team")].into_iter().collect();
    let mut core = Scheduler::new(&tree, Policy::default()).unwrap();
    core.apply(Event::NodeUp(node)).unwrap();
    core
}

pub(super) fn node(mode: DeviceMode, devices: &[(&str, i64)], count: u32) -> NodeSpec {
    let mut node = NodeSpec::new(0, Amounts::new().with("cpu", 64_000));
    for (resource, each) in devices {
        node.allocatable.set(*resource, each * i64::from(count));
        node.devices.push(DeviceSpec { resource: (*resource).into(), count, each: *each });
    }
    NodeSpec { mode, ..node }
}

pub(super) fn pod(id: u32, request: &[(&str, i64)], on: Option<(&str, u32)>) -> WorkloadSpec {
    let request: Amounts = request.iter().copied().collect();
    let devices = on.map(|(resource, count)| {
        let each = request.get(resource).unwrap() / i64::from(count);
        DeviceAsk { resource: resource.into(), count, each }
    });
    let mut spec = WorkloadSpec::pod(id, "team", Time(u64::from(id)), Amounts::new());
    spec.pods[0].template = Arc::new(PodTemplate { request, devices, ..PodTemplate::default() });
    spec
}

/// The devices that the plan assigns to the first pod of a workload.
pub(super) fn given(plan: &Plan, id: u32) -> Option<Vec<u32>> {
    plan.actions.iter().find_map(|action| match action {
        Action::Bind { pod, devices, .. } if pod.workload == WorkloadId(id) => Some(devices.iter().collect()),
        _ => None,
    })
}

/// A request, the number of devices that a pod spreads it over, and the devices it must get; `None` if it must stay
/// pending.
type Row<'a> = (&'a [(&'a str, i64)], Option<(&'a str, u32)>, Option<&'a [u32]>);

/// How many whole devices each pod requests, and which it must get; none if it must stay pending.
type Pods<'a> = &'a [(i64, &'a [u32])];

/// Submits pods one after the other and compares the devices each gets.
fn play(node: NodeSpec, rows: &[Row<'_>]) -> Scheduler {
    let mut core = alone(node);
    for (id, (request, on, wanted)) in (0u32..).zip(rows) {
        core.apply(Event::WorkloadSubmitted(pod(id, request, *on))).unwrap();
        let plan = core.decide(Time(u64::from(id)));
        assert_eq!(given(&plan, id).as_deref(), *wanted, "row {id}: {request:?}\n{plan:?}");
        assert_eq!(audit(&core), []);
    }
    core
}

#[test]
fn p1_exclusive_devices_are_assigned_whole() {
    play(
        node(DeviceMode::Exclusive, &[(GPU, 1000)], 4),
        &[
            (&[(GPU, 500)], None, None),
            (&[(GPU, 1500)], None, None),
            (&[(GPU, 1000)], Some((GPU, 2)), None),
            (&[(GPU, 2000)], None, Some(&[0, 1])),
            (&[(GPU, 2000)], Some((GPU, 2)), Some(&[2, 3])),
            (&[(GPU, 1000)], None, None),
        ],
    );
}

/// Two devices of 16 GiB. 20 GiB are free in sum, but not on one device; spread over two devices they are 10 each.
#[test]
fn p1_shared_memory_must_fit_one_device_or_is_split_evenly() {
    play(
        node(DeviceMode::Share, &[(MEMORY, 16_000)], 2),
        &[
            (&[(MEMORY, 20_000)], None, None),
            (&[(MEMORY, 32_000)], None, None),
            (&[(MEMORY, 20_000)], Some((MEMORY, 2)), Some(&[0, 1])),
            (&[(MEMORY, 6000)], None, Some(&[0])),
            (&[(MEMORY, 4000)], None, Some(&[1])),
            (&[(MEMORY, 3000)], None, None),
            (&[(MEMORY, 2000)], None, Some(&[1])),
        ],
    );
}

/// By best fit the second pod joins the first; by spread it gets the emptiest device, the lowest index among equals.
#[test]
fn p1_spread_assigns_the_emptiest_device() {
    let rows = |wanted: [&'static [u32]; 4]| wanted.map(|wanted| (&[(MEMORY, 4000)][..], None, Some(wanted)));
    let shared = || node(DeviceMode::Share, &[(MEMORY, 16_000)], 3);
    play(shared(), &rows([&[0], &[0], &[0], &[0]]));
    let spread = NodeSpec { choice: DeviceChoice::Spread, ..shared() };
    play(spread, &rows([&[0], &[1], &[2], &[0]]));
}

/// Memory and cores must come from the same device: device 0 has 10 GiB but 20 per cent left, device 1 has 30 per cent,
/// but 2 GiB.
#[test]
fn p1_memory_and_cores_come_from_the_same_device() {
    let mut core = play(
        node(DeviceMode::Share, &[(MEMORY, 16_000), (CORE, 100_000)], 2),
        &[
            (&[(MEMORY, 6000), (CORE, 80_000)], None, Some(&[0])),
            (&[(MEMORY, 14_000), (CORE, 70_000)], None, Some(&[1])),
            (&[(MEMORY, 4000), (CORE, 30_000)], None, None),
            (&[(MEMORY, 4000), (CORE, 20_000)], None, Some(&[0])),
            (&[(CORE, 30_000)], None, Some(&[1])),
            (&[(MEMORY, 2000)], None, Some(&[1])),
            (&[(CORE, 10_000)], None, None),
        ],
    );
    // The sums are enough (10 GiB and 30 per cent, before row 3), but no single device has the cores.
    let last = core.explain(WorkloadId(6)).unwrap();
    assert_eq!(
        last.binding.amounts().map(|(name, n, a)| (name.as_str().to_owned(), n, a)),
        Some((CORE.into(), 10_000, 0))
    );
    core.apply(Event::WorkloadWithdrawn { workload: WorkloadId(4) }).unwrap();
    let plan = core.decide(Time(9));
    assert_eq!((given(&plan, 2), given(&plan, 6)), (None, Some(vec![1])));
}

/// Over two devices both resources are split: 20 GiB and 60 per cent are 10 GiB and 30 per cent on each. An amount that
/// does not divide by the number of devices does not fit.
#[test]
fn p1_both_resources_are_split_over_the_same_devices() {
    play(
        node(DeviceMode::Share, &[(MEMORY, 16_000), (CORE, 100_000)], 3),
        &[
            (&[(MEMORY, 20_000), (CORE, 60_000)], Some((MEMORY, 2)), Some(&[0, 1])),
            (&[(MEMORY, 12_000), (CORE, 140_001)], Some((MEMORY, 2)), None),
            (&[(MEMORY, 12_000), (CORE, 140_000)], Some((CORE, 2)), Some(&[0, 1])),
            (&[(MEMORY, 2000), (CORE, 2000)], Some((CORE, 2)), None),
        ],
    );
}

/// Eight devices in islands of two and four. One whole device comes from the smallest island with the fewest free; a
/// pair from an island of two; three from one of four; six are a whole island of four and a pair of the other.
#[test]
fn p1_topology_assigns_close_devices() {
    let islands = |islands: &[u32]| node(DeviceMode::Topology { islands: islands.to_vec() }, &[(GPU, 1000)], 8);
    let gpus = |n: i64, wanted: &'static [u32]| (n, wanted);
    let table: &[(&[u32], Pods<'_>)] = &[
        (&[2, 4], &[gpus(1, &[0]), gpus(2, &[2, 3]), gpus(3, &[4, 5, 6]), gpus(1, &[1]), gpus(1, &[7])]),
        (&[2, 4], &[gpus(1, &[0]), gpus(4, &[4, 5, 6, 7]), gpus(2, &[2, 3]), gpus(1, &[1])]),
        // Two of one island of two are closer than two of a half-free island of four.
        (&[2, 4], &[gpus(3, &[0, 1, 2]), gpus(1, &[3]), gpus(6, &[])]),
        (&[4], &[gpus(1, &[0]), gpus(5, &[1, 4, 5, 6, 7]), gpus(2, &[2, 3])]),
        (&[2], &[gpus(1, &[0]), gpus(3, &[1, 2, 3]), gpus(4, &[4, 5, 6, 7])]),
        (&[], &[gpus(3, &[0, 1, 2]), gpus(5, &[3, 4, 5, 6, 7])]),
    ];
    for (sizes, pods) in table {
        let requests: Vec<[(&str, i64); 1]> = pods.iter().map(|(n, _)| [(GPU, n * 1000)]).collect();
        let wanted = pods.iter().map(|(_, wanted)| Some(*wanted).filter(|w| !w.is_empty()));
        let rows: Vec<Row<'_>> = requests.iter().zip(wanted).map(|(r, wanted)| (&r[..], None, wanted)).collect();
        play(islands(sizes), &rows);
    }
}

#[test]
fn p1_islands_must_nest() {
    for sizes in [&[1][..], &[2, 3], &[4, 2], &[2, 2], &[0]] {
        let spec = node(DeviceMode::Topology { islands: sizes.to_vec() }, &[(GPU, 1000)], 8);
        let mut core = alone(NodeSpec::new(7, Amounts::new()));
        assert!(matches!(core.apply(Event::NodeUp(spec)), Err(EventError::BadDevices { .. })), "{sizes:?}");
        assert_eq!(core.nodes().len(), 1);
    }
}

/// Devices have memory and cores at once only if they are shared.
#[test]
fn p1_only_shared_devices_hold_two_resources() {
    let both = [(MEMORY, 16_000), (CORE, 100_000)];
    for mode in [DeviceMode::Fraction, DeviceMode::Exclusive] {
        let mut core = alone(NodeSpec::new(7, Amounts::new()));
        assert!(matches!(core.apply(Event::NodeUp(node(mode, &both, 2))), Err(EventError::BadDevices { .. })));
    }
}

/// An unhealthy device takes no new pods, and its pod goes on; what it has free counts for nobody.
#[test]
fn p1_unhealthy_devices_take_no_new_pods() {
    let spec = node(DeviceMode::Fraction, &[(GPU, 1000)], 2);
    let mut core = alone(spec.clone());
    core.apply(Event::WorkloadSubmitted(pod(0, &[(GPU, 400)], None))).unwrap();
    assert_eq!(given(&core.decide(Time(0)), 0), Some(vec![0]));
    core.apply(Event::NodeChanged(NodeSpec { unhealthy: DeviceSet(0b01), ..spec.clone() })).unwrap();
    assert_eq!((audit(&core), core.nodes()[0].held.get(GPU)), (Vec::new(), None));
    core.apply(Event::WorkloadSubmitted(pod(1, &[(GPU, 500)], None))).unwrap();
    assert_eq!(given(&core.decide(Time(1)), 1), Some(vec![1]), "device 0 would be fuller");
    core.apply(Event::WorkloadSubmitted(pod(2, &[(GPU, 600)], None))).unwrap();
    assert_eq!(given(&core.decide(Time(2)), 2), None);
    let verdict = core.explain(WorkloadId(2)).unwrap();
    assert_eq!(
        verdict.binding.amounts().map(|(_, n, a)| (n, a)),
        Some((600, 500)),
        "what is free on device 0 is nobody's"
    );
    core.apply(Event::PodGone { pod: WorkloadId(0).pod(0), outcome: PodOutcome::Succeeded }).unwrap();
    assert_eq!(given(&core.decide(Time(3)), 2), None);
    assert_eq!(audit(&core), []);
    core.apply(Event::NodeChanged(spec)).unwrap();
    assert_eq!(given(&core.decide(Time(4)), 2), Some(vec![0]));
    assert_eq!(audit(&core), []);
}

/// What a verdict says is missing if the sums are enough: the most that one device has, or how many devices have their
/// part.
#[test]
fn x1_a_verdict_says_what_the_best_single_device_has() {
    let parts = node(DeviceMode::Fraction, &[(GPU, 1000)], 4);
    let three = node(DeviceMode::Fraction, &[(GPU, 1000)], 3);
    let both = node(DeviceMode::Share, &[(MEMORY, 16_000), (CORE, 100_000)], 2);
    let whole = node(DeviceMode::Exclusive, &[(GPU, 1000)], 4);
    let told = |node: &NodeSpec, stand: &[&[(&str, i64)]], ask: &[(&str, i64)], on| {
        let mut core = alone(node.clone());
        for (id, request) in (0u32..).zip(stand) {
            core.apply(Event::WorkloadSubmitted(pod(id, request, None))).unwrap();
            assert!(given(&core.decide(Time(u64::from(id))), id).is_some(), "{request:?} stands");
        }
        core.apply(Event::WorkloadSubmitted(pod(9, ask, on))).unwrap();
        assert_eq!(given(&core.decide(Time(9)), 9), None);
        let verdict = core.explain(WorkloadId(9)).unwrap();
        let room = if let BlockingReason::Room(room) = &verdict.binding { Some(room) } else { None }.unwrap();
        assert_eq!((room.nodes.fragmented, room.closest[0].lacks, verdict.helps.len()), (1, 1, 0), "{verdict:?}");
        verdict.binding.amounts().map(|(name, needed, available)| (name.to_string(), needed, available)).unwrap()
    };
    let is = |name: &str, needed, available| (name.to_owned(), needed, available);
    let three_fifths: &[(&str, i64)] = &[(GPU, 600)];
    assert_eq!(told(&parts, &[three_fifths; 4], &[(GPU, 700)], None), is(GPU, 700, 400), "400 are free on each");
    assert_eq!(told(&parts, &[three_fifths; 3], &[(GPU, 2000)], None), is(GPU, 2000, 1000), "one is free whole");
    assert_eq!(told(&whole, &[], &[(GPU, 500)], None), is(GPU, 500, 0), "they are given whole");
    // What is free on an unhealthy device counts for nobody.
    let ill = NodeSpec { unhealthy: DeviceSet(0b001), ..three };
    assert_eq!(told(&ill, &[&[(GPU, 500)], &[(GPU, 600)]], &[(GPU, 700)], None), is(GPU, 700, 500));
    // Both devices have the memory, neither the cores.
    let cores: &[(&str, i64)] = &[(MEMORY, 8000), (CORE, 80_000)];
    assert_eq!(told(&both, &[cores; 2], &[(MEMORY, 8000), (CORE, 30_000)], None), is(CORE, 30_000, 20_000));
    // One device has the memory, the other the cores.
    let apart: [&[(&str, i64)]; 2] = [&[(MEMORY, 12_000), (CORE, 10_000)], &[(MEMORY, 6000), (CORE, 90_000)]];
    assert_eq!(told(&both, &apart, &[(MEMORY, 8000), (CORE, 50_000)], None), is(MEMORY, 8000, 0));
    // More than one device has at all, and an amount that does not divide evenly.
    assert_eq!(told(&both, &[], &[(MEMORY, 8000), (CORE, 150_000)], None), is(CORE, 150_000, 0));
    let uneven: &[(&str, i64)] = &[(MEMORY, 8000), (CORE, 30_001)];
    assert_eq!(told(&both, &[], uneven, Some((MEMORY, 2))), is(CORE, 30_001, 0));
}

/// A node may get other devices only while no pod uses any; pods without devices stay.
#[test]
fn devices_in_use_do_not_change() {
    let old = node(DeviceMode::Exclusive, &[(GPU, 1000)], 2);
    let new = node(DeviceMode::Share, &[(MEMORY, 16_000)], 2);
    let mut core = alone(old.clone());
    core.apply(Event::WorkloadSubmitted(pod(0, &[(GPU, 1000)], None))).unwrap();
    core.apply(Event::WorkloadSubmitted(pod(1, &[("cpu", 1000)], None))).unwrap();
    core.decide(Time(0));
    let pods = vec![WorkloadId(0).pod(0)];
    assert_eq!(core.apply(Event::NodeChanged(new.clone())), Err(EventError::DevicesInUse { node: NodeId(0), pods }));
    assert_eq!(core.node_spec(NodeId(0)), Some(&old), "nothing is half-applied");
    let fraction = NodeSpec { mode: DeviceMode::Fraction, ..old };
    assert!(matches!(core.apply(Event::NodeChanged(fraction)), Err(EventError::DevicesInUse { .. })));
    core.apply(Event::PodGone { pod: WorkloadId(0).pod(0), outcome: PodOutcome::Succeeded }).unwrap();
    core.apply(Event::NodeChanged(new)).unwrap();
    core.apply(Event::WorkloadSubmitted(pod(2, &[(MEMORY, 8000)], None))).unwrap();
    core.apply(Event::WorkloadSubmitted(pod(3, &[(GPU, 1000)], None))).unwrap();
    let plan = core.decide(Time(1));
    assert_eq!((given(&plan, 2), given(&plan, 3)), (Some(vec![0]), None));
    assert_eq!(audit(&core), []);
}

#[test]
fn p1_devices_of_a_node_add_up() {
    let whole = || node(DeviceMode::Exclusive, &[(GPU, 1000)], 64);
    alone(whole());
    let refused = |change: &dyn Fn(&mut NodeSpec)| {
        let mut spec = NodeSpec { id: NodeId(1), ..whole() };
        change(&mut spec);
        let told = alone(node(DeviceMode::Exclusive, &[], 0)).apply(Event::NodeUp(spec));
        assert!(matches!(told, Err(EventError::BadDevices { .. })), "{told:?}");
    };
    refused(&|spec| {
        spec.allocatable.set(GPU, 65_000);
        spec.devices[0].count = 65;
    });
    refused(&|spec| {
        spec.allocatable.set(GPU, 0);
        spec.devices[0].each = 0;
    });
    refused(&|spec| spec.allocatable.set(GPU, 63_000));
    refused(&|spec| {
        spec.allocatable = Amounts::new();
        spec.devices[0].each = i64::MAX;
    });
}

/// Which of the two resources a pod spreads over devices makes no difference.
#[test]
fn p1_the_first_resource_is_spread_as_the_second_is_asked() {
    play(
        node(DeviceMode::Share, &[(MEMORY, 16_000), (CORE, 100_000)], 2),
        &[
            (&[(MEMORY, 20_000), (CORE, 60_000)], Some((CORE, 2)), Some(&[0, 1])),
            (&[(MEMORY, 7000), (CORE, 1000)], None, None),
            (&[(MEMORY, 6000), (CORE, 71_000)], None, None),
            (&[(MEMORY, 6000), (CORE, 70_000)], None, Some(&[0])),
        ],
    );
}
