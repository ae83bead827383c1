//! The controller of workloads that arrive again and again: each arrival is an instance with a number, an owner of its own.
//!
//! Only the next arrival is ever known: when one is submitted, the one after it is scheduled. So a hundred days of arrivals
//! take no time to set up, and what has ended takes little room.

use super::{ARRIVAL, End, WorldEvent, clock::Clock, controllers::OwnerRef};
use crate::{engine::Engine, options::RunError};

/// The state of a workload's arrivals.
#[derive(Debug, Clone)]
pub(crate) struct Generator {
    clock: Clock,
    /// The number of the next instance.
    next: u32,
    /// Instances that may not have ended.
    pub(crate) live: Vec<u32>,
}

impl Engine<'_> {
    /// A workload begins to arrive.
    pub(crate) fn start_arriving(&mut self, owner: u32) -> Result<(), RunError> {
        let Some(workload) = self.workload_of(owner) else { return Ok(()) };
        let Some(arrivals) = &workload.arrivals else { return Ok(()) };
        let clock = Clock::new(self.seed, &workload.name, self.now, arrivals);
        self.world.controllers[owner].generator = Some(Box::new(Generator { clock, next: 0, live: Vec::new() }));
        self.await_next(owner)
    }

    /// Schedules the next arrival, if there is one; those of this moment arrive at once, in the order of the file.
    fn await_next(&mut self, owner: u32) -> Result<(), RunError> {
        let arrivals = self.workload_of(owner).and_then(|workload| workload.arrivals.as_ref());
        loop {
            let generator = self.world.controllers[owner].generator.as_mut();
            let Some(time) = arrivals.zip(generator).and_then(|(arrivals, g)| g.clock.next(arrivals)) else {
                return Ok(());
            };
            if time > self.now {
                self.queue.schedule(time, ARRIVAL, WorldEvent::Arrive(owner));
                return Ok(());
            }
            self.instance(owner)?;
        }
    }

    /// An instance arrives.
    pub(crate) fn arrival(&mut self, owner: u32) -> Result<(), RunError> {
        if self.world.controllers[owner].closed {
            return Ok(());
        }
        self.instance(owner)?;
        self.await_next(owner)
    }

    fn instance(&mut self, owner: u32) -> Result<(), RunError> {
        let workload = self.world.controllers[owner].workload;
        let Some(generator) = self.world.controllers[owner].generator.as_mut() else { return Ok(()) };
        let number = generator.next;
        generator.next += 1;
        if self.lets_in(owner, None) && self.may_start(owner)? {
            let part = OwnerRef { workload, number, task: super::NONE, parent: owner };
            if let Some(instance) = self.new_controller_of(part) {
                self.remember_instance(owner, instance);
                return self.begin(instance);
            }
        }
        Ok(())
    }

    /// Adds an instance to the list of those that live, and drops what has ended from the list before it grows.
    fn remember_instance(&mut self, owner: u32, instance: u32) {
        let world = &mut self.world;
        let Some(generator) = world.controllers[owner].generator.as_mut() else { return };
        let mut live = std::mem::take(&mut generator.live);
        if live.len() == live.capacity() {
            live.retain(|i| world.controllers[*i].end == End::Open);
        }
        live.push(instance);
        if let Some(generator) = world.controllers[owner].generator.as_mut() {
            generator.live = live;
        }
    }

    /// The instances of a workload that have not ended.
    pub(crate) fn open_instances(&self, owner: u32) -> Vec<u32> {
        let live = self.world.controllers[owner].generator.as_ref().map_or(&[][..], |g| &g.live);
        live.iter().copied().filter(|i| self.world.controllers[*i].end == End::Open).collect()
    }
}
