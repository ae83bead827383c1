//! Checks S2, S3, S4 and I4: who evicted whom, which evictions did not help, and which workloads are pending at rest.

use super::Driver;
use crate::compare;
use quotree_core::{Action, Event, Plan, PodState, QuotaId, ReleaseReason, WorkloadId, WorkloadSpec};
use std::collections::{BTreeMap, BTreeSet};

impl Driver<'_> {
    /// S2 and S3: records who evicted whom.
    pub(super) fn check_evictions(&mut self, plan: &Plan) {
        let origin = |w: &WorkloadId| self.origins.get(w).copied();
        let mut both = Vec::new();
        for action in &plan.actions {
            match action {
                Action::Evict { pod, reason } => {
                    self.played.evictions += 1;
                    let pair = reason.cause.as_ref().and_then(origin).zip(origin(&pod.workload));
                    if let Some((cause, victim)) = pair {
                        *self.interval.evicted_for.entry(cause).or_default() += 1;
                        // A gang whose minimum is guaranteed may borrow for its other members, and lose those again.
                        let elastic = |spec: &WorkloadSpec| spec.pods.iter().any(|set| set.min < set.count);
                        let of = [reason.cause, Some(pod.workload)].into_iter().flatten();
                        if of.filter_map(|w| self.specs.get(&w)).any(elastic) {
                            continue;
                        }
                        self.interval.evicted.insert((cause, victim));
                        if self.interval.evicted.contains(&(victim, cause)) {
                            both.push(format!("S2: submissions {cause} and {victim} evict each other"));
                        }
                    }
                }
                Action::Bind { pod, .. } => {
                    self.played.binds += 1;
                    if let Some(cause) = origin(&pod.workload) {
                        self.interval.evicted_for.remove(&cause);
                    }
                }
                // Pods evicted for a hold that was taken over serve the workload that took it (H2).
                Action::Release { workload, reason: ReleaseReason::NeededBy(taker) } => {
                    if let (Some(cause), Some(taker)) = (origin(workload), origin(taker)) {
                        let pods = self.interval.evicted_for.remove(&cause).unwrap_or(0);
                        *self.interval.evicted_for.entry(taker).or_default() += pods;
                    }
                }
                _ => {}
            }
        }
        if self.play.settles && !self.faulty {
            both.into_iter().for_each(|what| self.violation(what));
        }
    }

    /// I4: when the victims are gone and nothing else has happened, the workloads for which they were evicted are
    /// placed.
    pub(super) fn check_causes_placed(&mut self, causes: &BTreeSet<WorkloadId>) {
        let plan = self.decide();
        if self.reference.is_some() {
            return self.carry_out(&plan);
        }
        let bound: BTreeSet<WorkloadId> = plan
            .actions
            .iter()
            .filter_map(|a| if let Action::Bind { pod, .. } = a { Some(pod.workload) } else { None })
            .collect();
        for cause in causes.difference(&bound) {
            self.violation(format!("I4: the victims of {cause} are gone, and it is not placed"));
        }
        self.carry_out(&plan);
    }

    /// S2: no set of running pods occurs twice while nothing is in progress.
    pub(super) fn check_no_repeat(&mut self) {
        if self.reference.is_some() {
            return;
        }
        let mut state: BTreeMap<usize, usize> = BTreeMap::new();
        for workload in self.alive() {
            let view = self.core().workload(workload);
            let (pods, held) = view.map(|w| (w.pods, w.held)).unwrap_or_default();
            if held || pods.iter().any(|p| matches!(p.state, PodState::Terminating | PodState::Binding)) {
                return;
            }
            let running = pods.iter().filter(|p| p.state == PodState::Running).count();
            if let Some(origin) = self.origins.get(&workload).filter(|_| running > 0) {
                *state.entry(*origin).or_default() += running;
            }
        }
        let state: Vec<(usize, usize)> = state.into_iter().collect();
        let again = format!("S2: the state {state:?} (submission, running pods) occurs twice");
        if !self.interval.states.insert(state) && self.play.settles && !self.faulty {
            self.violation(again);
        }
    }

    /// S3 and S4, while nothing is in progress.
    pub(super) fn check_at_rest(&mut self) {
        let alike = self.is_comparable();
        if let Some(reference) = self.reference.take() {
            let violations = if alike { compare::explanations(self.core(), &reference) } else { Vec::new() };
            violations.into_iter().for_each(|what| self.violation(what));
            self.reference = Some(reference);
            return;
        }
        self.check_next_moment();
        let evicted_for = std::mem::take(&mut self.interval.evicted_for);
        if self.play.settles && !self.faulty {
            for (cause, pods) in evicted_for {
                self.violation(format!("S3: {pods} pods were evicted in vain for submission {cause}"));
            }
        }
        if self.play.guaranteed && !self.faulty {
            for workload in self.core().waiting() {
                if self.entitled(workload) {
                    self.violation(format!("S4: {workload} is entitled and pending"));
                }
            }
        }
    }

    /// S1: a later decision that follows a fact without content gives nothing, unless the scheduler asked for it
    /// (R2c).
    fn check_next_moment(&mut self) {
        if self.core().next_wake().is_some_and(|wake| wake <= self.now.after_ms(1)) {
            return;
        }
        let mut later = self.core().clone();
        let plan = later.apply(Event::Tick).map(|()| later.decide(self.now.after_ms(1)));
        if let Some(plan) = plan.ok().filter(|plan| !plan.is_empty()) {
            self.violation(format!("S1: nobody asked for the next moment, and it gives {:?}", plan.actions));
        }
    }

    pub(super) fn entitled(&self, workload: WorkloadId) -> bool {
        let tree = self.core().tree();
        let Some(spec) = self.specs.get(&workload) else { return false };
        let Some(leaf) = tree.leaf_of(spec.namespace.as_str()) else { return false };
        let runs = self.states(workload).iter().any(|s| *s != PodState::Pending);
        let pods: i64 = if runs { 1 } else { spec.pods.iter().map(|set| i64::from(set.min)).sum() };
        let Some(request) = spec.pods.first().map(|set| &set.template.request) else { return false };
        let fits = |quota: QuotaId| {
            let used = self.core().usage(quota).used;
            let asked = tree.governed().zip(tree.min(quota)).filter_map(|(r, min)| {
                let n = request.get(r.as_str()).filter(|n| *n > 0)?;
                Some(used.get(r.as_str()).unwrap_or(0) + n * pods <= *min)
            });
            asked.min().unwrap_or(true)
        };
        tree.path(leaf).filter(|q| tree.parent(*q).is_some() || *q == leaf).all(fits)
    }
}
