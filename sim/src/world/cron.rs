//! The controller of cron jobs: jobs on a period, and what a start does that finds an earlier one not ended.

use super::State;
use crate::{engine::Engine, model::Concurrency, options::RunError};

impl Engine<'_> {
    /// Whether the next instance may start; makes room for it where the workload says so.
    pub(crate) fn may_start(&mut self, owner: u32) -> Result<bool, RunError> {
        let concurrency = self.workload_of(owner).and_then(|w| w.arrivals.as_ref()).and_then(|a| a.concurrency);
        match concurrency {
            None | Some(Concurrency::Allow) => Ok(true),
            Some(Concurrency::Forbid) => {
                let free = self.open_instances(owner).is_empty();
                if !free {
                    self.tally(owner, |outcomes| outcomes.skipped += 1);
                }
                Ok(free)
            }
            Some(Concurrency::Replace) => {
                for instance in self.open_instances(owner) {
                    self.close(instance, State::Deleted)?;
                }
                Ok(true)
            }
        }
    }
}
