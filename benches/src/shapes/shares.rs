//! Leaves whose order depends on what they use: by shares everything changes with every charge, by guarantees little does.

use super::{
    Meter,
    world::{World, cpu, flat},
};
use quotree_core::{NodeSpec, Order, Policy, Reclaim};
use quotree_testkit::dice::Dice;

/// What a leaf is guaranteed, cores.
const MIN: u32 = 2;

/// `n` leaves by shares.
pub(super) fn by_share(meter: &mut Meter, n: u32) {
    play(meter, n, Policy { order: Order::Share, reclaim: Reclaim::FairShare, ..Policy::default() });
}

/// The same leaves by guarantees.
pub(super) fn by_guarantee(meter: &mut Meter, n: u32) {
    play(meter, n, Policy::default());
}

/// Every other leaf has more work than its guarantee, and borrows what the leaf beside it leaves; pods end one by one.
fn play(meter: &mut Meter, n: u32, policy: Policy) {
    let nodes = (n * MIN).div_ceil(8);
    let tree = flat(&cpu(nodes * 8), (0..n).map(|_| cpu(MIN)));
    let mut world = World::new(&tree, policy);
    world.add_nodes((0..nodes).map(|id| NodeSpec::new(id, cpu(8))));
    for leaf in 0..n {
        let pods = if leaf % 2 == 0 { 5 * MIN } else { 1 };
        for _ in 0..pods {
            world.submit(leaf, cpu(1));
        }
    }
    world.decide();
    let binds = world.cluster.binds;
    let mut dice = Dice::new(1);
    let mut turns = 0;
    while turns < n.min(500) && meter.may_go_on() {
        world.end_one(meter, &mut dice);
        turns += 1;
    }
    assert!(world.cluster.binds >= binds + u64::from(turns), "every end makes room for one");
}
