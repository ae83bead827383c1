//! Decides until there is nothing left to do. Each decision is audited and repeated (S1), or compared with the
//! reference's.

use super::{Driver, MOST_DECISIONS, brief};
use crate::{compare, recount::recount, reference::Reference};
use quotree_core::{Action, Plan};

impl Driver<'_> {
    /// Decides and carries out plans until a decision is empty.
    pub(super) fn settle(&mut self) {
        loop {
            let plan = self.decide();
            if plan.is_empty() {
                break;
            }
            self.interval.decisions += 1;
            if self.interval.decisions > MOST_DECISIONS {
                if self.reference.is_some() {
                    break;
                }
                self.violation(format!("S2: no end after {MOST_DECISIONS} decisions"));
                break;
            }
            self.carry_out(&plan);
            self.check_no_repeat();
        }
    }

    pub(super) fn decide(&mut self) -> Plan {
        let plan = match self.reference.take() {
            Some(reference) => self.decide_both(reference),
            None => {
                let before = self.core().clone();
                let plan = self.core.decide(self.now);
                for what in recount(self.core(), &self.specs, !self.faulty, &self.visited()) {
                    self.violation(format!("{what} (recounted after decide)"));
                }
                let after = self.core().clone();
                // While pods leave slowly, an older workload may wait for what is under way.
                if self.play.delays.is_none() {
                    self.check_ages(&before, &plan);
                }
                for breach in self.auditor.decision(&before, &plan, &after, self.now) {
                    self.violation(breach.to_string());
                }
                plan
            }
        };
        self.played.decisions += 1;
        for action in &plan.actions {
            self.played.trace.push(format!("{}   {}", self.now.0, brief(action)));
        }
        self.check_stands(&plan);
        let again = self.core.decide(self.now);
        let violations = format!("S1: deciding again gives {:?}", again.actions);
        let alike = self.is_comparable();
        if !again.is_empty() || self.reference.iter_mut().any(|r| alike && !r.decide(self.now).actions.is_empty()) {
            self.violation(violations);
        }
        if self.reference.is_none() {
            self.check_evictions(&plan);
            self.check_own_evictions(&plan);
        }
        plan
    }

    /// E2: what was just decided stands, or a caller that takes back what does not would come to no end.
    fn check_stands(&mut self, plan: &Plan) {
        let useless = self.core().useless_evictions();
        for action in &plan.actions {
            let Action::Evict { pod, reason } = action else { continue };
            if useless.contains(pod) {
                self.violation(format!("E2: the eviction of {pod} was just decided and does not stand: {reason:?}"));
            }
        }
    }

    /// Whether the reference still has the state of the core: they have not differed, and no bound was hit.
    pub(super) fn is_comparable(&self) -> bool {
        self.played.violations.is_empty() && self.reference.as_ref().is_none_or(|reference| !reference.bound_hit())
    }

    /// Decides, and compares the reference's decision with the core's.
    fn decide_both(&mut self, mut reference: Reference) -> Plan {
        if !self.played.violations.is_empty() || reference.bound_hit() {
            self.reference = Some(reference);
            return self.core.decide(self.now);
        }
        let pending = self.core().waiting().iter().any(|w| self.core().workload(*w).is_some_and(|w| w.held));
        let (reprieved, by_sets) = (reference.reprieved(), reference.by_sets());
        let other = reference.decide(self.now);
        let plan = self.core.decide(self.now);
        self.played.seen.extend(compare::occurred(&plan));
        self.played.seen.extend(pending.then_some("holds pending"));
        self.played.seen.extend((reference.reprieved() > reprieved).then_some("pruning"));
        self.played.seen.extend((reference.by_sets() > by_sets).then_some("sets"));
        if reference.bound_hit() {
            self.played.seen.insert("bound hit");
            self.reference = Some(reference);
            return plan;
        }
        let lends = self.world.quotas.iter().any(|q| q.lend.is_some());
        for what in compare::differences(&plan, &other, lends) {
            self.violation(what);
        }
        for what in compare::state_differences(self.core(), &reference, self.now, lends) {
            self.violation(what);
        }
        self.reference = Some(reference);
        plan
    }
}
