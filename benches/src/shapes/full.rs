//! A full cluster with pods that wait, no two of which are alike. Pods end one by one.

use super::{
    Meter,
    world::{World, flat},
};
use quotree_core::{Amounts, NodeSpec, Policy};
use quotree_testkit::dice::Dice;

/// Pods that one node holds.
const PER_NODE: u32 = 4;
/// What no request of a pod exceeds.
const CPU: i64 = 4000;
const MEMORY: i64 = 16_384;

/// How much what waits differs in size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// So many requests differ in cores; more than that, in memory.
    cores: u32,
    /// The most memory.
    memory: i64,
}

/// Some ask for an eighth of what others ask for: the end of one makes room for none, one or several, on a node that has
/// room for many of those that wait.
pub(super) const UNLIKE: Sizes = Sizes { cores: 3500, memory: MEMORY / 2 };

/// All are about as large as what ends: the end of one makes room for one.
pub(super) const ALIKE: Sizes = Sizes { cores: 1000, memory: MEMORY - 1 };

fn amounts(cpu: i64, memory: i64) -> Amounts {
    Amounts::new().with("cpu", cpu).with("memory", memory)
}

fn slots(n: u32) -> Amounts {
    amounts(CPU * i64::from(n), MEMORY * i64::from(n))
}

/// `n` pods wait in `leaves` leaves, and a quarter as many end. The first ends cost more than those that follow, since every
/// pod that waits comes to its turn once.
pub(super) fn distinct(meter: &mut Meter, n: u32, leaves: u32, sizes: Sizes) {
    let nodes = 100;
    let capacity = nodes * PER_NODE;
    let all = slots(capacity);
    let tree = flat(&all, (0..leaves).map(|_| slots(capacity / leaves)));
    let mut world = World::new(&tree, Policy::default());
    world.add_nodes((0..nodes).map(|id| NodeSpec::new(id, slots(PER_NODE))));
    for pod in 0..capacity {
        world.submit(pod % leaves, slots(1));
    }
    world.decide();
    assert_eq!(world.running.len(), capacity as usize, "the cluster is full");
    let mut dice = Dice::new(1);
    let mut waiting: Vec<u32> = (0..n).collect();
    for pod in 0..n {
        let drawn = waiting.swap_remove(dice.index(waiting.len()));
        let (less, memory) = (i64::from(drawn % sizes.cores), i64::from(drawn / sizes.cores));
        world.submit(pod % leaves, amounts(CPU - less, sizes.memory - memory));
    }
    world.decide();
    // What the submissions left to the next event is no part of a turn.
    let ending = world.running.swap_remove(dice.index(world.running.len()));
    world.end(ending);
    world.decide();
    let binds = world.cluster.binds;
    let mut turns = 0;
    while turns < n / 4 && meter.may_go_on() {
        world.end_one(meter, &mut dice);
        turns += 1;
    }
    assert!(world.cluster.binds >= binds + u64::from(turns / 2), "ends make room");
}
