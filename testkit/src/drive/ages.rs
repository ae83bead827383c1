//! What users want of age and of evictions. Of two workloads of one leaf and one priority, the younger does not get room
//! that the older waits for (O3); age is counted here from the first submission of work that keeps its age, whatever the
//! scheduler was told. And who was evicted for a workload does not take the room that the eviction made for it (H2).

use super::Driver;
use quotree_core::{
    Action, BlockingReason, Name, Plan, PodState, ReleaseReason, Scheduler, Time, WorkloadId, WorkloadSpec,
    WorkloadView,
};
use std::collections::BTreeSet;

impl Driver<'_> {
    /// Checks that nobody who waits after a plan is older than one who got room by it, and asks for no more.
    pub(super) fn check_ages(&mut self, before: &Scheduler, plan: &Plan) {
        let gets_room = |action: &Action| match action {
            Action::Bind { pod, reason, .. } if !reason.held => Some(pod.workload),
            Action::Hold { workload, .. } => Some(*workload),
            _ => None,
        };
        let evicts_for = |action: &Action| match action {
            Action::Evict { reason, .. } => reason.cause,
            _ => None,
        };
        let evicting: BTreeSet<WorkloadId> = plan.actions.iter().filter_map(evicts_for).collect();
        let lucky: BTreeSet<WorkloadId> = plan.actions.iter().filter_map(gets_room).collect();
        let waited = |w: WorkloadId| before.workload(w).filter(waits);
        let mut passed = Vec::new();
        for younger in lucky.into_iter().filter_map(waited) {
            for older in
                self.core().waiting().into_iter().filter(|w| self.core().workload(*w).as_ref().is_some_and(waits))
            {
                let Some(older) = waited(older) else { continue };
                // Who fits once everything under way is done waits for that alone (H1), and so does who backs off (E6).
                let verdict = self.core().verdict(older.id);
                let settles = |reason: &BlockingReason| {
                    matches!(reason, BlockingReason::Settling { .. } | BlockingReason::BackOff { .. })
                };
                let waits_only = verdict.is_some_and(|verdict| verdict.obstacles().any(|(reason, _)| settles(reason)));
                if !waits_only && self.has_a_better_claim(&older, &younger, evicting.contains(&younger.id)) {
                    passed.push(format!("O3: {} gets room that {}, which is older, waits for", younger.id, older.id));
                }
            }
        }
        passed.into_iter().for_each(|what| self.violation(what));
    }

    /// Checks that no hold is taken over by what was evicted for it. Evictions for a hold that was taken over serve the
    /// workload that took it.
    pub(super) fn check_own_evictions(&mut self, plan: &Plan) {
        for action in &plan.actions {
            match action {
                Action::Evict { pod, reason } => {
                    if let (Some(cause), Some(victim)) = (reason.cause, self.origins.get(&pod.workload)) {
                        self.victims.entry(cause).or_default().insert(*victim);
                    }
                }
                Action::Bind { pod, .. } => drop(self.victims.remove(&pod.workload)),
                Action::Release { workload, reason } => {
                    let victims = self.victims.remove(workload).unwrap_or_default();
                    let ReleaseReason::NeededBy(taker) = reason else { continue };
                    if self.origins.get(taker).is_some_and(|taker| victims.contains(taker)) {
                        self.violation(format!("H2: {taker} was evicted for {workload} and takes its room"));
                    }
                    self.victims.entry(*taker).or_default().extend(victims);
                }
                _ => {}
            }
        }
    }

    /// A workload was changed: it counts as new, and may take over what was held before (H2).
    pub(super) fn counts_as_new(&mut self, workload: WorkloadId) {
        if let Some(origin) = self.origins.get(&workload) {
            self.victims.values_mut().for_each(|victims| {
                victims.remove(origin);
            });
        }
    }

    /// Whether a workload is older than another one of its leaf and priority, and asks for no more; the same, if that one
    /// evicts. R1's clause can allow a larger ask what it forbids a smaller one, and R2(b) can find victims for an ask
    /// that lacks more resources.
    fn has_a_better_claim(&self, older: &WorkloadView, younger: &WorkloadView, evicts: bool) -> bool {
        let equals = |w: &WorkloadView| (w.leaf, w.priority, w.preemptible);
        let specs = self.specs.get(&older.id).zip(self.specs.get(&younger.id));
        let evicts_too = specs.is_some_and(|(a, b)| a.may_evict || !b.may_evict);
        evicts_too
            && equals(older) == equals(younger)
            && specs.is_some_and(|(a, b)| asks_the_same(a, b) || !evicts && asks_no_more(a, b))
            && self.born(older.id) < self.born(younger.id)
    }

    /// When the work of a workload was first submitted, if it keeps its age; otherwise when this workload was created.
    fn born(&self, workload: WorkloadId) -> Option<Time> {
        let origin = *self.origins.get(&workload)?;
        if self.world.keeps_age(origin) {
            return self.first.get(&origin).copied();
        }
        self.specs.get(&workload).map(|spec| spec.submitted)
    }
}

/// Whether none of its pods has a place, and it has no hold.
fn waits(workload: &WorkloadView) -> bool {
    !workload.held && workload.pods.iter().all(|pod| pod.state == PodState::Pending)
}

fn asks_the_same(one: &WorkloadSpec, other: &WorkloadSpec) -> bool {
    one.pods == other.pods && one.together == other.together
}

/// Whether wherever one finds room, so does the other: its pods are no more and no larger.
fn asks_no_more(one: &WorkloadSpec, other: &WorkloadSpec) -> bool {
    let ([a], [b]) = (one.pods.as_slice(), other.pods.as_slice()) else { return false };
    let fits_in = |(name, n): (&Name, i64)| n <= b.template.request.get(name.as_str()).unwrap_or(0);
    let mut alike = (*a.template).clone();
    alike.request = b.template.request.clone();
    alike == *b.template && a.min <= b.min && one.together == other.together && a.template.request.iter().all(fits_in)
}
