//! Workloads of which pods were bound at this moment: nothing is started only to be evicted in the same moment (R2c).

use super::groups::Cluster;
use crate::{
    api::{Time, WorkloadId},
    scheduler::state::WorkloadSlot,
};
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
    /// Notes that an event came.
    pub(crate) fn note_event(&mut self, generation: u64) {
        self.last_event = generation;
    }

    /// Takes out the earliest workload that was bound before `now`, if an event came since.
    fn next_before(&mut self, now: Time) -> Option<WorkloadId> {
        let first = self.bound.front()?;
        let is_over = first.at < now && first.generation < self.last_event;
        is_over.then(|| self.bound.pop_front()).flatten().map(|first| first.workload)
    }

    /// The workloads whose protection the next moment ends, without a further event.
    fn ending(&self) -> impl Iterator<Item = WorkloadId> + '_ {
        self.bound.iter().filter(|bound| bound.generation < self.last_event).map(|bound| bound.workload)
    }
}

impl Cluster {
    /// Protects a workload of which pods were bound, until a later decision that follows an event.
    pub(super) fn protect_just_bound(&mut self, slot: WorkloadSlot) {
        let workload = self.workloads.at_mut(slot);
        workload.just_bound += 1;
        let bound = Bound { workload: workload.id, at: self.now, generation: self.generation };
        self.just_bound.bound.push_back(bound);
    }

    /// At the start of a decision, ends the protection of what was bound before this moment, where an event came since.
    /// Gives whether there was any: then there are new victims.
    pub(crate) fn end_bind_protection(&mut self) -> bool {
        let before = self.just_bound.bound.len();
        while let Some(workload) = self.just_bound.next_before(self.now) {
            self.unprotect(workload);
        }
        self.just_bound.bound.len() < before
    }

    /// Ends all such protection, to see what later decisions could do.
    pub(crate) fn forget_bind_protection(&mut self) {
        for bound in std::mem::take(&mut self.just_bound.bound) {
            self.unprotect(bound.workload);
        }
    }

    fn unprotect(&mut self, workload: WorkloadId) {
        let Some(slot) = self.workloads.slot(workload) else { return };
        let row = self.workloads.at_mut(slot);
        row.just_bound = row.just_bound.saturating_sub(1);
        self.update_victim_index(slot);
    }

    /// The workloads that may become victims in the next moment, without a further event.
    pub(crate) fn victims_of_next_moment(&self) -> impl Iterator<Item = WorkloadSlot> + '_ {
        let slots = self.just_bound.ending().filter_map(|workload| self.workloads.slot(workload));
        slots.filter(|slot| {
            let workload = self.workloads.at(*slot);
            // Pods of it may have been bound again since the event.
            let ending = || self.just_bound.ending().filter(|id| *id == workload.id).count();
            let all_end = workload.just_bound == 1 || workload.just_bound as usize == ending();
            all_end && workload.preemptible && workload.has_active()
        })
    }
}
