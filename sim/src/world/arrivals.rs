//! The controller of workloads that are submitted repeatedly. Each arrival is an instance with its own number and
//! controller.
//!
//! Only the next arrival is ever computed: when one is submitted, the next is scheduled. So a hundred days of arrivals
//! take no time at the start, and instances that have ended take little memory.

use super::{
    ARRIVAL, End, World, WorldEvent, access, clock::Clock, controllers::OwnerRef, cron, submit, table::push_live,
};

/// The state of the arrivals of a workload.
#[derive(Debug, Clone)]
pub(crate) struct Generator {
    clock: Clock,
    /// The number of the next instance.
    next: u32,
    /// Instances that may not have ended.
    pub(crate) live: Vec<u32>,
}

/// Begins the arrivals of a workload.
pub(crate) fn start(world: &mut World<'_>, owner: u32) {
    let Some(workload) = world.workload_of(owner) else { return };
    let Some(arrivals) = &workload.arrivals else { return };
    let clock = Clock::new(world.seed, &workload.name, world.now, arrivals);
    world.controllers[owner].generator = Some(Box::new(Generator { clock, next: 0, live: Vec::new() }));
    schedule_next(world, owner)
}

/// Schedules the next arrival, if there is one. Arrivals of the current time are submitted at once, in the order of the
/// file.
fn schedule_next(world: &mut World<'_>, owner: u32) {
    let arrivals = world.workload_of(owner).and_then(|workload| workload.arrivals.as_ref());
    loop {
        let generator = world.controllers[owner].generator.as_mut();
        let Some(time) = arrivals.zip(generator).and_then(|(arrivals, g)| g.clock.next(arrivals)) else {
            return;
        };
        if time > world.now {
            world.schedule(time, ARRIVAL, WorldEvent::Arrive(owner));
            return;
        }
        add_instance(world, owner);
    }
}

/// Submits an instance that arrives.
pub(crate) fn arrive(world: &mut World<'_>, owner: u32) {
    if world.controllers[owner].closed {
        return;
    }
    add_instance(world, owner);
    schedule_next(world, owner)
}

fn add_instance(world: &mut World<'_>, owner: u32) {
    let workload = world.controllers[owner].workload;
    let Some(generator) = world.controllers[owner].generator.as_mut() else { return };
    let number = generator.next;
    generator.next += 1;
    if access::may_submit(world, owner, None) && cron::may_start(world, owner) {
        let part = OwnerRef { workload, number, task: super::NONE, parent: owner };
        if let Some(instance) = world.add_controller(part) {
            remember(world, owner, instance);
            submit::begin(world, instance);
        }
    }
}

/// Adds an instance to the list of live ones.
fn remember(world: &mut World<'_>, owner: u32, instance: u32) {
    let Some(generator) = world.controllers[owner].generator.as_mut() else { return };
    let mut live = std::mem::take(&mut generator.live);
    push_live(&mut live, instance, |i| world.controllers[i].end == End::Open);
    if let Some(generator) = world.controllers[owner].generator.as_mut() {
        generator.live = live;
    }
}

/// The instances of a workload that have not ended.
pub(crate) fn open_instances(world: &World<'_>, owner: u32) -> Vec<u32> {
    let live = world.controllers[owner].generator.as_ref().map_or(&[][..], |g| &g.live);
    live.iter().copied().filter(|i| world.controllers[*i].end == End::Open).collect()
}
