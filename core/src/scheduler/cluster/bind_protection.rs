//! Protects what was just bound from eviction, and ends this protection (R2c).

use super::groups::Cluster;
use crate::{api::WorkloadId, scheduler::state::WorkloadSlot};

impl Cluster {
    /// Protects a workload of which pods were bound, until a later decision that follows an event. Only victims
    /// need it.
    pub(super) fn protect_just_bound(&mut self, slot: WorkloadSlot) {
        if !self.policy.has_victims() {
            return;
        }
        let workload = self.workloads.at_mut(slot);
        workload.just_bound += 1;
        self.just_bound.add(workload.id, self.now, self.generation);
    }

    /// At the start of a decision, ends the protection of what was bound before this moment, where an event came since.
    /// Returns whether any protection ended: then there are new possible victims.
    pub(crate) fn end_bind_protection(&mut self) -> bool {
        let before = self.just_bound.len();
        while let Some(workload) = self.just_bound.next_before(self.now) {
            self.unprotect(workload);
        }
        self.just_bound.len() < before
    }

    /// Whether a decision may differ from the last one although nothing has happened since: a timer has passed, or the
    /// protection of what was just bound ends (R2c).
    pub(crate) fn changes_with_time(&self) -> bool {
        self.just_bound.len() > 0 || self.timers.first().is_some_and(|time| *time <= self.now)
    }

    /// Ends the protection of everything that was just bound, to find what later decisions could do.
    pub(crate) fn forget_bind_protection(&mut self) {
        for workload in self.just_bound.take() {
            self.unprotect(workload);
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
            let all_end = || workload.just_bound == 1 || workload.just_bound as usize == ending();
            workload.preemptible && !workload.evict_failed && workload.has_active() && all_end()
        })
    }
}
