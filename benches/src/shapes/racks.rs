//! Gangs that must share a rack: each wants 8 to 64 GPUs side by side, and most wait.

use super::{
    Meter,
    world::{World, flat, whole},
};
use quotree_core::{Amounts, Level, NodeSpec, PodId, Policy, WorkloadSpec};
use quotree_testkit::dice::Dice;

const RACKS: u32 = 32;
const NODES_PER_RACK: u32 = 8;
const LEAVES: u32 = 20;

fn gpus(n: u32) -> Amounts {
    whole("nvidia.com/gpu", n)
}

/// `n` gangs in 20 leaves; they end one by one.
pub(super) fn play(meter: &mut Meter, n: u32) {
    let nodes = RACKS * NODES_PER_RACK;
    let tree = flat(&gpus(nodes * 8), (0..LEAVES).map(|_| gpus(nodes * 8 / LEAVES)));
    let mut world = World::new(&tree, Policy::default());
    world.add_nodes((0..nodes).map(|id| {
        let rack = format!("rack-{}", id / NODES_PER_RACK);
        NodeSpec { rack: Some(rack.as_str().into()), ..NodeSpec::new(id, gpus(8)) }
    }));
    let mut dice = Dice::new(1);
    for gang in 0..n {
        let pods = 8 * dice.one_of([1, 2, 3, 4, 5, 6, 7, 8]);
        world.submit_as(gang % LEAVES, |id, namespace, now| WorkloadSpec {
            together: Some(Level::Rack),
            ..WorkloadSpec::gang(id, namespace, now, gpus(1), pods)
        });
    }
    meter.aside(|| world.decide());
    let mut turns = 0;
    while turns < (n / 4).min(100) && meter.may_go_on() {
        let ending = pick(&mut world, &mut dice);
        meter.turns(1, || {
            for pod in ending {
                world.end(pod);
            }
            world.decide();
        });
        turns += 1;
    }
    assert!(world.cluster.binds > 0, "gangs run");
}

/// The pods of a running gang, which then no more count as running.
fn pick(world: &mut World, dice: &mut Dice) -> Vec<PodId> {
    let gang = world.running.get(dice.index(world.running.len())).map(|pod| pod.workload);
    let (ending, rest) = std::mem::take(&mut world.running).into_iter().partition(|pod| Some(pod.workload) == gang);
    world.running = rest;
    ending
}
