//! Workloads and pods that change after they were submitted (G1, E5).

use super::state::{For, Reference, Set, Stage, Workload};
use quotree_core::{PodId, PodTemplate, ReleaseReason, WorkloadId};
use std::sync::Arc;

impl Reference {
    /// Another number of pods must run together (G1). A hold for other pods than the workload asks for now ends.
    pub(super) fn minimum_changed(&mut self, id: WorkloadId, minimum: u32) {
        let asks = |this: &Self| this.workload(id).next_ask().map(|_| this.workload(id).asked_pods());
        let before = asks(self);
        self.workload_mut(id).divide_minimum(minimum);
        self.note_stale(id);
        if asks(self) != before
            && let Some(hold) = self.workload(id).hold
        {
            self.drop_hold(hold);
            self.ended.push((id, ReleaseReason::Changed));
        }
    }

    /// A pod requests something else (E5). A hold that is for it ends.
    pub(super) fn pod_changed(&mut self, pod: PodId, template: &Arc<PodTemplate>) {
        if self.template(pod) == template {
            return;
        }
        let (id, before) = (pod.workload, self.pod(pod).clone());
        let is_for = |hold: &u32| {
            let hold = self.holds.iter().find(|h| h.id == *hold);
            hold.is_some_and(|hold| hold.assignments.iter().any(|(other, _)| *other == pod))
        };
        if let Some(hold) = self.workload(id).hold.filter(is_for) {
            self.drop_hold(hold);
            self.ended.push((id, ReleaseReason::Changed));
        }
        self.workload_mut(id).change_template(pod.ordinal, template);
        if let Some(assignment) = before.assignment {
            self.note_freed([assignment.node]);
            if let Stage::Leaving(For::Hold(hold)) = before.stage
                && let Some(hold) = self.holds.iter().find(|h| h.id == hold).cloned()
            {
                self.free_reserved(&hold);
            }
            self.note_found_over_max(id);
        }
        self.update_victim_rank(id);
        self.requeue_if_changed(id);
    }
}

impl Workload {
    /// Moves a pod to the set of another template. One of the minimum goes with it where its set needs it for that.
    fn change_template(&mut self, ordinal: u32, template: &Arc<PodTemplate>) {
        let (stage, from) = (self.pods[ordinal as usize].stage, self.pods[ordinal as usize].set);
        let others = |which: &dyn Fn(Stage) -> bool| {
            let of = (0u32..).zip(&self.pods).filter(|(other, pod)| *other != ordinal && pod.set == from);
            of.filter(|(_, pod)| which(pod.stage)).count()
        };
        let placed = |stage| matches!(stage, Stage::Binding | Stage::Running);
        let needed = match stage {
            Stage::Waiting => others(&|stage| placed(stage) || stage == Stage::Waiting) < self.sets[from].min as usize,
            Stage::Binding | Stage::Running => others(&placed) < self.sets[from].min as usize,
            _ => false,
        };
        self.sets[from].min -= u32::from(needed);
        self.sets[from].count = self.sets[from].count.saturating_sub(1);
        let of_template = self.sets.iter().position(|set| set.template == *template);
        let is_empty = |set: &usize| {
            let there = |(other, pod): (u32, &super::state::Pod)| {
                other != ordinal && pod.set == *set && pod.stage != Stage::Gone
            };
            self.sets[*set].min == 0 && !(0u32..).zip(&self.pods).any(there)
        };
        let to = of_template.or_else(|| (0..self.sets.len()).find(is_empty)).unwrap_or(self.sets.len());
        if of_template.is_none() {
            let set = Set { template: template.clone(), count: 0, min: 0 };
            if to < self.sets.len() { self.sets[to] = set } else { self.sets.push(set) }
        }
        self.sets[to].count += 1;
        self.sets[to].min += u32::from(needed);
        self.pods[ordinal as usize].set = to;
    }
}
