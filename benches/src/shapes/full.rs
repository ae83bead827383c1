//! A full cluster with pods that wait, no two of which are alike: some ask for an eighth of what others ask for. Pods end
//! one by one, and make room for none, one or several.

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
/// So many requests differ in cores; more than that, in memory.
const SIZES: u32 = 3500;

fn amounts(cpu: i64, memory: i64) -> Amounts {
    Amounts::new().with("cpu", cpu).with("memory", memory)
}

fn slots(n: u32) -> Amounts {
    amounts(CPU * i64::from(n), MEMORY * i64::from(n))
}

/// `n` pods wait in `leaves` leaves.
pub(super) fn distinct(meter: &mut Meter, n: u32, leaves: u32) {
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
        let (less, memory) = (i64::from(drawn % SIZES), i64::from(drawn / SIZES));
        world.submit(pod % leaves, amounts(CPU - less, MEMORY / 2 - memory));
    }
    world.decide();
    let binds = world.cluster.binds;
    let mut turns = 0;
    while turns < (n / 2).min(400) && meter.may_go_on() {
        world.end_one(meter, &mut dice);
        turns += 1;
    }
    assert!(world.cluster.binds >= binds + u64::from(turns / 2), "ends make room");
}
