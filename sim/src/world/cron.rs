//! Cron jobs: what to do when an instance should start while an earlier one has not ended.

use super::{State, World, arrivals, ending, submit};
use crate::model::Concurrency;

/// Whether the next instance may start; withdraws earlier instances if the workload says so.
pub(crate) fn may_start(world: &mut World<'_>, owner: u32) -> bool {
    let concurrency = world.workload_of(owner).and_then(|w| w.arrivals.as_ref()).and_then(|a| a.concurrency);
    match concurrency {
        None | Some(Concurrency::Allow) => true,
        Some(Concurrency::Forbid) => {
            let free = arrivals::open_instances(world, owner).is_empty();
            if !free {
                ending::count(world, owner, |outcomes| outcomes.skipped += 1);
            }
            free
        }
        Some(Concurrency::Replace) => {
            for instance in arrivals::open_instances(world, owner) {
                submit::close(world, instance, State::Deleted);
            }
            true
        }
    }
}
