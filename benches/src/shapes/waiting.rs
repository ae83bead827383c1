//! Workloads that only come, or come and go: what a waiting replica costs, and what a request leaves behind.

use super::{
    Meter,
    world::{World, cpu, flat},
};
use quotree_core::{Amounts, NodeSpec, Policy};

/// `n` equal replicas come at once, and all wait: the cluster is full.
pub(super) fn replicas(meter: &mut Meter, n: u32) {
    let tree = flat(&cpu(100), [cpu(50), cpu(50)]);
    let mut world = World::new(&tree, Policy::default());
    world.add_nodes((0..10).map(|id| NodeSpec::new(id, cpu(10))));
    for pod in 0..100 {
        world.submit(pod % 2, cpu(1));
    }
    world.decide();
    meter.left_by(n.into(), |meter| {
        meter.turns(n.into(), || {
            for _ in 0..n {
                world.submit(0, cpu(1));
            }
            world.decide();
        });
    });
    assert_eq!(world.cluster.scheduler.waiting().len(), n as usize, "all wait");
}

/// `n` jobs one after the other, no two requests alike: each comes, runs and ends before the next.
pub(super) fn one_alive(meter: &mut Meter, n: u32) {
    let all = Amounts::new().with("cpu", 64_000).with("memory", 1 << 40);
    let mut world = World::new(&flat(&all, [all.clone()]), Policy::default());
    world.add_nodes([NodeSpec::new(0, all.clone())]);
    meter.left_by(n.into(), |meter| {
        for job in 0..n {
            meter.turns(1, || {
                world.submit(0, Amounts::new().with("cpu", 1000).with("memory", (1 << 20) + i64::from(job)));
                world.decide();
                if let Some(pod) = world.running.pop() {
                    world.end(pod);
                }
                world.decide();
            });
        }
    });
    assert_eq!(world.cluster.binds, u64::from(n), "each runs");
}
