//! The workloads that wait after a failed bind (E6), so that a decision looks only at those whose wait begins or ends.

use crate::api::{Time, WorkloadId};
use std::collections::BTreeSet;

#[derive(Debug, Clone, Default)]
pub(crate) struct BackingOff {
    /// A bind of these failed since the last decision.
    begun: Vec<WorkloadId>,
    /// When the waits of the others end. A workload may have started to run in the meantime.
    ends: BTreeSet<(Time, WorkloadId)>,
}

impl BackingOff {
    /// A bind of a workload failed.
    pub(crate) fn begin(&mut self, workload: WorkloadId) {
        self.begun.push(workload);
    }

    /// Takes out the workloads of which a bind failed since the last call.
    pub(crate) fn take_begun(&mut self) -> Vec<WorkloadId> {
        std::mem::take(&mut self.begun)
    }

    /// A workload waits until this time.
    pub(crate) fn wait(&mut self, until: Time, workload: WorkloadId) {
        self.ends.insert((until, workload));
    }

    /// Takes out a wait that has ended by now.
    pub(crate) fn pop_ended(&mut self, now: Time) -> Option<(Time, WorkloadId)> {
        let first = *self.ends.first()?;
        (first.0 <= now && self.ends.remove(&first)).then_some(first)
    }
}
