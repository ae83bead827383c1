//! P1 and P2: on which nodes a pod fits, and which of them it gets.

use crate::check;
use quotree_core::{
    Amounts, DeviceSet, Event, NodeId, NodeSpec, Placement, PodTemplate, Policy, Scheduler, Time, TypicalPod,
    WorkloadId, WorkloadSpec,
};
use quotree_testkit::table::{self, Game};

const ROOM: &str = "root 99,99/99,99; a<root 99,99/99,99";

#[test]
fn p1_room_taints_selectors_and_cordons() {
    check(
        ROOM,
        "4:!gpu,zone=a 2:zone=b",
        &[
            ("submit 1 to a: 3", "pending 1: P1"),
            ("submit 2 to a: 3 tolerates gpu", "bind 2 on node 0; pending 1: P1"),
            ("submit 3 to a: 1 on zone=b", "bind 3 on node 1; pending 1: P1"),
            ("submit 4 to a: 1 on zone=c", "pending 1: P1, 4: P1"),
            ("submit 5 to a: 1 on zone=a", "pending 1: P1, 4: P1, 5: P1"),
            ("withdraw 1; withdraw 4; withdraw 5", "nothing"),
            ("cordon node 1", "nothing"),
            ("submit 6 to a: 1", "pending 6: P1"),
            ("node 2 up: 1", "bind 6 on node 2"),
        ],
    );
}

#[test]
fn p1_a_fraction_must_fit_one_device() {
    check(
        ROOM,
        "8,2:dev",
        &[
            ("submit 1 to a: 1,0.6", "bind 1"),
            ("submit 2 to a: 1,0.6", "bind 2"),
            ("submit 3 to a: 1,0.6", "pending 3: P1"),
            ("submit 4 to a: 1,0.4", "bind 4; pending 3: P1"),
            ("submit 5 to a: 1,0.4", "bind 5; pending 3: P1"),
            ("finish 1", "bind 3"),
        ],
    );
}

#[test]
fn p1_whole_devices_must_be_whole() {
    check(
        ROOM,
        "8,2:dev 8,2:dev",
        &[
            ("submit 1 to a: 1,0.5", "bind 1 on node 0"),
            ("submit 2 to a: 1,2", "bind 2 on node 1"),
            ("submit 3 to a: 1,2", "pending 3: P1"),
            ("submit 4 to a: 1,1", "bind 4 on node 0; pending 3: P1"),
            ("finish 2", "bind 3 on node 1"),
        ],
    );
}

#[test]
fn p2_best_fit_leaves_the_least() {
    check(
        ROOM,
        "4 8 6",
        &[
            ("submit 1 to a: 2", "bind 1 on node 0"),
            ("submit 2 to a: 3", "bind 2 on node 2"),
            ("submit 3 to a: 3", "bind 3 on node 2"),
            ("submit 4 to a: 3", "bind 4 on node 1"),
            ("submit 5 to a: 2", "bind 5 on node 0"),
        ],
    );
}

#[test]
fn p2_binpack_and_spread_go_by_the_share_in_use() {
    let by = |placement| Policy { placement, ..Policy::default() };
    table::check(
        ROOM,
        "10 4",
        by(Placement::Spread),
        &[
            ("submit 1 to a: 1", "bind 1 on node 0"),
            ("submit 2 to a: 1", "bind 2 on node 1"),
            ("submit 3 to a: 1", "bind 3 on node 0"),
            ("submit 4 to a: 1", "bind 4 on node 0"),
            ("submit 5 to a: 1", "bind 5 on node 1"),
        ],
    );
    table::check(
        ROOM,
        "10 4",
        by(Placement::Binpack),
        &[
            ("submit 1 to a: 9", "bind 1 on node 0"),
            ("submit 2 to a: 1", "bind 2 on node 0"),
            ("submit 3 to a: 1", "bind 3 on node 1"),
        ],
    );
}

#[test]
fn p2_dot_product_prefers_nodes_where_the_request_is_scarce() {
    let policy = Policy { placement: Placement::DotProduct, ..Policy::default() };
    table::check(
        ROOM,
        "10 5",
        policy.clone(),
        &[
            ("submit 1 to a: 3", "bind 1 on node 1"),
            ("submit 2 to a: 1", "bind 2 on node 1"),
            ("submit 3 to a: 9", "bind 3 on node 0"),
        ],
    );
    // 1 of 50 is requested, with 50 and with 49 free: both score 98 points of 100, rounded down.
    table::check(ROOM, "50 49", policy.clone(), &[("submit 1 to a: 1", "bind 1 on node 0")]);
    table::check(ROOM, "50 25", policy, &[("submit 1 to a: 1", "bind 1 on node 1")]);
}

#[test]
fn p2_gpu_packing_fills_devices_then_nodes() {
    let policy = Policy { placement: Placement::GpuPacking, ..Policy::default() };
    table::check(
        ROOM,
        "9,4:dev 9,2:dev",
        policy,
        &[
            // All devices of both nodes are whole: 29 against 31 points.
            ("submit 1 to a: 1,0.5", "bind 1 on node 1"),
            // First the device in use, then a whole one on a node in use, then an empty node.
            ("submit 2 to a: 1,0.4", "bind 2 on node 1"),
            ("submit 3 to a: 1,1", "bind 3 on node 1"),
            ("submit 4 to a: 1,1", "bind 4 on node 0"),
            // Without devices all nodes are equal.
            ("submit 5 to a: 1", "bind 5 on node 0"),
        ],
    );
}

#[test]
fn p2_least_gpus_fills_small_nodes_first() {
    let policy = Policy { placement: Placement::LeastGpus, ..Policy::default() };
    table::check(
        ROOM,
        "9,4:dev 9,2:dev 9",
        policy,
        &[
            // A pod without GPUs leaves the nodes with GPUs alone.
            ("submit 1 to a: 2", "bind 1 on node 2"),
            ("submit 2 to a: 1,1", "bind 2 on node 1"),
            ("submit 3 to a: 1,0.5", "bind 3 on node 1"),
            // Both GPUs of the small node are in use.
            ("submit 4 to a: 1,1", "bind 4 on node 0"),
            ("submit 5 to a: 1,0.5", "bind 5 on node 1"),
        ],
    );
}

#[test]
fn p2_gpu_clustering_keeps_kinds_apart() {
    let policy = Policy { placement: Placement::GpuClustering, ..Policy::default() };
    table::check(
        ROOM,
        "9,4:dev 9,4:dev 9,4:dev",
        policy,
        &[
            ("submit 1 to a: 1,0.5", "bind 1 on node 0"),
            ("submit 2 to a: 1,1", "bind 2 on node 1"),
            ("submit 3 to a: 1,2", "bind 3 on node 2"),
            ("submit 4 to a: 1,1", "bind 4 on node 1"),
            ("submit 5 to a: 1,0.3", "bind 5 on node 0"),
            ("finish 1; finish 5", "nothing"),
            // Node 0 is empty again, and an empty node comes before one with other kinds.
            ("submit 6 to a: 1,2", "bind 6 on node 2"),
            ("submit 7 to a: 1,2", "bind 7 on node 0"),
        ],
    );
}

#[test]
fn p2_fgd_keeps_devices_usable_for_the_typical_pods() {
    let shape = |cpu: i64, gpu: i64| {
        let request = Amounts::new().with("cpu", cpu * 1000).with("gpu", gpu * 1000);
        PodTemplate { request, ..PodTemplate::default() }
    };
    let typical = |shapes: &[(i64, i64, u32)]| {
        let pods = shapes.iter().map(|(cpu, gpu, weight)| TypicalPod { template: shape(*cpu, *gpu), weight: *weight });
        Policy { placement: Placement::Fgd, typical: pods.collect(), ..Policy::default() }
    };
    // Typical pods need 4 cpu with each device: a pod of 5 would leave the first node too few, a pod of 1 leaves both
    // enough.
    table::check(
        ROOM,
        "8,2:dev 16,2:dev",
        typical(&[(4, 1, 1)]),
        &[("submit 1 to a: 5", "bind 1 on node 1"), ("submit 2 to a: 1", "bind 2 on node 0")],
    );
    // Typical pods need two devices at once: one is taken where that breaks no pair.
    table::check(ROOM, "9,2:dev 9,3:dev", typical(&[(0, 2, 1)]), &[("submit 1 to a: 1,1", "bind 1 on node 1")]);
    // Typical pods need one device: then all nodes are equal.
    table::check(ROOM, "9,2:dev 9,3:dev", typical(&[(0, 1, 1)]), &[("submit 1 to a: 1,1", "bind 1 on node 0")]);
    // Without typical pods all nodes are equal.
    table::check(ROOM, "9,2:dev 9,3:dev", typical(&[]), &[("submit 1 to a: 1,1", "bind 1 on node 0")]);
}

#[test]
fn p2_random_draws_the_device_of_a_part_too() {
    let devices = |seed| {
        let policy = Policy { placement: Placement::Random { seed }, ..Policy::default() };
        let mut game = Game::new(ROOM, "9,8:dev", policy).unwrap();
        game.row("submit 1 to a: 1,0.5").unwrap();
        game.core().workload(WorkloadId(1)).unwrap().pods[0].devices
    };
    assert_eq!(devices(1), devices(1));
    assert!((2..9).any(|seed| devices(seed) != devices(1)));
}

#[test]
fn p2_ties_go_to_the_lowest_node() {
    for placement in [
        Placement::BestFit,
        Placement::Binpack,
        Placement::Spread,
        Placement::DotProduct,
        Placement::GpuPacking,
        Placement::GpuClustering,
        Placement::Fgd,
        Placement::LeastGpus,
    ] {
        let policy = Policy { placement, ..Policy::default() };
        table::check(
            ROOM,
            "4 4 4",
            policy,
            &[
                ("submit 1 to a: 4", "bind 1 on node 0"),
                ("submit 2 to a: 4", "bind 2 on node 1"),
                ("submit 3 to a: 4", "bind 3 on node 2"),
            ],
        );
    }
}

#[test]
fn p2_random_is_the_same_for_the_same_seed_and_differs_between_seeds() {
    let places = |seed| {
        let policy = Policy { placement: Placement::Random { seed }, ..Policy::default() };
        let mut game = Game::new(ROOM, "4 4 4 4 4 4 4 4", policy).unwrap();
        let rows = (1..9).map(|id| game.row(&format!("submit {id} to a: 1")).unwrap());
        rows.collect::<Vec<_>>()
    };
    assert_eq!(places(1), places(1));
    assert!((2..9).any(|seed| places(seed) != places(1)));
}

#[test]
fn p2_random_draws_for_each_pod_anew() {
    // The nodes are equally empty each time, and only the pod differs.
    let place = |row: String| {
        let policy = Policy { placement: Placement::Random { seed: 1 }, ..Policy::default() };
        Game::new(ROOM, "4 4 4 4 4 4 4 4", policy).unwrap().row(&row).unwrap()
    };
    let nodes = (1..9).map(|id| place(format!("submit {id} to a: 1")).split_once(" on node ").unwrap().1.to_owned());
    let nodes: std::collections::BTreeSet<String> = nodes.collect();
    assert!(nodes.len() > 2, "{nodes:?}");
}

#[test]
fn p2_fullness_is_the_mean_over_what_a_node_has() {
    // 2 of 4 cpus used are half; 3 of 4 cpus used and no gpu are three eighths.
    let policy = Policy { placement: Placement::Binpack, ..Policy::default() };
    let mut core = Scheduler::new(&table::tree("a 99/99 ns=a").unwrap(), policy).unwrap();
    let place = |core: &mut Scheduler, id: u32, cpu: i64| {
        let pod = WorkloadSpec::pod(id, "a", Time(0), Amounts::new().with("cpu", cpu));
        core.apply(Event::WorkloadSubmitted(pod)).unwrap();
        core.decide(Time(0));
        core.workload(WorkloadId(id)).unwrap().pods[0].node
    };
    core.apply(Event::NodeUp(NodeSpec::new(0, Amounts::new().with("cpu", 4000)))).unwrap();
    assert_eq!(place(&mut core, 1, 2000), Some(NodeId(0)));
    core.apply(Event::NodeUp(NodeSpec::new(1, Amounts::new().with("cpu", 4000).with("x.com/gpu", 4000)))).unwrap();
    assert_eq!(place(&mut core, 2, 3000), Some(NodeId(1)));
    assert_eq!(place(&mut core, 3, 1000), Some(NodeId(0)));
}

#[test]
fn p2_random_draws_never_change_so_that_old_logs_replay() {
    let policy = Policy { placement: Placement::Random { seed: 1 }, ..Policy::default() };
    let mut game = Game::new(ROOM, "9,8:dev", policy).unwrap();
    let rows = ["submit 1 to a: 1,0.6", "submit 2 to a: 1,0.6", "submit 3 to a: 1,0.6", "submit 4 to a: 1,0.6"];
    let drawn: Vec<u32> = (1..)
        .zip(rows)
        .map(|(id, row)| {
            game.row(row).unwrap();
            game.core().workload(WorkloadId(id)).unwrap().pods[0].devices.iter().next().unwrap()
        })
        .collect();
    assert_eq!(drawn, [1, 2, 0, 3], "each on a device of its own");
}

#[test]
fn p2_fgd_gives_a_gang_of_one_rack_the_devices_it_gives_others() {
    // Beside each typical pod of 0.4, another fits if the pod takes from the emptier device.
    let shape = PodTemplate { request: Amounts::new().with("gpu", 400), ..PodTemplate::default() };
    let typical = vec![TypicalPod { template: shape, weight: 1 }];
    let policy = || Policy { placement: Placement::Fgd, typical: typical.clone(), ..Policy::default() };
    for last in ["submit 3 to a: 1,0.3", "submit 3 to a: 1,0.3 x2 min 1 in one node"] {
        let mut game = Game::new(ROOM, "9,2:dev", policy()).unwrap();
        for row in ["submit 1 to a: 1,0.6", "submit 2 to a: 1,0.8", "finish 2", "submit 2 to a: 1,0.3", last] {
            game.row(row).unwrap();
        }
        let on = |id: u32| game.core().workload(WorkloadId(id)).unwrap().pods[0].devices;
        assert_eq!([1, 2, 3].map(on), [DeviceSet(1), DeviceSet(2), DeviceSet(2)], "{last}");
    }
}

#[test]
fn p1_a_node_may_have_none_of_a_resource() {
    check(ROOM, "4,0", &[("submit 1 to a: 1,1", "pending 1: P1"), ("submit 2 to a: 1", "bind 2; pending 1: P1")]);
}
