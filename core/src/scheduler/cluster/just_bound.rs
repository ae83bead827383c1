//! Workloads of which pods were bound at this moment. Nothing is started only to be evicted in the same moment (R2c).

use crate::api::{Time, WorkloadId};
use std::collections::VecDeque;

/// When pods of a workload were bound.
#[derive(Debug, Clone, Copy)]
struct Bound {
    workload: WorkloadId,
    at: Time,
    /// The scheduler's generation then.
    generation: u64,
}

/// The workloads that are no victims because they were just bound, the earliest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct JustBound {
    bound: VecDeque<Bound>,
    /// The scheduler's generation when the last event came.
    last_event: u64,
}

impl JustBound {
    /// Adds a workload of which pods were bound.
    pub(super) fn add(&mut self, workload: WorkloadId, at: Time, generation: u64) {
        self.bound.push_back(Bound { workload, at, generation });
    }

    /// How many bindings protect a workload.
    pub(super) fn len(&self) -> usize {
        self.bound.len()
    }

    /// Takes out all workloads.
    pub(super) fn take(&mut self) -> impl Iterator<Item = WorkloadId> + use<> {
        std::mem::take(&mut self.bound).into_iter().map(|bound| bound.workload)
    }

    /// Notes that an event came.
    pub(crate) fn note_event(&mut self, generation: u64) {
        self.last_event = generation;
    }

    /// Takes out the earliest workload that was bound before `now`, if an event came since.
    pub(super) fn next_before(&mut self, now: Time) -> Option<WorkloadId> {
        let first = self.bound.front()?;
        let is_over = first.at < now && first.generation < self.last_event;
        is_over.then(|| self.bound.pop_front()).flatten().map(|first| first.workload)
    }

    /// The workloads whose protection ends in the next moment, without a further event.
    pub(super) fn ending(&self) -> impl Iterator<Item = WorkloadId> + '_ {
        self.bound.iter().filter(|bound| bound.generation < self.last_event).map(|bound| bound.workload)
    }
}
