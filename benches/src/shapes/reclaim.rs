//! Guarantees that are taken back from those who borrowed them.

use super::{
    Meter,
    world::{World, cpu, flat},
};
use quotree_core::{NodeSpec, Policy};

/// Half of `n` leaves use twice their guarantee; the other half ask for theirs, all in one decision.
pub(super) fn leaves(meter: &mut Meter, n: u32) {
    let half = n / 2;
    let tree = flat(&cpu(n), (0..n).map(|_| cpu(1)));
    let mut world = World::new(&tree, Policy::default());
    world.add_nodes((0..n.div_ceil(8)).map(|id| NodeSpec::new(id, cpu(8))));
    for pod in 0..half * 2 {
        world.submit(pod % half, cpu(1));
    }
    world.decide();
    for leaf in half..half * 2 {
        world.submit(leaf, cpu(1));
    }
    meter.turns(half.into(), || while !world.decide().is_empty() {});
    assert_eq!(world.cluster.evictions, u64::from(half), "each takes its guarantee back");
    assert_eq!(world.cluster.binds, u64::from(half * 3), "each has its guarantee");
}

/// All `n` pods of one node were borrowed by one leaf; another asks for its guarantee, pod by pod.
pub(super) fn one_node(meter: &mut Meter, n: u32) {
    let tree = flat(&cpu(n), [cpu(0), cpu(n)]);
    let mut world = World::new(&tree, Policy::default());
    world.add_nodes([NodeSpec::new(0, cpu(n))]);
    for _ in 0..n {
        world.submit(0, cpu(1));
    }
    world.decide();
    let mut turns = 0;
    while turns < 50.min(n) && meter.may_go_on() {
        world.submit(1, cpu(1));
        meter.turns(1, || while !world.decide().is_empty() {});
        turns += 1;
    }
    assert_eq!(world.cluster.evictions, u64::from(turns), "each takes one back");
}
