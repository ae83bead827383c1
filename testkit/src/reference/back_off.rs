//! Workloads of which a bind failed wait before they are tried again (E6).

use super::state::{Reference, Workload};
use quotree_core::{Time, WorkloadId};

impl Workload {
    /// Whether it asks for something, and waits after a failed bind.
    pub(super) fn is_backing_off(&self) -> bool {
        self.backs_off.is_some() && self.next_ask().is_some()
    }
}

impl Reference {
    pub(super) fn start_back_off(&mut self, id: WorkloadId) {
        let on = self.policy.bind_back_off_ms.is_some();
        let workload = self.workload_mut(id);
        if on && workload.backs_off.is_none() {
            workload.failed_binds += 1;
            workload.backs_off = Some(None);
        }
    }

    /// Starts the clocks of those of which a bind failed since the last decision, and ends those that are over.
    pub(super) fn end_back_offs(&mut self) {
        let Some(first) = self.policy.bind_back_off_ms else { return };
        let ids: Vec<WorkloadId> = self.workloads.values().filter(|w| w.backs_off.is_some()).map(|w| w.id).collect();
        for id in ids {
            let (failures, now) = (self.workload(id).failed_binds, self.now);
            // 1, 2, 4, 8, then 10 times the first wait.
            let times = [1, 2, 4, 8].get(failures.saturating_sub(1) as usize).copied().unwrap_or(10);
            let until: Time = self.workload(id).backs_off.flatten().unwrap_or_else(|| now.after_ms(first * times));
            if until > now {
                self.timers.insert(until);
                self.workload_mut(id).backs_off = Some(Some(until));
            } else {
                self.workload_mut(id).backs_off = None;
                self.requeue_if_changed(id);
            }
        }
    }
}
