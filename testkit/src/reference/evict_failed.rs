//! Evictions that could not be done, and who is spared for that (E2).

use super::state::{For, Reference, Stage, Workload};
use quotree_core::{Event, EvictReason, PodId, ReleaseReason, Rule, WorkloadId};

impl Reference {
    /// The pod goes on. If the eviction failed, its workload is spared until there is news.
    pub(super) fn undo_eviction(&mut self, pod: PodId, failed: bool) {
        let (id, before) = (pod.workload, self.pod(pod).clone());
        let Some(eviction) = before.evicted else { return };
        if let Stage::Leaving(For::Hold(hold)) = before.stage
            && let Some(hold) = self.drop_hold(hold)
        {
            self.ended.push((hold.workload, ReleaseReason::EvictFailed(pod)));
            self.requeue(hold.workload);
        }
        self.pod_mut(pod).evicted = None;
        self.pod_mut(pod).stage = if eviction.started.is_some() { Stage::Binding } else { eviction.was };
        if let Some(at) = eviction.started {
            self.pod_bound(pod, at);
        }
        if let Some(budget) = eviction.from_budget
            && self.budgets_set.get(&budget).is_none_or(|set| *set <= eviction.at)
            && let Some(left) = self.budgets.get_mut(&budget)
        {
            *left += 1;
        }
        self.note_found_over_max(id);
        let workload = self.workload_mut(id);
        workload.evict_failed |= failed;
        workload.unreplaced.0 = workload.unreplaced.0.saturating_sub(1);
        workload.evicted_whole &= workload.below_minimum();
        self.note_stale(id);
        self.update_victim_rank(id);
        self.requeue_if_changed(id);
    }

    /// Whether an eviction is still of use, like
    /// [`Scheduler::eviction_stands`](quotree_core::Scheduler::eviction_stands).
    #[must_use]
    pub fn eviction_stands(&self, pod: PodId) -> Option<bool> {
        let workload = self.workloads.get(&pod.workload)?;
        let row = workload.pods.get(pod.ordinal as usize)?;
        let eviction = row.evicted.as_ref()?;
        let uses = self.row(self.template(pod));
        let above = |q: usize| {
            let is = |r: usize| uses[r] > 0 && self.stays(q, r) > self.tree.quotas[q].max[r];
            (0..uses.len()).any(is)
        };
        Some(match eviction.reason.rule {
            Rule::G3 => true,
            Rule::T4 => workload.leaf.is_some_and(|leaf| self.tree.path(leaf).any(above)),
            _ => matches!(row.stage, Stage::Leaving(For::Hold(_))) && self.takes_no_guarantee(&eviction.reason),
        })
    }

    /// Whether every quota that R2(b) requires to be above its min still is. Pods whose eviction nobody has seen yet count as
    /// staying.
    fn takes_no_guarantee(&self, reason: &EvictReason) -> bool {
        let (Rule::R2, Some(leaf), Some(common), Some(resource)) =
            (reason.rule, reason.leaf, reason.common, &reason.resource)
        else {
            return true;
        };
        let Some(r) = self.tree.governed.iter().position(|governed| governed == resource) else { return true };
        let mut branch = self.branch(leaf.0 as usize, common.0 as usize);
        branch.all(|q| self.stays(q, r) > self.tree.quotas[q].min[r])
    }

    /// What a quota uses without the pods that are seen to be leaving.
    fn stays(&self, quota: usize, r: usize) -> i64 {
        let below = |w: &&Workload| w.leaf.is_some_and(|leaf| self.tree.is_under(leaf, quota));
        let rows =
            self.workloads.values().filter(below).flat_map(|w| w.pods.iter().zip(0..).map(move |(row, o)| (w, row, o)));
        let stays = rows.filter(|(_, row, _)| match row.stage {
            Stage::Leaving(_) => row.evicted.is_some(),
            _ => row.stays(),
        });
        stays.map(|(w, _, ordinal)| self.row(self.template(w.id.pod(ordinal)))[r]).sum()
    }

    /// Something was reported: who was spared for lack of it is spared no longer.
    pub(super) fn end_sparing(&mut self, event: &Event) {
        match event {
            Event::PodBound { pod, .. }
            | Event::BindFailed { pod }
            | Event::PodGone { pod, .. }
            | Event::PodLeaving { pod }
            | Event::PodChanged { pod, .. }
            | Event::PodFound { pod, .. } => self.spare_no_longer(pod.workload),
            Event::WorkloadChanged(change) => self.spare_no_longer(change.workload),
            Event::BudgetChanged { budget, .. } => {
                let of = self.workloads.values().filter(|w| w.budget.as_ref() == Some(budget)).map(|w| w.id);
                of.collect::<Vec<_>>().into_iter().for_each(|id| self.spare_no_longer(id));
            }
            _ => {}
        }
    }

    pub(super) fn spare_no_longer(&mut self, id: WorkloadId) {
        if self.workloads.get(&id).is_some_and(|workload| workload.evict_failed) {
            self.workload_mut(id).evict_failed = false;
            self.note_found_over_max(id);
            self.update_victim_rank(id);
        }
    }
}
