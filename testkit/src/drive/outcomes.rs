//! The outcomes of a plan: binds and evictions take effect at once or after a delay, and controllers recreate evicted
//! pods (O3).

use super::{Driver, MOST_DECISIONS};
use quotree_core::{Action, Event, Plan, PodOutcome, PodSet, PodState, ReleaseReason, WorkloadChange, WorkloadId};
use std::collections::BTreeSet;

impl Driver<'_> {
    /// Advances time with a fact, and applies the outcomes that are due until then.
    pub(super) fn advance(&mut self, ms: u64) {
        self.pass(ms);
        self.apply(Event::Tick);
    }

    /// Whether what was bound at this moment may be a victim in the next one, and somebody waits for that (R2c).
    pub(super) fn waits_for_next_moment(&self) -> bool {
        self.core().next_wake().is_some_and(|wake| wake > self.now && wake <= self.now.after_ms(1))
    }

    /// Decides in the next moment, and the one after it, for as long as somebody waits for that (R2c).
    pub(super) fn reach_next_moment(&mut self) {
        for _ in 0..MOST_DECISIONS {
            if self.world.pace == 0 || !self.waits_for_next_moment() {
                return;
            }
            self.pass(1);
            self.settle();
        }
    }

    /// Lets time pass, and applies the outcomes that are due until then.
    pub(super) fn pass(&mut self, ms: u64) {
        let end = self.now.after_ms(ms);
        while let Some((&(due, seq), _)) = self.agenda.first_key_value().filter(|((due, _), _)| *due <= end) {
            self.now = self.now.max(due);
            if let Some(event) = self.agenda.remove(&(due, seq)) {
                self.take_effect(event);
                self.settle();
            }
        }
        self.now = end;
    }

    /// Applies an outcome, if it is still possible.
    pub(super) fn take_effect(&mut self, event: Event) {
        let (pod, wanted) = match &event {
            Event::PodBound { pod, .. } | Event::BindFailed { pod } => (*pod, PodState::Binding),
            Event::PodGone { pod, .. } | Event::EvictFailed { pod } => (*pod, PodState::Terminating),
            _ => return,
        };
        let view = self.core().workload(pod.workload);
        let state = view.and_then(|w| w.pods.into_iter().find(|p| p.id == pod)).map(|p| p.state);
        let strays = matches!(event, Event::PodBound { elsewhere: Some(_), .. });
        if state != Some(wanted) && !(strays && state == Some(PodState::Terminating)) {
            return;
        }
        let event = match event {
            Event::PodBound { pod, elsewhere, .. } => {
                let elsewhere = elsewhere.filter(|place| !self.down.contains(&(place.node.0 as usize)));
                Event::PodBound { pod, at: self.now, elsewhere }
            }
            event => event,
        };
        let is_gone = matches!(event, Event::PodGone { .. });
        self.apply(event);
        if is_gone && self.play.delays.is_some() {
            self.answer_eviction(pod.workload);
        }
    }

    /// The controller's reaction when an evicted pod is gone.
    pub(super) fn answer_eviction(&mut self, workload: WorkloadId) {
        let states = self.states(workload);
        if states.iter().any(|s| matches!(s, PodState::Running | PodState::Binding)) {
            let set = self.specs.get_mut(&workload).and_then(|spec| {
                let template = spec.pods.first()?.template.clone();
                let set = PodSet { template, count: 1, min: 0 };
                spec.pods.push(set.clone());
                Some(set)
            });
            let change = WorkloadChange { add_pods: set, ..WorkloadChange::of(workload) };
            self.apply(Event::WorkloadChanged(change));
        } else if !states.contains(&PodState::Terminating) {
            self.recreate(workload);
        }
    }

    pub(super) fn carry_out(&mut self, plan: &Plan) {
        let mut gone = Vec::new();
        let (mut causes, mut failed) = (BTreeSet::new(), BTreeSet::new());
        for action in &plan.actions {
            match action {
                Action::Bind { pod, node, .. } => {
                    let fails = self.failing_binds > 0;
                    self.failing_binds = self.failing_binds.saturating_sub(1);
                    let event = if fails {
                        Event::BindFailed { pod: *pod }
                    } else {
                        let elsewhere = self.stray(*pod, *node);
                        Event::PodBound { pod: *pod, at: self.now, elsewhere }
                    };
                    self.outcome(event, 20);
                }
                Action::Evict { pod, reason } if self.failing_evictions > 0 => {
                    self.failing_evictions -= 1;
                    self.outcome(Event::EvictFailed { pod: *pod }, 50);
                    failed.extend(reason.cause);
                }
                Action::Evict { pod, reason } => {
                    self.outcome(Event::PodGone { pod: *pod, outcome: PodOutcome::Evicted }, 50);
                    gone.push(pod.workload);
                    causes.extend(reason.cause);
                }
                // Its victims serve the workload that took its hold over (H2).
                Action::Release { workload, reason: ReleaseReason::NeededBy(_) } => {
                    causes.remove(workload);
                }
                _ => {}
            }
        }
        causes.retain(|cause| !failed.contains(cause));
        if self.play.delays.is_none() && !gone.is_empty() {
            self.check_causes_placed(&causes);
            self.answer_evictions(&gone);
        }
    }

    pub(super) fn outcome(&mut self, event: Event, most_ms: u64) {
        if self.play.delays.is_none() {
            self.take_effect(event);
        } else {
            let due = self.now.after_ms(self.dice.below(most_ms));
            self.agenda_seq += 1;
            self.agenda.insert((due, self.agenda_seq), event);
        }
    }

    pub(super) fn answer_evictions(&mut self, gone: &[WorkloadId]) {
        let mut whole = BTreeSet::new();
        for workload in gone {
            if !whole.contains(workload) {
                if self.states(*workload).iter().all(|s| *s == PodState::Pending) {
                    whole.insert(*workload);
                }
                self.answer_eviction(*workload);
            }
        }
    }

    /// Applies all outcomes in progress, and lets the timers of the scheduler expire.
    pub(super) fn run_to_end(&mut self) {
        for _ in 0..MOST_DECISIONS {
            let next = self.agenda.first_key_value().map(|((due, _), _)| *due);
            let next = next.or_else(|| self.core().next_wake().filter(|wake| *wake > self.now));
            let Some(next) = next else { return };
            self.advance(next.since(self.now));
            self.settle();
        }
        if self.reference.is_none() {
            self.violation(format!("S2: not at rest after {MOST_DECISIONS} waits"));
        }
    }
}
