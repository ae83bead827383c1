//! The unit of a workload that is admitted next: the missing minimum of its gang, or one more pod (G1).

use crate::{
    api::PodState,
    scheduler::state::{Ask, AskId, TemplateId, WorkloadSlot, Workloads},
};
use smallvec::SmallVec;

impl Workloads {
    /// The request of the next unit. There is none if no pod is pending, if too few are pending to reach the minimum,
    /// or if the gang was evicted as a whole (G2).
    pub(crate) fn next_ask(&mut self, slot: WorkloadSlot) -> Option<AskId> {
        let workload = self.at(slot);
        let (preemptible, may_evict, job) = (workload.preemptible, workload.may_evict, !workload.admitted);
        let first = workload.in_state(PodState::Pending).next()?;
        if workload.evicted_whole {
            return None;
        }
        let template = workload.template(first);
        if workload.pods.len() == 1 {
            // A minimum that was changed may be more than there are.
            if workload.sets.iter().map(|set| set.min).fold(0, u32::saturating_add) > 1 {
                return None;
            }
            return Some(self.interner.single_pod_ask(template, preemptible, may_evict, job));
        }
        let missing = workload.missing_minimum();
        let mut members: SmallVec<[(TemplateId, u32); 1]> = SmallVec::new();
        for (set, missing) in workload.sets.iter().zip(&missing).filter(|(_, missing)| **missing > 0) {
            members.push((set.template, *missing));
        }
        if members.is_empty() {
            members.push((template, 1));
        } else if !workload.can_provide(&missing) {
            return None;
        }
        let joins = workload.has_active().then_some(workload.id);
        let together = workload.together.map(|level| (level, joins));
        // The sums were checked when the workload was submitted.
        let total = self.interner.total(&members).unwrap_or_default();
        Some(self.interner.intern_ask(Ask { members, total, preemptible, may_evict, job, together }))
    }

    /// The ordinals of the pods of the next unit.
    pub(crate) fn next_pods(&self, slot: WorkloadSlot) -> SmallVec<[u32; 4]> {
        let workload = self.at(slot);
        if workload.pods.len() == 1 {
            return workload.in_state(PodState::Pending).collect();
        }
        let mut missing = workload.missing_minimum();
        if missing.iter().all(|count| *count == 0) {
            return workload.in_state(PodState::Pending).take(1).collect();
        }
        let mut chosen: SmallVec<[u32; 4]> = SmallVec::new();
        for ordinal in workload.in_state(PodState::Pending) {
            let set = workload.pods.get(ordinal as usize).map_or(0, |pod| usize::from(pod.set));
            if let Some(left) = missing.get_mut(set).filter(|left| **left > 0) {
                *left -= 1;
                chosen.push(ordinal);
            }
        }
        chosen
    }
}
