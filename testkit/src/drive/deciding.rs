//! Decisions: until nothing is left to do, each audited, decided again (S1), or held against the reference's.

use super::{Driver, MOST_DECISIONS, brief};
use crate::{beside, recount::recount, reference::Reference};
use quotree_core::Plan;

impl Driver<'_> {
    /// Decides and carries out until nothing is left to do, or only to wait.
    pub(super) fn settle(&mut self) {
        loop {
            let plan = self.decide();
            if plan.is_empty() {
                break;
            }
            self.stretch.decisions += 1;
            if self.stretch.decisions > MOST_DECISIONS {
                if self.reference.is_some() {
                    break;
                }
                self.wrong(format!("S2: no end after {MOST_DECISIONS} decisions"));
                break;
            }
            self.carry_out(&plan);
            self.remember();
        }
    }

    pub(super) fn decide(&mut self) -> Plan {
        let plan = match self.reference.take() {
            Some(reference) => self.decide_beside(reference),
            None => {
                let before = self.core().clone();
                let plan = self.core.decide(self.now);
                for what in recount(self.core(), &self.specs, !self.faulty) {
                    self.wrong(format!("{what} (recounted after decide)"));
                }
                let after = self.core().clone();
                for breach in self.auditor.decision(&before, &plan, &after, self.now) {
                    self.wrong(breach.to_string());
                }
                plan
            }
        };
        self.played.decisions += 1;
        for action in &plan.actions {
            self.played.trace.push(format!("{}   {}", self.now.0, brief(action)));
        }
        let again = self.core.decide(self.now);
        let wrong = format!("S1: deciding again gives {:?}", again.actions);
        let alike = self.played.wrong.is_empty();
        if !again.is_empty() || self.reference.iter_mut().any(|r| alike && !r.decide(self.now).actions.is_empty()) {
            self.wrong(wrong);
        }
        if self.reference.is_none() {
            self.account(&plan);
        }
        plan
    }

    /// Decides, and holds the reference's answer against the core's.
    fn decide_beside(&mut self, mut reference: Reference) -> Plan {
        if !self.played.wrong.is_empty() {
            self.reference = Some(reference);
            return self.core.decide(self.now);
        }
        let pending = self.core().waiting().iter().any(|w| self.core().workload(*w).is_some_and(|w| w.held));
        let spared = reference.spared();
        let other = reference.decide(self.now);
        let plan = self.core.decide(self.now);
        self.played.seen.extend(beside::occurred(&plan));
        self.played.seen.extend(pending.then_some("holds pending"));
        self.played.seen.extend((reference.spared() > spared).then_some("pruning"));
        for what in beside::differences(&plan, &other, self.world.quotas.iter().any(|q| q.lend.is_some())) {
            self.wrong(what);
        }
        for what in beside::state_differences(self.core(), &reference) {
            self.wrong(what);
        }
        self.reference = Some(reference);
        plan
    }
}
