//! The two shapes of KAI's own benchmark: half a cluster is reclaimed at once, and a gang asks for more than may ever be
//! free.

use super::{
    Meter,
    world::{World, flat, whole},
};
use quotree_core::{Amounts, NodeSpec, Policy, WorkloadSpec};

/// GPUs of a node.
const GPUS: u32 = 8;
/// The pods of the gang, with a GPU each.
const GANG: u32 = 80;

fn gpus(n: u32) -> Amounts {
    whole("nvidia.com/gpu", n)
}

/// `n` nodes, full of pods of the first of two teams. The second has a guarantee of half the nodes.
fn full(n: u32) -> World {
    let (all, half) = (gpus(n * GPUS), gpus(n * GPUS / 2));
    let mut world = World::new(&flat(&all, [half.clone(), half]), Policy::default());
    world.add_nodes((0..n).map(|id| NodeSpec::new(id, gpus(GPUS))));
    for _ in 0..n * GPUS {
        world.submit(0, gpus(1));
    }
    world.decide();
    assert_eq!(world.running.len(), (n * GPUS) as usize, "the nodes are full");
    world
}

/// As many pods of the second team come as run. The first half of them reclaims the guarantee in one decision.
pub(super) fn reclaim(meter: &mut Meter, n: u32) {
    let mut world = full(n);
    for _ in 0..n * GPUS {
        world.submit(1, gpus(1));
    }
    meter.turns((n * GPUS / 2).into(), || while !world.decide().is_empty() {});
    assert_eq!(world.cluster.evictions, u64::from(n * GPUS / 2), "the second team has its guarantee");
}

/// Both teams use their guarantees, and a gang of the second one asks for 80 GPUs more: the decision, and the verdict
/// that names who holds them.
pub(super) fn verdict(meter: &mut Meter, n: u32) {
    let mut world = full(n);
    for _ in 0..n * GPUS / 2 {
        world.submit(1, gpus(1));
    }
    while !world.decide().is_empty() {}
    let evicted = world.cluster.evictions;
    let gang = world.submit_as(1, |id, namespace, now| WorkloadSpec::gang(id, namespace, now, gpus(1), GANG));
    let verdict = meter.turns(1, || {
        world.decide();
        world.cluster.scheduler.verdict(gang)
    });
    assert!(verdict.is_some(), "the gang waits, and it is known why");
    assert_eq!(world.cluster.evictions, evicted, "nobody is evicted for it");
}
