//! Entitled workloads that cannot be helped: half the nodes with GPUs are down, and those that are left are used within
//! guarantees. What comes and goes frees cores, but no GPU.

#![expect(clippy::unwrap_used, reason = "a bench that cannot run has nothing to say")]

use super::{
    Meter,
    world::{World, cpu, flat},
};
use quotree_core::{Amounts, NodeSpec, OverPromised, Policy};

/// Nodes that are left, the GPUs and cores of each.
const NODES: u32 = 8;
const GPUS: u32 = 8;
const CORES: u32 = 32;

fn both(gpus: u32, cores: u32) -> Amounts {
    cpu(cores).with("gpu", i64::from(gpus) * 1000)
}

/// `n` leaves with a guarantee of a GPU wait for it. Leaf 0 uses all GPUs within its guarantee, leaf 1 borrows cores.
pub(super) fn play(meter: &mut Meter, n: u32) {
    let gpus = NODES * GPUS;
    let all = both(gpus + n, NODES * CORES + n);
    let mins = [both(gpus, gpus), Amounts::new()].into_iter().chain((0..n).map(|_| both(1, 1)));
    let tree = flat(&all, mins);
    let policy = Policy { over_promised: OverPromised::Warn, ..Policy::default() };
    let mut world = World::new(&tree, policy);
    world.add_nodes((0..NODES).map(|id| NodeSpec::new(id, both(GPUS, CORES))));
    for _ in 0..gpus {
        world.submit(0, both(1, 1));
    }
    // A core of each node stays free for those that come and go.
    for _ in 0..NODES * (CORES - GPUS - 1) {
        world.submit(1, cpu(1));
    }
    world.decide();
    for head in 0..n {
        world.submit(2 + head, both(1, 1));
    }
    world.decide();
    world.decide();
    let waiting = world.cluster.scheduler.waiting().len();
    assert_eq!(waiting, n as usize, "nobody can help them");
    // What the submissions left to the next event is no part of a turn.
    world.submit(1, cpu(1));
    world.decide();
    let ending = world.running.pop().unwrap();
    world.end(ending);
    world.decide();
    let mut turns = 0;
    while turns < 100 && meter.may_go_on() {
        meter.turns(2, || {
            world.submit(1, cpu(1));
            world.decide();
            let ending = world.running.pop().unwrap();
            world.end(ending);
            world.decide();
        });
        turns += 1;
    }
    assert_eq!(world.cluster.scheduler.waiting().len(), waiting, "they still wait");
}
