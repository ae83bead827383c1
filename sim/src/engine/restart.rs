//! A restart of the scheduler: a new one learns what a LIST of the cluster shows, and goes on (E4).
//!
//! The cluster goes on meanwhile, and so does every controller. With the scheduler goes whoever carries out its plans, so
//! evictions that the API did not take are forgotten. A restart takes no time.

use super::Engine;
use crate::{options::RunError, trace::TraceEvent, world};

impl Engine<'_> {
    pub(super) fn restart(&mut self) -> Result<(), RunError> {
        world::forget_evictions(&mut self.world, self.core.scheduler());
        self.deliver()?;
        let core = self.core.scheduler();
        let held = core.waiting().into_iter().filter(|id| core.workload(*id).is_some_and(|view| view.held));
        for workload in held.collect::<Vec<_>>() {
            self.world.trace(TraceEvent::Release { workload });
        }
        self.world.trace(TraceEvent::Restart);
        self.deliver()?;
        self.core.restart(self.world.now)?;
        // What it remembers of the scheduler is about the one before.
        self.metrics.plant(&self.world);
        self.dirty = true;
        Ok(())
    }
}
