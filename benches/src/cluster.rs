//! A cluster that carries plans out at once: the least that must stand around a scheduler for it to be measured.

use quotree_core::{Action, Event, EventError, NodeId, Plan, PodId, PodOutcome, Scheduler, Time, WorkloadId};

/// A scheduler with the outcomes of its plans fed back at once.
#[derive(Debug)]
pub struct Cluster {
    /// The scheduler.
    pub scheduler: Scheduler,
    /// Decisions so far.
    pub decisions: u64,
    /// Pods bound so far.
    pub binds: u64,
    /// Pods evicted so far.
    pub evictions: u64,
}

impl Cluster {
    /// Around this scheduler.
    #[must_use]
    pub const fn new(scheduler: Scheduler) -> Self {
        Self { scheduler, decisions: 0, binds: 0, evictions: 0 }
    }

    /// Tells a fact.
    ///
    /// # Errors
    /// When the scheduler refuses it.
    pub fn tell(&mut self, event: Event) -> Result<(), EventError> {
        self.scheduler.apply(event)
    }

    /// Decides once, and reports what came true: `bound` hears of every pod bound, `evicted` of every pod gone.
    ///
    /// # Errors
    /// When the scheduler refuses the outcome of its own plan.
    pub fn decide(
        &mut self,
        now: Time,
        mut bound: impl FnMut(PodId, NodeId),
        mut evicted: impl FnMut(WorkloadId),
    ) -> Result<Plan, EventError> {
        let plan = self.scheduler.decide(now);
        self.decisions += 1;
        for action in &plan.actions {
            match action {
                Action::Bind { pod, node, .. } => {
                    self.binds += 1;
                    self.scheduler.apply(Event::bound(*pod, now))?;
                    bound(*pod, *node);
                }
                Action::Evict { pod, .. } => {
                    self.evictions += 1;
                    self.scheduler.apply(Event::PodGone { pod: *pod, outcome: PodOutcome::Evicted })?;
                    evicted(pod.workload);
                }
                _ => {}
            }
        }
        Ok(plan)
    }
}
