//! A read-only view of a run, for claims and the report.

use crate::{metrics::MetricsCollector, options::RunOptions, trace::Digest, world::World};
use quotree_core::{QuotaTree, Scheduler, Time};

/// The state of a run at some moment.
#[derive(Clone, Copy)]
pub(crate) struct RunView<'r> {
    pub(crate) world: &'r World<'r>,
    pub(crate) scheduler: &'r Scheduler,
    pub(crate) metrics: &'r MetricsCollector,
    pub(crate) options: &'r RunOptions,
    /// The digest of the trace so far.
    pub(crate) digest: &'r Digest,
    /// Since when nothing more can happen, if the run ended by itself.
    pub(crate) quiet_since: Option<Time>,
    /// Whether the observer stopped the run.
    pub(crate) is_stopped: bool,
}

impl<'r> RunView<'r> {
    /// The time of the run.
    pub(crate) const fn now(&self) -> Time {
        self.world.now
    }

    /// Whether nothing more can happen, so that the world stays as it is.
    pub(crate) const fn is_quiet(&self) -> bool {
        self.quiet_since.is_some()
    }

    /// The quota tree in effect.
    pub(crate) fn tree(&self) -> &'r QuotaTree {
        self.scheduler.tree()
    }
}
